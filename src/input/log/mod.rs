//! SIP messages in text: logs of servers and phones, and messages pasted into tickets and mails.
//!
//! Each format is one static record in its own file. A text may mix formats, so every line is offered
//! to each of them; what a line opens decides how the lines after it are read.

mod clock;
mod draft;
mod prefix;
mod start_line;

mod asterisk_pjsip;
mod raw;

#[cfg(test)]
mod tests;

use memchr::memchr;

use super::buffer::Buffer;
use super::summary::Damages;
use super::{Body, LogHop, Time};
use clock::{Clock, Moment, Stamp};
use draft::{Draft, Verdict};
use prefix::Prefix;

/// Every format, the ones that say most first: a line belongs to the first that recognises it.
static LOGS: &[&Format] = &[&asterisk_pjsip::FORMAT, &raw::FORMAT];

const LONGEST_LINE: usize = 1 << 20;
const LARGEST_MESSAGE: usize = 1 << 20;

/// A text log format.
struct Format {
    /// As in `log:<name>`.
    name: &'static str,
    /// What the line opens, if this format writes such lines.
    recognise: fn(&Line<'_>) -> Option<Opening>,
    /// What a line is, inside a message that this format opened.
    cut: fn(&Line<'_>, &Opening) -> Cut,
}

/// A line of a text, without its end.
struct Line<'a> {
    /// What a logger put before the text.
    prefix: Prefix,
    /// The rest.
    text: &'a [u8],
}

/// What an envelope or a start line says of the message that it opens.
struct Opening {
    hop: LogHop,
    stamp: Option<Stamp>,
    /// Where in the text of the same line the message starts, if it starts there.
    starts_at: Option<usize>,
    /// What stands before each line of the message: indentation, quoting.
    margin: Vec<u8>,
}

/// What a line is, inside a message.
enum Cut {
    /// A line of the message from this place of its text on.
    Text(usize),
    /// A line of something else that was logged meanwhile.
    Foreign,
    /// The end of the message; the line is no part of it.
    End,
}

/// A text log that is being read; one message is current at a time.
pub(crate) struct Log {
    buffer: Buffer,
    plain: Vec<u8>,
    clock: Clock,
    /// The message that is being collected, and how it was opened.
    draft: Draft,
    open: Option<(&'static Format, Opening)>,
    draft_moment: Moment,
    /// The message that is handed out.
    ready: Draft,
    ready_hop: LogHop,
    ready_moment: Moment,
    formats: Vec<&'static str>,
    in_long_line: bool,
    /// Of the line at the front of the buffer.
    prefix_len: usize,
    pub(crate) lines: u64,
    pub(crate) sip_lines: u64,
    pub(crate) damages: Damages,
}

impl Log {
    /// Reads a text. A byte order mark before it is passed over.
    pub(crate) fn new(mut buffer: Buffer) -> Self {
        if buffer.available().starts_with(b"\xef\xbb\xbf") {
            buffer.consume(3);
        }
        Self {
            buffer,
            plain: Vec::new(),
            clock: Clock::default(),
            draft: Draft::default(),
            open: None,
            draft_moment: Moment::default(),
            ready: Draft::default(),
            ready_hop: LogHop::default(),
            ready_moment: Moment::default(),
            formats: Vec::new(),
            in_long_line: false,
            prefix_len: 0,
            lines: 0,
            sip_lines: 0,
            damages: Damages::default(),
        }
    }

    /// Makes the next message current; false at the end.
    pub(crate) fn advance(&mut self) -> bool {
        self.ready.clear();
        while let Some(len) = self.buffer.line(LONGEST_LINE) {
            let finished = self.line(len);
            self.buffer.consume(len);
            if finished {
                return true;
            }
        }
        let finished = self.finish();
        if !finished {
            self.damages.end(self.buffer.failure());
        }
        finished
    }

    /// When the current message was logged.
    pub(crate) fn time(&self) -> Option<Time> {
        self.ready_moment.time
    }

    /// The line where the current message starts.
    pub(crate) fn place(&self) -> u64 {
        self.ready.first_line
    }

    /// The current message.
    pub(crate) fn body(&self) -> Body<'_> {
        Body::Text {
            bytes: &self.ready.bytes,
            last_line: self.ready.last_line,
            time_of_day: self.ready_moment.time_of_day,
            hop: self.ready_hop,
        }
    }

    /// `log:` and the name of the format; empty as long as no message was found.
    pub(crate) fn format(&self) -> String {
        match self.formats.as_slice() {
            [] => String::new(),
            [one] => format!("log:{one}"),
            _ => "log:mixed".to_owned(),
        }
    }

