//! Network service header (RFC 8300 §2): EtherType 0x894f.

use super::{By, Tunnel, by_number_alone, mpls};
use crate::layers::inner::Inner;
use crate::layers::ip::{ETHER_TYPE_V4, ETHER_TYPE_V6};
use crate::layers::link::ethernet;
use crate::layers::{Packet, Refusal};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::EtherType(0x894f)],
    name: "NSH",
    fits: by_number_alone,
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let Some(&[_, words, _, next]) = packet.bytes.first_chunk::<4>() else {
        return Err(packet.too_short("broken-tunnel", "NSH", 8));
    };
    let packet = packet.past("NSH", usize::from(words & 0x3f) * 4)?;
    let ether_type = match next {
        1 => ETHER_TYPE_V4,
        2 => ETHER_TYPE_V6,
        3 => return ethernet::decode(packet),
        5 => return mpls::decode(packet),
        _ => return Ok(Inner::Other("nsh")),
    };
    Ok(Inner::Network {
        ether_type,
        payload: packet.bytes,
    })
}
