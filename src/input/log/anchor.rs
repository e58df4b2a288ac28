//! The date of a log whose times have none: from a dated line further on, or from the `Date` header
//! of a message (RFC 3261 §20.17), which is of GMT and of whatever clock its sender has.
//!
//! The day alone is taken, and once for the whole log: a clock that is wrong changes no order.

use std::io::Cursor;

use super::clock::{Date, Stamp, days_from_epoch};
use super::reader::Log;
use super::{LogChoice, pattern};
use crate::input::Body;
use crate::input::buffer::Buffer;

/// Bytes that are searched, from the first message on.
pub(super) const LOOK: usize = 64 << 10;

const MINUTE: i64 = 60_000_000_000;
const DAY: i64 = 1440 * MINUTE;
/// Zones differ by multiples of this.
const ZONE: i64 = 15 * MINUTE;
/// What two clocks that are right differ by, and the way of a message.
const CLOSE: i64 = 2 * MINUTE;

/// What tells the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// A line with a date.
    Line(Stamp),
    /// The day at whose midnight the times begin, counted from 1970.
    FirstDay(i64),
}

/// Looks for the date in a text that begins with a message.
pub(super) fn find(text: &[u8], choice: LogChoice) -> Option<Anchor> {
    let source = Cursor::new(text.to_vec());
    let mut log = Log::new(Buffer::new(Box::new(source), LOOK), choice, true);
    let mut first_day = None;
    while log.advance() {
        if let Some(stamp) = log.clock().dated() {
            return Some(Anchor::Line(stamp));
        }
        if log.time().is_some() || !log.clock().is_without_date() {
            return None;
        }
        if let Body::Text {
            bytes,
            time_of_day: Some(time),
            ..
        } = log.body()
        {
            first_day = first_day.or_else(|| day(time, header(bytes)?));
        }
    }
    let line = log.clock().dated().map(Anchor::Line);
    line.or(first_day.map(Anchor::FirstDay))
}

/// The first day of a log in which a message with this `Date` stands at this time, if the two differ
/// as the clocks of two zones do.
fn day(time: u64, date: i64) -> Option<i64> {
    let time = i64::try_from(time).ok()?;
    let first = (date - time + DAY / 2).div_euclid(DAY);
    let apart = (first * DAY + time - date).rem_euclid(ZONE);
    (apart.min(ZONE - apart) <= CLOSE).then_some(first)
}

