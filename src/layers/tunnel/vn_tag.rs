//! Cisco VN-Tag: EtherType 0x8926: interfaces in 4 bytes, then the EtherType of the packet.

use super::{By, Tunnel, by_number_alone, past_tag};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::EtherType(0x8926)],
    name: "VN-Tag",
    fits: by_number_alone,
    decode: |packet| past_tag(packet, "VN-Tag", 4),
};
