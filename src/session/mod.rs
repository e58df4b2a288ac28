//! Messages to transactions, dialogs and calls.
//!
//! An entry collects what belongs to one call, registration, ping, ...; it is released once it is
//! over and its timers have run out in capture time, and only then looked at as a whole.

/// A released entry: repeats, final responses, steps, outcome.
pub mod call;
/// Capture time.
pub mod clock;
/// A live entry.
pub mod entry;
/// How an entry ended.
pub mod outcome;
/// Which final responses are only a step on the way.
mod steps;
/// Who could be seen receiving.
pub mod view;

pub use call::{Call, Final};
pub use entry::{CopyKind, Stored};
pub use outcome::Outcome;
pub use steps::Step;
pub use view::View;

use crate::message::framing::Stamp;
use crate::message::typed;
use crate::message::{Head, Message, Method};
use clock::Clock;
use entry::{Entry, Keys, is_initial};
use foldhash::fast::RandomState;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher};

/// Caps on what an attacker can open; what bites is counted in [`Limits`].
const MOST_MESSAGES: usize = 4096;
const MOST_ENTRIES: usize = 1_000_000;
const MOST_BYTES: usize = 512 * 1024 * 1024;
const MOST_TOMBSTONES: usize = 65_536;

/// How often a cap had to release an entry before it was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// An entry reached its most messages.
    pub long_entries: u64,
    /// Too many entries or bytes were live at once.
    pub early_releases: u64,
}

/// The correlation of messages.
#[derive(Debug, Default)]
pub struct Session {
    entries: HashMap<u64, Live, RandomState>,
    by_call_id: HashMap<Box<[u8]>, Vec<u64>, RandomState>,
    timers: BinaryHeap<Reverse<(i64, u64)>>,
    tombstones: HashMap<u64, u64, RandomState>,
    buried: VecDeque<u64>,
    hash: RandomState,
    clock: Clock,
    view: View,
    next_id: u64,
    bytes: usize,
    limits: Limits,
}

#[derive(Debug)]
struct Live {
    entry: Entry,
    due: i64,
    queued: i64,
}

impl Session {
    /// Takes one message; entries whose time has come are handed to `release` first.
    pub fn message(
        &mut self,
        stamp: Stamp,
        head: Head,
        raw: &[u8],
        release: &mut impl FnMut(Call, &View),
    ) {
        if let Some(time) = stamp.time {
            self.clock.advance(time);
            self.release_due(release);
        }
        self.view.saw(&stamp, &head, raw);
        let keys = self.keys(&stamp, &head, raw);
        let id = self.entry_for(&head, &keys, raw);
        let stored = Stored {
            stamp,
            head,
            raw: raw.into(),
            keys,
            copy: None,
        };
        let Some(live) = self.entries.get_mut(&id) else {
            return;
        };
        let before = live.entry.weight_step(&stored);
        live.entry.push(stored);
        self.bytes += before;
        let full = live.entry.messages.len() >= MOST_MESSAGES;
        if let Some(time) = stamp.time {
            live.due = time.0.saturating_add(live.entry.linger());
            if live.due < live.queued {
                live.queued = live.due;
                self.timers.push(Reverse((live.due, id)));
            }
        }
        if full {
            self.limits.long_entries += 1;
            self.release(id, release);
        }
        self.keep_bounds(release);
    }

    /// Takes the time of a record that is no SIP message.
    pub fn tick(&mut self, time: crate::input::Time, release: &mut impl FnMut(Call, &View)) {
        self.clock.advance(time);
        self.release_due(release);
    }

    /// Releases everything, by first message.
    pub fn finish(mut self, release: &mut impl FnMut(Call, &View)) -> (Limits, View) {
        self.clock.end();
        self.release_due(release);
        let mut rest: Vec<u64> = self.entries.keys().copied().collect();
        rest.sort_unstable();
        for id in rest {
            self.release(id, release);
        }
        (self.limits, self.view)
    }

    fn keep_bounds(&mut self, release: &mut impl FnMut(Call, &View)) {
        while self.entries.len() > MOST_ENTRIES || self.bytes > MOST_BYTES {
            let oldest = self
                .timers
                .pop()
                .map(|Reverse((_, id))| id)
                .or_else(|| self.entries.keys().min().copied());
            let Some(id) = oldest else { return };
            self.limits.early_releases += u64::from(self.entries.contains_key(&id));
            self.release(id, release);
        }
    }

