//! IP fragments to datagrams. Pieces come in any order; where they contradict, the first wins.

use super::ip::IpPacket;
use super::{At, Sink, Time};
use foldhash::fast::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::net::IpAddr;

const MAX_SETS: usize = 4096;
const MAX_BYTES: usize = 16 << 20;
const MAX_PARTS: usize = 2048;
const MAX_DATAGRAM: u32 = 65_535;
/// Nanoseconds, in capture time.
const MAX_AGE: i64 = 30_000_000_000;

/// Datagrams of which fragments were seen.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    sets: HashMap<Key, Set, RandomState>,
    /// Every set in the order of opening; entries whose serial has changed are stale.
    opened: VecDeque<(Key, u64, Option<Time>)>,
    bytes: usize,
    serial: u64,
    pub(super) evicted: u64,
    pub(super) contradicted: u64,
}

/// A datagram put together.
pub(super) struct Whole {
    /// The frame that completed it.
    pub(super) at: At,
    pub(super) bytes: Vec<u8>,
    /// Bytes that the capture lacks after them.
    pub(super) missing: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    input: u16,
    source: IpAddr,
    destination: IpAddr,
    ident: u32,
    protocol: u8,
}

#[derive(Debug)]
struct Set {
    serial: u64,
    first: At,
    /// 0 once completed, until another fragment comes.
    frames: u32,
    /// Bytes of memory that it takes.
    held: usize,
    /// Disjoint and in order.
    parts: Vec<Part>,
    /// Length of the datagram, once its last fragment was seen.
    length: Option<u32>,
    /// Offset and hash of each part of a datagram under this key that was completed before, by
    /// which a second copy of a fragment is told from a fragment of a new datagram.
    completed: Vec<(u32, u64)>,
}

#[derive(Debug)]
struct Part {
    start: u32,
    end: u32,
    /// Fewer than `end - start` where the capture cut the frame.
    bytes: Vec<u8>,
}

impl Fragments {
    /// Takes a fragment; the datagram, if this completes it.
    pub(super) fn add(&mut self, at: At, ip: &IpPacket<'_>, sink: &mut impl Sink) -> Option<Whole> {
        let piece = ip.piece?;
        let start = piece.offset;
        let length = u32::try_from(ip.payload.len() + ip.missing).unwrap_or(u32::MAX);
        let end = start.saturating_add(length);
        if end > MAX_DATAGRAM {
            sink.not_decoded(at, "broken-ip", "a fragment reaches beyond 65535 bytes");
            return None;
        }
        self.expire(at.time, sink);
        let (source, destination) = ip.addresses.pair();
        let key = Key {
            input: at.origin.input,
            source,
            destination,
            ident: ip.ident,
            protocol: ip.protocol,
        };
        self.open(key, at);
        let set = self.sets.get_mut(&key)?;
        let held_before = set.held;
        set.frames = set.frames.saturating_add(at.frames);
        self.contradicted += u64::from(set.insert(start, end, ip.payload));
        if !piece.more && set.length.is_none() {
            set.length = Some(end);
        }
        self.bytes += set.held - held_before;
        if set.is_whole() {
            return self.complete(key, at);
        }
        while self.sets.len() > MAX_SETS
            || self.bytes > MAX_BYTES
            || self.opened.len() > 2 * MAX_SETS
        {
            self.evict_oldest(sink);
        }
        None
    }

    /// Gives up what is not whole.
    pub(super) fn end(&mut self, sink: &mut impl Sink) {
        while let Some((key, serial, _)) = self.opened.pop_front() {
            self.give_up(key, serial, sink);
        }
    }

    /// Opens a set under this key where none is open.
    fn open(&mut self, key: Key, at: At) {
        let set = self.sets.entry(key).or_insert_with(|| Set::new(at));
        if set.frames == 0 {
            self.serial += 1;
            (set.serial, set.first) = (self.serial, at);
            self.opened.push_back((key, self.serial, at.time));
        }
    }

