//! MPLS within UDP (RFC 7510): UDP port 6635.

use super::{By, Tunnel, mpls};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::UdpPort(6635)],
    name: "MPLS in UDP",
    fits: mpls::fits,
    decode: mpls::decode,
};
