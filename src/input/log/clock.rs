//! From what a log writes as time to nanoseconds since the epoch, or since the log's first midnight.

use super::anchor::Anchor;
use crate::input::Time;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
const HALF_AHEAD: i64 = DAY / 2;
const HALF_BEHIND: i64 = -DAY / 2;
/// More days than this are no run of a log, and would not fit in nanoseconds.
const MOST_DAYS: i64 = 100_000;

/// A time as written in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) date: Date,
    /// Since midnight.
    pub(super) nanoseconds: u64,
    /// Seconds east of UTC, where the log says so.
    pub(super) zone: Option<i32>,
}

/// How much of a date a log writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Date {
    /// A time alone.
    None,
    /// Month and day.
    MonthDay(u8, u8),
    /// Year, month and day.
    Full(u16, u8, u8),
}

/// When a message was logged, as far as the log says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) time: Option<Time>,
    pub(super) time_of_day: Option<u64>,
}

/// Follows the days of a log that does not write dates, or writes them without a year.
#[derive(Debug, Default)]
pub(super) struct Clock {
    day: i64,
    last: Option<(Date, u64)>,
    /// The latest stamp with a full date on any line: what has only a time is near it.
    dated: Option<Stamp>,
    /// The day of the first midnight, counted from 1970, where a message told it.
    first_day: Option<i64>,
}

impl Clock {
    /// Notes the stamp of a line, whatever the line is.
    pub(super) fn see(&mut self, stamp: Stamp) {
        if matches!(stamp.date, Date::Full(..)) {
            self.dated = Some(stamp);
        }
    }

    /// The latest stamp with a full date.
    pub(super) fn dated(&self) -> Option<Stamp> {
        self.dated
    }

    /// Whether the stamps placed so far had no date at all.
    pub(super) fn is_without_date(&self) -> bool {
        let none = |(date, _): &(Date, u64)| *date == Date::None;
        self.dated.is_none() && self.last.as_ref().is_none_or(none)
    }

    /// Takes what was found to tell the date.
    pub(super) fn anchor(&mut self, anchor: Anchor) {
        match anchor {
            Anchor::Line(stamp) => self.dated = self.dated.or(Some(stamp)),
            Anchor::FirstDay(day) => self.first_day = Some(day),
        }
    }

    /// Places a stamp. A log without a zone is read as UTC.
    pub(super) fn place(&mut self, stamp: Stamp) -> Moment {
        // More than a day is the time since a start, and near no date.
        let clock = stamp.date == Date::None && stamp.nanoseconds < DAY as u64;
        let near = self.dated.filter(|_| clock && self.first_day.is_none());
        if let Some(dated) = near {
            let date = self.place(dated).time;
            // Half a day apart and more: on the other side of midnight.
            let ahead = stamp.nanoseconds as i64 - dated.nanoseconds as i64;
            let ahead = match ahead {
                ..HALF_BEHIND => ahead + DAY,
                HALF_AHEAD.. => ahead - DAY,
                _ => ahead,
            };
            return Moment {
                time: date.and_then(|date| Some(Time(date.0.checked_add(ahead)?))),
                time_of_day: None,
            };
        }
        if let Date::Full(year, month, day) = stamp.date {
            let days = days_from_epoch(i64::from(year), i64::from(month), i64::from(day));
            let zone = i64::from(stamp.zone.unwrap_or(0)) * SECOND;
            let nanoseconds = stamp.nanoseconds as i64 - zone;
            let time = days
                .checked_mul(DAY)
                .and_then(|at| at.checked_add(nanoseconds));
            return Moment {
                time: time.map(Time),
                time_of_day: None,
            };
        }
        if let Some((date, nanoseconds)) = self.last {
            self.day += match (date, stamp.date) {
                (Date::MonthDay(m, d), Date::MonthDay(month, day)) => {
                    // Any leap year will do: only the distance of neighbouring days counts.
                    let at = |m, d| days_from_epoch(2000, i64::from(m), i64::from(d));
                    let days = at(month, day) - at(m, d);
                    if days < -180 {
                        days + 366
                    } else {
                        days.max(-self.day)
                    }
                }
                _ if nanoseconds as i64 - stamp.nanoseconds as i64 > DAY / 2 => 1,
                _ => 0,
            };
        }
        self.day = self.day.clamp(0, MOST_DAYS);
        self.last = Some((stamp.date, stamp.nanoseconds));
        let since = self.day as u64 * DAY as u64 + stamp.nanoseconds;
        let first = self.first_day.and_then(|day| day.checked_mul(DAY));
        let time = first.and_then(|first| first.checked_add(i64::try_from(since).ok()?));
        match time.filter(|_| stamp.date == Date::None) {
            Some(time) => Moment {
                time: Some(Time(time)),
                time_of_day: None,
            },
            None => Moment {
                time: None,
                time_of_day: Some(since),
            },
        }
    }
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant's `days_from_civil`).
pub(super) fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(date: Date, hour: u64) -> Stamp {
        let nanoseconds = hour * 3600 * SECOND as u64;
        Stamp {
            date,
            nanoseconds,
            zone: None,
        }
    }

    #[test]
    fn a_full_date_gives_a_time() {
        let mut stamp = hours(Date::Full(2024, 2, 29), 12);
        stamp.zone = Some(7200);
        let moment = Clock::default().place(stamp);
        assert_eq!(moment.time, Some(Time(1_709_200_800 * SECOND)));
    }

    #[test]
    fn a_clock_without_dates_runs_on_past_midnight() {
        let mut clock = Clock::default();
        let mut at = |hour| clock.place(hours(Date::None, hour)).time_of_day.unwrap();
        assert_eq!(at(23), 23 * 3600 * SECOND as u64);
        assert_eq!(at(1), 25 * 3600 * SECOND as u64);
        assert_eq!(
            at(0),
            24 * 3600 * SECOND as u64,
            "a little disorder is no new day"
        );
    }

    #[test]
    fn months_and_days_count_over_the_turn_of_the_year() {
        let mut clock = Clock::default();
        clock.place(hours(Date::MonthDay(12, 31), 23));
        let moment = clock.place(hours(Date::MonthDay(1, 1), 1));
        assert_eq!(moment.time_of_day, Some(25 * 3600 * SECOND as u64));
        assert_eq!(moment.time, None);
    }
}
