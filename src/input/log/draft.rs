//! A message while its lines are being collected: which line belongs to it, and where it ends.
//!
//! Nothing in a text is certain: Content-Length counts line ends that the log changed, and bodies are
//! cut by whoever pasted them. So it is a hint among others.

use memchr::memmem;

use super::plain::Run;
use super::start_line::VERSION;

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It belongs to the message.
    Append,
    /// It does not, and the message goes on.
    Skip,
    /// The message ended before it.
    End,
}

/// What a line may be that needs no second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Header,
    /// A line of a session description.
    Description,
}

/// A line of a message that comes in more pieces than this has bytes is nobody's.
const LONGEST_GLUED: usize = 64 << 10;

/// The lines of one message.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) bytes: Vec<u8>,
    pub(super) first_line: u64,
    pub(super) last_line: u64,
    /// Lines that belong to the message.
    pub(super) lines: u64,
    part: Part,
    length: Option<usize>,
    kind: Kind,
    /// Where the body starts in `bytes`.
    body_at: usize,
    /// The line of the text that ended the head.
    blank_line: u64,
    /// Bytes of the body so far, as if each line ended in CRLF.
    counted: usize,
    /// Where the last line starts in `bytes`, what was counted before it, and whether its end is
    /// still to come.
    last: (usize, usize),
    goes_on: bool,
    /// Every line has a blank one behind it: how many blank ones came since the last that is none.
    doubled: Option<usize>,
    /// What looks like a start line may be something else that was logged: headers must follow.
    pub(super) doubtful: bool,
    /// Ends of lines that were appended since the last one that was not blank.
    solid: (usize, u64, u64),
    interrupted: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Nothing,
    Head,
    Body,
}

/// What Content-Type announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    Sdp,
    Multipart,
    Fragment,
    Other,
}

impl Draft {
    /// Whether no line has been taken yet.
    pub(super) fn is_empty(&self) -> bool {
        self.part == Part::Nothing
    }

    /// Whether what comes next is a header.
    pub(super) fn in_head(&self) -> bool {
        self.part == Part::Head
    }

    /// Begins anew and keeps the memory.
    pub(super) fn clear(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        *self = Self {
            bytes,
            ..Self::default()
        };
    }

    /// Whether the next line may be a start line that belongs to the body.
    pub(super) fn expects_fragment(&self) -> bool {
        self.part == Part::Body
            && self.kind == Kind::Fragment
            && self.counted == 0
            && !self.satisfied()
    }

    /// What becomes of a line; `foreign` if the log's format knows it for something else.
    pub(super) fn verdict(&mut self, text: &[u8], foreign: bool) -> Verdict {
        let blank = text.trim_ascii().is_empty();
        if self.part == Part::Head && self.lines == 1 && !foreign {
            if blank {
                // No message has a blank line behind its start line; two are none of a doubled text.
                self.doubled = self.doubled.is_none().then_some(0);
            } else if (self.doubled.is_some() || self.doubtful) && !is_header(text) {
                return Verdict::End;
            }
        }
        if let Some(blanks) = &mut self.doubled {
            *blanks = if blank { *blanks + 1 } else { 0 };
            if *blanks % 2 == 1 {
                return Verdict::Skip;
            }
        }
        match self.part {
            _ if self.goes_on && !foreign => Verdict::Append,
            Part::Nothing if blank || foreign => Verdict::Skip,
            // What an envelope announces may be no SIP, as a keep-alive.
            Part::Nothing if VERSION.find(text).is_none() => Verdict::Skip,
            Part::Nothing => Verdict::Append,
            Part::Head if foreign => Verdict::Skip,
            Part::Head => Verdict::Append,
            Part::Body if foreign => {
                self.interrupted |= self.counted == 0 && self.length.is_none();
                if self.satisfied() && !self.interrupted {
                    Verdict::End
                } else {
                    Verdict::Skip
                }
            }
            Part::Body if blank => self.blank_in_body(),
            Part::Body if self.interrupted && self.counted == 0 && is_header(text) => {
                // The blank line was that of a page break or of a foreign line, not the end of the head.
                self.bytes.truncate(self.solid.0);
                (self.last_line, self.lines) = (self.solid.1, self.solid.2);
                self.part = Part::Head;
                Verdict::Append
            }
            Part::Body => self.solid_in_body(text),
        }
    }

