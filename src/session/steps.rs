//! Which final responses are only a step on the way (design.md, "Steps").

use super::call::Call;
use super::entry::Stored;
use super::outcome;
use crate::message::{Method, typed};
use foldhash::fast::RandomState;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};

/// Why a final response did not end the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A challenge that was answered with credentials.
    ChallengeMet,
    /// A redirection that was followed.
    RedirectFollowed,
    /// Sent again with what was asked for, or elsewhere.
    Retried,
    /// The 487 that follows a CANCEL.
    Cancelled,
    /// A copy handed on by a proxy.
    Relayed,
    /// Another branch of a fork decided.
    ForkLost,
}

impl Step {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Step::ChallengeMet => "challenge-met",
            Step::RedirectFollowed => "redirect-followed",
            Step::Retried => "retried",
            Step::Cancelled => "cancelled",
            Step::Relayed => "relayed",
            Step::ForkLost => "fork-lost",
        }
    }
}

// More finals than this in one entry are a subscription or a flood, where relays are not looked for.
const MOST_COMPARED: usize = 512;

/// Marks the steps of a call.
pub(super) fn mark(call: &mut Call) {
    if call.finals.len() <= MOST_COMPARED {
        mark_relays(call);
        for index in 0..call.finals.len() {
            if call.finals[index].step.is_none() {
                call.finals[index].step = answered_step(call, index);
            }
        }
        mark_lost_forks(call);
    }
}

// The copy made nearest the callee carries the most Vias; a relay of it has lost the topmost.
fn mark_relays(call: &mut Call) {
    let mut paths = Paths::default();
    for later in 1..call.finals.len() {
        let original = (0..later)
            .filter(|&earlier| is_relay(call, &mut paths, earlier, later))
            .min_by_key(|&earlier| call.message_of(earlier).map_or(u16::MAX, |m| m.head.vias));
        if let Some(original) = original {
            call.finals[later].step = Some(Step::Relayed);
            call.finals[later].step_of = Some(original);
        }
    }
}

fn is_relay(call: &Call, paths: &mut Paths, earlier: usize, later: usize) -> bool {
    let (Some(a), Some(b)) = (call.message_of(earlier), call.message_of(later)) else {
        return false;
    };
    let same = call.finals[earlier].code == call.finals[later].code
        && a.head.method == b.head.method
        && a.head.cseq == b.head.cseq
        && a.keys.to_tag == b.keys.to_tag;
    if !same || is_handed_on(a, b) {
        return same;
    }
    if b.head.vias >= a.head.vias {
        return false;
    }
    let rest = paths.of(later, b).last().copied();
    let count = paths.of(later, b).len();
    count == 0 || paths.of(earlier, a).get(count - 1).copied() == rest
}

// What came to its sender with the same To-tag, from somebody else than it goes to, was not made by
// him, whatever Vias he left in it.
fn is_handed_on(a: &Stored, b: &Stored) -> bool {
    let ip = |at: Option<std::net::SocketAddr>| at.map(|at| at.ip());
    let (from, to) = (ip(a.stamp.source), ip(b.stamp.destination));
    let between = ip(b.stamp.source);
    b.keys.to_tag != 0
        && between.is_some()
        && ip(a.stamp.destination) == between
        && from.is_some()
        && from != to
        && from != between
        && a.keys.transaction != b.keys.transaction
}

/// The Vias of final responses, read once each: the pairs to compare are many more.
#[derive(Default)]
struct Paths {
    known: HashMap<usize, Vec<u64>, RandomState>,
    hash: RandomState,
}

impl Paths {
    // A hash for each number of Vias, counted from the last one, which the caller wrote.
    fn of(&mut self, index: usize, message: &Stored) -> &[u64] {
        let hash = &self.hash;
        self.known.entry(index).or_insert_with(|| {
            let mut hasher = hash.build_hasher();
            let vias = typed::vias(message.message());
            let prefixes = vias.into_iter().rev().map(|via| {
                (via.sent_by, via.branch).hash(&mut hasher);
                hasher.finish()
            });
            prefixes.collect()
        })
    }
}

fn answered_step(call: &Call, index: usize) -> Option<Step> {
    let last = call.finals[index].message;
    let response = call.messages.get(last)?;
    let later = || {
        call.messages
            .iter()
            .skip(last + 1)
            .filter(|m| m.copy.is_none() && m.head.is_request())
    };
    let newer = || {
        later().filter(|m| {
            m.head.method == response.head.method
                && m.keys.from_tag == response.keys.from_tag
                && m.cseq() > response.cseq()
        })
    };
    match call.finals[index].code {
        401 | 407 => {
            let met = |m: &Stored| {
                m.message()
                    .header("Authorization")
                    .or_else(|| m.message().header("Proxy-Authorization"))
                    .is_some()
            };
            // Another From-tag is allowed here: some stacks begin anew and still answer the nonce.
            let retry = |m: &&Stored| {
                m.head.method == response.head.method && m.cseq() > response.cseq() && met(m)
            };
            later().find(retry).map(|_| Step::ChallengeMet)
        }
        300..=399 => {
            let recursed =
                || branches_elsewhere(response, later()).any(|m| goes_to_contact(m, response));
            (newer().next().is_some() || recursed()).then_some(Step::RedirectFollowed)
        }
        // Overlap dialling: the number with more digits may have been sent before this answer.
        484 => call
            .messages
            .iter()
            .find(|m| {
                m.is_initial()
                    && m.head.method == response.head.method
                    && m.cseq() > response.cseq()
            })
            .map(|_| Step::Retried),
        420 | 421 | 422 | 423 | 428 | 491 | 494 => newer().next().map(|_| Step::Retried),
        503 => {
            let elsewhere = || branches_elsewhere(response, later()).next().is_some();
            (newer().next().is_some() || elsewhere()).then_some(Step::Retried)
        }
        487 if response.head.method == Method::Invite => {
            let cancels = |m: &&Stored| {
                m.head.is_request()
                    && m.head.method == Method::Cancel
                    && m.cseq() == response.cseq()
            };
            call.messages.iter().find(cancels).map(|_| Step::Cancelled)
        }
        _ => None,
    }
}

