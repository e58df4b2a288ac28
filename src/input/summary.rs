//! What can be said of an input as a whole: format, counts, damage, and why it could not be read.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;

use super::Time;

/// The most damages kept for one input; the rest are counted.
const MOST_DAMAGES: usize = 32;

/// What is known of one input; complete once it has been read through.
#[derive(Clone, Debug, Default)]
pub struct InputSummary {
    /// As it was named, or `-`.
    pub path: String,
    /// `pcap`, `pcapng`, `log:<name>` or `log:mixed`; empty where it was not recognised.
    pub format: String,
    /// Does it stand in a folder or archive that was named, and was not named itself?
    pub in_folder: bool,
    /// `gzip`, where it was compressed.
    pub compression: Option<&'static str>,
    /// Frames read so far, of a capture.
    pub frames: u64,
    /// Lines read so far, of a log.
    pub lines: u64,
    /// Lines that belong to messages, of a log.
    pub sip_lines: u64,
    /// LINKTYPE numbers of the frames read, in order of appearance.
    pub links: Vec<u32>,
    /// Earliest time of a record.
    pub first_time: Option<Time>,
    /// Latest time of a record.
    pub last_time: Option<Time>,
    /// What is wrong with the input; what could be read around it was read.
    pub damage: Vec<Damage>,
    /// Damages beyond those listed.
    pub more_damage: u64,
    /// Why nothing could be read.
    pub error: Option<InputError>,
}

/// Something wrong in an input that did not stop the reading of the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// A stable name in kebab-case.
    pub reason: &'static str,
    /// Where, in bytes of the decompressed input.
    pub offset: u64,
    /// The particulars, in English.
    pub detail: String,
}

/// A named input of which nothing could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// As it was named, or `-`.
    pub path: String,
    /// What kind of failure it is.
    pub kind: InputErrorKind,
    /// What it is, in English, to follow "path: ".
    pub reason: String,
}

/// The kinds of failure to read an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputErrorKind {
    /// It could not be opened or read.
    Unreadable,
    /// It holds nothing.
    Empty,
    /// It is neither a capture nor a text with SIP in it.
    Unrecognised,
}

impl fmt::Display for InputError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path, self.reason)
    }
}

impl Error for InputError {}

/// The damages of one input: the first ones in full, the rest as a number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Damages {
    pub(crate) list: Vec<Damage>,
    pub(crate) more: u64,
}

impl Damages {
    /// Adds one; the detail is written only if it is kept.
    pub(crate) fn note(
        &mut self,
        reason: &'static str,
        offset: u64,
        detail: impl FnOnce() -> String,
    ) {
        if self.list.len() < MOST_DAMAGES {
            let detail = detail();
            self.list.push(Damage {
                reason,
                offset,
                detail,
            });
        } else {
            self.more += 1;
        }
    }

    /// Adds what made the source end early, once.
    pub(crate) fn end(&mut self, failure: Option<&Damage>) {
        if let Some(damage) = failure {
            self.note_once(damage.reason, damage.offset, || damage.detail.clone());
        }
    }

    /// As [`Damages::note`], for what is worth saying once per input.
    pub(crate) fn note_once(
        &mut self,
        reason: &'static str,
        offset: u64,
        detail: impl FnOnce() -> String,
    ) {
        if !self.list.iter().any(|damage| damage.reason == reason) {
            self.note(reason, offset, detail);
        }
    }
}

/// Damage that a decompressor met; travels inside an [`io::Error`].
#[derive(Clone, Debug)]
pub(crate) struct SourceDamage {
    reason: &'static str,
    detail: Cow<'static, str>,
}

impl SourceDamage {
    /// As the error of a `read`.
    pub(crate) fn error(reason: &'static str, detail: &'static str) -> io::Error {
        let detail = Cow::Borrowed(detail);
        io::Error::other(Self { reason, detail })
    }

    /// A damage that was met beneath, passed on.
    pub(crate) fn again(damage: &Damage) -> io::Error {
        io::Error::other(Self {
            reason: damage.reason,
            detail: Cow::Owned(damage.detail.clone()),
        })
    }

    /// What an error of a `read` says of the input.
    pub(crate) fn describe(error: &io::Error, offset: u64) -> Damage {
        let inner = error.get_ref().and_then(|e| e.downcast_ref::<Self>());
        match inner {
            Some(damage) => Damage {
                reason: damage.reason,
                offset,
                detail: damage.detail.clone().into_owned(),
            },
            None => Damage {
                reason: "read-error",
                offset,
                detail: error.to_string(),
            },
        }
    }
}

impl fmt::Display for SourceDamage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.detail)
    }
}

impl Error for SourceDamage {}
