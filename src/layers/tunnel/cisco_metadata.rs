//! Cisco metadata, the security group of the sender (draft-smith-kandula-sxp-10 §5): EtherType
//! 0x8909: version, length, option, group, then the EtherType of the packet.

use super::{By, Tunnel, by_number_alone, past_tag};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::EtherType(0x8909)],
    name: "Cisco metadata",
    fits: by_number_alone,
    decode: |packet| past_tag(packet, "Cisco metadata", 6),
};
