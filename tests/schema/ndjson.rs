//! NDJSON holds the same objects as JSON, in an order that a reader can rely on.

use crate::harness::{fixtures, run};
use crate::list;
use serde_json::{Value, json};

fn kind(line: &Value) -> &str {
    line["kind"].as_str().expect("every line has a kind")
}

/// The document that the lines add up to.
fn rebuilt(lines: &[Value]) -> Value {
    let mut document = json!({ "calls": [], "findings": [], "explanations": {}, "inputs": [] });
    for line in lines {
        let mut object = line.as_object().unwrap().clone();
        object.remove("kind");
        match kind(line) {
            "run" => document["schema"] = object["schema"].clone(),
            "call" => document["calls"]
                .as_array_mut()
                .unwrap()
                .push(object.into()),
            "finding" => document["findings"]
                .as_array_mut()
                .unwrap()
                .push(object.into()),
            "input" => document["inputs"]
                .as_array_mut()
                .unwrap()
                .push(object.into()),
            "totals" => document["totals"] = object.into(),
            "explanation" => {
                let key = object.remove("key").unwrap();
                let old = document["explanations"]
                    .as_object_mut()
                    .unwrap()
                    .insert(key.as_str().unwrap().to_owned(), object.into());
                assert!(old.is_none(), "{key} is explained twice");
            }
            other => panic!("unknown kind {other}"),
        }
    }
    document
}

fn assert_order(name: &str, lines: &[Value]) {
    let kinds: Vec<&str> = lines.iter().map(kind).collect();
    assert_eq!(kinds.first(), Some(&"run"), "{name}");
    assert_eq!(kinds.last(), Some(&"totals"), "{name}");
    for once in ["run", "totals"] {
        let count = kinds.iter().filter(|kind| **kind == once).count();
        assert_eq!(count, 1, "{name}: {once}");
    }
    let mut explained = Vec::new();
    for line in lines {
        match kind(line) {
            "explanation" => explained.push(line["key"].clone()),
            "call" => {
                for answer in list(&line["final_responses"]) {
                    assert!(
                        explained.contains(&answer["explanation"]),
                        "{name}: {} is used before it is explained",
                        answer["explanation"]
                    );
                }
            }
            _ => {}
        }
    }
}

#[test]
fn the_lines_are_the_objects_of_the_document() {
    for fixture in fixtures() {
        let lines = run(["--format", "ndjson", &fixture.trace]).lines();
        assert_order(&fixture.name, &lines);
        assert_eq!(&rebuilt(&lines), fixture.json(), "{}", fixture.name);
    }
}

#[test]
fn an_input_that_cannot_be_read_is_in_the_lines_too() {
    for args in [
        &["no/such.pcap"][..],
        &["no/such.pcap", "fixtures/busy-486/trace.pcap"],
    ] {
        let ran = run(["--format", "ndjson"].iter().chain(args));
        assert_eq!(ran.status, 2, "{ran:?}");
        assert_order("no/such.pcap", &ran.lines());
        let document = run(["--format", "json"].iter().chain(args)).json();
        assert_eq!(rebuilt(&ran.lines()), document);
    }
}

#[test]
fn two_runs_write_the_same_bytes() {
    let several = [
        "--format",
        "ndjson",
        "fixtures/fork-ack-to-wrong-contact/trace.pcap",
        "fixtures/no-answer-at-all/trace.pcap",
        "fixtures/unwanted-607/trace.pcap",
    ];
    assert_eq!(run(several).out, run(several).out);
}
