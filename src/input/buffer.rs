//! A bounded window over a byte source: what a reader has not consumed yet, and where it stands.

use std::io::{ErrorKind, Read};

use memchr::memchr;

use super::summary::{Damage, SourceDamage};

/// The most that one record, block or line may make the window grow.
pub(crate) const LARGEST: usize = 16 << 20;

/// Below this much left in the window it is cheaper to move it than to read into a short tail.
const CHEAP_MOVE: usize = 64 << 10;

/// A reused window over a source of bytes, which is never held as a whole.
pub(crate) struct Buffer {
    source: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    position: u64,
    ended: bool,
    failure: Option<Damage>,
}

impl Buffer {
    /// A window of `size` bytes over `source`.
    pub(crate) fn new(source: Box<dyn Read + Send>, size: usize) -> Self {
        Self {
            source,
            bytes: vec![0; size.clamp(4 << 10, LARGEST)],
            start: 0,
            end: 0,
            position: 0,
            ended: false,
            failure: None,
        }
    }

    /// What has been read and not consumed.
    #[inline]
    pub(crate) fn available(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Offset of the first available byte in the (decompressed) source.
    #[inline]
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Drops `count` bytes from the front, or all there are.
    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.position += count as u64;
    }

    /// Reads until at least `want` bytes are available; false where the source or the bound ends before.
    #[inline]
    pub(crate) fn fill(&mut self, want: usize) -> bool {
        self.end - self.start >= want || self.refill(want)
    }

    /// Length of the next line with its end; a line longer than `bound` comes in pieces of that size.
    pub(crate) fn line(&mut self, bound: usize) -> Option<usize> {
        let mut searched = 0;
        loop {
            let unsearched = self.available().get(searched..).unwrap_or_default();
            if let Some(at) = memchr(b'\n', unsearched) {
                return Some((searched + at + 1).min(bound));
            }
            searched = self.available().len();
            if searched >= bound {
                return Some(bound);
            }
            if !self.fill(searched + 1) {
                return (searched > 0).then_some(searched);
            }
        }
    }

    /// Moves to the next place that `fits`, which may look at `ahead` bytes from there; false, with
    /// everything consumed, where none does.
    pub(crate) fn search(&mut self, ahead: usize, fits: impl Fn(&[u8], usize) -> bool) -> bool {
        loop {
            // A refill moves what is held, so it has to pay: only after as much was searched.
            let more = self.available().len() > ahead + (4 << 10) || self.fill(2 * ahead);
            let bytes = self.available();
            let end = bytes.len().saturating_sub(if more { ahead } else { 0 });
            let found = (0..end).find(|&at| fits(bytes, at));
            self.consume(found.unwrap_or(end));
            if found.is_some() || !more {
                return found.is_some();
            }
        }
    }

    /// Drops `count` bytes however many are held; how many there were.
    pub(crate) fn pass(&mut self, count: u64) -> u64 {
        let mut left = count;
        while left > 0 && self.fill(1) {
            let now = usize::try_from(left).unwrap_or(usize::MAX);
            let now = now.min(self.available().len());
            self.consume(now);
            left -= now as u64;
        }
        count - left
    }

    /// What made the source end early, if anything did.
    pub(crate) fn failure(&self) -> Option<&Damage> {
        self.failure.as_ref()
    }

    /// The source and everything not consumed, as one source again.
    pub(crate) fn into_source(self) -> Box<dyn Read + Send> {
        let unread = std::io::Cursor::new(self.available().to_vec());
        match self.failure {
            Some(failure) => Box::new(unread.chain(Failed(Some(failure)))),
            None => Box::new(unread.chain(self.source)),
        }
    }

    #[cold]
    fn refill(&mut self, want: usize) -> bool {
        if self.ended {
            return false;
        }
        let held = self.end - self.start;
        if held <= CHEAP_MOVE || self.start + want > self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = held;
        }
        while self.end - self.start < want && !self.ended {
            if self.end == self.bytes.len() {
                // Doubles only once full: a length that a header claims never decides the size.
                let larger = (self.bytes.len() * 2).min(LARGEST);
                if larger <= self.bytes.len() {
                    return false;
                }
                self.bytes.resize(larger, 0);
            }
            let Some(room) = self.bytes.get_mut(self.end..) else {
                return false;
            };
            match self.source.read(room) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end = (self.end + count).min(self.bytes.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    let offset = self.position + (self.end - self.start) as u64;
                    self.failure = Some(SourceDamage::describe(&error, offset));
                }
            }
        }
        self.end - self.start >= want
    }
}

/// A source that has failed already, and says so once more.
struct Failed(Option<Damage>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        match self.0.take() {
            Some(failure) => Err(SourceDamage::again(&failure)),
            None => Ok(0),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Gives a few bytes at a time, and an interruption before each, as a pipe may.
    pub(crate) struct Dribble(pub(crate) std::io::Cursor<Vec<u8>>, pub(crate) bool);

    impl Read for Dribble {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            let few = out.len().min(3);
            self.0.read(&mut out[..few])
        }
    }

    #[test]
    fn a_dribbling_source_is_filled_to_what_is_wanted() {
        let data: Vec<u8> = (0..=255).cycle().take(20_000).collect();
        let source = Dribble(std::io::Cursor::new(data.clone()), false);
        let mut buffer = Buffer::new(Box::new(source), 4096);
        let mut seen = Vec::new();
        while buffer.fill(700) {
            seen.extend_from_slice(&buffer.available()[..700]);
            buffer.consume(700);
            assert_eq!(buffer.position(), seen.len() as u64);
        }
        seen.extend_from_slice(buffer.available());
        assert_eq!(seen, data);
    }

    #[test]
    fn the_window_grows_no_further_than_its_bound() {
        let mut buffer = Buffer::new(Box::new(std::io::repeat(7)), 1 << 20);
        assert!(buffer.fill(LARGEST));
        assert!(!buffer.fill(LARGEST + 1));
        assert_eq!(buffer.available().len(), LARGEST);
    }

    #[test]
    fn lines_longer_than_the_bound_come_in_pieces() {
        let text = b"ab\ncdefgh\n\nlast".to_vec();
        let mut buffer = Buffer::new(Box::new(std::io::Cursor::new(text)), 4096);
        let mut lines = Vec::new();
        while let Some(len) = buffer.line(4) {
            lines.push(String::from_utf8_lossy(&buffer.available()[..len]).into_owned());
            buffer.consume(len);
        }
        assert_eq!(lines, ["ab\n", "cdef", "gh\n", "\n", "last"]);
    }
}
