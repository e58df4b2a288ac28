//! What looks odd between the messages of a call, found in one pass for all rules: hints that a rule
//! looks into, not findings.

use super::call::Call;
use super::entry::Stored;
use super::transaction::Transaction;
use crate::message::Method;
use smallvec::SmallVec;

/// Something odd between messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Oddity {
    /// A response without the request that it answers.
    Orphan,
    /// A response other than 100 without To-tag.
    NoToTag,
    /// A response whose tags are not those of its request.
    OtherTags,
    /// Final responses to one request with several To-tags.
    ManyTags,
    /// A response with more or fewer Vias than its request on the same hop.
    ViaCount,
    /// Two requests with one branch.
    BranchAgain,
    /// A request that was seen behind a proxy.
    Relayed,
    /// Two different bodies from one sender.
    BodyChanged,
}

/// A set of oddities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities(u8);

impl Oddities {
    fn add_if(&mut self, met: bool, oddity: Oddity) {
        self.0 |= u8::from(met) << oddity as u8;
    }

    /// Is it there?
    pub fn has(self, oddity: Oddity) -> bool {
        self.0 & (1 << oddity as u8) != 0
    }
}

/// Transactions whose branches are compared, and bodies: both with each other.
const MOST_COMPARED: usize = 32;

pub(super) fn find(call: &Call) -> Oddities {
    let mut odd = Oddities::default();
    let transactions = call.transactions();
    for (at, transaction) in transactions.iter().enumerate() {
        let request = transaction.request().and_then(|i| call.messages.get(i));
        answers(call, transaction, request, &mut odd);
        let Some(request) = request else { continue };
        odd.add_if(request.head.vias > 1, Oddity::Relayed);
        let own = request.keys.branch;
        let earlier = transactions.iter().take(at.min(MOST_COMPARED));
        let mut earlier = earlier.filter_map(|t| call.messages.get(t.request()?));
        let again =
            has_own_branch(request) && earlier.any(|m| m.keys.branch == own && has_own_branch(m));
        odd.add_if(again, Oddity::BranchAgain);
    }
    odd.add_if(body_changed(call), Oddity::BodyChanged);
    odd
}

// ACK to a 2xx and CANCEL have rules of their own.
fn has_own_branch(request: &Stored) -> bool {
    !matches!(request.head.method, Method::Ack | Method::Cancel) && !request.head.branch.is_empty()
}

fn answers(call: &Call, transaction: &Transaction, request: Option<&Stored>, odd: &mut Oddities) {
    let mut refused = None;
    let all = transaction.provisionals.iter().chain(&transaction.finals);
    for answer in all.filter_map(|at| call.messages.get(*at)) {
        let (tag, code) = (answer.keys.to_tag, answer.head.code().unwrap_or(0));
        odd.add_if(tag == 0 && code > 100, Oddity::NoToTag);
        if code >= 300 {
            let other = refused.is_some_and(|known| known != tag);
            odd.add_if(other, Oddity::ManyTags);
            refused = Some(tag);
        }
        let Some(request) = request else {
            odd.add_if(true, Oddity::Orphan);
            continue;
        };
        let asked = request.keys;
        let other = answer.keys.from_tag != asked.from_tag
            || (asked.to_tag != 0 && tag != asked.to_tag && code > 100);
        odd.add_if(other, Oddity::OtherTags);
        odd.add_if(request.head.vias != answer.head.vias, Oddity::ViaCount);
    }
}

fn body_changed(call: &Call) -> bool {
    let with_body = call
        .messages
        .iter()
        .filter(|m| (m.head.body as usize) < m.raw.len());
    let mut seen: SmallVec<[&Stored; 4]> = SmallVec::new();
    for m in with_body.take(MOST_COMPARED) {
        let same_sender = |known: &&Stored| known.stamp.source == m.stamp.source;
        let body = m.message().body();
        if seen
            .iter()
            .any(|known| same_sender(known) && known.message().body() != body)
        {
            return true;
        }
        seen.push(m);
    }
    false
}
