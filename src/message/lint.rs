//! What breaks the grammar, to the byte (RFC 3261 §25.1). What is sound is passed fast: some of
//! this is asked of every message.

use super::field::Field;
use super::span::{Span, span_in};
use super::start_line::is_token;
use crate::short;

/// With it every branch begins (RFC 3261 §8.1.1.7).
pub const COOKIE: &[u8] = b"z9hG4bK";

/// What is wrong with a URI or with what is around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A character that has to be escaped.
    Character,
    /// `%` without two hexadecimal digits.
    Escape,
    /// Parameters or headers of a URI without angle brackets around it: they become those of the header.
    Bare,
    /// A bracket is missing, or something stands behind the closing one.
    Bracket,
    /// The quotation mark that ends the display name is missing.
    Quote,
    /// A display name without quotation marks that holds what only a quoted one may.
    Name,
    /// No scheme.
    Scheme,
    /// No host.
    Host,
    /// An IPv6 address without brackets.
    Address,
    /// A port that is no number up to 65535.
    Port,
}

/// How a byte counts inside a URI.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Bad,
    At,
    Colon,
    Open,
    Close,
    End,
    Percent,
}

// RFC 3261 §25.1: unreserved, reserved and escaped, and the brackets of IPv6.
const CLASS: [Class; 256] = {
    let mut table = [Class::Bad; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = match b {
            b'@' => Class::At,
            b':' => Class::Colon,
            b'[' => Class::Open,
            b']' => Class::Close,
            b';' | b'?' => Class::End,
            b'%' => Class::Percent,
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => Class::Plain,
            b'/' | b'&' | b'=' | b'+' | b'$' | b',' => Class::Plain,
            _ if b.is_ascii_alphanumeric() => Class::Plain,
            _ => Class::Bad,
        };
        byte += 1;
    }
    table
};

/// Parameters that belong to a URI and mean nothing behind one (RFC 3261 §19.1.1 and the registry of
/// URI parameters).
const OF_URI: [&[u8]; 9] = [
    b"transport",
    b"user",
    b"maddr",
    b"lr",
    b"ttl",
    b"method",
    b"ob",
    b"gr",
    b"comp",
];

/// What is wrong with a URI, and where in it.
pub fn uri(bytes: &[u8]) -> Option<(Fault, Span)> {
    let whole = Span::new(0, bytes.len());
    let rest = match bytes {
        [b's' | b'S', b'i' | b'I', b'p' | b'P', b':', rest @ ..] => rest,
        [
            b's' | b'S',
            b'i' | b'I',
            b'p' | b'P',
            b's' | b'S',
            b':',
            rest @ ..,
        ] => rest,
        _ => return other_uri(bytes).map(|fault| (fault, whole)),
    };
    let base = bytes.len() - rest.len();
    let (mut host, mut colons, mut colon, mut end) = (0, 0, 0, None);
    let mut from = 0;
    while let Some(plain) = rest.get(from..).and_then(first_special) {
        let at = from + plain;
        from = at + 1;
        match CLASS[usize::from(rest[at])] {
            Class::Colon if end.is_none() => (colons, colon) = (colons + 1, at),
            // The host of IPv6: its colons do not count.
            Class::Close if end.is_none() => colons = 0,
            Class::At => (host, colons, end) = (at + 1, 0, None),
            Class::End if end.is_none() => end = Some(at),
            Class::Bad => {
                let mark = Span::new(at, at + 1).shifted(base);
                return Some((Fault::Character, mark));
            }
            Class::Percent if !is_escape(rest.get(at + 1..)) => {
                let mark = Span::new(at, (at + 3).min(rest.len())).shifted(base);
                return Some((Fault::Escape, mark));
            }
            _ => {}
        }
    }
    let end = end.unwrap_or(rest.len());
    let part = |from: usize, until: usize| Span::new(from, until).shifted(base);
    match colons {
        _ if host >= end => Some((Fault::Host, whole)),
        0 => None,
        1 if is_port(rest.get(colon + 1..end)) => None,
        1 => Some((Fault::Port, part(colon + 1, end))),
        _ => Some((Fault::Address, part(host, end))),
    }
}

