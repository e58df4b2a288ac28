//! How an entry ended (design.md, "Outcome").

use super::call::{Call, Final};
use super::clock::SECOND;
use super::entry::{Stored, TRANSACTION};
use super::steps::{self, Step};
use crate::layers::Transport;
use crate::message::Method;

/// A 2xx is repeated every T2 = 4 s at most (RFC 3261 §13.3.1.4).
const T2_AND_MARGIN: i64 = 6 * SECOND;

/// How a call, registration, ... ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// 2xx, by any fork.
    Succeeded,
    /// 486, 600, 603, 607, 608: somebody said no.
    Refused,
    /// Any other final 4xx to 6xx, a challenge never met, or a 2xx never acknowledged.
    Failed,
    /// The caller gave up first.
    Cancelled,
    /// 3xx that nobody followed.
    Redirected,
    /// Silence through 64*T1 in view of the capture.
    TimedOut,
    /// What was recorded does not show how it ended.
    Unfinished,
}

impl Outcome {
    /// All, in the order in which reports list them.
    pub const ALL: [Outcome; 7] = [
        Outcome::Succeeded,
        Outcome::Refused,
        Outcome::Failed,
        Outcome::Cancelled,
        Outcome::Redirected,
        Outcome::TimedOut,
        Outcome::Unfinished,
    ];

    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
            Outcome::Redirected => "redirected",
            Outcome::TimedOut => "timed-out",
            Outcome::Unfinished => "unfinished",
        }
    }

    /// What `--fail-on failed` means: failed, timed out or redirected to nowhere.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Outcome::Failed | Outcome::TimedOut | Outcome::Redirected
        )
    }

    /// A failure, or a refusal: the answer, or the silence, that has to be explained.
    pub fn is_negative(self) -> bool {
        self.is_failure() || self == Outcome::Refused
    }
}

/// Outcome and deciding final response of a call whose steps are marked.
pub(super) fn decide(call: &Call) -> (Outcome, Option<usize>) {
    if call.method == Method::Invite
        && let Some(decided) = cancelled(call)
    {
        return decided;
    }
    let of_beginning = |f: &Final| {
        call.messages
            .get(f.message)
            .is_some_and(|m| call.is_of_beginning(m))
    };
    let open = (0..call.finals.len())
        .filter(|&i| call.finals[i].step.is_none() && of_beginning(&call.finals[i]));
    match steps::winner(call, open) {
        winner if !call.has_beginning() => without_beginning(call, winner),
        Some(index) => by_code(call, index),
        None if silent_to_the_end(call) => (Outcome::TimedOut, None),
        None => (Outcome::Unfinished, None),
    }
}

// That the beginning was not recorded does not mean that the end was not. A final answer ends its
// request all the same (RFC 3261 §17.1.1.2), and what is pasted into a ticket is often no more than
// that; a challenge or redirection may have been followed.
fn without_beginning(call: &Call, winner: Option<usize>) -> (Outcome, Option<usize>) {
    let open = (Outcome::Unfinished, None);
    if call.continues.is_some() {
        return open;
    }
    let inside = call.first().is_some_and(|m| m.head.is_request());
    match call.method {
        // A dialog that is there was answered, whatever became of a change in it.
        Method::Invite if inside && call.bye().is_some() => (Outcome::Succeeded, None),
        Method::Invite if inside => open,
        Method::Cancel => call
            .finals
            .iter()
            .position(|f| f.code == 487)
            .map_or(open, |index| (Outcome::Cancelled, Some(index))),
        _ => match winner.map(|index| (index, call.finals[index].code)) {
            None | Some((_, 300..=399 | 401 | 407)) => open,
            Some((index, _)) => by_code(call, index),
        },
    }
}

