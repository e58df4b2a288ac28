//! Looking at eight bytes at once, where a call to a search would cost more than the search.

/// A word of the eight bytes, the first one lowest.
#[inline]
fn word(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The first sixteen bytes of a text, zeros where it ends before.
#[inline]
pub(super) fn two(text: &[u8]) -> [u64; 2] {
    if let (Some(first), Some(second)) = (word(text), text.get(8..).and_then(word)) {
        return [first, second];
    }
    let mut padded = [0; 16];
    for (to, from) in padded.iter_mut().zip(text) {
        *to = *from;
    }
    let (first, second) = padded.split_at(8);
    [first, second].map(|half| word(half).unwrap_or_default())
}

/// The same byte eight times.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The word in small letters.
#[inline]
pub(super) fn lower(word: u64) -> u64 {
    let ascii = word & each(0x7f);
    // The highest bit says whether a byte is at least `A`, and at least what comes behind `Z`.
    let (from_a, behind_z) = (ascii + each(0x80 - b'A'), ascii + each(0x7f - b'Z'));
    let capital = from_a & !behind_z & !word & each(0x80);
    word | capital >> 2
}

/// Where a byte stands first in a word.
#[inline]
pub(super) fn position(word: u64, byte: u8) -> Option<usize> {
    let zero = word ^ each(byte);
    let found = zero.wrapping_sub(each(1)) & !zero & each(0x80);
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// Where the line ends that the text begins with.
#[inline]
pub(super) fn line_end(text: &[u8]) -> Option<usize> {
    /// Few lines of a message are longer.
    const MOST: usize = 12;
    let mut at = 0;
    for eight in text.chunks_exact(8).take(MOST) {
        if let Some(end) = word(eight).and_then(|word| position(word, b'\n')) {
            return Some(at + end);
        }
        at += 8;
    }
    Some(at + memchr::memchr(b'\n', text.get(at..)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_capitals_become_small() {
        for byte in 0..=u8::MAX {
            let expected = each(byte.to_ascii_lowercase());
            assert_eq!(lower(each(byte)), expected, "{byte:#x}");
        }
    }

    #[test]
    fn bytes_are_found_wherever_they_stand() {
        for at in 0..200 {
            let mut text = vec![b'\x0b'; 220];
            text[at] = b'\n';
            text[205] = b'\n';
            assert_eq!(line_end(&text), Some(at));
            assert_eq!(line_end(&text[..at]), None);
            if at < 8 {
                assert_eq!(position(two(&text)[0], b'\n'), Some(at));
            }
        }
        assert_eq!(two(b"abc"), [u64::from(b'a') | 0x6362 << 8, 0]);
    }
}
