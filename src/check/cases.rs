//! Verdicts on expectations and golden files as test cases: a suite is a file of expectations or the
//! folder of the golden files, a case is an expectation or a golden file.

use super::expect::{Failure, Held, Verdict};
use super::golden::Verdict as Flow;
use super::told::{self, Look};
use crate::lang::Lang;
use crate::report::case::{self, Case, Fault};
use crate::report::terminal::escape::clean;
use crate::report::terminal::palette::Palette;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What an unreadable golden file is called.
const UNREADABLE: &str = "unreadable";

/// A case an expectation; where the inputs could not be judged, that, and none of them is.
pub fn expectations(held: &Held, lang: &'static Lang) -> Vec<Case> {
    let mut all = [held.unjudged.as_slice(), &held.empty].concat();
    let mut names: HashMap<(&str, &str), u32> = HashMap::new();
    for verdict in held.verdicts() {
        let place = &verdict.place;
        *names.entry((&place.file, &verdict.name)).or_default() += 1;
    }
    for verdict in held.verdicts() {
        let place = &verdict.place;
        let is_one = names.get(&(&place.file, &verdict.name)) == Some(&1);
        let name = match is_one {
            true => verdict.name.clone(),
            false => format!("{} ({} {})", verdict.name, lang.word("line"), place.line),
        };
        let became = match (held.unjudged.is_empty(), verdict.passed()) {
            (false, _) => case::Verdict::Skipped(lang.word("not judged").into_owned()),
            (_, true) => case::Verdict::Passed,
            (_, false) => case::Verdict::Failed(fault(verdict, held, lang)),
        };
        let mut case = Case::new(&place.file, name, became);
        case.asked = Some((clean(&place.file), place.line));
        all.push(case);
    }
    all
}

// The first failure speaks for all; what can be shown of the others stands in the lines.
fn fault(verdict: &Verdict, held: &Held, lang: &'static Lang) -> Fault {
    let palette = Palette::new(false);
    let mut lines = vec![clean(&verdict.place.to_string())];
    let shown = told::failures(verdict, held, Look { palette, lang });
    lines.extend(shown.lines().map(str::to_owned));
    let of_calls = verdict.shown.iter().flat_map(|fallen| {
        let title = format!("{} {}", lang.word("call"), fallen.id);
        let failures = fallen.failures.iter();
        failures.map(move |failure| (Some(title.clone()), failure))
    });
    let all: Vec<(Option<String>, &Failure)> = verdict
        .count
        .iter()
        .map(|failure| (None, failure))
        .chain(of_calls)
        .collect();
    let Some((call, first)) = all.first() else {
        return Fault::of("expectation", "", lines);
    };
    let mut message = told::brief(first, lang);
    if let Some(call) = call {
        message = format!("{call}{}{message}", lang.word(": "));
    }
    if all.len() > 1 {
        let args = [("count", (all.len() - 1).to_string())];
        message = format!("{message} ({})", lang.say("and {count} more", &args));
    }
    let place = first.proof.first().map(|proof| {
        let unit = if proof.is_line { "line" } else { "frame" };
        let input = held.inputs.get(usize::from(proof.input));
        let input = input.map_or(String::new(), |path| clean(path));
        (input, unit, proof.place)
    });
    Fault {
        place,
        ..Fault::of(first.key, &message, lines)
    }
}

/// A case a golden file, behind those of the inputs.
pub fn flows(
    folder: &Path,
    verdicts: &BTreeMap<String, Flow>,
    inputs: Vec<Case>,
    lang: &'static Lang,
) -> Vec<Case> {
    let mut all = inputs;
    let suite = folder.display().to_string();
    for (name, verdict) in verdicts {
        let kind = word(verdict);
        let fault = || {
            let lines = told::difference(verdict, lang);
            Fault::of(kind, &told::became(verdict, lang), lines)
        };
        let became = match verdict {
            Flow::Same => case::Verdict::Passed,
            Flow::Unreadable(_) => case::Verdict::Unjudged(fault()),
            _ => case::Verdict::Failed(fault()),
        };
        let mut case = Case::new(&suite, name.clone(), became);
        case.asked = Some((clean(&folder.join(name).display().to_string()), 1));
        all.push(case);
    }
    all
}

/// What became of a golden file, for machines.
pub fn word(verdict: &Flow) -> &'static str {
    match verdict {
        Flow::Same => "same",
        Flow::Changed(_) | Flow::Moved(..) => "changed",
        Flow::New(_) => "new",
        Flow::Gone => "gone",
        Flow::Unreadable(_) => UNREADABLE,
    }
}
