//! LINKTYPE_WIRESHARK_UPPER_PDU (252): what Wireshark exports: tags (wsutil/exported_pdu_tlvs.h)
//! with the protocol, addresses and ports, then the payload.

use super::{Link, ethernet, raw_ip};
use crate::layers::inner::Inner;
use crate::layers::{Flow, Packet, Refusal, Transport, be16, be32};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub(super) static LINK: Link = Link {
    numbers: &[252],
    name: "Wireshark exported PDU",
    decode,
};

const MAX_TAGS: usize = 64;

/// What the tags say.
struct Tags<'a> {
    protocol: &'a [u8],
    addresses: (IpAddr, IpAddr),
    port_type: u32,
    ports: (u16, u16),
}

impl Tags<'_> {
    fn flow(&self) -> Flow {
        // Wireshark's own numbers for kinds of ports.
        let transport = match self.port_type {
            1 => Transport::Sctp,
            2 => Transport::Tcp,
            _ => Transport::Udp,
        };
        Flow {
            source: SocketAddr::new(self.addresses.0, self.ports.0),
            destination: SocketAddr::new(self.addresses.1, self.ports.1),
            transport,
        }
    }
}

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mut tags = Tags {
        protocol: &[],
        addresses: (nowhere, nowhere),
        port_type: 0,
        ports: (0, 0),
    };
    let mut rest = packet.bytes;
    for _ in 0..MAX_TAGS {
        let (Some(tag), Some(length)) = (be16(rest, 0), be16(rest, 2)) else {
            return Err(packet.too_short("broken-link", "tag", 4));
        };
        let end = 4 + usize::from(length);
        let (Some(value), Some(next)) = (rest.get(4..end), rest.get(end..)) else {
            return Err(packet.too_short("broken-link", "tag", end));
        };
        rest = next;
        if tag == 0 {
            return past_tags(packet.with(rest), &tags);
        }
        note(&mut tags, tag, value);
    }
    Err(Refusal::new("broken-link", "more than 64 tags"))
}

fn note<'a>(tags: &mut Tags<'a>, tag: u16, value: &'a [u8]) {
    let ip = || match value.len() {
        4 => value.first_chunk::<4>().map(|it| IpAddr::from(*it)),
        _ => value.first_chunk::<16>().map(|it| IpAddr::from(*it)),
    };
    let port = || be16(value, 2).unwrap_or(0);
    match tag {
        // By name, or by the name of a heuristic; padded with 0.
        12 | 13 => tags.protocol = value.split(|it| *it == 0).next().unwrap_or_default(),
        20 | 22 => tags.addresses.0 = ip().unwrap_or(tags.addresses.0),
        21 | 23 => tags.addresses.1 = ip().unwrap_or(tags.addresses.1),
        24 => tags.port_type = be32(value, 0).unwrap_or(0),
        25 => tags.ports.0 = port(),
        26 => tags.ports.1 = port(),
        _ => {}
    }
}

/// Frames and packets go on by their layer, everything else as a whole payload: content decides
/// what it is.
fn past_tags<'a>(packet: Packet<'a>, tags: &Tags<'_>) -> Result<Inner<'a>, Refusal> {
    match tags.protocol {
        b"eth" | b"eth_withfcs" | b"eth_withoutfcs" | b"eth_maybefcs" => ethernet::decode(packet),
        b"ip" | b"ipv6" | b"raw_ip" => raw_ip::decode(packet),
        _ => Ok(Inner::Datagram {
            flow: tags.flow(),
            payload: packet.bytes,
        }),
    }
}
