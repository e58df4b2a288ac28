//! The messages of an entry. Each stays where the reading thread put it: what moves is where it
//! stands, and a list that grows copies no message.

use super::entry::Stored;
use std::ops::Index;

/// Messages in the order in which they were seen.
#[derive(Clone, Debug, Default)]
pub struct Messages(Vec<Box<Stored>>);

impl Messages {
    /// An empty list with room for so many.
    pub fn with_capacity(room: usize) -> Messages {
        Messages(Vec::with_capacity(room))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For how many there is room.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The message with this index.
    pub fn get(&self, index: usize) -> Option<&Stored> {
        self.0.get(index).map(AsRef::as_ref)
    }

    /// The first one.
    pub fn first(&self) -> Option<&Stored> {
        self.get(0)
    }

    /// The last one.
    pub fn last(&self) -> Option<&Stored> {
        self.0.last().map(AsRef::as_ref)
    }

    /// All of them.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// Those before this index; all where there are fewer.
    pub fn before(&self, index: usize) -> Iter<'_> {
        Iter(self.0.get(..index).unwrap_or(&self.0).iter())
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Stored> {
        self.0.get_mut(index).map(AsMut::as_mut)
    }

    pub(super) fn push(&mut self, stored: Box<Stored>) {
        self.0.push(stored);
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Box<Stored>> {
        self.0.drain(..)
    }
}

impl Index<usize> for Messages {
    type Output = Stored;

    fn index(&self, index: usize) -> &Stored {
        &self.0[index]
    }
}

impl FromIterator<Stored> for Messages {
    fn from_iter<I: IntoIterator<Item = Stored>>(all: I) -> Messages {
        Messages(all.into_iter().map(Box::new).collect())
    }
}

impl<'a> IntoIterator for &'a Messages {
    type Item = &'a Stored;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Goes through messages.
#[derive(Clone, Debug)]
pub struct Iter<'a>(std::slice::Iter<'a, Box<Stored>>);

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Stored;

    fn next(&mut self) -> Option<&'a Stored> {
        self.0.next().map(AsRef::as_ref)
    }

    fn nth(&mut self, skipped: usize) -> Option<&'a Stored> {
        self.0.nth(skipped).map(AsRef::as_ref)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(AsRef::as_ref)
    }
}

impl ExactSizeIterator for Iter<'_> {}
