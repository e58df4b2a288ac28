//! LINKTYPE_PPI (192): per-packet information, then a packet of the link type that it names.

use super::{Link, find};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[192],
    name: "Per-packet information",
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some(([_, _, low, high, number @ ..], _)) = packet.bytes.split_first_chunk::<8>() else {
        return Err(packet.too_short("broken-link", "PPI", 8));
    };
    let (length, number) = (
        u16::from_le_bytes([*low, *high]),
        u32::from_le_bytes(*number),
    );
    let Some(inside) = packet.bytes.get(usize::from(length.max(8))..) else {
        return Err(packet.too_short("broken-link", "PPI", length.into()));
    };
    match find(number) {
        // Not itself again and again.
        Some(link) if !LINK.numbers.contains(&number) => (link.decode)(packet.with(inside)),
        _ => Err(Refusal::new(
            "link-type",
            format!("{} in PPI", super::name_number(number)),
        )),
    }
}
