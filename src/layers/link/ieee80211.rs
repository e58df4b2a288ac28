//! LINKTYPE_IEEE802_11 (105): wireless LAN frames (IEEE 802.11-2020 §9.2).

use super::{Link, past_llc};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[105],
    name: "IEEE 802.11",
    decode,
};

const DATA: u8 = 2;
const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;

pub(in crate::layers) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    past_header(packet, false)
}

/// A frame whose first two bytes may be swapped, as access points of Cisco send it: the version, which
/// is always 0, shows it.
pub(in crate::layers) fn decode_swapped(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    match *packet.bytes {
        [flags, control, ..] if flags & 3 != 0 && control & 3 == 0 => {
            past_control(packet, control, flags, false)
        }
        _ => decode(packet),
    }
}

/// `padded`: the header is padded to 4 bytes.
pub(super) fn past_header(packet: Packet<'_>, padded: bool) -> Result<Inner<'_>, Refusal> {
    match *packet.bytes {
        [control, flags, ..] => past_control(packet, control, flags, padded),
        _ => Err(packet.too_short("broken-link", "802.11", 2)),
    }
}

fn past_control(
    packet: Packet<'_>,
    control: u8,
    flags: u8,
    padded: bool,
) -> Result<Inner<'_>, Refusal> {
    let (kind, subtype) = ((control >> 2) & 3, control >> 4);
    const NO_DATA: u8 = 4;
    if control & 3 != 0 || kind != DATA || subtype & NO_DATA != 0 {
        return Ok(Inner::Other("wifi"));
    }
    let is_qos = subtype & 8 != 0;
    let (mut length, mut aggregated) = (24, false);
    if flags & (TO_DS | FROM_DS) == TO_DS | FROM_DS {
        length += 6;
    }
    if is_qos {
        const AGGREGATED: u8 = 0x80;
        aggregated = packet
            .bytes
            .get(length)
            .is_some_and(|it| it & AGGREGATED != 0);
        length += if flags & HT_CONTROL != 0 { 6 } else { 2 };
    }
    if padded {
        length = usize::next_multiple_of(length, 4);
    }
    let Some((header, body)) = packet.bytes.split_at_checked(length) else {
        return Err(packet.too_short("broken-link", "802.11", length));
    };
    if flags & PROTECTED != 0 {
        return Err(Refusal::new("wifi-encrypted", "an encrypted 802.11 frame"));
    }
    if flags & MORE_FRAGMENTS != 0 || header.get(22).is_some_and(|it| it & 15 != 0) {
        return Err(Refusal::new(
            "wifi-fragment",
            "a fragment of an 802.11 frame",
        ));
    }
    Ok(match aggregated {
        true => Inner::Aggregate(body),
        false => past_llc(body),
    })
}

/// The first packet of an aggregate (§9.3.2.2) and what follows it: addresses, length, packet,
/// padding to 4 bytes; again and again.
pub(in crate::layers) fn split_aggregate(bytes: &[u8]) -> Option<(Inner<'_>, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<14>()?;
    let length = usize::from(u16::from_be_bytes([header[12], header[13]]));
    let next = (14 + length).next_multiple_of(4);
    let first = past_llc(rest.get(..length).unwrap_or(rest));
    Some((first, bytes.get(next..).unwrap_or_default()))
}
