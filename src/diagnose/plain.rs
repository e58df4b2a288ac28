//! Calls about which no rule has anything to say, told by what is known of their messages without
//! another look at them: answered, acknowledged and ended as RFC 3261 §4 shows it, nothing repeated.

use crate::message::Method;
use crate::message::field::{Field, Present};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored};
use smallvec::SmallVec;

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
/// A longer call with session timers may have been ended by them, nanoseconds.
const LONGEST: i64 = 55 * SECOND;
/// Larger messages may be too large for their way, bytes.
const LARGEST: usize = 1200;
/// Messages: INVITE, a few provisional responses, 200, ACK, BYE, 200.
const MOST: usize = 9;

/// Is it such a call?
pub(super) fn is_plain(call: &Call) -> bool {
    call.method == Method::Invite
        && call.outcome == Outcome::Succeeded
        && (6..=MOST).contains(&call.messages.len())
        && call.legs.is_empty()
        && call.related.is_empty()
        && call.asides.is_empty()
        && call.media.is_empty()
        && call.continues.is_none()
        && call.reuses.is_none()
        && call.messages.iter().all(is_usual)
        && is_in_order(call)
}

fn is_usual(stored: &Stored) -> bool {
    let head = &stored.head;
    stored.copy.is_none()
        && head.flaws.is_empty()
        && head.hints.is_empty()
        && head.vias == 1
        && head.present.is_within(USUAL)
        && stored.raw.len() <= LARGEST
        && stored.stamp.lines == 0
        && stored.stamp.time().is_some()
        && stored.stamp.observed().is_some()
}

// INVITE, provisional responses, 200, ACK by the caller, BYE by either, 200; every message on the way
// between the same two ends, tags as they have to be.
fn is_in_order(call: &Call) -> bool {
    let messages: SmallVec<[&Stored; MOST]> = call.messages.iter().collect();
    let [invite, between @ .., answer, ack, bye, ended] = messages.as_slice() else {
        return false;
    };
    let ends = |m: &Stored| (m.stamp.source, m.stamp.destination, m.stamp.transport);
    let there = ends(invite);
    let back = (there.1, there.0, there.2);
    let towards = |m: &Stored, way| ends(m) == way;
    let is_request = |m: &Stored, method| m.head.is_request() && m.head.method == method;
    let answers = |m: &Stored, request: &Stored| {
        m.keys.transaction == request.keys.transaction && m.keys.from_tag == request.keys.from_tag
    };
    let (caller, callee) = (invite.keys.from_tag, answer.keys.to_tag);
    let provisional = |m: &Stored| {
        let code = m.head.code().unwrap_or(0);
        let tag = m.keys.to_tag;
        (100..200).contains(&code)
            && answers(m, invite)
            && towards(m, back)
            && (tag == callee || (tag == 0 && code == 100))
    };
    let (by_caller, by_callee) = ((caller, callee), (callee, caller));
    let tags = |m: &Stored| (m.keys.from_tag, m.keys.to_tag);
    let ended_by = if tags(bye) == by_caller { there } else { back };
    let bye_back = (ended_by.1, ended_by.0, ended_by.2);
    is_request(invite, Method::Invite)
        && invite.is_initial()
        && caller != 0
        && callee != 0
        && between.iter().all(|m| provisional(m))
        && answer.head.code() == Some(200)
        && answers(answer, invite)
        && towards(answer, back)
        && is_request(ack, Method::Ack)
        && towards(ack, there)
        && tags(ack) == by_caller
        && ack.head.cseq == invite.head.cseq
        && ack.keys.branch != invite.keys.branch
        && is_request(bye, Method::Bye)
        && (tags(bye) == by_caller || tags(bye) == by_callee)
        && towards(bye, ended_by)
        && bye.keys.branch != invite.keys.branch
        && ended.head.code() == Some(200)
        && answers(ended, bye)
        && towards(ended, bye_back)
        && tags(ended) == tags(bye)
        && bodies_are_those_of_an_offer(invite, between, answer, [ack, bye, ended])
        && is_ended_by_people(call)
        && is_prompt(&messages)
}

fn is_ended_by_people(call: &Call) -> bool {
    let lasted = call.start().zip(call.end()).map(|(start, end)| end - start);
    let timed = call.has(Field::SessionExpires);
    lasted.is_some_and(|lasted| lasted >= 0 && (!timed || lasted < LONGEST))
}

// An offer in the INVITE, the answer in the 200, nothing else.
fn bodies_are_those_of_an_offer(
    invite: &Stored,
    between: &[&Stored],
    answer: &Stored,
    others: [&Stored; 3],
) -> bool {
    let has_body = |m: &Stored| (m.head.body as usize) < m.raw.len();
    has_body(invite)
        && has_body(answer)
        && !between.iter().any(|m| has_body(m))
        && !others.into_iter().any(has_body)
}

// The first answer, the ACK and the answer to BYE come before anything has to be repeated.
fn is_prompt(messages: &[&Stored]) -> bool {
    const SOON: i64 = SECOND / 2;
    let [invite, first, .., answer, ack, bye, ended] = messages else {
        return false;
    };
    let soon = |a: &Stored, b: &Stored| {
        let gap = a.time().zip(b.time()).map(|(a, b)| b - a);
        gap.is_some_and(|gap| (0..SOON).contains(&gap))
    };
    soon(invite, first) && soon(answer, ack) && soon(bye, ended)
}
