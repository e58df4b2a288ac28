//! Xz (format 1.2.1), any number of streams, with or without padding between them.

use std::io::{self, Read};

use lzma_rust2::XzReader;

use super::{Compression, Frame, Packed};

/// The most memory that one stream may ask for, in KiB: twice what `xz -9` takes.
const MOST_MEMORY: u32 = 130 << 10;

pub(super) const XZ: Compression = Compression {
    name: "xz",
    begins: |head| head.starts_with(b"\xfd7zXZ\0"),
    open: |packed| {
        let streams = XzReader::new_mem_limit(packed, true, MOST_MEMORY);
        Ok(Box::new(Streams(streams)))
    },
    damages: ["xz-cut", "xz-damaged", "xz-trailing"],
};

struct Streams(XzReader<Packed>);

impl Read for Streams {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Frame for Streams {
    fn rest(self: Box<Self>) -> Packed {
        self.0.into_inner()
    }
}
