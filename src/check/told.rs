//! Verdicts on expectations for a person: what was expected, what was found, and where.

use super::expect::{Failure, Fallen, Held, Proof, Verdict};
use crate::report::terminal::escape::clean;
use crate::report::terminal::palette::Palette;
use std::fmt::Write as _;

/// Nanoseconds of a second, and seconds of a day.
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// The failures in full, then the counts.
pub fn expectations(held: &Held, palette: Palette) -> String {
    let mut out = String::new();
    for verdict in held.verdicts().iter().filter(|verdict| !verdict.passed()) {
        told(&mut out, verdict, held, palette);
    }
    let all = held.verdicts().len();
    let failed = held.verdicts().iter().filter(|v| !v.passed()).count();
    let counted = |number: u64, what: &str| match number {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    };
    let counts = counted(all as u64, "expectation");
    let counts = format!("{counts}: {} passed, {failed} failed", all - failed);
    let counts = match failed {
        0 => palette.good(&counts),
        _ => palette.bad(&counts),
    };
    let calls = counted(held.calls, "call");
    let _ = writeln!(
        out,
        "{counts} · {calls}, {} without an expectation",
        held.unmatched
    );
    out
}

fn told(out: &mut String, verdict: &Verdict, held: &Held, palette: Palette) {
    let (name, place) = (clean(&verdict.name), clean(&verdict.place));
    let _ = writeln!(
        out,
        "{} {} ({place})",
        palette.bad("failed"),
        palette.strong(&name)
    );
    if let Some(failure) = &verdict.count {
        shown(out, "  ", failure, held, palette);
    }
    for fallen in &verdict.shown {
        let _ = writeln!(out, "  {}", title(fallen, held));
        for failure in &fallen.failures {
            shown(out, "    ", failure, held, palette);
        }
    }
    let more = verdict.fallen.saturating_sub(verdict.shown.len() as u64);
    if more > 0 {
        let _ = writeln!(out, "  and {more} more calls");
    }
    out.push('\n');
}

fn title(fallen: &Fallen, held: &Held) -> String {
    let input = held
        .inputs
        .get(usize::from(fallen.input))
        .filter(|_| held.inputs.len() > 1);
    let input = input.map_or(String::new(), |path| format!(" in {path}"));
    clean(&format!("call {}{input}: {}", fallen.id, fallen.title))
}

fn shown(out: &mut String, indent: &str, failure: &Failure, held: &Held, palette: Palette) {
    let _ = writeln!(out, "{indent}{}", palette.strong(failure.key));
    let _ = writeln!(
        out,
        "{indent}  expected  {}",
        palette.good(&clean(&failure.expected))
    );
    let _ = writeln!(
        out,
        "{indent}  found     {}",
        palette.bad(&clean(&failure.found))
    );
    for proof in &failure.proof {
        let bar = palette.faint("|");
        let place = place(proof, held);
        let _ = writeln!(out, "{indent}  {bar} {place}  {}", clean(&proof.line));
    }
}

/// `#7  09:00:00.123  192.0.2.10:5060 -> 198.51.100.20:5060`
pub fn place(proof: &Proof, held: &Held) -> String {
    let word = if proof.is_line { "line " } else { "#" };
    let mut place = format!("{word}{}", proof.place);
    if held.inputs.len() > 1 {
        let _ = write!(place, "[{}]", u32::from(proof.input) + 1);
    }
    if let Some(time) = proof.time {
        let _ = write!(place, "  {}", clock(time));
    }
    if proof.hop.iter().any(Option::is_some) {
        let [from, to] = proof
            .hop
            .map(|end| end.map_or("?".to_owned(), |end| end.to_string()));
        let _ = write!(place, "  {from} -> {to}");
    }
    place
}

// Hours, minutes, seconds and milliseconds, UTC.
fn clock(nanoseconds: i64) -> String {
    let second = nanoseconds.div_euclid(SECOND).rem_euclid(DAY);
    let millisecond = nanoseconds.rem_euclid(SECOND) / 1_000_000;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{hour:02}:{minute:02}:{:02}.{millisecond:03}", second % 60)
}
