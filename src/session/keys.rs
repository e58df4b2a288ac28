//! Hashes of what is compared often: seeded anew in every run, so that nobody can choose
//! colliding names. Where a collision would matter the text is compared as well.

use super::legs;
use crate::layers::address_bits;
use crate::message::stamp::Stamp;
use crate::message::{Head, Message, Method, Span};
use foldhash::fast::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

/// The hashes of one message; 0 stands for "not there".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Call-ID; the transaction where there is none.
    pub call_id: u64,
    /// Tag of From.
    pub from_tag: u64,
    /// Tag of To.
    pub to_tag: u64,
    /// Branch of the topmost Via and where it was sent from.
    pub branch: u64,
    /// Transaction: branch, sent-by, CSeq (RFC 3261 §17.1.3); ACK counts as INVITE.
    pub transaction: u64,
    /// The end of the number that an INVITE which begins a call asks for.
    pub dialled: u64,
    /// The origin line of its session description.
    pub origin: u64,
    /// Transaction, start line, To-tag, source, destination, transport: equal for repeats.
    pub repeat: u64,
}

/// Makes the keys of messages.
#[derive(Clone, Debug, Default)]
pub struct KeyMaker {
    hash: RandomState,
}

impl KeyMaker {
    /// The keys of a message.
    pub fn keys(&self, stamp: &Stamp, head: &Head, raw: &[u8]) -> Keys {
        let text = |span: Span| {
            if span.is_empty() {
                0
            } else {
                self.hash.hash_one(span.of(raw)) | 1
            }
        };
        let method = if head.method == Method::Ack {
            Method::Invite
        } else {
            head.method
        };
        let to_tag = text(head.to_tag);
        let mut hasher = self.hash.build_hasher();
        hasher.write(head.branch.of(raw));
        hasher.write(head.sent_by.of(raw));
        let branch = hasher.finish();
        hasher.write_u64(u64::from(head.cseq.unwrap_or(0)) << 8 | method as u64);
        let transaction = hasher.finish();
        hasher.write_u64(to_tag);
        hasher.write_u64(u64::from(head.code().unwrap_or(0)) << 8 | head.method as u64);
        let ends = (
            stamp.source.map(address_bits),
            stamp.destination.map(address_bits),
        );
        (ends, stamp.transport.map(|transport| transport as u8)).hash(&mut hasher);
        let call_id = match text(head.call_id) {
            // Without Call-ID an entry is one transaction, between two addresses.
            0 => {
                let ends = (
                    stamp.source.min(stamp.destination),
                    stamp.source.max(stamp.destination),
                );
                self.hash.hash_one((transaction, ends)) | 1
            }
            call_id => call_id,
        };
        let begins = head.method == Method::Invite && head.is_request() && head.to_tag.is_empty();
        let (dialled, origin) = match begins {
            true => self.marks(Message { raw, head }),
            false => (0, 0),
        };
        Keys {
            call_id,
            from_tag: text(head.from_tag),
            to_tag,
            branch,
            transaction,
            dialled,
            origin,
            repeat: hasher.finish(),
        }
    }

    // What finds an earlier leg of the call that an INVITE begins. Two digits find too many.
    fn marks(&self, message: Message<'_>) -> (u64, u64) {
        let (number, length) = legs::number_of(message);
        let dialled = number.get(..length).filter(|number| number.len() >= 3);
        let hash = |bytes: &[u8]| self.hash.hash_one(bytes) | 1;
        let origin = legs::origin_line(message);
        (dialled.map_or(0, hash), origin.map_or(0, hash))
    }
}

/// A map from keys, which are hashes already.
pub type KeyMap<T> = std::collections::HashMap<u64, T, BuildHasherDefault<AsIs>>;

/// Passes a key on as its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
