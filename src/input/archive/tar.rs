//! Tar: ustar and pax (POSIX.1-2017, pax, "ustar Interchange Format"), GNU long names and sizes.

use std::io;

use super::{Archive, Kind, Member, shown};
use crate::input::buffer::Buffer;
use crate::input::summary::{Damage, SourceDamage};

pub(super) const TAR: Kind = Kind {
    name: "a tar archive",
    begins: |head| head.first_chunk().is_some_and(is_header),
    open: |buffer, _| {
        Box::new(Tar {
            buffer,
            left: 0,
            padding: 0,
        })
    },
};

const BLOCK: usize = 512;
/// The most bytes of a long name or of extended headers that are looked at.
const LONGEST_EXTENSION: u64 = 64 << 10;

struct Tar {
    buffer: Buffer,
    /// Bytes of the current file that were not read.
    left: u64,
    padding: u64,
}

/// What headers before that of a file say of it.
#[derive(Default)]
struct Extension {
    name: Option<String>,
    size: Option<u64>,
}

impl Archive for Tar {
    fn next(&mut self) -> Result<Option<Member>, Damage> {
        self.pass(self.left + self.padding)?;
        (self.left, self.padding) = (0, 0);
        let mut extension = Extension::default();
        loop {
            let offset = self.buffer.position();
            if !self.buffer.fill(BLOCK) {
                return self.end();
            }
            let Some(header) = self.buffer.available().first_chunk().copied() else {
                return Ok(None);
            };
            if header == [0; BLOCK] {
                return Ok(None);
            }
            if !is_header(&header) {
                return Err(damage(
                    "tar-damaged",
                    offset,
                    "no header where one should be; the rest was not read",
                ));
            }
            self.buffer.consume(BLOCK);
            let size = extension
                .size
                .or(number(field(&header, 124, 12)))
                .unwrap_or(0);
            self.left = size;
            self.padding = size.next_multiple_of(BLOCK as u64).saturating_sub(size);
            match header.get(156) {
                Some(b'0' | 0 | b'7') => {
                    let name = extension.name.take().unwrap_or_else(|| name(&header));
                    // Before ustar, a folder was a file whose name ended so.
                    if !name.ends_with('/') {
                        return Ok(Some(Member {
                            name,
                            refused: None,
                        }));
                    }
                }
                Some(b'S') => {
                    let name = extension.name.take().unwrap_or_else(|| name(&header));
                    let refused = Some("a sparse file in a tar archive, which is not read");
                    self.pass_sparse(&header)?;
                    return Ok(Some(Member { name, refused }));
                }
                Some(b'L') => extension.name = Some(shown(until_zero(&self.extension()?))),
                Some(b'x') => pax(&self.extension()?, &mut extension),
                _ => {}
            }
            if !matches!(header.get(156), Some(b'L' | b'x' | b'g' | b'K')) {
                extension = Extension::default();
            }
            self.pass(self.left + self.padding)?;
            (self.left, self.padding) = (0, 0);
        }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || out.is_empty() {
            return Ok(0);
        }
        if !self.buffer.fill(1) {
            return Err(self
                .buffer
                .failure()
                .map_or_else(|| SourceDamage::error("tar-cut", CUT), SourceDamage::again));
        }
        let held = self.buffer.available();
        let count = held
            .len()
            .min(out.len())
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        for (to, from) in out.iter_mut().zip(held.get(..count).unwrap_or_default()) {
            *to = *from;
        }
        self.buffer.consume(count);
        self.left -= count as u64;
        Ok(count)
    }
}

const CUT: &str = "the archive ends too early";

impl Tar {
    /// The end of the source where a header could stand: some programs write no end mark.
    fn end(&self) -> Result<Option<Member>, Damage> {
        if let Some(failure) = self.buffer.failure() {
            return Err(failure.clone());
        }
        match self.buffer.available().is_empty() {
            true => Ok(None),
            false => Err(damage("tar-cut", self.buffer.position(), CUT)),
        }
    }

