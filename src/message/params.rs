//! Parameters: `;name=value` (RFC 3261 §25.1 generic-param) and comma lists of `name=value`
//! (auth-param, §20.7).

use super::header::split_outside;
use super::span::{Span, span_in, trim};
use super::start_line::is_token;
use crate::short;
use std::borrow::Cow;

/// The value of parameter `name` in the `;`-separated list that begins at or behind `from`;
/// quotes are not part of it. Blanks around `;` and `=` are allowed.
pub fn value_after(bytes: &[u8], from: usize, name: &str) -> Option<Span> {
    let mut at = from;
    while let Some(semicolon) = short::find(bytes, at, b';') {
        at = semicolon + 1;
        let own = bytes.get(at..)?.trim_ascii_start();
        let (own, behind) = own.split_at_checked(name.len())?;
        if !own.eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        if let Some(value) = behind.trim_ascii_start().strip_prefix(b"=") {
            let value = value.trim_ascii_start();
            return Some(value_span(bytes, span_in(bytes, value).start as usize));
        }
    }
    None
}

/// The value that begins at `start`, quotes not included.
pub(super) fn value_span(bytes: &[u8], start: usize) -> Span {
    if bytes.get(start) == Some(&b'"') {
        let end = short::find(bytes, start + 1, b'"').unwrap_or(bytes.len());
        return Span::new(start + 1, end);
    }
    let end = short::find_any(bytes, start, *b";,>").unwrap_or(bytes.len());
    let value = bytes.get(start..end).unwrap_or_default();
    Span::new(start, start + value.trim_ascii_end().len())
}

/// The value of parameter `name` in an Authorization or WWW-Authenticate value (RFC 3261 §25.1);
/// quotes are not part of it.
pub fn auth_value(value: &[u8], name: &str) -> Option<Span> {
    let scheme = value.iter().position(u8::is_ascii_whitespace)?;
    for part in split_outside(value.get(scheme..)?, b',') {
        let equals = memchr::memchr(b'=', part).unwrap_or(part.len());
        let (own, text) = part.split_at_checked(equals)?;
        if !trim(own).eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        let text = trim(text.get(1..).unwrap_or_default());
        let inner = text.strip_prefix(b"\"").unwrap_or(text);
        let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
        return Some(span_in(value, inner));
    }
    None
}

/// One `name=value` pair of an auth or other comma list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as it stands there.
    name: &'a [u8],
    /// Value without quotes, escapes undone.
    pub value: Cow<'a, str>,
}

/// Reads `name=value, name="value", ...`; what is no pair is left out.
pub fn comma_list(value: &[u8]) -> Vec<Param<'_>> {
    list(value, b',')
}

/// Reads `;name=value;name="value"`; a name alone has an empty value.
pub fn semicolon_list(value: &[u8]) -> Vec<Param<'_>> {
    list(value, b';')
}

fn list(value: &[u8], separator: u8) -> Vec<Param<'_>> {
    let pairs = split_outside(value, separator).filter_map(pair);
    pairs
        .map(|(name, value)| Param {
            name,
            value: unquote(value),
        })
        .collect()
}

/// The names and values of `;name=value;name="value"`, as they stand there.
pub fn semicolon_pairs(value: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    split_outside(value, b';').filter_map(pair)
}

fn pair(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', part).unwrap_or(part.len());
    let name = trim(part.get(..equals)?);
    let is_name = !name.is_empty() && name.iter().all(|b| is_token(*b));
    is_name.then(|| (name, trim(part.get(equals + 1..).unwrap_or_default())))
}

/// A quoted string without its quotes and escapes; anything else as it is.
pub fn unquote(value: &[u8]) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        return String::from_utf8_lossy(value);
    };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    if memchr::memchr(b'\\', inner).is_none() {
        return String::from_utf8_lossy(inner);
    }
    let (mut out, mut escaped) = (Vec::with_capacity(inner.len()), false);
    for &byte in inner {
        match byte {
            b'\\' if !escaped => escaped = true,
            _ => {
                escaped = false;
                out.push(byte);
            }
        }
    }
    super::lossy(&out).into()
}

/// The value of `name` in a list read by one of the functions above.
pub fn find<'a>(params: &'a [Param<'_>], name: &str) -> Option<&'a str> {
    params
        .iter()
        .find(|param| param.name.eq_ignore_ascii_case(name.as_bytes()))
        .map(|param| param.value.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_with_blanks_quotes_and_other_cases() {
        let via = b"SIP/2.0/UDP a;rport;Received=2001:db8::9 ; BRANCH = \"z9hG4bK1\"";
        let get = |name| value_after(via, 0, name).map(|span| crate::message::lossy(span.of(via)));
        assert_eq!(get("branch").as_deref(), Some("z9hG4bK1"));
        assert_eq!(get("received").as_deref(), Some("2001:db8::9"));
        assert_eq!(get("rport"), None);
        assert_eq!(get("tag"), None);
    }

    #[test]
    fn auth_params_keep_commas_and_undo_escapes() {
        let list = comma_list(br#"realm="a, \"b\"", qop="auth,auth-int", algorithm=SHA-256, junk"#);
        assert_eq!(find(&list, "realm"), Some("a, \"b\""));
        assert_eq!(find(&list, "qop"), Some("auth,auth-int"));
        assert_eq!(find(&list, "algorithm"), Some("SHA-256"));
    }

    #[test]
    fn auth_values_are_found_where_they_stand() {
        let value = br#"Digest username="a, nonce=x", NONCE = "n,1" ,qop=auth, opaque="", x"#;
        let get = |name| auth_value(value, name).map(|span| crate::message::lossy(span.of(value)));
        assert_eq!(get("username").as_deref(), Some("a, nonce=x"));
        assert_eq!(get("nonce").as_deref(), Some("n,1"));
        assert_eq!(get("qop").as_deref(), Some("auth"));
        assert_eq!(get("opaque").as_deref(), Some(""));
        assert_eq!(get("realm"), None);
    }
}
