//! LINKTYPE_LINUX_SLL (113): what Linux gives for the "any" interface.

use super::{Link, MIN_ETHER_TYPE, past_llc};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[113],
    name: "Linux cooked v1",
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some((header, payload)) = packet.bytes.split_first_chunk::<16>() else {
        return Err(packet.too_short("broken-link", "Linux cooked v1", 16));
    };
    let device = u16::from_be_bytes([header[2], header[3]]);
    let protocol = u16::from_be_bytes([header[14], header[15]]);
    Ok(past_cooked(device, protocol, payload))
}

/// What follows a cooked header, by its ARPHRD_ device type and its protocol.
pub(super) fn past_cooked(device: u16, protocol: u16, payload: &[u8]) -> Inner<'_> {
    const NETLINK: u16 = 824;
    const LLC: u16 = 4;
    match protocol {
        _ if device == NETLINK => Inner::Other("netlink"),
        LLC => past_llc(payload),
        0..MIN_ETHER_TYPE => Inner::Other("unrecognised"),
        ether_type => Inner::Network {
            ether_type,
            payload,
        },
    }
}
