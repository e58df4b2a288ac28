//! Passing over the parts of a text that are far from any message, at the speed of memory.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::input::buffer::Buffer;

/// What stands in or near every message, however it is written: the version in start lines, and the
/// first offset of hex dumps.
static SIGNS: LazyLock<[Finder<'static>; 4]> =
    LazyLock::new(|| ["SIP/2.0", "0x0000:", "\n0000  ", "\n000000 "].map(Finder::new));

/// Bytes before a sign that are read line by line: envelopes, and times with a date.
const BEFORE: usize = 16 << 10;
/// Bytes searched at once.
const WINDOW: usize = 256 << 10;

/// Where the next sign is.
#[derive(Debug)]
pub(super) struct Skim {
    /// Offset in the text up to which lines are worth reading.
    until: u64,
}

impl Default for Skim {
    fn default() -> Self {
        // A dump at the very beginning has no line end before its offset.
        Self {
            until: BEFORE as u64,
        }
    }
}

impl Skim {
    /// Passes over whole lines that are far before the next sign; gives how many.
    pub(super) fn pass_over(&mut self, buffer: &mut Buffer) -> u64 {
        let mut lines = 0;
        while buffer.position() >= self.until {
            let more = buffer.fill(WINDOW);
            let bytes = buffer.available();
            if bytes.is_empty() {
                return lines;
            }
            let sign = SIGNS.iter().filter_map(|sign| sign.find(bytes)).min();
            let far = sign.unwrap_or(bytes.len()).saturating_sub(BEFORE);
            // Only whole lines are passed over.
            let skipped = bytes.get(..far).unwrap_or_default();
            let whole = memchr::memrchr(b'\n', skipped).map_or(0, |at| at + 1);
            lines += count_lines(bytes.get(..whole).unwrap_or_default());
            let sign = sign.map(|at| buffer.position() + at as u64 + 1);
            buffer.consume(whole);
            match sign {
                Some(sign) => self.until = sign,
                // Nothing up to the end, or a line longer than is searched at once.
                None if !more || whole == 0 => {
                    let rest = buffer.available().len() as u64;
                    self.until = buffer.position() + rest;
                }
                None => {}
            }
        }
        lines
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
        let (mut skim, mut lines) = (Skim { until: 0 }, 0);
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
