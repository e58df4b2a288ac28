//! Messages to transactions, dialogs and calls.
//!
//! An entry collects what belongs to one call, registration, ping, ...; it is released once it is
//! over and its timers have run out in capture time, and only then looked at as a whole.

/// When something was active.
mod activity;
/// What was seen beside SIP.
pub mod aside;
mod axis;
/// Which live entry a message belongs to.
mod belongs;
/// What is seen beside SIP.
mod beside;
/// A released entry: repeats, final responses, steps, outcome.
pub mod call;
/// Who asked to stop an INVITE.
pub mod cancel;
/// Capture time.
pub mod clock;
/// Sides, remote targets and routes of a dialog.
pub mod dialog;
/// A live entry.
pub mod entry;
/// Pauses of clients behind address translation.
pub mod idle;
/// Hashes of what is compared often.
pub mod keys;
/// Legs of one call through back-to-back user agents.
pub mod legs;
/// RTP in summary form.
pub mod media;
/// The messages of an entry.
pub mod messages;
mod names;
/// Nonces of digest authentication.
pub mod nonces;
/// What looks odd between messages.
pub mod oddity;
/// How an entry ended.
pub mod outcome;
/// What is over.
mod over;
/// The way of a request from hop to hop.
pub mod path;
/// The messages seen last.
mod recent;
/// Session timers.
pub mod refresh;
/// Who is registered.
pub mod registrations;
/// The sequence numbers of the request that began an entry.
pub mod series;
/// What a message shows of the peers.
pub mod sighting;
/// Messages of other entries, remembered.
pub mod spot;
/// Which final responses are only a step on the way.
mod steps;
/// When entries are due.
mod timers;
/// Messages without Call-ID.
mod torn;
/// Requests on one hop and what answered them.
pub mod transaction;
/// Who could be seen receiving.
pub mod view;
/// What became of connections.
pub mod wires;

pub use aside::Aside;
pub use call::{Call, Final};
pub use cancel::Cancel;
pub use dialog::Side;
pub use entry::{CopyKind, Stored};
pub use outcome::Outcome;
pub use spot::Spot;
pub use steps::{Step, given_before};
pub use transaction::Transaction;
pub use view::View;

use crate::input::Time;
use crate::message::{Head, Method};
use axis::Axis;
use clock::Clock;
use entry::{Entry, is_initial};
use idle::Lines;
use keys::{KeyMap, Keys};
use legs::{Begun, Groups, Later};
use media::Heard;
use messages::Messages;
use names::Names;
use recent::{Recent, Seen};
use sighting::{Sighting, Sights};
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};
use timers::Timers;
use wires::Wires;

/// Most messages of an entry.
const MOST_MESSAGES: usize = 4096;
/// Messages that come, looked at ahead.
pub const AHEAD: usize = 8;
/// Messages that a list has room for at first: a call that is answered and ended.
const LIST: usize = 7;

/// How often a cap had to release an entry before it was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// An entry reached its most messages.
    pub long_entries: u64,
    /// Too many entries or bytes were live at once.
    pub early_releases: u64,
    /// Connections whose failure or end was forgotten.
    pub wires_forgotten: u64,
}

