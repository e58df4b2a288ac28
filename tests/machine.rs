//! The formats for machines and merge requests: JUnit, TAP, GitHub, GitLab, Markdown, CSV, several at
//! once. What each is held against is the format's own definition; SARIF stands in tests/schema.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

#[path = "machine/check.rs"]
mod check;
#[path = "machine/csv.rs"]
mod csv;
mod harness;
#[path = "machine/junit.rs"]
mod junit;
#[path = "machine/outputs.rs"]
mod outputs;
#[path = "machine/services.rs"]
mod services;
#[path = "machine/tap.rs"]
mod tap;

use harness::{Ran, hostile, read, root, run};

const FAILED: &str = "fixtures/codec-488/trace.pcap";
const HEALTHY: &str = "fixtures/healthy-basic-call/trace.pcap";
const LOG: &str = "fixtures/asterisk-log-404/trace.log";

const FORMATS: [&str; 8] = [
    "junit",
    "tap",
    "sarif",
    "github",
    "gitlab",
    "markdown",
    "csv",
    "csv-finals",
];

/// The report on the hostile capture.
fn hostile_report(format: &str) -> Ran {
    let path = hostile::capture(&format!("hostile-{format}"));
    run(["--format", format, path.to_str().unwrap()])
}

/// Without the pages of rules, which change with them.
fn without_pages(text: &str) -> String {
    let (before, after) = ("\"markdown\":\"", "\",\"text\"");
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (_, rest) = part.split_once(after).unwrap();
        out += &format!("{before}...{after}{rest}");
    }
    out
}

#[test]
fn the_reports_are_as_they_were_accepted() {
    for format in FORMATS {
        for (name, trace) in [("failed", FAILED), ("healthy", HEALTHY)] {
            let ran = run(["--format", format, trace]);
            assert_eq!((ran.status, ran.err.as_str()), (0, ""));
            let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
            let text = ran.out.replace(&version, "\"version\":\"X\"");
            let text = without_pages(&text);
            let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
            let text: String = lines.collect();
            let path = format!("tests/snapshots/report-{name}.{format}");
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                std::fs::write(root().join(path), text).unwrap();
            } else {
                assert_eq!(text, read(&path), "UPDATE_EXPECTED=1 rewrites {path}");
            }
        }
    }
}

#[test]
fn no_control_character_of_the_wire_is_in_any_report() {
    for format in FORMATS {
        let ran = hostile_report(format);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{format}");
        let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        let text = match format {
            "csv" | "csv-finals" => ran.out.replace("\r\n", "\n"),
            _ => ran.out,
        };
        assert!(!text.contains(steers), "{format}: {text:?}");
        assert!(text.contains("cmd|") || text.contains("cmd\\|"), "{format}");
    }
}

#[test]
fn the_language_is_that_of_the_option_and_never_of_the_locale() {
    for format in FORMATS {
        let plain = run(["--format", format, FAILED]).out;
        let mut program = harness::program();
        let command = program.env("LC_ALL", "fr_FR.UTF-8");
        let output = command.args(["--format", format, FAILED]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), plain, "{format}");
        let french = run(["--lang", "fr", "--format", format, FAILED]).out;
        let has_sentences = !format.starts_with("csv");
        assert_eq!(french != plain, has_sentences, "{format}");
    }
}
