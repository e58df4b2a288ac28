//! Frames to datagrams and ordered byte streams. Knows nothing of SIP.
//!
//! link → IP (→ fragments) → UDP or TCP. What a tunnel holds enters again at [`Layers::network`].

/// Answers of name servers.
pub mod checksum;
pub mod dns;
mod fragment;
mod icmp;
mod inner;
mod ip;
mod link;
/// Names for payloads that are not SIP.
pub mod payload;
/// Headers of RTP.
pub mod rtp;
mod sctp;
mod stream;
mod tcp;
mod tunnel;
mod udp;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use icmp::{IcmpError, IcmpKind};
pub use link::link_name;
pub use payload::{looks_like_tls, name_payload};
pub use stream::{ClosedTls, Keys, TlsFailure, TlsReport};
pub use tcp::{Sight, Wire};

use crate::input::{Origin, Time};
use fragment::Fragments;
use inner::Inner;
use ip::IpPacket;
use sctp::Sctp;
use std::borrow::Cow;
use std::net::SocketAddr;
use stream::hep;
use tcp::Streams;

/// Transport protocol of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// User Datagram Protocol.
    Udp,
    /// Transmission Control Protocol.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS.
    Wss,
    /// Stream Control Transmission Protocol.
    Sctp,
}

const TRANSPORTS: [(Transport, &str); 6] = [
    (Transport::Udp, "udp"),
    (Transport::Tcp, "tcp"),
    (Transport::Tls, "tls"),
    (Transport::Ws, "ws"),
    (Transport::Wss, "wss"),
    (Transport::Sctp, "sctp"),
];

impl Transport {
    /// The transport with this name, in any case.
    pub fn of(name: &str) -> Option<Transport> {
        TRANSPORTS
            .iter()
            .find(|(_, n)| n.eq_ignore_ascii_case(name))
            .map(|(t, _)| *t)
    }

    /// The name in lower case.
    pub fn name(self) -> &'static str {
        TRANSPORTS
            .iter()
            .find(|(t, _)| *t == self)
            .map_or("", |(_, name)| name)
    }

    /// Does the transport itself repeat what was lost?
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }
}

/// An IP address as a number, for hashing: many times cheaper than its parts one by one.
pub fn ip_bits(ip: std::net::IpAddr) -> u128 {
    match ip {
        std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        std::net::IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Address and port as numbers, for hashing.
pub fn address_bits(address: SocketAddr) -> (u128, u16) {
    (ip_bits(address.ip()), address.port())
}

/// The hop that a payload took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Transport.
    pub transport: Transport,
}

impl Flow {
    /// The way back.
    pub fn back(self) -> Flow {
        Flow {
            source: self.destination,
            destination: self.source,
            transport: self.transport,
        }
    }
}

/// The frame that brought something about, and how many frames it accounts for.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The frame.
    pub origin: Origin,
    /// Its time.
    pub time: Option<Time>,
    /// Frames that this event accounts for: more than 1 where IP fragments were put together, 0 for
    /// a further packet of a frame that holds several.
    pub frames: u32,
    /// Identifies the packet among copies of it: the IPv4 identification or IPv6 fragment
    /// identification for UDP, the sequence number for TCP; 0 where unknown.
    pub ident: u32,
    /// The checksum of a UDP datagram; 0 where there is none.
    pub checksum: u16,
    /// Lines that the frame takes up in a log, as a hex dump; 0 in a capture.
    pub lines: u32,
    /// Nanoseconds since the first midnight of the log, where it gives that and no date.
    pub time_of_day: Option<u64>,
}

impl At {
    /// One frame of a capture.
    #[inline]
    pub fn new(origin: Origin, time: Option<Time>) -> At {
        At {
            origin,
            time,
            frames: 1,
            ident: 0,
            checksum: 0,
            lines: 0,
            time_of_day: None,
        }
    }

    /// One frame that a log holds as a hex dump, up to its last line.
    pub fn in_log(
        origin: Origin,
        last_line: u64,
        time: Option<Time>,
        time_of_day: Option<u64>,
    ) -> At {
        let lines = last_line.saturating_sub(origin.place) + 1;
        At {
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            time_of_day,
            ..At::new(origin, time)
        }
    }
}

