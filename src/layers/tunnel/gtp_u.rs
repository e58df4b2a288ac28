//! GPRS tunnelling protocol, user plane (3GPP TS 29.281 §5): UDP port 2152.

use super::{By, Tunnel, plausible};
use crate::layers::inner::Inner;
use crate::layers::link::{ethernet, ppp};
use crate::layers::{Packet, Refusal, be16};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(2152)],
    name: "GTP-U",
    fits,
    decode,
};

const G_PDU: u8 = 255;

/// Version 1, not GTP'; a user packet, or a signalling message (echo, error indication, supported
/// extension headers, tunnel status, end marker); and a length that is there.
fn fits(packet: &Packet<'_>) -> bool {
    let [0x30..=0x37, 1 | 2 | 26 | 31 | 253..=255, ..] = packet.bytes else {
        return false;
    };
    let promised = be16(packet.bytes, 2).map(|length| 8 + usize::from(length));
    promised.is_some_and(|it| it == packet.bytes.len() || (packet.cut && it > packet.bytes.len()))
}

const MAX_EXTENSIONS: usize = 16;

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let (flags, kind) = match packet.bytes {
        [flags, kind, ..] => (*flags, *kind),
        _ => return Err(packet.too_short("broken-tunnel", "GTP-U", 8)),
    };
    if kind != G_PDU {
        return Ok(Inner::Other("gtp"));
    }
    const ANY_OPTION: u8 = 7;
    const EXTENSION: u8 = 4;
    if flags & ANY_OPTION == 0 {
        return inside(packet.past("GTP-U", 8)?);
    }
    let mut next = packet.bytes.get(11).copied().unwrap_or(0);
    let mut packet = packet.past("GTP-U", 12)?;
    if flags & EXTENSION == 0 {
        return inside(packet);
    }
    for _ in 0..MAX_EXTENSIONS {
        if next == 0 {
            return inside(packet);
        }
        let length = usize::from(packet.bytes.first().copied().unwrap_or(0)) * 4;
        let Some(last) = length.checked_sub(1) else {
            return Err(Refusal::new(
                "broken-tunnel",
                "GTP-U extension header of length 0",
            ));
        };
        next = packet.bytes.get(last).copied().unwrap_or(0);
        packet = packet.past("GTP-U extension", length)?;
    }
    Err(Refusal::new(
        "broken-tunnel",
        "more than 16 GTP-U extension headers",
    ))
}

/// Nothing in the header says what the session carries.
fn inside(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    if packet.bytes.is_empty() {
        return Ok(Inner::Other("gtp"));
    }
    if let Some(ether_type) = plausible::ip(&packet) {
        return Ok(Inner::Network {
            ether_type,
            payload: packet.bytes,
        });
    }
    if plausible::ethernet(&packet) {
        return ethernet::decode(packet);
    }
    if ppp::is_plausible(&packet) {
        return ppp::decode(packet);
    }
    Err(Refusal::new(
        "gtp-u",
        "neither IP, Ethernet nor PPP in a GTP-U packet",
    ))
}
