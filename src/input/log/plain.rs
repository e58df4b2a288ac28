//! Lines that can be nothing but headers or a session description of the message that is open. They
//! are most of a log, and are taken many at once without a question to any format.

use super::draft::Awaited;
use super::start_line::VERSION;
use super::{Cutter, LARGEST_MESSAGE, Line, dots, names};
use crate::short;

/// Such lines, one behind the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// Bytes of all lines, ends included, and where the last line begins.
    pub(super) length: usize,
    pub(super) last: usize,
    pub(super) lines: u64,
    /// Bytes of all lines, and of all but the last, as if each ended in CRLF.
    pub(super) counted: usize,
    pub(super) counted_before: usize,
}

impl Run {
    /// Adds a line without its end, which is so long.
    fn add(&mut self, text: &[u8], end: usize) {
        self.last = self.length;
        self.length += text.len() + end;
        self.lines += 1;
        self.counted_before = self.counted;
        self.counted += text.len() + 2;
    }
}

impl Cutter {
    /// Takes the plain lines at the beginning of these bytes, which begin at this offset of the text;
    /// gives their length.
    pub(super) fn plain_lines(&mut self, bytes: &[u8], position: u64) -> usize {
        let mut taken = 0;
        while let Some(awaited) = self.awaits_plain() {
            let rest = bytes.get(taken..).unwrap_or_default();
            let run = self.run(awaited, rest, position + taken as u64);
            let lines = rest.get(..run.length).unwrap_or_default();
            if run.lines > 0 {
                self.journal.end();
                self.alone = None;
            }
            self.lines += run.lines;
            self.draft.append_run(lines, &run, self.lines);
            taken += run.length;
            // The blank line behind a head.
            let blank = match bytes.get(taken..) {
                Some([b'\n', ..]) => 1,
                Some([b'\r', b'\n', ..]) => 2,
                _ => break,
            };
            if awaited != Awaited::Header || self.draft.lines < 2 {
                break;
            }
            let end = bytes.get(taken..taken + blank).unwrap_or_default();
            self.lines += 1;
            self.draft.append(b"", end, self.lines);
            taken += blank;
        }
        taken
    }

    /// Whether the line is such a one, whatever was put before it.
    pub(super) fn is_plain(&self, line: &Line<'_>, mentions: bool) -> bool {
        let text = line.text.trim_ascii_start();
        let plain = match self.draft.awaits() {
            Some(Awaited::Header) => names::header(text).is_some(),
            Some(Awaited::Description) => matches!(text, [b'a'..=b'z', b'=', ..]),
            None => return false,
        };
        let mut behind = VERSION
            .find_iter(text)
            .map(|at| text.get(at + 7..).unwrap_or_default());
        plain && (!mentions || behind.all(is_sent_by))
    }

    /// What the next line is if it is plain.
    fn awaits_plain(&self) -> Option<Awaited> {
        let (format, opening) = self.open.as_ref()?;
        let bare = format.bare && opening.margin.is_empty() && !opening.numbered && !opening.dotted;
        let whole = !self.escaped && self.pieces.is_empty() && self.dumps.is_empty();
        self.draft.awaits().filter(|_| bare && whole)
    }

    fn run(&mut self, awaited: Awaited, bytes: &[u8], position: u64) -> Run {
        let mut run = Run::default();
        // Colours and entities are for others.
        let odd = |bytes: &[u8]| memchr::memchr2(0x1b, b'&', bytes);
        let odd = self.odd.find_by(odd, 1, bytes, position);
        let room = LARGEST_MESSAGE.saturating_sub(self.draft.bytes.len());
        let room = odd.map_or(room, |odd| odd.min(room));
        let mut mention = self.version.find(&VERSION, bytes, position);
        while let Some(rest) = bytes.get(run.length..) {
            let name = match awaited {
                Awaited::Header => names::header(rest),
                Awaited::Description => matches!(rest, [b'a'..=b'z', b'=', ..]).then_some(&b""[..]),
            };
            let (Some(name), Some(end)) = (name, short::find_any(rest, 0, [b'\n'])) else {
                break;
            };
            let next = run.length + end + 1;
            if next > room {
                break;
            }
            let line = rest.get(..end).unwrap_or_default();
            if let Some(at) = mention.filter(|at| *at < next) {
                let behind = bytes.get(at + 7..).unwrap_or_default();
                if !is_sent_by(behind.get(..next - at - 8).unwrap_or_default()) {
                    break;
                }
                let found = self
                    .version
                    .find(&VERSION, behind, position + at as u64 + 7);
                mention = found.map(|found| at + 7 + found);
                if mention.is_some_and(|at| at < next) {
                    break;
                }
            }
            let text = line.strip_suffix(b"\r").unwrap_or(line);
            // As viewers show a CR.
            if text.ends_with(b"^M") {
                break;
            }
            if matches!(name, [b'C' | b'c' | b'L' | b'l', ..]) {
                self.draft
                    .note_header(name, text.get(name.len() + 1..).unwrap_or_default());
            }
            run.add(text, end + 1 - text.len());
        }
        run
    }
}

/// Whether what stands behind SIP/2.0 on its line shows it for the protocol in a Via: nothing that opens
/// a message, and no end of a line is written in another form.
fn is_sent_by(behind: &[u8]) -> bool {
    behind.starts_with(b"/")
        && memchr::memchr3(b'#', b'\\', b'<', behind).is_none()
        && memchr::memchr(b'^', behind).is_none()
        && dots::END.find(behind).is_none()
}
