//! `SIPMESSAGES.txt` of Avaya one-X Communicator: a signal line, the message in braces.

use super::address::{hop, socket_address};
use super::pattern::fields;
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs};

/// ```text
/// [2019-01-02 10:00:00.123] DBH:     SIGNAL: [12] SENT to 192.0.2.7:5061. Length= 512.
/// {
/// [12] INVITE ...
/// [12] }
/// ```
pub(super) static FORMAT: Format = Format {
    name: "avaya-one-x",
    signs: Signs {
        word: "SIGNAL: [",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    if line.prefix.stamp.is_none() && !line.text.starts_with(b"[") {
        return None;
    }
    let at = memchr::memmem::find(line.text, b"SIGNAL: [")?;
    let text = line.text.get(at..)?;
    let (sent, [_, remote, _]) = match fields(text, "SIGNAL: [{}] SENT to {}. Length={}") {
        Some(found) => (true, found),
        None => (
            false,
            fields(text, "SIGNAL: [{}] RECEIVED from {}. Length={}")?,
        ),
    };
    let bracketed = line.text.strip_prefix(b"[").and_then(stamp_in);
    Some(Opening {
        hop: hop(None, socket_address(remote), "", sent),
        stamp: line.prefix.stamp.or(bracketed),
        prefix: line.prefix.len,
        ..Opening::default()
    })
}

fn envelope(line: &Line<'_>, _: &mut Opening) -> bool {
    line.text.trim_ascii() == b"{"
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    let from = identified(line.text).unwrap_or(0);
    match line.text.get(from..).unwrap_or_default().trim_ascii() {
        b"}" => Cut::End,
        _ if line.prefix.len >= opening.prefix.max(1) => Cut::Foreign,
        _ => Cut::Text(from),
    }
}

// `[12] `
fn identified(text: &[u8]) -> Option<usize> {
    let digits = text
        .strip_prefix(b"[")?
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    text.get(digits + 1..)?
        .strip_prefix(b"] ")
        .map(|_| digits + 3)
}
