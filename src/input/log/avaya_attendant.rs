//! The log of Avaya's attendant snap-in: a dated line says that a message follows.

use super::address::hop;
use super::{Cut, Format, Line, Opening, Signs, one_line};

/// `2020-10-14 16:53:24,836 [SipContainerPool : 7] Attendant FINER - ... - CallServer.requestReceived`
pub(super) static FORMAT: Format = Format {
    name: "avaya-attendant",
    signs: Signs {
        word: " Attendant FINER - ",
        timed: true,
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let stamp = line.prefix.stamp?;
    memchr::memmem::find(line.text, b" Attendant FINER - ")?;
    let text = line.text.trim_ascii_end();
    let sent = if text.ends_with(b"Received") {
        false
    } else if text.ends_with(b".sendingOut Response") || text.ends_with(b".sendingOut Request") {
        true
    } else {
        return None;
    };
    Some(Opening {
        hop: hop(None, None, "", sent),
        stamp: Some(stamp),
        ..Opening::default()
    })
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match line.prefix.dated {
        true => Cut::Foreign,
        false => Cut::Text(0),
    }
}
