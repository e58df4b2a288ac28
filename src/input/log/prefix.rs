//! What loggers put before a line: Asterisk's bracketed time and level, syslog's time and host.

use super::clock::{Date, Stamp};
use super::scan::Scan;
use super::{dated, mobile};

/// What was found before a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Prefix {
    /// Bytes that it takes.
    pub(super) len: usize,
    /// Those of them that are syslog's, of the innermost: time, host, program.
    pub(super) syslog: usize,
    /// The time in it.
    pub(super) stamp: Option<Stamp>,
    /// Whether it names a level and a source file, as the first line of a log entry does.
    pub(super) entry: bool,
    /// Whether the text behind it begins with a date, which is left there.
    pub(super) dated: bool,
    /// Whether it is the identifier of a channel.
    pub(super) channel: bool,
}

/// The prefix of a line; its length is 0 where there is none. What one logger wrote may stand behind
/// the prefix of another, which knows less of when it was.
pub(super) fn of(line: &[u8]) -> Prefix {
    let outer = one(line);
    if outer.len == 0 {
        return outer;
    }
    let inner = one(line.get(outer.len..).unwrap_or_default());
    Prefix {
        len: outer.len + inner.len,
        syslog: if inner.syslog > 0 {
            inner.syslog
        } else {
            outer.syslog
        },
        stamp: closest(outer.stamp, inner.stamp),
        entry: outer.entry || inner.entry,
        dated: outer.dated || inner.dated,
        channel: outer.channel || inner.channel,
    }
}

/// The inner of two times, unless only the outer has a date.
fn closest(outer: Option<Stamp>, inner: Option<Stamp>) -> Option<Stamp> {
    let full = |stamp: &Stamp| matches!(stamp.date, Date::Full(..));
    inner
        .filter(|inner| full(inner) || !outer.as_ref().is_some_and(full))
        .or(outer)
}

/// Whether a prefix may begin so; most lines of most texts do not.
fn may_begin(line: &[u8]) -> bool {
    match line {
        [b'[' | b'0'..=b'9', ..] | [b'<', b'0'..=b'9', ..] => true,
        [b'A'..=b'Z', b'/', ..] => true,
        [b'A'..=b'Z', ..] if line.get(..3).is_some_and(|name| month(name).is_some()) => true,
        // The identifier of a channel.
        [b'a'..=b'f' | b'A'..=b'F', ..] => line.get(8) == Some(&b'-'),
        _ => false,
    }
}

fn one(line: &[u8]) -> Prefix {
    if !may_begin(line) {
        return Prefix::default();
    }
    let mut scan = Scan { rest: line };
    let syslog = match line {
        [b'[', ..] => None,
        _ => scan.attempt(syslog),
    };
    let head = line.len() - scan.rest.len();
    let bracketed = scan.attempt(bracketed);
    if syslog.is_none() && bracketed.is_none() {
        let mobile = mobile::of(line).map(|(len, stamp)| Prefix {
            len,
            stamp,
            ..Prefix::default()
        });
        return mobile.unwrap_or_else(|| dated::of(line));
    }
    let entry = scan.attempt(level).is_some();
    Prefix {
        len: line.len() - scan.rest.len(),
        syslog: head,
        stamp: bracketed.or(syslog),
        entry,
        ..Prefix::default()
    }
}

/// `[May 17 08:01:35] `, `[2019-08-27 17:26:38.123] `
fn bracketed(scan: &mut Scan<'_>) -> Option<Stamp> {
    scan.byte(b'[')?;
    let stamp = stamp(scan)?;
    scan.byte(b']')?;
    scan.end_or(b' ')?;
    Some(stamp)
}

/// `<134>May 17 08:01:35 host asterisk[123]: `
fn syslog(scan: &mut Scan<'_>) -> Option<Stamp> {
    if scan.byte(b'<').is_some() {
        scan.number(3)?;
        scan.byte(b'>')?;
    }
    let stamp = stamp(scan)?;
    scan.byte(b' ')?;
    scan.word(|byte| !matches!(byte, b' ' | b'<' | b'>'))?;
    scan.byte(b' ')?;
    scan.word(|byte| !matches!(byte, b' ' | b':' | b'[' | b'<'))?;
    if scan.byte(b'[').is_some() {
        scan.word(|byte| matches!(byte, b'0'..=b'9' | b'.' | b':'))?;
        scan.byte(b']')?;
    }
    scan.byte(b':')?;
    scan.end_or(b' ')?;
    Some(stamp)
}

/// `VERBOSE[1751][C-0000002a] res_pjsip_logger.c: `, `DEBUG[99]: file.c:123 function: `
fn level(scan: &mut Scan<'_>) -> Option<()> {
    const LEVELS: [&[u8]; 9] = [
        b"VERBOSE",
        b"DEBUG",
        b"NOTICE",
        b"WARNING",
        b"ERROR",
        b"SECURITY",
        b"DTMF",
        b"FAX",
        b"TRACE",
    ];
    LEVELS.iter().find_map(|level| scan.literal(level))?;
    scan.byte(b'[')?;
    scan.number(10)?;
    scan.byte(b']')?;
    if scan.literal(b"[C-").is_some() {
        scan.word(|byte| byte.is_ascii_hexdigit())?;
        scan.byte(b']')?;
    }
    let _ = scan.byte(b':');
    let _ = scan.byte(b' ');
    let _ = scan.attempt(source_file);
    Some(())
}

