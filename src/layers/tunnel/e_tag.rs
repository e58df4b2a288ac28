//! The tag of a bridge port extension (IEEE 802.1BR §7.5): EtherType 0x893f: 6 bytes, then the
//! EtherType of the packet.

use super::{By, Tunnel, by_number_alone, past_tag};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::EtherType(0x893f)],
    name: "802.1BR E-Tag",
    fits: by_number_alone,
    decode: |packet| past_tag(packet, "E-Tag", 6),
};
