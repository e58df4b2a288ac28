//! Finding the start line of a message in a line of text.

use std::sync::LazyLock;

use memchr::memmem::Finder;

static VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"SIP/2.0"));

/// Where in the text a start line begins, if one does: after indentation, quoting or a known word.
pub(super) fn find(text: &[u8]) -> Option<Found> {
    // Most lines of most texts end here.
    VERSION.find(text)?;
    let margin = margin(text);
    let bare = text.get(margin..)?;
    if is_start_line(bare) {
        return Some(Found { at: margin, margin });
    }
    let glue = GLUE.iter().find_map(|glue| {
        let rest = bare.strip_prefix(*glue)?.trim_ascii_start();
        is_start_line(rest).then_some(rest.len())
    });
    let glue = glue.or_else(|| quoted(bare))?;
    Some(Found {
        at: text.len() - glue,
        margin,
    })
}

/// A start line within a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it begins.
    pub(super) at: usize,
    /// How much of what is before it stands before every line: indentation and quoting.
    pub(super) margin: usize,
}

/// What programs and people write before a start line on the same line.
const GLUE: &[&[u8]] = &[
    b"TX ",
    b"RX ",
    b"SEND:",
    b"RECV:",
    b"recv=",
    b"<--- ",
    b"---> ",
    b"received text message:",
    b"sending message:",
];

/// `RAW <<<INVITE sip:a@b SIP/2.0`, `s = "SIP/2.0 200 OK`: opened by a quote that the line does not
/// close, as in dumps of memory and scripts; gives the length of the rest.
fn quoted(text: &[u8]) -> Option<usize> {
    let marks = text.iter().enumerate().rev();
    let mut marks = marks.filter(|(_, byte)| matches!(byte, b'"' | b'\'' | b'<' | b'`'));
    let (at, mark) = marks.next()?;
    let rest = text.get(at + 1..)?;
    let closed = rest.contains(match mark {
        b'<' => &b'>',
        mark => mark,
    });
    (!closed && is_start_line(rest)).then_some(rest.len())
}

/// The longest indentation and quoting that is believed.
const WIDEST_MARGIN: usize = 80;

fn margin(text: &[u8]) -> usize {
    let mut at = 0;
    while at < WIDEST_MARGIN {
        at += match text.get(at..) {
            Some([b' ' | b'\t' | b'>' | b'|', ..]) => 1,
            Some([b'/', b'/', ..]) => 2,
            Some([0xc2, 0xa0, ..]) => 2,
            _ => break,
        };
    }
    at
}

/// RFC 3261 §7.1 and §7.2, with blanks at the end that a text may have collected.
fn is_start_line(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    if let Some(status) = text.strip_prefix(b"SIP/2.0 ") {
        return match status {
            [b'1'..=b'6', b'0'..=b'9', b'0'..=b'9', rest @ ..] => {
                rest.is_empty() || rest.starts_with(b" ")
            }
            _ => false,
        };
    }
    let Some(request) = text.strip_suffix(b" SIP/2.0") else {
        return false;
    };
    let mut words = request.splitn(2, |byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    let uri = words.next().unwrap_or_default().trim_ascii();
    // A sentence may end in "SIP/2.0" too: what is not all capitals must be as strict as the RFC.
    let capitals = !method.iter().any(u8::is_ascii_lowercase);
    (2..=64).contains(&method.len())
        && method.iter().all(|byte| is_token_byte(*byte))
        && is_target(uri)
        && (capitals || !uri.contains(&b' '))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// A URI with a scheme, however it was edited afterwards (`sip:<name hidden>@...`) or is malformed.
fn is_target(uri: &[u8]) -> bool {
    let uri = uri.strip_prefix(b"<").unwrap_or(uri);
    let in_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let scheme = uri.iter().take_while(|byte| in_scheme(byte)).count();
    scheme > 0 && uri.get(scheme) == Some(&b':') && scheme + 1 < uri.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_lines_are_found_behind_what_people_put_before_them() {
        for (line, at, margin) in [
            ("INVITE sip:a@b SIP/2.0", 0, 0),
            ("SIP/2.0 180 Ringing  ", 0, 0),
            ("SIP/2.0 603", 0, 0),
            ("> > BYE sip:[2001:db8::1] SIP/2.0", 4, 4),
            ("invite soap.beep://x SIP/2.0", 0, 0),
            ("INVITE <sip:a@b> SIP/2.0", 0, 0),
            ("\tOPTIONS sips:x SIP/2.0", 1, 1),
            ("// ACK tel:+1 SIP/2.0", 3, 3),
            ("RAW <<<BYE sip:a@b SIP/2.0", 7, 0),
            ("  s = \"SIP/2.0 200 OK", 7, 2),
            ("  SEND: REGISTER sip:<hidden name>@x SIP/2.0", 8, 2),
        ] {
            assert_eq!(find(line.as_bytes()), Some(Found { at, margin }), "{line}");
        }
    }

    #[test]
    fn lines_that_only_mention_sip_are_no_start_lines() {
        for line in [
            "Via: SIP/2.0/UDP 192.0.2.1",
            "SIP response: SIP/2.0 401 Unauthorized",
            "SIP/2.0 1000 What",
            "The proxy speaks SIP/2.0",
            "We use SIP/2.0",
            "Use sip:a@b with SIP/2.0",
            "INVITE SIP/2.0",
            "Request-Line: INVITE sip:a@b SIP/2.0",
            "It said \"SIP/2.0 401 Unauthorized\" to me",
            "No 200 to 'INVITE sip:a@b SIP/2.0'",
        ] {
            assert_eq!(find(line.as_bytes()), None, "{line}");
        }
    }
}
