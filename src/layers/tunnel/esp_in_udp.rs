//! ESP within UDP, past address translation (RFC 3948 §2): UDP port 4500.

use super::{By, Tunnel, esp};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal, be32};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(4500)],
    name: "ESP in UDP",
    fits,
    decode,
};

const STUN: u32 = 0x2112_a442;
/// Stands where the SPI would, which is never 0.
const NOT_ESP: u32 = 0;
const KEEPALIVE: &[u8] = &[0xff];

/// Encrypted bytes look like nothing; what is text was ruled out before.
fn fits(packet: &Packet<'_>) -> bool {
    packet.bytes == KEEPALIVE || (packet.bytes.len() > 8 && be32(packet.bytes, 4) != Some(STUN))
}

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    if packet.bytes == KEEPALIVE || be32(packet.bytes, 0) == Some(NOT_ESP) {
        return Ok(Inner::Other("ike"));
    }
    esp::decode(packet)
}
