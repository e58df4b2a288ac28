//! Searches in what is short: a header line and its parts. They are made so that the compiler turns
//! them into sixteen comparisons at once, in place: a call to a search that first looks which processor
//! it runs on costs more than the whole line.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const WORD: usize = 8;

/// The highest bit of each byte that equals `byte`; only the lowest mark is sure.
#[inline(always)]
pub(super) const fn marks(word: u64, byte: u8) -> u64 {
    let differs = word ^ (ONES * byte as u64);
    differs.wrapping_sub(ONES) & !differs & HIGH
}

/// Eight bytes from `at` on; the first one is the lowest.
#[inline(always)]
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let chunk = bytes.get(at..)?.first_chunk::<WORD>()?;
    Some(u64::from_le_bytes(*chunk))
}

/// Where `byte` first stands from `from` on.
#[inline(never)]
pub(super) fn find(bytes: &[u8], from: usize, byte: u8) -> Option<usize> {
    find_any(bytes, from, [byte])
}

/// Where one of some bytes first stands from `from` on.
#[inline(always)]
pub(super) fn find_any<const N: usize>(bytes: &[u8], from: usize, any: [u8; N]) -> Option<usize> {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..)?.first_chunk::<16>() {
        let is_any = |byte: &u8| any.iter().fold(false, |is, one| is | (byte == one));
        // No way out before the last byte: so it is one comparison.
        if chunk.iter().fold(false, |there, byte| there | is_any(byte)) {
            let both = u128::from_le_bytes(*chunk);
            let (low, high) = (both as u64, (both >> 64) as u64);
            let found = first(low, any).or_else(|| Some(WORD + first(high, any)?));
            return found.map(|found| at + found);
        }
        at += 16;
    }
    if let Some(found) = word(bytes, at).and_then(|word| first(word, any)) {
        return Some(at + found);
    }
    // The last eight bytes; those among them that were looked at are none.
    if let Some(last) = bytes.len().checked_sub(WORD).filter(|last| *last >= from) {
        return word(bytes, last).and_then(|word| Some(last + first(word, any)?));
    }
    let rest = bytes.get(at..)?;
    let found = rest.iter().position(|byte| any.contains(byte))?;
    Some(at + found)
}

#[inline(always)]
fn first<const N: usize>(word: u64, any: [u8; N]) -> Option<usize> {
    let found = any.iter().fold(0, |found, byte| found | marks(word, *byte));
    (found != 0).then(|| found.trailing_zeros() as usize / WORD)
}

/// Where `byte` last stands.
pub(super) fn rfind(bytes: &[u8], byte: u8) -> Option<usize> {
    let mut end = bytes.len();
    while let Some(word) = end.checked_sub(WORD).and_then(|at| word(bytes, at)) {
        let differs = word ^ (ONES * u64::from(byte));
        // Of these marks every one is sure.
        let found = !((differs & !HIGH).wrapping_add(!HIGH) | differs | !HIGH);
        if found != 0 {
            return Some(end - 1 - found.leading_zeros() as usize / WORD);
        }
        end -= WORD;
    }
    bytes.get(..end)?.iter().rposition(|b| *b == byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found_wherever_it_stands() {
        for length in 0..150 {
            let mut bytes = vec![b'a'; length];
            assert_eq!(find(&bytes, 0, b'x'), None);
            assert_eq!(find_any(&bytes, 0, *b"xyz"), None);
            for at in (0..length).rev() {
                bytes[at] = b'x';
                for from in [0, at / 2, at] {
                    assert_eq!(find(&bytes, from, b'x'), Some(at));
                    assert_eq!(find_any(&bytes, from, *b"zyx"), Some(at));
                }
                assert_eq!(rfind(&bytes, b'x'), Some(at));
                // One above is what a careless mark would tell.
                bytes[at] = b'x' + 1;
            }
        }
        assert_eq!(find(b"abc", 4, b'a'), None);
        assert_eq!(find(b"xxxxxxxxab", 8, b'x'), None);
        assert_eq!(find(b"xxxxxxxxabc", 3, b'c'), Some(10));
        assert_eq!(rfind(b"abcabcabcabc\xe1\xe1", b'a'), Some(9));
        assert_eq!(rfind(b"", b'a'), None);
        assert_eq!(find_any(b"abc", 3, *b"abc"), None);
    }
}
