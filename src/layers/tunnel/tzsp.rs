//! TaZmen sniffer protocol, as MikroTik and others stream what they capture: UDP port 37008.

use super::{By, Tunnel};
use crate::layers::inner::Inner;
use crate::layers::link::{avs, ethernet, ieee80211, prism};
use crate::layers::{Packet, Refusal, be16};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(37008)],
    name: "TZSP",
    fits,
    decode,
};

/// Version 1, a packet received or to be sent (0, 1), a report (2 to 5), and an encapsulated
/// protocol that has a number.
fn fits(packet: &Packet<'_>) -> bool {
    matches!(packet.bytes, [1, 0..=5, 0, 0 | 1 | 18 | 119 | 127, ..])
}

const MAX_TAGS: usize = 64;

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let (kind, protocol) = (packet.bytes.get(1).copied(), be16(packet.bytes, 2));
    let mut packet = packet.past("TZSP", 4)?;
    if !matches!(kind, Some(0 | 1)) {
        return Ok(Inner::Other("tzsp"));
    }
    const PADDING: u8 = 0;
    const END: u8 = 1;
    for _ in 0..MAX_TAGS {
        match packet.bytes {
            [END, rest @ ..] => return inside(protocol.unwrap_or(0), packet.with(rest)),
            [PADDING, rest @ ..] => packet = packet.with(rest),
            [_, length, ..] => packet = packet.past("TZSP tag", 2 + usize::from(*length))?,
            _ => return Err(packet.too_short("broken-tunnel", "TZSP tag", 2)),
        }
    }
    Err(Refusal::new("broken-tunnel", "more than 64 TZSP tags"))
}

fn inside(protocol: u16, packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    match protocol {
        1 => ethernet::decode(packet),
        18 => ieee80211::decode(packet),
        119 => prism::decode(packet),
        127 => avs::decode(packet),
        _ => Err(Refusal::new(
            "tzsp",
            format!("encapsulated protocol {protocol}"),
        )),
    }
}
