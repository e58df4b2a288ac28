//! Provider backbone bridging (IEEE 802.1Q §9.7, I-TAG): EtherType 0x88e7: service in 4 bytes,
//! then the frame of the customer.

use super::{By, Tunnel, by_number_alone};
use crate::layers::link::ethernet;

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::EtherType(0x88e7)],
    name: "802.1ah",
    fits: by_number_alone,
    decode: |packet| ethernet::decode(packet.past("802.1ah", 4)?),
};
