//! SARIF reports against tests/schema/sarif-2.1.0.json: the part of SARIF 2.1.0 that is written, and
//! nothing else. The variable SIPEXPLAIN_SARIF_SCHEMA may name the schema of OASIS; then that counts too.

use crate::harness::{fixtures, hostile, read, run};
use crate::validator::{Schema, validate};
use crate::{list, none};
use serde_json::Value;

fn schemas() -> Vec<Schema> {
    let whole = std::env::var("SIPEXPLAIN_SARIF_SCHEMA").ok();
    let whole = whole.map(|path| std::fs::read_to_string(path).unwrap());
    let texts = [Some(read("tests/schema/sarif-2.1.0.json")), whole];
    let parsed = texts
        .iter()
        .flatten()
        .map(|text| serde_json::from_str(text));
    parsed
        .map(|document| Schema::new(document.unwrap()))
        .collect()
}

fn complaints(schemas: &[Schema], document: &Value) -> Vec<String> {
    let of = |schema| validate(schema, document);
    schemas
        .iter()
        .flat_map(of)
        .chain(references(document))
        .collect()
}

/// What no schema can say: indices that hold.
fn references(document: &Value) -> Vec<String> {
    let run = &document["runs"][0];
    let rules = list(&run["tool"]["driver"]["rules"]);
    let artifacts = list(&run["artifacts"]);
    let mut wrong = Vec::new();
    for result in list(&run["results"]) {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        if rules[index]["id"] != result["ruleId"] {
            wrong.push(format!("{} is not rule {index}", result["ruleId"]));
        }
        for location in list(&result["locations"]) {
            let artifact = &location["physicalLocation"]["artifactLocation"];
            let index = artifact["index"].as_u64().unwrap() as usize;
            if artifacts[index]["location"]["uri"] != artifact["uri"] {
                wrong.push(format!("{} is not artifact {index}", artifact["uri"]));
            }
        }
    }
    wrong
}

#[test]
fn the_report_of_every_fixture_is_sarif() {
    let schemas = schemas();
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let document = run(["--format", "sarif", &fixture.trace]).json();
        let found = complaints(&schemas, &document);
        wrong.extend(found.iter().map(|what| format!("{}: {what}", fixture.name)));
        // Every finding of the JSON report that is no symptom is a result.
        let calls = list(&fixture.json()["calls"]).iter();
        let findings = calls.flat_map(|call| list(&call["findings"]));
        let told = findings
            .filter(|finding| finding["role"] != "symptom")
            .count()
            + list(&fixture.json()["findings"]).len();
        let results = list(&document["runs"][0]["results"]).iter();
        let of_rules = results
            .filter(|result| result["ruleId"] != "undetermined")
            .count();
        if told != of_rules {
            wrong.push(format!(
                "{}: {told} findings, {of_rules} results",
                fixture.name
            ));
        }
    }
    none(wrong);
}

#[test]
fn hostile_values_and_unread_inputs_are_sarif() {
    let path = hostile::capture("hostile-sarif");
    let ran = run([
        "--format",
        "sarif",
        path.to_str().unwrap(),
        "no/such file.pcap",
    ]);
    let document = ran.json();
    none(complaints(&schemas(), &document));
    let run = &document["runs"][0];
    let causes = list(&run["results"]).iter();
    let causes = causes.filter(|result| result["properties"]["role"] == "cause");
    assert_eq!(causes.count(), hostile::IDS.len());
    let text = run["results"][0]["message"]["text"].as_str().unwrap();
    assert!(text.contains("\\[l\\](http://evil.example)"), "{text}");
    assert!(text.contains("{{0}}"), "{text}");
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let at = &invocation["toolExecutionNotifications"][0]["locations"][0];
    assert_eq!(
        at["physicalLocation"]["artifactLocation"]["uri"],
        "no/such%20file.pcap"
    );
}

#[test]
fn sarif_of_a_log_names_its_lines() {
    let log = "fixtures/asterisk-log-404/trace.log";
    let document = run(["--format", "sarif", log]).json();
    let result = &document["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"]["region"];
    let text = read(log);
    let line = region["startLine"].as_u64().unwrap() as usize - 1;
    assert!(text.lines().nth(line).unwrap().starts_with("INVITE "));
}

#[test]
fn a_document_that_is_no_sarif_is_rejected() {
    let schemas = schemas();
    let right = run(["--format", "sarif", "fixtures/server-error-500/trace.pcap"]).json();
    none(complaints(&schemas, &right));
    for (place, value) in [
        ("/version", "2.2.0".into()),
        ("/runs/0/results/0/level", "fatal".into()),
        ("/runs/0/results/0/message", Value::Null),
        ("/runs/0/results/0/locations/0/frame", 1.into()),
        ("/runs/0/tool/driver/name", 1.into()),
        ("/runs/0/language", "english".into()),
    ] {
        let mut wrong = right.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        wrong.pointer_mut(parent).unwrap()[name] = value;
        assert!(!validate(&schemas[0], &wrong).is_empty(), "{place}");
    }
}
