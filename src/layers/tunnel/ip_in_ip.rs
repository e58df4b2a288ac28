//! IPv4 within IP (RFC 2003): IP protocol 4.

use super::{By, Tunnel, by_number_alone};
use crate::layers::inner::Inner;
use crate::layers::ip::ETHER_TYPE_V4;
use crate::layers::{Packet, Refusal};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::IpProtocol(4)],
    name: "IPIP",
    fits: by_number_alone,
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    Ok(Inner::Network {
        ether_type: ETHER_TYPE_V4,
        payload: packet.bytes,
    })
}
