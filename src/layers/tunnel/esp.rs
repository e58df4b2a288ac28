//! IPsec encapsulating security payload (RFC 4303): IP protocol 50.
//!
//! Nothing in a packet says whether it is encrypted. NULL encryption (RFC 2410), as VoLTE uses it,
//! shows by its trailer: padding, its length and the protocol stand where one of the usual check
//! values ends, and the length of what is inside comes out right (RFC 5879 does the same).

use super::{By, Tunnel, by_number_alone, plausible};
use crate::layers::inner::Inner;
use crate::layers::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6, TCP, UDP};
use crate::layers::{Packet, Refusal, be16, be32};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::IpProtocol(50)],
    name: "ESP",
    fits: by_number_alone,
    decode,
};

/// Bytes of initialization vector and of check value: HMAC of 96, 128, 192 and 256 bits, none,
/// GMAC (RFC 4543).
const LAYOUTS: [(usize, usize); 6] = [(0, 12), (0, 16), (0, 24), (0, 32), (0, 0), (8, 16)];

pub(super) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    const HEADER: usize = 8;
    let body = packet.past("ESP", HEADER)?;
    let found = LAYOUTS.iter().find_map(|layout| clear(&body, *layout));
    match found {
        Some((4, payload)) => Ok(Inner::Network {
            ether_type: ETHER_TYPE_V4,
            payload,
        }),
        Some((41, payload)) => Ok(Inner::Network {
            ether_type: ETHER_TYPE_V6,
            payload,
        }),
        Some((protocol, payload)) => Ok(Inner::Transport { protocol, payload }),
        None => {
            let spi = be32(packet.bytes, 0).unwrap_or(0);
            let why = if packet.cut {
                "cut, so that NULL encryption would not show"
            } else {
                "encrypted"
            };
            Err(Refusal::new("esp", format!("SPI 0x{spi:08x}, {why}")))
        }
    }
}

/// The protocol and payload, if the packet has this layout and is not encrypted.
fn clear<'a>(body: &Packet<'a>, (vector, check): (usize, usize)) -> Option<(u8, &'a [u8])> {
    if body.cut {
        return None;
    }
    let end = body.bytes.len().checked_sub(check)?;
    let clear = body.bytes.get(vector..end)?;
    let (rest, &[pad_len, next]) = clear.split_last_chunk::<2>()?;
    let (payload, padding) = rest.split_at_checked(rest.len().checked_sub(pad_len.into())?)?;
    let counted = padding.iter().zip(1u8..).all(|(byte, nth)| *byte == nth);
    let padded = counted || padding.iter().all(|byte| *byte == 0);
    if clear.len() % 4 != 0 || !padded {
        return None;
    }
    let inside = body.with(payload);
    let length = payload.len();
    let fits = match next {
        4 => {
            plausible::ip(&inside) == Some(ETHER_TYPE_V4)
                && be16(payload, 2).map(usize::from) == Some(length)
        }
        41 => {
            plausible::ip(&inside) == Some(ETHER_TYPE_V6)
                && be16(payload, 4).map(|it| 40 + usize::from(it)) == Some(length)
        }
        UDP => length >= 8 && be16(payload, 4).map(usize::from) == Some(length),
        TCP => is_tcp(payload),
        _ => false,
    };
    fits.then_some((next, payload))
}

/// A header that is there, and flags that can stand together (RFC 9293 §3.1).
fn is_tcp(payload: &[u8]) -> bool {
    let (Some(offset), Some(flags)) = (payload.get(12), payload.get(13)) else {
        return false;
    };
    let header = usize::from(offset >> 4) * 4;
    let (syn, rst, fin, ack) = (flags & 2, flags & 4, flags & 1, flags & 16);
    offset & 0x0e == 0
        && header >= 20
        && header <= payload.len()
        && (ack | syn | rst) != 0
        && (syn == 0 || (rst | fin) == 0)
}
