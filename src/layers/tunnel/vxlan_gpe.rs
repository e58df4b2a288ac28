//! VXLAN with a protocol type (draft-ietf-nvo3-vxlan-gpe-13 §3): UDP port 4790.

use super::{By, Tunnel, mpls, plausible};
use crate::layers::inner::Inner;
use crate::layers::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6};
use crate::layers::link::ethernet;
use crate::layers::{Packet, Refusal};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(4790)],
    name: "VXLAN-GPE",
    fits,
    decode,
};

/// Flags I, perhaps P and O; a frame without P is Ethernet.
fn fits(packet: &Packet<'_>) -> bool {
    let [flags, 0, 0, next, _, _, _, 0, inside @ ..] = packet.bytes else {
        return false;
    };
    let inside = packet.with(inside);
    flags & !0x05 == 0x08
        && match next {
            1 | 2 => plausible::ip(&inside).is_some(),
            0 | 3 => plausible::ethernet(&inside),
            5 => mpls::fits(&inside),
            _ => false,
        }
}

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let next = packet.bytes.get(3).copied();
    let packet = packet.past("VXLAN-GPE", 8)?;
    let ether_type = match next {
        Some(1) => ETHER_TYPE_V4,
        Some(2) => ETHER_TYPE_V6,
        Some(5) => return mpls::decode(packet),
        _ => return ethernet::decode(packet),
    };
    Ok(Inner::Network {
        ether_type,
        payload: packet.bytes,
    })
}
