//! Messages that ngrep wrote as one line: a dot stands for CR, for LF and for whatever else is not
//! printed, and the line may be cut at the edge of the window.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::draft::Draft;

/// What stands for the end of a line.
pub(super) static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b".."));

/// The lines of a message that stands whole on this line, which mentions a start line; `None` for any
/// other line.
pub(super) fn undo(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    // Two blanks stand before the pieces of a message that was cut at the edge of a window.
    if line.starts_with(b"  ") {
        return None;
    }
    let headers = END.find_iter(line).filter(|at| {
        let rest = line.get(at + 2..).unwrap_or_default();
        is_header(rest)
    });
    (headers.take(2).count() == 2).then(|| split(line))
}

/// The pieces of a message that was cut at the edge of a window.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: Vec<u8>,
    /// Whether they are hex dumps of the message (`ngrep -x`).
    hex: bool,
    width: usize,
    /// Of the last piece.
    length: usize,
    first_line: u64,
    last_line: u64,
}

/// Pieces longer than this together are no message.
const LONGEST: usize = 1 << 20;

impl Pieces {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Adds a piece. Never completes a message, because the next line may be one more.
    pub(super) fn add(&mut self, piece: &[u8], line: u64) -> bool {
        let row = hex_row(piece);
        if self.is_empty() {
            (self.first_line, self.width) = (line, piece.len());
            self.hex = row.is_some();
        }
        if self.hex {
            self.last_line = line;
            if self.pieces.len() < LONGEST {
                self.pieces.extend(row.unwrap_or_default());
            }
            return false;
        }
        if self.pieces.len() + self.width + piece.len() <= LONGEST {
            // Blanks at the end of the piece before may have been lost on the way.
            let lost = self.width.saturating_sub(self.length);
            let lost = if self.is_empty() { 0 } else { lost };
            self.pieces.resize(self.pieces.len() + lost, b' ');
            self.pieces.extend_from_slice(piece);
        }
        (self.length, self.last_line) = (piece.len(), line);
        false
    }

    /// Makes the message, if there are any pieces.
    pub(super) fn join(&mut self, draft: &mut Draft) {
        if !self.is_empty() {
            let lines = match self.hex {
                true => split_at_ends(&self.pieces),
                false => split(self.pieces.trim_ascii_end()),
            };
            draft.whole(&lines, self.first_line, self.last_line);
            self.pieces.clear();
        }
    }
}

/// `49 4e 56 49 54 45 20 73    69 70 3a 2b 31 32 31 32    INVITE sip:+1212`
fn hex_row(text: &[u8]) -> Option<Vec<u8>> {
    const PAIRS: usize = 8 * 3 + 3 + 8 * 3;
    let pairs = text.get(..PAIRS).unwrap_or(text);
    let pairs = pairs
        .split(|byte| *byte == b' ')
        .filter(|pair| !pair.is_empty());
    let bytes = pairs.map(|pair| {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.filter(|bytes| !bytes.is_empty())
}

fn split_at_ends(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec());
    lines.collect()
}

/// Cuts where dots are surely the end of a line: what follows is a header, a body or nothing.
fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let (mut line, mut at, mut body) = (0, 0, false);
    while let Some(found) = END.find(text.get(at..).unwrap_or_default()) {
        let dots = at + found;
        let run = text.iter().skip(dots).take_while(|byte| **byte == b'.');
        let after = dots + run.count();
        let rest = text.get(after..).unwrap_or_default();
        let ends = match body {
            false if after - dots >= 4 && !is_header(rest) => 4,
            false if is_header(rest) || rest.is_empty() || rest.starts_with(b" ") => 2,
            true if rest.is_empty() || is_of_body(rest) => 2,
            _ => 0,
        };
        if ends > 0 {
            let whole = text.get(line..after - ends).unwrap_or_default();
            lines.push(whole.to_vec());
            if ends == 4 {
                lines.push(Vec::new());
                body = true;
            }
            line = after;
        }
        at = after;
    }
    let rest = text.get(line..).unwrap_or_default();
    if !rest.is_empty() {
        lines.push(rest.to_vec());
    }
    lines
}

fn is_header(text: &[u8]) -> bool {
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let name = text.iter().take(40).take_while(belongs).count();
    let rest = text.get(name..).unwrap_or_default();
    text.first().is_some_and(u8::is_ascii_alphabetic) && rest.trim_ascii_start().starts_with(b":")
}

fn is_of_body(text: &[u8]) -> bool {
    matches!(
        text,
        [b'a'..=b'z', b'=', ..] | [b'<', ..] | [b'-', b'-', ..]
    ) || is_header(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: Vec<Vec<u8>>) -> Vec<String> {
        let text = lines.iter().map(|line| String::from_utf8_lossy(line));
        text.map(std::borrow::Cow::into_owned).collect()
    }

    #[test]
    fn a_message_on_one_line_is_cut_where_lines_surely_end() {
        let line = "INVITE sip:a SIP/2.0..Call-ID: a..b...CSeq: 1 INVITE..Length: 9....v=0..s=-..";
        let lines = [
            "INVITE sip:a SIP/2.0",
            "Call-ID: a..b.",
            "CSeq: 1 INVITE",
            "Length: 9",
            "",
            "v=0",
            "s=-",
        ];
        assert_eq!(shown(undo(line.as_bytes()).unwrap()), lines);
        assert_eq!(undo(b"Via: SIP/2.0/UDP a..b"), None);
        assert_eq!(undo(b"a SIP/2.0 log.. and so on.. and on"), None);
    }

    #[test]
    fn pieces_are_joined_with_the_blanks_that_were_lost() {
        let (mut pieces, mut draft) = (Pieces::default(), Draft::default());
        for (line, piece) in (4..).zip(["SIP/2.0 200 OK..To:", "", " x..A: b....       "]) {
            pieces.add(piece.as_bytes(), line);
        }
        pieces.join(&mut draft);
        let blanks = " ".repeat(20);
        let text = format!("SIP/2.0 200 OK\r\nTo:{blanks}x\r\nA: b\r\n\r\n");
        assert_eq!(String::from_utf8_lossy(&draft.bytes), text);
        assert_eq!((draft.first_line, draft.last_line, draft.lines), (4, 6, 3));
        assert!(pieces.is_empty());
    }

    #[test]
    fn pieces_in_hex_are_taken_for_what_they_stand() {
        let (mut pieces, mut draft) = (Pieces::default(), Draft::default());
        pieces.add(
            b"53 49 50 2f 32 2e 30 20    32 30 30 20 4f 4b 0d 0a    SIP/2.0 200 OK..",
            1,
        );
        pieces.add(
            b"41 3a 2e 2e 0d 0a 0d 0a                               A:......",
            2,
        );
        pieces.join(&mut draft);
        assert_eq!(draft.bytes, b"SIP/2.0 200 OK\r\nA:..\r\n\r\n");
    }
}
