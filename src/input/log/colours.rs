//! ANSI colour sequences, which the log of a terminal has anywhere.

use memchr::memchr;

/// The line without colours, written to `plain` if it has any.
pub(super) fn without_colours<'a>(line: &'a [u8], plain: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(mut at) = memchr(0x1b, line) else {
        return line;
    };
    plain.clear();
    let mut rest = line;
    loop {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before);
        rest = behind(escape);
        let Some(next) = memchr(0x1b, rest) else {
            plain.extend_from_slice(rest);
            return plain;
        };
        at = next;
    }
}

/// What stands behind the sequence that the text begins with.
fn behind(escape: &[u8]) -> &[u8] {
    let Some(body) = escape.strip_prefix(b"\x1b[") else {
        return escape.get(1..).unwrap_or_default();
    };
    let parameters = body.iter().take_while(|b| matches!(b, b'0'..=b';')).count();
    match body.get(parameters) {
        Some(b'm' | b'K') => body.get(parameters + 1..).unwrap_or_default(),
        _ => body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_the_rest_stays() {
        for (line, expected) in [
            ("\x1b[36;1mVia\x1b[0m: x\x1b[K", "Via: x"),
            ("no colour", "no colour"),
            ("\x1b", ""),
            ("a\x1b[9;9Hb", "a9;9Hb"),
        ] {
            let mut plain = b"of the line before".to_vec();
            let found = without_colours(line.as_bytes(), &mut plain);
            assert_eq!(String::from_utf8_lossy(found), expected, "{line:?}");
        }
    }
}
