//! The JSON reports against their contract: docs/report.schema.json, docs/report-fields.txt and what
//! no schema can say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "schema/accounts.rs"]
mod accounts;
#[path = "schema/fields.rs"]
mod fields;
mod harness;
#[path = "schema/messages.rs"]
mod messages;
#[path = "schema/ndjson.rs"]
mod ndjson;
#[path = "schema/sarif.rs"]
mod sarif;
#[path = "schema/validator.rs"]
mod validator;

use harness::{fixtures, read, run};
use serde_json::Value;
use validator::{Schema, validate};

fn schema() -> Schema {
    Schema::new(serde_json::from_str(&read("docs/report.schema.json")).unwrap())
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no array: {value}"))
}

/// Fails with all complaints at once.
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn the_report_of_every_fixture_is_valid_and_holds_no_undocumented_field() {
    let schema = schema();
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let document = fixture.json();
        let complaints = validate(&schema, document)
            .into_iter()
            .chain(fields::undocumented(&schema, document));
        wrong.extend(complaints.map(|complaint| format!("{}: {complaint}", fixture.name)));
    }
    none(wrong);
}

#[test]
fn the_report_of_inputs_that_cannot_be_read_is_valid() {
    let folder = std::env::temp_dir().join(format!("sipexplain-schema-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = folder.join("no-sip.txt");
    std::fs::write(&text, "nothing\nof\nthe\nkind\n").unwrap();
    let cut = folder.join("cut.pcap");
    let whole = std::fs::read("fixtures/busy-486/trace.pcap").unwrap();
    std::fs::write(&cut, &whole[..whole.len() - 7]).unwrap();
    let all = [
        text.to_str().unwrap(),
        cut.to_str().unwrap(),
        "no/such.pcap",
        "fixtures/busy-486/trace.pcap",
    ];
    for given in [&all[..], &all[..1], &all[1..2], &all[2..3], &all[..0]] {
        let given = if given.is_empty() {
            &["/dev/null"][..]
        } else {
            given
        };
        let ran = run(["--format", "json"].iter().chain(given));
        let document = ran.json();
        none(validate(&schema(), &document));
        none(fields::undocumented(&schema(), &document));
        assert_eq!(list(&document["inputs"]).len(), given.len(), "{ran:?}");
        if given.len() == 1 && given[0].ends_with("cut.pcap") {
            assert_eq!(ran.status, 0, "a cut last record is damage: {ran:?}");
            assert_ne!(document["inputs"][0]["damage"], serde_json::json!([]));
        } else {
            assert_eq!(ran.status, 2, "{ran:?}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn schema_and_list_of_fields_say_the_same() {
    let schema = schema();
    let listed = fields::listed(&read("docs/report-fields.txt"));
    let described = fields::described(&schema);
    let only = |a: &[String], b: &[String], what: &str| -> Vec<String> {
        let missing = a.iter().filter(|field| !b.contains(field));
        missing
            .map(|field| format!("only in {what}: {field}"))
            .collect()
    };
    none(only(&listed, &described, "report-fields.txt"));
    none(only(&described, &listed, "report.schema.json"));
}

#[test]
fn the_schema_uses_no_keyword_that_the_validator_ignores() {
    none(schema().unknown_keywords());
}

#[test]
fn damages_beyond_those_listed_are_counted() {
    let path = std::env::temp_dir().join(format!("sipexplain-damages-{}", std::process::id()));
    let mut file = std::fs::read("fixtures/wrappings/enhanced.pcapng").unwrap();
    // Packet blocks too short for their fields.
    for _ in 0..40 {
        file.extend([6, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0]);
    }
    std::fs::write(&path, file).unwrap();
    let name = path.to_str().unwrap();
    let document = run(["--format", "json", name]).json();
    let input = &document["inputs"][0];
    assert_eq!(list(&input["damage"]).len(), 32);
    assert_eq!(input["more_damage"], 8);
    none(validate(&schema(), &document));
    let text = run([name]).out;
    assert!(text.contains("damaged in 37 more places"), "{text}");
    std::fs::remove_file(path).unwrap();
}
