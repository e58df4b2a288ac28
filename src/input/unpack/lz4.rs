//! Lz4 frames (format 1.6), any number of them, with skippable ones between.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

use super::{Compression, Frame, Packed, skippable};

pub(super) const LZ4: Compression = Compression {
    name: "lz4",
    begins: |head| head.starts_with(&[0x04, 0x22, 0x4d, 0x18]) || skippable::begins(head),
    open,
    damages: ["lz4-cut", "lz4-damaged", "lz4-trailing"],
};

fn open(mut packed: Packed) -> io::Result<Box<dyn Frame>> {
    Ok(match skippable::pass(&mut packed)? {
        true => Box::new(skippable::Passed(packed)),
        false => Box::new(Lz4(FrameDecoder::new(packed))),
    })
}

struct Lz4(FrameDecoder<Packed>);

impl Read for Lz4 {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(out)?;
        // Without an end mark the decoder takes the end of the source for the end of the frame. Behind
        // an end mark it has not looked any further.
        if count == 0 && self.0.get_ref().get_ref().ended() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

impl Frame for Lz4 {
    fn rest(self: Box<Self>) -> Packed {
        self.0.into_inner()
    }
}