/// The `Date` header of a message, in nanoseconds since 1970.
fn header(message: &[u8]) -> Option<i64> {
    let mut lines = message.split(|byte| *byte == b'\n');
    let head = lines.by_ref().map(<[u8]>::trim_ascii);
    let mut headers = head.take_while(|line| !line.is_empty());
    let value = headers.find_map(|line| {
        let (name, value) = line.split_at_checked(line.iter().position(|b| *b == b':')?)?;
        let named = name.trim_ascii().eq_ignore_ascii_case(b"Date");
        named.then(|| value.get(1..)).flatten()
    })?;
    let [_, day, month, year, clock] = pattern::fields(value.trim_ascii(), "{}, {} {} {} {} GMT")?;
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (day, year) = (day.parse().ok()?, year.parse().ok()?);
    // A clock that was never set says 1970 or 2000.
    if !(2001..=2200).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    let clock = super::prefix::stamp_in(clock.as_bytes()).filter(|at| at.date == Date::None)?;
    let days = days_from_epoch(year, i64::try_from(month).ok()? + 1, day);
    Some(days * DAY + i64::try_from(clock.nanoseconds).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * MINUTE;

    #[test]
    fn a_date_header_is_read() {
        let date = |value: &str| {
            header(format!("BYE sip:a SIP/2.0\r\nDate: {value}\r\n\r\nDate: x").as_bytes())
        };
        let expected = 1_289_690_940_000_000_000;
        assert_eq!(date("Sat, 13 Nov 2010 23:29:00 GMT"), Some(expected));
        for wrong in [
            "Thu, 01 Jan 1970 00:00:12 GMT",
            "Sat, 13 Nov 2010 23:29:00 CET",
            "Sat, 13 Nov 2010 23:29 GMT",
            "yesterday",
        ] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
        assert_eq!(header(b"BYE sip:a SIP/2.0\r\n\r\nDate: x"), None);
    }

    #[test]
    fn the_day_is_that_of_the_nearest_clock() {
        let noon = 100 * DAY + 12 * HOUR;
        // The zone of the log is not known: an hour ahead, and on either side of midnight.
        assert_eq!(day(13 * HOUR as u64, noon), Some(100));
        assert_eq!(day(HOUR as u64, 100 * DAY + 23 * HOUR), Some(101));
        assert_eq!(day(23 * HOUR as u64, 100 * DAY + HOUR), Some(99));
        // The second day of the log.
        assert_eq!(day((DAY + 13 * HOUR) as u64, noon), Some(99));
        // No zone is 7 minutes off: it is another clock, or the time since a start.
        assert_eq!(day((12 * HOUR + 7 * MINUTE) as u64, noon), None);
    }

    /// A log of three messages at 23:59:59, 00:00:01 and 00:00:02, with what stands between them.
    fn log(between: [&str; 2], headers: [&str; 3]) -> String {
        let message = |clock: &str, header: &str| {
            format!(
                "{clock} pjsua_core.c .RX 99 bytes Request msg BYE/cseq=2 (rdata0x1) from UDP 192.0.2.7:5060:\n\
                 BYE sip:a@192.0.2.1 SIP/2.0\nCSeq: 2 BYE\n{header}Content-Length: 0\n\n--end msg--\n"
            )
        };
        [
            message("23:59:59.000", headers[0]).as_str(),
            between[0],
            &message("00:00:01.000", headers[1]),
            between[1],
            &message("00:00:02.000", headers[2]),
        ]
        .concat()
    }

    /// Seconds from 2026-01-01 on; `None` where there is no date.
    fn times(text: &str) -> Vec<Option<i64>> {
        let (messages, _) = crate::input::log::tests::cut(text);
        let begin = 1_767_225_600;
        let times = messages.iter().map(|m| m.time);
        times
            .map(|time| Some(time? / 1_000_000_000 - begin))
            .collect()
    }

    const DAY_S: i64 = 86_400;

    #[test]
    fn a_date_header_gives_all_messages_their_date() {
        let date = "Date: Fri, 02 Jan 2026 22:00:02 GMT\n";
        let anchored = [DAY_S - 1, DAY_S + 1, DAY_S + 2].map(|at| Some(at + DAY_S));
        assert_eq!(times(&log(["", ""], ["", "", date])), anchored);
        // The clock of another sender is another day's: the first date counts, and no order changes.
        let wrong = "Date: Mon, 02 Jan 2017 22:00:01 GMT\n";
        assert_eq!(times(&log(["", ""], ["", date, wrong])), anchored);
        let years = times(&log(["", ""], ["", wrong, date]));
        assert!(years.is_sorted() && years[0] < Some(0), "{years:?}");
    }

    #[test]
    fn what_is_no_clock_of_the_log_gives_no_date() {
        for date in [
            "",
            "Date: Fri, 02 Jan 2026 22:07:02 GMT\n",
            "Date: Thu, 01 Jan 1970 00:00:02 GMT\n",
        ] {
            assert_eq!(times(&log(["", ""], [date, "", ""])), [None; 3], "{date}");
        }
        // Too far from the beginning to wait for.
        let far = "10:00:00.000 pjsua_app.c something else\n".repeat(LOOK / 30);
        let date = "Date: Fri, 02 Jan 2026 22:00:02 GMT\n";
        assert_eq!(times(&log(["", &far], ["", "", date])), [None; 3]);
    }

    #[test]
    fn a_dated_line_further_on_counts_more_than_a_header() {
        let line = "2026-01-02 00:00:01.500000 [DEBUG] something else\n";
        let wrong = "Date: Mon, 02 Jan 2017 22:00:01 GMT\n";
        let expected = [DAY_S - 1, DAY_S + 1, DAY_S + 2].map(Some);
        assert_eq!(times(&log(["", line], ["", wrong, ""])), expected);
    }

    #[test]
    fn a_log_with_months_and_days_keeps_them() {
        let text = log(["", ""], ["Date: Fri, 02 Jan 2026 22:00:02 GMT\n", "", ""]);
        let text = text.replace("23:59:59.000 pjsua", "Jan  2 23:59:59 host sip[1]: pjsua");
        assert_eq!(times(&text)[0], None);
    }
}
