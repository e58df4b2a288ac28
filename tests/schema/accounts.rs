//! What no schema can say: references that hold, sums that agree, proof that stands in the trace.

use crate::harness::{fixtures, run};
use crate::messages::{Place, messages};
use crate::{list, none};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Traces that were read together, and what their report gets wrong.
struct Checked {
    name: &'static str,
    traces: Vec<&'static str>,
    wrong: Vec<String>,
}

impl Checked {
    fn require(&mut self, fits: bool, complaint: impl FnOnce() -> String) {
        if !fits {
            self.wrong.push(format!("{}: {}", self.name, complaint()));
        }
    }
}

/// Does this to the report of every fixture, and to that of all of them read together.
fn on_every_report(check: impl Fn(&mut Checked, &Value)) {
    let mut wrong = Vec::new();
    let mut look = |name, traces, report: &Value| {
        let mut checked = Checked {
            name,
            traces,
            wrong: vec![],
        };
        check(&mut checked, report);
        wrong.append(&mut checked.wrong);
    };
    for fixture in fixtures() {
        look(&fixture.name, vec![&fixture.trace], fixture.json());
    }
    static TOGETHER: OnceLock<Value> = OnceLock::new();
    let all: Vec<&str> = fixtures().iter().map(|f| f.trace.as_str()).collect();
    let report = TOGETHER.get_or_init(|| run(["--format", "json"].iter().chain(&all)).json());
    look("all fixtures together", all, report);
    none(wrong);
}

fn index(value: &Value) -> Option<usize> {
    value.as_u64().map(|index| index as usize)
}

fn calls(document: &Value) -> &[Value] {
    list(&document["calls"])
}

fn finals(call: &Value) -> &[Value] {
    list(&call["final_responses"])
}

fn place(of: &Value) -> Place {
    let input = of["input"].as_u64().unwrap();
    match (of["frame"].as_u64(), of["line"].as_u64()) {
        (Some(frame), None) => (input, frame, of["part"].as_u64().unwrap()),
        (None, Some(line)) => (input, line, 0),
        _ => panic!("of frame and line one is null: {of}"),
    }
}

#[test]
fn decided_by_names_a_response_that_decides() {
    on_every_report(|checked, document| {
        for call in calls(document) {
            let id = &call["id"];
            let Some(decided) = index(&call["decided_by"]) else {
                let outcome = call["outcome"].as_str().unwrap();
                // The answer that decided may have come before the capture.
                let found = call["findings"].as_array().unwrap();
                let begun = found.iter().any(|f| f["rule"] == "capture-partial-call");
                let silent = ["timed-out", "unfinished", "cancelled"].contains(&outcome);
                checked.require(silent || (begun && outcome == "succeeded"), || {
                    format!("call {id} is {outcome}, and no response decided it")
                });
                continue;
            };
            let Some(answer) = finals(call).get(decided) else {
                checked.require(false, || format!("call {id}: no final response {decided}"));
                continue;
            };
            let step = answer["step"].as_str();
            checked.require(matches!(step, None | Some("cancelled")), || {
                format!("call {id} was decided by a mere step: {step:?}")
            });
            checked.require(answer["method"] == call["method"], || {
                format!("call {id} was decided by an answer to {}", answer["method"])
            });
            let success = |other: &&Value| {
                (200..300).contains(&other["code"].as_u64().unwrap())
                    && other["method"] == "INVITE"
                    && other["call_id"] == answer["call_id"]
                    && other["cseq"].as_u64() < answer["cseq"].as_u64()
            };
            let before = finals(call)[..decided].iter().find(success);
            checked.require(before.is_none() || call["method"] != "INVITE", || {
                format!("call {id} was decided by an answer to a re-INVITE")
            });
        }
    });
}

#[test]
fn a_relay_names_what_it_relays() {
    on_every_report(|checked, document| {
        for call in calls(document) {
            for (at, answer) in finals(call).iter().enumerate() {
                let relayed = answer["step"] == "relayed";
                let original = index(&answer["step_of"]);
                checked.require(relayed == original.is_some(), || {
                    format!("step {} and step_of {original:?}", answer["step"])
                });
                let fits = original.is_none_or(|original| {
                    original < at
                        && finals(call)[original]["code"] == answer["code"]
                        && finals(call)[original]["cseq"] == answer["cseq"]
                });
                checked.require(fits, || {
                    format!("call {}: {at} relays {original:?}", call["id"])
                });
            }
        }
    });
}

