//! The comparison as text.

use super::choose::Chosen;
use super::compare::{Comparison, Difference};
use super::rank::{Group, Ranked, Why};
use super::sentence::{self, step};
use super::sketch::{Sketch, Step};
use crate::lang::Lang;
use crate::report::terminal::escape::clean;
use crate::report::terminal::palette::Palette;
use crate::session::Outcome;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// Differences shown of each group.
const MOST: [(Group, &str, usize); 4] = [
    (Group::Likely, "Likely explains the failure", 1),
    (Group::Perhaps, "Differs as well before the failure", 12),
    (Group::Follows, "Follows from it", 3),
    (Group::Trivial, "Hardly matters", 5),
];

/// How it is told.
struct Teller<'a> {
    good: &'a Chosen,
    bad: &'a Chosen,
    palette: Palette,
    lang: &'static Lang,
}

/// Writes all that is to be said of two calls.
pub fn write(
    good: &Chosen,
    bad: &Chosen,
    found: &Comparison,
    palette: Palette,
    lang: &'static Lang,
) -> String {
    let teller = Teller {
        good,
        bad,
        palette,
        lang,
    };
    let mut out = teller.head("good call", good);
    out.push_str(&teller.head("bad call", bad));
    for (group, title, most) in MOST {
        teller.group(&mut out, found, group, title, most);
    }
    let left_out = found.left_out + good.sketch.left_out + bad.sketch.left_out;
    if left_out > 0 {
        let args = [("count", left_out.to_string())];
        let said = lang.say(
            "{count} messages and differences more than are compared.",
            &args,
        );
        let _ = writeln!(out, "\n{said}");
    }
    let _ = writeln!(out, "\n{}", verdict(found, lang));
    out
}

/// What it comes to, in a sentence.
pub fn verdict(found: &Comparison, lang: &Lang) -> String {
    let any = |group| found.all.iter().any(|one| one.group == group);
    let slight = |one: &Ranked| one.group == Group::Trivial && !one.difference.is_after;
    let said = match (any(Group::Likely), any(Group::Follows)) {
        (false, true) if found.all.iter().any(slight) => {
            "Up to the failure the calls differ only in what rarely matters; it may matter here."
        }
        (true, _) => "The calls differ in what may have led to the failure.",
        (false, true) => {
            "Up to the failure the calls are alike: what made the difference is not in these messages."
        }
        (false, false) => "No difference that matters.",
    };
    lang.word(said).into_owned()
}

