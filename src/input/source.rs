//! From a name to a reader: opening, decompression, and recognition by content.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::Body;
use super::Time;
use super::buffer::Buffer;
use super::capture::{self, Capture};
use super::glob;
use super::log::{Log, LogChoice};
use super::summary::{InputError, InputErrorKind, InputSummary};
use super::unpack::{self, Source};

/// An input as the user named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Standard input, written `-`.
    Stdin,
    /// A file, or a folder that stands for the captures and logs in it.
    Path(PathBuf),
}

impl Named {
    /// As the report shows it.
    pub fn display(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::Path(path) => path.display().to_string(),
        }
    }

    pub(crate) fn open(&self) -> io::Result<Source> {
        Ok(match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::Path(path) => Box::new(File::open(path)?),
        })
    }

    /// Whether a second opening gives the same bytes again.
    pub(crate) fn reopens(&self) -> bool {
        match self {
            Self::Stdin => false,
            Self::Path(path) => fs::metadata(path).is_ok_and(|data| data.is_file()),
        }
    }

    /// The files in it, by name, if it is a folder.
    pub(crate) fn files(&self) -> Option<io::Result<Vec<Self>>> {
        let Self::Path(path) = self else { return None };
        path.is_dir().then(|| files_in(path))
    }

    /// The files that fit it, by name, if there is no such file and it is a pattern that some fit.
    pub(crate) fn fitting(&self) -> Option<Vec<Self>> {
        let Self::Path(path) = self else { return None };
        if path.exists() || !glob::is_pattern(path) {
            return None;
        }
        let files = glob::files(path).ok().filter(|files| !files.is_empty())?;
        Some(files.into_iter().map(Self::Path).collect())
    }
}

impl<T: AsRef<OsStr> + ?Sized> From<&T> for Named {
    fn from(name: &T) -> Self {
        let name = name.as_ref();
        if name == "-" {
            Self::Stdin
        } else {
            Self::Path(name.into())
        }
    }
}

fn files_in(folder: &Path) -> io::Result<Vec<Named>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Only plain files: a pipe or device in a folder would block or never end.
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files.into_iter().map(Named::Path).collect())
}

/// How an input is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Size of the window that it is read through with.
    pub(crate) window: usize,
    /// Formats that are looked for in text.
    pub(crate) logs: LogChoice,
    /// Whether it grows, so that nothing is waited for that is not wanted now.
    pub(crate) live: bool,
}

/// An input that has been recognised; one record is current at a time.
pub(crate) struct Reader {
    content: Content,
    compression: Option<&'static str>,
}

enum Content {
    Capture(Box<Capture>),
    Log(Box<Log>),
}

impl Reader {
    /// Recognises what `buffer` begins with.
    pub(crate) fn new(
        buffer: Buffer,
        compression: Option<&'static str>,
        manner: Manner,
    ) -> Result<Self, (InputErrorKind, String)> {
        if buffer.available().is_empty() {
            return Err(match buffer.failure() {
                Some(damage) if UNREADABLE.contains(&damage.reason) => {
                    (InputErrorKind::Unreadable, damage.detail.clone())
                }
                Some(damage) => (InputErrorKind::Unrecognised, damage.detail.clone()),
                None => (InputErrorKind::Empty, "empty".to_owned()),
            });
        }
        // The head is there already; the rest comes through the larger window.
        let head = buffer.available().to_vec();
        let mut buffer = Buffer::new(buffer.into_source(), manner.window);
        buffer.fill(head.len());
        Ok(Self {
            content: Content::recognise(buffer, manner)?,
            compression,
        })
    }

    /// Makes the next record current; false at the end.
    #[inline]
    pub(crate) fn advance(&mut self) -> bool {
        match &mut self.content {
            Content::Capture(capture) => capture.advance(),
            Content::Log(log) => log.advance(),
        }
    }

    /// When the current record was recorded.
    #[inline]
    pub(crate) fn time(&self) -> Option<Time> {
        match &self.content {
            Content::Capture(capture) => capture.time(),
            Content::Log(log) => log.time(),
        }
    }

    /// The number of the current frame, or the line where the current message starts.
    #[inline]
    pub(crate) fn place(&self) -> u64 {
        match &self.content {
            Content::Capture(capture) => capture.frames,
            Content::Log(log) => log.place(),
        }
    }

    /// What the current record holds.
    #[inline]
    pub(crate) fn body(&self) -> Body<'_> {
        match &self.content {
            Content::Capture(capture) => capture.body(),
            Content::Log(log) => log.body(),
        }
    }

    /// Whether a text has been found to hold no SIP; certain once it has been read through.
    pub(crate) fn is_text_without_sip(&self) -> bool {
        matches!(&self.content, Content::Log(log) if log.format().is_empty())
    }

    /// What a text tells of messages, if it holds none.
    pub(crate) fn instead(&self) -> Option<&'static str> {
        match &self.content {
            Content::Capture(_) => None,
            Content::Log(log) => log.instead(),
        }
    }

    /// Writes into `summary` what is known so far.
    pub(crate) fn summarise(&self, summary: &mut InputSummary) {
        summary.compression = self.compression;
        let damages = match &self.content {
            Content::Capture(capture) => {
                summary.format = capture.format().to_owned();
                summary.frames = capture.frames;
                summary.links.clone_from(&capture.links);
                &capture.damages
            }
            Content::Log(log) => {
                summary.format = log.format();
                summary.lines = log.lines();
                summary.sip_lines = log.sip_lines();
                log.damages()
            }
        };
        summary.damage.clone_from(&damages.list);
        summary.more_damage = damages.more;
    }
}

