//! A request that began a call and that nobody answered on its hop: what several rules look at.

use super::finding::deciding;
use crate::session::{Call, Outcome, Stored, Transaction};

/// Answers by which an element says that somebody behind it did not answer it in time, or could not
/// be reached (RFC 3261 §8.1.3.1, §16.7; 477 and 478 are those of the SER family).
pub const GAVE_UP: [u16; 7] = [408, 477, 478, 480, 500, 503, 504];

/// A request without any answer that decided how the call ended.
#[derive(Clone, Copy, Debug)]
pub struct Silence<'a> {
    /// Index of the request as it was first sent.
    pub index: usize,
    /// The request.
    pub request: &'a Stored,
    /// It and its repeats.
    pub transaction: &'a Transaction,
    /// What its sender answered in turn, where that decided the call.
    pub gave_up: Option<(usize, &'a Stored)>,
}

/// The silences that decided how a call ended, nearest the caller first: nobody answered at all, or
/// an element made the final answer because nobody answered it.
pub fn deciding_silences(call: &Call) -> Vec<Silence<'_>> {
    let gave_up = match (call.outcome, deciding(call)) {
        (Outcome::TimedOut, _) => None,
        (Outcome::Failed, Some(answer)) if GAVE_UP.contains(&call.code().unwrap_or(0)) => {
            Some(answer)
        }
        _ => return Vec::new(),
    };
    let silent = call.transactions().iter().filter_map(|transaction| {
        let index = transaction.request()?;
        let request = call.messages.get(index)?;
        let counts = !transaction.is_answered()
            && call.is_of_beginning(request)
            && gave_up.is_none_or(|(_, answer)| made_by_sender(answer, request));
        counts.then_some(Silence {
            index,
            request,
            transaction,
            gave_up,
        })
    });
    let mut all: Vec<Silence<'_>> = silent.collect();
    all.sort_by_key(|silence| (silence.request.head.vias, silence.index));
    all
}

fn made_by_sender(answer: &Stored, request: &Stored) -> bool {
    answer.keys.transaction != request.keys.transaction
        && answer.stamp.sender().is(request.stamp.sender())
}