fn first_special(bytes: &[u8]) -> Option<usize> {
    let special = |b: &u8| !matches!(CLASS[usize::from(*b)], Class::Plain);
    bytes.iter().position(special)
}

// What is no SIP URI is only looked at as far as RFC 3986 goes.
fn other_uri(bytes: &[u8]) -> Option<Fault> {
    let colon = memchr::memchr(b':', bytes);
    let Some((scheme, rest)) = colon.and_then(|colon| bytes.split_at_checked(colon)) else {
        return Some(Fault::Scheme);
    };
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
    let named = scheme.first().is_some_and(u8::is_ascii_alphabetic) && scheme.iter().all(is_part);
    // `localhost:5060`
    let port = is_port(rest.get(1..));
    match named {
        false => Some(Fault::Scheme),
        true if port && !scheme.eq_ignore_ascii_case(b"tel") => Some(Fault::Scheme),
        true => {
            let bad = |b: &u8| matches!(CLASS[usize::from(*b)], Class::Bad) && *b != b'#';
            rest.iter().any(bad).then_some(Fault::Character)
        }
    }
}

fn is_escape(rest: Option<&[u8]>) -> bool {
    matches!(rest, Some([a, b, ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}

fn is_port(digits: Option<&[u8]>) -> bool {
    let digits = digits.unwrap_or_default();
    let number = |sum: u32, b: &u8| sum * 10 + u32::from(b - b'0');
    (1..=5).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && digits.iter().fold(0, number) <= 65_535
}

/// What is wrong with the first address in a From, To, Contact or Refer-To value, and where in the
/// value (RFC 3261 §20.10, §25.1 name-addr and addr-spec).
pub fn address(value: &[u8]) -> Option<(Fault, Span)> {
    let name = match value.first() {
        Some(b'"') => match quoted_end(value) {
            Some(end) => end,
            None => return Some((Fault::Quote, Span::new(0, value.len()))),
        },
        _ => 0,
    };
    let rest = value.get(name..).unwrap_or_default();
    let Some(open) = short::find(rest, 0, b'<') else {
        return addr_spec(value, name);
    };
    let plain = rest.get(..open).filter(|_| name == 0 && open > 0);
    if let Some(at) = plain.and_then(|plain| plain.iter().position(|b| b",;:@()=?".contains(b))) {
        return Some((Fault::Name, Span::new(at, at + 1)));
    }
    let from = name + open + 1;
    let inner = value.get(from..).unwrap_or_default();
    let Some(close) = short::find(inner, 0, b'>') else {
        return Some((Fault::Bracket, Span::new(from - 1, value.len())));
    };
    let (spec, behind) = inner.split_at_checked(close)?;
    if let Some((fault, mark)) = uri(spec) {
        return Some((fault, mark.shifted(from)));
    }
    let behind = behind.get(1..).unwrap_or_default();
    let next = behind.iter().position(|b| !b.is_ascii_whitespace())?;
    let at = from + close + 1 + next;
    let junk = !matches!(behind.get(next), Some(b';' | b','));
    junk.then(|| (Fault::Bracket, Span::new(at, value.len())))
}

fn quoted_end(value: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, &byte) in value.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

// Without brackets everything from `;` on belongs to the header, and there may be no `?`.
fn addr_spec(value: &[u8], name: usize) -> Option<(Fault, Span)> {
    if value == b"*" {
        return None;
    }
    if name > 0 {
        return Some((Fault::Bracket, Span::new(name, value.len())));
    }
    let end = value.iter().position(|b| b";,".contains(b));
    let spec = value.get(..end.unwrap_or(value.len()))?.trim_ascii_end();
    if let Some(headers) = memchr::memchr(b'?', spec) {
        return Some((Fault::Bare, Span::new(headers, spec.len())));
    }
    if let Some(found) = uri(spec) {
        return Some(found);
    }
    let behind = value.get(end?..)?;
    let mut params = behind.split(|b| *b == b';').map(<[u8]>::trim_ascii);
    let of_uri = params.find(|param| {
        let name = param.iter().take_while(|b| is_token(**b)).count();
        let name = param.get(..name).unwrap_or_default();
        OF_URI.iter().any(|known| known.eq_ignore_ascii_case(name))
    })?;
    Some((Fault::Bare, span_in(value, of_uri)))
}

/// A number from 0 to 255.
pub(super) fn small_number(value: &[u8]) -> Option<u8> {
    match value {
        [a @ b'0'..=b'9'] => Some(a - b'0'),
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some((a - b'0') * 10 + (b - b'0')),
        _ => std::str::from_utf8(value)
            .ok()
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|text| text.parse().ok()),
    }
}

/// Is the value of such a header the number or date that it has to be?
pub fn is_number(field: Field, value: &[u8]) -> bool {
    match field {
        Field::Date => is_date(value),
        Field::RAck => {
            let mut words = value
                .split(u8::is_ascii_whitespace)
                .filter(|w| !w.is_empty());
            let numbers = words.by_ref().take(2).filter(|w| is_seconds(w)).count();
            numbers == 2 && words.next().is_some() && words.next().is_none()
        }
        // Parameters may follow, in Retry-After a comment as well (RFC 3261 §20.33, RFC 4028 §4, §5).
        Field::RetryAfter | Field::SessionExpires | Field::MinSe => {
            let end = value.iter().position(|b| b" \t\r\n;(".contains(b));
            is_seconds(value.get(..end.unwrap_or(value.len())).unwrap_or_default())
        }
        _ => is_seconds(value),
    }
}

// delta-seconds: up to 2^32 - 1 (RFC 3261 §20.19).
fn is_seconds(digits: &[u8]) -> bool {
    let number = |sum: u64, b: &u8| sum * 10 + u64::from(b - b'0');
    (1..=16).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && digits.iter().fold(0, number) <= u64::from(u32::MAX)
}

// `Sat, 13 Nov 2010 23:29:00 GMT` (RFC 3261 §20.17).
fn is_date(value: &[u8]) -> bool {
    const FORM: &[u8] = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    let fits = |(form, byte): (&u8, &u8)| match form {
        b'A' | b'a' => byte.is_ascii_alphabetic(),
        b'0' => byte.is_ascii_digit(),
        other => other == byte,
    };
    value.len() == FORM.len() && FORM.iter().zip(value).all(fits)
}

/// What is wrong with a multipart body (RFC 2046 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multipart {
    /// Content-Type names no boundary.
    NoBoundary,
    /// The boundary of Content-Type is not in the body.
    OtherBoundary,
}

/// What is wrong with a body of this Content-Type; nothing where it is no multipart one.
pub fn multipart(content_type: &[u8], body: &[u8]) -> Option<Multipart> {
    let kind = content_type.get(..10).unwrap_or_default();
    if !kind.eq_ignore_ascii_case(b"multipart/") {
        return None;
    }
    let Some(boundary) = super::params::value_after(content_type, 0, "boundary") else {
        return Some(Multipart::NoBoundary);
    };
    let boundary = boundary.of(content_type);
    let is_there = memchr::memmem::find_iter(body, boundary).any(|at| {
        let before = body.get(..at).unwrap_or_default();
        before.ends_with(b"--")
    });
    (!is_there).then_some(Multipart::OtherBoundary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_uris_pass_and_others_are_marked() {
        for (text, want) in [
            ("sip:alice@example.org", None),
            (
                "sips:+1-212;npdi@[2001:db8::1]:5061;transport=tcp?a=b",
                None,
            ),
            ("sip:alice:secret@example.org:65535;lr", None),
            ("sip:[2001:db8::1]", None),
            ("sip:gw.example.org:5060", None),
            ("tel:+1212", None),
            ("urn:service:sos", None),
            ("sip:a%20b@example.org", None),
            ("sip:user;par=a:b@example.org:5060", None),
            ("sip:*21#@example.org", Some((Fault::Character, "#"))),
            ("sip:a b@example.org", Some((Fault::Character, " "))),
            ("sip:a%2@example.org", Some((Fault::Escape, "%2@"))),
            ("sip:a@example.org:70000", Some((Fault::Port, "70000"))),
            ("sip:a@example.org:", Some((Fault::Port, ""))),
            ("sip:a@2001:db8::1", Some((Fault::Address, "2001:db8::1"))),
            ("sip:a@", Some((Fault::Host, "sip:a@"))),
            ("sip:", Some((Fault::Host, "sip:"))),
            (
                "alice@example.org",
                Some((Fault::Scheme, "alice@example.org")),
            ),
            ("192.0.2.1:5060", Some((Fault::Scheme, "192.0.2.1:5060"))),
            ("localhost:5060", Some((Fault::Scheme, "localhost:5060"))),
        ] {
            let got = uri(text.as_bytes()).map(|(fault, span)| (fault, span.of(text.as_bytes())));
            assert_eq!(
                got,
                want.map(|(f, t): (Fault, &str)| (f, t.as_bytes())),
                "{text}"
            );
        }
    }

    #[test]
    fn addresses_in_their_brackets_and_without() {
        for (text, want) in [
            ("\"A <b\" <sip:a@b>;tag=1", None),
            ("<sip:a@b>", None),
            ("Bob <sip:a@b;lr> ;q=1, <sip:c@d>", None),
            ("sip:a@b;tag=1", None),
            ("sip:a@b;expires=60;q=0.5", None),
            ("*", None),
            (
                "sip:a@b;transport=tcp;expires=60",
                Some((Fault::Bare, "transport=tcp")),
            ),
            ("sip:a@b?Replaces=1", Some((Fault::Bare, "?Replaces=1"))),
            ("<sip:a@b", Some((Fault::Bracket, "<sip:a@b"))),
            ("<sip:a@b>tag=1", Some((Fault::Bracket, "tag=1"))),
            ("\"Bob\" sip:a@b", Some((Fault::Bracket, " sip:a@b"))),
            ("\"Bob <sip:a@b>", Some((Fault::Quote, "\"Bob <sip:a@b>"))),
            ("<a@b>", Some((Fault::Scheme, "a@b"))),
            ("Watson, Thomas <sip:a@b>", Some((Fault::Name, ","))),
            ("isbn:2983792873", None),
        ] {
            let got =
                address(text.as_bytes()).map(|(fault, span)| (fault, span.of(text.as_bytes())));
            assert_eq!(
                got,
                want.map(|(f, t): (Fault, &str)| (f, t.as_bytes())),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_and_dates() {
        for (field, good, bad) in [
            (Field::Expires, "3600", "3600s"),
            (Field::Expires, "4294967295", "4294967296"),
            (Field::SessionExpires, "1800;refresher=uac", "1800,uac"),
            (Field::MinSe, "90", "-1"),
            (Field::RSeq, "1", ""),
            (Field::RAck, "1 2 INVITE", "1 INVITE"),
            (
                Field::RetryAfter,
                "120 (in a meeting);duration=3",
                "Sat, 13 Nov 2010 23:29:00 GMT",
            ),
            (
                Field::Date,
                "Sat, 13 Nov 2010 23:29:00 GMT",
                "Sat, 13 Nov 2010 23:29:00 +0100",
            ),
        ] {
            assert!(is_number(field, good.as_bytes()), "{good}");
            assert!(!is_number(field, bad.as_bytes()), "{bad}");
        }
        let read = |text: &str| small_number(text.as_bytes());
        assert_eq!(
            (read("0"), read("70"), read("255")),
            (Some(0), Some(70), Some(255))
        );
        assert_eq!(
            (read("256"), read("+7"), read("7 0"), read("")),
            (None, None, None, None)
        );
    }

    #[test]
    fn a_multipart_body_has_the_boundary_that_its_type_names() {
        let body = b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x--\r\n";
        assert_eq!(multipart(b"multipart/mixed;boundary=x", body), None);
        assert_eq!(multipart(b"Multipart/Mixed; boundary=\"x\"", body), None);
        assert_eq!(
            multipart(b"multipart/mixed", body),
            Some(Multipart::NoBoundary)
        );
        assert_eq!(
            multipart(b"multipart/mixed;boundary=y", body),
            Some(Multipart::OtherBoundary)
        );
        assert_eq!(multipart(b"message/sipfrag", body), None);
    }
}
