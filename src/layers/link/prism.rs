//! LINKTYPE_IEEE802_11_PRISM (119): the header of Prism cards, or that of AVS, then 802.11.

use super::{Link, avs, ieee80211};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[119],
    name: "IEEE 802.11 with Prism",
    decode,
};

pub(in crate::layers) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    if avs::is_avs(packet.bytes) {
        return avs::decode(packet);
    }
    let length = packet
        .bytes
        .get(4..)
        .and_then(|rest| rest.first_chunk::<4>());
    let Some(length) = length else {
        return Err(packet.too_short("broken-link", "Prism", 144));
    };
    // In the order of the machine that recorded; it is small, and so shows it.
    let length = u32::from_le_bytes(*length).min(u32::from_be_bytes(*length)) as usize;
    match packet.bytes.get(length.max(8)..) {
        Some(frame) => ieee80211::decode(packet.with(frame)),
        None => Err(packet.too_short("broken-link", "Prism", length)),
    }
}
