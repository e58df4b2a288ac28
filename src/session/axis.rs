//! What the times of a run count from: 1970, or the first midnight of a log that writes no date.
//!
//! Times that count from different things cannot be compared. Dated inputs come before others; of
//! those without a date only the first is timed, if nothing before it had a date.

use crate::message::stamp::{Stamp, When};

/// What times count from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Axis {
    /// Nothing had a time yet.
    #[default]
    Unset,
    /// 1970.
    Dated,
    /// The first midnight of this input.
    Log(u16),
}

impl Axis {
    /// Places a message on the axis, or marks that its time cannot be compared. True where times
    /// count otherwise from here on.
    pub(super) fn place(&mut self, stamp: &mut Stamp) -> bool {
        let input = stamp.origin.input;
        match (*self, stamp.when) {
            (_, When::At(_)) => return self.is_dated_now(),
            (Axis::Unset, When::OfDay(_)) => *self = Axis::Log(input),
            (Axis::Log(known), When::OfDay(_)) if known == input => {}
            (_, When::OfDay(nanoseconds)) => stamp.when = When::Apart(nanoseconds),
            (_, When::Apart(_) | When::Unknown) => {}
        }
        false
    }

    fn is_dated_now(&mut self) -> bool {
        matches!(std::mem::replace(self, Axis::Dated), Axis::Log(_))
    }

    /// Whether a record without a message, which has a date, tells how late it is.
    pub(super) fn takes_tick(&mut self) -> bool {
        if *self == Axis::Unset {
            *self = Axis::Dated;
        }
        *self == Axis::Dated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{LogHop, Origin, Time};

    fn stamp(input: u16, when: When) -> Stamp {
        Stamp::of_log(Origin { input, place: 1 }, 1, when, LogHop::default())
    }

    fn placed(axis: &mut Axis, input: u16, when: When) -> (Option<i64>, bool) {
        let mut stamp = stamp(input, when);
        let anew = axis.place(&mut stamp);
        (stamp.instant(), anew)
    }

    #[test]
    fn a_log_without_dates_is_timed_by_its_own_clock() {
        let mut axis = Axis::default();
        assert_eq!(placed(&mut axis, 0, When::OfDay(5)), (Some(5), false));
        assert_eq!(placed(&mut axis, 1, When::OfDay(6)), (None, false));
        assert_eq!(placed(&mut axis, 0, When::OfDay(7)), (Some(7), false));
    }

    #[test]
    fn beside_dates_a_time_of_day_says_nothing() {
        let mut axis = Axis::default();
        let dated = When::At(Time(9));
        assert_eq!(placed(&mut axis, 0, When::OfDay(5)), (Some(5), false));
        assert_eq!(placed(&mut axis, 0, dated), (Some(9), true));
        assert_eq!(placed(&mut axis, 0, dated), (Some(9), false));
        assert_eq!(placed(&mut axis, 0, When::OfDay(6)), (None, false));
    }
}
