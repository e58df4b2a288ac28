//! ICMP errors (RFC 792, RFC 4443): what could not be delivered, who says so, and what it quotes.

use super::ip::{self, IpPacket};
use super::{At, Flow, Packet, Transport, be16, be32};
use std::net::IpAddr;

pub(super) const V4: u8 = 1;
pub(super) const V6: u8 = 58;

/// An ICMP error about a packet whose beginning it quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError<'a> {
    /// `icmp` or `icmpv6`.
    pub protocol: &'static str,
    /// Who reports.
    pub reporter: IpAddr,
    /// What went wrong.
    pub kind: IcmpKind,
    /// The IP identification of the packet quoted; 0 where it has none.
    pub ident: u32,
    /// The hop of the packet quoted.
    pub flow: Flow,
    /// What it carried, as far as it is quoted.
    pub quoted: &'a [u8],
}

/// What an ICMP error says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IcmpKind {
    /// Nothing listens on that port.
    PortUnreachable,
    /// The host does not answer on its network.
    HostUnreachable,
    /// No way to the network.
    NetworkUnreachable,
    /// The host does not speak that protocol.
    ProtocolUnreachable,
    /// A firewall or policy refuses it.
    Prohibited,
    /// Too large for a link on the way, which takes at most this many bytes; 0 where it does not say.
    TooBig(u32),
    /// Too many hops: a loop, most often.
    HopLimit,
    /// Fragments were missing too long.
    Reassembly,
    /// A header that the reporter cannot read.
    Malformed,
    /// Something else that could not be delivered.
    Undelivered,
}

impl IcmpKind {
    /// The name in kebab-case.
    pub fn name(self) -> &'static str {
        match self {
            IcmpKind::PortUnreachable => "port-unreachable",
            IcmpKind::HostUnreachable => "host-unreachable",
            IcmpKind::NetworkUnreachable => "network-unreachable",
            IcmpKind::ProtocolUnreachable => "protocol-unreachable",
            IcmpKind::Prohibited => "prohibited",
            IcmpKind::TooBig(_) => "too-big",
            IcmpKind::HopLimit => "hop-limit-exceeded",
            IcmpKind::Reassembly => "reassembly-time-exceeded",
            IcmpKind::Malformed => "malformed",
            IcmpKind::Undelivered => "undelivered",
        }
    }

    fn v4(kind: u8, code: u8, rest: u32) -> Option<IcmpKind> {
        Some(match (kind, code) {
            (3, 0 | 6 | 11) => IcmpKind::NetworkUnreachable,
            (3, 1 | 5 | 7 | 8 | 12) => IcmpKind::HostUnreachable,
            (3, 2) => IcmpKind::ProtocolUnreachable,
            (3, 3) => IcmpKind::PortUnreachable,
            (3, 4) => IcmpKind::TooBig(rest & 0xffff),
            (3, 9 | 10 | 13..=15) => IcmpKind::Prohibited,
            (3, _) => IcmpKind::Undelivered,
            (11, 1) => IcmpKind::Reassembly,
            (11, _) => IcmpKind::HopLimit,
            (12, _) => IcmpKind::Malformed,
            _ => return None,
        })
    }

    fn v6(kind: u8, code: u8, rest: u32) -> Option<IcmpKind> {
        Some(match (kind, code) {
            (1, 0) => IcmpKind::NetworkUnreachable,
            (1, 1 | 5 | 6) => IcmpKind::Prohibited,
            (1, 2 | 3) => IcmpKind::HostUnreachable,
            (1, 4) => IcmpKind::PortUnreachable,
            (1, _) => IcmpKind::Undelivered,
            (2, _) => IcmpKind::TooBig(rest),
            (3, 1) => IcmpKind::Reassembly,
            (3, _) => IcmpKind::HopLimit,
            (4, _) => IcmpKind::Malformed,
            _ => return None,
        })
    }
}

