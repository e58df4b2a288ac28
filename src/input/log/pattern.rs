//! Taking the fields out of an envelope line.

/// The texts that stand for the `{}` of a pattern; the text must begin with what is before the first
/// and end with what is behind the last, and a `{}` at the end takes the rest.
pub(super) fn fields<'a, const N: usize>(text: &'a [u8], pattern: &str) -> Option<[&'a str; N]> {
    let (first, pattern) = pattern.split_once("{}").unwrap_or((pattern, ""));
    let text = text.strip_prefix(first.as_bytes())?;
    let mut rest = std::str::from_utf8(text).ok()?.trim_end();
    let mut found = [""; N];
    let mut pieces = pattern.split("{}").peekable();
    for field in &mut found {
        let piece = pieces.next()?;
        (*field, rest) = match (pieces.peek().is_none(), piece.is_empty()) {
            (true, true) => (rest, ""),
            (true, false) => (rest.strip_suffix(piece)?, ""),
            (false, _) => rest.split_once(piece)?,
        };
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_between_the_pieces_of_a_pattern() {
        let line = b"recv 282 bytes from udp/[::1]:5060 at 15:46:48:";
        let pattern = "recv {} bytes from {}/[{}]:{} at {}:";
        let found = fields(line, pattern);
        assert_eq!(found, Some(["282", "udp", "::1", "5060", "15:46:48"]));
        assert_eq!(fields(b"a=1, b=2  ", "a={}, {}"), Some(["1", "b=2"]));
        assert_eq!(fields::<1>(b"a=1", "b={}"), None);
        assert_eq!(fields::<1>(b"a=\xff", "a={}"), None);
        assert_eq!(fields::<2>(b"a=1", "a={}"), None);
    }
}