impl Limits {
    /// Each cap by name, and how often it was reached.
    pub fn named(self) -> [(&'static str, u64); 3] {
        [
            (
                "entries cut in two: too many messages in one",
                self.long_entries,
            ),
            (
                "entries judged before they were over: too many at once",
                self.early_releases,
            ),
            (
                "ends and failures of TCP connections forgotten: too many at once",
                self.wires_forgotten,
            ),
        ]
    }
}

/// What messages brought: who was seen, and which entries are over, each in order.
#[derive(Debug, Default)]
pub struct News {
    /// What was seen of the peers.
    pub sightings: Vec<Sighting>,
    /// The entries that are over.
    pub over: Vec<Call>,
    /// How much of what was seen each of them may know of.
    pub seen: Vec<usize>,
    /// Connections that were never made; told at the end.
    pub attempts: Vec<Aside>,
}

impl News {
    /// Whatever is over by now may know of all that was seen by now.
    pub fn settle(&mut self) {
        self.seen.resize(self.over.len(), self.sightings.len());
    }
}

/// The correlation of messages.
#[derive(Debug, Default)]
pub struct Session {
    slots: Vec<Option<Live>>,
    free: Vec<u32>,
    by_call_id: KeyMap<Slots>,
    timers: Timers,
    tombstones: KeyMap<Tomb>,
    buried: VecDeque<(u64, u64)>,
    axis: Axis,
    clock: Clock,
    sights: Sights,
    names: Names,
    wires: Wires,
    heard: Heard,
    lines: Lines,
    recent: Recent,
    begun: Begun,
    groups: Groups,
    last_id: u64,
    bytes: usize,
    limits: Limits,
    spare: Vec<Box<Stored>>,
    lists: Vec<Messages>,
}

/// What is left of a released entry.
#[derive(Clone, Copy, Debug)]
struct Tomb {
    id: u64,
    /// Its From-tag, where it was a call that was answered and ended; else 0.
    ended: u64,
}

#[derive(Debug)]
struct Live {
    entry: Entry,
    due: i64,
    queued: i64,
}

/// The entries with one Call-ID; nearly always one. Where one Call-ID is used for everything they
/// are many and end in any order, so they are found by id.
#[derive(Debug)]
enum Slots {
    One(u64, u32),
    Many(BTreeMap<u64, u32>),
}

impl Slots {
    fn newest_first(&self) -> impl Iterator<Item = u32> {
        let (one, many) = match self {
            Slots::One(_, slot) => (Some(*slot), None),
            Slots::Many(slots) => (None, Some(slots.values().rev().copied())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

impl Session {
    /// Takes one message; what it shows, and entries whose time has come, are news.
    pub fn message(&mut self, mut stored: Box<Stored>, news: &mut News) {
        if self.axis.place(&mut stored.stamp) {
            self.release_all(news);
            self.clock = Clock::default();
        }
        let time = stored.time();
        if let Some(time) = time {
            self.clock.advance(Time(time));
            self.release_due(news);
        }
        news.sightings.push(self.sights.of(&stored));
        self.lines.saw(&stored);
        let torn = match stored.head.call_id.is_empty() {
            true => self.torn(&mut stored),
            false => None,
        };
        let Stored {
            head, keys, raw, ..
        } = stored.as_ref();
        let slot = torn
            .or_else(|| self.known(head, keys, raw))
            .filter(|slot| !self.is_named_anew(*slot, &stored))
            .unwrap_or_else(|| self.open(head, *keys));
        let Some(live) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        self.recent.push(Seen {
            slot,
            id: live.entry.id,
            message: live.entry.messages.len(),
        });
        let begins = live.entry.messages.is_empty() && stored.is_initial();
        let first_of_call = begins && stored.head.method == Method::Invite;
        self.bytes += live.entry.push(stored);
        if first_of_call {
            self.find_first_leg(slot);
        }
        let Some(live) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        // A late message is not over at once: its answers are as late. Undated entries are due
        // last, and only if there are too many.
        let now = self.clock.now().unwrap_or(i64::MIN);
        live.due = time.map_or(i64::MAX - 1, |time| {
            time.max(now).saturating_add(live.entry.linger())
        });
        if live.due < live.queued {
            live.queued = live.due;
            self.timers.push((live.due, live.entry.id, slot));
        }
        if live.entry.messages.len() >= MOST_MESSAGES {
            self.limits.long_entries += 1;
            self.release(slot, news);
        }
        self.keep_bounds(news);
    }

    /// Looks ahead at messages that will be taken: what they need is far away, and comes sooner
    /// together than one by one.
    pub fn expect(&self, coming: &[Box<Stored>]) {
        let slots: SmallVec<[(Option<u32>, u64); AHEAD]> = coming
            .iter()
            .map(|m| match self.by_call_id.get(&m.keys.call_id) {
                Some(Slots::One(_, slot)) => (Some(*slot), m.touch()),
                _ => (None, m.touch()),
            })
            .collect();
        let entries = slots.iter().map(|(slot, sum)| {
            let live = slot.and_then(|slot| self.slots.get(slot as usize)?.as_ref());
            sum ^ live.map_or(0, |live| live.entry.id ^ live.entry.messages.len() as u64)
        });
        std::hint::black_box(entries.fold(0, |all, one| all ^ one));
    }

    // Does the call that begins continue an earlier one, behind a back-to-back user agent?
    fn find_first_leg(&mut self, slot: u32) {
        let slots = &self.slots;
        let live = |slot: u32| slots.get(slot as usize).and_then(Option::as_ref);
        let Some((id, own)) =
            live(slot).and_then(|l| Some((l.entry.id, l.entry.messages.first()?)))
        else {
            return;
        };
        let earlier = self.begun.candidates(own, slot, id);
        if earlier.is_empty() {
            return;
        }
        let own = Later::of(own);
        let found = earlier.into_iter().filter_map(|(slot, id)| {
            let entry = &live(slot).filter(|live| live.entry.id == id)?.entry;
            let join = legs::in_common(entry.messages.first()?, &own)?;
            Some((slot, entry.first_leg.unwrap_or(id), join))
        });
        let Some((earlier, first, join)) = legs::only_one(found) else {
            return;
        };
        if self.groups.join(first, id, join) {
            for slot in [slot, earlier] {
                if let Some(live) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) {
                    live.entry.first_leg = Some(first);
                }
            }
        }
    }

    /// Takes the time of a record that is no SIP message.
    pub fn tick(&mut self, time: Time, news: &mut News) {
        if self.axis.takes_tick() {
            self.clock.advance(time);
            self.release_due(news);
        }
    }

    /// Releases everything, by first message; also tells of the connections that were never made.
    pub fn finish(mut self, news: &mut News) -> Limits {
        self.release_all(news);
        self.limits.wires_forgotten = self.wires.forgotten;
        news.attempts = self.wires.into_attempts();
        self.limits
    }

    // A timer may outlive its entry, and its slot then hold another one.
    fn live(&mut self, slot: u32, id: u64) -> Option<&mut Live> {
        let live = self.slots.get_mut(slot as usize)?.as_mut();
        live.filter(|live| live.entry.id == id)
    }

    fn open(&mut self, head: &Head, keys: Keys) -> u32 {
        self.last_id += 1;
        let messages = self
            .lists
            .pop()
            .unwrap_or_else(|| Messages::with_capacity(LIST));
        let mut entry = Entry::new(self.last_id, head, keys, messages);
        if !is_initial(head) {
            let tomb = self.tombstones.get(&keys.call_id);
            entry.continues = tomb.map(|tomb| tomb.id);
        } else if head.method == Method::Invite {
            entry.reuses = self.reused(&keys);
        }
        self.bytes += entry.weight();
        let live = Some(Live {
            entry,
            due: i64::MAX,
            queued: i64::MAX,
        });
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = live;
                slot
            }
            None => {
                self.slots.push(live);
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        match self.by_call_id.get_mut(&keys.call_id) {
            Some(Slots::Many(slots)) => {
                slots.insert(self.last_id, slot);
            }
            Some(one @ &mut Slots::One(id, first)) => {
                *one = Slots::Many(BTreeMap::from([(id, first), (self.last_id, slot)]));
            }
            None => {
                self.by_call_id
                    .insert(keys.call_id, Slots::One(self.last_id, slot));
            }
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{LogHop, Origin, Time};
    use crate::message::stamp::{Stamp, When};

    fn ping(maker: &keys::KeyMaker, number: u64) -> Box<Stored> {
        let raw = format!(
            "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK{number}\r\n\
             From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: {number}\r\nCSeq: 1 OPTIONS\r\n\r\n"
        )
        .into_bytes();
        let head = Head::read(&raw).unwrap();
        let (origin, second) = (
            Origin { input: 0, place: 1 },
            i64::try_from(number).unwrap(),
        );
        let when = When::At(Time(second * clock::SECOND));
        let stamp = Stamp::of_log(origin, 1, when, LogHop::default());
        let keys = maker.keys(&stamp, &head, &raw);
        Box::new(Stored {
            stamp,
            head,
            raw,
            keys,
            copy: None,
        })
    }

    #[test]
    fn what_an_entry_adds_to_the_weight_leaves_with_it() {
        let (mut session, maker) = (Session::default(), keys::KeyMaker::default());
        let mut news = News::default();
        for number in 0..100 {
            // Sent ten times: more than the list has room for at first.
            for _ in 0..10 {
                session.message(ping(&maker, number), &mut news);
            }
        }
        assert!(session.bytes > 0);
        for second in 100..200 {
            session.tick(Time(second * clock::SECOND), &mut news);
        }
        assert_eq!((session.bytes, news.over.len()), (0, 100));
    }
}
