//! Transmission Control Protocol (RFC 9293): segments to ordered streams of bytes.

mod direction;
mod life;
mod segment;
#[cfg(test)]
mod tests;

pub use life::{Sight, Wire};
pub(super) use segment::{TcpSegment, decode};

use super::stream::{Shared, Way, Wrap};
use super::{At, Flow, Sink, StreamId, Time, Transport};
use direction::{Arrival, Direction, Out};
use foldhash::fast::RandomState;
use life::{Life, Sighted};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

const MAX_CONNECTIONS: usize = 65_536;
const MAX_HELD_BYTES: usize = 32 << 20;
/// Nanoseconds, in capture time.
const MAX_IDLE: i64 = 2 * 3600 * 1_000_000_000;
/// How long a hole may stay without any progress; nanoseconds, in capture time.
const MAX_HOLE_AGE: i64 = 3_000_000_000;

/// Every TCP connection that is remembered.
#[derive(Debug, Default)]
pub(super) struct Streams {
    connections: HashMap<Key, Box<Connection>, RandomState>,
    /// One entry for each connection, roughly the longest unused first: an entry that was used
    /// since it was queued goes to the back when its turn comes.
    idle: VecDeque<(Key, u64, u64)>,
    /// Directions with a hole, roughly in the order in which the holes opened: an entry whose
    /// hole has shrunk since it was queued goes to the back when its turn comes.
    holes: VecDeque<(Key, u64, usize, Option<Time>)>,
    opened: u64,
    segments: u64,
    held_bytes: usize,
    /// Of the streams that are wrapped in something.
    pub(super) shared: Shared,
    pub(super) evicted: u64,
    pub(super) given_up_early: u64,
}

#[derive(Debug)]
struct Connection {
    /// The streams are `2 * id` and `2 * id + 1`.
    id: u64,
    /// The hop of direction 0.
    flow: Flow,
    directions: [Direction; 2],
    wrap: Wrap,
    life: Life,
    last_time: Option<Time>,
    /// The count of segments when it was last used.
    last_use: u64,
}

/// The two ends of a connection, whichever sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    low: u128,
    high: u128,
    /// Both ports and the IP version, in one number because that hashes faster.
    rest: u64,
}

impl Key {
    fn of(flow: &Flow) -> Self {
        let number = |end: &SocketAddr| match end.ip() {
            IpAddr::V4(ip) => (u32::from(ip).into(), end.port()),
            IpAddr::V6(ip) => (u128::from(ip), end.port()),
        };
        let (a, b) = (number(&flow.source), number(&flow.destination));
        let ((low, low_port), (high, high_port)) = if a <= b { (a, b) } else { (b, a) };
        let ports = u64::from(low_port) << 16 | u64::from(high_port);
        let rest = ports << 1 | u64::from(flow.source.is_ipv6());
        Key { low, high, rest }
    }
}

impl Streams {
    /// Takes a segment. The account of its frame is given here.
    pub(super) fn segment(
        &mut self,
        at: At,
        flow: &Flow,
        segment: &TcpSegment<'_>,
        sink: &mut impl Sink,
    ) {
        let at = At {
            ident: segment.seq,
            ..at
        };
        self.segments += 1;
        self.expire_holes(at.time, sink);
        let key = Key::of(flow);
        match self.advance(&key, at, flow, segment, sink) {
            Some(true) => return,
            Some(false) => self.drop_connection(&key, sink),
            None => {}
        }
        if !segment.syn && !segment.has_payload() {
            return sink.other(at, "tcp");
        }
        self.open(key, *flow, at.time, sink);
        self.advance(&key, at, flow, segment, sink);
    }

    /// Hands a segment to its connection, where there is one; whether it belongs to it.
    fn advance(
        &mut self,
        key: &Key,
        at: At,
        flow: &Flow,
        segment: &TcpSegment<'_>,
        sink: &mut impl Sink,
    ) -> Option<bool> {
        let connection = self.connections.get_mut(key)?;
        if !connection.goes_on(flow, segment) {
            return Some(false);
        }
        connection.last_use = self.segments;
        connection.last_time = at.time.or(connection.last_time);
        let (id, index) = (connection.id, connection.direction_of(flow));
        let arrival = Arrival {
            at,
            order: self.segments,
        };
        let effect = connection.take(index, arrival, segment, &mut self.shared, sink);
        self.held_bytes = self.held_bytes + effect.held_after - effect.held_before;
        self.given_up_early += u64::from(effect.gave_up_early);
        if effect.opened_hole {
            self.holes.push_back((*key, id, index, at.time));
        }
        while self.held_bytes > MAX_HELD_BYTES || self.holes.len() > 2 * MAX_CONNECTIONS {
            self.given_up_early += u64::from(self.give_up_oldest_hole(sink));
        }
        Some(true)
    }

