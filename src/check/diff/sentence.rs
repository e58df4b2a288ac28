//! A difference in a sentence, and why it stands where it stands.

use super::choose::Chosen;
use super::compare::{Difference, Shown};
use super::fact::Topic;
use super::rank::{Ranked, Why};
use super::sketch::{Sketch, Step};
use crate::lang::Lang;
use crate::lang::words::Words;

/// Of what nothing better is to be said.
const OTHER: &str = "The bad call's {name}{hop} has {what} {bad}; the good one's {good}.";

pub(super) fn step<'a>(shown: &Shown, sketch: &'a Sketch) -> Option<&'a Step> {
    sketch.steps.get(shown.step?)
}

/// One sentence for a difference.
pub fn difference(difference: &Difference, good: &Chosen, bad: &Chosen, lang: &Lang) -> String {
    let at = step(&difference.bad, &bad.sketch);
    let other = step(&difference.good, &good.sketch);
    let (of_good, of_bad) = (&difference.good.value, &difference.bad.value);
    // A message that one call lacks has its hop in the other one.
    let on_hop = match (difference.is_message, of_good) {
        (true, None) => at,
        _ => other.or(at),
    };
    let hop = on_hop.map_or(String::new(), |step| {
        let [from, to] = &step.ends;
        let args = [("from", from.told(lang)), ("to", to.told(lang))];
        lang.say(" ({from} to {to})", &args)
    });
    let name = at
        .or(other)
        .map_or(String::new(), |step| step.name.told(lang));
    let is_there = Words::label("there");
    let value = |value: &Option<Words>| match value {
        Some(value) if *value != is_there => value.told(lang),
        _ => String::new(),
    };
    let (of_good, of_bad) = (of_good.as_ref(), of_bad.as_ref());
    let template = match (of_good, of_bad, difference.is_message) {
        (Some(_), _, true) => "The bad call has no {what}{hop}; the good one has.",
        (None, _, true) => "Only the bad call has {what}{hop}.",
        (Some(_), Some(bad), _) => both(difference, at, bad),
        (Some(good), None, _) if *good == is_there => {
            "The bad call's {name}{hop} has no {what}; the good one's has."
        }
        (Some(_), None, _) => {
            "The bad call's {name}{hop} has no {what}; the good one's has: {good}."
        }
        (None, Some(bad), _) if *bad == is_there => {
            "The bad call's {name}{hop} has {what}; the good one's has none."
        }
        (None, Some(_), _) => {
            "The bad call's {name}{hop} has {what}: {bad}; the good one's has none."
        }
        (None, None, _) => return String::new(),
    };
    let or_empty = |text: String| match text.is_empty() {
        true => lang.word("empty").into_owned(),
        false if template == OTHER => format!("\"{text}\""),
        false => text,
    };
    let args = [
        ("what", difference.what.told(lang)),
        ("name", name),
        ("hop", hop),
        ("good", or_empty(value(&difference.good.value))),
        ("bad", or_empty(value(&difference.bad.value))),
    ];
    let said = lang.say(template, &args);
    match difference.also {
        0 => said,
        also => {
            let args = [("count", also.to_string())];
            said + &lang.say(" The same in {count} more.", &args)
        }
    }
}

// Where both calls have it.
fn both(difference: &Difference, at: Option<&Step>, bad: &Words) -> &'static str {
    let what = difference.what.english();
    match difference.topic {
        Topic::Codec if what.ends_with(" codecs") && !what.starts_with("order") => {
            let is_answer = at.is_some_and(|step| step.code.is_some());
            let good = difference.good.value.as_ref().map(Words::english);
            let (good, bad) = (good.unwrap_or_default(), bad.english());
            let known = |codec: &str| good.split(", ").any(|known| known == codec);
            let fewer = !bad.contains(", ") || bad.split(", ").all(known);
            match (is_answer, fewer) {
                (false, true) => {
                    "The bad call's {name}{hop} offers only {bad}; the good one's {good}."
                }
                (false, false) => "The bad call's {name}{hop} offers {bad}; the good one's {good}.",
                (true, true) => {
                    "The bad call's {name}{hop} takes only {bad}; the good one's {good}."
                }
                (true, false) => "The bad call's {name}{hop} takes {bad}; the good one's {good}.",
            }
        }
        Topic::Code => "The {name}{hop} stands where the good call has {good}.",
        Topic::Route if what == "receiver" => {
            "The bad call's {name}{hop} goes to {bad}; the good one's to {good}."
        }
        Topic::Rtp => "RTP in the bad call: {bad}; in the good one: {good}.",
        Topic::Repeats => "The bad call's {name}{hop} was sent {bad}; the good one's {good}.",
        Topic::Timing => {
            "The bad call's {name}{hop} came {bad} after the request; the good one's after {good}."
        }
        _ => OTHER,
    }
}

/// Why the first difference is the first.
pub fn why(one: &Ranked, bad: &Sketch, lang: &Lang) -> String {
    let cause = bad.cause.as_ref().map_or("", |cause| cause.rule);
    let code = bad.answer.as_ref().map_or(0, |(code, _)| *code);
    let args = [("rule", cause.to_owned()), ("code", code.to_string())];
    let said = match one.why {
        Why::CauseAndProof => {
            "First because the diagnosis of the bad call ({rule}) speaks of this, and its proof stands in this line."
        }
        Why::Cause => "First because the diagnosis of the bad call ({rule}) speaks of this.",
        Why::Proof => "First because the proof of the diagnosis ({rule}) stands in this line.",
        Why::Answer => "First because the answer {code} speaks of this.",
        Why::Before => {
            "First because of all that differs before the failure this weighs most; the diagnosis does not confirm it."
        }
        Why::After => "First although it came after the failure: nothing before it differs.",
    };
    lang.say(said, &args)
}