    /// The last line was only a piece; the next one continues it.
    pub(super) fn goes_on(&mut self) {
        self.goes_on = self.part != Part::Nothing;
    }

    /// What comes next, if it is known; nothing where the ends of lines were changed.
    pub(super) fn awaits(&self) -> Option<Awaited> {
        match self.part {
            _ if self.goes_on || self.doubled.is_some() => None,
            Part::Head => Some(Awaited::Header),
            Part::Body if matches!(self.kind, Kind::None | Kind::Sdp) => Some(Awaited::Description),
            _ => None,
        }
    }

    /// Takes lines that are what it awaits, the last of which is this one of the text.
    pub(super) fn append_run(&mut self, lines: &[u8], run: &Run, last_line: u64) {
        if run.lines == 0 {
            return;
        }
        self.last = (self.bytes.len() + run.last, self.counted);
        if self.part == Part::Body {
            self.last.1 += run.counted_before;
            self.counted += run.counted;
        }
        self.bytes.extend_from_slice(lines);
        self.last_line = last_line;
        self.lines += run.lines;
        self.solid = (self.bytes.len(), self.last_line, self.lines);
        self.interrupted = false;
    }

    /// Takes a line.
    pub(super) fn append(&mut self, text: &[u8], end: &[u8], line: u64) {
        if !std::mem::take(&mut self.goes_on) {
            return self.append_line(text, end, line);
        }
        let (start, counted) = self.last;
        let piece = self.bytes.get(start..).unwrap_or_default();
        if piece.len() > LONGEST_GLUED {
            return self.append_line(text, end, line);
        }
        let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
        let piece = piece.strip_suffix(b"\r").unwrap_or(piece);
        let whole = [piece, text].concat();
        self.bytes.truncate(start);
        self.counted = counted;
        self.append_line(&whole, end, line);
    }

    fn append_line(&mut self, text: &[u8], end: &[u8], line: u64) {
        self.last = (self.bytes.len(), self.counted);
        let blank = text.trim_ascii().is_empty();
        match self.part {
            Part::Nothing => {
                self.first_line = line;
                self.part = Part::Head;
            }
            Part::Head if blank => {
                self.part = Part::Body;
                self.body_at = self.bytes.len() + end.len();
                self.blank_line = line;
            }
            Part::Head if text.starts_with(b"v=0") => {
                // The blank line before the body was lost on the way.
                self.part = Part::Body;
                self.kind = Kind::Sdp;
                self.body_at = self.bytes.len();
                self.counted = text.len() + 2;
            }
            Part::Head if self.lines > 1 && is_wrapped(text) => self.join(text),
            Part::Head => {
                if let Some((name, value)) = header(text) {
                    self.note_header(name, value);
                }
            }
            Part::Body => self.counted += text.len() + 2,
        }
        // A line of blanks is the empty line that it stands for.
        self.bytes.extend_from_slice(if blank { b"" } else { text });
        self.bytes.extend_from_slice(end);
        self.last_line = line;
        self.lines += 1;
        if !blank {
            self.solid = (self.bytes.len(), self.last_line, self.lines);
            self.interrupted = false;
        }
    }