    /// Delivers what is held and closes every stream.
    pub(super) fn end(&mut self, sink: &mut impl Sink) {
        let mut keys: Vec<_> = self
            .connections
            .iter()
            .map(|(key, it)| (it.id, *key))
            .collect();
        keys.sort_unstable_by_key(|(id, _)| *id);
        for (_, key) in keys {
            self.drop_connection(&key, sink);
        }
    }

    fn open(&mut self, key: Key, flow: Flow, time: Option<Time>, sink: &mut impl Sink) {
        self.drop_idle(time, sink);
        while self.connections.len() >= MAX_CONNECTIONS && self.evict(sink) {}
        if self.idle.len() >= 2 * MAX_CONNECTIONS {
            let live = &self.connections;
            self.idle
                .retain(|(key, id, _)| live.get(key).is_some_and(|it| it.id == *id));
        }
        let connection = Connection {
            id: self.opened,
            flow,
            directions: Default::default(),
            wrap: Wrap::default(),
            life: Life::default(),
            last_time: time,
            last_use: self.segments,
        };
        self.idle.push_back((key, self.opened, self.segments));
        self.opened += 1;
        self.connections.insert(key, Box::new(connection));
    }

    /// Drops a few connections at most, so that no single frame pays for all.
    fn drop_idle(&mut self, now: Option<Time>, sink: &mut impl Sink) {
        for _ in 0..4 {
            let Some(&(key, id, used)) = self.idle.front() else {
                return;
            };
            match self.connections.get(&key) {
                Some(it) if it.id == id && it.last_use > used => {
                    let used = it.last_use;
                    self.idle.pop_front();
                    self.idle.push_back((key, id, used));
                }
                Some(it) if it.id == id => {
                    let (Some(Time(now)), Some(Time(last))) = (now, it.last_time) else {
                        return;
                    };
                    if now.saturating_sub(last) <= MAX_IDLE {
                        return;
                    }
                    self.idle.pop_front();
                    self.drop_connection(&key, sink);
                }
                _ => drop(self.idle.pop_front()),
            }
        }
    }

    /// Drops the connection that was unused for longest; whether there was one.
    fn evict(&mut self, sink: &mut impl Sink) -> bool {
        while let Some((key, id, used)) = self.idle.pop_front() {
            let Some(connection) = self.connections.get(&key) else {
                continue;
            };
            if connection.id != id {
                continue;
            }
            if connection.last_use > used {
                self.idle.push_back((key, id, connection.last_use));
                continue;
            }
            self.drop_connection(&key, sink);
            self.evicted += 1;
            return true;
        }
        false
    }

    fn drop_connection(&mut self, key: &Key, sink: &mut impl Sink) {
        let Some(mut connection) = self.connections.remove(key) else {
            return;
        };
        for index in 0..2 {
            let (direction, mut out) = connection.side(index, &mut self.shared, sink);
            self.held_bytes -= direction.held_bytes();
            direction.close(&mut out);
        }
        connection.wrap.forget(&mut self.shared);
    }

    fn expire_holes(&mut self, now: Option<Time>, sink: &mut impl Sink) {
        let Some(Time(now)) = now else { return };
        while let Some(&(key, id, index, queued)) = self.holes.front() {
            let live = self
                .connections
                .get(&key)
                .filter(|connection| connection.id == id);
            let since = live.and_then(|connection| connection.directions[index].hole_since());
            if since.is_some() && since != queued {
                self.holes.pop_front();
                self.holes.push_back((key, id, index, since));
                continue;
            }
            match since {
                Some(Time(since)) if now.saturating_sub(since) <= MAX_HOLE_AGE => return,
                _ => {
                    self.give_up_oldest_hole(sink);
                }
            }
        }
    }

