//! Bzip2, any number of streams (as pbzip2 writes them).

use std::io::{self, Read};

use ::bzip2::bufread::BzDecoder;

use super::{Compression, Frame, Packed};

/// "BZh", the block size, and the first block or the end of an empty stream.
fn begins(head: &[u8]) -> bool {
    matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..])
        || matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, ..])
}

pub(super) const BZIP2: Compression = Compression {
    name: "bzip2",
    begins,
    open: |packed| Ok(Box::new(Stream(BzDecoder::new(packed)))),
    damages: ["bzip2-cut", "bzip2-damaged", "bzip2-trailing"],
};

struct Stream(BzDecoder<Packed>);

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Frame for Stream {
    fn rest(self: Box<Self>) -> Packed {
        self.0.into_inner()
    }
}
