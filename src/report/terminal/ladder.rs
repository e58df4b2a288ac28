//! The messages of a call by hop, with frame and delay.

use super::escape::clean;
use super::palette::Palette;
use crate::diagnose::blame::of_whole_seconds;
use crate::input::Origin;
use crate::lang::Lang;
use crate::session::{Call, CopyKind, Stored};
use std::net::SocketAddr;
use unicode_width::UnicodeWidthStr;

/// Lines drawn at most; what follows is counted.
const MOST_LINES: usize = 60;
/// Least columns between two participants for which arrows are drawn.
const NARROWEST: usize = 19;
/// Whoever wrote the log.
const OWN: &str = "this system";

/// Draws the ladder in `width` columns: arrows between columns where they fit, a list otherwise.
pub(super) fn draw(call: &Call, palette: Palette, width: usize, lang: &Lang) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut messages: Vec<&Stored> = call.all_legs().flat_map(|leg| &leg.messages).collect();
    if !call.legs.is_empty() {
        messages.sort_by_key(|m| (m.time(), m.stamp.origin.input, m.stamp.origin.place));
    }
    for message in &messages {
        for name in columns(message, lang) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    const LEAD: usize = 20;
    let room = width.saturating_sub(LEAD) / names.len().max(1);
    let drawn = (2..=8).contains(&names.len()) && room >= NARROWEST;
    let column = room.min(32);
    let mut lines = Vec::new();
    if drawn {
        let heads: String = names
            .iter()
            .map(|name| format!("{:^column$}", fit(name, column - 1)))
            .collect();
        lines.push(palette.faint(format!("{:LEAD$}{heads}", "").trim_end()));
    }
    let start = call.start();
    for message in messages.iter().take(MOST_LINES) {
        let lead = format!("{:>8} {:>9}  ", place(message, lang), delay(message, start));
        let lead = format!("{lead:LEAD$}");
        lines.push(if drawn {
            format!(
                "{}{}",
                palette.faint(&lead),
                arrow(message, &names, column, lang)
            )
        } else {
            let hop = hop(message, lang);
            let gap = if hop.is_empty() { "" } else { "  " };
            let (text, copy) = label(message, lang);
            format!("{}{hop}{gap}{text}{copy}", palette.faint(&lead))
        });
    }
    if messages.len() > MOST_LINES {
        let more = (messages.len() - MOST_LINES).to_string();
        let said = lang.say("and {count} more messages", &[("count", more)]);
        lines.push(format!("{:LEAD$}{said}", ""));
    }
    lines
}

/// Both ends of the hop of a message, empty where neither is known.
pub(super) fn hop(message: &Stored, lang: &Lang) -> String {
    match (message.stamp.source, message.stamp.destination) {
        (None, None) => String::new(),
        (source, destination) => {
            format!(
                "{} -> {}",
                end(source, message.stamp.sent == Some(true), lang),
                end(destination, message.stamp.sent == Some(false), lang)
            )
        }
    }
}

// A log that says who sent and who received was written by one of the two: `own` says that it is
// this one.
fn end(address: Option<SocketAddr>, own: bool, lang: &Lang) -> String {
    let unknown = match own {
        true => lang.word(OWN),
        false => lang.word("unknown"),
    };
    address.map_or_else(|| unknown.into_owned(), |address| address.to_string())
}

// The columns of both ends: one for the system that wrote the log, though it knows its address
// only where a message tells it.
fn columns(message: &Stored, lang: &Lang) -> [String; 2] {
    let stamp = &message.stamp;
    let mut names = [
        end(stamp.source, stamp.sent == Some(true), lang),
        end(stamp.destination, stamp.sent == Some(false), lang),
    ];
    let (own, field) = match stamp.sent {
        Some(true) => (0, "source"),
        Some(false) => (1, "destination"),
        None => return names,
    };
    if stamp.inferred.names().contains(&field) {
        names[own] = lang.word(OWN).into_owned();
    }
    names
}

/// `#12`, or `line 12` of a log; of another input than the first `#12[2]`.
pub(super) fn place(message: &Stored, lang: &Lang) -> String {
    let word = match message.stamp.lines {
        0 => "#".to_owned(),
        _ => format!("{} ", lang.word("line")),
    };
    numbered(&word, message.stamp.origin)
}

/// The same for a frame that holds no message.
pub(super) fn numbered(word: &str, origin: Origin) -> String {
    match origin.input {
        0 => format!("{word}{}", origin.place),
        input => format!("{word}{}[{}]", origin.place, u32::from(input) + 1),
    }
}

fn delay(message: &Stored, start: Option<i64>) -> String {
    match message.time().zip(start) {
        Some((time, start)) => format!("+{:.3}", (time - start) as f64 / 1e9),
        None => String::new(),
    }
}

// What a message is, and whether it is a copy.
fn label(message: &Stored, lang: &Lang) -> (String, String) {
    let text = match message.head.code() {
        Some(code) => {
            let reason = message
                .message()
                .reason()
                .map(|span| message.message().slice(span))
                .unwrap_or_default();
            format!("{code} {}", clean(&reason))
        }
        None => clean(&message.message().method_name()),
    };
    let body = if message.message().body().starts_with(b"v=0") {
        " SDP"
    } else {
        ""
    };
    let copy = match message.copy.map(|copy| copy.kind) {
        Some(CopyKind::Retransmission) => format!(" {}", lang.word("again")),
        Some(CopyKind::Duplicate) => format!(" {}", lang.word("duplicate")),
        None => String::new(),
    };
    (format!("{}{body}", text.trim_end()), copy)
}

// `|---- INVITE SDP ---->|` between the middles of two columns.
fn arrow(message: &Stored, names: &[String], column: usize, lang: &Lang) -> String {
    let at = |name: String| names.iter().position(|known| *known == name).unwrap_or(0);
    let [from, to] = columns(message, lang).map(at);
    let middle = |index: usize| index * column + column / 2;
    let (left, right) = (middle(from.min(to)), middle(from.max(to)));
    let mut line: Vec<String> = vec![" ".to_owned(); names.len() * column];
    for index in 0..names.len() {
        line[middle(index)] = "|".to_owned();
    }
    let (text, copy) = label(message, lang);
    if from == to {
        return format!("{} {text}{copy}", line.concat().trim_end());
    }
    let inner = right - left - 1;
    let text = fit(&text, inner.saturating_sub(4 + copy.width())) + &copy;
    let padding = inner.saturating_sub(text.width() + 4);
    let (before, after) = (
        "-".repeat(padding / 2 + 1),
        "-".repeat(padding - padding / 2 + 1),
    );
    let shaft = match from < to {
        true => format!("{before} {text} {}>", after.get(1..).unwrap_or_default()),
        false => format!("<{} {text} {after}", before.get(1..).unwrap_or_default()),
    };
    let head: String = line.get(..=left).unwrap_or_default().concat();
    let tail: String = line.get(right..).unwrap_or_default().concat();
    format!("{head}{shaft}{}", tail.trim_end())
}

fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + 2 > columns {
            break;
        }
        out.push(c);
    }
    out.push('~');
    out
}

/// The time that a call took to a message, for people.
pub(super) fn since(start: Option<i64>, message: Option<&Stored>, lang: &Lang) -> Option<String> {
    let (message, start) = (message?, start?);
    let after = message.time()? - start;
    // Within one second of a clock that counts no less.
    let unknown = after == 0 && of_whole_seconds(message, (start, start));
    // Less than nothing: the clocks of two inputs differ.
    (after >= 0 && !unknown).then(|| lang.duration(after))
}
