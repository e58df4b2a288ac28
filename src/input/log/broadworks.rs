//! `XSLog` of BroadWorks: a dated line, then a line with transport, direction and the remote end.

use super::address::{hop, socket_address};
use super::clock::Stamp;
use super::{Cut, Format, Line, Opening, Signs, stamps};
use crate::input::LogHop;

/// ```text
/// 2019.08.27 17:26:38:890 EDT | Info | SipMedia | +12125550100 | localHost:0
///
///     udp 426 Bytes OUT to 192.0.2.7:5060
/// ```
pub(super) static FORMAT: Format = Format {
    name: "broadworks",
    signs: Signs::NUMBER,
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let stamp = entry(line.text)?;
    memchr::memmem::find(line.text, b"| SipMedia |")?;
    Some(Opening {
        stamp: Some(stamp),
        ..Opening::default()
    })
}

/// The time that every record begins with.
fn entry(text: &[u8]) -> Option<Stamp> {
    if !matches!(text, [_, _, _, _, b'.', _, _, b'.', _, _, b' ', ..]) {
        return None;
    }
    let text = std::str::from_utf8(text.get(..23)?).ok()?;
    let mut date = text.get(..10)?.split('.');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    stamps::at(stamps::date(day, month, year)?, text.get(11..)?)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    match said(line.text.trim_ascii()) {
        Some(hop) => {
            opening.hop = hop;
            true
        }
        None => false,
    }
}

// `udp 426 Bytes OUT to 192.0.2.7:5060`
fn said(text: &[u8]) -> Option<LogHop> {
    let mut words = std::str::from_utf8(text).ok()?.split(' ');
    let transport = words.next()?;
    words.next()?.parse::<u32>().ok()?;
    let sent = match (words.next()?, words.next()?, words.next()?) {
        ("Bytes", "OUT", "to") => true,
        ("Bytes", "IN", "from") => false,
        _ => return None,
    };
    Some(hop(None, socket_address(words.next()?), transport, sent))
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match entry(line.text) {
        Some(_) => Cut::End,
        None => Cut::Text(0),
    }
}
