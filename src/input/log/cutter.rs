//! The message side of a log: lines to messages. A line opens a message, belongs to the one that is
//! open, or is something else.

use super::clock::{Clock, Moment, Stamp};
use super::dispatch::opened_by;
use super::dots::Pieces;
use super::draft::Draft;
use super::dump::Dumps;
use super::journal::Journal;
use super::skim::Next;
use super::start_line::VERSION;
use super::{Cut, Format, LONGEST_LINE, Line, Opening, dump, lossy, prefix};
use crate::input::summary::Damages;
use crate::input::{Body, LogHop, Time};

/// Lines after an envelope within which its message begins.
const LONGEST_WAIT: usize = 20;

/// Lines that are being put together into messages; one message is ready at a time.
#[derive(Default)]
pub(super) struct Cutter {
    pub(super) clock: Clock,
    pub(super) journal: Journal,
    /// The message that is being collected, and how it was opened.
    pub(super) draft: Draft,
    pub(super) open: Option<(&'static Format, Opening)>,
    pub(super) pieces: Pieces,
    /// The next start line that is mentioned.
    pub(super) version: Next,
    /// The next byte of a colour or an entity.
    pub(super) odd: Next,
    pub(super) dumps: Dumps,
    /// The name of the last format with an envelope of several lines, and what those said.
    pub(super) base: Option<(&'static str, LogHop, Option<Stamp>)>,
    /// The message that is handed out.
    pub(super) ready: Draft,
    pub(super) ready_hop: LogHop,
    pub(super) ready_moment: Moment,
    /// Whether it is not the message but the hex dump that is handed out.
    pub(super) dump_ready: bool,
    /// The names of the formats met.
    pub(super) formats: Vec<&'static str>,
    /// The time on the line before, where nothing else stood there, and that on this line.
    heading: Option<Stamp>,
    pub(super) alone: Option<Stamp>,
    /// Lines since an envelope whose message did not begin yet.
    waited: usize,
    /// Whether the record before was escaped: what it began may go on in the next one.
    pub(super) escaped: bool,
    /// Whether that record ended within a line.
    pub(super) cut_off: bool,
    /// What the text is, if it only tells of messages.
    pub(super) instead: Option<&'static str>,
    /// Lines of the text so far, and the offset of the last.
    pub(super) lines: u64,
    pub(super) offset: u64,
    pub(super) sip_lines: u64,
    pub(super) damages: Damages,
}

impl Cutter {
    /// For a text that may be something else than a log.
    pub(super) fn new(instead: Option<&'static str>) -> Self {
        Self {
            instead,
            ..Self::default()
        }
    }

    /// Takes back what was handed out.
    pub(super) fn let_go(&mut self) {
        self.dump_ready = false;
    }

    /// Whether nothing is open, so that a line far from any message need not be looked at.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && self.dumps.is_empty()
    }

    /// Whether the message that is open may go on in an escaped record.
    pub(super) fn goes_on_escaped(&self) -> bool {
        self.open.is_some() && self.escaped
    }

    /// When the message that is ready was logged.
    pub(super) fn time(&self) -> Option<Time> {
        self.ready_moment.time
    }

    /// The line where it starts.
    pub(super) fn place(&self) -> u64 {
        match self.dump_ready {
            true => self.dumps.ready.first_line,
            false => self.ready.first_line,
        }
    }

    /// What it is.
    pub(super) fn body(&self) -> Body<'_> {
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

    /// The text is at its end; true if a message is ready.
    pub(super) fn end(&mut self) -> bool {
        self.end_dump() || self.finish()
    }

    /// The next line is longer than any may be.
    pub(super) fn long_line(&mut self) {
        let line = self.lines + 1;
        self.damages.note("long-line", self.offset, || {
            format!("line {line} is longer than {LONGEST_LINE} bytes and was cut")
        });
    }

    /// Whether a start line may be in the first `len` of these bytes, which stand at the offset.
    pub(super) fn mentions(&mut self, bytes: &[u8], len: usize) -> bool {
        let next = self.version.find(&VERSION, bytes, self.offset);
        next.is_some_and(|next| next < len)
    }

    /// Takes one line, in which a start line may be or not; true when a message is ready.
    pub(super) fn line(&mut self, content: &[u8], end: &[u8], mentions: bool) -> bool {
        // As viewers show a CR.
        let (content, end) = match content.strip_suffix(b"^M") {
            Some(content) => (content, b"\r\n".as_slice()),
            None => (content, end),
        };
        let prefix = prefix::of(content);
        let text = content.get(prefix.len..).unwrap_or_default();
        let text = self.journal.under(text, prefix.syslog);
        let line = Line { text, prefix, end };
        self.heading = self.alone.take();
        if let Some(stamp) = line.prefix.stamp {
            self.clock.see(stamp);
            self.alone = Some(stamp).filter(|_| line.text.is_empty());
        }
        if self.dumps.goes_on(line.text, self.lines) {
            return false;
        }
        // While a dump was read no message was collected, so only one of them is ready now.
        let dumped = self.end_dump();
        if dump::begins(line.text) {
            return self.begin_dump(line.text) || dumped;
        }
        let finished = self.message_line(&line, mentions) || dumped;
        if self.open.is_none() && self.instead.is_none() && self.formats.is_empty() {
            self.instead = lossy::of(content);
        }
        finished
    }

    /// Takes a line that is no hex dump.
    fn message_line(&mut self, line: &Line<'_>, mentions: bool) -> bool {
        let announced = self.draft.is_empty() && self.pieces.is_empty();
        if let Some((format, opening)) = &mut self.open
            && announced
            && (format.envelope)(line, opening)
        {
            self.base = Some((format.name, opening.hop, opening.stamp));
            self.waited = 0;
            return false;
        }
        if !self.is_plain(line, mentions)
            && let Some((format, mut opening)) = opened_by(line, mentions, &self.draft)
            && !self.repeats(line, &opening)
            && self.refer(format, &mut opening)
        {
            opening.stamp = opening.stamp.or(self.heading);
            return self.begin(format, opening, line);
        }
        let Some((format, opening)) = &self.open else {
            return false;
        };
        if announced && !line.text.trim_ascii().is_empty() {
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
        if bare && let Some(cut) = self.announced(&mut opening, line) {
            return self.append(&cut, line);
        }
        let mut opened = format;
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

    /// What the line is in the message that an envelope announced, if this is its start line: the
    /// envelope knows more.
    fn announced(&mut self, opening: &mut Opening, line: &Line<'_>) -> Option<Cut> {
        let (format, first) = self.open.as_mut()?;
        if !self.draft.is_empty() || !self.pieces.is_empty() {
            return None;
        }
        let own = (format.cut)(line, first);
        if matches!(own, Cut::Beside | Cut::End | Cut::EndOf(_)) {
            // It announced something else.
            return None;
        }
        first.margin = std::mem::take(&mut opening.margin);
        first.dotted = opening.dotted;
        first.numbered = opening.numbered;
        let start = opening.starts_at.unwrap_or(0);
        Some(match own {
            Cut::Rewritten(_) | Cut::Piece(_) => own,
            // It may know better what stands before the start line.
            Cut::Text(at) => Cut::Text(at.max(start)),
            _ => Cut::Text(start),
        })
    }
}
