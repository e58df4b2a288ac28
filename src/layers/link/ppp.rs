//! LINKTYPE_PPP (9) and LINKTYPE_PPP_HDLC (50): the point-to-point protocol (RFC 1661 §2) in
//! HDLC-like framing (RFC 1662 §3.1).

use super::{Link, cisco_hdlc, ethernet};
use crate::layers::inner::Inner;
use crate::layers::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6};
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[9, 50],
    name: "PPP",
    decode,
};

/// A PPP frame, with or without address and control.
pub(in crate::layers) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    match packet.bytes {
        [0xff, 3, rest @ ..] => past_address(packet.with(rest)),
        [0x0f | 0x8f, 0, ..] => cisco_hdlc::decode(packet),
        _ => past_address(packet),
    }
}

/// The protocol, which may be compressed to one byte (RFC 1661 §6.5), and the rest.
fn split<'a>(packet: &Packet<'a>) -> Option<(u16, Packet<'a>)> {
    let (protocol, rest) = match packet.bytes {
        [short, rest @ ..] if short & 1 == 1 => (u16::from(*short), rest),
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return None,
    };
    Some((protocol, packet.with(rest)))
}

/// Protocols by the registry of "PPP DLL Protocol Numbers".
fn past_address(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some((protocol, packet)) = split(&packet) else {
        return Err(packet.too_short("broken-link", "PPP", 2));
    };
    let ether_type = match protocol {
        0x0021 => ETHER_TYPE_V4,
        0x0057 => ETHER_TYPE_V6,
        0x0031 => return past_bridging(packet),
        0x003d => return past_multilink(packet),
        0x0281 => 0x8847,
        0x0283 => 0x8848,
        0x002d | 0x002f | 0x0061 | 0x0063 | 0x0065 | 0x0067 | 0x0069 => {
            return Err(refused("ppp-compressed", "compressed headers", protocol));
        }
        0x00fb | 0x00fd => return Err(refused("ppp-compressed", "compressed data", protocol)),
        0x0053 | 0x0055 => return Err(refused("ppp-encrypted", "encrypted data", protocol)),
        // Network and link control protocols: 0x8021 IPCP, 0xc021 LCP, 0xc223 CHAP, ...
        0x8000..=0xffff => return Ok(Inner::Other("ppp")),
        _ => return Ok(Inner::Other("unrecognised")),
    };
    Ok(Inner::Network {
        ether_type,
        payload: packet.bytes,
    })
}

fn refused(reason: &'static str, what: &str, protocol: u16) -> Refusal {
    Refusal::new(reason, format!("{what} (PPP protocol 0x{protocol:04x})"))
}

/// Bridged frames (RFC 3518 §4.2): flags and padding, MAC type 1 for Ethernet.
fn past_bridging(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    match packet.bytes {
        [_, 1, frame @ ..] => ethernet::decode(packet.with(frame)),
        [_, _, ..] => Ok(Inner::Other("unrecognised")),
        _ => Err(packet.too_short("broken-link", "PPP bridging", 2)),
    }
}

/// Multilink (RFC 1990 §3) with a long sequence number, where the packet is whole.
fn past_multilink(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    const WHOLE: u8 = 0xc0;
    match packet.bytes {
        [first, _, _, _, rest @ ..] if first & WHOLE == WHOLE => {
            let inside = packet.with(rest);
            // Once, not again and again.
            match split(&inside) {
                Some((0x003d, _)) | None => {
                    Err(Refusal::new("broken-link", "PPP multilink in itself"))
                }
                Some(_) => past_address(inside),
            }
        }
        _ => Err(Refusal::new(
            "ppp-multilink",
            "a fragment of a PPP multilink packet",
        )),
    }
}

/// Does this begin with a PPP frame of a known protocol, and with IP where that is it?
pub(in crate::layers) fn is_plausible(packet: &Packet<'_>) -> bool {
    let rest = packet.bytes.strip_prefix(&[0xff, 3]);
    let has_address = rest.is_some();
    let start = packet.with(rest.unwrap_or(packet.bytes));
    let Some((protocol, inside)) = split(&start) else {
        return false;
    };
    let version = inside.bytes.first().map(|first| first >> 4);
    match protocol {
        0x0021 => version == Some(4),
        0x0057 => version == Some(6),
        0x8021 | 0x8057 | 0x80fd | 0xc021 | 0xc023 | 0xc025 | 0xc223 | 0xc227 => true,
        0x002d | 0x002f | 0x0031 | 0x003d | 0x0053 | 0x00fd | 0x0281 => has_address,
        _ => false,
    }
}
