//! LINKTYPE_ETHERNET (1): Ethernet II and IEEE 802.3.

use super::{Link, MIN_ETHER_TYPE, past_llc};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[1],
    name: "Ethernet",
    decode,
};

pub(in crate::layers) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some((header, payload)) = packet.bytes.split_first_chunk::<14>() else {
        return Err(packet.too_short("broken-link", "Ethernet", 14));
    };
    let ether_type = u16::from_be_bytes([header[12], header[13]]);
    if ether_type < MIN_ETHER_TYPE {
        return Ok(past_llc(
            payload.get(..ether_type.into()).unwrap_or(payload),
        ));
    }
    Ok(Inner::Network {
        ether_type,
        payload,
    })
}
