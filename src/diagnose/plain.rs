//! Calls about which no rule, or only those for the code of the answer, have anything to say, told by
//! what is known of their messages without another look at them: every message on the way between the
//! same two ends, nothing repeated, tags and order as RFC 3261 §4 and §17.1.1 show them.

use super::{Rule, rules};
use crate::layers::Transport;
use crate::message::Method;
use crate::message::field::{Field, Present};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored};
use smallvec::SmallVec;
use std::net::SocketAddr;
use std::sync::LazyLock;

/// Headers that say nothing beyond what every call says.
const USUAL: Present = Present::of(&[
    Field::Accept,
    Field::Allow,
    Field::CSeq,
    Field::CallId,
    Field::Contact,
    Field::ContentLength,
    Field::ContentType,
    Field::Date,
    Field::From,
    Field::Identity,
    Field::MaxForwards,
    Field::MinSe,
    Field::PAssertedIdentity,
    Field::Server,
    Field::SessionExpires,
    Field::Supported,
    Field::To,
    Field::UserAgent,
    Field::Via,
]);
/// Headers with which an answer says more about why it refuses.
const REASONS: Present = Present::of(&[Field::Reason, Field::Warning, Field::RetryAfter]);
/// What a call that was answered may have asked for: where it was not kept to, that is a flaw.
const ASKED: Present = Present::of(&[Field::Require]);
/// Headers of a challenge and of what answers it.
const DIGEST: Present = Present::of(&[
    Field::Authorization,
    Field::ProxyAuthenticate,
    Field::ProxyAuthorization,
    Field::WwwAuthenticate,
]);
/// Rules that a plain refusal may concern whatever its code, because of what stands in it or in the
/// INVITE. All others need a header, a hint, a repeat, a silence or a way that such a call has not.
const OF_ANY_CODE: [&str; 5] = [
    "anonymity-disallowed-433",
    "contact-missing-or-multiple",
    "mandatory-header-missing",
    "max-forwards-range",
    "reason-status-conflict",
];
/// Rules for calls that were cancelled.
const OF_CANCEL: [&str; 4] = [
    "487-missing",
    "cancel-200-crossing",
    "cancel-not-matching",
    "cancel-too-early",
];
/// The codes of refusals, that of a call which was cancelled, those of challenges; and what stands for
/// an answered call.
const CODES: std::ops::Range<u16> = 300..700;
const CANCELLED: u16 = 487;
const CHALLENGES: [u16; 2] = [401, 407];
const ANSWERED: u16 = 200;
/// A longer call with session timers may have been ended by them, nanoseconds.
const LONGEST: i64 = 55 * SECOND;
/// Larger messages may be too large for their way, bytes.
const LARGEST: usize = 4096;
/// Messages: INVITE, 407, ACK, INVITE, a few provisional responses, 200, ACK, BYE, 200.
const MOST: usize = 13;

/// The rules that may have something to say about the call; `None`: all of them.
pub(super) fn rules_for(call: &Call) -> Option<&'static [&'static Rule]> {
    let may_be = call.method == Method::Invite
        && (3..=MOST).contains(&call.messages.len())
        && call.legs.is_empty()
        && call.related.is_empty()
        && call.asides.is_empty()
        && call.media.is_empty()
        && call.continues.is_none()
        && call.reuses.is_none();
    if !may_be {
        return None;
    }
    let messages: SmallVec<[&Stored; MOST]> = call.messages.iter().collect();
    let (challenged, rest) = match behind_challenge(&messages) {
        Some(rest) => (true, rest),
        None => (false, messages.as_slice()),
    };
    let (ended, headers) = match call.outcome {
        Outcome::Succeeded if is_answered(call, rest) => (true, USUAL.and(ASKED)),
        Outcome::Cancelled => (is_cancelled(rest), USUAL),
        Outcome::Failed | Outcome::Refused => (is_refused(rest), USUAL.and(REASONS)),
        _ => return None,
    };
    let headers = match challenged {
        true => headers.and(DIGEST),
        false => headers,
    };
    let plain = ended && messages.iter().all(|m| is_usual(m, headers));
    plain.then(|| of_end(call, challenged))?
}

