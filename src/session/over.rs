//! What is over: entries whose time has come, or for which there is no more room.

use super::call::Call;
use super::entry::Entry;
use super::messages::Messages;
use super::timers::Due;
use super::{LIST, News, Session, Slots, Stored, Tomb};

/// Caps on what an attacker can open; what bites is counted in [`super::Limits`].
const MOST_ENTRIES: usize = 1_000_000;
const MOST_BYTES: usize = 512 * 1024 * 1024;
const MOST_TOMBSTONES: usize = 65_536;
/// Entries that are due, looked at ahead.
const DUE: usize = 4;
/// Messages and lists of released entries kept for use again.
const MOST_SPARE: usize = 4096;

impl Session {
    // Their messages were not touched for seconds: fetched together they arrive sooner than one by one.
    fn warm(&self, due: &[Due], now: i64) {
        let live = |(_, _, slot): &Due| self.slots.get(*slot as usize)?.as_ref();
        let over = due.iter().filter_map(live).filter(|live| live.due <= now);
        let messages = over.flat_map(|live| &live.entry.messages);
        std::hint::black_box(messages.fold(0, |all, m| all ^ m.touch()));
    }

    pub(super) fn release_all(&mut self, news: &mut News) {
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
    pub(super) fn keep_bounds(&mut self, news: &mut News) {
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

    pub(super) fn release_due(&mut self, news: &mut News) {
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

    pub(super) fn release(&mut self, slot: u32, news: &mut News) {
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
}
