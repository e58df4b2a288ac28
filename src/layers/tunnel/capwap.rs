//! Frames between access point and controller (CAPWAP, RFC 5415 §4.3): UDP port 5247.

use super::{By, Tunnel, plausible};
use crate::layers::inner::Inner;
use crate::layers::link::{ethernet, ieee80211};
use crate::layers::{Packet, Refusal, be32};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(5247)],
    name: "CAPWAP",
    fits,
    decode,
};

const NATIVE: u32 = 0x100;
const FRAGMENT: u32 = 0x80;
const KEEPALIVE: u32 = 0x08;
const RESERVED: u32 = 0x07;
const WIFI: u32 = 1;

/// Preamble, length in words, radio, binding, flags.
struct Header {
    encrypted: bool,
    length: usize,
    binding: u32,
    flags: u32,
}

fn header(bytes: &[u8]) -> Option<Header> {
    let word = be32(bytes, 0)?;
    Some(Header {
        encrypted: word >> 24 == 1,
        length: ((word >> 19) & 31) as usize * 4,
        binding: (word >> 9) & 31,
        flags: word & 0x1ff,
    })
}

/// DTLS behind the preamble; or a header of at least 8 bytes without a reserved bit, and behind it
/// wireless LAN, Ethernet, or part of it.
fn fits(packet: &Packet<'_>) -> bool {
    let dtls = matches!(packet.bytes, [1, 0, 0, 0, 20..=26, 0xfe, 0xfc..=0xff, ..]);
    let is_clear = |it: Header| {
        let inside = packet.bytes.get(it.length..).unwrap_or_default();
        let is_frame = it.flags & (NATIVE | FRAGMENT | KEEPALIVE) != 0
            || plausible::ethernet(&packet.with(inside));
        it.length >= 8 && it.flags & RESERVED == 0 && it.binding <= 3 && is_frame
    };
    dtls || (packet.bytes.first() == Some(&0) && header(packet.bytes).is_some_and(is_clear))
}

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some(header) = header(packet.bytes) else {
        return Err(packet.too_short("broken-tunnel", "CAPWAP", 8));
    };
    if header.encrypted {
        return Err(Refusal::new("capwap-encrypted", "CAPWAP within DTLS"));
    }
    let packet = packet.past("CAPWAP", header.length)?;
    match header.flags {
        flags if flags & KEEPALIVE != 0 => Ok(Inner::Other("capwap")),
        flags if flags & FRAGMENT != 0 => Err(Refusal::new(
            "capwap-fragment",
            "a fragment of a CAPWAP packet",
        )),
        flags if flags & NATIVE == 0 => ethernet::decode(packet),
        _ if header.binding == WIFI => ieee80211::decode_swapped(packet),
        _ => Ok(Inner::Other("capwap")),
    }
}
