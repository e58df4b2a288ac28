//! Gzip (RFC 1952), any number of members.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;

use super::{Compression, Frame, Packed};

pub(super) const GZIP: Compression = Compression {
    name: "gzip",
    begins: |head| head.starts_with(&[0x1f, 0x8b]),
    open: |packed| Ok(Box::new(Member(GzDecoder::new(packed)))),
    damages: ["gzip-cut", "gzip-damaged", "gzip-trailing"],
};

struct Member(GzDecoder<Packed>);

impl Read for Member {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Frame for Member {
    fn rest(self: Box<Self>) -> Packed {
        self.0.into_inner()
    }
}