fn by_code(call: &Call, index: usize) -> (Outcome, Option<usize>) {
    let outcome = match call.finals[index].code {
        200..=299 if never_acknowledged(call, index) => Outcome::Failed,
        200..=299 if perhaps_never_acknowledged(call, index) => return (Outcome::Unfinished, None),
        200..=299 => Outcome::Succeeded,
        code if call.method == Method::Options && code < 500 && code != 408 => Outcome::Succeeded,
        300..=399 => Outcome::Redirected,
        401 | 407 if !waited(call, index) => return (Outcome::Unfinished, None),
        486 | 600 | 603 | 607 | 608 => Outcome::Refused,
        _ => Outcome::Failed,
    };
    (outcome, Some(index))
}

// CANCEL on the hop of the caller and no 2xx, or a 2xx that crossed it and was ended at once.
fn cancelled(call: &Call) -> Option<(Outcome, Option<usize>)> {
    let cancel = callers_cancel(call)?;
    if !call.has_beginning() {
        return None;
    }
    if let Some(answer) = call.answer() {
        let (answered, cancelled) = (answer.time()?, cancel.time()?);
        let bye = call.bye().and_then(Stored::time)?;
        let crossed = answered >= cancelled - SECOND && bye - answered.max(cancelled) <= 2 * SECOND;
        return crossed.then_some((Outcome::Cancelled, None));
    }
    let is_487 = |f: &Final| f.code == 487 && f.step == Some(Step::Cancelled);
    let terminated = call.finals.iter().position(is_487);
    // Answered before the CANCEL was sent: that answer decides.
    let of_beginning = |m: &&Stored| call.is_of_beginning(m);
    let other = call.finals.iter().position(|f| {
        f.step.is_none()
            && f.code >= 300
            && call.messages.get(f.message).filter(of_beginning).is_some()
    });
    let beaten = other
        .and_then(|index| call.message_of(index))
        .is_some_and(|m| m.time() < cancel.time());
    (!beaten).then_some((Outcome::Cancelled, terminated.or(other)))
}

/// The CANCEL that the caller sent: it has the branch of the INVITE on the hop where the INVITE
/// was first seen (RFC 3261 §9.1). A proxy that gives up a branch cancels on its own hop.
pub fn callers_cancel(call: &Call) -> Option<&Stored> {
    let invites = || {
        call.requests(Method::Invite)
            .map(|(_, m)| m)
            .filter(|m| call.is_of_beginning(m))
    };
    let first_hop = invites().map(|m| m.head.vias).min()?;
    fn branch(m: &Stored) -> &[u8] {
        m.head.branch.of(&m.raw)
    }
    call.requests(Method::Cancel)
        .map(|(_, m)| m)
        .find(|cancel| {
            let of_same_branch = |m: &Stored| {
                m.head.vias == first_hop
                    && branch(m) == branch(cancel)
                    && m.stamp.source == cancel.stamp.source
            };
            invites().any(of_same_branch)
        })
}

/// Was a 2xx to INVITE repeated because no ACK arrived, through 64*T1 in view? An ACK that was
/// seen and did not stop the repeats did not arrive.
pub fn never_acknowledged(call: &Call, index: usize) -> bool {
    let (Some(message), answer) = (call.message_of(index), &call.finals[index]) else {
        return false;
    };
    if given_up(call, index).is_some() {
        return true;
    }
    if !is_repeated(call, index) || !waited(call, index) {
        return false;
    }
    let last = answer
        .repeats
        .last()
        .and_then(|&at| call.messages.get(at))
        .and_then(Stored::time);
    match (acknowledgement(call, message).and_then(Stored::time), last) {
        (None, _) => true,
        (Some(acknowledged), Some(last)) => last > acknowledged + T2_AND_MARGIN,
        (Some(_), None) => false,
    }
}

