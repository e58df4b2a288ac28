//! Text from the wire made safe for a terminal.

use crate::hidden::is_hidden;

/// `text` with everything that could steer a terminal or hide text made visible: control
/// characters, bidirectional overrides, line separators, zero-width characters.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut out, c);
    }
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '\t' => out.push(' '),
        _ if c.is_control() => out.push_str(&format!("\\x{:02X}", u32::from(c))),
        _ if is_hidden(c) => out.push_str(&format!("\\u{{{:X}}}", u32::from(c))),
        _ => out.push(c),
    }
}

/// A line of a message as shown, and where the marked bytes stand in it.
pub struct Shown {
    /// The text, at most as wide as asked for.
    pub text: String,
    /// Column at which the mark begins.
    pub column: usize,
    /// Columns marked.
    pub columns: usize,
}

/// Shows `line` in `width` columns so that the bytes `from..until` can be seen: what is cut off is
/// replaced by `...`, folds by a blank.
pub fn show(line: &[u8], from: usize, until: usize, width: usize) -> Shown {
    let cells = cells(line);
    let total: usize = cells.iter().map(|cell| cell.width).sum();
    let column_of = |byte: usize| {
        cells
            .iter()
            .take_while(|cell| cell.byte < byte)
            .map(|cell| cell.width)
            .sum::<usize>()
    };
    let (start, end) = (column_of(from), column_of(until).min(total));
    let room = width.max(20).saturating_sub(6);
    if total <= room + 6 {
        let text = cells.iter().map(|cell| cell.text.as_str()).collect();
        return Shown {
            text,
            column: start,
            columns: (end - start.min(end)).max(1),
        };
    }
    // The name of the header stays; a window around the mark follows it.
    let lead = if start + 12 <= room {
        0
    } else {
        start.saturating_sub(room / 3)
    };
    let (mut text, mut column, mut shown) = (String::new(), 0, Vec::new());
    if lead > 0 {
        text.push_str("...");
    }
    let (mut at, mut marked_at, mut marked) = (0, None, 0);
    for cell in &cells {
        let inside = at >= lead && column + cell.width <= room;
        if inside {
            if at >= start && at < end {
                marked_at.get_or_insert(column);
                marked += cell.width;
            }
            shown.push(cell.text.as_str());
            column += cell.width;
        }
        at += cell.width;
    }
    text.extend(shown);
    if lead + column < total {
        text.push_str("...");
    }
    let dots = if lead > 0 { 3 } else { 0 };
    Shown {
        text,
        column: marked_at.unwrap_or(0) + dots,
        columns: marked.max(1),
    }
}

struct Cell {
    byte: usize,
    text: String,
    width: usize,
}

fn cells(line: &[u8]) -> Vec<Cell> {
    const LONGEST: usize = 4096;
    let line = line.get(..LONGEST).unwrap_or(line);
    let (mut out, mut byte) = (Vec::with_capacity(line.len()), 0);
    let mut add = |byte: usize, text: String| {
        let width = unicode_width::UnicodeWidthStr::width(text.as_str());
        out.push(Cell { byte, text, width });
    };
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            let mut text = String::new();
            match c {
                '\r' => {}
                '\n' => text.push(' '),
                c => push(&mut text, c),
            }
            add(byte, text);
            byte += c.len_utf8();
        }
        for bad in chunk.invalid() {
            add(byte, format!("\\x{bad:02X}"));
            byte += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_the_wire_steers_the_terminal() {
        assert_eq!(
            clean("a\x1b[31mb\u{9b}\u{202e}c\u{7}\n"),
            "a\\x1B[31mb\\x9B\\u{202E}c\\x07\\x0A"
        );
        let shown = show(b"To: \x1b]0;x\x07\xff", 4, 5, 80);
        assert_eq!(shown.text, "To: \\x1B]0;x\\x07\\xFF");
        assert_eq!((shown.column, shown.columns), (4, 4));
    }

    #[test]
    fn the_mark_stays_in_view_in_a_long_line() {
        let line = [
            &b"Authorization: "[..],
            &[b'x'; 300],
            b"NONCE",
            &[b'y'; 300],
        ]
        .concat();
        let shown = show(&line, 315, 320, 80);
        let marked: String = shown
            .text
            .chars()
            .skip(shown.column)
            .take(shown.columns)
            .collect();
        assert_eq!(marked, "NONCE");
        assert!(shown.text.chars().count() <= 80, "{}", shown.text);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let shown = show("To: 山田 <sip:a@b>".as_bytes(), 11, 20, 80);
        assert_eq!(shown.column, 9);
    }
}