impl Content {
    fn recognise(buffer: Buffer, manner: Manner) -> Result<Self, (InputErrorKind, String)> {
        let head = buffer.available();
        if let Some(format) = capture::format(head) {
            let capture = Capture::begin(format, buffer).ok_or_else(|| {
                let name = format.name;
                let reason = format!("a {name} capture that ends inside its file header");
                (InputErrorKind::Unrecognised, reason)
            })?;
            return Ok(Self::Capture(Box::new(capture)));
        }
        if let Some(name) = unpack::is_compressed(head) {
            let reason = format!("{name} data, compressed more than four times, which is not read");
            return Err((InputErrorKind::Unrecognised, reason));
        }
        if let Some(name) = known(head) {
            let reason = format!("{name}, which is not read");
            return Err((InputErrorKind::Unrecognised, reason));
        }
        if looks_binary(head) {
            let reason = "binary data of an unknown kind".to_owned();
            return Err((InputErrorKind::Unrecognised, reason));
        }
        Ok(Self::Log(Box::new(Log::new(
            buffer,
            manner.logs,
            manner.live,
        ))))
    }
}

impl InputError {
    /// Of a text that has been read through without finding a message.
    pub(crate) fn no_sip(path: &str, instead: Option<&str>) -> Self {
        Self {
            path: path.to_owned(),
            kind: InputErrorKind::Unrecognised,
            reason: instead
                .unwrap_or("text without a SIP start line")
                .to_owned(),
        }
    }
}

/// Failures that leave open whether something readable is inside.
const UNREADABLE: &[&str] = &["read-error", "unpack-limit"];

/// What other files begin with: offset, bytes, name.
const KNOWN: &[(usize, &[u8], &str)] = &[
    (0, b"RTSS", "a Microsoft Network Monitor 1 capture"),
    (0, b"btsnoop\0", "a Bluetooth snoop capture"),
    (0, b"TRSNIFF data", "a Sniffer capture"),
    (0, b"XCP\0", "a NetXRay capture"),
    (0, b"\x7fver", "an EtherPeek capture"),
    (0, b"\x02\x21\x4c\x18", "lz4 data of the legacy format"),
    (257, b"ustar", "a damaged tar archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a rar archive"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"\x89PNG\r\n", "a PNG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"RIFF", "a RIFF file, such as WAV audio"),
    (0, b"OggS", "an Ogg file"),
    (0, b"SQLite format 3\0", "a SQLite database"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a Windows program"),
    (0, b"\xff\xfe", "text in UTF-16"),
    (0, b"\xfe\xff", "text in UTF-16"),
];

fn known(head: &[u8]) -> Option<&'static str> {
    let begins = |at: usize, bytes: &[u8]| head.get(at..).is_some_and(|h| h.starts_with(bytes));
    let entry = KNOWN.iter().find(|(at, bytes, _)| begins(*at, bytes));
    // "MZ" begins words too; a file of that kind holds bytes that no text holds.
    entry
        .filter(|(_, bytes, _)| bytes.len() > 3 || looks_binary(head))
        .map(|(_, _, name)| *name)
}

/// Whether more than a few bytes are such as no text holds.
fn looks_binary(head: &[u8]) -> bool {
    if memchr::memmem::find(head, b"SIP/2.0").is_some() {
        return false;
    }
    let odd = head
        .iter()
        .filter(|byte| matches!(byte, 0..=6 | 14..=26 | 28..=31))
        .count();
    odd * 50 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(bytes: &[u8]) -> String {
        let source = Box::new(io::Cursor::new(bytes.to_vec()));
        let (buffer, compression) = unpack::unpack(source, unpack::PEEK, &unpack::Meter::default());
        let manner = Manner {
            window: 4096,
            logs: LogChoice::default(),
            live: false,
        };
        match Reader::new(buffer, compression, manner) {
            Ok(mut reader) => {
                while reader.advance() {}
                assert!(reader.is_text_without_sip());
                "text".to_owned()
            }
            Err((_, reason)) => reason,
        }
    }

    #[test]
    fn what_is_no_input_is_called_by_its_name() {
        assert_eq!(reason(b""), "empty");
        assert_eq!(
            reason(b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
            "a JPEG image, which is not read"
        );
        assert_eq!(
            reason(b"btsnoop\0\0\0\0\x01"),
            "a Bluetooth snoop capture, which is not read"
        );
        assert_eq!(reason(&[0; 300]), "binary data of an unknown kind");
        assert_eq!(reason(b"MZ is how this text begins\n"), "text");
        assert_eq!(
            reason(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0]),
            "a pcap capture that ends inside its file header"
        );
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(reason(&tar), "a damaged tar archive, which is not read");
        assert_eq!(
            reason(&[0x1f, 0x8b, 8, 0]),
            "the compressed data ends too early"
        );
    }

    #[test]
    fn a_name_of_one_dash_is_standard_input() {
        assert_eq!(Named::from("-"), Named::Stdin);
        assert_eq!(Named::from("-x"), Named::Path("-x".into()));
    }
}