/// One direction of a TCP connection; never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

impl StreamId {
    /// The other direction of the same connection.
    pub fn reverse(self) -> StreamId {
        StreamId(self.0 ^ 1)
    }
}

/// What a TCP segment with payload brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Bytes that are next in order; `bytes` calls follow.
    InOrder,
    /// Bytes ahead of a hole; held until the hole is filled or given up.
    Early,
    /// Only bytes that were delivered before.
    Resent,
}

/// Receives what the layers find. Every frame is accounted for by exactly one of `datagram`,
/// `segment`, `icmp_error`, `carried`, `other` and `not_decoded` (by `At::frames`); `message`, `bytes`,
/// `gap`, `closed` and `wire` carry no account.
pub trait Sink {
    /// A whole UDP payload. `cut`: the capture holds only its beginning.
    fn datagram(&mut self, at: At, flow: &Flow, payload: &[u8], cut: bool);
    /// A whole message out of something that keeps messages apart (WebSocket, HEP); `cut` as for a
    /// datagram. Gives `None` where it was taken, and else what it is.
    fn message(&mut self, at: At, flow: &Flow, payload: &[u8], cut: bool) -> Option<&'static str>;
    /// Frames that carried messages which were taken.
    fn carried(&mut self, at: At);
    /// A TCP segment with payload arrived.
    fn segment(&mut self, at: At, stream: StreamId, flow: &Flow, what: Segment);
    /// The next bytes in order of a stream, complete with the frame `at`: the frame that filled
    /// the hole before them, or their own frame, in the past, where the hole was given up.
    fn bytes(&mut self, at: At, stream: StreamId, flow: &Flow, bytes: &[u8]);
    /// `missing` bytes of a stream were never captured; the next `bytes` follow the hole.
    fn gap(&mut self, at: At, stream: StreamId, flow: &Flow, missing: u64);
    /// No more bytes will come on this stream.
    fn closed(&mut self, stream: StreamId);
    /// An ICMP error arrived, which quotes a packet with ports.
    fn icmp_error(&mut self, at: At, error: &IcmpError<'_>);
    /// Something happened to a TCP connection. Carries no account; comes after the bytes of its frame.
    /// The flow goes from whoever did it, or who asked for a connection.
    fn wire(&mut self, _at: At, _flow: &Flow, _wire: Wire) {}
    /// A frame that holds something known that is not application data: `arp`, `icmp`, `tcp` (no payload), ...
    fn other(&mut self, at: At, protocol: &'static str);
    /// A frame that could hold anything and could not be looked into; `reason` is a kebab-case id.
    fn not_decoded(&mut self, at: At, reason: &'static str, detail: &str);
}

impl LimitHits {
    /// Each cap by name, and how often it was reached.
    pub fn named(self) -> [(&'static str, u64); 6] {
        [
            (
                "TCP connections given up: too many at once",
                self.connections_evicted,
            ),
            (
                "holes in TCP streams given up early: too much behind them",
                self.holes_given_up_early,
            ),
            (
                "wrapped streams (TLS, WebSocket, HEP) given up: too much held",
                self.wrapped_given_up,
            ),
            (
                "SCTP associations given up: too many fragments at once",
                self.sctp_evicted,
            ),
            (
                "IP datagrams given up: too many fragments at once",
                self.fragments_evicted,
            ),
            (
                "IP fragments that contradict earlier ones: the earlier ones were kept",
                self.fragments_contradicted,
            ),
        ]
    }
}

/// Decodes frames, in the order in which they were recorded.
#[derive(Debug, Default)]
pub struct Layers {
    fragments: Fragments,
    streams: Streams,
    sctp: Sctp,
}

/// How often a cap was reached, or the capture contradicted itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitHits {
    /// TCP connections forgotten because too many were open.
    pub connections_evicted: u64,
    /// Holes in TCP streams given up because too much was held behind them.
    pub holes_given_up_early: u64,
    /// SCTP associations whose fragments were given up because too much waited.
    pub sctp_evicted: u64,
    /// Unfinished IP datagrams given up because too many were open.
    pub fragments_evicted: u64,
    /// IP fragments that contradict bytes of an earlier one; the earlier one was kept.
    pub fragments_contradicted: u64,
    /// Wrapped streams (TLS, WebSocket, HEP) given up because too much was held of them.
    pub wrapped_given_up: u64,
}

impl Layers {
    /// Begins with nothing held.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one frame, of which `bytes` were captured, and tells the sink what it brought.
    pub fn frame(
        &mut self,
        origin: Origin,
        time: Option<Time>,
        link: u32,
        bytes: &[u8],
        wire_len: u32,
        sink: &mut impl Sink,
    ) {
        self.decode(At::new(origin, time), link, bytes, wire_len, sink);
    }

    /// Decodes a frame that a log holds as a hex dump.
    pub fn dump(&mut self, at: At, link: u32, bytes: &[u8], sink: &mut impl Sink) {
        let wire_len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.decode(at, link, bytes, wire_len, sink);
    }

    #[inline]
    fn decode(&mut self, at: At, link: u32, bytes: &[u8], wire_len: u32, sink: &mut impl Sink) {
        let Some(link_type) = link::find(link) else {
            return sink.not_decoded(at, "link-type", &link::name_number(link));
        };
        let packet = Packet {
            at,
            bytes,
            cut: bytes.len() < wire_len as usize,
            depth: 0,
        };
        match (link_type.decode)(packet) {
            Ok(Inner::Network {
                ether_type,
                payload,
            }) => self.network(ether_type, packet.with(payload), sink),
            inner => self.enter(packet, inner, None, sink),
        }
    }

    /// Begins with the keys of TLS connections that are known beforehand.
    pub fn with_keys(keys: Keys) -> Self {
        let mut layers = Self::default();
        layers.streams.shared.keys = keys;
        layers
    }

    /// Takes keys of TLS connections, in the format of a key log.
    pub fn secrets(&mut self, key_log: &[u8]) {
        self.streams.shared.keys.key_log(key_log);
    }

    /// What became of the TLS connections, by input; complete after [`Layers::end`].
    pub fn tls_reports(&mut self) -> Vec<TlsReport> {
        std::mem::take(&mut self.streams.shared.reports)
    }

    /// Gives up and closes what is held. Call it once, after the last frame of the last input.
    pub fn end(&mut self, sink: &mut impl Sink) {
        self.fragments.end(sink);
        self.streams.end(sink);
        self.sctp.end(sink);
    }

    /// Which caps were reached so far.
    pub fn limit_hits(&self) -> LimitHits {
        LimitHits {
            connections_evicted: self.streams.evicted,
            holes_given_up_early: self.streams.given_up_early,
            sctp_evicted: self.sctp.evicted,
            fragments_evicted: self.fragments.evicted,
            fragments_contradicted: self.fragments.contradicted,
            wrapped_given_up: self.streams.shared.given_up,
        }
    }

    /// Decodes what an EtherType announces and accounts for its frame. The way in for tunnels:
    /// pass what they hold, with `depth` one higher.
    fn network(&mut self, ether_type: u16, packet: Packet<'_>, sink: &mut impl Sink) {
        if packet.depth > MAX_DEPTH {
            return Refusal::new("nested-too-deep", "more than 8 packets within one another")
                .report(packet.at, sink);
        }
        let decoded = match ether_type {
            ip::ETHER_TYPE_V4 => ip::decode_v4(packet),
            ip::ETHER_TYPE_V6 => ip::decode_v6(packet),
            link::VLAN | link::QINQ | link::QINQ_OLD => match link::past_tags(packet) {
                Ok((inner, packet)) => return self.network(inner, packet, sink),
                Err(refusal) => Err(refusal),
            },
            _ => return self.announced(ether_type, packet, sink),
        };
        match decoded {
            Ok(ip) => self.ip(packet, ip, sink),
            Err(refusal) => refusal.report(packet.at, sink),
        }
    }

    /// Decodes the payload of an IP packet, which may be a fragment of one.
    fn ip(&mut self, packet: Packet<'_>, mut ip: IpPacket<'_>, sink: &mut impl Sink) {
        if let Err(refusal) = ip.skip_extensions(packet) {
            return refusal.report(packet.at, sink);
        }
        if ip.piece.is_some() {
            return self.fragment(packet, &ip, sink);
        }
        let cut = packet.cut || ip.missing > 0;
        match ip.protocol {
            ip::UDP => match udp::decode(&ip, cut) {
                Ok(udp) => {
                    if tunnel::may_be(udp.ports) && self.udp_tunnel(packet, ip, udp, sink) {
                        return;
                    }
                    let at = At {
                        ident: ip.ident,
                        checksum: udp.checksum,
                        ..packet.at
                    };
                    let flow = ip.flow(udp.ports, Transport::Udp);
                    if hep::looks_like_hep(udp.payload)
                        && hep::datagram(at, &flow, udp.payload, udp.cut, sink)
                    {
                        return;
                    }
                    sink.datagram(at, &flow, udp.payload, udp.cut)
                }
                Err(refusal) => refusal.report(packet.at, sink),
            },
            ip::TCP => match tcp::decode(&ip, cut) {
                Ok(segment) => {
                    let flow = ip.flow(segment.ports, Transport::Tcp);
                    self.streams.segment(packet.at, &flow, &segment, sink)
                }
                Err(refusal) => refusal.report(packet.at, sink),
            },
            _ => self.not_udp_or_tcp(packet, ip, cut, sink),
        }
    }

    fn fragment(&mut self, packet: Packet<'_>, ip: &IpPacket<'_>, sink: &mut impl Sink) {
        let depth = packet.depth + 1;
        if depth > MAX_DEPTH {
            return Refusal::new("nested-too-deep", "more than 8 packets within one another")
                .report(packet.at, sink);
        }
        if let Some(whole) = self.fragments.add(packet.at, ip, sink) {
            let packet = Packet {
                at: whole.at,
                bytes: &whole.bytes,
                cut: whole.missing > 0,
                depth,
            };
            let ip = IpPacket {
                payload: &whole.bytes,
                missing: whole.missing,
                piece: None,
                ..*ip
            };
            self.ip(packet, ip, sink);
        }
    }
}

/// How many packets may be wrapped in one another.
const MAX_DEPTH: u8 = 8;

/// A packet on its way down the layers, borrowed from the frame.
#[derive(Clone, Copy, Debug)]
struct Packet<'a> {
    at: At,
    bytes: &'a [u8],
    /// The capture holds less than was on the wire.
    cut: bool,
    depth: u8,
}

impl<'a> Packet<'a> {
    /// The same packet, further in.
    #[inline]
    fn with(self, bytes: &'a [u8]) -> Self {
        Packet { bytes, ..self }
    }

    /// Why a header that needs more bytes than there are could not be read.
    #[cold]
    fn too_short(&self, broken: &'static str, header: &str, needs: usize) -> Refusal {
        Refusal::too_short(self.cut, broken, header, needs, self.bytes.len())
    }
}

/// Why a packet could not be looked into.
#[derive(Debug)]
struct Refusal {
    reason: &'static str,
    detail: Cow<'static, str>,
}

impl Refusal {
    #[cold]
    fn new(reason: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Refusal {
            reason,
            detail: detail.into(),
        }
    }

    /// `broken` is the reason if the capture is not to blame.
    #[cold]
    fn too_short(cut: bool, broken: &'static str, header: &str, needs: usize, has: usize) -> Self {
        let reason = if cut { "cut-header" } else { broken };
        Refusal::new(
            reason,
            format!("the {header} header needs {needs} bytes, {has} are there"),
        )
    }

    #[cold]
    fn report(&self, at: At, sink: &mut impl Sink) {
        sink.not_decoded(at, self.reason, &self.detail);
    }
}

/// A big-endian number at `offset`, where it is there.
fn be16(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u16::from_be_bytes(*field))
}

/// A big-endian number at `offset`, where it is there.
fn be32(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u32::from_be_bytes(*field))
}
