//! What stands behind a link or tunnel header, and the way on from there.

use super::ip::{self, IpPacket, name_protocol};
use super::link::{ieee80211, name_ether_type};
use super::tunnel::{self, Tunnel};
use super::udp::Udp;
use super::{Flow, Layers, MAX_DEPTH, Packet, Refusal, Sink, Transport, icmp, sctp};

/// What follows a link or tunnel header.
#[derive(Debug)]
pub(super) enum Inner<'a> {
    /// What the EtherType says.
    Network { ether_type: u16, payload: &'a [u8] },
    /// What the IP protocol says, between the addresses of the packet around it.
    Transport { protocol: u8, payload: &'a [u8] },
    /// A payload whose flow is recorded beside it.
    Datagram { flow: Flow, payload: &'a [u8] },
    /// Several packets in an 802.11 frame.
    Aggregate(&'a [u8]),
    /// Something known that carries no IP.
    Other(&'static str),
}

impl Layers {
    /// Decodes what an EtherType that is neither IP nor a tag announces.
    #[inline(never)]
    pub(super) fn announced(&mut self, ether_type: u16, packet: Packet<'_>, sink: &mut impl Sink) {
        if let Some(tunnel) = tunnel::by_ether_type(ether_type) {
            return self.tunnel(tunnel, packet, None, sink);
        }
        match name_ether_type(ether_type) {
            Ok(protocol) => sink.other(packet.at, protocol),
            Err(refusal) => refusal.report(packet.at, sink),
        }
    }

    /// Decodes what an IP protocol other than UDP and TCP announces.
    #[inline(never)]
    pub(super) fn not_udp_or_tcp(
        &mut self,
        packet: Packet<'_>,
        ip: IpPacket<'_>,
        cut: bool,
        sink: &mut impl Sink,
    ) {
        if ip.protocol == ip::SCTP {
            return self.sctp(packet, &ip, cut, sink);
        }
        if let Some(error) = icmp::decode(packet.at, &ip) {
            return sink.icmp_error(packet.at, &error);
        }
        if let Some(tunnel) = tunnel::by_ip_protocol(ip.protocol) {
            let packet = Packet {
                bytes: ip.payload,
                cut,
                ..packet
            };
            return self.tunnel(tunnel, packet, Some(&ip), sink);
        }
        match name_protocol(ip.protocol) {
            Ok(protocol) => sink.other(packet.at, protocol),
            Err(refusal) => refusal.report(packet.at, sink),
        }
    }

    fn sctp(&mut self, packet: Packet<'_>, ip: &IpPacket<'_>, cut: bool, sink: &mut impl Sink) {
        match sctp::decode(ip, cut) {
            Ok(decoded) => {
                let flow = ip.flow(decoded.ports, Transport::Sctp);
                self.sctp.packet(packet.at, &flow, &decoded, sink);
            }
            Err(refusal) => refusal.report(packet.at, sink),
        }
    }

    /// Goes on behind a header; `outer` is the IP packet that held it.
    pub(super) fn enter(
        &mut self,
        packet: Packet<'_>,
        inner: Result<Inner<'_>, Refusal>,
        outer: Option<&IpPacket<'_>>,
        sink: &mut impl Sink,
    ) {
        match inner {
            Ok(Inner::Network {
                ether_type,
                payload,
            }) => self.network(ether_type, packet.with(payload), sink),
            Ok(Inner::Transport { protocol, payload }) => {
                let Some(outer) = outer else {
                    return Refusal::new("broken-tunnel", "no IP packet around it")
                        .report(packet.at, sink);
                };
                let ip = IpPacket {
                    protocol,
                    piece: None,
                    payload,
                    missing: 0,
                    ..*outer
                };
                self.ip(packet.with(payload), ip, sink)
            }
            Ok(Inner::Datagram { flow, payload }) => {
                sink.datagram(packet.at, &flow, payload, packet.cut)
            }
            Ok(Inner::Aggregate(bytes)) => self.aggregate(packet.with(bytes), sink),
            Ok(Inner::Other(protocol)) => sink.other(packet.at, protocol),
            Err(refusal) => refusal.report(packet.at, sink),
        }
    }

    /// Goes on with each packet of an aggregate; the frame is accounted for by the first.
    #[cold]
    #[inline(never)]
    fn aggregate(&mut self, mut packet: Packet<'_>, sink: &mut impl Sink) {
        let Some((mut first, mut rest)) = ieee80211::split_aggregate(packet.bytes) else {
            return packet
                .too_short("broken-link", "802.11 subframe", 14)
                .report(packet.at, sink);
        };
        loop {
            match first {
                Inner::Network {
                    ether_type,
                    payload,
                } => self.network(ether_type, packet.with(payload), sink),
                Inner::Other(protocol) => sink.other(packet.at, protocol),
                // Not behind LLC.
                _ => sink.other(packet.at, "unrecognised"),
            }
            packet.at.frames = 0;
            match ieee80211::split_aggregate(rest) {
                Some((next, behind)) => (first, rest) = (next, behind),
                None => return,
            }
        }
    }

    /// Goes on within a tunnel; the bytes of the packet begin with its header.
    #[cold]
    #[inline(never)]
    pub(super) fn tunnel(
        &mut self,
        tunnel: &Tunnel,
        mut packet: Packet<'_>,
        outer: Option<&IpPacket<'_>>,
        sink: &mut impl Sink,
    ) {
        packet.depth += 1;
        if packet.depth > MAX_DEPTH {
            let detail = format!("{} within more than 8 packets", tunnel.name);
            return Refusal::new("nested-too-deep", detail).report(packet.at, sink);
        }
        let inner = (tunnel.decode)(packet);
        self.enter(packet, inner, outer, sink)
    }

    /// Goes on within a tunnel over UDP; whether the datagram is one. By value, so that what is
    /// no tunnel stays in registers.
    #[cold]
    #[inline(never)]
    pub(super) fn udp_tunnel(
        &mut self,
        packet: Packet<'_>,
        outer: IpPacket<'_>,
        udp: Udp<'_>,
        sink: &mut impl Sink,
    ) -> bool {
        let packet = Packet {
            bytes: udp.payload,
            cut: udp.cut,
            ..packet
        };
        let Some(tunnel) = tunnel::by_udp_port(udp.ports, &packet) else {
            return false;
        };
        self.tunnel(tunnel, packet, Some(&outer), sink);
        true
    }
}
