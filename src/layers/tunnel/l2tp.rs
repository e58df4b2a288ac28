//! Layer two tunneling protocol (RFC 2661 §3.1; version 3 over UDP by RFC 3931 §4.1.2): UDP port 1701.

use super::{By, Tunnel, l2tp_v3};
use crate::layers::inner::Inner;
use crate::layers::link::ppp;
use crate::layers::{Packet, Refusal, be16};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(1701)],
    name: "L2TP",
    fits,
    decode,
};

const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;
const RESERVED: u16 = 0x34f0;

/// No reserved bit is set, a control message has length and sequence, data has a tunnel and a
/// session, and the length is there.
fn fits(packet: &Packet<'_>) -> bool {
    let Some(flags) = be16(packet.bytes, 0) else {
        return false;
    };
    let length_fits = flags & LENGTH == 0
        || be16(packet.bytes, 2)
            .is_some_and(|it| it >= 6 && (usize::from(it) <= packet.bytes.len() || packet.cut));
    let control_fits = flags & CONTROL == 0 || flags & (LENGTH | SEQUENCE) == LENGTH | SEQUENCE;
    flags & RESERVED == 0
        && length_fits
        && control_fits
        && match flags & 15 {
            2 => flags & CONTROL != 0 || has_session(packet.bytes, flags),
            3 => flags & CONTROL != 0 || packet.bytes.starts_with(&[0, 3, 0, 0]),
            _ => false,
        }
}

/// Neither tunnel nor session is 0 in data.
fn has_session(bytes: &[u8], flags: u16) -> bool {
    let at = if flags & LENGTH == 0 { 2 } else { 4 };
    [at, at + 2]
        .iter()
        .all(|at| be16(bytes, *at).is_some_and(|it| it != 0))
}

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let flags = be16(packet.bytes, 0).unwrap_or(0);
    if flags & CONTROL != 0 {
        return Ok(Inner::Other("l2tp"));
    }
    if flags & 15 == 3 {
        return l2tp_v3::decode(packet.past("L2TP", 4)?);
    }
    let packet = past_header(packet, flags)?;
    if packet.bytes.is_empty() {
        return Ok(Inner::Other("l2tp"));
    }
    ppp::decode(packet)
}

/// Flags, length, tunnel and session, Ns and Nr, offset size and padding.
fn past_header(packet: Packet<'_>, flags: u16) -> Result<Packet<'_>, Refusal> {
    let has = |bit: u16, bytes: usize| usize::from(flags & bit != 0) * bytes;
    let fixed = 6 + has(LENGTH, 2) + has(SEQUENCE, 4);
    let offset = match flags & OFFSET {
        0 => 0,
        _ => 2 + usize::from(be16(packet.bytes, fixed).unwrap_or(0)),
    };
    packet.past("L2TP", fixed + offset)
}
