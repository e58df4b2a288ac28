//! CSV, read by a reader of RFC 4180.

use crate::harness::{fixtures, hostile, run};
use crate::hostile_report;

/// Rows of fields; anything that RFC 4180 does not allow stops the test.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut row = Vec::new();
        loop {
            let (field, after) = field(rest);
            row.push(field);
            if let Some(after) = after.strip_prefix(',') {
                rest = after;
                continue;
            }
            rest = after.strip_prefix("\r\n").expect("the end of a row");
            break;
        }
        rows.push(row);
    }
    let width = rows[0].len();
    assert!(
        rows.iter().all(|row| row.len() == width),
        "rows differ in length"
    );
    rows
}

fn field(text: &str) -> (String, &str) {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\r']).unwrap();
        assert!(!text[..end].contains('"'), "a quote in a bare field");
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut field = String::new();
    loop {
        let (part, after) = rest.split_once('"').expect("the end of a field");
        field += part;
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return (field, after),
        }
    }
}

fn column<'a>(rows: &'a [Vec<String>], name: &str) -> Vec<&'a str> {
    let index = rows[0].iter().position(|field| field == name).expect(name);
    rows[1..].iter().map(|row| row[index].as_str()).collect()
}

#[test]
fn no_hostile_value_is_a_formula() {
    for format in ["csv", "csv-finals"] {
        let rows = rows(&hostile_report(format).out);
        assert_eq!(rows.len(), hostile::IDS.len() + 1);
        for field in rows.iter().flatten() {
            let formula = ['=', '+', '-', '@'];
            assert!(
                !field.trim_start().starts_with(formula),
                "{format}: {field}"
            );
        }
        let reasons = column(&rows, "reason");
        assert!(
            reasons[0].starts_with("'=cmd|' /C calc'!A0 ::error"),
            "{reasons:?}"
        );
        let ids = column(&rows, "call_id");
        let fit = ids
            .iter()
            .zip(hostile::IDS)
            .all(|(id, begins)| id.trim_start_matches('\'').starts_with(begins));
        assert!(fit, "{ids:?}");
    }
}

#[test]
fn the_tables_hold_what_json_says() {
    for fixture in fixtures() {
        let document = fixture.json();
        let calls = document["calls"].as_array().unwrap();
        let table = rows(&run(["--format", "csv", &fixture.trace]).out);
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        for name in ["id", "start", "end", "method", "outcome", "root_cause"] {
            let want: Vec<String> = calls.iter().map(|call| text(&call[name])).collect();
            assert_eq!(column(&table, name), want, "{} {name}", fixture.name);
        }
        let finals = rows(&run(["--format", "csv-finals", &fixture.trace]).out);
        let answers: Vec<_> = calls
            .iter()
            .flat_map(|call| call["final_responses"].as_array().unwrap())
            .collect();
        for name in [
            "code",
            "cseq",
            "frame",
            "part",
            "line",
            "last_line",
            "time",
            "source",
            "step",
            "step_of",
        ] {
            let want: Vec<String> = answers.iter().map(|answer| text(&answer[name])).collect();
            assert_eq!(column(&finals, name), want, "{} {name}", fixture.name);
        }
        let decide = column(&finals, "decides");
        let decided = calls.iter().filter(|call| !call["decided_by"].is_null());
        assert_eq!(
            decide.iter().filter(|yes| **yes == "yes").count(),
            decided.count()
        );
    }
}