/// Reads an ICMP message; `None` for what is no error, or quotes nothing that has ports.
pub(super) fn decode<'a>(at: At, ip: &IpPacket<'a>) -> Option<IcmpError<'a>> {
    let (header, quoted) = ip.payload.split_first_chunk::<8>()?;
    let (kind, code, rest) = (header[0], header[1], be32(header, 4)?);
    let kind = match ip.protocol {
        V4 => IcmpKind::v4(kind, code, rest)?,
        V6 => IcmpKind::v6(kind, code, rest)?,
        _ => return None,
    };
    let packet = Packet {
        at,
        bytes: quoted,
        cut: true,
        depth: 0,
    };
    let mut inner = match ip.protocol {
        V4 => ip::decode_v4(packet),
        _ => ip::decode_v6(packet),
    }
    .ok()?;
    inner.skip_extensions(packet).ok()?;
    // Only the first fragment has the ports.
    if inner.piece.is_some_and(|piece| piece.offset > 0) {
        return None;
    }
    let (transport, header_len) = match inner.protocol {
        ip::UDP => (Transport::Udp, 8),
        ip::TCP => {
            let words = inner.payload.get(12).map_or(5, |byte| byte >> 4);
            (Transport::Tcp, usize::from(words.max(5)) * 4)
        }
        _ => return None,
    };
    let ports = (be16(inner.payload, 0)?, be16(inner.payload, 2)?);
    Some(IcmpError {
        protocol: if ip.protocol == V4 { "icmp" } else { "icmpv6" },
        reporter: ip.addresses.pair().0,
        kind,
        ident: inner.ident,
        flow: inner.flow(ports, transport),
        quoted: inner.payload.get(header_len..).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::Bench;
    use etherparse::PacketBuilder;

    fn quoted(payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        PacketBuilder::ipv4([192, 0, 2, 10], [198, 51, 100, 20], 63)
            .udp(5060, 5070)
            .write(&mut packet, payload)
            .unwrap();
        packet
    }

    fn error_frame(kind: u8, code: u8, rest: u32, quoted: &[u8]) -> Vec<u8> {
        let mut icmp = vec![kind, code, 0, 0];
        icmp.extend(rest.to_be_bytes());
        icmp.extend(quoted);
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([1; 6], [2; 6])
            .ipv4([198, 51, 100, 1], [192, 0, 2, 10], 64)
            .write(&mut frame, etherparse::IpNumber::ICMP, &icmp)
            .unwrap();
        frame
    }

    #[test]
    fn an_error_names_reporter_hop_and_what_it_quotes() {
        let mut bench = Bench::default();
        bench.ethernet(&error_frame(
            3,
            3,
            0,
            &quoted(b"INVITE sip:a@b SIP/2.0\r\n"),
        ));
        bench.ethernet(&error_frame(3, 4, 1400, &quoted(b"INV")));
        bench.ethernet(&error_frame(8, 0, 0, b"echo request"));
        let seen = bench.end();
        assert_eq!(seen.other, ["icmp", "icmp", "icmp"]);
        let errors: Vec<_> = seen
            .icmp
            .iter()
            .map(|(kind, flow, bytes)| (*kind, flow.destination.to_string(), bytes.as_slice()))
            .collect();
        assert_eq!(
            errors,
            [
                (
                    IcmpKind::PortUnreachable,
                    "198.51.100.20:5070".to_owned(),
                    &b"INVITE sip:a@b SIP/2.0\r\n"[..]
                ),
                (
                    IcmpKind::TooBig(1400),
                    "198.51.100.20:5070".to_owned(),
                    &b"INV"[..]
                ),
            ]
        );
    }

    #[test]
    fn no_beginning_of_an_error_is_read_beyond_its_end() {
        let frame = error_frame(3, 3, 0, &quoted(b"INVITE sip:a@b SIP/2.0\r\n"));
        for end in 0..frame.len() {
            let mut bench = Bench::default();
            bench.frame(1, &frame[..end], frame.len());
            bench.end();
        }
    }
}
