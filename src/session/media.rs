//! RTP in summary form: streams by hop and source, counted where they are read and looked up where
//! a call is judged.

use crate::input::Time;
use crate::layers::rtp::RtpHeader;
use crate::layers::{At, Flow, address_bits};
use crate::message::sdp;
use crate::session::clock::SECOND;
use crate::session::{Call, Stored};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::net::SocketAddr;

/// Streams remembered at once; beyond that the longest silent ones go first.
const MOST_STREAMS: usize = 32_768;
/// Streams shown of a call.
const MOST_OF_CALL: usize = 16;
/// RTP this long before the first message or after the last one is of another call.
const MARGIN: i64 = 5 * SECOND;

/// One RTP stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpStream {
    /// Its hop.
    pub flow: Flow,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Payload type of its first packet.
    pub payload_type: u8,
    /// Packets captured.
    pub packets: u64,
    /// Packets that its sequence numbers promise, from the first to the highest.
    pub expected: u64,
    /// Time of the first packet.
    pub first: Option<Time>,
    /// Time of the last one.
    pub last: Option<Time>,
    highest: u16,
}

type Key = ((u128, u16), (u128, u16), u32);

impl RtpStream {
    fn new(at: &At, flow: &Flow, header: RtpHeader) -> RtpStream {
        RtpStream {
            flow: *flow,
            ssrc: header.ssrc,
            payload_type: header.payload_type,
            packets: 0,
            expected: 1,
            first: at.time,
            last: at.time,
            highest: header.sequence,
        }
    }

    fn key(flow: &Flow, ssrc: u32) -> Key {
        (
            address_bits(flow.source),
            address_bits(flow.destination),
            ssrc,
        )
    }

    fn count(&mut self, at: &At, header: RtpHeader) {
        self.packets += 1;
        self.last = self.last.max(at.time);
        // Forward by less than half the range; anything else is late or a restart (RFC 3550 §A.1).
        let ahead = header.sequence.wrapping_sub(self.highest);
        if ahead < 0x8000 {
            self.expected += u64::from(ahead);
            self.highest = header.sequence;
        }
    }

    /// Packets that were sent before the capture point and are not in the capture.
    pub fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.packets)
    }
}

/// Counts packets while they are read. What has changed is handed on about once a second.
#[derive(Debug, Default)]
pub struct Meter {
    streams: HashMap<Key, (RtpStream, bool), RandomState>,
    changed: Vec<Key>,
    handed_on: Option<i64>,
}

impl Meter {
    /// Counts a packet.
    pub fn packet(&mut self, at: &At, flow: &Flow, header: RtpHeader) {
        let key = RtpStream::key(flow, header.ssrc);
        if self.streams.len() >= MOST_STREAMS && !self.streams.contains_key(&key) {
            forget_half(&mut self.streams, |(stream, _)| stream.last);
        }
        let new = || (RtpStream::new(at, flow, header), false);
        let (stream, changed) = self.streams.entry(key).or_insert_with(new);
        stream.count(at, header);
        if !std::mem::replace(changed, true) {
            self.changed.push(key);
        }
    }

    /// The streams that have changed, if it is time to hand them on. The time is that of the
    /// capture, so that a report does not depend on how fast it was made.
    pub fn due(&mut self, now: Option<Time>) -> Vec<RtpStream> {
        let Some(Time(now)) = now else {
            return Vec::new();
        };
        match self.handed_on {
            Some(last) if (0..SECOND).contains(&(now - last)) => Vec::new(),
            _ => {
                self.handed_on = Some(now);
                self.rest()
            }
        }
    }

    /// All streams that have changed since they were handed on.
    pub fn rest(&mut self) -> Vec<RtpStream> {
        let streams = &mut self.streams;
        let changed = self.changed.drain(..).filter_map(|key| {
            let (stream, changed) = streams.get_mut(&key)?;
            *changed = false;
            Some(stream.clone())
        });
        changed.collect()
    }
}

/// The streams as far as they are known where calls are judged.
#[derive(Debug, Default)]
pub(super) struct Heard {
    streams: HashMap<Key, RtpStream, RandomState>,
    /// By the address and port of either end.
    by_end: HashMap<(u128, u16), Vec<Key>, RandomState>,
}

impl Heard {
    pub(super) fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Takes what is new about a stream.
    pub(super) fn update(&mut self, stream: RtpStream) {
        if self.streams.len() >= MOST_STREAMS {
            forget_half(&mut self.streams, |stream| stream.last);
            let streams = &self.streams;
            self.by_end.retain(|_, keys| {
                keys.retain(|key| streams.contains_key(key));
                !keys.is_empty()
            });
        }
        let key = RtpStream::key(&stream.flow, stream.ssrc);
        if self.streams.insert(key, stream).is_none() {
            self.by_end.entry(key.0).or_default().push(key);
            self.by_end.entry(key.1).or_default().push(key);
        }
    }