    /// Hands out the datagram, and keeps the hashes of its parts until the set is too old.
    fn complete(&mut self, key: Key, at: At) -> Option<Whole> {
        let hasher = self.sets.hasher().clone();
        let set = self.sets.get_mut(&key)?;
        let (parts, frames, length) = (std::mem::take(&mut set.parts), set.frames, set.length);
        let hashes = parts.len() * size_of::<(u32, u64)>();
        self.bytes = self.bytes - set.held + hashes;
        (set.held, set.frames, set.length) = (hashes, 0, None);
        set.completed = parts
            .iter()
            .map(|part| (part.start, hasher.hash_one(&part.bytes)))
            .collect();
        let length = length? as usize;
        let mut bytes = Vec::with_capacity(length);
        for part in &parts {
            bytes.extend_from_slice(&part.bytes);
            if part.bytes.len() < (part.end - part.start) as usize {
                break;
            }
        }
        bytes.truncate(length);
        let missing = length - bytes.len();
        Some(Whole {
            at: At { frames, ..at },
            bytes,
            missing,
        })
    }

    fn expire(&mut self, now: Option<Time>, sink: &mut impl Sink) {
        let Some(Time(now)) = now else { return };
        while let Some(&(key, serial, Some(Time(opened)))) = self.opened.front() {
            if now.saturating_sub(opened) <= MAX_AGE {
                break;
            }
            self.opened.pop_front();
            self.give_up(key, serial, sink);
        }
    }

    fn evict_oldest(&mut self, sink: &mut impl Sink) {
        if let Some((key, serial, _)) = self.opened.pop_front() {
            self.evicted += u64::from(self.give_up(key, serial, sink));
        }
    }

    /// Forgets a set if it is still the one with this serial; whether fragments went with it.
    fn give_up(&mut self, key: Key, serial: u64, sink: &mut impl Sink) -> bool {
        if self.sets.get(&key).is_none_or(|set| set.serial != serial) {
            return false;
        }
        let Some(set) = self.sets.remove(&key) else {
            return false;
        };
        self.bytes -= set.held;
        if set.frames == 0 {
            return false;
        }
        let at = At {
            frames: set.frames,
            ident: key.ident,
            ..set.first
        };
        let hasher = self.sets.hasher();
        let seen_before = |part: &Part| {
            set.completed
                .contains(&(part.start, hasher.hash_one(&part.bytes)))
        };
        if !set.completed.is_empty() && set.parts.iter().all(seen_before) {
            sink.other(at, "ip-fragment-copy");
        } else {
            sink.not_decoded(at, "ip-fragment-missing", &set.lack());
        }
        true
    }
}

impl Set {
    fn new(first: At) -> Self {
        Set {
            serial: 0,
            first,
            frames: 0,
            held: 0,
            parts: Vec::new(),
            length: None,
            completed: Vec::new(),
        }
    }

    /// Keeps what is new of a fragment; whether it contradicts what is there.
    fn insert(&mut self, start: u32, end: u32, bytes: &[u8]) -> bool {
        if self.parts.len() >= MAX_PARTS {
            return false;
        }
        let slice = |from: u32, to: u32| {
            let from = bytes.len().min((from - start) as usize);
            &bytes[from..bytes.len().min((to - start) as usize).max(from)]
        };
        let mut contradicts = false;
        let mut cursor = start;
        let mut index = self.parts.partition_point(|part| part.end <= start);
        while cursor < end {
            let next = self
                .parts
                .get(index)
                .map_or(end, |part| part.start.min(end));
            if cursor < next {
                let part = Part {
                    start: cursor,
                    end: next,
                    bytes: slice(cursor, next).to_vec(),
                };
                self.held += part.bytes.len() + size_of::<Part>();
                self.parts.insert(index, part);
                index += 1;
                cursor = next;
            } else if let Some(there) = self.parts.get(index) {
                let until = there.end.min(end);
                let skip = there.bytes.len().min((cursor - there.start) as usize);
                let both = there.bytes[skip..].iter().zip(slice(cursor, until));
                contradicts |= both.into_iter().any(|(there, new)| there != new);
                cursor = until;
                index += 1;
            }
        }
        contradicts
    }

