//! Messages to transactions, dialogs and calls.
//!
//! An entry collects what belongs to one call, registration, ping, ...; it is released once it is
//! over and its timers have run out in capture time, and only then looked at as a whole.

/// When something was active.
mod activity;
/// What was seen beside SIP.
pub mod aside;
mod axis;
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
use crate::layers::Transport;
use crate::message::typed;
use crate::message::{Flaw, Head, Message, Method};
use aside::{Icmp, MOST_ASIDES, What};
use axis::Axis;
use clock::Clock;
use entry::{Entry, is_initial};
use idle::Lines;
use keys::{KeyMap, Keys};
use legs::{Begun, Groups, Later};
use media::{Heard, RtpStream};
use messages::Messages;
use names::Names;
use recent::{Recent, Seen};
use sighting::{Sighting, Sights};
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use timers::{Due, Timers};
use wires::Wires;

/// Caps on what an attacker can open; what bites is counted in [`Limits`].
const MOST_MESSAGES: usize = 4096;
const MOST_ENTRIES: usize = 1_000_000;
const MOST_BYTES: usize = 512 * 1024 * 1024;
const MOST_TOMBSTONES: usize = 65_536;

/// Entries that are due, looked at ahead.
const DUE: usize = 4;
/// Messages that come, looked at ahead.
pub const AHEAD: usize = 8;

