//! The comparison as one JSON document.

use super::choose::Chosen;
use super::compare::{Comparison, Shown};
use super::rank::Group;
use super::{sentence, text};
use crate::lang::Lang;
use crate::lang::words::Words;
use serde_json::{Value, json};

/// What the document calls itself.
const SCHEMA: &str = "sipexplain-diff/1";

/// The document, ended by a line end.
pub fn write(good: &Chosen, bad: &Chosen, found: &Comparison, lang: &Lang) -> String {
    let all: Vec<Value> = found
        .all
        .iter()
        .map(|one| {
            let difference = &one.difference;
            json!({
                "topic": difference.topic.word(),
                "what": difference.what.english(),
                "group": one.group.word(),
                "weight": one.weight,
                "text": sentence::difference(difference, good, bad, lang),
                "why": (one.group == Group::Likely).then(|| sentence::why(one, &bad.sketch, lang)),
                "good": side(&difference.good, good),
                "bad": side(&difference.bad, bad),
                "also": difference.also,
            })
        })
        .collect();
    let document = json!({
        "schema": SCHEMA,
        "good": call(good),
        "bad": call(bad),
        "verdict": text::verdict(found, lang),
        "differences": all,
        "left_out": found.left_out,
    });
    format!("{document:#}\n")
}

fn call(chosen: &Chosen) -> Value {
    let sketch = &chosen.sketch;
    let [from, to] = &sketch.parties;
    json!({
        "call": sketch.id,
        "inputs": chosen.inputs,
        "method": sketch.method,
        "from": from,
        "to": to,
        "outcome": sketch.outcome.word(),
        "code": sketch.answer.as_ref().map(|(code, _)| code),
        "phrase": sketch.answer.as_ref().map(|(_, phrase)| phrase),
        "cause": sketch.cause.as_ref().map(|cause| cause.rule),
        "others": chosen.others,
        "messages_left_out": sketch.left_out,
    })
}

fn side(shown: &Shown, chosen: &Chosen) -> Value {
    let Some(step) = shown.step.and_then(|at| chosen.sketch.steps.get(at)) else {
        return Value::Null;
    };
    let unit = if step.place.is_line { "line" } else { "frame" };
    json!({
        "value": shown.value.as_ref().map(Words::english),
        "message": step.name.english(),
        "input": step.place.input,
        unit: step.place.number,
        "proof": shown.line,
    })
}
