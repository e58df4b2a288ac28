//! Skippable frames, which zstd (RFC 8878 §3.1.2) and lz4 have in common: a number, a length, and
//! anything.

use std::io::{self, BufRead, Read};

use super::{Frame, Packed};

/// Whether these are the first bytes of one.
pub(super) fn begins(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Passes over the frame that follows, if it is a skippable one.
pub(super) fn pass(packed: &mut Packed) -> io::Result<bool> {
    if !begins(packed.fill_buf()?) {
        return Ok(false);
    }
    let mut head = [0; 8];
    packed.read_exact(&mut head)?;
    let [.., a, b, c, d] = head;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    let passed = io::copy(&mut packed.by_ref().take(length), &mut io::sink())?;
    match passed == length {
        true => Ok(true),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A skippable frame: nothing to read.
pub(super) struct Passed(pub(super) Packed);

impl Read for Passed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Frame for Passed {
    fn rest(self: Box<Self>) -> Packed {
        self.0
    }
}
