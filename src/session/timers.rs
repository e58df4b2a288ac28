//! When entries are due: by second, in order of time and id within one.

use super::clock::SECOND;
use std::collections::BTreeMap;

/// What is due: time, id of the entry, its slot.
pub(super) type Due = (i64, u64, u32);

/// Timers in buckets of a second. An entry may have several; what an old one says is checked
/// against the entry.
#[derive(Debug, Default)]
pub(super) struct Timers {
    seconds: BTreeMap<i64, Vec<Due>>,
    first: Option<i64>,
}

impl Timers {
    /// Adds a timer.
    pub(super) fn push(&mut self, due: Due) {
        let second = due.0.div_euclid(SECOND);
        self.first = Some(self.first.map_or(second, |first| first.min(second)));
        self.seconds.entry(second).or_default().push(due);
    }

    /// The timers of the earliest second, if it is over at `now`.
    pub(super) fn pop_over(&mut self, now: i64) -> Option<Vec<Due>> {
        match self.first {
            Some(first) if first < now.div_euclid(SECOND) => self.pop_earliest(),
            _ => None,
        }
    }

    /// The timers of the earliest second, in order.
    pub(super) fn pop_earliest(&mut self) -> Option<Vec<Due>> {
        let (_, mut due) = self.seconds.pop_first()?;
        self.first = self.seconds.first_key_value().map(|(second, _)| *second);
        due.sort_unstable();
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_given_once_it_is_over_and_in_order() {
        let mut timers = Timers::default();
        timers.push((2 * SECOND + 5, 9, 0));
        timers.push((2 * SECOND + 5, 7, 1));
        timers.push((2 * SECOND, 8, 2));
        timers.push((5 * SECOND, 1, 3));
        assert_eq!(timers.pop_over(2 * SECOND + 900), None);
        let ids = |due: Vec<Due>| due.into_iter().map(|(_, id, _)| id).collect::<Vec<_>>();
        assert_eq!(timers.pop_over(3 * SECOND).map(ids), Some(vec![8, 7, 9]));
        assert_eq!(timers.pop_over(5 * SECOND), None);
        assert_eq!(timers.pop_earliest().map(ids), Some(vec![1]));
    }
}
