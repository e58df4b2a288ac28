//! LINKTYPE_C_HDLC (104): Cisco HDLC (RFC 1547 §4.3.1): address, control, EtherType.

use super::Link;
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[104],
    name: "Cisco HDLC",
    decode,
};

pub(super) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some(([_, _, high, low], payload)) = packet.bytes.split_first_chunk::<4>() else {
        return Err(packet.too_short("broken-link", "Cisco HDLC", 4));
    };
    match u16::from_be_bytes([*high, *low]) {
        0x8035 => Ok(Inner::Other("slarp")),
        0x2000 => Ok(Inner::Other("cdp")),
        0xfefe => Ok(Inner::Other("isis")),
        ether_type => Ok(Inner::Network {
            ether_type,
            payload,
        }),
    }
}
