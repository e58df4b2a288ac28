//! Ethernet within IP (RFC 3378): IP protocol 97.

use super::{By, Tunnel, by_number_alone};
use crate::layers::inner::Inner;
use crate::layers::link::ethernet;
use crate::layers::{Packet, Refusal};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::IpProtocol(97)],
    name: "EtherIP",
    fits: by_number_alone,
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    ethernet::decode(packet.past("EtherIP", 2)?)
}
