//! Capture time: the latest time seen, with single outliers kept out. A clock that was set back
//! is followed as well: records that all seem late would otherwise end every entry at once.

use crate::input::Time;

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;
/// A jump by more than this must be confirmed by further records.
const JUMP: i64 = 60 * SECOND;
/// The last record of an input may come so much later, nanoseconds.
const LAST_JUMP: i64 = 3600 * SECOND;
/// Records beyond the jump that confirm it, the first included.
const CONFIRM: u32 = 3;

/// Widens the times of the first and the last of something by a further time.
pub fn widen(times: &mut Option<(i64, i64)>, time: i64) {
    let (first, last) = times.unwrap_or((time, time));
    *times = Some((first.min(time), last.max(time)));
}

/// The clock of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    now: Option<i64>,
    ahead: Option<(i64, u32)>,
    /// Records behind the jump in a row.
    behind: u32,
}

impl Clock {
    /// Takes the time of a record; gives the time that it is now.
    pub fn advance(&mut self, time: Time) -> i64 {
        let now = *self.now.get_or_insert(time.0);
        self.behind = if time.0 < now.saturating_sub(JUMP) {
            self.behind + 1
        } else {
            0
        };
        if self.behind >= CONFIRM {
            *self = Clock {
                now: Some(time.0),
                ..Clock::default()
            };
            return time.0;
        }
        if time.0 <= now.saturating_add(JUMP) {
            if time.0 > now {
                self.now = Some(time.0);
            }
            self.ahead = self.ahead.filter(|_| time.0 < now);
            return self.now.unwrap_or(now);
        }
        let (earliest, count) = self.ahead.unwrap_or((time.0, 0));
        let (earliest, count) = (earliest.min(time.0), count + 1);
        self.ahead = Some((earliest, count));
        if count >= CONFIRM {
            self.now = Some(earliest);
            self.ahead = None;
        }
        self.now.unwrap_or(now)
    }

    /// The time that it is now; `None` before the first dated record.
    pub fn now(&self) -> Option<i64> {
        self.now
    }

    /// The end of the input: two records ahead are then confirmation enough, and one that is not
    /// far ahead. Nothing comes any more that could confirm it.
    pub fn end(&mut self) -> Option<i64> {
        if let (Some((earliest, count)), Some(now)) = (self.ahead, self.now)
            && (count >= 2 || earliest.saturating_sub(now) <= LAST_JUMP)
        {
            self.now = Some(earliest);
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_from_the_future_does_not_move_the_clock() {
        let mut clock = Clock::default();
        clock.advance(Time(0));
        assert_eq!(clock.advance(Time(3600 * SECOND)), 0);
        assert_eq!(clock.advance(Time(SECOND)), SECOND);
        assert_eq!(clock.end(), Some(SECOND));
    }

    #[test]
    fn the_last_record_may_come_after_a_pause() {
        let mut clock = Clock::default();
        clock.advance(Time(0));
        assert_eq!(clock.advance(Time(240 * SECOND)), 0);
        assert_eq!(clock.end(), Some(240 * SECOND));
        let mut clock = Clock::default();
        clock.advance(Time(0));
        clock.advance(Time(86_400 * SECOND));
        assert_eq!(clock.end(), Some(0));
    }

    #[test]
    fn a_clock_set_back_is_followed_once_confirmed() {
        let mut clock = Clock::default();
        clock.advance(Time(3600 * SECOND));
        assert_eq!(clock.advance(Time(0)), 3600 * SECOND);
        assert_eq!(clock.advance(Time(3600 * SECOND)), 3600 * SECOND);
        for second in 0..3 {
            clock.advance(Time(second * SECOND));
        }
        assert_eq!(clock.now(), Some(2 * SECOND));
    }

    #[test]
    fn a_pause_moves_it_once_confirmed() {
        let mut clock = Clock::default();
        clock.advance(Time(0));
        for second in 0..3 {
            clock.advance(Time((600 + second) * SECOND));
        }
        assert_eq!(clock.now(), Some(600 * SECOND));
    }
}
