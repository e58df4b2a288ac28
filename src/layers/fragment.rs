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
    /// Bytes of memory that the parts take.
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
        let key = Key {
            input: at.origin.input,
            source: ip.source,
            destination: ip.destination,
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
        self.bytes -= set.held;
        let (parts, frames, length) = (std::mem::take(&mut set.parts), set.frames, set.length);
        (set.held, set.frames, set.length) = (0, 0, None);
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
        if set.frames == 0 {
            return false;
        }
        self.bytes -= set.held;
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