    fn pass(&mut self, count: u64) -> Result<(), Damage> {
        let passed = self.buffer.pass(count);
        if passed == count {
            return Ok(());
        }
        // Reading the file that is cut has said so already, but it may be one that nobody read.
        let failure = self.buffer.failure().cloned();
        Err(failure.unwrap_or_else(|| damage("tar-cut", self.buffer.position(), CUT)))
    }

    /// The content of an extended header; what is too long is left to be passed over.
    fn extension(&mut self) -> Result<Vec<u8>, Damage> {
        if self.left > LONGEST_EXTENSION {
            return Ok(Vec::new());
        }
        let length = usize::try_from(self.left).unwrap_or(0);
        self.buffer.fill(length);
        let content = self
            .buffer
            .available()
            .get(..length)
            .unwrap_or_default()
            .to_vec();
        Ok(content)
    }

    /// An old GNU sparse header goes on in further blocks while byte 482, then 504 of each, is set.
    fn pass_sparse(&mut self, header: &[u8]) -> Result<(), Damage> {
        let mut more = header.get(482).is_some_and(|&byte| byte != 0);
        while more {
            self.buffer.fill(BLOCK);
            more = self
                .buffer
                .available()
                .get(504)
                .is_some_and(|&byte| byte != 0);
            self.pass(BLOCK as u64)?;
        }
        Ok(())
    }
}

fn damage(reason: &'static str, offset: u64, detail: &str) -> Damage {
    Damage {
        reason,
        offset,
        detail: detail.to_owned(),
    }
}

fn field(header: &[u8; BLOCK], at: usize, len: usize) -> &[u8] {
    header.get(at..at + len).unwrap_or_default()
}

/// Whether the checksum of a header is right; older programs summed signed bytes.
fn is_header(header: &[u8; BLOCK]) -> bool {
    let Some(said) = number(field(header, 148, 8)) else {
        return false;
    };
    let bytes = header.iter().enumerate();
    let bytes = bytes.map(|(at, &byte)| if (148..156).contains(&at) { b' ' } else { byte });
    let (mut unsigned, mut signed) = (0u64, 0i64);
    for byte in bytes {
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    header[0] != 0 && (said == unsigned || i64::try_from(said) == Ok(signed))
}

/// Octal digits with spaces or zeros around, or GNU's binary form for what they cannot hold.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((&first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        let mut value = u64::from(first & 0x3f);
        for &byte in rest {
            value = value.checked_mul(256)?.checked_add(u64::from(byte))?;
        }
        return (first & 0x40 == 0).then_some(value);
    }
    let text = std::str::from_utf8(until_zero(field)).ok()?.trim();
    u64::from_str_radix(text, 8).ok()
}

fn name(header: &[u8; BLOCK]) -> String {
    let name = until_zero(field(header, 0, 100));
    let prefix = until_zero(field(header, 345, 155));
    // GNU's own format keeps times in that place.
    let posix = field(header, 257, 6) == b"ustar\0";
    match posix && !prefix.is_empty() {
        true => shown(&[prefix, b"/", name].concat()),
        false => shown(name),
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

/// Records "length key=value\n" of an extended header.
fn pax(mut content: &[u8], extension: &mut Extension) {
    while let Some(space) = memchr::memchr(b' ', content) {
        let length = std::str::from_utf8(content.get(..space).unwrap_or_default());
        let Some(length) = length.ok().and_then(|n| n.parse::<usize>().ok()) else {
            return;
        };
        let Some(record) = content.get(space + 1..length.max(1) - 1) else {
            return;
        };
        if let Some(path) = record.strip_prefix(b"path=") {
            extension.name = Some(shown(path));
        } else if let Some(size) = record.strip_prefix(b"size=") {
            extension.size = std::str::from_utf8(size).ok().and_then(|n| n.parse().ok());
        }
        content = content.get(length..).unwrap_or_default();
    }
}
