//! LINKTYPE_PPP_ETHER (51): PPP over Ethernet (RFC 2516 §4), without Ethernet.

use super::{Link, ppp};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[51],
    name: "PPPoE",
    decode,
};

pub(in crate::layers) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    match packet.bytes {
        // Version and type 1, code 0, session; the length leaves out what Ethernet padded.
        [0x11, 0, _, _, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            ppp::decode(packet.with(rest.get(..length).unwrap_or(rest)))
        }
        [0x11, _, ..] if packet.bytes.len() >= 6 => Ok(Inner::Other("pppoe-discovery")),
        [0x11, ..] | [] => Err(packet.too_short("broken-link", "PPPoE", 6)),
        [first, ..] => Err(Refusal::new(
            "broken-link",
            format!("PPPoE header begins with 0x{first:02x}"),
        )),
    }
}
