//! Compressed data, recognised by its first bytes and unpacked as it is read.
//!
//! A new compression is a file here with one [`Compression`] record, and a line in [`ALL`].

mod bzip2;
mod gzip;
mod lz4;
mod meter;
mod skippable;
mod tap;
mod xz;
mod zstd;

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, BufReader, Read};

use super::buffer::Buffer;
use super::summary::SourceDamage;
pub(crate) use meter::Meter;
use tap::Tap;

/// Any source of bytes.
pub(crate) type Source = Box<dyn Read + Send>;

/// A compression.
pub(crate) struct Compression {
    /// Its name.
    name: &'static str,
    /// Whether data that begins so is compressed with it.
    begins: fn(&[u8]) -> bool,
    /// Opens one frame, member or stream of it.
    open: fn(Packed) -> io::Result<Box<dyn Frame>>,
    /// What damages of it are called: the data ends early, is wrong, is followed by something else.
    damages: [&'static str; 3],
}

/// The compressions that are read.
static ALL: &[Compression] = &[gzip::GZIP, zstd::ZSTD, xz::XZ, bzip2::BZIP2, lz4::LZ4];

/// Compressed bytes that are still to be unpacked.
pub(crate) type Packed = BufReader<Tap>;

/// One self-contained piece of compressed data that is being unpacked; at its end, what follows.
pub(crate) trait Frame: Read + Send {
    /// What stands behind it.
    fn rest(self: Box<Self>) -> Packed;
}

/// The most compressions around one file.
const MOST_LAYERS: usize = 4;
/// As much as recognition looks at.
pub(crate) const PEEK: usize = 4096;

/// Takes off every compression around `source`: what is inside with its first bytes, and the name
/// of the innermost one. `peek`: how many bytes are worth waiting for.
pub(crate) fn unpack(source: Source, peek: usize, meter: &Meter) -> (Buffer, Option<&'static str>) {
    let mut buffer = Buffer::new(source, PEEK);
    let mut name = None;
    for _ in 0..MOST_LAYERS {
        buffer.fill(peek);
        let head = buffer.available();
        let Some(compression) = ALL.iter().find(|c| (c.begins)(head)) else {
            break;
        };
        name = Some(compression.name);
        let unpacked = Frames::new(compression, buffer.into_source(), meter.clone());
        buffer = Buffer::new(Box::new(unpacked), PEEK);
    }
    buffer.fill(peek);
    (buffer, name)
}

/// Whether data that begins so is compressed.
pub(crate) fn is_compressed(head: &[u8]) -> Option<&'static str> {
    let compression = ALL.iter().find(|c| (c.begins)(head))?;
    Some(compression.name)
}

/// Unpacks frame after frame: what follows the last one is damage, not failure.
struct Frames {
    compression: &'static Compression,
    state: State,
    trouble: tap::Trouble,
    meter: Meter,
}

enum State {
    Between(Packed),
    Frame(Box<dyn Frame>),
    Done,
}

impl Frames {
    fn new(compression: &'static Compression, source: Source, meter: Meter) -> Self {
        let trouble = tap::Trouble::default();
        let tap = Tap::new(source, trouble.clone());
        Self {
            compression,
            state: State::Between(BufReader::with_capacity(64 << 10, tap)),
            trouble,
            meter,
        }
    }

    fn next(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Frame(mut frame) => match frame.read(out) {
                    Ok(0) => self.state = State::Between(frame.rest()),
                    Ok(count) => {
                        self.state = State::Frame(frame);
                        return Ok(count);
                    }
                    Err(error) => return Err(self.verdict(error)),
                },
                State::Between(mut packed) => {
                    let ended = packed.fill_buf()?.is_empty();
                    if ended {
                        return Ok(0);
                    }
                    match follows(&mut packed, self.compression) {
                        Ok(true) => {}
                        Ok(false) => return Err(self.damage(TRAILING)),
                        Err(error) => return Err(self.verdict(error)),
                    }
                    match (self.compression.open)(packed) {
                        Ok(frame) => self.state = State::Frame(frame),
                        Err(error) => return Err(self.verdict(error)),
                    }
                }
            }
        }
    }

    /// What stopped a decoder: the source beneath it, its end, or the data.
    fn verdict(&self, error: io::Error) -> io::Error {
        if let Some(beneath) = self.trouble.take() {
            return beneath;
        }
        match error.get_ref().is_some_and(|e| e.is::<SourceDamage>()) {
            true => error,
            false if self.trouble.ended() => self.damage(CUT),
            false => self.damage(DAMAGED),
        }
    }

    fn damage(&self, (which, detail): (usize, &'static str)) -> io::Error {
        let [cut, damaged, trailing] = self.compression.damages;
        let reason = [cut, damaged, trailing].get(which).copied();
        SourceDamage::error(reason.unwrap_or(damaged), detail)
    }
}

const CUT: (usize, &str) = (0, "the compressed data ends too early");
const DAMAGED: (usize, &str) = (1, "the compressed data is damaged from here on");
const TRAILING: (usize, &str) = (2, "other bytes follow the compressed data");

/// Whether another frame follows; a decoder needs its first bytes in one piece.
fn follows(packed: &mut Packed, compression: &Compression) -> io::Result<bool> {
    // The longest that a record looks at.
    const ENOUGH: usize = 6;
    let held = packed.buffer().len();
    if held >= ENOUGH {
        return Ok((compression.begins)(packed.buffer()));
    }
    let mut head = [0; ENOUGH];
    let mut have = 0;
    while have < ENOUGH {
        let Some(room) = head.get_mut(have..) else {
            break;
        };
        match packed.read(room)? {
            0 => break,
            count => have += count,
        }
    }
    let head = head.get(..have).unwrap_or_default();
    packed.get_mut().put_back(head);
    Ok((compression.begins)(head))
}

impl Read for Frames {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let count = self.next(out)?;
        self.meter.unpacked(count)?;
        Ok(count)
    }
}
