//! Multiprotocol label switching (RFC 3032): EtherTypes 0x8847 and 0x8848; within IP (RFC 4023)
//! protocol 137. Pseudowires by RFC 4385 and RFC 4448.

use super::{By, Tunnel, by_number_alone, plausible};
use crate::layers::inner::Inner;
use crate::layers::link::{ethernet, raw_ip};
use crate::layers::{Packet, Refusal, be32};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[
        By::EtherType(0x8847),
        By::EtherType(0x8848),
        By::IpProtocol(137),
    ],
    name: "MPLS",
    fits: by_number_alone,
    decode,
};

const MAX_LABELS: usize = 16;

/// The packet under the label stack.
fn past_labels(mut packet: Packet<'_>) -> Result<Packet<'_>, Refusal> {
    const BOTTOM: u32 = 0x100;
    for _ in 0..MAX_LABELS {
        let label = be32(packet.bytes, 0);
        packet = packet.past("MPLS", 4)?;
        if label.is_some_and(|label| label & BOTTOM != 0) {
            return Ok(packet);
        }
    }
    Err(Refusal::new("broken-tunnel", "more than 16 MPLS labels"))
}

/// Is what stands under the labels one of what `decode` reads?
pub(super) fn fits(packet: &Packet<'_>) -> bool {
    past_labels(*packet).is_ok_and(|inside| {
        let after_word = inside.with(inside.bytes.get(4..).unwrap_or_default());
        plausible::ip(&inside).is_some()
            || plausible::ethernet(&inside)
            || (inside.bytes.first().is_some_and(|it| it >> 4 == 0)
                && plausible::ethernet(&after_word))
    })
}

/// No label says what it carries: IP shows by its version, a pseudowire of Ethernet by its type,
/// behind a control word or without one.
pub(super) fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let inside = past_labels(packet)?;
    if let Some(ether_type) = plausible::ip(&inside) {
        return Ok(Inner::Network {
            ether_type,
            payload: inside.bytes,
        });
    }
    match inside.bytes.first().map(|first| first >> 4) {
        None => return Err(inside.too_short("broken-tunnel", "MPLS payload", 1)),
        Some(0) => {
            let after_word = inside.with(inside.bytes.get(4..).unwrap_or_default());
            if plausible::ethernet(&after_word) {
                return ethernet::decode(after_word);
            }
        }
        // An associated channel (RFC 4385 §5): it carries checks of the path.
        Some(1) if !plausible::ethernet(&inside) => return Ok(Inner::Other("mpls-oam")),
        Some(_) => {}
    }
    match inside.bytes.first().map(|first| first >> 4) {
        _ if plausible::ethernet(&inside) => ethernet::decode(inside),
        // Cut by the mirror that sent it, or broken: IP will say.
        Some(4 | 6) => raw_ip::decode(inside),
        _ => Err(Refusal::new(
            "mpls",
            "neither IP nor Ethernet under the MPLS labels",
        )),
    }
}
