//! LINKTYPE_RAW (101; 12 and 14 where a DLT number was written), LINKTYPE_IPV4 (228) and
//! LINKTYPE_IPV6 (229): no link header at all.

use super::Link;
use crate::layers::inner::Inner;
use crate::layers::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6};
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[101, 12, 14, 228, 229],
    name: "Raw IP",
    decode,
};

pub(in crate::layers) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let ether_type = match packet.bytes.first() {
        None => return Err(packet.too_short("broken-link", "IP", 20)),
        Some(first) if first >> 4 == 6 => ETHER_TYPE_V6,
        Some(_) => ETHER_TYPE_V4,
    };
    Ok(Inner::Network {
        ether_type,
        payload: packet.bytes,
    })
}
