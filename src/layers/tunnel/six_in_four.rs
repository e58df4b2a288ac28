//! IPv6 within IP (RFC 4213 §3, RFC 2473): IP protocol 41.

use super::{By, Tunnel, by_number_alone};
use crate::layers::inner::Inner;
use crate::layers::ip::ETHER_TYPE_V6;
use crate::layers::{Packet, Refusal};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::IpProtocol(41)],
    name: "6in4",
    fits: by_number_alone,
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    Ok(Inner::Network {
        ether_type: ETHER_TYPE_V6,
        payload: packet.bytes,
    })
}
