//! Avaya's desk phones and VDI endpoints, mostly by syslog. Year, zone and milliseconds stand behind the
//! time; long messages are cut into records.

use super::address::{hop, socket_address};
use super::clock::{Date, Stamp};
use super::{Cut, Format, Line, Opening, Signs};
use crate::input::LogHop;

/// `... SIPMESSAGE: +01:00 2022 562 1 .TEL | 0 [Part 01 of 02] Outbound SIP message to 192.0.2.7:5061`, then `TX INVITE ...`
pub(super) static FORMAT: Format = Format {
    name: "avaya-phone",
    signs: Signs {
        word: " .TEL | ",
        timed: true,
        ..Signs::ANY
    },
    bare: false,
    recognise,
    envelope,
    cut,
};

const TELEPHONE: &[u8] = b" .TEL | ";

fn recognise(line: &Line<'_>) -> Option<Opening> {
    line.prefix.stamp?;
    let at = memchr::memmem::find(line.text, TELEPHONE)?;
    if is_later_part(line.text.get(at..)?) {
        return None;
    }
    Some(Opening {
        hop: said(line.text).unwrap_or_default(),
        stamp: line.prefix.stamp.map(|stamp| dated(stamp, line.text)),
        ..Opening::default()
    })
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    match said(line.text) {
        Some(hop) => {
            opening.hop = hop;
            true
        }
        None => false,
    }
}

fn said(text: &[u8]) -> Option<LogHop> {
    let at = memchr::memmem::find(text, b"bound SIP message ")?;
    let said = std::str::from_utf8(text.get(at..)?).ok()?;
    remote(said, text.get(..at)?.ends_with(b"Out"))
}

/// `[Part 02 of 02]`
fn is_later_part(text: &[u8]) -> bool {
    let part = memchr::memmem::find(text, b"[Part ");
    let number = part.and_then(|part| text.get(part + 6..part + 8));
    number.is_some_and(|number| number > &b"01"[..])
}

// `bound SIP message to 192.0.2.7:5061`, `... from ip = 192.0.2.7 port: 5061`
fn remote(text: &str, sent: bool) -> Option<LogHop> {
    let text = text.strip_prefix("bound SIP message ")?;
    let text = text.strip_prefix(if sent { "to " } else { "from " })?;
    let text = text
        .trim()
        .trim_start_matches("ip = ")
        .replace(" port: ", ":");
    let address = text.split(' ').next().unwrap_or("");
    Some(hop(None, socket_address(address), "", sent))
}

/// Adds what stands behind the name of the record: zone, year, milliseconds.
fn dated(stamp: Stamp, text: &[u8]) -> Stamp {
    more(stamp, text).unwrap_or(stamp)
}

fn more(mut stamp: Stamp, text: &[u8]) -> Option<Stamp> {
    let head = text.get(..memchr::memmem::find(text, TELEPHONE)?)?;
    let mut words = std::str::from_utf8(head).ok()?.rsplit(' ');
    let (_, milliseconds, year, zone) =
        (words.next()?, words.next()?, words.next()?, words.next()?);
    let milliseconds: u64 = milliseconds.parse().ok()?;
    let (sign, clock) = zone.split_at_checked(1)?;
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..15).contains(&hours) && (0..60).contains(&minutes)).then_some(())?;
    let seconds = hours * 3600 + minutes * 60;
    stamp.nanoseconds += milliseconds.min(999) * 1_000_000;
    if let Date::MonthDay(month, day) = stamp.date {
        stamp.date = Date::Full(year.parse().ok()?, month, day);
        stamp.zone = Some(if sign == "-" { -seconds } else { seconds });
    }
    Some(stamp)
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let Some(at) = memchr::memmem::find(line.text, TELEPHONE) else {
        return match line.end.is_empty() {
            true => Cut::Part(line.text.to_vec()),
            false => Cut::Text(0),
        };
    };
    match is_later_part(line.text.get(at..).unwrap_or_default()) {
        true => Cut::Resume,
        false => Cut::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_two_spellings() {
        let address = "192.0.2.7:5061".parse().ok();
        for text in ["from 192.0.2.7:5061", "from ip = 192.0.2.7 port: 5061"] {
            let hop = remote(&format!("bound SIP message {text}"), false).unwrap();
            assert_eq!(hop.source, address, "{text}");
        }
    }

    #[test]
    fn the_year_stands_behind_the_time() {
        let stamp = Stamp {
            date: Date::MonthDay(1, 12),
            nanoseconds: 0,
            zone: None,
        };
        let stamp = dated(stamp, b"+01:00 2022 562 1 .TEL | 0 [Part 01 of 02]");
        assert_eq!(stamp.date, Date::Full(2022, 1, 12));
        assert_eq!((stamp.nanoseconds, stamp.zone), (562_000_000, Some(3600)));
    }
}
