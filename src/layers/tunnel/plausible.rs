//! Whether bytes begin as a packet does: what tells the inside of a tunnel whose header does not say.

use super::super::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6};
use super::super::link::{QINQ, QINQ_OLD, VLAN, name_ether_type};
use super::super::{Packet, be16};
use super::by_ether_type;

/// The EtherType of the IP packet that this begins with.
pub(super) fn ip(packet: &Packet<'_>) -> Option<u16> {
    let first = *packet.bytes.first()?;
    let fits = |length: usize| length <= packet.bytes.len() || packet.cut;
    match first >> 4 {
        4 => {
            let (header, total) = (usize::from(first & 15) * 4, be16(packet.bytes, 2)?.into());
            // 0: left for the network card to fill in.
            let whole = total == 0 || (total >= header && fits(total));
            (header >= 20 && fits(header) && whole).then_some(ETHER_TYPE_V4)
        }
        6 => fits(40 + usize::from(be16(packet.bytes, 4)?)).then_some(ETHER_TYPE_V6),
        _ => None,
    }
}

const MAX_TAGS: usize = 4;

/// Does this begin with an Ethernet frame whose type is known?
pub(super) fn ethernet(packet: &Packet<'_>) -> bool {
    let mut at = 12;
    for _ in 0..=MAX_TAGS {
        let Some(ether_type) = be16(packet.bytes, at) else {
            return false;
        };
        let rest = packet.with(packet.bytes.get(at + 2..).unwrap_or_default());
        match ether_type {
            VLAN | QINQ | QINQ_OLD => at += 4,
            ETHER_TYPE_V4 | ETHER_TYPE_V6 => return ip(&rest) == Some(ether_type),
            length @ 0..0x0600 => {
                let is_there = usize::from(length) <= rest.bytes.len() || packet.cut;
                return is_there && is_llc(rest.bytes);
            }
            other => {
                return by_ether_type(other).is_some()
                    || name_ether_type(other).is_ok_and(|name| name != "unrecognised");
            }
        }
    }
    false
}

/// SNAP, a spanning tree or IS-IS: what is met behind IEEE 802.2.
fn is_llc(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xaa, 0xaa, 3, 0, ..] | [0x42, 0x42, 3, ..] | [0xfe, 0xfe, 3, ..]
    )
}
