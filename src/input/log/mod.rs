//! SIP messages in text: logs of servers and phones, and messages pasted into tickets and mails.
//!
//! Each format is one static record in its own file. A text may mix formats, so every line is offered
//! to each of them; what a line opens decides how the lines after it are read.

mod clock;
mod draft;
mod escapes;
mod flat;
mod lossy;
mod mobile;
mod prefix;
mod scan;
mod skim;
mod start_line;

mod address;
mod asterisk_pjsip;
mod baresip;
mod belle_sip;
mod blink;
mod browser;
mod pjsip;
mod raw;
mod sipp;
mod sipsak;
mod stacks;
mod twinkle;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use memchr::memchr;

use super::buffer::Buffer;
use super::summary::Damages;
use super::{Body, LogHop, Time};
use clock::{Clock, Moment, Stamp};
use draft::{Draft, Verdict};
use prefix::Prefix;
use skim::Skim;

/// Every format, the ones that say most first: a line belongs to the first that recognises it.
static LOGS: &[&Format] = &[
    &asterisk_pjsip::FORMAT,
    &pjsip::FORMAT,
    &belle_sip::FORMAT,
    &browser::SIP_JS,
    &browser::JSSIP,
    &browser::SIPML5,
    &sipp::FORMAT,
    &sipp::ERRORS,
    &sipsak::FORMAT,
    &baresip::FORMAT,
    &twinkle::FORMAT,
    &blink::FORMAT,
    &stacks::RESIPROCATE,
    &stacks::SIPSORCERY,
    &stacks::YATE,
    &raw::FORMAT,
];

/// The names of the formats.
pub fn formats() -> impl Iterator<Item = &'static str> {
    LOGS.iter().map(|format| format.name)
}

const LONGEST_LINE: usize = 1 << 20;
const LARGEST_MESSAGE: usize = 1 << 20;