    /// Takes one line of `len` bytes from the buffer; true when a message is ready.
    fn line(&mut self, len: usize) -> bool {
        let whole = self.buffer.available().get(..len).unwrap_or_default();
        let (content, end) = split_end(whole);
        let continued = std::mem::replace(
            &mut self.in_long_line,
            end.is_empty() && len == LONGEST_LINE,
        );
        if self.in_long_line && !continued {
            let (offset, line) = (self.buffer.position(), self.lines + 1);
            self.damages.note("long-line", offset, || {
                format!("line {line} is longer than {LONGEST_LINE} bytes and was cut")
            });
        }
        if continued {
            return false;
        }
        self.lines += 1;

        let mut plain = std::mem::take(&mut self.plain);
        let content = without_colours(content, &mut plain);
        let prefix = prefix::of(content);
        let line = Line {
            text: content.get(prefix.len..).unwrap_or_default(),
            prefix,
        };
        self.prefix_len = line.prefix.len;
        let opened = opened_by(&line, &self.draft);
        let cut = match (&opened, &self.open) {
            (None, Some((format, opening))) => Some((format.cut)(&line, opening)),
            _ => None,
        };
        self.plain = plain;
        match (opened, cut) {
            (Some((format, opening)), _) => self.begin(format, opening, len),
            (None, Some(cut)) => self.append(&cut, len),
            (None, None) => false,
        }
    }

    /// Starts a message, or goes on with one whose envelope came first; true if one before it is ready.
    fn begin(&mut self, format: &'static Format, mut opening: Opening, len: usize) -> bool {
        let start = opening.starts_at;
        let mut opened = (format, self.draft_moment);
        match &self.open {
            // The start line that an envelope announced: the envelope knows more.
            Some(_) if start.is_some() && self.draft.is_empty() => {
                return self.append(&Cut::Text(start.unwrap_or(0)), len);
            }
            // A second message in the same envelope, as a stream may bring.
            Some((envelope, first)) if start.is_some() && envelope.name != format.name => {
                opened.0 = envelope;
                opening.hop = first.hop;
            }
            _ => {
                let moment = opening.stamp.map(|stamp| self.clock.place(stamp));
                opened.1 = moment.unwrap_or_default();
            }
        }
        let finished = self.finish();
        self.open = Some((opened.0, opening));
        self.draft_moment = opened.1;
        if let Some(start) = start {
            self.append(&Cut::Text(start), len);
        }
        finished
    }

    /// Adds the line to the message if it belongs there; true if the message ended before it.
    fn append(&mut self, cut: &Cut, len: usize) -> bool {
        let whole = self.buffer.available().get(..len).unwrap_or_default();
        let (content, end) = split_end(whole);
        let content = without_colours(content, &mut self.plain);
        let text = content.get(self.prefix_len..).unwrap_or_default();
        let verdict = match cut {
            Cut::End => Verdict::End,
            Cut::Foreign => self.draft.verdict(text, true),
            Cut::Text(from) => self
                .draft
                .verdict(text.get(*from..).unwrap_or_default(), false),
        };
        match verdict {
            Verdict::Skip => false,
            Verdict::End => self.finish(),
            Verdict::Append => {
                let Cut::Text(from) = cut else { return false };
                let text = text.get(*from..).unwrap_or_default();
                if self.draft.bytes.len() + text.len() + end.len() > LARGEST_MESSAGE {
                    let (offset, line) = (self.buffer.position(), self.draft.first_line);
                    self.damages.note("long-message", offset, || {
                        format!("the message at line {line} is longer than {LARGEST_MESSAGE} bytes and was cut")
                    });
                    return self.finish();
                }
                self.draft.append(text, end, self.lines);
                false
            }
        }
    }

    /// Hands out the message collected so far, if there is one.
    fn finish(&mut self) -> bool {
        let Some((format, opening)) = self.open.take() else {
            return false;
        };
        if self.draft.is_empty() {
            return false;
        }
        self.draft.trim();
        std::mem::swap(&mut self.draft, &mut self.ready);
        self.draft.clear();
        self.ready_hop = opening.hop;
        self.ready_moment = self.draft_moment;
        self.sip_lines += self.ready.lines;
        if !self.formats.contains(&format.name) {
            self.formats.push(format.name);
        }
        true
    }
}

/// What a line opens, by the first format that recognises it.
fn opened_by(line: &Line<'_>, draft: &Draft) -> Option<(&'static Format, Opening)> {
    LOGS.iter().find_map(|format| {
        let opening = (format.recognise)(line)?;
        // A start line quoted in the body of a NOTIFY (message/sipfrag) opens nothing.
        let quoted = opening.starts_at.is_some() && draft.expects_fragment();
        (!quoted).then_some((*format, opening))
    })
}

fn split_end(line: &[u8]) -> (&[u8], &[u8]) {
    let end = if line.ends_with(b"\r\n") {
        2
    } else {
        usize::from(line.ends_with(b"\n"))
    };
    line.split_at(line.len() - end)
}

/// The line without ANSI colour sequences, which a terminal log has anywhere.
fn without_colours<'a>(line: &'a [u8], plain: &'a mut Vec<u8>) -> &'a [u8] {
    if memchr(0x1b, line).is_none() {
        return line;
    }
    plain.clear();
    let mut rest = line;
    while let Some(at) = memchr(0x1b, rest) {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before);
        rest = match escape {
            [_, b'[', body @ ..] => {
                let parameters = body.iter().take_while(|b| matches!(b, b'0'..=b';')).count();
                match body.get(parameters) {
                    Some(b'm' | b'K') => body.get(parameters + 1..).unwrap_or_default(),
                    _ => body,
                }
            }
            _ => escape.get(1..).unwrap_or_default(),
        };
    }
    plain.extend_from_slice(rest);
    plain
}
