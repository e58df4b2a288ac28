//! The messages seen last, for what comes right after them and names no Call-ID.

use std::collections::VecDeque;

/// How many are remembered.
const MOST: usize = 4096;

/// Where a message was put.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) slot: u32,
    /// Of the entry, which may be gone.
    pub(super) id: u64,
    /// Index in the entry.
    pub(super) message: usize,
}

/// The messages seen last.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Seen>);

impl Recent {
    pub(super) fn push(&mut self, seen: Seen) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(seen);
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = Seen> + '_ {
        self.0.iter().rev().copied()
    }
}
