//! LINKTYPE_LINUX_SLL2 (276): as 113, with the number of the interface.

use super::Link;
use super::linux_sll::past_cooked;
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[276],
    name: "Linux cooked v2",
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some((header, payload)) = packet.bytes.split_first_chunk::<20>() else {
        return Err(packet.too_short("broken-link", "Linux cooked v2", 20));
    };
    let protocol = u16::from_be_bytes([header[0], header[1]]);
    let device = u16::from_be_bytes([header[8], header[9]]);
    Ok(past_cooked(device, protocol, payload))
}
