//! Verdicts on expectations and golden files for a person: what was expected, what was found, and where.

use super::expect::{Failure, Fallen, Held, Proof, Verdict};
use super::golden::{Comparison, Verdict as Flow};
use crate::lang::Lang;
use crate::report::terminal::escape::clean;
use crate::report::terminal::palette::Palette;
use std::fmt::Write as _;
use std::path::Path;
use unicode_width::UnicodeWidthStr;

/// Nanoseconds of a second, and seconds of a day.
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// Lines of one golden file that are shown.
const MOST_LINES: usize = 200;

/// How it is told.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colour.
    pub palette: Palette,
    /// Language of the labels.
    pub lang: &'static Lang,
}

/// Inputs whose numbers are explained.
const MOST_INPUTS: usize = 20;

/// The failures in full, then the counts.
pub fn expectations(held: &Held, look: Look) -> String {
    let (palette, lang) = (look.palette, look.lang);
    let mut out = String::new();
    for verdict in held.verdicts().iter().filter(|verdict| !verdict.passed()) {
        let (name, place) = (clean(&verdict.name), clean(&verdict.place.to_string()));
        let failed = palette.bad(&lang.word("failed"));
        let _ = writeln!(out, "{failed} {} ({place})", palette.strong(&name));
        out.push_str(&failures(verdict, held, look));
        out.push('\n');
    }
    let all = held.verdicts().len();
    let failed = held.verdicts().iter().filter(|v| !v.passed()).count();
    let args = [
        ("all", all.to_string()),
        ("passed", (all - failed).to_string()),
        ("failed", failed.to_string()),
    ];
    let counts = match all {
        1 => lang.say("{all} expectation: {passed} passed, {failed} failed", &args),
        _ => lang.say(
            "{all} expectations: {passed} passed, {failed} failed",
            &args,
        ),
    };
    let counts = match failed {
        0 => palette.good(&counts),
        _ => palette.bad(&counts),
    };
    let calls = calls(held.calls, lang);
    let unmatched = lang.say(
        "{count} without an expectation",
        &[("count", held.unmatched.to_string())],
    );
    let _ = writeln!(out, "{counts} · {calls}, {unmatched}");
    for (id, title) in &held.strangers {
        let (call, colon) = (lang.word("call"), lang.word(": "));
        let _ = writeln!(out, "  {call} {id}{colon}{}", clean(title));
    }
    let more = held.unmatched - held.strangers.len() as u64;
    if more > 0 {
        let said = lang.say("and {count} more", &[("count", more.to_string())]);
        let _ = writeln!(out, "  {said}");
    }
    if failed > 0 && held.inputs.len() > 1 {
        for (number, path) in (1..=MOST_INPUTS).zip(&held.inputs) {
            let _ = writeln!(out, "[{number}] {}", clean(path));
        }
    }
    out
}

fn calls(count: u64, lang: &Lang) -> String {
    let args = [("total", count.to_string())];
    match count {
        1 => lang.say("{total} call", &args),
        _ => lang.say("{total} calls", &args),
    }
}

/// What did not hold, call by call, each in lines of its own.
pub fn failures(verdict: &Verdict, held: &Held, look: Look) -> String {
    let mut out = String::new();
    if let Some(failure) = &verdict.count {
        shown(&mut out, "  ", failure, held, look);
    }
    for fallen in &verdict.shown {
        let _ = writeln!(out, "  {}", title(fallen, held, look.lang));
        for failure in &fallen.failures {
            shown(&mut out, "    ", failure, held, look);
        }
    }
    let more = verdict.fallen.saturating_sub(verdict.shown.len() as u64);
    if more > 0 {
        let args = [("count", more.to_string())];
        let _ = writeln!(out, "  {}", look.lang.say("and {count} more calls", &args));
    }
    out
}

/// `call 3 in second.pcap: INVITE sip:a -> sip:b`
pub fn title(fallen: &Fallen, held: &Held, lang: &Lang) -> String {
    let input = held
        .inputs
        .get(usize::from(fallen.input))
        .filter(|_| held.inputs.len() > 1);
    let id = fallen.id.to_string();
    let call = match input {
        None => format!("{} {id}", lang.word("call")),
        Some(path) => {
            let args = [("id", id), ("input", path.clone())];
            lang.say("call {id} in {input}", &args)
        }
    };
    clean(&format!("{call}{}{}", lang.word(": "), fallen.title))
}

