//! A session of PPP over Ethernet (RFC 2516 §6): EtherType 0x8864.

use super::{By, Tunnel, by_number_alone};
use crate::layers::link::pppoe;

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::EtherType(0x8864)],
    name: "PPPoE",
    fits: by_number_alone,
    decode: pppoe::decode,
};