/// The rules for a call that was answered, and for each code of refusals, in the order of all; first
/// without and then with a challenge before.
static OF_ENDS: LazyLock<[Vec<Vec<&'static Rule>>; 2]> = LazyLock::new(|| {
    [false, true].map(|challenged| {
        let asked = CHALLENGES.into_iter().filter(|_| challenged);
        let codes: SmallVec<[u16; 2]> = asked.collect();
        let explains = |rule: &Rule, code: u16| {
            let mut codes = codes.iter().chain([&code]);
            let (refused, cancelled) = (code > ANSWERED, code == CANCELLED);
            codes.any(|code| rule.codes.contains(code))
                || refused && OF_ANY_CODE.contains(&rule.id)
                || cancelled && OF_CANCEL.contains(&rule.id)
        };
        let of = |code| {
            let all = rules::RULES.iter().copied();
            all.filter(|rule| explains(rule, code)).collect()
        };
        std::iter::once(ANSWERED).chain(CODES).map(of).collect()
    })
});

fn of_end(call: &Call, challenged: bool) -> Option<&'static [&'static Rule]> {
    let index = match call.code()? {
        ..300 => 0,
        code => code - CODES.start + 1,
    };
    let of_codes = OF_ENDS.get(usize::from(challenged))?;
    of_codes.get(usize::from(index)).map(Vec::as_slice)
}

fn is_usual(stored: &Stored, headers: Present) -> bool {
    let head = &stored.head;
    stored.copy.is_none()
        && head.flaws.is_empty()
        && head.hints.is_empty()
        && head.vias == 1
        && head.present.is_within(headers)
        && stored.raw.len() <= LARGEST
        && stored.stamp.lines == 0
        && stored.stamp.time().is_some()
        && stored.stamp.observed().is_some()
}

type Ends = (Option<SocketAddr>, Option<SocketAddr>, Option<Transport>);

fn ends(m: &Stored) -> Ends {
    (m.stamp.source, m.stamp.destination, m.stamp.transport)
}

fn back((source, destination, transport): Ends) -> Ends {
    (destination, source, transport)
}

fn is_request(m: &Stored, method: Method) -> bool {
    m.head.is_request() && m.head.method == method
}

fn answers(m: &Stored, request: &Stored) -> bool {
    m.keys.transaction == request.keys.transaction
        && m.keys.from_tag == request.keys.from_tag
        && ends(m) == back(ends(request))
}

fn tags(m: &Stored) -> (u64, u64) {
    (m.keys.from_tag, m.keys.to_tag)
}

fn has_body(m: &Stored) -> bool {
    (m.head.body as usize) < m.raw.len()
}

fn gap(a: &Stored, b: &Stored) -> Option<i64> {
    a.time().zip(b.time()).map(|(a, b)| b - a)
}

// Before anything has to be repeated.
fn is_soon(a: &Stored, b: &Stored) -> bool {
    gap(a, b).is_some_and(|gap| (0..SECOND / 2).contains(&gap))
}

// INVITE with an offer, provisional responses without one.
fn is_begun(invite: &Stored, between: &[&Stored], answer: &Stored) -> bool {
    let callee = answer.keys.to_tag;
    let provisional = |m: &Stored| {
        let (code, tag) = (m.head.code().unwrap_or(0), m.keys.to_tag);
        (100..200).contains(&code)
            && answers(m, invite)
            && (tag == callee || (tag == 0 && code == 100))
            && !has_body(m)
    };
    is_request(invite, Method::Invite)
        && invite.is_initial()
        && invite.keys.from_tag != 0
        && callee != 0
        && has_body(invite)
        && between.iter().all(|m| provisional(m))
        && answers(answer, invite)
        && is_soon(invite, between.first().unwrap_or(&answer))
}

// INVITE, provisional responses, 200, ACK by the caller, BYE by either, 200.
fn is_answered(call: &Call, messages: &[&Stored]) -> bool {
    let [invite, between @ .., answer, ack, bye, ended] = messages else {
        return false;
    };
    let there = ends(invite);
    let (caller, callee) = (invite.keys.from_tag, answer.keys.to_tag);
    let (by_caller, by_callee) = ((caller, callee), (callee, caller));
    let ended_by = if tags(bye) == by_caller {
        there
    } else {
        back(there)
    };
    !between.is_empty()
        && is_begun(invite, between, answer)
        && answer.head.code() == Some(200)
        && has_body(answer)
        && is_request(ack, Method::Ack)
        && ends(ack) == there
        && tags(ack) == by_caller
        && ack.head.cseq == invite.head.cseq
        && ack.keys.branch != invite.keys.branch
        && is_soon(answer, ack)
        && is_request(bye, Method::Bye)
        && (tags(bye) == by_caller || tags(bye) == by_callee)
        && ends(bye) == ended_by
        && bye.keys.branch != invite.keys.branch
        && ended.head.code() == Some(200)
        && answers(ended, bye)
        && tags(ended) == tags(bye)
        && is_soon(bye, ended)
        && ![ack, bye, ended].into_iter().any(|m| has_body(m))
        && is_ended_by_people(call)
}

