//! Answers that do not find their request: the branch, the host or the CSeq is another one.

use super::lint::is_whole;
use crate::message::Method;
use crate::session::{Call, Stored};

/// A response for which no request is there, and the request that it must mean.
#[derive(Clone, Copy, Debug)]
pub struct Orphan {
    /// Index of the request.
    pub request: usize,
    /// What differs.
    pub other: Other,
}

/// What tells a response from the one that its request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// Number or method.
    CSeq,
    /// Branch or host of the topmost Via.
    Via,
}

/// The request that a response must mean though nothing but the hop and one of branch and CSeq says
/// so: it was sent before and is still unanswered.
pub fn orphan(call: &Call, index: usize) -> Option<Orphan> {
    let response = call.messages.get(index)?;
    if response.head.is_request() || !is_whole(response) {
        return None;
    }
    let own = call.transaction_of(index)?;
    if own.request().is_some() {
        return None;
    }
    let waiting = call.transactions().iter().filter(|t| !t.is_answered());
    let waiting = waiting.filter_map(|t| t.request()).filter(|at| *at < index);
    waiting
        .filter_map(|at| Some((at, call.messages.get(at)?)))
        .find_map(|(at, request)| {
            let same_branch = request.head.branch.of(&request.raw)
                == response.head.branch.of(&response.raw)
                && request.head.sent_by.of(&request.raw) == response.head.sent_by.of(&response.raw);
            // A CANCEL has the branch and the number of its INVITE.
            let cancel = request.cseq() == response.cseq()
                && [request.head.method, response.head.method].contains(&Method::Cancel);
            let other = match (same_branch, same_cseq(request, response)) {
                (true, false) if !cancel => Other::CSeq,
                (false, true) => Other::Via,
                _ => return None,
            };
            is_way_back(request, response).then_some(Orphan { request: at, other })
        })
}

/// The answers that must mean a request though they have another Via: whoever sent them has read it.
/// One with another CSeq may be what a CSeq that cannot be read comes to, so it says less.
pub(super) fn strays<'a>(
    call: &'a Call,
    index: usize,
    request: &'a Stored,
) -> impl Iterator<Item = usize> + 'a {
    let lone = call.transactions().iter().filter(|t| t.request().is_none());
    let answers = lone.flat_map(|t| t.provisionals.iter().chain(&t.finals));
    answers.copied().filter(move |at| {
        let means = |answer: &Stored| {
            is_whole(answer) && is_way_back(request, answer) && same_cseq(request, answer)
        };
        *at > index && call.messages.get(*at).is_some_and(means)
    })
}

fn is_way_back(request: &Stored, response: &Stored) -> bool {
    request.stamp.sender().is(response.stamp.receiver())
        && request.stamp.receiver().is(response.stamp.sender())
}

fn same_cseq(request: &Stored, response: &Stored) -> bool {
    (request.head.method, request.cseq()) == (response.head.method, response.cseq())
}