/// A text log format.
struct Format {
    /// As in `log:<name>`.
    name: &'static str,
    /// What the line opens, if this format writes such lines.
    recognise: fn(&Line<'_>) -> Option<Opening>,
    /// Takes a further line of the envelope, before the message begins; whether it is one.
    envelope: fn(&Line<'_>, &mut Opening) -> bool,
    /// What a line is, inside a message that this format opened.
    cut: fn(&Line<'_>, &Opening) -> Cut,
}

/// For formats whose envelope is one line.
fn one_line(_: &Line<'_>, _: &mut Opening) -> bool {
    false
}

/// A line of a text, without its end.
struct Line<'a> {
    /// What a logger put before the text.
    prefix: Prefix,
    /// The rest.
    text: &'a [u8],
    /// Its end, as the message had it or the text has it.
    end: &'a [u8],
}

/// What an envelope or a start line says of the message that it opens.
#[derive(Default)]
struct Opening {
    hop: LogHop,
    stamp: Option<Stamp>,
    /// Where in the text of the same line the message starts, if it starts there.
    starts_at: Option<usize>,
    /// What stands before each line of the message: indentation, quoting.
    margin: Vec<u8>,
    /// Bytes before the text of the line that opened it.
    prefix: usize,
    /// Someone numbered the lines.
    numbered: bool,
    /// What was logged already may follow: read only if it is not what was read last.
    repeats: bool,
    /// What follows is no message on its way.
    prepared: bool,
}

/// What a line is, inside a message.
enum Cut {
    /// A line of the message from this place of its text on.
    Text(usize),
    /// A line of something else that was logged meanwhile.
    Foreign,
    /// The end of the message; the line is no part of it.
    End,
    /// The same, and the line says where the message went.
    EndOf(LogHop),
}

/// A text log that is being read; one message is current at a time.
pub(crate) struct Log {
    buffer: Buffer,
    /// The current line without colours.
    plain: Vec<u8>,
    /// Lines that an escaped record holds, and that were not taken yet.
    unescaped: VecDeque<Vec<u8>>,
    skim: Skim,
    clock: Clock,
    /// The message that is being collected, and how it was opened.
    draft: Draft,
    open: Option<(&'static Format, Opening)>,
    /// The message that is handed out.
    ready: Draft,
    ready_hop: LogHop,
    ready_moment: Moment,
    formats: Vec<&'static str>,
    in_long_line: bool,
    /// What the text is, if it only tells of messages.
    instead: Option<&'static str>,
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
            unescaped: VecDeque::new(),
            skim: Skim::default(),
            clock: Clock::default(),
            draft: Draft::default(),
            open: None,
            ready: Draft::default(),
            ready_hop: LogHop::default(),
            ready_moment: Moment::default(),
            formats: Vec::new(),
            in_long_line: false,
            instead: None,
            lines: 0,
            sip_lines: 0,
            damages: Damages::default(),
        }
    }

    /// Makes the next message current; false at the end.
    pub(crate) fn advance(&mut self) -> bool {
        loop {
            if let Some(line) = self.unescaped.pop_front() {
                if self.line(&line, b"\r\n") {
                    return true;
                }
                continue;
            }
            if self.open.is_none() {
                self.lines += self.skim.pass_over(&mut self.buffer);
            }
            let Some(len) = self.buffer.line(LONGEST_LINE) else {
                break;
            };
            let finished = self.physical_line(len);
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

    /// What a text without messages tells of them instead.
    pub(crate) fn instead(&self) -> Option<&'static str> {
        self.instead
    }

    /// Takes one line of `len` bytes from the buffer; true when a message is ready.
    fn physical_line(&mut self, len: usize) -> bool {
        let whole = self.buffer.available().get(..len).unwrap_or_default();
        let (content, end) = split_end(whole);
        let end: &'static [u8] = match end.len() {
            0 => b"",
            1 => b"\n",
            _ => b"\r\n",
        };
        let continued = std::mem::replace(
            &mut self.in_long_line,
            end.is_empty() && len == LONGEST_LINE,
        );
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        without_colours(content, &mut plain);
        if self.in_long_line && !continued {
            let (offset, line) = (self.buffer.position(), self.lines + 1);
            self.damages.note("long-line", offset, || {
                format!("line {line} is longer than {LONGEST_LINE} bytes and was cut")
            });
        }
        let mut finished = false;
        if !continued {
            self.lines += 1;
            match escapes::undo(&plain).or_else(|| flat::undo(&plain)) {
                Some(lines) => self.unescaped.extend(lines),
                None => finished = self.line(&plain, end),
            }
        }
        self.plain = plain;
        finished
    }

    /// Takes one line; true when a message is ready.
    fn line(&mut self, content: &[u8], end: &[u8]) -> bool {
        let prefix = prefix::of(content);
        let line = Line {
            text: content.get(prefix.len..).unwrap_or_default(),
            prefix,
            end,
        };
        if let Some(stamp) = line.prefix.stamp {
            self.clock.see(stamp);
        }
        if let Some((format, opening)) = &mut self.open
            && self.draft.is_empty()
            && (format.envelope)(&line, opening)
        {
            return false;
        }
        if let Some((format, opening)) = opened_by(&line, &self.draft) {
            return self.begin(format, opening, &line);
        }
        let cut = match &self.open {
            Some((format, opening)) => (format.cut)(&line, opening),
            None => {
                if self.instead.is_none() && self.formats.is_empty() {
                    self.instead = lossy::of(content);
                }
                return false;
            }
        };
        self.append(&cut, &line)
    }

    /// Starts a message, or goes on with one whose envelope came first; true if one before it is ready.
    fn begin(&mut self, format: &'static Format, mut opening: Opening, line: &Line<'_>) -> bool {
        let start = opening.starts_at;
        let mut opened = format;
        match &self.open {
            // The start line that an envelope announced: the envelope knows more.
            Some(_) if start.is_some() && self.draft.is_empty() => {
                if let Some((_, first)) = &mut self.open {
                    first.margin = opening.margin;
                    first.numbered = opening.numbered;
                }
                return self.append(&Cut::Text(start.unwrap_or(0)), line);
            }
            // A second message in the same envelope, as a stream may bring.
            Some((envelope, first))
                if start.is_some()
                    && envelope.name != format.name
                    && opening.margin == first.margin
                    && opening.numbered == first.numbered =>
            {
                opened = envelope;
                opening.hop = first.hop;
                opening.stamp = first.stamp;
            }
            _ => {}
        }
        let finished = self.finish();
        self.open = Some((opened, opening));
        if let Some(start) = start {
            self.append(&Cut::Text(start), line);
        }
        finished
    }

    /// Adds the line to the message if it belongs there; true if the message ended before it.
    fn append(&mut self, cut: &Cut, line: &Line<'_>) -> bool {
        if let (Cut::EndOf(hop), Some((_, opening))) = (cut, &mut self.open) {
            opening.hop = *hop;
        }
        let plain;
        let text = match cut {
            Cut::Text(from) => line.text.get(*from..).unwrap_or_default(),
            Cut::Foreign | Cut::End | Cut::EndOf(_) => line.text,
        };
        let text = match self.draft.in_head().then(|| escapes::entities(text)) {
            Some(Some(written)) => {
                plain = written;
                plain.as_slice()
            }
            _ => text,
        };
        let verdict = match cut {
            Cut::End | Cut::EndOf(_) if self.draft.is_empty() => Verdict::Skip,
            Cut::End | Cut::EndOf(_) => Verdict::End,
            Cut::Foreign => self.draft.verdict(text, true),
            Cut::Text(_) => self.draft.verdict(text, false),
        };
        match verdict {
            Verdict::Skip => false,
            Verdict::End => self.finish(),
            Verdict::Append => {
                if self.draft.bytes.len() + text.len() + line.end.len() > LARGEST_MESSAGE {
                    let (offset, line) = (self.buffer.position(), self.draft.first_line);
                    self.damages.note("long-message", offset, || {
                        format!("the message at line {line} is longer than {LARGEST_MESSAGE} bytes and was cut")
                    });
                    return self.finish();
                }
                self.draft.append(text, line.end, self.lines);
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
        let again = opening.repeats && same_lines(&self.draft.bytes, &self.ready.bytes);
        if again || opening.prepared {
            self.draft.clear();
            return false;
        }
        std::mem::swap(&mut self.draft, &mut self.ready);
        self.draft.clear();
        self.ready_hop = opening.hop;
        self.ready_moment = opening
            .stamp
            .map(|stamp| self.clock.place(stamp))
            .unwrap_or_default();
        self.sip_lines += self.ready.lines;
        if !self.formats.contains(&format.name) {
            self.formats.push(format.name);
        }
        true
    }
}

/// Whether two messages are the same, however their lines end.
fn same_lines(a: &[u8], b: &[u8]) -> bool {
    let lines = |text| <[u8]>::split(text, |byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    lines(a).eq(lines(b))
}

/// How much of a line is the margin that stands before every line of its message.
fn margin(line: &Line<'_>, opening: &Opening) -> usize {
    let pairs = line.text.iter().zip(&opening.margin);
    pairs.take_while(|(a, b)| a == b).count()
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

/// Adds the line without ANSI colour sequences, which a terminal log has anywhere.
fn without_colours(line: &[u8], plain: &mut Vec<u8>) {
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
}
