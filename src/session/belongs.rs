//! Which live entry a message belongs to.

use super::entry::{Entry, is_initial};
use super::keys::Keys;
use super::{Session, Slots, Stored};
use crate::message::{Flaw, Head, Message, Method, typed};

impl Session {
    // The call that was answered and ended and whose names a new one has again.
    pub(super) fn reused(&self, keys: &Keys) -> Option<u64> {
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
    pub(super) fn known(&self, head: &Head, keys: &Keys, raw: &[u8]) -> Option<u32> {
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

    pub(super) fn is_named_anew(&self, slot: u32, stored: &Stored) -> bool {
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
