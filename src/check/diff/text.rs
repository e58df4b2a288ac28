//! The comparison as text.

use super::choose::Chosen;
use super::compare::{Comparison, Difference, Shown};
use super::fact::Topic;
use super::rank::{Group, Ranked, Why};
use super::sketch::{Sketch, Step};
use crate::report::terminal::escape::clean;
use crate::report::terminal::palette::Palette;
use std::fmt::Write as _;

/// Differences shown of each group.
const MOST: [(Group, &str, usize); 4] = [
    (Group::Likely, "Likely explains the failure", 1),
    (Group::Perhaps, "Differs as well before the failure", 12),
    (Group::Follows, "Follows from it", 3),
    (Group::Trivial, "Hardly matters", 5),
];

/// Writes all that is to be said of two calls.
pub fn write(good: &Chosen, bad: &Chosen, found: &Comparison, palette: Palette) -> String {
    let mut out = String::new();
    for (name, chosen) in [("good", good), ("bad", bad)] {
        out.push_str(&head(name, chosen, palette));
    }
    for (group, title, most) in MOST {
        let of_group = || found.all.iter().filter(|one| one.group == group);
        if of_group().next().is_none() {
            continue;
        }
        let confirmed = of_group().all(|one| !matches!(one.why, Why::Before | Why::After));
        let title = match group == Group::Likely && !confirmed {
            true => "May explain the failure",
            false => title,
        };
        let _ = writeln!(out, "\n{}", palette.strong(title));
        let unreached = |one: &&Ranked| {
            group == Group::Follows && is_unreached(&one.difference, &bad.sketch)
        };
        for one in of_group().filter(|one| !unreached(one)).take(most) {
            let _ = writeln!(out, "  {}", sentence(&one.difference, good, bad));
            if group == Group::Likely {
                let _ = writeln!(out, "  {}", why(one, &bad.sketch));
            }
            if group != Group::Trivial {
                out.push_str(&proof(&one.difference, good, bad, palette));
            }
        }
        // In the order of the good call.
        let mut lacking: Vec<&Ranked> = of_group().filter(unreached).collect();
        lacking.sort_by_key(|one| one.difference.good.step);
        if !lacking.is_empty() {
            let names = lacking.iter().map(|one| one.difference.what.as_str());
            let names = names.collect::<Vec<_>>().join(", ");
            let _ = writeln!(
                out,
                "  The bad call did not come to these messages: {names}."
            );
        }
        let more = of_group().filter(|one| !unreached(one)).count();
        let more = more.saturating_sub(most);
        if more > 0 {
            let _ = writeln!(out, "  ({more} more of these; --format json has all)");
        }
    }
    let left_out = found.left_out + good.sketch.left_out + bad.sketch.left_out;
    if left_out > 0 {
        let _ = writeln!(
            out,
            "\n{left_out} messages and differences more than are compared."
        );
    }
    let _ = writeln!(out, "\n{}", verdict(found));
    out
}

/// What it comes to, in a sentence.
pub fn verdict(found: &Comparison) -> &'static str {
    let any = |group| found.all.iter().any(|one| one.group == group);
    match (any(Group::Likely), any(Group::Follows)) {
        (true, _) => "The calls differ in what may have led to the failure.",
        (false, true) => {
            "Up to the failure the calls are alike: what made the difference is not in these messages."
        }
        (false, false) => "No difference that matters.",
    }
}

fn head(name: &str, chosen: &Chosen, palette: Palette) -> String {
    let sketch = &chosen.sketch;
    let [from, to] = &sketch.parties;
    let place = sketch.steps.first().map(|first| place(first, chosen));
    let answer = sketch.answer.as_ref();
    let answer = answer.map_or(String::new(), |(code, phrase)| format!(" {code} {phrase}"));
    let mut out = format!(
        "{} call {} in {}: {} {from} to {to}: {}{}\n",
        palette.strong(name),
        sketch.id,
        place.unwrap_or_default(),
        sketch.method,
        sketch.outcome.word(),
        answer.trim_end(),
    );
    if let Some(cause) = sketch.cause.as_ref().filter(|_| name == "bad") {
        let _ = writeln!(
            out,
            "     diagnosis: {} ({})",
            clean(&cause.title),
            cause.rule
        );
    }
    if chosen.others > 0 {
        let _ = writeln!(
            out,
            "     {} more would do; choose with --{name} NUMBER",
            chosen.others
        );
    }
    out
}

fn place(step: &Step, chosen: &Chosen) -> String {
    let input = chosen.inputs.get(usize::from(step.place.input));
    let unit = if step.place.is_line { "line" } else { "frame" };
    let input = clean(input.map_or("?", String::as_str));
    format!("{input} {unit} {}", step.place.number)
}

fn step<'a>(shown: &Shown, sketch: &'a Sketch) -> Option<&'a Step> {
    sketch.steps.get(shown.step?)
}

