//! LINKTYPE_NULL (0) and LINKTYPE_LOOP (108): an address family, then the packet.

use super::Link;
use crate::layers::inner::Inner;
use crate::layers::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6};
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[0, 108],
    name: "BSD loopback",
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some((family, payload)) = packet.bytes.split_first_chunk::<4>() else {
        return Err(packet.too_short("broken-link", "loopback", 4));
    };
    // 0 is in the byte order of the machine that captured, 108 in network order; families are
    // small, so the order shows itself.
    let family = match u32::from_be_bytes(*family) {
        small @ 0..=0xffff => small,
        swapped => swapped.swap_bytes(),
    };
    let ether_type = match family {
        2 => ETHER_TYPE_V4,
        // Linux, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => ETHER_TYPE_V6,
        _ => return Ok(Inner::Other("unrecognised")),
    };
    Ok(Inner::Network {
        ether_type,
        payload,
    })
}