    fn is_whole(&self) -> bool {
        let Some(length) = self.length else {
            return false;
        };
        // Most sets are whole with their last part: looking at the ends first spares the walk.
        if self.parts.last().is_none_or(|part| part.end < length) {
            return false;
        }
        let mut covered = 0;
        for part in &self.parts {
            if part.start > covered {
                return false;
            }
            covered = part.end;
        }
        true
    }

    /// What is missing, for people.
    fn lack(&self) -> String {
        let seen: u32 = self.parts.iter().map(|part| part.end - part.start).sum();
        match self.length {
            Some(length) => format!("{seen} of {length} bytes were captured"),
            None => format!("{seen} bytes were captured, the last fragment was not"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_AGE, MAX_SETS};
    use crate::layers::testing::{Bench, Chance, Recorder};
    use etherparse::PacketBuilder;

    /// A UDP datagram cut into Ethernet frames with fragments of at most `size` bytes.
    fn fragments(payload: &[u8], ident: u16, size: usize, v6: bool) -> Vec<Vec<u8>> {
        let base = PacketBuilder::ethernet2([1; 6], [2; 6]);
        let mut whole = Vec::new();
        match v6 {
            false => base
                .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
                .udp(5060, 5060)
                .write(&mut whole, payload),
            true => base
                .ipv6([1; 16], [2; 16], 64)
                .udp(5060, 5060)
                .write(&mut whole, payload),
        }
        .unwrap();
        let (header, body) = whole.split_at(if v6 { 54 } else { 34 });
        let count = body.len().div_ceil(size);
        let cut = |(index, part): (usize, &[u8])| {
            let mut frame = header.to_vec();
            let (more, offset) = (u16::from(index + 1 < count), (index * size) as u16);
            if v6 {
                frame[18..20].copy_from_slice(&(part.len() as u16 + 8).to_be_bytes());
                frame[20] = 44;
                frame.extend([17, 0]);
                frame.extend((offset | more).to_be_bytes());
                frame.extend(u32::from(ident).to_be_bytes());
            } else {
                frame[16..18].copy_from_slice(&(part.len() as u16 + 20).to_be_bytes());
                frame[18..20].copy_from_slice(&ident.to_be_bytes());
                frame[20..22].copy_from_slice(&((offset / 8) | (more << 13)).to_be_bytes());
            }
            frame.extend(part);
            frame
        };
        body.chunks(size).enumerate().map(cut).collect()
    }

    fn run(frames: &[Vec<u8>]) -> Recorder {
        let mut bench = Bench::default();
        frames.iter().for_each(|frame| bench.ethernet(frame));
        bench.end()
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|n| (n * 13 % 251) as u8).collect()
    }

    #[test]
    fn fragments_in_any_order_with_copies_are_one_datagram() {
        let mut chance = Chance(0xf4a6);
        for round in 0..300 {
            let payload = text(1 + chance.below(8000));
            let size = 8 + 8 * chance.below(180);
            let mut frames = fragments(&payload, 7, size, round % 2 == 0);
            let copies = chance.below(3).min(frames.len() - 1);
            frames.extend_from_within(..copies);
            chance.shuffle(&mut frames);
            let sink = run(&frames);
            assert_eq!(sink.datagrams.len(), 1, "round {round}");
            let (at, _, datagram, cut) = &sink.datagrams[0];
            assert_eq!((datagram, *cut), (&payload, false), "round {round}");
            if size < payload.len() + 8 {
                assert_eq!(at.ident, 7);
            }
            assert!(sink.not_decoded.is_empty(), "{:?}", sink.not_decoded);
        }
    }

    #[test]
    fn the_datagram_stands_at_the_frame_that_completes_it() {
        let mut frames = fragments(&text(3000), 7, 1480, false);
        frames.swap(0, 2);
        let sink = run(&frames);
        let at = sink.datagrams[0].0;
        assert_eq!((at.origin.place, at.frames), (3, 3));
    }

    #[test]
    fn a_datagram_that_lacks_a_fragment_is_said_with_its_first_frame() {
        let mut frames = fragments(&text(4000), 7, 1480, false);
        frames.remove(1);
        let sink = run(&frames);
        let said = "2528 of 4008 bytes were captured".to_owned();
        assert_eq!(sink.not_decoded, [(1, 2, "ip-fragment-missing", said)]);
        frames.pop();
        let said = "1480 bytes were captured, the last fragment was not".to_owned();
        assert_eq!(
            run(&frames).not_decoded,
            [(1, 1, "ip-fragment-missing", said)]
        );
    }

    #[test]
    fn a_set_is_given_up_when_it_is_too_old() {
        let frames = fragments(&text(2000), 7, 1480, false);
        let mut bench = Bench::default();
        bench.ethernet(&frames[0]);
        bench.now += MAX_AGE;
        bench.ethernet(&frames[1]);
        assert_eq!(bench.sink.reasons(), ["ip-fragment-missing"]);
        assert_eq!(bench.end().reasons(), ["ip-fragment-missing"; 2]);
    }

    #[test]
    fn where_fragments_contradict_the_first_wins() {
        let payload = text(100);
        let frames = fragments(&payload, 7, 56, false);
        let mut forged = frames[0].clone();
        forged.truncate(34 + 48);
        forged[16..18].copy_from_slice(&68u16.to_be_bytes());
        forged[60] ^= 0xff;
        let mut bench = Bench::default();
        for frame in [&frames[0], &forged, &frames[1]] {
            bench.ethernet(frame);
        }
        assert_eq!(bench.layers.limit_hits().fragments_contradicted, 1);
        assert_eq!(bench.end().datagrams[0].2, payload);
    }

    #[test]
    fn a_copy_that_comes_too_late_is_no_missing_fragment() {
        let frames = fragments(&text(2000), 7, 1480, false);
        let (first, last) = (frames[0].clone(), frames[1].clone());
        let sink = run(&[first.clone(), first.clone(), last.clone(), last]);
        assert_eq!(
            (sink.datagrams.len(), sink.other),
            (1, vec!["ip-fragment-copy"])
        );
        // The identification used again by a datagram that lacks its rest is another matter.
        let other = fragments(&text(2001)[1..], 7, 1480, false);
        let sink = run(&[first, frames[1].clone(), other[0].clone()]);
        assert_eq!(sink.reasons(), ["ip-fragment-missing"]);
    }

    #[test]
    fn inputs_are_kept_apart() {
        let frames = fragments(&text(2000), 7, 1480, false);
        let mut bench = Bench::default();
        bench.ethernet(&frames[0]);
        bench.input = 1;
        bench.ethernet(&frames[1]);
        assert!(bench.end().datagrams.is_empty());
    }

    #[test]
    fn what_the_capture_cut_off_a_fragment_cuts_the_datagram() {
        let payload = text(2000);
        let frames = fragments(&payload, 7, 1480, false);
        let mut bench = Bench::default();
        bench.frame(1, &frames[0][..1000], frames[0].len());
        bench.ethernet(&frames[1]);
        let sink = bench.end();
        let (_, _, datagram, cut) = &sink.datagrams[0];
        assert_eq!((datagram.as_slice(), *cut), (&payload[..1000 - 42], true));
    }

    #[test]
    fn no_flood_holds_more_than_the_cap() {
        let mut bench = Bench::default();
        let mut frame = fragments(&text(2000), 7, 1480, false).remove(0);
        for number in 0..MAX_SETS as u32 + 10 {
            frame[26..30].copy_from_slice(&number.to_be_bytes());
            bench.now -= 1_000_000;
            bench.ethernet(&frame);
        }
        assert_eq!(bench.layers.limit_hits().fragments_evicted, 10);
        bench.end();
    }

    #[test]
    fn a_fragment_beyond_the_largest_datagram_is_broken() {
        let mut frame = fragments(&text(2000), 7, 1480, false).remove(1);
        frame[20..22].copy_from_slice(&[0x1f, 0xff]);
        assert_eq!(run(&[frame]).reasons(), ["broken-ip"]);
    }
}
