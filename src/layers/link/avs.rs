//! LINKTYPE_IEEE802_11_AVS (163): the AVS capture header, then 802.11.

use super::{Link, ieee80211};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal, be32};

pub(super) static LINK: Link = Link {
    numbers: &[163],
    name: "IEEE 802.11 with AVS",
    decode,
};

/// The last digit is the version.
const MAGIC: u32 = 0x8021_1000;

/// Does this begin with an AVS header?
pub(super) fn is_avs(bytes: &[u8]) -> bool {
    be32(bytes, 0).is_some_and(|it| it & 0xffff_fff0 == MAGIC)
}

pub(in crate::layers) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let length = be32(packet.bytes, 4).and_then(|it| usize::try_from(it).ok());
    let Some(length) = length.filter(|it| *it >= 8 && is_avs(packet.bytes)) else {
        return Err(packet.too_short("broken-link", "AVS", 64));
    };
    match packet.bytes.get(length..) {
        Some(frame) => ieee80211::decode(packet.with(frame)),
        None => Err(packet.too_short("broken-link", "AVS", length)),
    }
}
