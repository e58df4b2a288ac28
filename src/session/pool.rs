//! Memory of released entries, used again: a run releases as many messages as it takes, and
//! asking the allocator for each of them costs more than reading it.

use super::entry::Stored;

/// Buffers are kept by capacity in steps of this many bytes, so that little is wasted.
const STEP: usize = 128;
/// Classes of capacity; larger buffers go back to the allocator.
const CLASSES: usize = 16;
/// Buffers kept in a class, and lists kept.
const MOST_KEPT: usize = 1024;
/// Messages that a list has room for at first: a call that is answered and ended.
const LIST: usize = 7;

/// Free buffers and lists.
#[derive(Debug, Default)]
pub(super) struct Pool {
    buffers: [Vec<Vec<u8>>; CLASSES],
    lists: Vec<Vec<Stored>>,
}

impl Pool {
    /// A buffer with these bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        let class = bytes.len().div_ceil(STEP);
        let free = self.buffers.get_mut(class).and_then(Vec::pop);
        let mut buffer = free.unwrap_or_else(|| Vec::with_capacity(class * STEP));
        buffer.extend_from_slice(bytes);
        buffer
    }

    /// An empty list.
    pub(super) fn messages(&mut self) -> Vec<Stored> {
        self.lists.pop().unwrap_or_else(|| Vec::with_capacity(LIST))
    }

    /// Takes back the memory of an entry.
    pub(super) fn take_back(&mut self, mut messages: Vec<Stored>) {
        for Stored { mut raw, .. } in messages.drain(..) {
            let exact = raw.capacity() % STEP == 0;
            if let Some(class) = self
                .buffers
                .get_mut(raw.capacity() / STEP)
                .filter(|class| exact && class.len() < MOST_KEPT)
            {
                raw.clear();
                class.push(raw);
            }
        }
        if messages.capacity() == LIST && self.lists.len() < MOST_KEPT {
            self.lists.push(messages);
        }
    }
}