    /// Gives up the holes of the direction that is first in the queue; whether it had any.
    fn give_up_oldest_hole(&mut self, sink: &mut impl Sink) -> bool {
        let Some((key, id, index, _)) = self.holes.pop_front() else {
            return false;
        };
        let live = self.connections.get_mut(&key).filter(|it| it.id == id);
        let Some(connection) = live else { return false };
        let (direction, mut out) = connection.side(index, &mut self.shared, sink);
        let (before, had_hole) = (direction.held_bytes(), direction.has_hole());
        direction.give_up_holes(&mut out);
        self.held_bytes -= before;
        had_hole
    }
}

/// What a segment did to the bookkeeping.
struct Effect {
    held_before: usize,
    held_after: usize,
    opened_hole: bool,
    gave_up_early: bool,
}

impl Connection {
    fn direction_of(&self, flow: &Flow) -> usize {
        usize::from(flow.source != self.flow.source)
    }

    /// One direction, and where its bytes go.
    fn side<'a, S: Sink>(
        &'a mut self,
        index: usize,
        shared: &'a mut Shared,
        sink: &'a mut S,
    ) -> (&'a mut Direction, Out<'a, S>) {
        let Flow {
            source,
            destination,
            ..
        } = self.flow;
        let flow = match index {
            0 => self.flow,
            _ => Flow {
                source: destination,
                destination: source,
                transport: Transport::Tcp,
            },
        };
        let stream = StreamId(self.id * 2 + index as u64);
        let out = Out {
            way: Way { stream, flow, sink },
            wrap: &mut self.wrap,
            shared,
        };
        (&mut self.directions[index], out)
    }

    /// Whether a segment belongs to this connection, and not to a later one of the same ports.
    fn goes_on(&self, flow: &Flow, segment: &TcpSegment<'_>) -> bool {
        let index = self.direction_of(flow);
        let (own, peer) = (&self.directions[index], &self.directions[1 - index]);
        if segment.has_payload() && !own.may_take(segment) {
            return false;
        }
        if !segment.syn {
            return true;
        }
        let begins = segment.payload_seq();
        match (own.start(), peer.start()) {
            (Some(start), _) => start == begins,
            (None, _) if own.is_closed() => false,
            (None, None) => true,
            // Which connection the peer is on: a SYN-ACK says what the peer began with; a bare
            // SYN that was captured late is one that the peer has acknowledged.
            (None, Some(peer_start)) => match segment.ack {
                Some(ack) => ack == peer_start,
                None => own.acked() == Some(begins),
            },
        }
    }

    fn take(
        &mut self,
        index: usize,
        arrival: Arrival,
        segment: &TcpSegment<'_>,
        shared: &mut Shared,
        sink: &mut impl Sink,
    ) -> Effect {
        let sighted = Sighted {
            again: self.directions[index].has_again(segment),
            new: segment.has_payload() && !self.directions[index].has_had(segment),
            near: self.directions[index].is_near(segment),
        };
        let mut given_up = 0;
        if let Some(ack) = segment.ack {
            let (peer, mut out) = self.side(1 - index, shared, sink);
            let before = peer.held_bytes();
            peer.acknowledge(ack);
            peer.give_up_received(arrival.at.time, &mut out);
            given_up = before - peer.held_bytes();
        }
        let wire = self.life.note(index, arrival.at, segment, sighted);
        let (direction, mut out) = self.side(index, shared, sink);
        let held_before = direction.held_bytes() + given_up;
        let had_hole = direction.has_hole();
        let gave_up_early = direction.take(arrival, segment, &mut out);
        let effect = Effect {
            held_before,
            held_after: direction.held_bytes(),
            opened_hole: !had_hole && direction.has_hole(),
            gave_up_early,
        };
        tell(wire, arrival.at, &mut out);
        effect
    }
}

/// Tells what became of a connection, and of a TLS handshake on it.
fn tell<S: Sink>(wire: Option<Wire>, at: At, out: &mut Out<'_, S>) {
    let Some(wire) = wire else { return };
    let flow = match wire {
        // Whoever asked for the connection is its source.
        Wire::Refused { .. } | Wire::Opened => out.way.flow.back(),
        _ => out.way.flow,
    };
    if matches!(wire, Wire::Closed { .. } | Wire::Reset { .. }) {
        out.wrap.ended(at, &mut out.way);
    }
    out.way.sink.wire(at, &flow, wire);
}
