//! Passing over the parts of a text that are far from any message, at the speed of memory.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::input::buffer::Buffer;

const SIGNS_COUNT: usize = 4;
/// What stands in or near every message, however it is written: the version in start lines, and the
/// first offset of hex dumps.
static SIGNS: LazyLock<[Finder<'static>; SIGNS_COUNT]> =
    LazyLock::new(|| ["SIP/2.0", "0x0000:", "\n0000  ", "\n000000 "].map(Finder::new));

/// Bytes before a sign that are read line by line: envelopes, and times with a date.
const BEFORE: usize = 16 << 10;
/// Bytes searched at once.
const WINDOW: usize = 256 << 10;

/// Where the next signs are, as offsets in the text.
#[derive(Debug)]
pub(super) struct Skim {
    /// Up to here lines are worth reading.
    until: u64,
    signs: [Next; SIGNS_COUNT],
}

/// What is known of one sign: it does not stand before `from`, and is at `from` if `found`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Next {
    from: u64,
    found: bool,
}

impl Next {
    /// Where it stands first in these bytes, which begin at this offset of the text. No byte is searched
    /// twice while the offset grows.
    #[inline]
    pub(super) fn find(
        &mut self,
        finder: &Finder<'_>,
        bytes: &[u8],
        position: u64,
    ) -> Option<usize> {
        let length = finder.needle().len();
        self.find_by(|bytes| finder.find(bytes), length, bytes, position)
    }

    /// The same, of a sign that is so long, with another search.
    #[inline]
    pub(super) fn find_by(
        &mut self,
        search: impl Fn(&[u8]) -> Option<usize>,
        length: usize,
        bytes: &[u8],
        position: u64,
    ) -> Option<usize> {
        let end = position + bytes.len() as u64;
        if !(self.found && self.from >= position) && self.from < end {
            let from = self.from.max(position);
            let skip = usize::try_from(from - position).unwrap_or(bytes.len());
            let hit = search(bytes.get(skip..).unwrap_or_default());
            *self = match hit {
                Some(at) => Self {
                    from: from + at as u64,
                    found: true,
                },
                // The last bytes may be the beginning of one.
                None => Self {
                    from: from.max((end + 1).saturating_sub(length as u64)),
                    found: false,
                },
            };
        }
        let at = usize::try_from(self.from.checked_sub(position)?).ok()?;
        (self.found && at < bytes.len()).then_some(at)
    }
}

impl Default for Skim {
    fn default() -> Self {
        // A dump at the very beginning has no line end before its offset.
        Self {
            until: BEFORE as u64,
            signs: Default::default(),
        }
    }
}

impl Skim {
    /// Passes over whole lines that are far before the next sign; gives how many.
    pub(super) fn pass_over(&mut self, buffer: &mut Buffer) -> u64 {
        let mut lines = 0;
        while buffer.position() >= self.until {
            let (bytes, position) = (buffer.available(), buffer.position());
            let sign = self.next_sign(bytes, position);
            let far = sign.unwrap_or(bytes.len()).saturating_sub(BEFORE);
            // Only whole lines are passed over.
            let skipped = bytes.get(..far).unwrap_or_default();
            let whole = memchr::memrchr(b'\n', skipped).map_or(0, |at| at + 1);
            lines += count_lines(bytes.get(..whole).unwrap_or_default());
            buffer.consume(whole);
            match sign {
                Some(at) => self.until = position + at as u64 + 1,
                None => {
                    let held = buffer.available().len();
                    // Nothing up to the end, or a line longer than is held at once.
                    if !buffer.fill(held + WINDOW) && buffer.available().len() == held {
                        self.until = buffer.position() + held as u64 + 1;
                    }
                }
            }
        }
        lines
    }

    // The first sign in these bytes, which begin at the offset.
    fn next_sign(&mut self, bytes: &[u8], position: u64) -> Option<usize> {
        let signs = self.signs.iter_mut().zip(SIGNS.iter());
        let places = signs.filter_map(|(next, finder)| next.find(finder, bytes, position));
        places.min()
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn far_lines_are_counted_and_near_ones_are_left() {
        let filler = "a line of something else entirely\n".repeat(100_000);
        let text = format!("{filler}near\nBYE sip:a SIP/2.0\n");
        let mut buffer = Buffer::new(Box::new(Cursor::new(text.clone().into_bytes())), 4096);
        let (mut skim, mut lines) = (
            Skim {
                until: 0,
                ..Skim::default()
            },
            0,
        );
        lines += skim.pass_over(&mut buffer);
        assert!(lines > 99_000, "{lines}");
        let mut rest = String::new();
        while let Some(length) = buffer.line(1 << 20) {
            rest.push_str(&String::from_utf8_lossy(&buffer.available()[..length]));
            buffer.consume(length);
        }
        assert!(rest.ends_with("near\nBYE sip:a SIP/2.0\n"));
        assert!(text.ends_with(&rest));
        assert_eq!(lines as usize + rest.lines().count(), text.lines().count());
    }
}
