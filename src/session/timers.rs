//! When entries are due: in buckets, in order of time and id within one.

use std::collections::BTreeMap;

/// Length of a bucket, in nanoseconds. Short, so that the work on what is due comes in small
/// pieces, between which the reading thread is not kept waiting.
const BUCKET: i64 = 50_000_000;

/// What is due: time, id of the entry, its slot.
pub(super) type Due = (i64, u64, u32);

/// Timers in buckets. An entry may have several; what an old one says is checked
/// against the entry.
#[derive(Debug, Default)]
pub(super) struct Timers {
    buckets: BTreeMap<i64, Vec<Due>>,
    first: Option<i64>,
}

impl Timers {
    /// Adds a timer.
    pub(super) fn push(&mut self, due: Due) {
        let bucket = due.0.div_euclid(BUCKET);
        self.first = Some(self.first.map_or(bucket, |first| first.min(bucket)));
        self.buckets.entry(bucket).or_default().push(due);
    }

    /// The timers of the earliest bucket, if it is over at `now`.
    pub(super) fn pop_over(&mut self, now: i64) -> Option<Vec<Due>> {
        match self.first {
            Some(first) if first < now.div_euclid(BUCKET) => self.pop_earliest(),
            _ => None,
        }
    }

    /// The timers of the earliest bucket, in order.
    pub(super) fn pop_earliest(&mut self) -> Option<Vec<Due>> {
        let (_, mut due) = self.buckets.pop_first()?;
        self.first = self.buckets.first_key_value().map(|(bucket, _)| *bucket);
        due.sort_unstable();
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_given_once_it_is_over_and_in_order() {
        let mut timers = Timers::default();
        timers.push((2 * BUCKET + 5, 9, 0));
        timers.push((2 * BUCKET + 5, 7, 1));
        timers.push((2 * BUCKET, 8, 2));
        timers.push((5 * BUCKET, 1, 3));
        assert_eq!(timers.pop_over(3 * BUCKET - 1), None);
        let ids = |due: Vec<Due>| due.into_iter().map(|(_, id, _)| id).collect::<Vec<_>>();
        assert_eq!(timers.pop_over(3 * BUCKET).map(ids), Some(vec![8, 7, 9]));
        assert_eq!(timers.pop_over(5 * BUCKET), None);
        assert_eq!(timers.pop_earliest().map(ids), Some(vec![1]));
    }
}
