//! Generic Routing Encapsulation (RFC 2784, RFC 2890; routing by RFC 1701; version 1 by RFC 2637).

use super::{By, Tunnel, by_number_alone, erspan, past_protocol_type};
use crate::layers::inner::Inner;
use crate::layers::ip::ETHER_TYPE_V4;
use crate::layers::{Packet, Refusal, be16};

pub(super) static TUNNEL: Tunnel = Tunnel {
    by: &[By::IpProtocol(47)],
    name: "GRE",
    fits: by_number_alone,
    decode,
};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// Version 1 only.
const ACKNOWLEDGMENT: u16 = 0x0080;

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let (Some(flags), Some(kind)) = (be16(packet.bytes, 0), be16(packet.bytes, 2)) else {
        return Err(packet.too_short("broken-tunnel", "GRE", 4));
    };
    let has = |bits: u16| usize::from(flags & bits != 0) * 4;
    let optional = match flags & 7 {
        0 => has(CHECKSUM | ROUTING) + has(KEY) + has(SEQUENCE),
        1 => has(KEY) + has(SEQUENCE) + has(ACKNOWLEDGMENT),
        version => {
            return Err(Refusal::new(
                "broken-tunnel",
                format!("GRE version {version}"),
            ));
        }
    };
    let mut packet = packet.past("GRE", 4 + optional)?;
    if flags & 7 == 0 && flags & ROUTING != 0 {
        packet = past_routing(packet)?;
    }
    match kind {
        // A keepalive, or an acknowledgement of PPTP.
        _ if packet.bytes.is_empty() || kind == 0 => Ok(Inner::Other("gre")),
        erspan::TYPE_I_II | erspan::TYPE_III => erspan::decode(packet, flags & SEQUENCE != 0),
        WCCP => past_redirect(packet),
        _ => past_protocol_type(kind, packet),
    }
}

const MAX_ROUTES: usize = 16;

/// Past the source route entries of RFC 1701: address family, offset, length, routing information.
fn past_routing(mut packet: Packet<'_>) -> Result<Packet<'_>, Refusal> {
    for _ in 0..MAX_ROUTES {
        let family = be16(packet.bytes, 0);
        let length = packet.bytes.get(3).copied().unwrap_or(0);
        packet = packet.past("GRE", 4 + usize::from(length))?;
        if family == Some(0) && length == 0 {
            return Ok(packet);
        }
    }
    Err(Refusal::new(
        "broken-tunnel",
        "more than 16 source routes in GRE",
    ))
}

const WCCP: u16 = 0x883e;

/// Version 2 puts a redirect header of 4 bytes before the packet, version 1 none.
fn past_redirect(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let redirect = packet.bytes.first().is_some_and(|first| first >> 4 != 4);
    let packet = packet.past("WCCP", usize::from(redirect) * 4)?;
    Ok(Inner::Network {
        ether_type: ETHER_TYPE_V4,
        payload: packet.bytes,
    })
}
