//! Byte ranges inside one message.

/// A byte range `[start, end)` of a message. The empty range at 0 stands for "not there".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span {
            start: clamp(start),
            end: clamp(end),
        }
    }

    /// Nothing is there.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The bytes it covers; empty where the range does not fit.
    pub fn of(self, raw: &[u8]) -> &[u8] {
        raw.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// The same range counted from `base` on.
    pub fn shifted(self, base: usize) -> Span {
        Span::new(self.start as usize + base, self.end as usize + base)
    }
}

// Messages are far below 4 GiB; a larger offset can only come from a bug and must not wrap.
fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// The range of `part` inside `whole`, where `part` was cut from `whole`.
pub(crate) fn span_in(whole: &[u8], part: &[u8]) -> Span {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    Span::new(start, start + part.len())
}

/// `bytes` without blanks (SP, HT, CR, LF) at its ends.
pub fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}
