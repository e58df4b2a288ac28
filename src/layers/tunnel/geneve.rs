//! Generic network virtualization encapsulation (RFC 8926 §3): UDP port 6081.

use super::{By, Tunnel, past_protocol_type, plausible};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal, be16};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(6081)],
    name: "GENEVE",
    fits,
    decode,
};

/// Version 0, no reserved bit, and a frame or packet of the type that it says.
fn fits(packet: &Packet<'_>) -> bool {
    let [0..=0x3f, flags, high, low, _, _, _, 0, ..] = packet.bytes else {
        return false;
    };
    flags & 0x3f == 0
        && match u16::from_be_bytes([*high, *low]) {
            super::BRIDGED => true,
            kind => {
                let inside = packet.bytes.get(header_len(packet)..).unwrap_or_default();
                plausible::ip(&packet.with(inside)) == Some(kind)
            }
        }
}

fn header_len(packet: &Packet<'_>) -> usize {
    let words = packet.bytes.first().map_or(0, |first| first & 0x3f);
    8 + usize::from(words) * 4
}

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let kind = be16(packet.bytes, 2).unwrap_or(0);
    past_protocol_type(kind, packet.past("GENEVE", header_len(&packet))?)
}
