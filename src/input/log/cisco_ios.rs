//! `debug ccsip messages` of Cisco IOS gateways and CUBE: a dated line, the direction, the message.
//! No address and no transport.

use super::address::hop;
use super::clock::{Date, Stamp};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs};

/// ```text
/// 001234: *Mar  1 10:00:00.123 UTC: //12/8A2C5D0E800B/SIP/Msg/ccsipDisplayMsg:
/// Sent:
/// INVITE ...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "cisco-ios",
    signs: Signs {
        last: b":g",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = line.text.trim_ascii_end();
    if text.ends_with(b"/SIP/Msg/ccsipDisplayMsg:") || text.ends_with(b"/ccsipDisplayMsg") {
        return Some(Opening {
            stamp: line.prefix.stamp.or_else(|| stamp(text)),
            ..Opening::default()
        });
    }
    // Where the line before was lost.
    Some(Opening {
        hop: hop(None, None, "", sent(text)?),
        ..Opening::default()
    })
}

fn sent(text: &[u8]) -> Option<bool> {
    match text {
        b"Sent:" => Some(true),
        b"Received:" => Some(false),
        _ => None,
    }
}

/// Sequence numbers and the marks of a clock that is not set stand before the time; years are
/// between the day and the clock, if they are written.
fn stamp(text: &[u8]) -> Option<Stamp> {
    let ahead = memchr::memmem::find(text, b": //").unwrap_or(text.len());
    let text = text.get(..ahead)?;
    let counted = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let text = match text.get(counted..)?.strip_prefix(b": ") {
        Some(rest) if counted > 0 => rest,
        _ => text,
    };
    let text = text.trim_ascii_start();
    let text = text
        .strip_prefix(b"*")
        .or_else(|| text.strip_prefix(b"."))
        .unwrap_or(text);
    stamp_in(text).or_else(|| with_year(text))
}

// `Mar 01 2021 10:00:00.123`
fn with_year(text: &[u8]) -> Option<Stamp> {
    let mut words = text
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    let (month, day, year, clock) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let mut stamp = stamp_in(&[month, day, clock].join(&b' '))?;
    let year = std::str::from_utf8(year).ok()?.parse().ok()?;
    if let Date::MonthDay(month, day) = stamp.date {
        stamp.date = Date::Full(year, month, day);
    }
    Some(stamp)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    let Some(sent) = sent(line.text.trim_ascii()) else {
        return false;
    };
    opening.hop = hop(None, None, "", sent);
    true
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let text = line.text;
    let comment = text.starts_with(b"//") && !text.starts_with(b"//-");
    let prompt =
        text.trim_ascii_end().ends_with(b"#") && !text.iter().any(|byte| b":=".contains(byte));
    match comment || prompt || is_debug(text) {
        true => Cut::Foreign,
        false => Cut::Text(0),
    }
}

/// Another line of a debug: `... //12/8A2C5D0E800B/SIP/...`
fn is_debug(text: &[u8]) -> bool {
    let start = text.get(..text.len().min(60)).unwrap_or_default();
    memchr::memmem::find(start, b": //").is_some() || text.starts_with(b"//-1/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_in_many_spellings() {
        for (text, date) in [
            (
                "001234: *Mar  1 10:00:00.123 UTC: //-1/x/SIP/Msg",
                Date::MonthDay(3, 1),
            ),
            (".Mar 01 10:00:00.123: //-1/x/SIP/Msg", Date::MonthDay(3, 1)),
            (
                "Mar 01 2021 10:00:00.123 CET: //-1/x/SIP/Msg",
                Date::Full(2021, 3, 1),
            ),
            (
                "Mar  1 2021 10:00:00.123 CET: //-1/x/SIP/Msg",
                Date::Full(2021, 3, 1),
            ),
            ("10:00:00.123: //-1/x/SIP/Msg", Date::None),
        ] {
            let stamp = stamp(text.as_bytes()).unwrap();
            assert_eq!(
                (stamp.date, stamp.nanoseconds),
                (date, 36_000_123_000_000),
                "{text}"
            );
        }
        assert_eq!(stamp(b"//-1/xxxxxxxxxxxx/SIP/Msg/ccsipDisplayMsg:"), None);
    }
}
