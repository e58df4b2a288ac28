//! Collecting the lines of a message, and handing it out once it has ended.

use super::{Cut, Cutter, LARGEST_MESSAGE, Line, draft::Verdict, escapes};
use crate::input::LogHop;

impl Cutter {
    /// Adds the line to the message if it belongs there; true if the message ended before it.
    pub(super) fn append(&mut self, cut: &Cut, line: &Line<'_>) -> bool {
        if let Cut::Piece(from) = cut {
            if let Some((_, open)) = &mut self.open {
                open.pieced = true;
            }
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
            Cut::Rest(from) => {
                self.draft.goes_on();
                let text = line.text.get(*from..).unwrap_or_default();
                self.take(text, line.end, false)
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
                    let (offset, line) = (self.offset, self.draft.first_line);
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

    /// Gives up a message of which a record holds the start line alone.
    fn headless(&mut self) {
        let (offset, line) = (self.offset, self.draft.first_line);
        self.damages.note("cut-message", offset, || {
            format!("of the message at line {line} only the start line is there")
        });
        self.draft.clear();
    }

    /// Hands out the message collected so far, if there is one.
    pub(super) fn finish(&mut self) -> bool {
        self.pieces.join(&mut self.draft);
        let Some((format, opening)) = self.open.take() else {
            return false;
        };
        if self.draft.is_empty() || (self.draft.doubtful && self.draft.lines < 2) {
            self.draft.clear();
            return false;
        }
        self.draft.trim();
        if self.draft.lines == 1 && opening.hop != LogHop::default() {
            self.headless();
            return false;
        }
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
