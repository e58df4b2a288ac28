//! Syslog of Yealink phones: every line of a message is a record of its own.

use super::address::{hop, socket_address};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line, start_line};

/// ```text
/// <134>Aug 28 11:54:22 sua [1156.1277]: DLG <6+info  > [000] Message sent: (to dest=192.0.2.7:5060)
/// <134>Aug 28 11:54:22 sua [1156.1277]: DLG <6+info  > [000] INVITE sip:...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "yealink",
    signs: Signs {
        word: "sua [",
        ..Signs::ANY
    },
    bare: false,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let at = logged(line.text)?;
    let rest = line.text.get(at..)?;
    let stamp = line.prefix.stamp.or_else(|| {
        let text = line.text.strip_prefix(b"<").unwrap_or(line.text);
        let priority = memchr::memchr(b'>', text.get(..4)?).map_or(0, |at| at + 1);
        stamp_in(text.get(priority..)?)
    });
    if let Some(found) = start_line::find(rest) {
        return Some(Opening {
            stamp,
            starts_at: Some(at + found.at),
            ..Opening::default()
        });
    }
    let text = std::str::from_utf8(rest).ok()?;
    let remote = |mark: &str| {
        let (_, address) = text.split_once(mark)?;
        socket_address(address.trim_end().trim_end_matches([')', ':']))
    };
    let hop = if text.starts_with("Message sent") {
        hop(None, remote("to dest="), "", true)
    } else if text.starts_with("Received message") {
        hop(None, remote(" from "), "", false)
    } else {
        return None;
    };
    Some(Opening {
        hop,
        stamp,
        ..Opening::default()
    })
}

/// Where the text begins that a record of the SIP program holds.
fn logged(text: &[u8]) -> Option<usize> {
    let head = text.get(..text.len().min(100))?;
    let sua = memchr::memmem::find(head, b"sua [")?;
    let level = sua + memchr::memmem::find(head.get(sua..)?, b" <6+info")?;
    let mut at = level + memchr::memchr(b'>', head.get(level..)?)? + 1;
    at += usize::from(text.get(at) == Some(&b' '));
    if let [b'[', a, b, c, b']', ..] = text.get(at..)?
        && [a, b, c].into_iter().all(u8::is_ascii_digit)
    {
        at += 5;
        at += usize::from(text.get(at) == Some(&b' '));
    }
    Some(at)
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    logged(line.text).map_or(Cut::Foreign, Cut::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_a_program_a_level_and_an_account_or_none() {
        for text in [
            "<134>Aug 28 11:54:22 sua [1156.1277]: DLG <6+info  > [000] Via: x",
            "Aug 28 11:54:22 sua [1156:1277]: SUA <6+info> Via: x",
        ] {
            assert_eq!(text.get(logged(text.as_bytes()).unwrap()..), Some("Via: x"));
        }
        assert_eq!(
            logged(b"Aug 28 11:54:22 GUI [1156:1277]: GUI <6+info> Via: x"),
            None
        );
    }
}
