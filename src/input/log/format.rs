//! What a format is, and what its record says of a line.

use super::clock::Stamp;
use super::further::Further;
use super::prefix::Prefix;
use crate::input::LogHop;

/// A text log format.
pub(super) struct Format {
    /// As in `log:<name>`.
    pub(super) name: &'static str,
    /// What the lines have in common that it may recognise.
    pub(super) signs: Signs,
    /// Whether its messages stand as they were, with nothing put before their lines: then a line that
    /// begins with the name of a header is that header, and `cut` need not be asked.
    pub(super) bare: bool,
    /// What the line opens, if this format writes such lines.
    pub(super) recognise: fn(&Line<'_>) -> Option<Opening>,
    /// Takes a further line of the envelope, before the message begins; whether it is one.
    pub(super) envelope: fn(&Line<'_>, &mut Opening) -> bool,
    /// What a line is, inside a message that this format opened.
    pub(super) cut: fn(&Line<'_>, &Opening) -> Cut,
}

/// What a line must have to be recognised: a cheap look that spares most lines most formats. An empty
/// list or word stands for anything.
pub(super) struct Signs {
    /// The first byte of its text is one of these.
    pub(super) first: &'static [u8],
    /// And the last that is no blank is one of these.
    pub(super) last: &'static [u8],
    /// This is somewhere in it.
    pub(super) word: &'static str,
    /// A logger put a time before it.
    pub(super) timed: bool,
}

impl Signs {
    pub(super) const ANY: Self = Self {
        first: b"",
        last: b"",
        word: "",
        timed: false,
    };
    /// A text begins with a number.
    pub(super) const NUMBER: Self = Self {
        first: b"0123456789",
        ..Self::ANY
    };
    /// A start line may be in it.
    pub(super) const START_LINE: Self = Self {
        word: "SIP/2.0",
        ..Self::ANY
    };
}

/// For formats whose envelope is one line.
pub(super) fn one_line(_: &Line<'_>, _: &mut Opening) -> bool {
    false
}

/// A line of a text, without its end.
pub(super) struct Line<'a> {
    /// What a logger put before the text.
    pub(super) prefix: Prefix,
    /// The rest.
    pub(super) text: &'a [u8],
    /// Its end, as the message had it or the text has it; empty where a record ends within the line.
    pub(super) end: &'a [u8],
}

/// What an envelope or a start line says of the message that it opens.
#[derive(Default)]
pub(super) struct Opening {
    pub(super) hop: LogHop,
    pub(super) stamp: Option<Stamp>,
    /// Where in the text of the same line the message starts, if it starts there.
    pub(super) starts_at: Option<usize>,
    /// What stands before each line of the message: indentation, quoting.
    pub(super) margin: Vec<u8>,
    /// Bytes before the text of the line that opened it.
    pub(super) prefix: usize,
    /// Someone numbered the lines.
    pub(super) numbered: bool,
    /// What was logged already may follow: read only if it is not what was read last.
    pub(super) repeats: bool,
    /// What follows is no message on its way.
    pub(super) prepared: bool,
    /// Whether a dot stands for the CR at the end of each line.
    pub(super) dotted: bool,
    /// Whether it is about a packet whose bytes may follow as a hex dump.
    pub(super) packet: bool,
    /// What of it an earlier envelope said.
    pub(super) further: Further,
    /// Whether the message has begun, and whether its first line ended in CRLF.
    pub(super) begun: bool,
    pub(super) crlf: bool,
    /// Whether pieces of it were read.
    pub(super) pieced: bool,
    /// The line may only mention a start line: headers must follow.
    pub(super) doubtful: bool,
    /// The number of the record, where the rest of a long one follows under the same.
    pub(super) record: u64,
}

/// What a line is, inside a message.
pub(super) enum Cut {
    /// A line of the message from this place of its text on.
    Text(usize),
    /// From this place on a piece of a message that is written as one line, cut at the edge of a window.
    Piece(usize),
    /// A line of something else that was logged meanwhile.
    Foreign,
    /// No line of the message, and not the end of it in any case.
    Beside,
    /// The end of the message; the line is no part of it.
    End,
    /// The same, and the line says where the message went.
    EndOf(LogHop),
    /// What the line stands for, written in another form; it may be several lines.
    Rewritten(Vec<u8>),
    /// A piece of a line that goes on in the next record.
    Part(Vec<u8>),
    /// No text of the message, and the last line of the message goes on behind it.
    Resume,
    /// From this place on more of the last line of the message, which a record before cut off.
    Rest(usize),
    /// The last line of the message, up to a mark glued to it.
    Last(Vec<u8>),
}

/// How much of a line is the margin that stands before every line of its message.
pub(super) fn margin(line: &Line<'_>, opening: &Opening) -> usize {
    let pairs = line.text.iter().zip(&opening.margin);
    pairs.take_while(|(a, b)| a == b).count()
}