    /// The streams to and from the addresses that the session descriptions of a call name, while
    /// it lasted.
    pub(super) fn of(&self, call: &Call) -> Vec<RtpStream> {
        let times = || call.messages.iter().filter_map(Stored::time);
        let (Some(from), Some(last)) = (times().min(), times().max()) else {
            return Vec::new();
        };
        // An answered call goes on until its BYE.
        let open = call.answer().is_some() && call.bye().is_none();
        let until = if open { i64::MAX - MARGIN } else { last };
        let mut found: Vec<&RtpStream> = Vec::new();
        for end in ends(call) {
            let keys = self.by_end.get(&address_bits(end)).into_iter().flatten();
            for stream in keys
                .take(4 * MOST_OF_CALL)
                .filter_map(|key| self.streams.get(key))
            {
                let before = stream.last.is_some_and(|last| last.0 < from - MARGIN);
                let after = stream.first.is_some_and(|first| first.0 > until + MARGIN);
                let known = found.iter().any(|known| std::ptr::eq(*known, stream));
                if !before && !after && !known && found.len() < MOST_OF_CALL {
                    found.push(stream);
                }
            }
        }
        found.sort_by_key(|stream| (stream.first, RtpStream::key(&stream.flow, stream.ssrc)));
        found.into_iter().cloned().collect()
    }
}

// The addresses at which the two sides want to receive, each once.
fn ends(call: &Call) -> Vec<SocketAddr> {
    let mut ends = Vec::new();
    for stored in call.messages.iter().filter(|m| m.copy.is_none()) {
        for media in sdp::media(stored.message().body()) {
            let address = media.address.and_then(|ip| ip.parse().ok());
            let end = address.map(|ip| SocketAddr::new(ip, media.port));
            let new = end.filter(|end| end.port() != 0 && !ends.contains(end));
            ends.extend(new.filter(|_| ends.len() < MOST_OF_CALL));
        }
    }
    ends
}

// Half of the entries go, the longest silent first.
fn forget_half<T>(streams: &mut HashMap<Key, T, RandomState>, last: impl Fn(&T) -> Option<Time>) {
    let mut ages: Vec<(Option<Time>, Key)> = streams
        .iter()
        .map(|(key, stream)| (last(stream), *key))
        .collect();
    ages.sort_unstable();
    for (_, key) in ages.iter().take(ages.len() / 2) {
        streams.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Origin;
    use crate::layers::Transport;

    fn at(seconds: i64) -> At {
        At::new(Origin { input: 0, place: 1 }, Some(Time(seconds * SECOND)))
    }

    fn flow(port: u16) -> Flow {
        Flow {
            source: SocketAddr::from(([192, 0, 2, 1], port)),
            destination: SocketAddr::from(([198, 51, 100, 1], 40_000)),
            transport: Transport::Udp,
        }
    }

    fn packet(sequence: u16) -> RtpHeader {
        RtpHeader {
            payload_type: 8,
            sequence,
            ssrc: 7,
        }
    }

    #[test]
    fn losses_are_counted_across_the_wrap_and_late_packets_are_not_lost() {
        let mut meter = Meter::default();
        for sequence in [65_534, 65_535, 1, 0, 2, 5] {
            meter.packet(&at(1), &flow(1000), packet(sequence));
        }
        let [stream] = meter.rest().try_into().unwrap();
        assert_eq!((stream.packets, stream.expected, stream.lost()), (6, 8, 2));
        assert!(meter.rest().is_empty());
    }

    #[test]
    fn what_changed_is_handed_on_once_a_second_of_the_capture() {
        let mut meter = Meter::default();
        meter.packet(&at(1), &flow(1000), packet(1));
        assert_eq!(meter.due(Some(Time(SECOND))).len(), 1);
        meter.packet(&at(1), &flow(1000), packet(2));
        assert_eq!(meter.due(Some(Time(SECOND + 1))).len(), 0);
        assert_eq!(meter.due(Some(Time(2 * SECOND))).len(), 1);
    }

    #[test]
    fn streams_are_bounded_and_the_silent_ones_go() {
        let (mut meter, mut heard) = (Meter::default(), Heard::default());
        for n in 0..=MOST_STREAMS as u32 {
            let header = RtpHeader {
                ssrc: n,
                ..packet(1)
            };
            meter.packet(&at(n.into()), &flow(1000), header);
            meter
                .rest()
                .into_iter()
                .for_each(|stream| heard.update(stream));
        }
        assert_eq!(meter.streams.len(), MOST_STREAMS / 2 + 1);
        assert_eq!(heard.streams.len(), MOST_STREAMS / 2 + 1);
        assert!(
            heard
                .streams
                .values()
                .all(|stream| stream.ssrc >= MOST_STREAMS as u32 / 2)
        );
    }
}
