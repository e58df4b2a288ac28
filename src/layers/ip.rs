//! IPv4 (RFC 791), IPv6 (RFC 8200) and their extension headers.

use super::{Flow, Packet, Refusal, Transport, be16, be32};
use std::net::{IpAddr, SocketAddr};

pub(super) const ETHER_TYPE_V4: u16 = 0x0800;
pub(super) const ETHER_TYPE_V6: u16 = 0x86dd;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const SCTP: u8 = 132;

/// An IP packet, or a fragment of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct IpPacket<'a> {
    pub(super) addresses: Addresses<'a>,
    /// Of the payload; an extension header counts as payload until it is walked past.
    pub(super) protocol: u8,
    /// The identification, 0 where there is none.
    pub(super) ident: u32,
    pub(super) piece: Option<Piece>,
    pub(super) payload: &'a [u8],
    /// Bytes of the payload that the header promises and the capture lacks.
    pub(super) missing: usize,
}

/// Source and destination as they stand in the header: to borrow them is cheaper than to move
/// two `IpAddr` from layer to layer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Addresses<'a> {
    V4(&'a [u8; 8]),
    V6(&'a [u8; 32]),
}

impl Addresses<'_> {
    #[inline]
    pub(super) fn pair(self) -> (IpAddr, IpAddr) {
        match self {
            Addresses::V4(&[a, b, c, d, e, f, g, h]) => {
                (IpAddr::from([a, b, c, d]), IpAddr::from([e, f, g, h]))
            }
            Addresses::V6(both) => {
                let end = |half: &[u8]| half.first_chunk::<16>().copied().unwrap_or_default();
                (IpAddr::from(end(both)), IpAddr::from(end(&both[16..])))
            }
        }
    }
}

/// Which part of a datagram a fragment is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// In bytes.
    pub(super) offset: u32,
    pub(super) more: bool,
}

#[inline]
pub(super) fn decode_v4(packet: Packet<'_>) -> Result<IpPacket<'_>, Refusal> {
    let header = packet.bytes.first_chunk::<20>();
    let Some((header, addresses)) = header.and_then(|it| Some((it, it.last_chunk::<8>()?))) else {
        return Err(packet.too_short("broken-ip", "IPv4", 20));
    };
    let (version, header_len) = (header[0] >> 4, usize::from(header[0] & 15) * 4);
    if version != 4 || header_len < 20 {
        return Err(broken(format!(
            "IPv4 header begins with 0x{:02x}",
            header[0]
        )));
    }
    let mut total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if total_len == 0 {
        // Left for the network card to fill in (segmentation offload): the capture knows.
        total_len = packet.bytes.len();
    }
    if total_len < header_len {
        return Err(broken(format!(
            "IPv4 header of {header_len} in a packet of {total_len} bytes"
        )));
    }
    let captured = packet.bytes.len().min(total_len);
    let Some(payload) = packet.bytes.get(header_len..captured) else {
        return Err(packet.too_short("broken-ip", "IPv4", header_len));
    };
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    let (more, offset) = (fragment & 0x2000 != 0, u32::from(fragment & 0x1fff) * 8);
    Ok(IpPacket {
        addresses: Addresses::V4(addresses),
        protocol: header[9],
        ident: u16::from_be_bytes([header[4], header[5]]).into(),
        piece: (more || offset > 0).then_some(Piece { offset, more }),
        payload,
        missing: total_len - captured,
    })
}

#[inline]
pub(super) fn decode_v6(packet: Packet<'_>) -> Result<IpPacket<'_>, Refusal> {
    let header = packet.bytes.split_first_chunk::<8>();
    let parts = header.and_then(|(header, rest)| Some((header, rest.split_first_chunk::<32>()?)));
    let Some((header, (addresses, rest))) = parts else {
        return Err(packet.too_short("broken-ip", "IPv6", 40));
    };
    if header[0] >> 4 != 6 {
        return Err(broken(format!(
            "IPv6 header begins with 0x{:02x}",
            header[0]
        )));
    }
    let mut length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    if length == 0 {
        // A jumbogram, or left for the network card to fill in.
        length = rest.len();
    }
    let payload = rest.get(..length).unwrap_or(rest);
    Ok(IpPacket {
        addresses: Addresses::V6(addresses),
        protocol: header[6],
        ident: 0,
        piece: None,
        payload,
        missing: length - payload.len(),
    })
}

const MAX_EXTENSIONS: usize = 8;

impl IpPacket<'_> {
    /// Walks past extension headers, as far as a fragment header.
    #[inline]
    pub(super) fn skip_extensions(&mut self, packet: Packet<'_>) -> Result<(), Refusal> {
        if matches!(self.protocol, UDP | TCP) || self.piece.is_some() {
            return Ok(());
        }
        self.walk_extensions(packet.cut)
    }

    #[inline(never)]
    fn walk_extensions(&mut self, cut: bool) -> Result<(), Refusal> {
        const FRAGMENT: u8 = 44;
        const AUTHENTICATION: u8 = 51;
        for _ in 0..=MAX_EXTENSIONS {
            let units = usize::from(self.payload.get(1).copied().unwrap_or(0));
            let length = match self.protocol {
                // Hop-by-hop, routing, destination options, mobility, HIP, shim6.
                0 | 43 | 60 | 135 | 139 | 140 => units * 8 + 8,
                AUTHENTICATION => units * 4 + 8,
                FRAGMENT => 8,
                _ => return Ok(()),
            };
            let Some((header, payload)) = self.payload.split_at_checked(length) else {
                let (cut, has) = (cut || self.missing > 0, self.payload.len());
                return Err(Refusal::too_short(
                    cut,
                    "broken-ip",
                    "extension",
                    length,
                    has,
                ));
            };
            let protocol = std::mem::replace(&mut self.protocol, header[0]);
            self.payload = payload;
            if protocol == FRAGMENT {
                let field = be16(header, 2).unwrap_or(0);
                self.ident = be32(header, 4).unwrap_or(0);
                // An atomic fragment (RFC 6946) is whole.
                if field & 0xfff9 != 0 {
                    self.piece = Some(Piece {
                        offset: (field & 0xfff8).into(),
                        more: field & 1 != 0,
                    });
                    return Ok(());
                }
            }
        }
        Err(broken("more than 8 extension headers"))
    }

    #[inline]
    pub(super) fn flow(&self, (source, destination): (u16, u16), transport: Transport) -> Flow {
        let (from, to) = self.addresses.pair();
        Flow {
            source: SocketAddr::new(from, source),
            destination: SocketAddr::new(to, destination),
            transport,
        }
    }
}

#[cold]
fn broken(detail: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new("broken-ip", detail)
}

/// What stands behind an IP protocol that is neither UDP nor TCP: the name of something that
/// holds no SIP, or why something that could was not looked into.
#[cold]
pub(super) fn name_protocol(protocol: u8) -> Result<&'static str, Refusal> {
    Ok(match protocol {
        1 => "icmp",
        2 => "igmp",
        46 => "rsvp",
        58 => "icmpv6",
        59 => "ipv6-no-next",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        _ => "unrecognised",
    })
}