fn source_file(scan: &mut Scan<'_>) -> Option<()> {
    let file = scan.word(|byte| !matches!(byte, b' ' | b':'))?;
    if !(file.ends_with(b".c") || file.ends_with(b".cc") || file.ends_with(b".cpp")) {
        return None;
    }
    scan.byte(b':')?;
    let _ = scan.attempt(|scan| {
        scan.number(6)?;
        scan.byte(b' ')?;
        scan.word(|byte| !matches!(byte, b' ' | b':'))?;
        scan.byte(b':')
    });
    let _ = scan.byte(b' ');
    Some(())
}

/// The time that a text begins with, date and zone as far as it has them.
pub(super) fn stamp_in(text: &[u8]) -> Option<Stamp> {
    stamp(&mut Scan { rest: text })
}

/// What stands behind the time that a text begins with.
pub(super) fn after_stamp(text: &[u8]) -> Option<&[u8]> {
    let mut scan = Scan { rest: text };
    stamp(&mut scan)?;
    Some(scan.rest)
}

pub(super) fn stamp(scan: &mut Scan<'_>) -> Option<Stamp> {
    let date = if scan.rest.first()?.is_ascii_digit() {
        scan.attempt(|scan| {
            let year = scan.number(4)?;
            let between = if scan.byte(b'/').is_some() {
                b'/'
            } else {
                b'-'
            };
            if between == b'-' {
                scan.byte(between)?;
            }
            let month = scan.number(2)?;
            scan.byte(between)?;
            let day = scan.number(2)?;
            scan.byte(b' ')
                .or_else(|| scan.byte(b'T'))
                .or_else(|| scan.byte(b'\t'))?;
            ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Date::Full(
                year as u16,
                month as u8,
                day as u8,
            ))
        })
        .unwrap_or(Date::None)
    } else {
        month_day(scan)?
    };
    let hour = scan.number(2)?;
    scan.byte(b':')?;
    let minute = scan.number(2)?;
    scan.byte(b':')?;
    let second = scan.number(2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let point = scan.byte(b'.').or_else(|| scan.byte(b','));
    let point = point.or_else(|| colon_before_milliseconds(scan));
    let fraction = if point.is_some() { scan.fraction()? } else { 0 };
    Some(Stamp {
        date,
        nanoseconds: (hour * 3600 + minute * 60 + second) * 1_000_000_000 + fraction,
        zone: scan.attempt(zone),
    })
}

/// `16:44:30:519`
fn colon_before_milliseconds(scan: &mut Scan<'_>) -> Option<()> {
    let digits = scan.rest.get(1..4)?;
    digits.iter().all(u8::is_ascii_digit).then_some(())?;
    scan.byte(b':')
}

fn month_day(scan: &mut Scan<'_>) -> Option<Date> {
    let (name, rest) = scan.rest.split_at_checked(3)?;
    let month = month(name)?;
    scan.rest = rest;
    scan.byte(b' ')?;
    let _ = scan.byte(b' ');
    let day = scan.number(2)?;
    scan.byte(b' ')?;
    (1..=31)
        .contains(&day)
        .then_some(Date::MonthDay(month, day as u8))
}

/// 1 to 12 for `Jan` to `Dec`.
fn month(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

fn zone(scan: &mut Scan<'_>) -> Option<i32> {
    if scan.byte(b'Z').is_some() {
        return Some(0);
    }
    let sign = match scan.byte(b'+') {
        Some(()) => 1,
        None => scan.byte(b'-').map(|()| -1)?,
    };
    let hours = scan.number(2)?;
    let _ = scan.byte(b':');
    let minutes = scan.number(2)?;
    (hours < 15 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_where_the_text_begins() {
        for (line, text, entry) in [
            ("[May 17 08:01:35] Via: x", "Via: x", false),
            ("[May  7 08:01:35]", "", false),
            (
                "[2019-08-27 17:26:38] VERBOSE[1751][C-0000002a] res_pjsip_logger.c: <---",
                "<---",
                true,
            ),
            (
                "[2019-08-27 17:26:38,123] DEBUG[9]: chan.c:12 main: <---",
                "<---",
                true,
            ),
            (
                "<134>May 17 08:01:35 pbx asterisk[77]: To: y",
                "To: y",
                false,
            ),
            (
                "May 17 08:01:35 pbx asterisk: [2019-08-27 17:26:38] NOTICE[1] a.c: z",
                "z",
                true,
            ),
            ("[sip] To: y", "[sip] To: y", false),
            ("May I say: this", "May I say: this", false),
            ("[99:99:99] x", "[99:99:99] x", false),
        ] {
            let prefix = of(line.as_bytes());
            assert_eq!((&line[prefix.len..], prefix.entry), (text, entry), "{line}");
        }
    }

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let stamp = of(b"[2019-08-27T01:00:02.5-0130] x").stamp.unwrap();
        assert_eq!(stamp.date, Date::Full(2019, 8, 27));
        assert_eq!(stamp.nanoseconds, 3_602_500_000_000);
        assert_eq!(stamp.zone, Some(-5400));
    }
}