/// The BYE with which the caller gave up a 2xx to INVITE that it got and never acknowledged: 64*T1
/// after the answer, over the connection of the INVITE, and by the sequence numbers of TCP it had sent
/// nothing over that connection in between.
pub fn given_up(call: &Call, index: usize) -> Option<usize> {
    const LIFE: std::ops::Range<i64> =
        TRANSACTION * SECOND - SECOND / 2..(TRANSACTION + 1) * SECOND;
    let answer = call.message_of(index)?;
    let tcp = answer.stamp.transport == Some(Transport::Tcp) && answer.stamp.lines == 0;
    if call.method != Method::Invite || !tcp || acknowledgement(call, answer).is_some() {
        return None;
    }
    let (at, bye) = call.requests(Method::Bye).next()?;
    let (ended, answered) = (bye.time()?, answer.time()?);
    let request = call.requests(Method::Invite).map(|(_, m)| m).find(|m| {
        let next = m
            .stamp
            .ident
            .wrapping_add(u32::try_from(m.raw.len()).unwrap_or(0));
        let same_way = m.stamp.observed() == bye.stamp.observed();
        m.cseq() == answer.cseq() && same_way && m.stamp.ident != 0 && next == bye.stamp.ident
    });
    (LIFE.contains(&(ended - answered)) && request.is_some()).then_some(at)
}

/// The first 2xx to the request that began the call that was never acknowledged.
pub fn unacknowledged(call: &Call) -> Option<usize> {
    (0..call.finals.len()).find(|&index| {
        let accepted = (200..300).contains(&call.finals[index].code);
        let of_beginning = |m| call.is_of_beginning(m);
        accepted
            && call.message_of(index).is_some_and(of_beginning)
            && never_acknowledged(call, index)
    })
}

// The same where the log has no times: whether it was waited for long enough is not known.
fn perhaps_never_acknowledged(call: &Call, index: usize) -> bool {
    let Some(message) = call.message_of(index).filter(|m| m.time().is_none()) else {
        return false;
    };
    let Some(acknowledgement) = acknowledgement(call, message) else {
        return is_repeated(call, index);
    };
    // One repeat may cross the ACK; more did not get it.
    let same = |m: &Stored| std::ptr::eq(m, acknowledgement);
    let acknowledged = call.messages.iter().position(same);
    let later = call.finals[index].repeats.iter();
    is_repeated(call, index) && later.filter(|at| Some(**at) > acknowledged).count() > 1
}

// Is it a 2xx to INVITE that its sender repeated more than once?
fn is_repeated(call: &Call, index: usize) -> bool {
    const COPIES: usize = 3;
    call.method == Method::Invite && call.finals[index].repeats.len() + 1 >= COPIES
}

/// The first ACK to a 2xx, on whatever hop it was seen.
pub fn acknowledgement<'a>(call: &'a Call, answer: &'a Stored) -> Option<&'a Stored> {
    acknowledgements(call, answer).next().map(|(_, m)| m)
}

/// The ACKs to a 2xx on all hops, with their index. Each fork has its own To-tag and ACK.
pub fn acknowledgements<'a>(
    call: &'a Call,
    answer: &'a Stored,
) -> impl Iterator<Item = (usize, &'a Stored)> {
    call.requests(Method::Ack)
        .filter(|(_, m)| m.cseq() == answer.cseq() && m.keys.to_tag == answer.keys.to_tag)
}

// Did the capture go on for 64*T1 after the final response?
fn waited(call: &Call, index: usize) -> bool {
    let since = call.message_of(index).and_then(Stored::time);
    in_view(since, call.seen_until)
}

fn silent_to_the_end(call: &Call) -> bool {
    let requests = call
        .originals()
        .filter(|(_, m)| m.head.is_request() && call.is_of_beginning(m));
    let last_attempt = requests.filter_map(|(_, m)| m.time()).max();
    let provisional = call
        .messages
        .iter()
        .filter(|m| m.head.code().is_some_and(|code| code < 200));
    let last_sign = provisional.filter_map(Stored::time).max();
    match (call.method, last_sign) {
        // A provisional response stops the timers of the caller; Timer C of a proxy is over 3 minutes.
        (Method::Invite, Some(sign)) => call
            .seen_until
            .is_some_and(|now| now >= sign + 180 * SECOND),
        _ => in_view(last_attempt, call.seen_until),
    }
}

fn in_view(since: Option<i64>, until: Option<i64>) -> bool {
    matches!((since, until), (Some(since), Some(until)) if until >= since + TRANSACTION * SECOND)
}
