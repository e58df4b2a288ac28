//! The order in which messages have to come: parts that may be left out, repeated or come in any
//! order, and gaps in which anything may stand.

use super::name::{Name, Side};
use crate::lang::words::Words;
use crate::session::Stored;
use smallvec::SmallVec;
use std::fmt;

/// Parts of a sequence.
pub(super) const MOST_PARTS: usize = 200;
/// Messages that may come in any order.
pub(super) const MOST_UNORDERED: usize = 8;

/// A message that has to come, `INVITE`, may come, `100?`, comes again and again, `18x+`, or any
/// number of times, `18x*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    name: Name,
    needed: bool,
    many: bool,
}

/// A part of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// These, in any order; most often only one.
    Group(Vec<Item>),
    /// `...`: anything.
    Anything,
}

/// What has to come, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sequence {
    parts: Vec<Part>,
}

/// Where a sequence and the messages part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parting {
    /// Index of the first message that does not fit; the number of messages where one is missing.
    pub(super) at: usize,
    /// What could have come instead.
    pub(super) expected: Words,
}

impl Item {
    /// # Errors
    /// What it had to be.
    pub(super) fn parse(text: &str) -> Result<Item, String> {
        let text = text.trim();
        let (name, needed, many) = match text.as_bytes().last() {
            Some(b'?') => (text.trim_end_matches('?'), false, false),
            Some(b'*') => (text.trim_end_matches('*'), false, true),
            Some(b'+') => (text.trim_end_matches('+'), true, true),
            _ => (text, true, false),
        };
        let name = Name::parse(name)?;
        Ok(Item { name, needed, many })
    }
}

impl fmt::Display for Item {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match (self.needed, self.many) {
            (true, true) => "+",
            (true, false) => "",
            (false, true) => "*",
            (false, false) => "?",
        };
        write!(out, "{}{sign}", self.name)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.parts.iter().enumerate() {
            let between = if number > 0 { ", " } else { "" };
            out.write_str(between)?;
            match part {
                Part::Anything => out.write_str("...")?,
                Part::Group(items) => {
                    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                    match items.as_slice() {
                        [one] => out.write_str(one)?,
                        some => write!(out, "[{}]", some.join(", "))?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// How far the sequence has come: the part, and which items of it were met.
type State = (usize, u8);
type States = SmallVec<[State; 8]>;

impl Sequence {
    /// At most [`MOST_PARTS`] parts of at most [`MOST_UNORDERED`] items.
    pub(super) fn new(parts: Vec<Part>) -> Sequence {
        Sequence { parts }
    }

    /// Where the messages part from it; `None` if they fit. The time is bounded by the number of
    /// messages times the length of the sequence.
    pub(super) fn part_from(&self, messages: &[(Side, &Stored)]) -> Option<Parting> {
        let (at, mut states) = self.stop_at(messages)?;
        if at == messages.len() {
            // A gap is always ready for what follows it; what is missing is what is furthest on.
            let furthest = states.iter().map(|(part, _)| *part).max();
            states.retain(|(part, _)| Some(*part) == furthest);
        }
        let expected = self.expected(&states);
        Some(Parting { at, expected })
    }

    /// Do the messages fit?
    pub(super) fn holds(&self, messages: &[(Side, &Stored)]) -> bool {
        self.stop_at(messages).is_none()
    }

    // The first message that does not fit, or their number if more has to come, and how far it has come.
    fn stop_at(&self, messages: &[(Side, &Stored)]) -> Option<(usize, States)> {
        let mut states = States::new();
        self.reach((0, 0), &mut states);
        for (at, (side, stored)) in messages.iter().enumerate() {
            let mut next = States::new();
            for state in &states {
                self.step(*state, |name| name.fits_from(*side, stored), &mut next);
            }
            if next.is_empty() {
                return Some((at, states));
            }
            states = next;
        }
        let is_over = states.iter().any(|(part, _)| *part == self.parts.len());
        (!is_over).then_some((messages.len(), states))
    }

    // Adds a state, and those that are reached from it without a message.
    fn reach(&self, state: State, states: &mut States) {
        let (mut part, mut met) = state;
        while !states.contains(&(part, met)) {
            states.push((part, met));
            let passable = match self.parts.get(part) {
                None => false,
                Some(Part::Anything) => true,
                Some(Part::Group(items)) => {
                    let missing = |(n, item): (usize, &Item)| item.needed && met & 1 << n == 0;
                    !items.iter().enumerate().any(missing)
                }
            };
            if !passable {
                return;
            }
            (part, met) = (part + 1, 0);
        }
    }

    fn step(&self, (part, met): State, fits: impl Fn(&Name) -> bool, next: &mut States) {
        match self.parts.get(part) {
            None => {}
            Some(Part::Anything) => self.reach((part, 0), next),
            Some(Part::Group(items)) => {
                for (n, item) in items.iter().enumerate() {
                    let open = met & 1 << n == 0 || item.many;
                    if open && fits(&item.name) {
                        self.reach((part, met | 1 << n), next);
                    }
                }
            }
        }
    }

    // What can come next, in the order of the sequence; what must come ends the list.
    fn expected(&self, states: &States) -> Words {
        let mut sorted = states.to_vec();
        sorted.sort_unstable();
        let mut names: Vec<Words> = Vec::new();
        for (part, met) in sorted {
            let items = match self.parts.get(part) {
                Some(Part::Group(items)) => items.as_slice(),
                Some(Part::Anything) => &[],
                None => {
                    names.push(Words::label("nothing more"));
                    continue;
                }
            };
            let open = |(n, item): &(usize, &Item)| met & 1 << n == 0 || item.many;
            let open = items.iter().enumerate().filter(open);
            for name in open.map(|(_, item)| Words::Plain(item.name.to_string())) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Words::any_of(names)
    }
}
