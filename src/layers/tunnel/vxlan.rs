//! Virtual extensible LAN (RFC 7348): UDP port 4789, 8472 before that was assigned.

use super::{By, Tunnel, plausible};
use crate::layers::inner::Inner;
use crate::layers::link::ethernet;
use crate::layers::{Packet, Refusal};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(4789), By::UdpPort(8472)],
    name: "VXLAN",
    fits,
    decode,
};

fn fits(packet: &Packet<'_>) -> bool {
    // The flag I alone, or with G and the policy of draft-smith-vxlan-group-policy.
    let header = match packet.bytes {
        [0x08, 0, 0, 0, _, _, _, 0, ..] => true,
        [0x88, policy, _, _, _, _, _, 0, ..] => policy & !0x48 == 0,
        _ => false,
    };
    let frame = packet.bytes.get(8..).unwrap_or_default();
    header && (plausible::ethernet(&packet.with(frame)) || packet.bytes[0] == 0x08)
}

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    ethernet::decode(packet.past("VXLAN", 8)?)
}