/// `final: expected 200, found 486 Busy Here`
pub fn brief(failure: &Failure, lang: &Lang) -> String {
    let args = [
        ("expected", failure.expected.told(lang)),
        ("found", failure.found.told(lang)),
    ];
    let said = lang.say("expected {expected}, found {found}", &args);
    clean(&format!("{}{}{said}", failure.key, lang.word(": ")))
}

fn shown(out: &mut String, indent: &str, failure: &Failure, held: &Held, look: Look) {
    let Look { palette, lang } = look;
    let _ = writeln!(out, "{indent}{}", palette.strong(failure.key));
    let labels = [lang.word("expected"), lang.word("found")];
    let width = labels.iter().map(|label| label.width()).max().unwrap_or(0);
    let values = [
        palette.good(&clean(&failure.expected.told(lang))),
        palette.bad(&clean(&failure.found.told(lang))),
    ];
    for (label, value) in labels.iter().zip(values) {
        let blank = " ".repeat(width - label.width().min(width));
        let _ = writeln!(out, "{indent}  {label}{blank}  {value}");
    }
    for proof in &failure.proof {
        let bar = palette.faint("|");
        let place = place(proof, held, lang);
        let _ = writeln!(out, "{indent}  {bar} {place}  {}", clean(&proof.line));
    }
}

/// `#7  09:00:00.123  192.0.2.10:5060 -> 198.51.100.20:5060`
pub fn place(proof: &Proof, held: &Held, lang: &Lang) -> String {
    let mut place = match proof.is_line {
        true => format!("{} {}", lang.word("line"), proof.place),
        false => format!("#{}", proof.place),
    };
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

/// What became of golden files: the differences, then the counts.
pub fn flows(folder: &Path, found: &Comparison, look: Look) -> String {
    let verdicts = &found.flows;
    let (palette, lang) = (look.palette, look.lang);
    let mut out = String::new();
    let differing = verdicts
        .iter()
        .filter(|(_, verdict)| **verdict != Flow::Same);
    for (name, verdict) in differing {
        let path = folder.join(name).display().to_string();
        let differs = palette.bad(&lang.word("differs"));
        let (path, what) = (clean(&path), became(verdict, lang));
        let _ = writeln!(out, "{differs} {path}{}{what}", lang.word(": "));
        for line in difference(verdict, lang) {
            let line = match line.as_bytes().first() {
                Some(b'-') => palette.bad(&line),
                Some(b'+') => palette.good(&line),
                _ => line,
            };
            let _ = writeln!(out, "    {line}");
        }
        out.push('\n');
    }
    let same = verdicts.values().filter(|v| **v == Flow::Same).count();
    let gone = verdicts.values().filter(|v| **v == Flow::Gone).count();
    let calls = calls((verdicts.len() - gone) as u64, lang);
    let as_before = lang.say("{count} as before", &[("count", same.to_string())]);
    let _ = writeln!(out, "{calls}, {as_before}");
    if found.unread > 0 {
        let args = [("count", found.unread.to_string())];
        let said = lang.say(
            "{count} golden files of recordings that were not read",
            &args,
        );
        let _ = writeln!(out, "{said}");
    }
    if same < verdicts.len() {
        let _ = writeln!(out, "{}", lang.word("Accept what is right with --bless."));
    }
    out
}

/// What became of a golden file, in a few words.
pub fn became(verdict: &Flow, lang: &Lang) -> String {
    match verdict {
        Flow::Same => lang.word("as before").into_owned(),
        Flow::Changed(_) | Flow::Moved(..) => lang.word("another flow than before").into_owned(),
        Flow::New(_) => lang.word("a call that has no golden file").into_owned(),
        Flow::Gone => lang.word("no such call was recorded").into_owned(),
        Flow::Unreadable(why) => clean(why),
    }
}

/// The lines that differ, as many as are shown.
pub fn difference(verdict: &Flow, lang: &Lang) -> Vec<String> {
    let (was, text) = match verdict {
        Flow::Changed(text) | Flow::New(text) => (None, text),
        Flow::Moved(was, text) => (Some(format!("- {was}")), text),
        _ => return Vec::new(),
    };
    let shown = text.lines().take(MOST_LINES);
    let mut lines: Vec<String> = was.as_deref().into_iter().chain(shown).map(clean).collect();
    let more = text.lines().count().saturating_sub(MOST_LINES);
    if more > 0 {
        let args = [("count", more.to_string())];
        lines.push(format!("({})", lang.say("{count} more lines", &args)));
    }
    lines
}
