//! How telephone numbers are written in URIs, and which of them are the same number.

use crate::message::uri::{Uri, addr_spec};
use crate::message::{Message, Span, header, span};

/// Digits at the end of a number that stay the same however it is written.
const SIGNIFICANT: usize = 7;
/// Fewer digits than this are an extension or a short code.
const LEAST: usize = 3;

/// The way in which a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `+49...`
    Plus,
    /// `0049...`
    DoubleZero,
    /// `030...`
    Zero,
    /// `4930...`
    Digits,
    /// No number: `alice`, `s`, nothing.
    Name,
}

/// The way in which the user part of a URI is written.
pub fn form(user: &str) -> Form {
    let bare = digits(user);
    match user.strip_prefix('+') {
        _ if !is_number(user) => Form::Name,
        Some(_) => Form::Plus,
        None if bare.starts_with("00") => Form::DoubleZero,
        None if bare.starts_with('0') => Form::Zero,
        None => Form::Digits,
    }
}

/// Is it a number: digits, perhaps behind `+`, perhaps with the visual separators of RFC 3966 §5.1.1?
pub fn is_number(user: &str) -> bool {
    let rest = user.strip_prefix('+').unwrap_or(user);
    rest.bytes()
        .all(|b| b.is_ascii_digit() || b"-.()".contains(&b))
        && rest.bytes().filter(u8::is_ascii_digit).count() >= LEAST
}

/// Is it a number that is complete in itself: `+` and a country code (E.164)?
pub fn is_international(user: &str) -> bool {
    form(user) == Form::Plus && (8..=15).contains(&digits(user).len())
}

/// Its digits.
pub fn digits(user: &str) -> String {
    user.chars().filter(char::is_ascii_digit).collect()
}

/// Do both end in the same digits, enough of them to be the same number?
pub fn is_same(a: &str, b: &str) -> bool {
    fn tail(user: &str) -> impl Iterator<Item = u8> {
        let digits = user.bytes().rev().filter(u8::is_ascii_digit);
        digits.take(SIGNIFICANT)
    }
    let same = tail(a).eq(tail(b)) && tail(a).count() == SIGNIFICANT;
    same && is_number(a) && is_number(b)
}

/// The URI in a header, and the bytes where it stands.
pub fn uri_in(message: Message<'_>, name: &'static str) -> Option<(header::Header, Span, String)> {
    let header = message.header(name)?;
    let value = header.value.of(message.raw);
    let first = header::elements(value).next().unwrap_or(value);
    let uri = addr_spec(first);
    let user = Uri::parse(uri)?.number();
    Some((header, span::span_in(message.raw, uri), user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_equal_numbers() {
        for (user, want) in [
            ("+12125550123", Form::Plus),
            ("0012125550123", Form::DoubleZero),
            ("02125550123", Form::Zero),
            ("12125550123", Form::Digits),
            ("+1-212-555-0123", Form::Plus),
            ("alice", Form::Name),
            ("12", Form::Name),
            ("", Form::Name),
        ] {
            assert_eq!(form(user), want, "{user}");
        }
        assert!(is_same("+12125550123", "0012125550123"));
        assert!(is_same("2125550123", "+1-212-555-0123"));
        assert!(!is_same("5550123", "5550124"));
        assert!(!is_same("100", "100"));
        assert!(is_international("+12125550123") && !is_international("+1212"));
    }
}
