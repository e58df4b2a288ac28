//! Frames to datagrams and ordered byte streams. Knows nothing of SIP.

use crate::input::{Origin, Time};
use std::net::SocketAddr;

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
        TRANSPORTS.iter().find(|(_, n)| n.eq_ignore_ascii_case(name)).map(|(t, _)| *t)
    }

    /// The name in lower case.
    pub fn name(self) -> &'static str {
        TRANSPORTS.iter().find(|(t, _)| *t == self).map_or("", |(_, name)| name)
    }

    /// Does the transport itself repeat what was lost?
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }
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

/// The frame that brought something about, and how many frames it accounts for.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The frame.
    pub origin: Origin,
    /// Its time.
    pub time: Option<Time>,
    /// Frames that this event accounts for: more than 1 where IP fragments were put together.
    pub frames: u32,
    /// Identifies the packet among copies of it: the IPv4 identification or IPv6 fragment
    /// identification for UDP, the sequence number for TCP; 0 where unknown.
    pub ident: u32,
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
/// `segment`, `other` and `not_decoded` (by `At::frames`); `bytes`, `gap` and `closed` carry no account.
pub trait Sink {
    /// A whole UDP payload. `cut`: the capture holds only its beginning.
    fn datagram(&mut self, at: At, flow: &Flow, payload: &[u8], cut: bool);
    /// A TCP segment with payload arrived.
    fn segment(&mut self, at: At, stream: StreamId, flow: &Flow, what: Segment);
    /// The next bytes in order of a stream, complete with the frame `at`.
    fn bytes(&mut self, at: At, stream: StreamId, flow: &Flow, bytes: &[u8]);
    /// `missing` bytes of a stream were never captured; the next `bytes` follow the hole.
    fn gap(&mut self, at: At, stream: StreamId, flow: &Flow, missing: u64);
    /// No more bytes will come on this stream.
    fn closed(&mut self, stream: StreamId);
    /// A frame that holds something known that is not application data: `arp`, `icmp`, `tcp` (no payload), ...
    fn other(&mut self, at: At, protocol: &'static str);
    /// A frame that could hold anything and could not be looked into; `reason` is a kebab-case id.
    fn not_decoded(&mut self, at: At, reason: &'static str, detail: &str);
}
