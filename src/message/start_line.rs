//! Request-Line and Status-Line (RFC 3261 §7.1, §7.2).

use super::span::{Span, span_in};
use crate::short;
use nom::bytes::complete::{tag_no_case, take_while, take_while1};
use nom::character::complete::{char, digit1, space1};
use nom::combinator::{opt, verify};
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// Longest start line that is taken for one, in bytes; also bounds how far detection looks.
pub const LONGEST: usize = 16 * 1024;

/// What a start line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine {
    /// `METHOD Request-URI SIP/2.0`
    Request {
        /// The method as written.
        method: Span,
        /// The Request-URI as written.
        uri: Span,
    },
    /// `SIP/2.0 code phrase`
    Response {
        /// The status code, 100 to 999.
        code: u16,
        /// The reason phrase as received; may be empty.
        reason: Span,
    },
}

/// RFC 3261 §25.1 `token`, by byte: asked for every byte of every header name.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            );
        byte += 1;
    }
    table
};

/// RFC 3261 §25.1 `token`.
pub fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// Reads the start line at the beginning of `bytes`; `None` where there is none. Gives the
/// offset of the line that follows. A start line cut before its line end is none.
pub fn parse(bytes: &[u8]) -> Option<(StartLine, usize)> {
    if !bytes.first().is_some_and(|&b| is_token(b)) {
        return None;
    }
    let window = bytes.get(..LONGEST).unwrap_or(bytes);
    let line_end = short::find(window, 0, b'\n')?;
    let line = bytes.get(..line_end)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some((line_only(bytes, line)?, line_end + 1))
}

/// Could `bytes`, which hold no line end yet, be the beginning of a start line?
pub fn may_begin(bytes: &[u8]) -> bool {
    const VERSION: &[u8] = b"SIP/2.0 ";
    if bytes.len() > LONGEST {
        return false;
    }
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let head = bytes.get(..VERSION.len()).unwrap_or(bytes);
    if VERSION
        .get(..head.len())
        .is_some_and(|version| head.eq_ignore_ascii_case(version))
    {
        return true;
    }
    let method = bytes.iter().take_while(|&&b| is_token(b)).count();
    let rest = bytes.get(method..).unwrap_or_default();
    (1..=64).contains(&method)
        && rest.first().is_none_or(|&b| b == b' ')
        && rest.iter().all(|&b| b >= b' ' && b != 0x7f)
}

fn line_only(bytes: &[u8], line: &[u8]) -> Option<StartLine> {
    if let Some(usual) = usual(line) {
        return Some(usual);
    }
    let whole = |part: &[u8]| span_in(bytes, part);
    if let Ok((_, (code, reason))) = status_line(line) {
        return Some(StartLine::Response {
            code,
            reason: whole(reason.trim_ascii_end()),
        });
    }
    let (_, (method, uri)) = request_line(line).ok()?;
    Some(StartLine::Request {
        method: whole(method),
        uri: whole(uri),
    })
}

// What nearly every message begins with, one blank between its parts; all else is for the grammar.
fn usual(line: &[u8]) -> Option<StartLine> {
    if let [b'S', b'I', b'P', b'/', b'2', b'.', b'0', b' ', rest @ ..] = line {
        let [
            a @ b'1'..=b'9',
            b @ b'0'..=b'9',
            c @ b'0'..=b'9',
            b' ',
            reason @ ..,
        ] = rest
        else {
            return None;
        };
        let digit = |b: &u8| u16::from(b - b'0');
        let from = line.len() - reason.len();
        let is_plain = |b: &u8| *b > b' ';
        let trimmed = reason.first().is_some_and(is_plain) && reason.last().is_some_and(is_plain);
        return trimmed.then_some(StartLine::Response {
            code: digit(a) * 100 + digit(b) * 10 + digit(c),
            reason: Span::new(from, line.len()),
        });
    }
    let method = line.iter().position(|b| !is_token(*b))?;
    let uri = line.strip_suffix(b" SIP/2.0")?;
    match uri.get(method..)? {
        [b' ', first, .., last] if *first > b' ' && *last > b' ' => Some(StartLine::Request {
            method: Span::new(0, method),
            uri: Span::new(method + 1, uri.len()),
        }),
        _ => None,
    }
}