impl Teller<'_> {
    fn group(
        &self,
        out: &mut String,
        found: &Comparison,
        group: Group,
        title: &'static str,
        most: usize,
    ) {
        let all: Vec<&Ranked> = found.all.iter().filter(|one| one.group == group).collect();
        if all.is_empty() {
            return;
        }
        let confirmed = all
            .iter()
            .all(|one| !matches!(one.why, Why::Before | Why::After));
        let title = match group == Group::Likely && !confirmed {
            true => "May explain the failure",
            false => title,
        };
        let title = self.lang.word(title);
        let _ = writeln!(out, "\n{}", self.palette.strong(&title));
        let is_unreached = |one: &&&Ranked| {
            group == Group::Follows && is_unreached(&one.difference, &self.bad.sketch)
        };
        let (mut lacking, told): (Vec<&Ranked>, Vec<&Ranked>) =
            all.iter().partition(|one| is_unreached(one));
        for one in told.iter().take(most) {
            let said = sentence::difference(&one.difference, self.good, self.bad, self.lang);
            let _ = writeln!(out, "  {said}");
            if group == Group::Likely {
                let _ = writeln!(out, "  {}", sentence::why(one, &self.bad.sketch, self.lang));
            }
            if group != Group::Trivial {
                self.proof(out, &one.difference);
            }
        }
        // In the order of the good call.
        lacking.sort_by_key(|one| one.difference.good.step);
        if !lacking.is_empty() {
            let names = lacking
                .iter()
                .map(|one| one.difference.what.told(self.lang));
            let args = [("names", names.collect::<Vec<_>>().join(", "))];
            let said = "The bad call did not come to these messages: {names}.";
            let _ = writeln!(out, "  {}", self.lang.say(said, &args));
        }
        let more = told.len().saturating_sub(most);
        if more > 0 {
            let args = [("count", more.to_string())];
            let said = "({count} more of these; --format json has all)";
            let _ = writeln!(out, "  {}", self.lang.say(said, &args));
        }
    }

    fn head(&self, side: &'static str, chosen: &Chosen) -> String {
        let (sketch, lang) = (&chosen.sketch, self.lang);
        let [from, to] = &sketch.parties;
        let place = sketch.steps.first().map(|first| self.place(first, chosen));
        let answer = sketch.answer.as_ref();
        let answer = answer.map_or(String::new(), |(code, phrase)| format!(" {code} {phrase}"));
        let result = format!("{}{answer}", lang.word(sketch.outcome.word()));
        let args = [
            ("call", self.palette.strong(&lang.word(side))),
            ("id", sketch.id.to_string()),
            ("place", place.unwrap_or_default()),
            ("method", sketch.method.clone()),
            ("from", from.clone()),
            ("to", to.clone()),
            ("result", result.trim_end().to_owned()),
        ];
        let said = lang.say(
            "{call} {id} in {place}: {method} {from} to {to}: {result}",
            &args,
        );
        let mut out = format!("{said}\n");
        let is_bad = std::ptr::eq(chosen, self.bad);
        if let Some(cause) = sketch.cause.as_ref().filter(|_| is_bad) {
            let args = [
                ("title", clean(&cause.title)),
                ("rule", cause.rule.to_owned()),
            ];
            let said = lang.say("diagnosis: {title} ({rule})", &args);
            let _ = writeln!(out, "     {said}");
        }
        let remark = match (is_bad, sketch.outcome == Outcome::Succeeded) {
            (true, true) if sketch.cause.is_none() => Some("This call succeeded."),
            (false, false) => Some("This call did not succeed."),
            _ => None,
        };
        if let Some(remark) = remark {
            let _ = writeln!(out, "     {}", self.lang.word(remark));
        }
        if chosen.others > 0 {
            let option = if is_bad { "--bad" } else { "--good" };
            let args = [
                ("count", chosen.others.to_string()),
                ("option", option.to_owned()),
            ];
            let said = lang.say("{count} more would do; choose with {option} NUMBER", &args);
            let _ = writeln!(out, "     {said}");
        }
        out
    }

    fn place(&self, step: &Step, chosen: &Chosen) -> String {
        let input = chosen.inputs.get(usize::from(step.place.input));
        let unit = if step.place.is_line { "line" } else { "frame" };
        let input = clean(input.map_or("?", String::as_str));
        format!("{input} {} {}", self.lang.word(unit), step.place.number)
    }

    fn proof(&self, out: &mut String, difference: &Difference) {
        let lang = self.lang;
        let sides = [lang.word("good"), lang.word("bad")];
        let width = sides.iter().map(|side| side.width()).max().unwrap_or(0);
        let shown = [(&difference.good, self.good), (&difference.bad, self.bad)];
        for (side, (shown, chosen)) in sides.iter().zip(shown) {
            let Some(step) = step(shown, &chosen.sketch) else {
                continue;
            };
            let missing = match (&shown.value, difference.is_message) {
                (None, true) => Some("last message: {line}"),
                (None, false) => Some("not in: {line}"),
                _ => None,
            };
            let line = match missing {
                Some(said) => lang.say(said, &[("line", shown.line.clone())]),
                None => shown.line.clone(),
            };
            let blank = " ".repeat(width - side.width().min(width));
            let side = self.palette.faint(&format!("{side}{blank}"));
            let (place, colon) = (self.place(step, chosen), lang.word(": "));
            let _ = writeln!(out, "    {side} {place}{colon}{line}");
        }
    }
}

// Is it a message that the bad call has nowhere?
fn is_unreached(difference: &Difference, bad: &Sketch) -> bool {
    let known = || bad.steps.iter().any(|step| step.name == difference.what);
    difference.is_message && difference.good.value.is_some() && !known()
}
