//! Avaya's Client SDK (Workplace, Communicator): a dated line that ends in a brace, the message, a brace.

use super::address::{hop, socket_address};
use super::pattern::fields;
use super::{Cut, Format, Line, Opening, Signs, one_line};

/// `2022-04-14 09:01:12.532 D [21480] [CSDK::SIP] RECEIVED 347 bytes from 192.0.2.7:5061 {`
pub(super) static FORMAT: Format = Format {
    name: "avaya-csdk",
    signs: Signs {
        last: b"{",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = line.text.trim_ascii_end();
    text.strip_suffix(b"{")?;
    let at = memchr::memmem::find(text, b"SENDING ")
        .or_else(|| memchr::memmem::find(text, b"RECEIVED "))?;
    let text = text.get(at..)?;
    let (sent, [_, remote]) = match fields(text, "SENDING {} bytes to {} {") {
        Some(found) => (true, found),
        None => (false, fields(text, "RECEIVED {} bytes from {} {")?),
    };
    line.prefix.stamp.map(|stamp| Opening {
        hop: hop(None, socket_address(remote), "", sent),
        stamp: Some(stamp),
        ..Opening::default()
    })
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match line.text.trim_ascii_end() {
        b"}" => Cut::End,
        _ if line.prefix.dated => Cut::Foreign,
        _ => Cut::Text(0),
    }
}