#[test]
fn root_cause_names_the_one_finding_with_that_role() {
    on_every_report(|checked, document| {
        for call in calls(document) {
            let causes: Vec<&Value> = list(&call["findings"])
                .iter()
                .filter(|finding| finding["role"] == "cause")
                .map(|finding| &finding["rule"])
                .collect();
            let named: Vec<&Value> = [&call["root_cause"]]
                .into_iter()
                .filter(|root| !root.is_null())
                .collect();
            checked.require(causes == named, || {
                format!("root cause {named:?}, findings with that role {causes:?}")
            });
            let failure = ["failed", "timed-out", "redirected", "refused"]
                .contains(&call["outcome"].as_str().unwrap());
            let explained = !call["root_cause"].is_null() || !call["undetermined"].is_null();
            checked.require(explained || !failure, || {
                format!(
                    "call {} is {}, without cause and without a word about that",
                    call["id"], call["outcome"]
                )
            });
            checked.require(
                call["root_cause"].is_null() || call["undetermined"].is_null(),
                || format!("call {} has a cause and is undetermined", call["id"]),
            );
        }
    });
}

#[test]
fn every_explanation_is_there_and_used() {
    on_every_report(|checked, document| {
        let explained = document["explanations"].as_object().unwrap();
        let used: Vec<&str> = calls(document)
            .iter()
            .flat_map(finals)
            .map(|answer| answer["explanation"].as_str().unwrap())
            .collect();
        for key in &used {
            checked.require(explained.contains_key(*key), || {
                format!("{key} is not explained")
            });
        }
        for key in explained.keys() {
            checked.require(used.contains(&key.as_str()), || {
                format!("{key} is explained and not used")
            });
        }
        for answer in calls(document).iter().flat_map(finals) {
            let (code, key) = (
                answer["code"].to_string(),
                answer["explanation"].to_string(),
            );
            checked.require(
                key.trim_matches('"').split('/').next() == Some(&code),
                || format!("{code} is explained by {key}"),
            );
        }
    });
}

