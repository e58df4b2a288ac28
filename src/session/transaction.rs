//! The transactions of a call, one for each hop (RFC 3261 §17).

use super::clock::SECOND;
use super::entry::{CopyKind, Stored};
use super::keys::KeyMap;
use super::messages::Messages;
use crate::message::Method;
use smallvec::SmallVec;

/// T1 where nothing tells another one (RFC 3261 §17.1.1.1), in nanoseconds.
pub const T1: i64 = SECOND / 2;

/// Indices of messages; nearly always one or two.
pub type Indices = SmallVec<[usize; 2]>;

/// A request on one hop, and what answered it there. Messages are indices into `Call::messages`, in
/// the order in which they were seen; records of the same packet are left out.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Method; ACK to a final response that is no 2xx belongs to its INVITE.
    pub method: Method,
    /// Sequence number; 0 where it cannot be read.
    pub cseq: u32,
    /// The request as sent, repeats included; empty where it was not recorded.
    pub sends: Indices,
    /// Provisional responses, repeats included.
    pub provisionals: Indices,
    /// Final responses, repeats included.
    pub finals: Indices,
    /// ACKs inside the transaction, repeats included.
    pub acks: Indices,
}

impl Transaction {
    /// The request as it was first sent.
    pub fn request(&self) -> Option<usize> {
        self.sends.first().copied()
    }

    /// Did anything answer it?
    pub fn is_answered(&self) -> bool {
        !self.provisionals.is_empty() || !self.finals.is_empty()
    }
}

/// The transactions of these messages, by their first message.
pub(super) fn list(messages: &Messages) -> Vec<Transaction> {
    const SHORT: usize = 64;
    let mut all: Vec<Transaction> = Vec::new();
    let mut keys: SmallVec<[u64; 8]> = SmallVec::new();
    let mut many: KeyMap<usize> = KeyMap::default();
    let is_same_packet = |m: &Stored| m.copy.is_some_and(|copy| copy.kind == CopyKind::Duplicate);
    for (index, stored) in messages
        .iter()
        .enumerate()
        .filter(|(_, m)| !is_same_packet(m))
    {
        let key = stored.keys.transaction;
        let known = match keys.len() {
            ..SHORT => keys.iter().position(|known| *known == key),
            _ => many
                .get(&key)
                .copied()
                .or_else(|| keys.iter().take(SHORT).position(|known| *known == key)),
        };
        let at = known.unwrap_or_else(|| {
            if keys.len() >= SHORT {
                many.insert(key, keys.len());
            }
            keys.push(key);
            all.push(Transaction::new(stored));
            all.len() - 1
        });
        if let Some(transaction) = all.get_mut(at) {
            transaction.take(index, stored);
        }
    }
    all
}

impl Transaction {
    fn new(first: &Stored) -> Transaction {
        let method = match first.head.method {
            Method::Ack if first.head.is_request() => Method::Invite,
            method => method,
        };
        Transaction {
            method,
            cseq: first.cseq(),
            sends: Indices::new(),
            provisionals: Indices::new(),
            finals: Indices::new(),
            acks: Indices::new(),
        }
    }

    fn take(&mut self, index: usize, stored: &Stored) {
        let list = match stored.head.code() {
            None if stored.head.method == Method::Ack => &mut self.acks,
            None => &mut self.sends,
            Some(..200) => &mut self.provisionals,
            Some(_) => &mut self.finals,
        };
        list.push(index);
    }
}

/// How a request must be repeated over UDP while nothing answers: seconds after the first copy
/// (RFC 3261 §17.1.1.2 and §17.1.2.2), in halves of T1.
pub fn repeats_due(method: Method, t1: i64) -> impl Iterator<Item = i64> {
    let (mut at, mut gap) = (0, t1);
    let longest = if method == Method::Invite {
        i64::MAX
    } else {
        8 * t1
    };
    std::iter::from_fn(move || {
        let due = at;
        at += gap;
        gap = gap.saturating_mul(2).min(longest);
        (due < 64 * t1).then_some(due)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timer_tables_of_invite_and_of_other_methods() {
        let seconds = |method| -> Vec<f64> {
            repeats_due(method, T1)
                .map(|due| due as f64 / 1e9)
                .collect()
        };
        assert_eq!(
            seconds(Method::Invite),
            [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
        );
        let other = seconds(Method::Bye);
        assert_eq!(other.len(), 11);
        assert_eq!(other.get(..6), Some(&[0.0, 0.5, 1.5, 3.5, 7.5, 11.5][..]));
    }
}