    /// Puts the rest of a wrapped header behind its beginning: as a fold, or where a name was torn.
    fn join(&mut self, text: &[u8]) {
        let before = self.bytes.trim_ascii_end();
        let torn = before
            .rsplit(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        let end = memchr::memchr(b'=', text).unwrap_or(text.len());
        let name = [torn, text.get(..end).unwrap_or_default()].concat();
        if PARAMETERS.contains(&name.as_slice()) {
            let joined = before.len();
            self.bytes.truncate(joined);
            self.last.0 = joined;
        } else {
            self.bytes.push(b' ');
        }
    }

    /// Removes the blank lines behind the message that are not part of it.
    pub(super) fn trim(&mut self) {
        let (solid, line, lines) = self.solid;
        if solid >= self.bytes.len() {
            return;
        }
        let keep = if self.part == Part::Body && solid < self.body_at {
            // The blank line that ends the head stays.
            (self.body_at, self.blank_line, lines + 1)
        } else {
            (solid, line, lines)
        };
        self.bytes.truncate(keep.0);
        (self.last_line, self.lines) = (keep.1, keep.2);
    }

    /// Makes it a message that was written as one, from the first of these lines to the last.
    pub(super) fn whole(&mut self, lines: &[Vec<u8>], first_line: u64, last_line: u64) {
        self.clear();
        for line in lines {
            self.append(line, b"\r\n", first_line);
        }
        (self.first_line, self.last_line) = (first_line, last_line);
        self.lines = last_line.saturating_sub(first_line) + 1;
        self.solid = (self.bytes.len(), self.last_line, self.lines);
    }

    /// Whether more of the message is to come.
    pub(super) fn is_wanting(&self) -> bool {
        self.part == Part::Head || (self.part == Part::Body && !self.satisfied())
    }

    fn satisfied(&self) -> bool {
        match self.length {
            Some(length) => self.counted >= length,
            None => self.kind == Kind::None || self.counted > 0,
        }
    }

    fn blank_in_body(&self) -> Verdict {
        match self.kind {
            Kind::Multipart | Kind::Other | Kind::Fragment if !self.satisfied() => Verdict::Append,
            _ if self.counted == 0 => Verdict::Skip,
            _ => Verdict::End,
        }
    }

    fn solid_in_body(&self, text: &[u8]) -> Verdict {
        let sdp_line = matches!(text, [b'a'..=b'z', b'=', ..]);
        let announced = self.length.is_some_and(|length| length > 0);
        let fits = match self.kind {
            Kind::Sdp => sdp_line || (self.counted > 0 && !self.satisfied()),
            Kind::None => sdp_line || (announced && !self.satisfied()),
            Kind::Multipart | Kind::Other | Kind::Fragment => {
                !self.satisfied() || self.length.is_none()
            }
        };
        if fits { Verdict::Append } else { Verdict::End }
    }

    /// Notes what a header says of the body.
    pub(super) fn note_header(&mut self, name: &[u8], value: &[u8]) {
        match name {
            [b'l' | b'L'] => self.length = number(value),
            [b'c' | b'C'] => self.kind = Kind::of(value),
            _ if name.eq_ignore_ascii_case(b"Content-Length") => self.length = number(value),
            _ if name.eq_ignore_ascii_case(b"Content-Type") => self.kind = Kind::of(value),
            _ => {}
        }
    }
}

fn number(value: &[u8]) -> Option<usize> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// Name and value, where a line begins with a name of usual length.
fn header(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', text.get(..40).unwrap_or(text))?;
    let (name, value) = text.split_at_checked(colon)?;
    Some((name.trim_ascii(), value.get(1..)?))
}

impl Kind {
    fn of(value: &[u8]) -> Self {
        if value.trim_ascii().eq_ignore_ascii_case(b"application/sdp") {
            return Self::Sdp;
        }
        let value = value.to_ascii_lowercase();
        let holds = |name: &[u8]| memmem::find(&value, name).is_some();
        if holds(b"multipart/") {
            Self::Multipart
        } else if holds(b"application/sdp") {
            Self::Sdp
        } else if holds(b"sipfrag") {
            Self::Fragment
        } else {
            Self::Other
        }
    }
}

/// Parameters whose names are torn by a wrap at a fixed width.
const PARAMETERS: [&[u8]; 7] = [
    b"received",
    b"rport",
    b"branch",
    b"tag",
    b"expires",
    b"transport",
    b"alias",
];

/// Whether a line in a head goes on with the header before it, though it is not indented.
fn is_wrapped(text: &[u8]) -> bool {
    let part = |byte: &u8| matches!(byte, b';' | b'=' | b'>');
    let first = text
        .first()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || b";,<".contains(byte));
    first && !is_header(text) && text.iter().any(part)
}

fn is_header(text: &[u8]) -> bool {
    let name = text
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'-')
        .count();
    let rest = text.get(name..).unwrap_or_default().trim_ascii_start();
    name > 0 && rest.starts_with(b":")
}
