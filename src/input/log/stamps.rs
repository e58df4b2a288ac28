//! Times in the spellings that only one format has: of parts, with a colon before the fraction.

use super::clock::{Date, Stamp};

const SECOND: u64 = 1_000_000_000;

/// `HH:MM:SS`, with a fraction behind a point, a comma or a colon.
pub(super) fn at(date: Date, clock: &str) -> Option<Stamp> {
    let clock = clock.trim();
    let mut parts = clock.get(..8)?.split(':').map(two);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let fraction = match clock.as_bytes().get(8) {
        None | Some(b' ') => 0,
        Some(b'.' | b',' | b':') => fraction(clock.get(9..)?)?,
        Some(_) => return None,
    };
    (hour < 24 && minute < 60 && second < 61).then_some(Stamp {
        date,
        nanoseconds: (hour * 3600 + minute * 60 + second) * SECOND + fraction,
        zone: None,
    })
}

/// Digits behind a point, as nanoseconds; whatever follows them is left.
pub(super) fn fraction(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let text = text.get(..digits.min(9))?;
    let number: u64 = text.parse().ok()?;
    Some((text.len()..9).fold(number, |number, _| number * 10))
}

fn two(text: &str) -> Option<u64> {
    (text.len() == 2).then(|| text.parse().ok()).flatten()
}

/// `day/month/year` in the order given.
pub(super) fn date(day: &str, month: &str, year: &str) -> Option<Date> {
    let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let sane = (1970..3000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    sane.then_some(Date::Full(year, month, day))
}

/// Nanoseconds since the epoch.
pub(super) fn epoch(nanoseconds: u64) -> Option<Stamp> {
    let (days, rest) = (
        nanoseconds / SECOND / 86_400,
        nanoseconds % (86_400 * SECOND),
    );
    // Howard Hinnant's `civil_from_days`.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    Some(Stamp {
        date: Date::Full(
            u16::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        ),
        nanoseconds: rest,
        zone: Some(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_have_three_marks_before_the_fraction() {
        for text in ["01:02:03.5", "01:02:03,500", "01:02:03:500 EDT"] {
            let stamp = at(Date::None, text).unwrap();
            assert_eq!(stamp.nanoseconds, 3_723 * SECOND + SECOND / 2, "{text}");
        }
        for text in ["", "25:00:00", "1:02:03", "01:02:03x", "ü1:02:03"] {
            assert_eq!(at(Date::None, text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_checked() {
        assert_eq!(date("29", "02", "2024"), Some(Date::Full(2024, 2, 29)));
        assert_eq!(date("02", "29", "2024"), None);
    }

    #[test]
    fn seconds_since_the_epoch_have_a_date() {
        let stamp = epoch(1_709_200_800 * SECOND + 7).unwrap();
        assert_eq!(stamp.date, Date::Full(2024, 2, 29));
        assert_eq!(stamp.nanoseconds, 10 * 3600 * SECOND + 7);
    }
}
