//! Zip (APPNOTE 6.3.10), stored and deflated, read by its local headers: the central directory at
//! the end is out of reach of a stream.

use std::io::{self, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Archive, Kind, Member, shown};
use crate::input::buffer::Buffer;
use crate::input::summary::{Damage, SourceDamage};
use crate::input::unpack::Meter;

pub(super) const ZIP: Kind = Kind {
    name: "a zip archive",
    begins: |head| head.starts_with(LOCAL) || head.starts_with(EMPTY) || head.starts_with(SPLIT),
    open: |buffer, meter| {
        Box::new(Zip {
            buffer,
            meter: meter.clone(),
            entry: None,
        })
    },
};

const LOCAL: &[u8] = b"PK\x03\x04";
const EMPTY: &[u8] = b"PK\x05\x06";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
/// The mark of an archive that was meant to be split and fitted into one part.
const SPLIT: &[u8] = b"PK00PK\x03\x04";
const HEADER: usize = 30;

struct Zip {
    buffer: Buffer,
    meter: Meter,
    entry: Option<Entry>,
}

/// The file that is being read.
struct Entry {
    /// `None`: stored.
    inflate: Option<Box<Decompress>>,
    /// Packed bytes left, where the header says how many.
    left: Option<u64>,
    /// Checksum by the header; behind the data where a descriptor follows.
    said: Option<u32>,
    descriptor: bool,
    wide: bool,
    crc: Crc,
    done: bool,
}

/// The fields of a local header that matter.
struct Header {
    encrypted: bool,
    descriptor: bool,
    method: u16,
    crc: u32,
    packed: u64,
    wide: bool,
    name: String,
    length: usize,
}

impl Archive for Zip {
    fn next(&mut self) -> Result<Option<Member>, Damage> {
        self.pass_entry()?;
        if self.buffer.fill(SPLIT.len()) && self.buffer.available().starts_with(SPLIT) {
            self.buffer.consume(4);
        }
        self.buffer.fill(HEADER);
        let offset = self.buffer.position();
        let head = self.buffer.available();
        if !head.starts_with(LOCAL) {
            let regular = head.starts_with(b"PK\x01\x02")
                || head.starts_with(EMPTY)
                || head.starts_with(b"PK\x06\x06")
                || head.starts_with(b"PK\x06\x08");
            let failure = self.buffer.failure().cloned();
            return match (regular, failure) {
                (true, _) => Ok(None),
                (false, Some(failure)) => Err(failure),
                (false, None) if head.len() < 4 => Err(damage("zip-cut", offset, CUT)),
                (false, None) => Err(damage("zip-damaged", offset, LOST)),
            };
        }
        let Some(header) = self.header() else {
            return Err(damage("zip-cut", offset, CUT));
        };
        self.buffer.consume(header.length);
        self.begin(header, offset).map(Some)
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(entry) = self.entry.as_mut().filter(|entry| !entry.done) else {
            return Ok(0);
        };
        if out.is_empty() {
            return Ok(0);
        }
        let count = entry.read(&mut self.buffer, out)?;
        entry.crc.update(out.get(..count).unwrap_or_default());
        if entry.inflate.is_some() {
            self.meter.unpacked(count)?;
        }
        if count == 0 {
            entry.done = true;
            self.check()?;
        }
        Ok(count)
    }
}

const CUT: &str = "the archive ends too early";
const LOST: &str = "no header where one should be; the rest was not read";
const WRONG: &str = "the compressed data is damaged from here on";

impl Zip {
    fn header(&mut self) -> Option<Header> {
        let names = |bytes: &[u8]| Some((u16_at(bytes, 26)?, u16_at(bytes, 28)?));
        let (name_len, extra_len) = names(self.buffer.available())?;
        let length = HEADER + usize::from(name_len) + usize::from(extra_len);
        self.buffer.fill(length);
        let bytes = self.buffer.available().get(..length)?;
        let flags = u16_at(bytes, 6)?;
        let name = bytes.get(HEADER..HEADER + usize::from(name_len))?;
        let extra = bytes.get(HEADER + usize::from(name_len)..)?;
        let (packed, unpacked) = (u32_at(bytes, 18)?, u32_at(bytes, 22)?);
        let long = zip64(extra);
        let mut header = Header {
            encrypted: flags & 1 != 0,
            descriptor: flags & 8 != 0,
            method: u16_at(bytes, 8)?,
            crc: u32_at(bytes, 14)?,
            packed: packed.into(),
            wide: long.is_some(),
            name: shown(name),
            length,
        };
        // The long field holds those of the two that do not fit, the unpacked size first.
        if packed == u32::MAX
            && let Some(long) = long
        {
            let at = if unpacked == u32::MAX { 8 } else { 0 };
            header.packed = u64::from_le_bytes(*long.get(at..)?.first_chunk()?);
        }
        Some(header)
    }

