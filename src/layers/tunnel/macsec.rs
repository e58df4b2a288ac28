//! MACsec (IEEE 802.1AE §9): EtherType 0x88e5. What is only authenticated can be read.

use super::{By, Tunnel, by_number_alone, past_tag};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::EtherType(0x88e5)],
    name: "MACsec",
    fits: by_number_alone,
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    const HAS_CHANNEL: u8 = 0x20;
    const ENCRYPTED: u8 = 0x08;
    const CHANGED: u8 = 0x04;
    let Some(control) = packet.bytes.first() else {
        return Err(packet.too_short("broken-tunnel", "MACsec", 6));
    };
    if control & (ENCRYPTED | CHANGED) != 0 {
        return Err(Refusal::new("macsec", "MACsec, encrypted"));
    }
    // Control, short length, packet number; the secure channel where it is explicit.
    let length = if control & HAS_CHANNEL != 0 { 14 } else { 6 };
    past_tag(packet, "MACsec", length)
}