fn version(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (input, _) = tag_no_case(&b"SIP/"[..]).parse(input)?;
    let (input, major) = digit1(input)?;
    let (input, _) = char('.').parse(input)?;
    let (input, _) = digit1(input)?;
    Ok((input, major))
}

fn status_line(input: &[u8]) -> IResult<&[u8], (u16, &[u8])> {
    let (input, _) = version(input)?;
    let (input, _) = space1(input)?;
    let (input, digits) = verify(digit1, |d: &[u8]| d.len() == 3).parse(input)?;
    let code = digits
        .iter()
        .fold(0u16, |code, d| code * 10 + u16::from(d - b'0'));
    let (input, reason) = opt(preceded(space1, take_while(|_| true))).parse(input)?;
    match input {
        [] if code >= 100 => Ok((input, (code, reason.unwrap_or_default()))),
        _ => Err(nom::Err::Error(nom::error::Error::new(
            input,
            nom::error::ErrorKind::Digit,
        ))),
    }
}

fn request_line(input: &[u8]) -> IResult<&[u8], (&[u8], &[u8])> {
    // Of any length that a line may have: torture tests send methods of thousands of characters.
    let (input, method) = take_while1(is_token).parse(input)?;
    let (rest, _) = space1(input)?;
    // The version is looked for from the end: a Request-URI with blanks in it is damage, not
    // a reason to miss the message.
    let line = rest.trim_ascii_end();
    let blank = memchr::memrchr(b' ', line);
    let last = blank.map_or(&b""[..], |at| line.get(at + 1..).unwrap_or_default());
    match (version(last), blank) {
        (Ok(([], _)), Some(at)) => Ok((
            &[],
            (method, line.get(..at).unwrap_or_default().trim_ascii()),
        )),
        _ => Err(nom::Err::Error(nom::error::Error::new(
            input,
            nom::error::ErrorKind::Tag,
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Option<(String, String)> {
        let (line, _) = parse(bytes)?;
        let show = |s: Span| String::from_utf8_lossy(s.of(bytes)).into_owned();
        Some(match line {
            StartLine::Request { method, uri } => (show(method), show(uri)),
            StartLine::Response { code, reason } => (code.to_string(), show(reason)),
        })
    }

    #[test]
    fn requests_and_responses_with_the_phrase_as_received() {
        assert_eq!(
            text(b"INVITE sip:a@[2001:db8::1]:5060 SIP/2.0\r\n"),
            Some(("INVITE".into(), "sip:a@[2001:db8::1]:5060".into()))
        );
        assert_eq!(
            text(b"SIP/2.0 486 Everyone is asleep\r\n"),
            Some(("486".into(), "Everyone is asleep".into()))
        );
        assert_eq!(text(b"SIP/2.0 200\n"), Some(("200".into(), String::new())));
        assert_eq!(
            text(b"sip/2.0 200 \r\n"),
            Some(("200".into(), String::new()))
        );
    }

    #[test]
    fn what_only_resembles_a_start_line_is_none() {
        for other in [
            &b"NOTIFY * HTTP/1.1\r\n"[..],
            b"GET /SIP/2.0 HTTP/1.1\r\n",
            b"SIP/2.0 99 x\r\n",
            b"SIP/2.0 2000 x\r\n",
            b"SIP/2.0 099 x\r\n",
            b"Via: SIP/2.0/UDP a\r\n",
            b"INVITE SIP/2.0\r\n",
            b"INVITE sip:a SIP/2.0",
            b"\x80INVITE sip:a SIP/2.0\r\n",
        ] {
            assert_eq!(text(other), None, "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn a_beginning_is_told_from_what_can_never_become_a_start_line() {
        for good in [
            &b"S"[..],
            b"SIP/2",
            b"INV",
            b"INVITE sip:a@exam",
            b"SIP/2.0 200 OK",
            b"INVITE sip:a SIP/2.0\r",
        ] {
            assert!(may_begin(good), "{}", String::from_utf8_lossy(good));
        }
        for bad in [&b"\x16\x03\x01"[..], b"\x00", b"abc\x01", b"<html"] {
            assert!(!may_begin(bad), "{}", String::from_utf8_lossy(bad));
        }
    }
}
