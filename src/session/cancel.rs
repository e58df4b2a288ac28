//! Who asked to stop an INVITE, and which one (RFC 3261 §9).

use super::call::Call;
use super::entry::Stored;
use super::transaction::Transaction;
use crate::message::Method;

/// CANCELs of a call that are looked at; a fork has a few, more are a flood.
const MOST: usize = 64;

/// A CANCEL as it was first sent on a hop.
#[derive(Clone, Copy, Debug)]
pub struct Cancel<'a> {
    /// Index of the message.
    pub index: usize,
    /// The message.
    pub message: &'a Stored,
    /// Its transaction.
    pub own: &'a Transaction,
    /// The INVITE of the same branch on the same hop: what it asks to stop.
    pub invite: Option<&'a Transaction>,
    /// The last INVITE on that hop before it: what it must have meant.
    pub meant: Option<&'a Transaction>,
    /// Was its sender asked to stop itself, and only hands that on?
    pub passed_on: bool,
}

impl Call {
    /// Did anybody ask to stop anything?
    pub fn has_cancel(&self) -> bool {
        self.transactions()
            .iter()
            .any(|t| t.method == Method::Cancel)
    }

    /// The CANCELs, each once, in the order in which they were seen.
    pub fn cancels(&self) -> Vec<Cancel<'_>> {
        let of_cancel = |t: &&Transaction| t.method == Method::Cancel && !t.sends.is_empty();
        let mut all: Vec<Cancel<'_>> = Vec::new();
        for own in self.transactions().iter().filter(of_cancel).take(MOST) {
            let sent = own
                .request()
                .and_then(|index| Some((index, self.messages.get(index)?)));
            let Some((index, message)) = sent else {
                continue;
            };
            let invites = || {
                self.transactions().iter().filter(move |t| {
                    let asked = t.request().and_then(|at| self.messages.get(at));
                    t.method == Method::Invite && asked.is_some_and(|m| is_on_hop(m, message))
                })
            };
            let same = |t: &&Transaction| {
                let asked = t.request().and_then(|at| self.messages.get(at));
                asked.is_some_and(|m| {
                    m.head.branch.of(&m.raw) == message.head.branch.of(&message.raw)
                        && m.head.sent_by.of(&m.raw) == message.head.sent_by.of(&message.raw)
                        && m.cseq() == message.cseq()
                })
            };
            let invite = invites().find(same);
            let earlier = |t: &&Transaction| t.request().is_some_and(|at| at < index);
            let meant = invites().filter(earlier).last();
            let passed_on = all.iter().any(|known| asks(known.message, message));
            all.push(Cancel {
                index,
                message,
                own,
                invite,
                meant,
                passed_on,
            });
        }
        all
    }

    /// The first message of a transaction that has one of these status codes.
    pub fn answer_in(
        &self,
        transaction: &Transaction,
        codes: std::ops::RangeInclusive<u16>,
    ) -> Option<(usize, &Stored)> {
        let answers = transaction.provisionals.iter().chain(&transaction.finals);
        let mut answers = answers.filter_map(|&at| Some((at, self.messages.get(at)?)));
        answers.find(|(_, m)| m.head.code().is_some_and(|code| codes.contains(&code)))
    }
}

// Ports count where they are known; a log by one of the two ends lacks its own.
fn is_on_hop(a: &Stored, b: &Stored) -> bool {
    let (a, b) = (&a.stamp, &b.stamp);
    let ends = [a.source, a.destination, b.source, b.destination];
    match ends.iter().all(Option::is_some) {
        true => (a.source, a.destination) == (b.source, b.destination),
        false => {
            let nameless = ends.iter().all(Option::is_none) && a.sent == b.sent;
            let (there, other) = (a.receiver(), b.receiver());
            let unknown = !there.is_known() && !other.is_known();
            nameless || a.sender().is(b.sender()) && (unknown || there.is(other))
        }
    }
}

// Did the first CANCEL go to the one who sent the second? Where a log names nobody, the one before.
fn asks(first: &Stored, second: &Stored) -> bool {
    let nameless = first.stamp.destination.is_none() && first.stamp.sent.is_none();
    nameless || first.stamp.receiver().is(second.stamp.sender())
}
