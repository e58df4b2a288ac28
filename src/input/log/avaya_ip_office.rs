//! IP Office System Monitor: milliseconds since the start of the system, then the message, indented.

use super::address::{hop, socket_address};
use super::clock::{Date, Stamp};
use super::pattern::fields;
use super::{Cut, Format, Line, Opening, Signs, margin, one_line};

/// `3309492437mS SIP Rx: TCP 192.0.2.7:5060 -> 192.0.2.10:5060`
pub(super) static FORMAT: Format = Format {
    name: "avaya-ip-office",
    signs: Signs::NUMBER,
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let (uptime, rest) = entry(line.text)?;
    let (sent, [transport, source, destination]) = match fields(rest, "SIP Rx: {} {} -> {}") {
        Some(found) => (false, found),
        None => (true, fields(rest, "SIP Tx: {} {} -> {}")?),
    };
    let (source, destination) = (socket_address(source), socket_address(destination));
    let (local, remote) = if sent {
        (source, destination)
    } else {
        (destination, source)
    };
    Some(Opening {
        hop: hop(local, remote, transport, sent),
        stamp: Some(Stamp {
            date: Date::None,
            nanoseconds: uptime.checked_mul(1_000_000)?,
            zone: None,
        }),
        ..Opening::default()
    })
}

/// The uptime that every record begins with, and the rest.
fn entry(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text
        .iter()
        .take(10)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let rest = text.get(digits..)?.strip_prefix(b"mS ")?;
    let uptime = std::str::from_utf8(text.get(..digits)?).ok()?;
    Some((uptime.parse().ok()?, rest))
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    match entry(line.text) {
        Some(_) => Cut::Foreign,
        None if line.text.starts_with(b"**********") => Cut::End,
        None => Cut::Text(margin(line, opening)),
    }
}