    fn release_due(&mut self, release: &mut impl FnMut(Call, &View)) {
        let Some(now) = self.clock.now() else { return };
        while let Some(&Reverse((queued, id))) = self.timers.peek() {
            if queued > now {
                return;
            }
            self.timers.pop();
            match self.entries.get_mut(&id) {
                Some(live) if live.due > now => {
                    live.queued = live.due;
                    self.timers.push(Reverse((live.due, id)));
                }
                Some(_) => self.release(id, release),
                None => {}
            }
        }
    }

    fn release(&mut self, id: u64, release: &mut impl FnMut(Call, &View)) {
        let Some(live) = self.entries.remove(&id) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(live.entry.weight());
        if let Some(ids) = self.by_call_id.get_mut(&live.entry.key) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_call_id.remove(&live.entry.key);
            }
        }
        self.bury(&live.entry.key, id);
        release(Call::conclude(live.entry, self.clock.now()), &self.view);
    }

    fn bury(&mut self, key: &[u8], id: u64) {
        let key = self.hash.hash_one(key);
        self.tombstones.insert(key, id);
        self.buried.push_back(key);
        if self.buried.len() > MOST_TOMBSTONES
            && let Some(oldest) = self.buried.pop_front()
        {
            self.tombstones.remove(&oldest);
        }
    }

    fn entry_for(&mut self, head: &Head, keys: &Keys, raw: &[u8]) -> u64 {
        let key = key_bytes(head, raw);
        if let Some(id) = self.known(&key, head, keys, raw) {
            return id;
        }
        let id = self.next_id + 1;
        self.next_id = id;
        let mut entry = Entry::new(id, key.as_ref().into(), head, *keys);
        if !is_initial(head) {
            entry.continues = self.tombstones.get(&self.hash.hash_one(&key)).copied();
        }
        self.bytes += size_of::<Entry>();
        match self.by_call_id.get_mut(key.as_ref()) {
            Some(ids) => ids.push(id),
            None => {
                self.by_call_id.insert(key.as_ref().into(), vec![id]);
            }
        }
        self.entries.insert(
            id,
            Live {
                entry,
                due: i64::MAX,
                queued: i64::MAX,
            },
        );
        id
    }

    // The latest entry that takes the message; a Call-ID used for everything must not cost more
    // than a look at its newest entries.
    fn known(&self, key: &[u8], head: &Head, keys: &Keys, raw: &[u8]) -> Option<u64> {
        const NEWEST: usize = 64;
        let ids = self.by_call_id.get(key)?;
        let newest = || {
            ids.iter()
                .rev()
                .take(NEWEST)
                .filter_map(|id| self.entries.get(id))
        };
        let takes =
            |live: &&Live| live.entry.takes(head, keys) && !self.strays(live, head, keys, raw);
        newest().find(takes).map(|live| live.entry.id)
    }

    // A further attempt under another From-tag belongs only if it answers the open challenge.
    fn strays(&self, live: &Live, head: &Head, keys: &Keys, raw: &[u8]) -> bool {
        let other_tag = is_initial(head) && live.entry.caller_tag != keys.from_tag;
        other_tag && {
            let message = Message { raw, head };
            let answered = typed::credentials(message);
            let asked = live
                .entry
                .messages
                .iter()
                .rev()
                .take(8)
                .flat_map(|m| typed::challenges(m.message()));
            !asked
                .into_iter()
                .any(|challenge| answered.iter().any(|c| c.nonce == challenge.nonce))
        }
    }

    fn keys(&self, stamp: &Stamp, head: &Head, raw: &[u8]) -> Keys {
        let tag = |span: crate::message::Span| {
            if span.is_empty() {
                0
            } else {
                self.hash.hash_one(span.of(raw)) | 1
            }
        };
        let method = if head.method == Method::Ack {
            Method::Invite
        } else {
            head.method
        };
        let to_tag = tag(head.to_tag);
        let mut hasher = self.hash.build_hasher();
        (head.branch.of(raw), head.sent_by.of(raw), head.cseq, method).hash(&mut hasher);
        let transaction = hasher.finish();
        (
            head.code(),
            head.method,
            to_tag,
            stamp.source,
            stamp.destination,
            stamp.transport,
        )
            .hash(&mut hasher);
        Keys {
            from_tag: tag(head.from_tag),
            to_tag,
            transaction,
            repeat: hasher.finish(),
        }
    }
}

// Without Call-ID an entry is one transaction: its branch stands in, behind a byte that no
// Call-ID can hold.
fn key_bytes<'a>(head: &Head, raw: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
    match head.call_id.of(raw) {
        [] => [
            b"\0",
            head.branch.of(raw),
            b"\0",
            head.sent_by.of(raw),
            b"\0",
            head.from.of(raw),
        ]
        .concat()
        .into(),
        call_id => call_id.into(),
    }
}
