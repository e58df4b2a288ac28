//! Layer two tunneling protocol version 3 (RFC 3931 §4.1.1): IP protocol 115.

use super::{By, Tunnel, by_number_alone, plausible};
use crate::layers::inner::Inner;
use crate::layers::link::{ethernet, ppp, raw_ip};
use crate::layers::{Packet, Refusal, be32};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::IpProtocol(115)],
    name: "L2TPv3",
    fits: by_number_alone,
    decode,
};

/// Session 0 is the control channel. Whether a cookie (4 or 8 bytes) and a sublayer (4 bytes)
/// follow, and what the session carries, was agreed there: what fits is taken.
pub(super) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    if be32(packet.bytes, 0) == Some(0) {
        return Ok(Inner::Other("l2tp"));
    }
    let packet = packet.past("L2TPv3", 4)?;
    if packet.bytes.is_empty() {
        return Ok(Inner::Other("l2tp"));
    }
    for optional in [0, 4, 8, 12] {
        let Some(bytes) = packet.bytes.get(optional..) else {
            break;
        };
        let inside = packet.with(bytes);
        if plausible::ethernet(&inside) {
            return ethernet::decode(inside);
        }
        if plausible::ip(&inside).is_some() {
            return raw_ip::decode(inside);
        }
        if ppp::is_plausible(&inside) {
            return ppp::decode(inside);
        }
    }
    Err(Refusal::new(
        "l2tp",
        "neither Ethernet, IP nor PPP in an L2TPv3 session",
    ))
}