/// One sentence for a difference.
pub fn sentence(difference: &Difference, good: &Chosen, bad: &Chosen) -> String {
    let what = &difference.what;
    let (of_good, of_bad) = (&difference.good.value, &difference.bad.value);
    let at = step(&difference.bad, &bad.sketch);
    let other = step(&difference.good, &good.sketch);
    let name = at.or(other).map_or("message", |step| step.name.as_str());
    let hop = other.or(at).map_or(String::new(), |step| {
        let [from, to] = &step.ends;
        format!(" ({from} to {to})")
    });
    let also = match difference.also {
        0 => String::new(),
        also => format!(" The same in {also} more."),
    };
    if difference.is_message {
        let side = if of_good.is_some() { other } else { at };
        let hop = side.map_or(String::new(), |step| {
            format!(" ({} to {})", step.ends[0], step.ends[1])
        });
        let said = match of_good {
            Some(_) => format!("The bad call has no {what}{hop}; the good one has."),
            None => format!("Only the bad call has {what}{hop}."),
        };
        return said + &also;
    }
    let said = match (of_good, of_bad) {
        (Some(g), Some(b)) => both(difference, name, &hop, g, b),
        (Some(g), None) => format!(
            "The bad call's {name}{hop} has no {what}; the good one's has{}.",
            value(g)
        ),
        (None, Some(b)) => format!(
            "The bad call's {name}{hop} has {}{}; the good one's has none.",
            article(what),
            value(b)
        ),
        (None, None) => String::new(),
    };
    said + &also
}

// Is it a message that the bad call has nowhere?
fn is_unreached(difference: &Difference, bad: &Sketch) -> bool {
    let known = || bad.steps.iter().any(|step| step.name == difference.what);
    difference.is_message && difference.good.value.is_some() && !known()
}

fn value(text: &str) -> String {
    match text {
        "there" => String::new(),
        text => format!(": {text}"),
    }
}

fn article(what: &str) -> String {
    match what.starts_with("header") || what.starts_with("line") {
        true => format!("a {what}"),
        false => what.to_owned(),
    }
}

fn both(difference: &Difference, name: &str, hop: &str, good: &str, bad: &str) -> String {
    let what = &difference.what;
    match difference.topic {
        Topic::Codec if what.ends_with(" codecs") && !what.starts_with("order") => {
            let verb = if name.contains(' ') {
                "takes"
            } else {
                "offers"
            };
            let fewer = bad
                .split(", ")
                .all(|codec| good.split(", ").any(|known| known == codec));
            let only = if fewer || !bad.contains(", ") {
                " only"
            } else {
                ""
            };
            let none = |list: &str| {
                if list.is_empty() {
                    "none".to_owned()
                } else {
                    list.to_owned()
                }
            };
            format!(
                "The bad call's {name}{hop} {verb}{only} {}; the good one's {}.",
                none(bad),
                none(good)
            )
        }
        Topic::Code => format!("The {name}{hop} stands where the good call has {good}."),
        Topic::Route if what == "receiver" => {
            format!("The bad call's {name}{hop} goes to {bad}; the good one's to {good}.")
        }
        Topic::Repeats => {
            format!("The bad call's {name}{hop} was sent {bad}; the good one's {good}.")
        }
        Topic::Timing => format!(
            "The bad call's {name}{hop} came {bad} after the request; the good one's after {good}."
        ),
        _ => format!(
            "The bad call's {name}{hop} has {what} {}; the good one's {}.",
            quoted(bad),
            quoted(good)
        ),
    }
}

fn quoted(text: &str) -> String {
    match text {
        "" => "empty".to_owned(),
        text => format!("\"{text}\""),
    }
}

/// Why the first difference is the first.
pub fn why(one: &Ranked, bad: &Sketch) -> String {
    let cause = bad.cause.as_ref().map_or("", |cause| cause.rule);
    let code = bad.answer.as_ref().map_or(0, |(code, _)| *code);
    match one.why {
        Why::CauseAndProof => format!("First because the diagnosis of the bad call ({cause}) speaks of this, and its proof stands in this line."),
        Why::Cause => format!("First because the diagnosis of the bad call ({cause}) speaks of this."),
        Why::Proof => format!("First because the proof of the diagnosis ({cause}) stands in this line."),
        Why::Answer => format!("First because the answer {code} speaks of this."),
        Why::Before => "First because of all that differs before the failure this weighs most; the diagnosis does not confirm it.".to_owned(),
        Why::After => "First although it came after the failure: nothing before it differs.".to_owned(),
    }
}

fn proof(difference: &Difference, good: &Chosen, bad: &Chosen, palette: Palette) -> String {
    let mut out = String::new();
    for (name, shown, chosen) in [
        ("good", &difference.good, good),
        ("bad", &difference.bad, bad),
    ] {
        let Some(step) = step(shown, &chosen.sketch) else {
            continue;
        };
        let missing = match (&shown.value, difference.is_message) {
            (None, true) => "last message: ",
            (None, false) => "not in: ",
            _ => "",
        };
        let _ = writeln!(
            out,
            "    {} {}: {missing}{}",
            palette.faint(&format!("{name:<4}")),
            place(step, chosen),
            shown.line
        );
    }
    out
}