/// Every sentence that the program wrote, with its place.
fn sentences(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    const OURS: [&str; 9] = [
        "title",
        "why",
        "fix",
        "note",
        "meaning",
        "when",
        "would_help",
        "would_confirm",
        "grounds",
    ];
    match value {
        Value::Array(items) => items.iter().for_each(|item| sentences(item, path, found)),
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}.{name}");
                match value.as_str() {
                    Some(text) if OURS.contains(&name.as_str()) => {
                        found.push((path, text.to_owned()));
                    }
                    _ => sentences(value, &path, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_sentence_is_complete() {
    on_every_report(|checked, document| {
        let mut all = Vec::new();
        sentences(document, "", &mut all);
        for (path, text) in all {
            checked.require(!text.trim().is_empty(), || format!("{path} is empty"));
            let placeholder = text.split('{').skip(1).any(|after| {
                after.split_once('}').is_some_and(|(name, _)| {
                    name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                })
            });
            checked.require(!placeholder, || format!("{path} has a placeholder: {text}"));
            checked.require(!text.contains("  "), || {
                format!("{path} has two blanks in a row: {text}")
            });
        }
    });
}

#[test]
fn every_final_response_of_the_trace_appears_exactly_once() {
    on_every_report(|checked, document| {
        let mut seen: Vec<(Place, u64)> = Vec::new();
        for answer in calls(document).iter().flat_map(finals) {
            let code = answer["code"].as_u64().unwrap();
            seen.push((place(answer), code));
            seen.extend(
                list(&answer["repeats"])
                    .iter()
                    .map(|repeat| (place(repeat), code)),
            );
        }
        seen.sort_unstable();
        let all: Vec<(Place, u64)> = messages(&checked.traces)
            .into_iter()
            .filter_map(|(place, message)| Some((place, u64::from(message.code?))))
            .filter(|(_, code)| *code >= 200)
            .collect();
        checked.require(seen == all, || {
            format!("the trace holds {all:?}, the report {seen:?}")
        });
    });
}

/// A byte of text written as `\xHH` stands for itself; a masked byte for any.
fn fits(text: &str, bytes: &[u8]) -> bool {
    let mut at = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let escaped = rest
            .strip_prefix("\\x")
            .and_then(|after| u8::from_str_radix(after.get(..2)?, 16).ok())
            .filter(|byte| bytes.get(at) == Some(byte));
        let (taken, length) = match escaped {
            Some(_) => (4, 1),
            None => (c.len_utf8(), c.len_utf8()),
        };
        let here = bytes.get(at..at + length);
        let same = escaped.is_some() || here == Some(&rest.as_bytes()[..taken]);
        if !same && (c != '*' || here.is_none()) {
            return false;
        }
        at += length;
        rest = &rest[taken..];
    }
    at == bytes.len()
}

#[test]
fn the_proof_stands_in_the_trace() {
    on_every_report(|checked, document| {
        let all = messages(&checked.traces);
        let of_calls = calls(document)
            .iter()
            .flat_map(|call| list(&call["findings"]));
        for finding in of_calls.chain(list(&document["findings"])) {
            let rule = &finding["rule"];
            checked.require(!list(&finding["evidence"]).is_empty(), || {
                format!("{rule} gives no proof")
            });
            for evidence in list(&finding["evidence"]) {
                if evidence["kind"] == "beside" {
                    let said = evidence["text"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty());
                    checked.require(evidence["frame"].is_u64() && said, || {
                        format!("{rule}: {evidence} names no frame, or says nothing of it")
                    });
                    continue;
                }
                let Some(message) = all.get(&place(evidence)) else {
                    checked.require(false, || format!("{rule}: no message at {evidence}"));
                    continue;
                };
                let span = |name: &str| {
                    let ends = evidence[name].as_array()?;
                    Some((index(&ends[0])?, index(&ends[1])?))
                };
                let text = evidence["text"].as_str();
                match evidence["kind"].as_str().unwrap() {
                    "elsewhere" => {
                        // `REGISTER`, or `200 (REGISTER)`.
                        let line = String::from_utf8_lossy(&message.raw);
                        let text = text.unwrap();
                        let shown = match text.split_once(' ') {
                            Some((code, _)) => line.starts_with(&format!("SIP/2.0 {code} ")),
                            None => line.starts_with(&format!("{text} ")),
                        };
                        checked.require(shown, || format!("{rule}: {text} is not at {evidence}"));
                    }
                    "absence" => {
                        let (from, until) = (&evidence["from"], &evidence["until"]);
                        checked.require(
                            from.as_str().is_some() && from.as_str() < until.as_str(),
                            || format!("{rule}: absence from {from} until {until}"),
                        );
                    }
                    kind => {
                        let (start, end) = span("span").expect("a span");
                        let bytes = message.raw.get(start..end);
                        checked.require(bytes.is_some(), || {
                            format!("{rule}: {start} to {end} is outside of the message")
                        });
                        let (text, bytes) = (text.unwrap(), bytes.unwrap_or_default());
                        checked.require(kind != "excerpt" || fits(text, bytes), || {
                            format!(
                                "{rule}: {text:?} is no excerpt of {:?}",
                                bytes.escape_ascii().to_string()
                            )
                        });
                        let marked = span("mark");
                        checked.require(
                            marked.is_none_or(|(from, to)| from < to && from >= start),
                            || format!("{rule}: mark {marked:?} in {start} to {end}"),
                        );
                        let name = evidence["name"].as_str();
                        checked.require(
                            name.is_none_or(|name| bytes.starts_with(name.as_bytes())),
                            || format!("{rule}: the header {name:?} does not stand there"),
                        );
                        checked
                            .require((evidence["part_of"] == "header") == name.is_some(), || {
                                format!("{rule}: part of {}, header {name:?}", evidence["part_of"])
                            });
                    }
                }
            }
        }
    });
}

#[test]
fn an_excerpt_is_compared_byte_by_byte() {
    assert!(fits("abc \\xFF*", b"abc \xFFz"));
    assert!(fits("\\xzz", b"\\xzz"));
    assert!(!fits("abc", b"abd"));
    assert!(!fits("abc", b"abcd"));
    assert!(!fits("abc*", b"abc"));
    assert!(!fits("\\xFE", b"\xFF"));
}

fn counted<K: Ord>(keys: impl IntoIterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

fn counts(of: &Value) -> BTreeMap<String, u64> {
    let pairs = of.as_object().unwrap().iter();
    pairs
        .map(|(key, count)| (key.clone(), count.as_u64().unwrap()))
        .collect()
}

#[test]
fn the_totals_are_those_of_the_calls() {
    on_every_report(|checked, document| {
        let totals = &document["totals"];
        let calls = calls(document);
        let number = |name: &str| totals[name].as_u64().unwrap();
        let mut require = |name: &str, fits: bool| {
            checked.require(fits, || format!("totals.{name} is {}", totals[name]));
        };
        require("entries", number("entries") == calls.len() as u64);
        let invites = calls.iter().filter(|call| call["method"] == "INVITE");
        require("calls", number("calls") == invites.count() as u64);
        let answers = || calls.iter().flat_map(finals);
        let codes = counted(answers().map(|answer| answer["code"].to_string()));
        require(
            "final_responses",
            counts(&totals["final_responses"]) == codes,
        );
        let deciding = calls.iter().filter_map(|call| {
            let answer = finals(call).get(index(&call["decided_by"])?)?;
            Some(answer["code"].to_string())
        });
        require("deciding", counts(&totals["deciding"]) == counted(deciding));
        let outcomes = counted(calls.iter().map(|call| {
            let text = |name: &str| call[name].as_str().unwrap().to_owned();
            (text("method"), text("outcome"))
        }));
        let said: BTreeMap<(String, String), u64> = totals["outcomes"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(method, of)| {
                let of = counts(of).into_iter();
                of.map(|(outcome, count)| ((method.clone(), outcome), count))
            })
            .collect();
        require("outcomes", said == outcomes);
        require(
            "messages",
            number("messages") == number("requests") + number("responses"),
        );
        let duplicates = answers()
            .flat_map(|answer| list(&answer["repeats"]))
            .filter(|repeat| repeat["kind"] == "duplicate")
            .count() as u64;
        let read: u64 = list(&document["inputs"])
            .iter()
            .map(|input| input["sip_messages"].as_u64().unwrap())
            .sum();
        require("messages", number("messages") + duplicates <= read);
        require("messages", duplicates > 0 || number("messages") == read);
        let all = messages(&checked.traces).len() as u64;
        checked.require(read == all, || {
            format!("{read} messages counted, {all} read")
        });
    });
}

#[test]
fn every_frame_is_accounted_for_once() {
    on_every_report(|checked, document| {
        for input in list(&document["inputs"]) {
            let number = |name: &str| input[name].as_u64();
            let sum = |name: &str| -> u64 {
                let all = list(&input[name]).iter();
                all.map(|account| account["frames"].as_u64().unwrap()).sum()
            };
            let fits = match number("frames") {
                Some(frames) => {
                    frames == number("sip_frames").unwrap() + sum("other") + sum("not_decoded")
                }
                None => number("sip_lines") <= number("lines"),
            };
            checked.require(fits, || format!("the frames do not add up: {input}"));
        }
    });
}

#[test]
fn numbers_and_times_of_calls_are_in_order() {
    on_every_report(|checked, document| {
        let mut ids: Vec<u64> = calls(document)
            .iter()
            .map(|call| call["id"].as_u64().unwrap())
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        checked.require(ids.len() == count, || "a number is used twice".to_owned());
        for call in calls(document) {
            let (start, end) = (call["start"].as_str(), call["end"].as_str());
            let fits = start.is_none() || end.is_none() || start <= end;
            checked.require(fits, || {
                format!("call {} ends before it starts", call["id"])
            });
            for answer in finals(call) {
                let time = answer["time"].as_str();
                let fits = time.is_none() || start.is_none() || time >= start;
                checked.require(fits, || {
                    format!("call {}: answered at {time:?}, before it began", call["id"])
                });
            }
        }
    });
}
