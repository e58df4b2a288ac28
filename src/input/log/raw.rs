//! Messages without any envelope: pasted from an RFC, a mail or a ticket, quoted, indented or fenced.

use super::{Cut, Format, Line, Opening, Signs, margin, one_line, start_line};
use crate::input::LogHop;

/// Any text with SIP start lines in it.
pub(super) static FORMAT: Format = Format {
    name: "raw",
    signs: Signs::START_LINE,
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let Some(found) = start_line::find(line.text) else {
        return numbered(line);
    };
    Some(Opening {
        hop: LogHop::default(),
        stamp: line.prefix.stamp,
        starts_at: Some(found.at),
        margin: line.text.get(..found.margin).unwrap_or_default().to_vec(),
        dotted: line.text.ends_with(b"."),
        ..Opening::default()
    })
}

/// `01 INVITE sip:a@b SIP/2.0`: someone numbered the lines.
pub(super) fn numbered(line: &Line<'_>) -> Option<Opening> {
    let from = number(line.text)?;
    let found = start_line::find(line.text.get(from..)?)?;
    Some(Opening {
        stamp: line.prefix.stamp,
        starts_at: Some(from + found.at),
        numbered: true,
        ..Opening::default()
    })
}

/// How long a line number and the blank behind it are.
fn number(text: &[u8]) -> Option<usize> {
    let blanks = text.iter().take_while(|byte| **byte == b' ').count();
    let rest = text.get(blanks..)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mark = match rest.get(digits) {
        Some(b':' | b'.' | b'|') => 1,
        _ => 0,
    };
    let behind = rest.get(digits + mark..)?;
    let blank = usize::from(matches!(behind.first(), Some(b' ' | b'\t')));
    let fits = (1..=5).contains(&digits) && (blank == 1 || behind.is_empty());
    fits.then_some(blanks + digits + mark + blank)
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    if opening.numbered
        && let Some(from) = number(line.text)
    {
        return Cut::Text(from);
    }
    let shared = margin(line, opening);
    let text = line.text.get(shared..).unwrap_or_default();
    // A quoted blank line often lost the blank behind the quoting mark.
    if text
        .iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'>' | b'|'))
    {
        return Cut::Text(line.text.len());
    }
    if line.prefix.entry || is_page_break(line.text) {
        return Cut::Foreign;
    }
    if is_ruler(text.trim_ascii()) || is_closing(text.trim_ascii()) {
        return Cut::End;
    }
    Cut::Text(shared)
}

/// What ends a quoted message.
fn is_closing(text: &[u8]) -> bool {
    matches!(text, b"'" | b"\"" | b"\"," | b"\";" | b">>>" | b">")
}

/// Markdown fences and rulers between messages.
fn is_ruler(text: &[u8]) -> bool {
    let same = |byte: u8| text.len() >= 3 && text.iter().all(|b| *b == byte);
    text.starts_with(b"```")
        || text.starts_with(b"~~~")
        || [b'-', b'=', b'*', b'_'].map(same).contains(&true)
}

/// The footer and header of a page in an RFC, which stand in the middle of messages.
fn is_page_break(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let footer = text.ends_with(b"]") && memchr::memmem::rfind(text, b"  [Page ").is_some();
    let header = text.starts_with(b"RFC ")
        && memchr::memmem::find(text, b"   ").is_some()
        && text
            .last_chunk::<4>()
            .is_some_and(|year| year.iter().all(u8::is_ascii_digit));
    footer || header || text.contains(&0x0c)
}
