//! Header lines: names, compact names, folding (RFC 3261 §7.3, §20).

use super::field::Field;
use super::span::{Span, span_in, trim};
use super::start_line::is_token;
use crate::short::{self, Name};
use nom::bytes::complete::take_while1;
use nom::character::complete::{char, space0};
use nom::{IResult, Parser};

/// One header as it stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which of the headers that are asked for it is.
    pub field: Option<Field>,
    /// The name as received.
    pub name: Span,
    /// The value without blanks at its ends; folded lines are inside it.
    pub value: Span,
}

/// Compact form and full name (RFC 3261 §7.3.3 and the registry of header fields).
const COMPACT: [(u8, &str); 20] = [
    (b'a', "Accept-Contact"),
    (b'b', "Referred-By"),
    (b'c', "Content-Type"),
    (b'd', "Request-Disposition"),
    (b'e', "Content-Encoding"),
    (b'f', "From"),
    (b'i', "Call-ID"),
    (b'j', "Reject-Contact"),
    (b'k', "Supported"),
    (b'l', "Content-Length"),
    (b'm', "Contact"),
    (b'n', "Identity-Info"),
    (b'o', "Event"),
    (b'r', "Refer-To"),
    (b's', "Subject"),
    (b't', "To"),
    (b'u', "Allow-Events"),
    (b'v', "Via"),
    (b'x', "Session-Expires"),
    (b'y', "Identity"),
];

/// Names whose usual spelling is not "each word with a capital".
const SPELLED: [&str; 6] = [
    "Call-ID",
    "CSeq",
    "WWW-Authenticate",
    "MIME-Version",
    "RAck",
    "RSeq",
];

/// Does the name as received mean the header with this full name?
pub fn is_named(received: &[u8], full: &str) -> bool {
    match received {
        [letter] => COMPACT
            .iter()
            .any(|(c, name)| *c == letter.to_ascii_lowercase() && *name == full),
        _ => received.eq_ignore_ascii_case(full.as_bytes()),
    }
}

/// The full name in its usual spelling: `v` gives `Via`, `CALL-ID` gives `Call-ID`.
pub fn canonical(received: &[u8]) -> String {
    if let [letter] = received
        && let Some((_, name)) = COMPACT
            .iter()
            .find(|(c, _)| *c == letter.to_ascii_lowercase())
    {
        return (*name).to_owned();
    }
    if let Some(name) = SPELLED
        .iter()
        .find(|name| received.eq_ignore_ascii_case(name.as_bytes()))
    {
        return (*name).to_owned();
    }
    let mut start = true;
    let text = String::from_utf8_lossy(received);
    let spelled = text.chars().map(|c| {
        let out = if start {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        };
        start = c == '-';
        out
    });
    spelled.collect()
}

/// One line of a header section, folded lines included.
pub(crate) enum Line {
    /// A header.
    Header(Header),
    /// A line that is none: no colon, or an impossible name.
    Broken,
    /// The blank line before the body, which begins at the offset.
    Blank,
}

/// The header at `at` and the offset of what follows, if it is written as nearly all are: the colon
/// right behind the name, blank, value, CRLF, and no line that continues it.
#[inline(always)]
pub(super) fn usual(raw: &[u8], at: usize) -> Option<(Header, usize)> {
    let (name, length) = Name::before(raw.get(at..)?, b':')?;
    let field = Field::named(name);
    let (colon, is_name) = (at + length, |name: &[u8]| name.iter().all(|b| is_token(*b)));
    if field.is_none() && !is_name(raw.get(at..colon)?) {
        return None;
    }
    let end = short::find_any(raw, colon + 1, [b'\n'])?;
    let [b' ', value @ .., b'\r'] = raw.get(colon + 1..end)? else {
        return None;
    };
    let is_trimmed = *value.first()? > b' ' && *value.last()? > b' ';
    let is_whole = !matches!(raw.get(end + 1), Some(b' ' | b'\t'));
    let header = Header {
        field,
        name: Span::new(at, colon),
        value: Span::new(colon + 2, end - 1),
    };
    (is_trimmed && is_whole).then_some((header, end + 1))
}

/// Reads the line at `at`, folded lines included; gives it and the offset of what follows. `None`
/// at the end of `raw`. A last line without line end is read as far as it goes.
pub(crate) fn line(raw: &[u8], at: usize) -> Option<(Line, usize)> {
    if let Some((header, next)) = usual(raw, at) {
        return Some((Line::Header(header), next));
    }
    let rest = raw.get(at..).filter(|rest| !rest.is_empty())?;
    match rest {
        [b'\n', ..] => return Some((Line::Blank, at + 1)),
        [b'\r', b'\n', ..] => return Some((Line::Blank, at + 2)),
        _ => {}
    }
    let Ok((behind, name)) = name(rest) else {
        return Some((Line::Broken, folded_end(raw, at)));
    };
    let from = raw.len() - behind.len();
    let end = folded_end(raw, from);
    let header = Header {
        field: Field::of(name),
        name: Span::new(at, at + name.len()),
        value: span_in(raw, trim(raw.get(from..end).unwrap_or_default())),
    };
    Some((Line::Header(header), end))
}

