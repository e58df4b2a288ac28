//! One file per link type; numbers, name and decoder stand together in its `LINK`.

pub(super) mod avs;
mod cisco_hdlc;
pub(super) mod ethernet;
mod exported_pdu;
mod frame_relay;
pub(super) mod ieee80211;
mod linux_sll;
mod linux_sll2;
mod nflog;
mod null_loop;
mod ppi;
pub(super) mod ppp;
mod ppp_with_direction;
pub(super) mod pppoe;
pub(super) mod prism;
mod radiotap;
pub(super) mod raw_ip;
#[cfg(test)]
mod tests;

use super::inner::Inner;
use super::{Packet, Refusal, be16};

/// Every link type that is read, the commonest first. A new file needs its `mod` line above too.
static LINKS: &[&Link] = &[
    &ethernet::LINK,
    &linux_sll::LINK,
    &linux_sll2::LINK,
    &raw_ip::LINK,
    &null_loop::LINK,
    &ppp::LINK,
    &ppp_with_direction::LINK,
    &pppoe::LINK,
    &cisco_hdlc::LINK,
    &frame_relay::LINK,
    &nflog::LINK,
    &ieee80211::LINK,
    &radiotap::LINK,
    &prism::LINK,
    &avs::LINK,
    &ppi::LINK,
    &exported_pdu::LINK,
];

/// A link type: everything about it.
pub(super) struct Link {
    /// Its LINKTYPE numbers, by <https://www.tcpdump.org/linktypes.html>.
    numbers: &'static [u32],
    /// As a user would call it.
    name: &'static str,
    /// Reads the link header.
    pub(super) decode: fn(Packet<'_>) -> Result<Inner<'_>, Refusal>,
}

/// The name of a link type that is read, as a user would say it.
pub fn link_name(number: u32) -> Option<&'static str> {
    find(number).map(|link| link.name)
}

pub(super) fn find(number: u32) -> Option<&'static Link> {
    LINKS
        .iter()
        .copied()
        .find(|link| link.numbers.contains(&number))
}

/// What to call a link type that is not read: USER0 to USER15 mean what their recorder agreed on.
pub(super) fn name_number(number: u32) -> String {
    match number {
        147..=162 => format!("LINKTYPE_USER{} ({number})", number - 147),
        _ => format!("LINKTYPE {number}"),
    }
}

/// IEEE 802.1Q.
pub(super) const VLAN: u16 = 0x8100;
/// IEEE 802.1ad.
pub(super) const QINQ: u16 = 0x88a8;
/// QinQ before it was standardised.
pub(super) const QINQ_OLD: u16 = 0x9100;

const MAX_TAGS: usize = 8;

/// The EtherType and packet behind VLAN tags.
pub(super) fn past_tags(mut packet: Packet<'_>) -> Result<(u16, Packet<'_>), Refusal> {
    for _ in 0..MAX_TAGS {
        let Some((tag, bytes)) = packet.bytes.split_first_chunk::<4>() else {
            return Err(packet.too_short("broken-link", "VLAN", 4));
        };
        packet.bytes = bytes;
        let ether_type = u16::from_be_bytes([tag[2], tag[3]]);
        if !matches!(ether_type, VLAN | QINQ | QINQ_OLD) {
            return Ok((ether_type, packet));
        }
    }
    Err(Refusal::new("broken-link", "more than 8 VLAN tags"))
}

/// Smaller values in an EtherType field are the length of an IEEE 802.3 frame.
const MIN_ETHER_TYPE: u16 = 0x0600;

/// What stands behind an EtherType that is neither IP nor a VLAN tag: the name of something that
/// holds no SIP, or why something that could was not looked into.
pub(super) fn name_ether_type(ether_type: u16) -> Result<&'static str, Refusal> {
    Ok(match ether_type {
        0x0000..MIN_ETHER_TYPE => "llc",
        0x0806 => "arp",
        0x8035 => "rarp",
        0x8137 => "ipx",
        0x8809 => "lacp",
        0x8863 => "pppoe-discovery",
        0x888e => "eapol",
        0x88cc => "lldp",
        0x88f7 => "ptp",
        0x8902 => "cfm",
        0x9000 => "loopback",
        _ => "unrecognised",
    })
}

/// What follows an IEEE 802.2 (LLC) header.
fn past_llc(bytes: &[u8]) -> Inner<'_> {
    match bytes {
        // SNAP carries an EtherType with an organisation of 0 (RFC 1042) or as a bridge tunnels it
        // (IEEE 802.1H).
        [0xaa, 0xaa, 3, 0, 0, 0 | 0xf8, high, low, payload @ ..] => Inner::Network {
            ether_type: u16::from_be_bytes([*high, *low]),
            payload,
        },
        [0xaa, 0xaa, 3, 0x00, 0x00, 0x0c, ..] if be16(bytes, 6) == Some(0x2000) => {
            Inner::Other("cdp")
        }
        [0x42, 0x42, ..] => Inner::Other("stp"),
        [0xe0, 0xe0, ..] | [0xff, 0xff, ..] => Inner::Other("ipx"),
        [0xfe, 0xfe, ..] => Inner::Other("isis"),
        _ => Inner::Other("llc"),
    }
}
