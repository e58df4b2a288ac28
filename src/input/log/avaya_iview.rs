//! Avaya iView (Radvision): every line of a message has the time and the part of the program before it.

use super::address::{hop, socket_address};
use super::{Cut, Format, Line, Opening, Signs, one_line, start_line};
use crate::input::LogHop;

/// ```text
/// 2016-11-04 08:07:41.305 [.INFO] [..MESSAGE] <--- 192.0.2.7:58851 1 1028
/// 2016-11-04 08:07:41.306 [.INFO] [..MESSAGE] <--- INFO sip:...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "avaya-iview",
    signs: Signs {
        word: " [..MESSAGE]",
        timed: true,
        ..Signs::ANY
    },
    bare: false,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let stamp = line.prefix.stamp?;
    let at = message(line.text)?;
    let text = line.text.get(at..)?;
    let sent = match text.get(..5)? {
        b"<--- " => false,
        b"---> " => true,
        _ => return None,
    };
    let rest = text.get(5..)?;
    let starts_at = start_line::find(rest).map(|found| at + 5 + found.at);
    let address = std::str::from_utf8(rest).ok()?.split(' ').next()?;
    let hop = match starts_at {
        // The line before it says whose address it is.
        Some(_) => LogHop::default(),
        None => hop(None, socket_address(address), "", sent),
    };
    Some(Opening {
        hop,
        stamp: Some(stamp),
        starts_at,
        ..Opening::default()
    })
}

/// Where the text of a line of a message begins.
fn message(text: &[u8]) -> Option<usize> {
    const MARK: &[u8] = b" [..MESSAGE]";
    let head = text.get(..text.len().min(60))?;
    let at = memchr::memmem::find(head, MARK)? + MARK.len();
    Some((at + 1).min(text.len()))
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    message(line.text).map_or(Cut::Foreign, Cut::Text)
}