// A name and the colon behind it; no part of either is on a further line.
fn name(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (input, name) = take_while1(is_token).parse(input)?;
    let (input, _) = space0(input)?;
    let (input, _) = char(':').parse(input)?;
    Ok((input, name))
}

// Where the line that `from` is in ends, the lines that continue it included.
fn folded_end(raw: &[u8], from: usize) -> usize {
    let mut end = line_end(raw, from);
    while matches!(raw.get(end), Some(b' ' | b'\t')) && !blank_line(raw, end) {
        end = line_end(raw, end);
    }
    end
}

// A line of blanks only is no continuation: some stacks write it where the empty line belongs.
fn blank_line(raw: &[u8], at: usize) -> bool {
    let end = line_end(raw, at);
    raw.get(at..end).unwrap_or_default().trim_ascii().is_empty()
}

fn line_end(raw: &[u8], from: usize) -> usize {
    short::find(raw, from, b'\n').map_or(raw.len(), |at| at + 1)
}

/// A value on one line: each fold becomes one blank (RFC 3261 §7.3.1).
pub fn unfold(value: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if memchr::memchr2(b'\r', b'\n', value).is_none() {
        return value.into();
    }
    let lines = value
        .split(|b| *b == b'\n')
        .map(trim)
        .filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(&b' ').into()
}

/// The comma-separated elements of a value, commas in quotes and angle brackets left alone.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    split_outside(value, b',')
}

/// Splits at `separator` outside quoted strings and angle brackets; parts are trimmed, empty ones left out.
pub fn split_outside(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    let parts = std::iter::from_fn(move || {
        let value = rest?;
        let end = part_end(value, separator);
        rest = value.get(end + 1..);
        value.get(..end)
    });
    parts.map(trim).filter(|part| !part.is_empty())
}

// Where the first separator stands, or the end.
fn part_end(value: &[u8], separator: u8) -> usize {
    let (mut at, mut angle) = (0, false);
    while let Some(rest) = value.get(at..) {
        let next = match angle {
            true => memchr::memchr2(b'"', b'>', rest),
            false => memchr::memchr3(b'"', b'<', separator, rest),
        };
        let Some(next) = next else { break };
        match rest.get(next) {
            Some(b'"') => at += next + 1 + quoted_end(rest.get(next + 1..).unwrap_or_default()),
            Some(b'<') => (at, angle) = (at + next + 1, true),
            Some(b'>') => (at, angle) = (at + next + 1, false),
            _ => return at + next,
        }
    }
    value.len()
}

// The length of a quoted string whose opening quote was read, its closing one included.
fn quoted_end(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        match memchr::memchr2(b'"', b'\\', rest) {
            Some(next) if rest.get(next) == Some(&b'"') => return at + next + 1,
            Some(next) => at += next + 2,
            None => break,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &[u8]) -> Vec<(String, String)> {
        let (mut at, mut out) = (0, Vec::new());
        while let Some((line, next)) = line(raw, at) {
            at = next;
            match line {
                Line::Header(h) => out.push((
                    canonical(h.name.of(raw)),
                    String::from_utf8_lossy(&unfold(h.value.of(raw))).into_owned(),
                )),
                Line::Broken => out.push(("broken".into(), String::new())),
                Line::Blank => break,
            }
        }
        out
    }

    #[test]
    fn compact_names_folding_and_blanks() {
        let raw = b"v: SIP/2.0/UDP a\r\nCALL-id :  x@y \r\nSubject: one\r\n two\r\n\tthree\r\nnonsense\r\nl:0\r\n\r\nbody: no\r\n";
        let want = [
            ("Via", "SIP/2.0/UDP a"),
            ("Call-ID", "x@y"),
            ("Subject", "one two three"),
            ("broken", ""),
            ("Content-Length", "0"),
        ];
        let want: Vec<_> = want
            .iter()
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .collect();
        assert_eq!(read(raw), want);
        let lf: Vec<u8> = raw.iter().copied().filter(|b| *b != b'\r').collect();
        assert_eq!(read(&lf), want);
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let value = br#""Doe, J" <sip:a,b@c>, <sip:d@e>;q=1"#;
        let read = |value| {
            elements(value)
                .map(String::from_utf8_lossy)
                .collect::<Vec<_>>()
        };
        assert_eq!(read(value), [r#""Doe, J" <sip:a,b@c>"#, "<sip:d@e>;q=1"]);
        assert_eq!(read(br#""a\",\\",b"#), [r#""a\",\\""#, "b"]);
        assert_eq!(read(br#"<a">",b>,c"#), [r#"<a">",b>"#, "c"]);
        assert_eq!(read(b"a>,b, ,<c,d"), ["a>", "b", "<c,d"]);
        assert_eq!(read(br#"a,"b,c"#), ["a", r#""b,c"#]);
        assert_eq!(read(br#""a\"#), [r#""a\"#]);
    }

    #[test]
    fn a_header_without_line_end_is_read_as_far_as_it_goes() {
        assert_eq!(
            read(b"To: <sip:a@b"),
            [("To".to_owned(), "<sip:a@b".to_owned())]
        );
    }
}
