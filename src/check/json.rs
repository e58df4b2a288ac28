//! Verdicts on expectations and golden files as one JSON document.

use super::cases;
use super::expect::{Failure, Fallen, Held, Proof, Verdict};
use super::golden::Verdict as Flow;
use super::told;
use crate::lang::Lang;
use crate::report::case::{self, Case};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What the document calls itself.
const SCHEMA: &str = "sipexplain-check/1";

/// The document about expectations, ended by a line end.
pub fn expectations(held: &Held) -> String {
    let all: Vec<Value> = held
        .verdicts()
        .iter()
        .map(|v| expectation(v, held))
        .collect();
    let document = json!({
        "schema": SCHEMA,
        "judged": held.unjudged.is_empty(),
        "unjudged": unjudged(&[held.unjudged.as_slice(), &held.empty].concat()),
        "inputs": held.inputs,
        "calls": held.calls,
        "unmatched": held.unmatched,
        "expectations": all,
    });
    format!("{document:#}\n")
}

/// The document about golden files, ended by a line end.
pub fn flows(
    folder: &Path,
    verdicts: &BTreeMap<String, Flow>,
    judged: bool,
    not_judged: &[Case],
) -> String {
    let flow = |(name, verdict): (&String, &Flow)| {
        json!({
            "file": folder.join(name).display().to_string(),
            "verdict": cases::word(verdict),
            "text": told::became(verdict, Lang::english()),
            "lines": told::difference(verdict, Lang::english()),
        })
    };
    let document = json!({
        "schema": SCHEMA,
        "judged": judged,
        "unjudged": unjudged(not_judged),
        "flows": verdicts.iter().map(flow).collect::<Vec<Value>>(),
    });
    format!("{document:#}\n")
}

fn unjudged(all: &[Case]) -> Vec<Value> {
    let of = |case: &Case| match &case.verdict {
        case::Verdict::Unjudged(fault) | case::Verdict::Failed(fault) => {
            json!({ "input": case.suite, "reason": fault.message })
        }
        _ => Value::Null,
    };
    all.iter().map(of).collect()
}

fn expectation(verdict: &Verdict, held: &Held) -> Value {
    let of_call = |fallen: &Fallen| {
        json!({
            "call": fallen.id,
            "title": fallen.title,
            "failures": fallen.failures.iter().map(|f| failure(f, held)).collect::<Vec<Value>>(),
        })
    };
    json!({
        "name": verdict.name,
        "file": verdict.place.file,
        "line": verdict.place.line,
        "passed": held.unjudged.is_empty().then_some(verdict.passed()),
        "calls": verdict.calls,
        "fallen": verdict.fallen,
        "count": verdict.count.as_ref().map(|f| failure(f, held)),
        "shown": verdict.shown.iter().map(of_call).collect::<Vec<Value>>(),
    })
}

fn failure(failure: &Failure, held: &Held) -> Value {
    let proof = |proof: &Proof| {
        let unit = if proof.is_line { "line" } else { "frame" };
        let [from, to] = proof.hop.map(|end| end.map(|end| end.to_string()));
        json!({
            "input": held.inputs.get(usize::from(proof.input)),
            unit: proof.place,
            "from": from,
            "to": to,
            "text": proof.line,
        })
    };
    json!({
        "key": failure.key,
        "expected": failure.expected.english(),
        "found": failure.found.english(),
        "proof": failure.proof.iter().map(proof).collect::<Vec<Value>>(),
    })
}
