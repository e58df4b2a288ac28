//! Archives: each file in one is an input of its own, named `archive.zip!folder/trace.pcap`.
//!
//! An archive is read as a stream, from front to back, so that standard input and archives inside
//! archives are no special case. A new kind is a file here with one [`Kind`] record, and a line in
//! [`ALL`].

mod tar;
mod zip;

#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::buffer::Buffer;
use super::summary::Damage;
use super::unpack::{Meter, Source, unpack};

/// A kind of archive.
pub(crate) struct Kind {
    /// Its name, with an article.
    pub(crate) name: &'static str,
    /// Whether data that begins so is one.
    begins: fn(&[u8]) -> bool,
    /// Begins to read one.
    open: fn(Buffer, &Meter) -> Box<dyn Archive>,
}

/// The kinds that are read.
static ALL: &[Kind] = &[tar::TAR, zip::ZIP];

/// The most archives in one another.
const MOST_DEPTH: usize = 4;
/// The most files in an archive, those in archives inside it included.
const MOST_MEMBERS: u32 = 10_000;
/// Longer names are cut.
const LONGEST_NAME: usize = 1024;

/// A file in an archive.
#[derive(Debug, Default)]
pub(crate) struct Member {
    name: String,
    /// Why it cannot be read, if so.
    refused: Option<&'static str>,
}

/// An archive that is being read.
pub(crate) trait Archive: Send {
    /// Moves to the next file, over what was not read of the current one.
    fn next(&mut self) -> Result<Option<Member>, Damage>;

    /// Reads on in the current file.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize>;
}

/// Which kind of archive begins so, if any.
pub(crate) fn kind(head: &[u8]) -> Option<&'static Kind> {
    ALL.iter().find(|kind| (kind.begins)(head))
}

/// A name as the report shows it; what escapes it does so when it is written.
fn shown(name: &[u8]) -> String {
    let name = name.get(..LONGEST_NAME).unwrap_or(name);
    String::from_utf8_lossy(name).into_owned()
}

/// The current file of an archive, as a source.
struct Current(Arc<Mutex<Box<dyn Archive>>>);

impl Read for Current {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut archive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        archive.read(out)
    }
}

struct Level {
    archive: Arc<Mutex<Box<dyn Archive>>>,
    path: String,
}

/// A file that is no archive, and its place among them.
pub(crate) struct Leaf {
    pub(crate) path: String,
    pub(crate) ordinal: u32,
    pub(crate) content: Result<(Buffer, Option<&'static str>), &'static str>,
}

/// Walks over the files of an archive and of the archives inside it.
pub(crate) struct Walker {
    levels: Vec<Level>,
    meter: Meter,
    ordinal: u32,
    /// What is wrong with the archives themselves.
    pub(crate) damages: Vec<Damage>,
}

impl Walker {
    /// Of the archive that `buffer` holds, which is called `path`.
    pub(crate) fn new(kind: &Kind, buffer: Buffer, path: String, meter: Meter) -> Self {
        let mut walker = Self {
            levels: Vec::new(),
            meter,
            ordinal: 0,
            damages: Vec::new(),
        };
        walker.enter(kind, buffer, path);
        walker
    }

    /// How many files were passed.
    pub(crate) fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// The next file; the one before must not be read any more.
    pub(crate) fn next(&mut self) -> Option<Leaf> {
        loop {
            let level = self.levels.last()?;
            let next = {
                let mut archive = level.archive.lock().unwrap_or_else(PoisonError::into_inner);
                archive.next()
            };
            let member = match next {
                Ok(Some(member)) => member,
                Ok(None) => {
                    self.levels.pop();
                    continue;
                }
                Err(damage) => {
                    self.damages.push(damage);
                    self.levels.pop();
                    continue;
                }
            };
            if self.ordinal >= MOST_MEMBERS {
                self.too_many();
                return None;
            }
            self.ordinal += 1;
            let path = format!("{}!{}", level.path, member.name);
            if let Some(why) = member.refused {
                return Some(self.leaf(path, Err(why)));
            }
            let source: Source = Box::new(Current(Arc::clone(&level.archive)));
            let (buffer, compression) = unpack(source, super::unpack::PEEK, &self.meter);
            match kind(buffer.available()) {
                None => return Some(self.leaf(path, Ok((buffer, compression)))),
                Some(_) if self.levels.len() >= MOST_DEPTH => {
                    let why = "an archive in an archive, more than four deep, which is not read";
                    return Some(self.leaf(path, Err(why)));
                }
                Some(kind) => self.enter(kind, buffer, path),
            }
        }
    }

    /// The file at a place that was found in an earlier pass.
    pub(crate) fn skip_to(&mut self, ordinal: u32) -> Option<Leaf> {
        loop {
            let leaf = self.next()?;
            if leaf.ordinal >= ordinal {
                return (leaf.ordinal == ordinal).then_some(leaf);
            }
        }
    }

    fn leaf(
        &self,
        path: String,
        content: Result<(Buffer, Option<&'static str>), &'static str>,
    ) -> Leaf {
        Leaf {
            path,
            ordinal: self.ordinal,
            content,
        }
    }

    fn enter(&mut self, kind: &Kind, buffer: Buffer, path: String) {
        let archive = (kind.open)(buffer, &self.meter);
        self.levels.push(Level {
            archive: Arc::new(Mutex::new(archive)),
            path,
        });
    }

    fn too_many(&mut self) {
        self.levels.clear();
        self.damages.push(Damage {
            reason: "archive-limit",
            offset: 0,
            detail: format!("more than {MOST_MEMBERS} files in the archive; the rest was not read"),
        });
    }
}
