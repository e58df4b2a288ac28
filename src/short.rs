//! Looks at what is short: a line and its parts. The searches are made so that the compiler turns them
//! into sixteen comparisons at once, in place: a call to a search that first looks which processor it
//! runs on costs more than the whole line.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const WORD: usize = 8;

/// The highest bit of each byte that equals `byte`; only the lowest mark is sure.
#[inline(always)]
const fn marks(word: u64, byte: u8) -> u64 {
    let differs = word ^ (ONES * byte as u64);
    differs.wrapping_sub(ONES) & !differs & HIGH
}

/// Eight bytes from `at` on; the first one is the lowest.
#[inline(always)]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let chunk = bytes.get(at..)?.first_chunk::<WORD>()?;
    Some(u64::from_le_bytes(*chunk))
}

/// Where `byte` first stands from `from` on.
#[inline(never)]
pub fn find(bytes: &[u8], from: usize, byte: u8) -> Option<usize> {
    find_any(bytes, from, [byte])
}

/// Where one of some bytes first stands from `from` on.
#[inline(always)]
pub fn find_any<const N: usize>(bytes: &[u8], from: usize, any: [u8; N]) -> Option<usize> {
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
pub fn rfind(bytes: &[u8], byte: u8) -> Option<usize> {
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

/// The longest name that a [`Name`] holds, in words of eight bytes.
const WORDS: usize = 3;

/// A name of at most 24 bytes with its letters in lower case: compared and looked up as three words.
/// Of bytes that are no letters only `@`, `[`, `\`, `]`, `^` and `_` are no longer what they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name([u64; WORDS]);

impl Name {
    /// The name; `None` where it is longer.
    pub const fn of(name: &[u8]) -> Option<Name> {
        let (mut words, mut at) = ([0; WORDS], 0);
        if name.len() > WORDS * WORD {
            return None;
        }
        while at < name.len() {
            words[at / WORD] |= (name[at] as u64) << (at % WORD * 8);
            at += 1;
        }
        let [a, b, c] = words;
        Some(Name([lower(a), lower(b), lower(c)]))
    }

    /// What stands before the first `byte`, and its length; `None` where that is empty or longer.
    #[inline(always)]
    pub fn before(text: &[u8], byte: u8) -> Option<(Name, usize)> {
        let mut words = [0; WORDS];
        for (index, own) in words.iter_mut().enumerate() {
            let Some(word) = word(text, index * WORD) else {
                return Name::before_near_end(text, byte);
            };
            let found = marks(word, byte);
            if found != 0 {
                let bits = found.trailing_zeros() & !7;
                *own = lower(word & !(u64::MAX << bits));
                let length = index * WORD + bits as usize / 8;
                return (length > 0).then_some((Name(words), length));
            }
            *own = lower(word);
        }
        None
    }

    #[cold]
    fn before_near_end(text: &[u8], byte: u8) -> Option<(Name, usize)> {
        let length = find(text, 0, byte).filter(|length| *length > 0)?;
        Some((Name::of(text.get(..length)?)?, length))
    }

    // Equal for equal names; the highest bits tell most.
    const fn hash(self) -> u64 {
        let [a, b, c] = self.0;
        (a ^ b.rotate_left(7) ^ c.rotate_left(14)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// Values by name, each at the place of its name or where room was behind it: `N` is a power of two, and
/// far more than there are names. A name that is too long for a [`Name`] is not found.
#[derive(Debug)]
pub struct Named<T, const N: usize>([Option<(Name, T)>; N]);

impl<T: Copy, const N: usize> Named<T, N> {
    /// The table of these names; of equal ones the first counts.
    pub const fn of(all: &[(&str, T)]) -> Named<T, N> {
        let (mut table, mut index) = ([None; N], 0);
        while index < all.len() {
            let (name, value) = all[index];
            if let Some(name) = Name::of(name.as_bytes()) {
                let mut at = Self::place(name);
                while table[at].is_some() {
                    at = (at + 1) % N;
                }
                table[at] = Some((name, value));
            }
            index += 1;
        }
        Named(table)
    }

    const fn place(name: Name) -> usize {
        (name.hash() >> (u64::BITS - N.ilog2())) as usize
    }

    /// What stands under this name.
    #[inline(always)]
    pub fn get(&self, name: Name) -> Option<T> {
        let mut at = Self::place(name);
        while let Some((known, value)) = self.0[at] {
            if known == name {
                return Some(value);
            }
            at = (at + 1) % N;
        }
        None
    }
}

// Bytes from 64 on are letters, as far as names go: one bit makes them small.
const fn lower(word: u64) -> u64 {
    word | (word & 0x4040_4040_4040_4040) >> 1
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

    #[test]
    fn names_are_equal_in_any_case_and_only_then() {
        let long = "a".repeat(30);
        for name in ["v", "Via", "Call-ID", "User-Agent", "P-Asserted-Identity"] {
            let own = Name::of(name.as_bytes());
            let shout = name.to_ascii_uppercase();
            for behind in ["", " x", &long] {
                let line = format!("{shout}:{behind}");
                let read = Name::before(line.as_bytes(), b':');
                assert_eq!(read, own.zip(Some(name.len())), "{line}");
            }
        }
        assert_ne!(Name::of(b"Call-ID"), Name::of(b"Call\rID"));
        assert_ne!(Name::of(b"Call-ID"), Name::of(b"C\xe1ll-ID"));
        assert_eq!(Name::of(long.as_bytes()), None);
        assert_eq!(Name::before(format!("{long}: x").as_bytes(), b':'), None);
        assert_eq!(Name::before(b":                            ", b':'), None);
        assert_eq!(Name::before(b"Via", b':'), None);
    }
}
