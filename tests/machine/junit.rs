//! JUnit against the rules of Jenkins' schema (xunit-plugin, junit-10.xsd), with a strict XML reader. The
//! variable SIPEXPLAIN_JUNIT_SCHEMA may name that schema; then `xmllint` reads every report by it too.

use crate::harness::{fixtures, hostile, run};
use crate::{FAILED, HEALTHY, hostile_report};
use std::collections::BTreeMap;

/// An element as it was read.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub(crate) fn all<'a>(&'a self, name: &str) -> Vec<&'a Element> {
        let mut found = Vec::new();
        for child in &self.children {
            found.extend((child.name == name).then_some(child));
            found.extend(child.all(name));
        }
        found
    }
}

/// Elements, attributes in double quotes and character references: what the writer may use. Anything
/// else stops the test, `<` or a bare `&` in text among it.
fn parse(document: &str) -> Element {
    let rest = document
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .unwrap();
    let allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(
        rest.chars().all(allowed),
        "a character that XML 1.0 forbids"
    );
    assert!(!rest.contains("]]>"), "the end of a CDATA section");
    let (element, after) = element(rest);
    assert_eq!(after.trim(), "", "something after the root");
    element
}

fn element(text: &str) -> (Element, &str) {
    let rest = text
        .strip_prefix('<')
        .unwrap_or_else(|| panic!("no tag: {text:.80}"));
    let end = rest
        .find(|c: char| !c.is_ascii_lowercase() && c != '-')
        .unwrap();
    let mut found = Element {
        name: rest[..end].to_owned(),
        ..Element::default()
    };
    let mut rest = &rest[end..];
    while let Some(after) = rest.strip_prefix(' ') {
        let (name, value) = after.split_once("=\"").unwrap();
        assert!(name.chars().all(|c| c.is_ascii_lowercase()), "{name}");
        let (value, after) = value.split_once('"').unwrap();
        let twice = found.attributes.insert(name.to_owned(), unescaped(value));
        assert!(twice.is_none(), "{name} stands twice");
        rest = after;
    }
    if let Some(after) = rest.strip_prefix("/>") {
        return (found, after);
    }
    rest = rest
        .strip_prefix('>')
        .unwrap_or_else(|| panic!("no end of a tag: {rest:.80}"));
    loop {
        let (text, _) = rest.split_once('<').unwrap();
        found.text += &unescaped(text);
        rest = &rest[text.len()..];
        if let Some(after) = rest.strip_prefix(&format!("</{}>", found.name)) {
            return (found, after);
        }
        let (child, after) = element(rest);
        found.children.push(child);
        rest = after;
    }
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains('<'), "{text}");
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, after) = part.split_once(';').expect("a bare ampersand");
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            _ => {
                let number = name.strip_prefix('#').unwrap().parse().unwrap();
                char::from_u32(number).unwrap()
            }
        });
        out += after;
    }
    out
}

/// Name, attributes (`!`: required), children: the rows of the schema that the writer uses. Nothing that they
/// allow is refused by the schema: it asks for no order of children, and limits only the time of suites.
const RULES: [(&str, &[&str], &[&str]); 7] = [
    (
        "testsuites",
        &["name", "tests", "failures", "errors"],
        &["testsuite"],
    ),
    (
        "testsuite",
        &[
            "name!",
            "tests!",
            "failures!",
            "errors!",
            "skipped",
            "timestamp",
            "id",
            "file",
        ],
        &[
            "testsuite",
            "properties",
            "testcase",
            "system-out",
            "system-err",
        ],
    ),
    (
        "testcase",
        &["name!", "time", "classname", "group"],
        &["skipped", "error", "failure", "system-out", "system-err"],
    ),
    ("failure", &["type", "message"], &[]),
    ("error", &["type", "message"], &[]),
    ("skipped", &["type", "message"], &[]),
    ("system-out", &[], &[]),
];

fn check(element: &Element) {
    let name = element.name.as_str();
    let (_, attributes, children) = RULES.iter().find(|rule| rule.0 == name).expect(name);
    for attribute in element.attributes.keys() {
        let known = |known: &&&str| known.trim_end_matches('!') == attribute;
        assert!(
            attributes.iter().any(|a| known(&a)),
            "{name} has {attribute}"
        );
    }
    for required in attributes.iter().filter_map(|a| a.strip_suffix('!')) {
        assert!(
            element.attributes.contains_key(required),
            "{name} lacks {required}"
        );
    }
    let mixed = matches!(name, "failure" | "error" | "skipped" | "system-out");
    assert!(mixed || element.text.trim().is_empty(), "{name} holds text");
    for child in &element.children {
        assert!(
            children.contains(&child.name.as_str()),
            "{name} holds {}",
            child.name
        );
        check(child);
    }
    if name == "testsuite" {
        for (count, counted) in [
            ("tests", "testcase"),
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ] {
            assert_eq!(element.get(count), element.all(counted).len().to_string());
        }
    }
}

