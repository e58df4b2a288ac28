//! SIP messages in text: logs of servers and phones, and messages pasted into tickets and mails.
//!
//! Each format is one static record in its own file. A text may mix formats, so every line is offered
//! to each of them; what a line opens decides how the lines after it are read.

mod address;
mod clock;
mod dated;
mod dots;
mod draft;
mod dump;
mod escapes;
mod flat;
mod further;
mod lossy;
mod mobile;
mod pattern;
mod prefix;
mod scan;
mod skim;
mod stamps;
mod start_line;

mod acme;
mod acme_sipd;
mod asterisk_pjsip;
mod audiocodes;
mod avaya_attendant;
mod avaya_csdk;
mod avaya_ip_office;
mod avaya_iview;
mod avaya_one_x;
mod avaya_phone;
mod avaya_session_manager;
mod baresip;
mod belle_sip;
mod blink;
mod broadworks;
mod browser;
mod chan_sip;
mod cisco_cue;
mod cisco_ios;
mod cucm;
mod drachtio_agent;
mod follow;
mod genesys;
mod homer;
mod ingate;
mod kamailio;
mod lync;
mod ngrep;
mod pjsip;
mod raw;
mod sipdump;
mod sipp;
mod sipsak;
mod sngrep;
mod snom;
mod sofia;
mod sonus;
mod stacks;
mod tcpdump;
mod tshark;
mod tshark_summary;
mod twinkle;
mod yealink;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use memchr::memchr;

use super::buffer::Buffer;
use super::summary::Damages;
use super::{Body, LogHop, Time};
use clock::{Clock, Moment, Stamp};
use dots::Pieces;
use draft::{Draft, Verdict};
use dump::Dumps;
use further::Further;
use prefix::Prefix;
use skim::Skim;

/// Every format, the ones that say most first: a line belongs to the first that recognises it.
static LOGS: &[&Format] = &[
    &acme::FORMAT,
    &acme_sipd::FORMAT,
    &audiocodes::FORMAT,
    &avaya_attendant::FORMAT,
    &avaya_csdk::FORMAT,
    &avaya_ip_office::FORMAT,
    &avaya_iview::FORMAT,
    &avaya_one_x::FORMAT,
    &avaya_phone::FORMAT,
    &avaya_session_manager::FORMAT,
    &broadworks::FORMAT,
    &chan_sip::FORMAT,
    &cisco_cue::FORMAT,
    &cisco_ios::FORMAT,
    &cucm::FORMAT,
    &drachtio_agent::FORMAT,
    &genesys::FORMAT,
    &ingate::FORMAT,
    &lync::FORMAT,
    &sipdump::FORMAT,
    &snom::FORMAT,
    &sofia::FORMAT,
    &sonus::FORMAT,
    &yealink::FORMAT,
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
    &ngrep::FORMAT,
    &sngrep::FORMAT,
    &homer::FORMAT,
    &tcpdump::FORMAT,
    &tshark::FORMAT,
    &follow::FORMAT,
    &tshark_summary::FORMAT,
    &kamailio::FORMAT,
    &raw::FORMAT,
];

/// The names of the formats.
pub fn formats() -> impl Iterator<Item = &'static str> {
    let named = LOGS.iter().map(|format| format.name);
    // A list of packets holds no message, and dumps are no lines of a message.
    let named = named.filter(|name| *name != tshark_summary::FORMAT.name);
    named.chain([dump::NAME])
}

const LONGEST_LINE: usize = 1 << 20;
const LARGEST_MESSAGE: usize = 1 << 20;

/// Lines after an envelope within which its message begins.
const LONGEST_WAIT: usize = 20;

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
    /// Its end, as the message had it or the text has it; empty where a record ends within the line.
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
    /// Whether a dot stands for the CR at the end of each line.
    dotted: bool,
    /// Whether it is about a packet whose bytes may follow as a hex dump.
    packet: bool,
    /// What of it an earlier envelope said.
    further: Further,
    /// Whether the message has begun, and whether its first line ended in CRLF.
    begun: bool,
    crlf: bool,
    /// The line may only mention a start line: headers must follow.
    doubtful: bool,
}

