//! LINKTYPE_NFLOG (239): what Linux netfilter logs: a header and attributes, of which one is the packet.

use super::{Link, raw_ip};
use crate::layers::inner::Inner;
use crate::layers::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6};
use crate::layers::{Packet, Refusal, be16};

pub(super) static LINK: Link = Link {
    numbers: &[239],
    name: "Linux netfilter log",
    decode,
};

const PACKET_HEADER: u16 = 1;
const PAYLOAD: u16 = 9;
const MAX_ATTRIBUTES: usize = 64;

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some(([family, ..], mut rest)) = packet.bytes.split_first_chunk::<4>() else {
        return Err(packet.too_short("broken-link", "NFLOG", 4));
    };
    let order = byte_order(rest);
    let mut ether_type = None;
    for _ in 0..MAX_ATTRIBUTES {
        let (Some(length), Some(kind)) = (field(rest, 0, order), field(rest, 2, order)) else {
            break;
        };
        let length = usize::from(length);
        let value = rest.get(4..length.min(rest.len())).unwrap_or_default();
        match kind & 0x7fff {
            PACKET_HEADER => ether_type = be16(value, 0).filter(|it| *it != 0),
            PAYLOAD => return past_attributes(packet.with(value), *family, ether_type),
            _ => {}
        }
        // An attribute is at least its header long, and aligned to 4 bytes.
        rest = rest
            .get(length.max(4).next_multiple_of(4)..)
            .unwrap_or_default();
    }
    match packet.cut {
        true => Err(packet.too_short("broken-link", "NFLOG attributes", packet.bytes.len() + 1)),
        false => Ok(Inner::Other("nflog")),
    }
}

/// The packet, by the family of the rule that logged it.
fn past_attributes(
    packet: Packet<'_>,
    family: u8,
    ether_type: Option<u16>,
) -> Result<Inner<'_>, Refusal> {
    const INET: u8 = 2;
    const INET6: u8 = 10;
    let ether_type = match (family, ether_type) {
        (INET, _) => ETHER_TYPE_V4,
        (INET6, _) => ETHER_TYPE_V6,
        (_, Some(ether_type)) => ether_type,
        _ => return raw_ip::decode(packet),
    };
    Ok(Inner::Network {
        ether_type,
        payload: packet.bytes,
    })
}

type Order = fn([u8; 2]) -> u16;

/// Lengths are in the order of the machine that recorded; the first one is small and so shows it.
fn byte_order(rest: &[u8]) -> Order {
    match rest {
        [0, 4..=255, ..] => u16::from_be_bytes,
        _ => u16::from_le_bytes,
    }
}

fn field(bytes: &[u8], offset: usize, order: Order) -> Option<u16> {
    Some(order(*bytes.get(offset..)?.first_chunk()?))
}
