//! ngrep in all its widths (`dump_*` of ngrep.c) and sipgrep: protocol, time, both addresses. Each CR
//! is printed as a dot; without `-W byline` each LF too.

use super::address::socket_address;
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line, start_line};
use crate::input::LogHop;

/// `U 2026/01/01 09:00:00.000000 192.0.2.10:5060 -> 198.51.100.20:5060 #1`
pub(super) static FORMAT: Format = Format {
    name: "ngrep",
    signs: Signs {
        first: b"UT",
        word: " -> ",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let (transport, rest) = match line.text {
        [b'U', b' ', rest @ ..] => (Some("udp"), rest),
        [b'T', b' ', rest @ ..] => (Some("tcp"), rest),
        _ => return None,
    };
    let arrow = memchr::memmem::find(rest, b" -> ")?;
    let before = std::str::from_utf8(rest.get(..arrow)?).ok()?;
    let after = std::str::from_utf8(rest.get(arrow + 4..)?).ok();
    let after = after.unwrap_or_default().trim_end();
    // `-T` writes what passed since the packet before, or since the first: it cannot be told which.
    let stamp = stamp_in(before.as_bytes());
    let source = before.rsplit(' ').next()?;
    let (destination, more) = after.split_once(' ').unwrap_or((after, ""));
    if !(is_end(source) && is_end(destination)) {
        return None;
    }
    // `-W single`: the message is on the same line.
    let starts_at = start_line::find_behind(more.as_bytes())
        .map(|at| line.text.trim_ascii_end().len() - more.len() + at);
    Some(Opening {
        hop: LogHop {
            source: socket_address(source),
            destination: socket_address(destination),
            transport,
            sent: None,
            ..LogHop::default()
        },
        stamp,
        starts_at,
        ..Opening::default()
    })
}

/// An address or what was put in its place, and a port.
fn is_end(text: &str) -> bool {
    let port = text.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| !port.is_empty() && port.len() <= 5)
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    if !opening.begun && line.text.starts_with(b"  ") {
        return Cut::Piece(2);
    }
    // The blank line behind the pieces.
    if !opening.begun && opening.pieced && line.text.is_empty() {
        return Cut::End;
    }
    let marks = !line.text.is_empty() && line.text.iter().all(|byte| *byte == b'#');
    // The blank line behind a message; one within it is a dot.
    if marks || (opening.dotted && line.text.is_empty()) {
        return Cut::Foreign;
    }
    Cut::Text(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(text: &str) -> Option<Opening> {
        recognise(&Line {
            prefix: super::super::prefix::Prefix::default(),
            text: text.as_bytes(),
            end: b"\n",
        })
    }

    #[test]
    fn envelopes_in_all_spellings() {
        for text in [
            "U 192.0.2.10:5060 -> 198.51.100.20:5060",
            "U 192.0.2.10:5060 -> 198.51.100.20:5060 #1",
            "U +0.000435 192.0.2.10:5060 -> 198.51.100.20:5060 #12",
            "T 2026/01/01 09:00:00.000000 192.0.2.10:5060 -> 198.51.100.20:5060 [AP] #3",
        ] {
            let opening = opening(text).unwrap();
            assert_eq!(opening.hop.source, "192.0.2.10:5060".parse().ok(), "{text}");
            let destination = "198.51.100.20:5060".parse().ok();
            assert_eq!(opening.hop.destination, destination, "{text}");
            assert_eq!(opening.stamp.is_some(), text.starts_with('T'), "{text}");
            assert_eq!(opening.starts_at, None, "{text}");
        }
        let one_line = "U 2001:db8::1:5060 -> 2001:db8::2:5061 SIP/2.0 200 OK";
        let opening = opening(one_line).unwrap();
        assert_eq!(opening.hop.source, "[2001:db8::1]:5060".parse().ok());
        assert_eq!(opening.starts_at, Some(one_line.len() - 14));
    }

    #[test]
    fn a_sentence_is_no_envelope() {
        for text in [
            "U turn -> left",
            "T -> x",
            "U a:b -> ",
            "U 1:2 -> 3:4567890",
        ] {
            assert!(opening(text).is_none(), "{text}");
        }
    }
}
