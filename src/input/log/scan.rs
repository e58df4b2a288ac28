//! Reading a line from its beginning, piece by piece.

/// A place in a line; each step moves it only if it succeeds as a whole.
pub(super) struct Scan<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Scan<'a> {
    pub(super) fn attempt<T>(&mut self, step: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let result = step(self);
        if result.is_none() {
            self.rest = before;
        }
        result
    }

    pub(super) fn literal(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    pub(super) fn byte(&mut self, byte: u8) -> Option<()> {
        self.literal(&[byte])
    }

    pub(super) fn end_or(&mut self, byte: u8) -> Option<()> {
        if self.rest.is_empty() {
            Some(())
        } else {
            self.byte(byte)
        }
    }

    pub(super) fn word(&mut self, belongs: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        let len = self.rest.iter().take_while(|byte| belongs(**byte)).count();
        let (word, rest) = self.rest.split_at(len);
        self.rest = rest;
        (len > 0).then_some(word)
    }

    pub(super) fn number(&mut self, most: usize) -> Option<u64> {
        let digits = self
            .rest
            .iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_digit());
        let (mut number, mut len) = (0, 0);
        for digit in digits {
            number = number * 10 + u64::from(digit - b'0');
            len += 1;
        }
        self.rest = self.rest.get(len..)?;
        (len > 0).then_some(number)
    }

    /// Decimals of a second, as nanoseconds.
    pub(super) fn fraction(&mut self) -> Option<u64> {
        let digits = self.word(|byte| byte.is_ascii_digit())?;
        let nine = digits
            .iter()
            .copied()
            .chain(std::iter::repeat(b'0'))
            .take(9);
        Some(nine.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
    }
}
