//! Zstandard (RFC 8878), any number of frames, with skippable ones between.

use std::io::{self, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Compression, Frame, Packed, skippable};

pub(super) const ZSTD: Compression = Compression {
    name: "zstd",
    begins: |head| head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || skippable::begins(head),
    open,
    damages: ["zstd-cut", "zstd-damaged", "zstd-trailing"],
};

/// The largest window: what `zstd --long` takes, and no more than is asked for by a header.
const LARGEST_WINDOW: u64 = 128 << 20;

fn open(mut packed: Packed) -> io::Result<Box<dyn Frame>> {
    if skippable::pass(&mut packed)? {
        return Ok(Box::new(skippable::Passed(packed)));
    }
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(LARGEST_WINDOW);
    decoder.init(&mut packed).map_err(io::Error::other)?;
    Ok(Box::new(Zstd {
        decoder,
        packed,
        failure: None,
        unchecked: true,
    }))
}

struct Zstd {
    decoder: FrameDecoder,
    packed: Packed,
    failure: Option<io::Error>,
    unchecked: bool,
}

impl Zstd {
    /// Unpacks until there is something to give out.
    fn decode(&mut self) {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let one = BlockDecodingStrategy::UptoBlocks(1);
            if let Err(error) = self.decoder.decode_blocks(&mut self.packed, one) {
                self.failure = Some(io::Error::other(error));
                self.unchecked = false;
                // The decoder keeps a window back until the last block: an empty one sets it free.
                let last: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
                if self
                    .decoder
                    .decode_blocks(last, BlockDecodingStrategy::All)
                    .is_err()
                {
                    return;
                }
            }
        }
    }

    /// ruzstd computes the checksum and leaves the comparison to its user.
    fn check(&mut self) -> io::Result<()> {
        let said = self.decoder.get_checksum_from_data();
        let wrong = said.is_some() && said != self.decoder.get_calculated_checksum();
        match std::mem::take(&mut self.unchecked) && wrong {
            true => Err(io::ErrorKind::InvalidData.into()),
            false => Ok(()),
        }
    }
}

impl Read for Zstd {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.failure.is_none() {
            self.decode();
        }
        let count = self.decoder.read(out)?;
        if count == 0 {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            self.check()?;
        }
        Ok(count)
    }
}

impl Frame for Zstd {
    fn rest(self: Box<Self>) -> Packed {
        self.packed
    }
}