/// A report that fits the schema.
pub(crate) fn read(document: &str) -> Element {
    let root = parse(document);
    assert_eq!(root.name, "testsuites");
    check(&root);
    assert_eq!(refused(document), None);
    root
}

/// Why the schema itself refuses a document; nothing where there is none on this machine.
fn refused(document: &str) -> Option<String> {
    let schema = std::env::var_os("SIPEXPLAIN_JUNIT_SCHEMA")?;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let thread = format!("{:?}", std::thread::current().id());
    let digits: String = thread.chars().filter(char::is_ascii_digit).collect();
    let file = folder.join(format!("report-{digits}.xml"));
    std::fs::write(&file, document).unwrap();
    let mut xmllint = std::process::Command::new("xmllint");
    let ran = xmllint.args(["--noout", "--schema"]).arg(schema).arg(file);
    let ran = ran.output().expect("there is no xmllint");
    (!ran.status.success()).then(|| String::from_utf8_lossy(&ran.stderr).into_owned())
}

fn report(args: &[&str]) -> Element {
    let ran = run(["--format", "junit"].iter().chain(args));
    read(&ran.out)
}

#[test]
fn the_report_of_every_fixture_fits_the_schema_and_fails_as_often_as_calls_do() {
    for fixture in fixtures() {
        let root = report(&[&fixture.trace]);
        let calls = fixture.json()["calls"].as_array().unwrap();
        let failed = calls.iter().filter(|call| {
            let outcome = call["outcome"].as_str().unwrap();
            ["failed", "timed-out", "redirected"].contains(&outcome)
        });
        assert_eq!(
            root.all("failure").len(),
            failed.count(),
            "{}",
            fixture.name
        );
        let findings = fixture.json()["findings"].as_array().unwrap().len();
        assert_eq!(root.all("testcase").len(), calls.len() + findings);
        for case in root.all("testcase") {
            assert_eq!(case.get("classname"), fixture.trace);
        }
    }
}

#[test]
fn hostile_values_come_back_as_they_are_shown() {
    let root = read(&hostile_report("junit").out);
    assert_eq!(root.all("failure").len(), hostile::IDS.len());
    let message = root.all("failure")[0].get("message");
    assert!(
        message.contains("]]></failure><script>alert(1)</script> \"q\""),
        "{message}"
    );
    assert!(message.contains("\\x1B[31m\\x00\\x07"), "{message}");
    assert!(
        root.children[0]
            .get("name")
            .ends_with("{0}[l](m)<b>#SKIP.pcap")
    );
}

#[test]
fn what_falls_short_is_what_fail_on_says() {
    let busy = "fixtures/busy-486/trace.pcap";
    let late = "fixtures/auth-stale-not-said-recovers/trace.pcap";
    for trace in [busy, late, FAILED, HEALTHY] {
        for bar in ["failed", "error", "warning"] {
            let args = ["--fail-on", bar, trace];
            let status = run(["--format", "junit"].iter().chain(&args)).status;
            let failures = report(&args).all("failure").len();
            assert_eq!(failures > 0, status == 1, "{trace} {bar}");
        }
    }
}

#[test]
fn a_suite_is_an_input_and_one_that_cannot_be_read_is_an_error() {
    let root = report(&[FAILED, "no/such.pcap", HEALTHY]);
    let names: Vec<&str> = root
        .children
        .iter()
        .map(|suite| suite.get("name"))
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let unread = root
        .children
        .iter()
        .find(|s| s.get("name") == "no/such.pcap")
        .unwrap();
    assert_eq!((unread.get("tests"), unread.get("errors")), ("1", "1"));
    assert_eq!(unread.all("error")[0].get("type"), "unread");
}

#[test]
fn a_call_that_was_not_seen_whole_is_skipped() {
    let root = report(&["fixtures/ends-while-ringing/trace.pcap"]);
    assert_eq!(root.all("skipped").len(), 1);
    assert_eq!(root.all("failure").len(), 0);
}
