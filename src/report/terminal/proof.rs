//! The proof of a finding: the lines of the messages, marked, with a remark on each.

use super::block::{Block, time_of_day};
use super::escape::{clean, show};
use super::ladder;
use super::words::elsewhere;
use crate::diagnose::{Evidence, Finding, asides};
use crate::report::mask::mask;
use crate::report::wrap;
use crate::session::{Aside, Call, Spot, Stored};

impl Block {
    pub(super) fn evidence(
        &self,
        lines: &mut Vec<String>,
        call: &Call,
        finding: &Finding,
        evidence: &Evidence,
    ) {
        let mut args = finding.args.clone();
        let note = evidence.note();
        args.0.extend(note.args.0.iter().cloned());
        let note = clean(&self.options.lang.rule(finding.rule, note.id, &args));
        let stored = evidence
            .message()
            .and_then(|index| call.messages.get(index));
        match (evidence, stored) {
            (Evidence::Elsewhere { spot, .. }, _) => self.elsewhere(lines, spot, &note),
            (_, None) => {}
            (Evidence::Excerpt { line, mark, .. }, Some(stored)) => {
                let from = mark.start.saturating_sub(line.start) as usize;
                let until = mark.end.saturating_sub(line.start) as usize;
                self.message_line(lines, stored);
                self.marked(lines, &mask(line.of(&stored.raw)), from, until, &note);
            }
            (Evidence::Absence { from, until, .. }, Some(stored)) => {
                let span = self.span_of(stored, *from, *until);
                let colon = self.options.lang.word(": ");
                self.bar(lines, &format!("({span}{colon}{note})"));
            }
            (Evidence::Decoded { header, .. }, Some(stored)) => {
                self.message_line(lines, stored);
                let line = header.name.start as usize..header.value.end as usize;
                let raw = stored.raw.get(line).unwrap_or_default();
                let from = (header.value.start - header.name.start) as usize;
                self.marked(lines, &mask(raw), from, raw.len(), &note);
            }
            (Evidence::Beside { aside, .. }, _) => {
                if let Some(aside) = call.asides.get(*aside) {
                    self.beside(lines, call, aside, &note);
                }
            }
        }
    }

    // `#4  09:00:00.001  registration 1  200 (REGISTER)`, and what it shows.
    fn elsewhere(&self, lines: &mut Vec<String>, spot: &Spot, note: &str) {
        let lang = self.options.lang;
        let place = match spot.of_log {
            true => format!("{} {}", lang.word("line"), spot.origin.place),
            false => ladder::numbered("#", spot.origin),
        };
        let time = spot.time.map(|time| match spot.is_dated {
            true => self.clock(time),
            false => time_of_day(time, jiff::tz::TimeZone::UTC),
        });
        let parts = [place, time.unwrap_or_default(), elsewhere(spot, lang)];
        let line = format!("  |  {}", parts.join("  "));
        lines.push(self.palette.faint(&line));
        self.prose(lines, &format!("({note})"));
    }

    // `#4  09:00:00.001  ICMP`, what it says, and the remark.
    pub(super) fn beside(&self, lines: &mut Vec<String>, call: &Call, aside: &Aside, note: &str) {
        let time = aside.time.map(|time| self.clock(time.0));
        let place = ladder::numbered("#", aside.origin);
        let parts = [place, time.unwrap_or_default(), aside.protocol().to_owned()];
        let line = format!("  |  {}", parts.join("  "));
        lines.push(self.palette.faint(&line));
        let said = self.options.lang.aside(&asides::aside(call, aside));
        self.prose(lines, &format!("{} ({note})", clean(&said)));
    }

    pub(super) fn prose(&self, lines: &mut Vec<String>, text: &str) {
        let options = wrap::options(self.room());
        for part in textwrap::wrap(text, options) {
            self.bar(lines, &part);
        }
    }

    // Without a finding the beginning and the deciding answer speak for themselves.
    pub(super) fn bare_proof(&self, lines: &mut Vec<String>, call: &Call) {
        for stored in call.request().into_iter().chain(call.deciding()) {
            self.message_line(lines, stored);
            let line = stored.message().start_line();
            let shown = show(line.of(&stored.raw), 0, 0, self.room());
            self.bar(lines, &shown.text);
        }
    }

    // Said once where several proofs stand in the same message.
    pub(super) fn message_line(&self, lines: &mut Vec<String>, stored: &Stored) {
        let place = ladder::place(stored, self.options.lang);
        let time = stored
            .time()
            .map(|time| self.clock_of(stored, time))
            .unwrap_or_default();
        let what = match stored.head.is_request() {
            true => format!(
                "{}, CSeq {}",
                clean(&stored.message().method_name()),
                stored.cseq()
            ),
            false => String::new(),
        };
        let parts = [place, time, ladder::hop(stored, self.options.lang), what];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let line = self.palette.faint(&format!("  |  {}", parts.join("  ")));
        let of_log = format!("  |  {} ", self.options.lang.word("line"));
        let places = |line: &&String| line.contains("  |  #") || line.contains(&of_log);
        if lines.iter().rev().find(places) != Some(&line) {
            lines.push(line);
        }
    }

    pub(super) fn marked(
        &self,
        lines: &mut Vec<String>,
        line: &[u8],
        from: usize,
        until: usize,
        note: &str,
    ) {
        let shown = show(line, from, until, self.room());
        self.bar(lines, &shown.text);
        // Beside the mark where there is room, else on lines of its own below it.
        let room = self.room().saturating_sub(shown.column + shown.columns + 1);
        let mark = "^".repeat(shown.columns);
        let gap = " ".repeat(shown.column);
        let bar = self.palette.faint("  |");
        if unicode_width::UnicodeWidthStr::width(note) <= room {
            lines.push(format!(
                "{bar}  {gap}{} {}",
                self.palette.mark(&mark),
                self.palette.mark(note)
            ));
            return;
        }
        lines.push(format!("{bar}  {gap}{}", self.palette.mark(&mark)));
        let indent = shown.column.min(self.room() / 3);
        let options = wrap::options(self.room().saturating_sub(indent).max(20));
        for part in textwrap::wrap(note, options) {
            lines.push(format!(
                "{bar}  {}{}",
                " ".repeat(indent),
                self.palette.mark(&part)
            ));
        }
    }

    pub(super) fn bar(&self, lines: &mut Vec<String>, text: &str) {
        lines.push(format!("{}  {text}", self.palette.faint("  |")));
    }
}
