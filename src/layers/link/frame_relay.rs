//! LINKTYPE_FRELAY (107): frame relay, encapsulated by RFC 2427 §3 or as Cisco does it.

use super::{Link, past_llc};
use crate::layers::inner::Inner;
use crate::layers::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6};
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[107],
    name: "Frame Relay",
    decode,
};

const MAX_ADDRESS: usize = 4;

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    // The last byte of an address (Q.922 §3.3) is odd.
    let address = packet
        .bytes
        .iter()
        .take(MAX_ADDRESS)
        .position(|it| it & 1 == 1);
    let rest = address.and_then(|last| packet.bytes.get(last + 1..));
    let Some(rest) = rest else {
        return Err(packet.too_short("broken-link", "frame relay", MAX_ADDRESS));
    };
    const UNNUMBERED: u8 = 3;
    let (ether_type, payload) = match rest {
        [UNNUMBERED, 0xcc, payload @ ..] => (ETHER_TYPE_V4, payload),
        [UNNUMBERED, 0x8e, payload @ ..] => (ETHER_TYPE_V6, payload),
        [UNNUMBERED, 0, 0x80, snap @ ..] | [UNNUMBERED, 0x80, snap @ ..] => {
            return past_snap(packet, snap);
        }
        [UNNUMBERED, ..] => return Ok(Inner::Other("unrecognised")),
        [high, low, payload @ ..] => (u16::from_be_bytes([*high, *low]), payload),
        _ => return Err(packet.too_short("broken-link", "frame relay", 4)),
    };
    Ok(Inner::Network {
        ether_type,
        payload,
    })
}

/// Organisation and protocol, as after LLC; bridged Ethernet with its checksum (1) or without (7).
fn past_snap<'a>(packet: Packet<'a>, snap: &'a [u8]) -> Result<Inner<'a>, Refusal> {
    match snap {
        [0, 0, 0, high, low, payload @ ..] => Ok(Inner::Network {
            ether_type: u16::from_be_bytes([*high, *low]),
            payload,
        }),
        [0, 0x80, 0xc2, 0, 1 | 7, frame @ ..] => super::ethernet::decode(packet.with(frame)),
        _ => Ok(past_llc(snap)),
    }
}
