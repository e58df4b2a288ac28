//! The text side of a log: bytes to lines, and which of them are worth a look.

use std::collections::VecDeque;

use super::colours::without_colours;
use super::skim::Skim;
use super::{Cutter, LONGEST_LINE, dots, escapes, start_line, tshark_summary};
use crate::input::buffer::Buffer;
use crate::input::summary::Damages;
use crate::input::{Body, Time};

/// A text log that is being read; one message is current at a time.
pub(crate) struct Log {
    buffer: Buffer,
    /// The current line without colours.
    plain: Vec<u8>,
    /// Lines that an escaped record holds, and that were not taken yet.
    unescaped: VecDeque<Vec<u8>>,
    skim: Skim,
    in_long_line: bool,
    cutter: Cutter,
}

impl Log {
    /// Reads a text. A byte order mark before it is passed over.
    pub(crate) fn new(mut buffer: Buffer) -> Self {
        if buffer.available().starts_with(b"\xef\xbb\xbf") {
            buffer.consume(3);
        }
        Self {
            cutter: Cutter::new(tshark_summary::instead(buffer.available())),
            buffer,
            plain: Vec::new(),
            unescaped: VecDeque::new(),
            skim: Skim::default(),
            in_long_line: false,
        }
    }

    /// Makes the next message current; false at the end.
    pub(crate) fn advance(&mut self) -> bool {
        self.cutter.let_go();
        loop {
            if let Some(line) = self.unescaped.pop_front() {
                // A record that ends without the end of a line may go on in the next one.
                let cut_off = self.cutter.cut_off && self.unescaped.is_empty();
                let end: &[u8] = if cut_off { b"" } else { b"\r\n" };
                if self.cutter.line(&line, end, start_line::mentions(&line)) {
                    return true;
                }
                continue;
            }
            if self.cutter.is_idle() {
                self.cutter.lines += self.skim.pass_over(&mut self.buffer);
            } else if !self.in_long_line {
                let (bytes, position) = (self.buffer.available(), self.buffer.position());
                let taken = self.cutter.plain_lines(bytes, position);
                self.buffer.consume(taken);
            }
            let Some(len) = self.buffer.line(LONGEST_LINE) else {
                break;
            };
            self.cutter.offset = self.buffer.position();
            let finished = self.physical_line(len);
            self.buffer.consume(len);
            if finished {
                return true;
            }
        }
        let finished = self.cutter.end();
        if !finished {
            self.cutter.damages.end(self.buffer.failure());
        }
        finished
    }

    /// Takes one line of `len` bytes from the buffer; true when a message is ready.
    fn physical_line(&mut self, len: usize) -> bool {
        let whole = self.buffer.available().get(..len).unwrap_or_default();
        let (content, end) = split_end(whole);
        let too_long = end.is_empty() && len == LONGEST_LINE;
        let continued = std::mem::replace(&mut self.in_long_line, too_long);
        if continued {
            return false;
        }
        if too_long {
            self.cutter.long_line();
        }
        let mentions = self.cutter.mentions(self.buffer.available(), len);
        let plain = without_colours(content, &mut self.plain);
        // A colour may have stood in the middle of it.
        let mentions = mentions || plain.len() < content.len() && start_line::mentions(plain);
        self.cutter.lines += 1;
        let goes_on = self.cutter.goes_on_escaped();
        let lines = escapes::undo(plain, goes_on, mentions);
        match lines.or_else(|| mentions.then(|| dots::undo(plain))?) {
            Some(mut lines) => {
                self.cutter.escaped = true;
                self.cutter.cut_off = lines.pop_if(|last| last.is_empty()).is_none();
                self.unescaped.extend(lines);
                false
            }
            None => {
                self.cutter.escaped = goes_on;
                self.cutter.cut_off = false;
                self.cutter.line(plain, end, mentions)
            }
        }
    }

    /// When the current message was logged.
    pub(crate) fn time(&self) -> Option<Time> {
        self.cutter.time()
    }

    /// The line where the current message starts.
    pub(crate) fn place(&self) -> u64 {
        self.cutter.place()
    }

    /// The current message.
    pub(crate) fn body(&self) -> Body<'_> {
        self.cutter.body()
    }

    /// `log:` and the name of the format; empty as long as no message was found.
    pub(crate) fn format(&self) -> String {
        match self.cutter.formats.as_slice() {
            [] => String::new(),
            [one] => format!("log:{one}"),
            _ => "log:mixed".to_owned(),
        }
    }

    /// What a text without messages tells of them instead.
    pub(crate) fn instead(&self) -> Option<&'static str> {
        self.cutter.instead
    }

    /// Lines read so far.
    pub(crate) fn lines(&self) -> u64 {
        self.cutter.lines
    }

    /// Those of them that belong to messages.
    pub(crate) fn sip_lines(&self) -> u64 {
        self.cutter.sip_lines
    }

    /// What is wrong with the text.
    pub(crate) fn damages(&self) -> &Damages {
        &self.cutter.damages
    }
}

/// A line and its end.
fn split_end(line: &[u8]) -> (&[u8], &'static [u8]) {
    match line {
        [content @ .., b'\r', b'\n'] => (content, b"\r\n"),
        [content @ .., b'\n'] => (content, b"\n"),
        content => (content, b""),
    }
}
