//! Finding the start line of a message in a line of text.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// In every start line.
pub(super) static VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"SIP/2.0"));

/// Where in the text a start line begins, if one does: after indentation, quoting, a known word or a
/// quote that it opens.
pub(super) fn find(text: &[u8]) -> Option<Found> {
    // Most lines of most texts end here.
    VERSION.find(text)?;
    alone(text).or_else(|| {
        let margin = margin(text);
        let rest = quoted(text.get(margin..)?)?;
        Some(Found {
            at: text.len() - rest,
            margin,
        })
    })
}

/// The same, but with nothing else on the line.
pub(super) fn find_alone(text: &[u8]) -> Option<Found> {
    VERSION.find(text)?;
    alone(text)
}

fn alone(text: &[u8]) -> Option<Found> {
    let margin = margin(text);
    let bare = text.get(margin..)?;
    if is_start_line(bare) {
        return Some(Found { at: margin, margin });
    }
    // The bytes of a packet's headers, printed as text.
    let odd = |byte: &&u8| matches!(byte, 0..=8 | 14..=31 | 127..);
    if bare.iter().filter(odd).nth(7).is_some() {
        let at = margin + find_behind(bare)?;
        return Some(Found { at, margin: 0 });
    }
    let glue = GLUE.iter().find_map(|glue| {
        let rest = bare.strip_prefix(*glue)?.trim_ascii_start();
        is_start_line(rest).then_some(rest.len())
    })?;
    Some(Found {
        at: text.len() - glue,
        margin,
    })
}

/// Where a start line begins that has anything at all before it.
pub(super) fn find_behind(text: &[u8]) -> Option<usize> {
    let text = text.trim_ascii_end();
    let Some(request) = text.strip_suffix(b" SIP/2.0") else {
        let at = VERSION.find_iter(text).last()?;
        return is_start_line(text.get(at..)?).then_some(at);
    };
    let method = request.get(..memchr::memrchr(b' ', request)?)?;
    let known = METHODS.iter().filter(|name| method.ends_with(name));
    let at = method.len() - known.map(|name| name.len()).max()?;
    is_start_line(text.get(at..)?).then_some(at)
}

const METHODS: [&[u8]; 14] = [
    b"INVITE",
    b"ACK",
    b"BYE",
    b"CANCEL",
    b"OPTIONS",
    b"REGISTER",
    b"PRACK",
    b"SUBSCRIBE",
    b"NOTIFY",
    b"PUBLISH",
    b"INFO",
    b"REFER",
    b"MESSAGE",
    b"UPDATE",
];

/// Whether the text is a start line from its first byte on, with a method that everybody knows.
pub(super) fn is_clean(text: &[u8]) -> bool {
    let known = |name: &&[u8]| text.starts_with(name) && text.get(name.len()) == Some(&b' ');
    (text.starts_with(b"SIP/2.0 ") || METHODS.iter().any(known)) && is_start_line(text)
}

/// Whether a start line may be in the text.
pub(super) fn mentions(text: &[u8]) -> bool {
    VERSION.find(text).is_some()
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
            Some([b' ' | b'\t' | b'\r' | b'>' | b'|', ..]) => 1,
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
    // A dot stands for the CR where ngrep printed it.
    let undotted = text.strip_suffix(b".").unwrap_or(text);
    let Some(request) = undotted.strip_suffix(b" SIP/2.0") else {
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
    fn headers_of_a_packet_may_stand_before_a_start_line() {
        for (line, at) in [
            ("E`...J@.@..h.......OPTIONS sip:a@b SIP/2.0", 19),
            ("..).}#AKINVITE sip:a SIP/2.0", 8),
            ("x SIP/2.0 2 SIP/2.0 200 OK", 12),
            ("xPRACK sip:a SIP/2.0", 1),
        ] {
            assert_eq!(find_behind(line.as_bytes()), Some(at), "{line}");
        }
        assert_eq!(find_behind(b"the URI sip:a SIP/2.0"), None);
        let junk = "\u{20ac}\u{20ac}\u{20ac} BYE sip:a SIP/2.0";
        let found = find(junk.as_bytes());
        assert_eq!(found, Some(Found { at: 10, margin: 0 }));
        assert_eq!(find("sent \u{2192} BYE sip:a SIP/2.0".as_bytes()), None);
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