/// What a line is, inside a message.
enum Cut {
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
    /// The last line of the message, up to a mark glued to it.
    Last(Vec<u8>),
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
    pieces: Pieces,
    dumps: Dumps,
    /// The name of the last format with an envelope of several lines, and what those said.
    base: Option<(&'static str, LogHop, Option<Stamp>)>,
    /// The message that is handed out.
    ready: Draft,
    ready_hop: LogHop,
    ready_moment: Moment,
    /// Whether it is not the message but the hex dump that is handed out.
    dump_ready: bool,
    formats: Vec<&'static str>,
    in_long_line: bool,
    /// Lines since an envelope whose message did not begin yet.
    waited: usize,
    /// Whether the record before was escaped: what it began may go on in the next one.
    escaped: bool,
    cut_off: bool,
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
            instead: tshark_summary::instead(buffer.available()),
            buffer,
            plain: Vec::new(),
            unescaped: VecDeque::new(),
            skim: Skim::default(),
            clock: Clock::default(),
            draft: Draft::default(),
            open: None,
            pieces: Pieces::default(),
            dumps: Dumps::default(),
            base: None,
            dump_ready: false,
            ready: Draft::default(),
            ready_hop: LogHop::default(),
            ready_moment: Moment::default(),
            formats: Vec::new(),
            in_long_line: false,
            waited: 0,
            escaped: false,
            cut_off: false,
            lines: 0,
            sip_lines: 0,
            damages: Damages::default(),
        }
    }

    /// Makes the next message current; false at the end.
    pub(crate) fn advance(&mut self) -> bool {
        self.dump_ready = false;
        loop {
            if let Some(line) = self.unescaped.pop_front() {
                // A record that ends without the end of a line may go on in the next one.
                let cut_off = self.cut_off && self.unescaped.is_empty();
                if self.line(&line, if cut_off { b"" } else { b"\r\n" }) {
                    return true;
                }
                continue;
            }
            if self.open.is_none() && self.dumps.is_empty() {
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
        let finished = self.end_dump() || self.finish();
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
        match self.dump_ready {
            true => self.dumps.ready.first_line,
            false => self.ready.first_line,
        }
    }

    /// The current message.
    pub(crate) fn body(&self) -> Body<'_> {
        if self.dump_ready {
            return self.dumps.ready.body(self.ready_moment.time_of_day);
        }
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
            let goes_on = self.open.is_some() && self.escaped;
            match escapes::undo(&plain, goes_on).or_else(|| dots::undo(&plain)) {
                Some(mut lines) => {
                    self.escaped = true;
                    self.cut_off = lines.pop_if(|last| last.is_empty()).is_none();
                    self.unescaped.extend(lines);
                }
                None => {
                    self.escaped &= self.open.is_some();
                    self.cut_off = false;
                    finished = self.line(&plain, end);
                }
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
        if self.dumps.goes_on(line.text, self.lines) {
            return false;
        }
        // While a dump was read no message was collected, so only one of them is ready now.
        let dumped = self.end_dump();
        if dump::begins(line.text) {
            return self.begin_dump(line.text) || dumped;
        }
        let finished = self.message_line(&line) || dumped;
        if self.open.is_none() && self.instead.is_none() && self.formats.is_empty() {
            self.instead = lossy::of(content);
        }
        finished
    }

    /// Takes a line that is no hex dump.
    fn message_line(&mut self, line: &Line<'_>) -> bool {
        if let Some((format, opening)) = &mut self.open
            && self.draft.is_empty()
            && self.pieces.is_empty()
            && (format.envelope)(line, opening)
        {
            self.base = Some((format.name, opening.hop, opening.stamp));
            self.waited = 0;
            return false;
        }
        if let Some((format, mut opening)) = opened_by(line, &self.draft)
            && !self.repeats(line, &opening)
            && self.refer(format, &mut opening)
        {
            return self.begin(format, opening, line);
        }
        let Some((format, opening)) = &self.open else {
            return false;
        };
        if self.draft.is_empty() && self.pieces.is_empty() && !line.text.trim_ascii().is_empty() {
            self.waited += 1;
            if self.waited > LONGEST_WAIT {
                self.open = None;
                return false;
            }
        }
        let cut = (format.cut)(line, opening);
        self.append(&cut, line)
    }

    /// Starts a message, or goes on with one whose envelope came first; true if one before it is ready.
    fn begin(&mut self, format: &'static Format, mut opening: Opening, line: &Line<'_>) -> bool {
        let start = opening.starts_at;
        let bare = start.is_some() && opening.hop == LogHop::default();
        let mut opened = format;
        let own = match &self.open {
            Some((announced, first)) if bare && self.draft.is_empty() && self.pieces.is_empty() => {
                Some((announced.cut)(line, first))
            }
            _ => None,
        };
        match (own, &mut self.open) {
            // It announced something else.
            (None | Some(Cut::Beside | Cut::End | Cut::EndOf(_)), _) => {}
            // The start line that an envelope announced: the envelope knows more.
            (Some(own), announced) => {
                if let Some((_, first)) = announced {
                    first.margin = opening.margin;
                    first.dotted = opening.dotted;
                    first.numbered = opening.numbered;
                }
                let cut = match own {
                    Cut::Rewritten(_) | Cut::Piece(_) => own,
                    // It may know better what stands before the start line.
                    Cut::Text(at) => Cut::Text(at.max(start.unwrap_or(0))),
                    _ => Cut::Text(start.unwrap_or(0)),
                };
                return self.append(&cut, line);
            }
        }
        match &self.open {
            // A second message in the same envelope, as a stream may bring.
            Some((envelope, first))
                if bare
                    && envelope.name != format.name
                    && !self.draft.is_empty()
                    && !matches!((envelope.cut)(line, first), Cut::Beside)
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
        self.draft.doubtful = opening.doubtful;
        self.waited = 0;
        self.open = Some((opened, opening));
        if let Some(start) = start {
            self.append(&Cut::Text(start), line);
        }
        finished
    }

    /// Adds the line to the message if it belongs there; true if the message ended before it.
    fn append(&mut self, cut: &Cut, line: &Line<'_>) -> bool {
        if let Cut::Piece(from) = cut {
            let text = line.text.get(*from..).unwrap_or_default();
            return self.pieces.add(text, self.lines);
        }
        self.pieces.join(&mut self.draft);
        match cut {
            Cut::Text(from) => {
                let text = line.text.get(*from..).unwrap_or_default();
                let dotted = self.open.as_ref().is_some_and(|(_, open)| open.dotted);
                let bare = text.strip_suffix(b".").filter(|_| dotted);
                self.take(bare.unwrap_or(text), line.end, false)
            }
            Cut::Foreign => self.take(line.text, line.end, true),
            Cut::Piece(_) | Cut::Beside => false,
            Cut::End => self.finish(),
            Cut::EndOf(hop) => {
                if let Some((_, opening)) = &mut self.open {
                    opening.hop = *hop;
                }
                self.finish()
            }
            Cut::Rewritten(text) => {
                let mut lines = text.split(|byte| *byte == b'\n');
                lines.any(|text| self.take(text, line.end, false))
            }
            Cut::Part(text) => {
                let ended = self.take(text, line.end, false);
                self.draft.goes_on();
                ended
            }
            Cut::Resume => {
                // Of an escaped record it is known whether its last line was cut off.
                if !self.escaped {
                    self.draft.goes_on();
                }
                false
            }
            Cut::Last(text) => {
                let ended = !text.is_empty() && self.take(text, line.end, false);
                ended || self.finish()
            }
        }
    }

    fn take(&mut self, text: &[u8], end: &[u8], foreign: bool) -> bool {
        let end = if end.is_empty() && self.cut_off {
            b"\r\n"
        } else {
            end
        };
        let entities = self.draft.in_head().then(|| escapes::entities(text));
        let plain = entities.flatten();
        let text = plain.as_deref().unwrap_or(text);
        match self.draft.verdict(text, foreign) {
            Verdict::Skip => false,
            Verdict::End => self.finish(),
            Verdict::Append => {
                if self.draft.bytes.len() + text.len() + end.len() > LARGEST_MESSAGE {
                    let (offset, line) = (self.buffer.position(), self.draft.first_line);
                    self.damages.note("long-message", offset, || {
                        format!("the message at line {line} is longer than {LARGEST_MESSAGE} bytes and was cut")
                    });
                    return self.finish();
                }
                if let Some((_, open)) = &mut self.open
                    && !open.begun
                {
                    (open.begun, open.crlf) = (true, end == b"\r\n");
                }
                self.draft.append(text, end, self.lines);
                false
            }
        }
    }

    /// Hands out the message collected so far, if there is one.
    fn finish(&mut self) -> bool {
        self.pieces.join(&mut self.draft);
        let Some((format, opening)) = self.open.take() else {
            return false;
        };
        if self.draft.is_empty() || (self.draft.doubtful && self.draft.lines < 2) {
            self.draft.clear();
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
