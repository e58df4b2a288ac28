//! Pieces of proof.

use super::template::Note;
use crate::message::{Header, Span};
use crate::session::{Spot, Stored};

/// A piece of proof; messages are indices into `Call::messages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Bytes of a message: a start line, a header or a line of the body.
    Excerpt {
        /// The message.
        message: usize,
        /// The bytes shown: a whole line.
        line: Span,
        /// The bytes meant, inside `line`.
        mark: Span,
        /// What the line is.
        part: Part,
        /// What is to be seen there.
        note: Note,
    },
    /// Nothing came, though it had to.
    Absence {
        /// The message that had to be answered.
        message: usize,
        /// Time from which it was waited for, in nanoseconds.
        from: i64,
        /// Time until which nothing came.
        until: i64,
        /// What is missing.
        note: Note,
    },
    /// What a header says once decoded.
    Decoded {
        /// The message.
        message: usize,
        /// The header that was decoded.
        header: Header,
        /// What it says.
        text: String,
        /// What to read there.
        note: Note,
    },
    /// A packet beside SIP: an ICMP error, the answer of a name server, ...
    Beside {
        /// The message that it is about.
        message: usize,
        /// Index into `Call::asides`.
        aside: usize,
        /// What it shows.
        note: Note,
    },
    /// A message of another call or registration.
    Elsewhere {
        /// Where it stands.
        spot: Spot,
        /// What it shows.
        note: Note,
    },
}

/// Notes on messages of other calls, which the rules share, by id.
pub const ELSEWHERE: &[(&str, &str)] = &[
    (
        "elsewhere-accepted",
        "credentials of {username} are accepted",
    ),
    (
        "elsewhere-refused",
        "credentials of {username} are refused here too",
    ),
    ("elsewhere-nonce", "the nonce is given out"),
    ("elsewhere-older", "a nonce as old is accepted"),
    ("elsewhere-described", "a session description of {element}"),
    (
        "elsewhere-register",
        "the last REGISTER for {aor} before the call",
    ),
    ("elsewhere-refusal", "the REGISTER before is refused"),
    (
        "elsewhere-registrar",
        "somebody else registers at {element}",
    ),
    ("elsewhere-known", "{target} is known at {element}"),
    ("elsewhere-taken", "a call that {element} took"),
    ("elsewhere-answered", "{element} answers"),
    ("elsewhere-back", "it comes back, the same call by {by}"),
    ("elsewhere-before", "{element} sends this before"),
    ("elsewhere-sent", "{element} sends this later"),
];

/// The shared note with this id.
pub fn elsewhere(id: &str) -> Option<&'static str> {
    let known = ELSEWHERE.iter().find(|(known, _)| *known == id);
    known.map(|(_, text)| *text)
}

/// What a line of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The start line.
    StartLine,
    /// A header.
    Header(Header),
    /// A line of the body.
    Body,
}

impl Evidence {
    /// The message of the call that it stands in.
    pub fn message(&self) -> Option<usize> {
        match self {
            Evidence::Excerpt { message, .. }
            | Evidence::Absence { message, .. }
            | Evidence::Decoded { message, .. }
            | Evidence::Beside { message, .. } => Some(*message),
            Evidence::Elsewhere { .. } => None,
        }
    }

    /// The remark on it.
    pub fn note(&self) -> &Note {
        match self {
            Evidence::Excerpt { note, .. }
            | Evidence::Absence { note, .. }
            | Evidence::Decoded { note, .. }
            | Evidence::Beside { note, .. }
            | Evidence::Elsewhere { note, .. } => note,
        }
    }

    /// The start line of a message.
    pub fn start_line(message: usize, stored: &Stored, note: Note) -> Evidence {
        let line = stored.message().start_line();
        Evidence::Excerpt {
            message,
            line,
            mark: line,
            part: Part::StartLine,
            note,
        }
    }

    /// The Request-URI of a request.
    pub fn request_uri(message: usize, stored: &Stored, note: Note) -> Evidence {
        let line = stored.message().start_line();
        Evidence::Excerpt {
            message,
            line,
            mark: stored.message().request_uri().unwrap_or(line),
            part: Part::StartLine,
            note,
        }
    }

    /// The first header with this name; the start line where there is none.
    pub fn header(message: usize, stored: &Stored, name: &'static str, note: Note) -> Evidence {
        match stored.message().header(name) {
            Some(header) => Evidence::of_header(message, header, header.value, note),
            None => Evidence::start_line(message, stored, note),
        }
    }

    /// A header, with the bytes meant.
    pub fn of_header(message: usize, header: Header, mark: Span, note: Note) -> Evidence {
        let line = Span {
            start: header.name.start,
            end: header.value.end,
        };
        Evidence::Excerpt {
            message,
            line,
            mark,
            part: Part::Header(header),
            note,
        }
    }
}
