//! SCTP: chunks to whole user messages (RFC 9260 §6.9). SIP has one message in each (RFC 4168 §5.1).
//!
//! An association is remembered only while fragments of it wait for others.

mod chunk;
#[cfg(test)]
mod tests;

pub(super) use chunk::decode;

use super::{At, Flow, Sink, Time};
use chunk::{Data, Group, SctpPacket};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Caps on what waits, over all associations and in one.
const MAX_BYTES: usize = 8 << 20;
const MAX_OPEN: usize = 4096;
const MAX_PARTS: usize = 1024;
/// Nanoseconds, in capture time.
const MAX_AGE: i64 = 30_000_000_000;

/// Fragments that wait for others.
#[derive(Debug, Default)]
pub(super) struct Sctp {
    open: HashMap<Key, Open, RandomState>,
    /// In the order of opening; entries whose serial has changed are stale.
    opened: VecDeque<(Key, u64, Option<Time>)>,
    bytes: usize,
    serial: u64,
    pub(super) evicted: u64,
}

/// One direction of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    flow: Flow,
    tag: u32,
}

#[derive(Debug)]
struct Open {
    serial: u64,
    first: At,
    /// The number that places are counted from, so that numbers may wrap around.
    base: u32,
    parts: BTreeMap<(Group, i64), Part>,
}

#[derive(Debug)]
struct Part {
    begins: bool,
    ends: bool,
    cut: bool,
    /// Frames that it accounts for.
    frames: u32,
    bytes: Vec<u8>,
}

impl Sctp {
    /// Takes a packet. The account of its frame is given here.
    pub(super) fn packet(
        &mut self,
        at: At,
        flow: &Flow,
        packet: &SctpPacket<'_>,
        sink: &mut impl Sink,
    ) {
        self.expire(at.time, sink);
        let (data, sound) = packet.data();
        // The frame counts once: for a whole message before a fragment.
        let mut frames = at.frames;
        let whole = |data: &&Data<'_>| data.begins && data.ends;
        for message in data.iter().filter(whole) {
            let at = At {
                frames: std::mem::take(&mut frames),
                ident: message.tsn,
                ..at
            };
            sink.datagram(at, flow, message.bytes, message.cut);
        }
        let key = Key {
            flow: *flow,
            tag: packet.tag,
        };
        for fragment in data.iter().filter(|data| !whole(data)) {
            let at = At {
                frames: std::mem::take(&mut frames),
                ident: fragment.tsn,
                ..at
            };
            self.fragment(key, at, fragment, sink);
        }
        let rest = At { frames, ..at };
        match (frames, sound) {
            (0, _) => {}
            (_, true) => sink.other(rest, "sctp"),
            (_, false) => {
                sink.not_decoded(rest, "broken-sctp", "a chunk with an impossible length")
            }
        }
    }

    /// Gives up what is not whole.
    pub(super) fn end(&mut self, sink: &mut impl Sink) {
        while let Some((key, serial, _)) = self.opened.pop_front() {
            self.give_up(key, serial, sink);
        }
    }

    fn fragment(&mut self, key: Key, at: At, data: &Data<'_>, sink: &mut impl Sink) {
        let open = self.open.entry(key).or_insert_with(|| {
            self.serial += 1;
            self.opened.push_back((key, self.serial, at.time));
            Open {
                serial: self.serial,
                first: at,
                base: data.index,
                parts: BTreeMap::new(),
            }
        });
        let place = open.place(data);
        if let Some(known) = open.parts.get_mut(&place) {
            // Sent again.
            known.frames = known.frames.saturating_add(at.frames);
            return;
        }
        self.bytes += data.bytes.len();
        open.parts.insert(
            place,
            Part {
                begins: data.begins,
                ends: data.ends,
                cut: data.cut,
                frames: at.frames,
                bytes: data.bytes.to_vec(),
            },
        );
        if let Some((frames, bytes, cut)) = open.complete(place) {
            self.bytes -= bytes.len();
            if open.parts.is_empty() {
                self.open.remove(&key);
            }
            let at = At { frames, ..at };
            return sink.datagram(at, &key.flow, &bytes, cut);
        }
        let (serial, crowded) = (open.serial, open.parts.len() > MAX_PARTS);
        if crowded {
            self.evicted += 1;
            self.give_up(key, serial, sink);
        }
        while self.bytes > MAX_BYTES || self.opened.len() > MAX_OPEN {
            let Some((key, serial, _)) = self.opened.pop_front() else {
                return;
            };
            self.evicted += u64::from(self.give_up(key, serial, sink));
        }
    }

    fn expire(&mut self, now: Option<Time>, sink: &mut impl Sink) {
        let Some(Time(now)) = now else { return };
        while let Some(&(key, serial, Some(Time(opened)))) = self.opened.front() {
            if now.saturating_sub(opened) <= MAX_AGE {
                return;
            }
            self.opened.pop_front();
            self.give_up(key, serial, sink);
        }
    }

    /// Forgets the fragments of an association that was opened under this serial; whether there were any.
    fn give_up(&mut self, key: Key, serial: u64, sink: &mut impl Sink) -> bool {
        if self.open.get(&key).is_none_or(|open| open.serial != serial) {
            return false;
        }
        let Some(open) = self.open.remove(&key) else {
            return false;
        };
        self.bytes -= open
            .parts
            .values()
            .map(|part| part.bytes.len())
            .sum::<usize>();
        let frames = open
            .parts
            .values()
            .fold(0u32, |sum, part| sum.saturating_add(part.frames));
        if frames > 0 {
            let at = At {
                frames,
                ..open.first
            };
            let detail = "fragments of SCTP messages of which others were not captured";
            sink.not_decoded(at, "sctp-fragment-missing", detail);
        }
        true
    }
}

impl Open {
    fn place(&self, data: &Data<'_>) -> (Group, i64) {
        let index = match data.group {
            Group::Tsn => i64::from(data.index.wrapping_sub(self.base).cast_signed()),
            Group::Message { .. } => i64::from(data.index),
        };
        (data.group, index)
    }

    /// Takes out the message that the part at `place` belongs to, if all of it is there: its
    /// frames, its bytes, and whether the capture cut it.
    fn complete(&mut self, place: (Group, i64)) -> Option<(u32, Vec<u8>, bool)> {
        let (group, index) = place;
        let part = |index: i64| self.parts.get(&(group, index));
        let (mut first, mut last) = (index, index);
        while !part(first)?.begins {
            first -= 1;
        }
        while !part(last)?.ends {
            last += 1;
        }
        let (mut frames, mut bytes, mut cut) = (0u32, Vec::new(), false);
        for index in first..=last {
            let part = self.parts.remove(&(group, index))?;
            frames = frames.saturating_add(part.frames);
            // What follows a hole is of no use.
            if !cut {
                bytes.extend_from_slice(&part.bytes);
            }
            cut |= part.cut;
        }
        Some((frames, bytes, cut))
    }
}
