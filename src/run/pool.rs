//! Memory of released messages, used again: a run releases as many messages as it takes, and
//! asking the allocator for each of them costs more than reading it.

use crate::message::Head;
use crate::message::stamp::Stamp;
use crate::session::Stored;
use crate::session::keys::Keys;

/// Messages are kept by the room for their bytes, in steps of this many, so that little is wasted.
const STEP: usize = 128;
/// Classes of room; larger messages go back to the allocator.
const CLASSES: usize = 16;
/// Messages kept in a class.
const MOST_KEPT: usize = 1024;

/// Messages that are over.
#[derive(Debug, Default)]
pub(super) struct Pool {
    over: [Vec<Box<Stored>>; CLASSES],
}

impl Pool {
    /// A message with these bytes.
    pub(super) fn message(
        &mut self,
        stamp: &Stamp,
        head: &Head,
        keys: Keys,
        bytes: &[u8],
    ) -> Box<Stored> {
        let class = bytes.len().div_ceil(STEP);
        let Some(mut stored) = self.over.get_mut(class).and_then(Vec::pop) else {
            let mut raw = Vec::with_capacity(class * STEP);
            raw.extend_from_slice(bytes);
            return Box::new(Stored {
                stamp: *stamp,
                head: *head,
                raw,
                keys,
                copy: None,
            });
        };
        stored.stamp = *stamp;
        stored.head = *head;
        stored.raw.clear();
        stored.raw.extend_from_slice(bytes);
        stored.keys = keys;
        stored.copy = None;
        stored
    }

    /// Takes messages back.
    pub(super) fn take_back(&mut self, over: impl Iterator<Item = Box<Stored>>) {
        for stored in over {
            let room = stored.raw.capacity();
            let class = self.over.get_mut(room / STEP);
            if let Some(class) = class.filter(|class| room % STEP == 0 && class.len() < MOST_KEPT) {
                class.push(stored);
            }
        }
    }
}
