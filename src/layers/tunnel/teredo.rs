//! Teredo: IPv6 within UDP past address translation (RFC 4380 §5.1.1): UDP port 3544.

use super::{By, Tunnel};
use crate::layers::inner::Inner;
use crate::layers::ip::ETHER_TYPE_V6;
use crate::layers::{Packet, Refusal, be16};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(3544)],
    name: "Teredo",
    fits,
    decode,
};

/// An IPv6 packet that fills the datagram.
fn fits(packet: &Packet<'_>) -> bool {
    past_indications(*packet).is_ok_and(|inside| {
        let length = be16(inside.bytes, 4).map(|it| 40 + usize::from(it));
        inside.bytes.first().is_some_and(|first| first >> 4 == 6)
            && length.is_some_and(|it| {
                it == inside.bytes.len() || (packet.cut && it > inside.bytes.len())
            })
    })
}

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    Ok(Inner::Network {
        ether_type: ETHER_TYPE_V6,
        payload: past_indications(packet)?.bytes,
    })
}

/// An authentication (0x0001) may stand first, then an origin (0x0000).
fn past_indications(mut packet: Packet<'_>) -> Result<Packet<'_>, Refusal> {
    if let [0, 1, id, auth, ..] = packet.bytes {
        let length = 4 + usize::from(*id) + usize::from(*auth) + 9;
        packet = packet.past("Teredo authentication", length)?;
    }
    if packet.bytes.starts_with(&[0, 0]) {
        packet = packet.past("Teredo origin", 8)?;
    }
    Ok(packet)
}
