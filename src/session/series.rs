//! The sequence numbers of the request that began an entry.

/// The CSeq numbers of the request that began an entry and of those that answered a step. Nearly
/// always one, which then needs no memory of its own.
#[derive(Clone, Debug, Default)]
pub struct Series {
    first: Option<u32>,
    more: Vec<u32>,
}

impl Series {
    /// A series begun by a request with this number, if it could be read.
    pub fn new(first: Option<u32>) -> Series {
        Series {
            first,
            more: Vec::new(),
        }
    }

    /// Is the number one of them?
    pub fn contains(&self, cseq: u32) -> bool {
        self.first == Some(cseq) || self.more.contains(&cseq)
    }

    /// Has none been seen yet?
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    /// The latest.
    pub fn last(&self) -> Option<u32> {
        self.more.last().copied().or(self.first)
    }

    /// Are all of them below the number?
    pub fn precede(&self, cseq: u32) -> bool {
        self.first.is_none_or(|first| first < cseq) && self.more.iter().all(|known| *known < cseq)
    }

    /// Adds one.
    pub fn push(&mut self, cseq: u32) {
        match self.first {
            None => self.first = Some(cseq),
            Some(_) => self.more.push(cseq),
        }
    }
}