// INVITE, provisional responses, a refusal, ACK by the caller in the same transaction.
fn is_refused(messages: &[&Stored]) -> bool {
    let [invite, between @ .., answer, ack] = messages else {
        return false;
    };
    is_begun(invite, between, answer)
        && answer.head.code() >= Some(CODES.start)
        && is_acknowledged(invite, answer, ack)
}

// A refusal and its ACK.
fn is_acknowledged(invite: &Stored, answer: &Stored, ack: &Stored) -> bool {
    !has_body(answer)
        && is_request(ack, Method::Ack)
        && ends(ack) == ends(invite)
        && tags(ack) == (invite.keys.from_tag, answer.keys.to_tag)
        && ack.keys.transaction == invite.keys.transaction
        && !has_body(ack)
        && is_soon(answer, ack)
}

// INVITE, provisional responses, CANCEL by the caller, its 200 and the 487 in either order, ACK.
fn is_cancelled(messages: &[&Stored]) -> bool {
    let [invite, between @ .., cancel, a, b, c] = messages else {
        return false;
    };
    let (taken, answer, ack) = match a.head.method {
        Method::Cancel => (a, b, c),
        _ if b.head.method == Method::Cancel => (b, a, c),
        _ => (c, a, b),
    };
    !between.is_empty()
        && is_begun(invite, between, answer)
        && answer.head.code() == Some(CANCELLED)
        && is_acknowledged(invite, answer, ack)
        && is_request(cancel, Method::Cancel)
        && ends(cancel) == ends(invite)
        && tags(cancel) == (invite.keys.from_tag, 0)
        && cancel.head.cseq == invite.head.cseq
        && cancel.keys.branch == invite.keys.branch
        && !has_body(cancel)
        && taken.head.code() == Some(200)
        && taken.keys.to_tag != 0
        && answers(taken, cancel)
        && is_soon(cancel, taken)
        && is_soon(cancel, answer)
}

// What follows INVITE, provisional responses, a challenge and its ACK: the INVITE with credentials.
fn behind_challenge<'a>(messages: &'a [&'a Stored]) -> Option<&'a [&'a Stored]> {
    let is_challenge = |m: &&Stored| m.head.code().is_some_and(|code| CHALLENGES.contains(&code));
    let at = messages.iter().position(is_challenge)?;
    let (begun, rest) = messages.split_at_checked(at + 2)?;
    let ([invite, .., answer, ack], [again, ..]) = (begun, rest) else {
        return None;
    };
    let between = begun.get(1..at)?;
    let met = is_begun(invite, between, answer)
        && is_acknowledged(invite, answer, ack)
        && is_request(again, Method::Invite)
        && ends(again) == ends(invite)
        && tags(again) == tags(invite)
        && again.head.cseq > invite.head.cseq
        && again.keys.branch != invite.keys.branch
        && !again.head.credentials.is_empty()
        && again.message().body() == invite.message().body()
        && is_soon(ack, again);
    met.then_some(rest)
}

fn is_ended_by_people(call: &Call) -> bool {
    let lasted = call.start().zip(call.end()).map(|(start, end)| end - start);
    let timed = call.has(Field::SessionExpires);
    lasted.is_some_and(|lasted| lasted >= 0 && (!timed || lasted < LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_any_code_exist_and_those_of_a_code_are_in_order() {
        for id in OF_ANY_CODE {
            assert!(rules::rule(id).is_some(), "{id}");
        }
        for id in OF_CANCEL {
            assert!(rules::rule(id).is_some(), "{id}");
        }
        let place = |id: &str| rules::RULES.iter().position(|rule| rule.id == id);
        for of in OF_ENDS.iter().flatten() {
            assert!(of.is_sorted_by_key(|rule| place(rule.id)));
            assert!(of.len() < rules::RULES.len() / 2);
        }
        let has = |challenged: usize, code: u16, id: &str| {
            let of = &OF_ENDS[challenged][usize::from(code - CODES.start + 1)];
            of.iter().any(|rule| rule.id == id)
        };
        assert!(
            OF_ENDS[0][0].is_empty(),
            "an answered call without a challenge"
        );
        assert!(has(0, 486, "busy") && has(0, 487, "487-missing"));
        assert!(!has(0, 486, "487-missing") && !has(0, 486, "auth-stale-nonce"));
        assert!(has(1, 486, "auth-stale-nonce") && has(1, 404, "dest-not-found"));
    }
}