    fn begin(&mut self, header: Header, offset: u64) -> Result<Member, Damage> {
        let known = !header.descriptor || header.packed > 0;
        let refused = match (header.encrypted, header.method) {
            (true, _) => Some("encrypted, and not read"),
            (false, 0 | 8) => None,
            (false, _) => Some("packed by a method that is not read; stored and deflated are"),
        };
        if !known && (refused.is_some() || header.method == 0) {
            let why = refused.unwrap_or("stored without its length");
            let name = header.name;
            let detail =
                format!("{name}: {why}; where it ends is unknown, and the rest was not read");
            return Err(damage("zip-unknown-length", offset, &detail));
        }
        self.entry = Some(Entry {
            inflate: (header.method == 8).then(|| Box::new(Decompress::new(false))),
            left: known.then_some(header.packed),
            said: (!header.descriptor).then_some(header.crc),
            descriptor: header.descriptor,
            wide: header.wide,
            crc: Crc::new(),
            done: refused.is_some(),
        });
        let name = header.name;
        Ok(Member { name, refused })
    }

    /// Passes over what was not read of the current file, and over its descriptor.
    fn pass_entry(&mut self) -> Result<(), Damage> {
        let Some(entry) = &self.entry else {
            return Ok(());
        };
        if let Some(left) = entry.left {
            if self.buffer.pass(left) < left {
                let failure = self.buffer.failure().cloned();
                self.entry = None;
                return Err(
                    failure.unwrap_or_else(|| damage("zip-cut", self.buffer.position(), CUT))
                );
            }
        } else {
            // Only the data itself says where it ends.
            let offset = self.buffer.position();
            let mut passed = io::copy(&mut Rest(self), &mut io::sink());
            // A wrong checksum comes last, and the end is known all the same.
            if self.entry.as_ref().is_some_and(|entry| entry.done) {
                passed = Ok(0);
            }
            if let Err(error) = passed {
                self.entry = None;
                return Err(SourceDamage::describe(&error, offset));
            }
        }
        if let Some(entry) = self.entry.take()
            && entry.descriptor
        {
            self.descriptor(&entry);
        }
        Ok(())
    }

    /// Passes over a descriptor: a mark that may be left out, the checksum, and two sizes of four or
    /// eight bytes. What follows tells which.
    fn descriptor(&mut self, entry: &Entry) {
        self.buffer.fill(28);
        let bytes = self.buffer.available();
        let mark = if bytes.starts_with(DESCRIPTOR) { 4 } else { 0 };
        let follows = |at: usize| bytes.get(at..).is_some_and(|next| next.starts_with(b"PK"));
        let length = match (follows(mark + 12), follows(mark + 20)) {
            (true, false) => 12,
            (false, true) => 20,
            _ if entry.wide => 20,
            _ => 12,
        };
        self.buffer.consume(mark + length);
    }

    /// Compares the checksum of a file that was read to its end.
    fn check(&mut self) -> io::Result<()> {
        let Some(entry) = &self.entry else {
            return Ok(());
        };
        let said = entry.said.or_else(|| {
            self.buffer.fill(8);
            let bytes = self.buffer.available();
            u32_at(bytes, if bytes.starts_with(DESCRIPTOR) { 4 } else { 0 })
        });
        let wrong = said.is_some_and(|said| said != entry.crc.sum());
        match wrong {
            true => Err(SourceDamage::error(
                "zip-checksum",
                "the checksum of the unpacked file is wrong",
            )),
            false => Ok(()),
        }
    }
}

/// The rest of the current file.
struct Rest<'a>(&'a mut Zip);

impl Read for Rest<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Archive::read(self.0, out)
    }
}

impl Entry {
    fn read(&mut self, buffer: &mut Buffer, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.left != Some(0) && !buffer.fill(1) {
                let failure = buffer.failure();
                return Err(failure
                    .map_or_else(|| SourceDamage::error("zip-cut", CUT), SourceDamage::again));
            }
            let most = self.left.map_or(usize::MAX, |left| {
                usize::try_from(left).unwrap_or(usize::MAX)
            });
            let held = buffer.available();
            let held = held.get(..held.len().min(most)).unwrap_or_default();
            let Some(inflate) = &mut self.inflate else {
                let count = held.len().min(out.len());
                for (to, from) in out.iter_mut().zip(held) {
                    *to = *from;
                }
                self.consume(buffer, count);
                return Ok(count);
            };
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(held, out, FlushDecompress::None);
            let consumed = usize::try_from(inflate.total_in() - before_in).unwrap_or(0);
            let written = usize::try_from(inflate.total_out() - before_out).unwrap_or(0);
            let starved = held.is_empty() && written == 0;
            self.consume(buffer, consumed);
            match status {
                Ok(_) if written > 0 => return Ok(written),
                Ok(Status::StreamEnd) => return Ok(0),
                Ok(_) if !starved && consumed > 0 => {}
                _ => return Err(SourceDamage::error("zip-damaged", WRONG)),
            }
        }
    }

    fn consume(&mut self, buffer: &mut Buffer, count: usize) {
        buffer.consume(count);
        if let Some(left) = &mut self.left {
            *left -= count as u64;
        }
    }
}

/// The extended information of sizes beyond 32 bits, of the extra fields of (id, length, content).
fn zip64(mut extra: &[u8]) -> Option<&[u8]> {
    loop {
        let (id, length) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let content = extra.get(4..4 + length)?;
        if id == 1 {
            return Some(content);
        }
        extra = extra.get(4 + length..)?;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn damage(reason: &'static str, offset: u64, detail: &str) -> Damage {
    Damage {
        reason,
        offset,
        detail: detail.to_owned(),
    }
}
