//! Encapsulated remote switch port analyzer, types I, II and III (draft-foschiano-erspan-03 §4):
//! mirrored frames within GRE.

use crate::layers::inner::Inner;
use crate::layers::link::{ethernet, raw_ip};
use crate::layers::{Packet, Refusal, be16};

/// GRE protocol type of types I and II; only type II counts its packets in GRE.
pub(super) const TYPE_I_II: u16 = 0x88be;
/// GRE protocol type of type III.
pub(super) const TYPE_III: u16 = 0x22eb;

/// `sequenced`: GRE has a sequence number.
pub(super) fn decode(packet: Packet<'_>, sequenced: bool) -> Result<Inner<'_>, Refusal> {
    if !sequenced {
        return ethernet::decode(packet);
    }
    match packet.bytes.first().map(|first| first >> 4) {
        Some(1) => ethernet::decode(packet.past("ERSPAN type II", 8)?),
        Some(2) => past_type_iii(packet),
        None => Err(packet.too_short("broken-tunnel", "ERSPAN", 8)),
        Some(version) => Err(Refusal::new(
            "broken-tunnel",
            format!("ERSPAN version {version}"),
        )),
    }
}

/// The header says whether a platform-specific subheader follows (O), and what was mirrored (FT).
fn past_type_iii(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    const SUBHEADER: u16 = 1;
    const IP: u16 = 2;
    let last = be16(packet.bytes, 10).unwrap_or(0);
    let length = if last & SUBHEADER != 0 { 20 } else { 12 };
    let packet = packet.past("ERSPAN type III", length)?;
    if (last >> 10) & 31 == IP {
        return raw_ip::decode(packet);
    }
    ethernet::decode(packet)
}