// Further branches that the receiver of the response (a proxy) opened for the same request.
fn branches_elsewhere<'a>(
    response: &'a Stored,
    later: impl Iterator<Item = &'a Stored>,
) -> impl Iterator<Item = &'a Stored> {
    later.filter(|m| {
        m.head.method == response.head.method
            && m.cseq() == response.cseq()
            && m.keys.transaction != response.keys.transaction
            && m.stamp.sender().is(response.stamp.receiver())
            && m.stamp.destination != response.stamp.source
    })
}

fn goes_to_contact(request: &Stored, redirection: &Stored) -> bool {
    let uri = request
        .message()
        .request_uri()
        .map(|uri| uri.of(&request.raw));
    let bare = uri
        .and_then(crate::message::uri::Uri::parse)
        .map(|uri| uri.bare());
    bare.is_some_and(|bare| typed::contacts(redirection.message()).contains(&bare))
}

// Where a request was forked, the answer that reached furthest towards the caller decides.
fn mark_lost_forks(call: &mut Call) {
    if call.finals.len() < 2 {
        return;
    }
    let open: SmallVec<[usize; 4]> = (0..call.finals.len())
        .filter(|&i| {
            call.finals[i].step.is_none()
                && call.message_of(i).is_some_and(|m| call.is_of_beginning(m))
        })
        .collect();
    if open.len() < 2 {
        return;
    }
    let Some(winner) = winner(call, open.iter().copied()) else {
        return;
    };
    let cseq = call.message_of(winner).map(Stored::cseq);
    for &index in open.iter().filter(|&&index| index != winner) {
        let lost = call
            .message_of(index)
            .is_some_and(|m| Some(m.cseq()) == cseq && has_sibling(call, m));
        if lost && call.finals[index].code >= 300 {
            call.finals[index].step = Some(Step::ForkLost);
        }
    }
}

/// Of the open final responses to the beginning: a 2xx, and one that was acknowledged before one
/// that never was, else the one that came nearest the caller, else the last.
pub(super) fn winner(call: &Call, open: impl Iterator<Item = usize>) -> Option<usize> {
    let rank = |&index: &usize| {
        let accepted = (200..300).contains(&call.finals[index].code);
        let success = accepted && given_before(call, index).is_none();
        let message = call.message_of(index);
        (
            !success,
            success && outcome::never_acknowledged(call, index),
            std::cmp::Reverse(message.map_or(0, Stored::cseq)),
            reach(call, index),
            std::cmp::Reverse(index),
        )
    };
    open.min_by_key(rank)
}

/// The refusal that the receiver of a 2xx had handed towards the caller before, who then never saw
/// the 2xx: the call had failed for him.
pub fn given_before(call: &Call, index: usize) -> Option<usize> {
    let answer = call.message_of(index)?;
    let at = answer.time()?;
    let earlier = (0..call.finals.len()).filter(|&other| call.finals[other].code >= 300);
    let given = earlier.into_iter().find(|&other| {
        call.message_of(other).is_some_and(|given| {
            given.cseq() == answer.cseq()
                && given.head.method == answer.head.method
                && given.head.vias < answer.head.vias
                && given.stamp.sender().is(answer.stamp.receiver())
                && given.time().is_some_and(|time| time < at)
        })
    })?;
    let seen_by = call.message_of(given)?.head.vias;
    (reach(call, index) > seen_by).then_some(given)
}

// The fewest Vias that the response, or a relay of it, was seen with.
fn reach(call: &Call, index: usize) -> u16 {
    let relays = (0..call.finals.len()).filter(|&other| call.finals[other].step_of == Some(index));
    let all = relays
        .chain([index])
        .filter_map(|i| call.message_of(i))
        .map(|m| m.head.vias);
    all.min().unwrap_or(u16::MAX)
}

// Was the request that this response answers one of several branches of one proxy?
fn has_sibling(call: &Call, response: &Stored) -> bool {
    let mut branches = call.messages.iter().filter(|m| {
        m.head.is_request()
            && m.head.method == response.head.method
            && m.cseq() == response.cseq()
            && m.head.vias == response.head.vias
    });
    branches.any(|m| m.keys.transaction != response.keys.transaction)
}