/// Messages and lists of released entries kept for use again.
const MOST_SPARE: usize = 4096;
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
        // One part of each cache line that a message takes up.
        let kept = coming.iter().map(|m| {
            let (stamp, sent) = (u64::from(m.stamp.part), m.time().unwrap_or(0) as u64);
            let (vias, cseq) = (u64::from(m.head.vias), u64::from(m.cseq()));
            let (keys, raw) = (m.keys.repeat ^ m.keys.from_tag, m.raw.len() as u64);
            (m.keys.call_id, stamp ^ sent ^ vias ^ cseq ^ keys ^ raw)
        });
        let slots: SmallVec<[(Option<u32>, u64); AHEAD]> = kept
            .map(|(key, sum)| match self.by_call_id.get(&key) {
                Some(Slots::One(_, slot)) => (Some(*slot), sum),
                _ => (None, sum),
            })
            .collect();
        let entries = slots.iter().map(|(slot, sum)| {
            let live = slot.and_then(|slot| self.slots.get(slot as usize)?.as_ref());
            sum + live.map_or(0, |live| live.entry.id + live.entry.messages.len() as u64)
        });
        std::hint::black_box(entries.fold(0, u64::wrapping_add));
    }

    // Their messages were not touched for seconds: fetched together they arrive sooner than one by one.
    fn warm(&self, due: &[Due], now: i64) {
        let live = |(_, _, slot): &Due| self.slots.get(*slot as usize)?.as_ref();
        let over = due.iter().filter_map(live).filter(|live| live.due <= now);
        let messages = over.flat_map(|live| &live.entry.messages);
        let parts = messages.map(|m| {
            let (stamp, head) = (u64::from(m.stamp.part), u64::from(m.head.vias));
            stamp + head + m.keys.repeat + m.raw.capacity() as u64
        });
        std::hint::black_box(parts.fold(0, u64::wrapping_add));
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

    /// Takes what was seen beside SIP: an answer of a name server is remembered, an ICMP error is
    /// noted where the message is that it quotes. One that quotes none is no news of a call.
    pub fn aside(&mut self, aside: Aside) {
        let icmp = match &aside.what {
            What::Icmp(icmp) => icmp,
            What::Dns(_) => return self.names.add(aside),
            What::Wire(_) => {
                let asked = self.asked(&aside);
                return self.wires.add(aside, asked);
            }
        };
        let Some(seen) = self.quoted(icmp, aside.time) else {
            return;
        };
        if let Some(live) = self.live(seen.slot, seen.id)
            && live.entry.asides.len() < MOST_ASIDES
        {
            live.entry.asides.push(aside.about(seen.message));
        }
    }

    /// Takes note of a packet that only keeps a way open.
    pub fn keep_alive(&mut self, source: SocketAddr, time: Time) {
        self.lines.alive(source, time.0);
    }

    /// Takes what is new about a stream of RTP.
    pub fn media(&mut self, stream: RtpStream) {
        self.heard.update(stream);
    }

    // The latest message that an ICMP error can be about: of the Call-ID that it quotes, else one
    // on that hop that begins with the bytes quoted.
    fn quoted(&self, icmp: &Icmp, time: Option<Time>) -> Option<Seen> {
        const NEWEST: usize = 64;
        // Whoever cannot deliver a packet says so at once, or gives up on its neighbour first.
        const LATEST: i64 = 60 * clock::SECOND;
        let in_time = |m: &Stored| match (m.time(), time) {
            (Some(sent), Some(time)) => (0..=LATEST).contains(&(time.0 - sent)),
            _ => true,
        };
        // Of TCP the number is that of the segment, of UDP that of the packet.
        let same_packet = |m: &Stored| {
            let told = icmp.flow.transport == Transport::Udp && icmp.ident != 0;
            !told || m.stamp.ident == 0 || m.stamp.ident == icmp.ident
        };
        let on_hop = |m: &Stored| {
            m.stamp.source == Some(icmp.flow.source)
                && m.stamp.destination == Some(icmp.flow.destination)
                && in_time(m)
                && same_packet(m)
        };
        let entry_in = |slot: u32| {
            let live = self.slots.get(slot as usize).and_then(Option::as_ref);
            live.map(|live| &live.entry)
        };
        let slots = icmp
            .keys
            .and_then(|keys| self.by_call_id.get(&keys.call_id));
        let of_call = slots.and_then(|slots| {
            slots.newest_first().take(NEWEST).find_map(|slot| {
                let entry = entry_in(slot)?;
                let same = |m: &Stored| {
                    icmp.keys
                        .is_some_and(|keys| m.keys.transaction == keys.transaction)
                        && on_hop(m)
                };
                let message = entry.messages.iter().rposition(same)?;
                let id = entry.id;
                Some(Seen { slot, id, message })
            })
        });
        if of_call.is_some() {
            return of_call;
        }
        self.recent.newest_first().find(|seen| {
            let entry = entry_in(seen.slot).filter(|entry| entry.id == seen.id);
            let message = entry.and_then(|entry| entry.messages.get(seen.message));
            message.is_some_and(|m| on_hop(m) && m.raw.starts_with(&icmp.quoted))
        })
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

    // The entry with the latest request that whoever asks for a connection had got just before.
    fn asked(&self, aside: &Aside) -> Option<u64> {
        const NEWEST: usize = 256;
        const LATEST: i64 = 2 * clock::SECOND;
        let What::Wire(connection) = &aside.what else {
            return None;
        };
        if !connection.is_attempt() {
            return None;
        }
        let (source, began) = (connection.flow.source.ip(), aside.began()?);
        let mut newest = self.recent.newest_first().take(NEWEST);
        let asked = newest.find(|seen| {
            let live = self.slots.get(seen.slot as usize).and_then(Option::as_ref);
            let entry = live.map(|l| &l.entry).filter(|entry| entry.id == seen.id);
            let message = entry.and_then(|entry| entry.messages.get(seen.message));
            message.is_some_and(|m| {
                let received = m.stamp.destination.is_some_and(|to| to.ip() == source);
                let before = m.time().is_some_and(|t| (0..LATEST).contains(&(began - t)));
                m.head.is_request() && received && before && m.head.method != Method::Ack
            })
        });
        asked.map(|seen| seen.id)
    }

    fn release_all(&mut self, news: &mut News) {
        self.clock.end();
        self.release_due(news);
        let live = self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(slot, live)| Some((live.as_ref()?.entry.id, slot)));
        let mut rest: Vec<(u64, usize)> = live.collect();
        rest.sort_unstable();
        for (_, slot) in rest {
            self.release(u32::try_from(slot).unwrap_or(u32::MAX), news);
        }
    }

    // The entries that are due first go first.
    fn keep_bounds(&mut self, news: &mut News) {
        while self.is_too_much() {
            let Some(earliest) = self.timers.pop_earliest() else {
                return;
            };
            for (due, id, slot) in earliest {
                if !self.is_too_much() {
                    self.timers.push((due, id, slot));
                } else if self.live(slot, id).is_some() {
                    self.limits.early_releases += 1;
                    self.release(slot, news);
                }
            }
        }
    }

    fn is_too_much(&self) -> bool {
        self.slots.len() - self.free.len() > MOST_ENTRIES || self.bytes > MOST_BYTES
    }

    // A timer may outlive its entry, and its slot then hold another one.
    fn live(&mut self, slot: u32, id: u64) -> Option<&mut Live> {
        let live = self.slots.get_mut(slot as usize)?.as_mut();
        live.filter(|live| live.entry.id == id)
    }

    fn release_due(&mut self, news: &mut News) {
        let Some(now) = self.clock.now() else { return };
        while let Some(over) = self.timers.pop_over(now) {
            for (index, &(_, id, slot)) in over.iter().enumerate() {
                if index % DUE == 0 {
                    let next = over.get(index..).unwrap_or_default();
                    self.warm(next.get(..DUE).unwrap_or(next), now);
                }
                match self.live(slot, id) {
                    Some(live) if live.due > now => {
                        live.queued = live.due;
                        let due = (live.due, id, slot);
                        self.timers.push(due);
                    }
                    Some(_) => self.release(slot, news),
                    None => {}
                }
            }
        }
    }

    /// Released messages whose memory is to be used again.
    pub fn spare(&mut self) -> impl Iterator<Item = Box<Stored>> + '_ {
        self.spare.drain(..)
    }

    fn release(&mut self, slot: u32, news: &mut News) {
        let Some(live) = self.slots.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(slot);
        let (key, id) = (live.entry.key, live.entry.id);
        self.bytes = self.bytes.saturating_sub(live.entry.weight());
        let emptied = match self.by_call_id.get_mut(&key) {
            Some(Slots::Many(slots)) => {
                slots.remove(&id);
                slots.is_empty()
            }
            _ => true,
        };
        if emptied {
            self.by_call_id.remove(&key);
        }
        self.bury(key, &live.entry);
        let first_leg = live.entry.first_leg;
        let mut call = Call::conclude(live.entry, self.clock.now());
        if !self.heard.is_empty() {
            call.media = self.heard.of(&call);
        }
        if !self.lines.is_empty() {
            call.idle = self.lines.before(&call);
            call.alive = self.lines.alive_since(&call);
        }
        if !self.names.is_empty() {
            call.asides.extend(self.names.about(&call));
        }
        if !self.wires.is_empty() {
            call.asides.extend(self.wires.about(&call));
        }
        let Some(first) = first_leg else {
            return news.over.push(call);
        };
        news.over.extend(self.groups.over(first, call));
    }

    /// Takes back a call that was judged: its memory is used again.
    pub fn reuse(&mut self, call: Call) {
        for leg in call.legs {
            self.reuse_list(leg.messages);
        }
        self.reuse_list(call.messages);
    }

    fn reuse_list(&mut self, mut messages: Messages) {
        let room = MOST_SPARE.saturating_sub(self.spare.len());
        self.spare.extend(messages.drain().take(room));
        if messages.capacity() == LIST && self.lists.len() < MOST_SPARE {
            self.lists.push(messages);
        }
    }

    fn bury(&mut self, key: u64, entry: &Entry) {
        let id = entry.id;
        let ended = if entry.is_ended_call() {
            entry.caller_tag
        } else {
            0
        };
        self.tombstones.insert(key, Tomb { id, ended });
        self.buried.push_back((key, id));
        if self.buried.len() > MOST_TOMBSTONES
            && let Some((oldest, of)) = self.buried.pop_front()
            && self
                .tombstones
                .get(&oldest)
                .is_some_and(|tomb| tomb.id == of)
        {
            self.tombstones.remove(&oldest);
        }
    }

    // The call that was answered and ended and whose names a new one has again.
    fn reused(&self, keys: &Keys) -> Option<u64> {
        const NEWEST: usize = 8;
        let tomb = self.tombstones.get(&keys.call_id);
        let buried = tomb.filter(|tomb| tomb.ended != 0 && tomb.ended == keys.from_tag);
        let ended = |slot: u32| {
            let entry = &self.slots.get(slot as usize)?.as_ref()?.entry;
            let same = entry.is_ended_call() && entry.caller_tag == keys.from_tag;
            (same && keys.from_tag != 0).then_some(entry.id)
        };
        let live = self.by_call_id.get(&keys.call_id);
        let live = live.and_then(|slots| slots.newest_first().take(NEWEST).find_map(ended));
        live.or(buried.map(|tomb| tomb.id))
    }

    // The latest entry that takes the message; a Call-ID used for everything must not cost more
    // than a look at its newest entries.
    fn known(&self, head: &Head, keys: &Keys, raw: &[u8]) -> Option<u32> {
        const NEWEST: usize = 64;
        // To compare nonces is dear, and the entry wanted is nearly always the newest.
        const STRANGERS: usize = 4;
        let slots = self.by_call_id.get(&keys.call_id)?;
        // Where several entries could take it, it belongs to the request that it answers or stops.
        if matches!(slots, Slots::Many(_)) {
            let meant = self.answered(head, keys);
            if let Some(slot) = meant.or_else(|| self.meant(head, keys)) {
                return Some(slot);
            }
        }
        let slots = slots.newest_first();
        let (mut answered, mut strangers) = (None, 0);
        let mut takes = |slot: &u32| {
            let live = self.slots.get(*slot as usize).and_then(Option::as_ref);
            let Some(entry) = live.map(|live| &live.entry) else {
                return false;
            };
            if !entry.takes(head, keys) {
                return entry.dials_on(head, keys, raw) || entry.is_sent_anew(head, keys, raw);
            }
            if !is_initial(head) || entry.is_by_caller(keys) {
                return !ignores_challenge(entry, head, raw);
            }
            strangers += 1;
            strangers <= STRANGERS
                && asked_for(entry, answered.get_or_insert_with(|| nonces(head, raw)))
        };
        let known = slots.take(NEWEST).find(|slot| takes(slot));
        known
            .or_else(|| self.answered(head, keys))
            .or_else(|| self.astray(head, keys))
    }

    fn is_named_anew(&self, slot: u32, stored: &Stored) -> bool {
        let live = self.slots.get(slot as usize).and_then(Option::as_ref);
        live.is_some_and(|live| live.entry.is_named_anew(stored))
    }

    // What has a wrong or missing tag belongs to the newest entry that knows the other one.
    fn astray(&self, head: &Head, keys: &Keys) -> Option<u32> {
        const NEWEST: usize = 4;
        let slots = self.by_call_id.get(&keys.call_id)?.newest_first();
        let knows = |slot: &u32| {
            let live = self.slots.get(*slot as usize).and_then(Option::as_ref);
            live.is_some_and(|live| live.entry.knows_a_tag(keys))
        };
        slots
            .take(NEWEST)
            .find(|slot| !is_initial(head) && knows(slot))
    }

    // ACK and CANCEL have the number of the INVITE that they mean.
    fn meant(&self, head: &Head, keys: &Keys) -> Option<u32> {
        const NEWEST: usize = 4;
        if !head.is_request() || !matches!(head.method, Method::Ack | Method::Cancel) {
            return None;
        }
        let slots = self.by_call_id.get(&keys.call_id)?.newest_first();
        let numbered = |slot: &u32| {
            let live = self.slots.get(*slot as usize).and_then(Option::as_ref);
            live.is_some_and(|live| {
                let number = head
                    .cseq
                    .is_some_and(|cseq| live.entry.cseqs.contains(cseq));
                number && live.entry.has_side(keys)
            })
        };
        slots.take(NEWEST).find(numbered)
    }

    // An answer whose tags are not those of its request is its answer all the same.
    fn answered(&self, head: &Head, keys: &Keys) -> Option<u32> {
        const NEWEST: usize = 4;
        const LATEST: usize = 256;
        let slots = self.by_call_id.get(&keys.call_id)?.newest_first();
        let asked = |slot: &u32| {
            let live = self.slots.get(*slot as usize).and_then(Option::as_ref);
            let messages = live.into_iter().flat_map(|live| live.entry.messages.iter());
            let mut latest = messages.rev().take(LATEST);
            latest.any(|m| m.head.is_request() && m.keys.transaction == keys.transaction)
        };
        let known = || slots.take(NEWEST).find(asked);
        (!head.is_request()).then(known).flatten()
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

// The nonces that a request answers; more than a few are no request that anyone sends.
fn nonces(head: &Head, raw: &[u8]) -> Vec<String> {
    let credentials = typed::credentials(Message { raw, head });
    let nonces = credentials.into_iter().map(|c| c.nonce);
    nonces.filter(|nonce| !nonce.is_empty()).take(4).collect()
}

// A further attempt belongs only if it answers what is open: a challenge with credentials. What the
// capture cut off may be them.
fn ignores_challenge(entry: &Entry, head: &Head, raw: &[u8]) -> bool {
    let cut = head.flaws.has(Flaw::CutByCapture);
    if cut || !is_initial(head) || entry.cseqs.contains(head.cseq.unwrap_or(0)) {
        return false;
    }
    let mut finals = entry
        .messages
        .iter()
        .rev()
        .filter(|m| m.head.final_code().is_some());
    let last = finals.find(|m| entry.answers_beginning(&m.head));
    let challenged = last.is_some_and(|m| matches!(m.head.code(), Some(401 | 407)));
    let request = Message { raw, head };
    let with = |kind| request.header(kind).is_some();
    challenged && !with("Authorization") && !with("Proxy-Authorization")
}

// Under another From-tag it must hold the nonce that was given out.
fn asked_for(entry: &Entry, answered: &[String]) -> bool {
    let holds = |m: &&Stored| {
        let holds = |nonce: &String| memchr::memmem::find(&m.raw, nonce.as_bytes()).is_some();
        matches!(m.head.code(), Some(401 | 407)) && answered.iter().any(holds)
    };
    let challenge = entry.messages.iter().rev().take(8).find(holds);
    challenge.is_some_and(|m| {
        let mut asked = typed::challenges(m.message()).into_iter();
        asked.any(|challenge| answered.contains(&challenge.nonce))
    })
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
