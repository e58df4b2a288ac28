//! The verdicts of `sipexplain check` in the formats for machines.

use crate::harness::{self, hostile, program, read, root, run, write};
use crate::{HEALTHY, junit, services, tap};
use std::path::{Path, PathBuf};

const FORMATS: [&str; 5] = ["junit", "tap", "github", "gitlab", "markdown"];
const CASES: &str = "tests/check/cases/final.toml";

fn folder(name: &str) -> PathBuf {
    harness::folder("verdicts", name)
}

#[test]
fn the_verdicts_are_as_they_were_accepted() {
    for format in FORMATS.iter().chain(&["json"]) {
        let ran = run(["check", CASES, HEALTHY, "--format", format]);
        assert_eq!((ran.status, ran.err.as_str()), (1, ""), "{format}");
        let path = format!("tests/snapshots/check-failed.{format}");
        let lines = ran.out.lines().map(|line| format!("{}\n", line.trim_end()));
        let text: String = lines.collect();
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(root().join(path), text).unwrap();
        } else {
            assert_eq!(text, read(&path), "UPDATE_EXPECTED=1 rewrites {path}");
        }
    }
}

/// A file of expectations none of which the hostile calls fulfil, with a name that is as bad.
fn hostile_flows(folder: &Path) -> String {
    let name = r#"=cmd|' ::error file=x::pwned %0A]]></failure><script> "q" ```` | # SKIP [l](http://evil.example) @all \u001b[31m\u202e"#;
    let name = name.replace('"', "\\\"");
    let entry = |more: &str| format!("[[call]]\nname = \"{name}\"\n{more}\n");
    let text = [
        entry("[call.expect]\nfinal = 200"),
        entry("[call.expect]\nsequence = [\"INVITE\", \"200\"]"),
        entry("count = 0"),
        entry("[[call.expect.message]]\nname = \"INVITE\"\nheaders = { From = \"]]>::error::`\" }"),
        entry("[call.expect]\nfinal = 500"),
    ];
    write(folder, "a,b::error::]]>`e`.toml", &text.concat())
}

fn hostile_verdicts(format: &str) -> String {
    let file = hostile_flows(&folder(&format!("hostile-{format}")));
    let capture = hostile::capture(&format!("hostile-verdicts-{format}"));
    let ran = run([
        "check",
        &file,
        capture.to_str().unwrap(),
        "--format",
        format,
    ]);
    assert_eq!((ran.status, ran.err.as_str()), (1, ""), "{format}");
    ran.out
}

#[test]
fn no_hostile_value_leaves_its_place() {
    for format in FORMATS {
        let text = hostile_verdicts(format);
        let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(steers), "{format}: {text:?}");
        assert!(text.contains("cmd|") || text.contains("cmd\\|"), "{format}");
    }
    let suites = junit::read(&hostile_verdicts("junit"));
    assert_eq!(suites.children.len(), 1);
    assert_eq!(suites.all("testcase").len(), 5);
    assert_eq!(suites.all("failure").len(), 4);
    assert!(suites.all("failure")[0].text.contains("]]></failure>"));

    let tap = hostile_verdicts("tap");
    let count = |begin| tap.lines().filter(|line| line.starts_with(begin)).count();
    assert_eq!((count("ok "), count("not ok ")), (1, 4));
    if let Some(proved) = tap::proved("verdicts", &tap) {
        assert_eq!(proved, (5, 4));
    }

    let all = services::commands(&hostile_verdicts("github"));
    assert_eq!(all.len(), 4);
    for (one, line) in all.iter().zip([1, 5, 9, 12]) {
        assert_eq!(one.name, "error");
        let keys: Vec<&str> = one.properties.keys().map(String::as_str).collect();
        assert_eq!(keys, ["endLine", "file", "line", "title"]);
        assert!(one.properties["file"].ends_with("/a,b::error::]]>`e`.toml"));
        assert_eq!(one.properties["line"], line.to_string());
        // Where it was seen.
        assert!(
            one.message.contains("#SKIP.pcap, frame "),
            "{}",
            one.message
        );
    }

    let prose = services::outside_code(&hostile_verdicts("markdown"));
    for word in ["evil", "error", "cmd", "<", "[", "@", "pwned", "SKIP", "|"] {
        assert!(!prose.contains(word), "{word} in {prose}");
    }

    let list: serde_json::Value = serde_json::from_str(&hostile_verdicts("gitlab")).unwrap();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 4);
    for (one, line) in list.iter().zip([1, 5, 9, 12]) {
        assert_eq!(one["location"]["lines"]["begin"], line);
        assert_eq!(one["severity"], "critical");
    }
    let fingerprints: std::collections::BTreeSet<String> = list
        .iter()
        .map(|one| one["fingerprint"].to_string())
        .collect();
    assert_eq!(fingerprints.len(), 4);
}

#[test]
fn a_suite_is_a_file_and_a_case_says_what_was_expected_found_and_seen() {
    let folder = folder("suites");
    let text = "[[call]]\nname = \"it is answered\"\n[call.expect]\nfinal = 200\n";
    let files = ["one.toml", "two.toml"].map(|name| write(&folder, name, text));
    let busy = "fixtures/busy-486/trace.pcap";
    let ran = run(["check", &files[0], &files[1], busy, "--format", "junit"]);
    let suites = junit::read(&ran.out);
    let names: Vec<&str> = suites.children.iter().map(|s| s.get("name")).collect();
    assert_eq!(names, files);
    let [first, _] = suites.all("failure")[..] else {
        panic!("{}", ran.out)
    };
    assert_eq!(first.get("type"), "final");
    let message = "call 1: final: expected 200, found 486 Busy Here";
    assert_eq!(first.get("message"), message);
    for part in [
        "fixtures/busy-486/trace.pcap, frame 5\n",
        "expected  200\n",
        "found     486 Busy Here\n",
        "| #5  01:58:27.455  198.51.100.20:5060 -> 192.0.2.10:5060  SIP/2.0 486 Busy Here\n",
    ] {
        assert!(first.text.contains(part), "{part}\n{}", first.text);
    }
}

#[test]
fn golden_files_are_cases_too() {
    let folder = folder("golden");
    let golden = folder.join("golden");
    let golden = golden.to_str().unwrap();
    let trace = folder.join("trace.pcap");
    let check = |more: &[&str]| {
        let arguments = ["check", "--golden", golden, trace.to_str().unwrap()];
        run(arguments.iter().chain(more))
    };
    std::fs::copy(root().join(HEALTHY), &trace).unwrap();
    assert_eq!(check(&["--bless"]).status, 0);
    let same = junit::read(&check(&["--format", "junit"]).out);
    assert_eq!(
        (same.all("testcase").len(), same.all("failure").len()),
        (1, 0)
    );
    let path = std::fs::read_dir(golden).unwrap().next().unwrap();
    let path = path.unwrap().path();
    let text = std::fs::read_to_string(&path).unwrap();
    let earlier = text.replace("outcome: succeeded 200", "outcome: refused 486");
    assert_ne!(earlier, text);
    std::fs::write(&path, earlier).unwrap();
    let ran = check(&["--format", "junit", "--output", "github=-"]);
    assert_eq!(ran.status, 2, "both go to standard output");
    let ran = check(&["--format", "junit"]);
    assert_eq!(ran.status, 1);
    let suites = junit::read(&ran.out);
    assert_eq!(suites.children[0].get("name"), golden);
    let failure = suites.all("failure")[0];
    assert_eq!(failure.get("type"), "changed");
    assert_eq!(failure.get("message"), "another flow than before");
    assert!(
        failure
            .text
            .contains("- outcome: refused 486\n+ outcome: succeeded 200\n")
    );
    let annotation = &services::commands(&check(&["--format", "github"]).out)[0];
    assert_eq!(annotation.properties["file"], path.to_str().unwrap());
    let json = check(&["--format", "json"]).json();
    assert_eq!(json["flows"][0]["verdict"], "changed");
}

#[test]
fn what_cannot_be_judged_is_an_error_and_its_expectations_are_skipped() {
    let folder = folder("unjudged");
    // A capture of nothing.
    let head = &std::fs::read(root().join(HEALTHY)).unwrap()[..24];
    let silent = folder.join("silent.pcap");
    std::fs::write(&silent, head).unwrap();
    let silent = silent.to_str().unwrap();
    for (input, kind) in [("no/such.pcap", "unread"), (silent, "no-sip")] {
        let ran = run(["check", CASES, input, "--format", "junit"]);
        assert_eq!(ran.status, 2);
        let suites = junit::read(&ran.out);
        let error = suites.all("error")[0];
        assert_eq!(error.get("type"), kind);
        assert_eq!(suites.all("skipped").len(), 7);
        assert_eq!(suites.all("failure").len(), 0);
        let json = run(["check", CASES, input, "--format", "json"]).json();
        assert_eq!(json["judged"], false);
        assert_eq!(json["unjudged"][0]["input"], input);
        assert!(json["expectations"][0]["passed"].is_null());
    }
}

#[test]
fn several_reports_are_written_at_once_and_none_over_what_is_read() {
    let folder = folder("outputs");
    let flows = write(&folder, "flows.toml", &read(CASES));
    let capture = folder.join("trace.pcap");
    std::fs::copy(root().join(HEALTHY), &capture).unwrap();
    let capture = capture.to_str().unwrap();
    let mut arguments = vec!["check".to_owned(), flows.clone(), capture.to_owned()];
    for format in FORMATS.iter().chain(&["json", "text"]) {
        let path = folder.join(format);
        arguments.push(format!("--output={format}={}", path.display()));
    }
    let ran = run(&arguments);
    assert_eq!((ran.status, ran.err.as_str()), (1, ""));
    assert_eq!(ran.out, run(["check", &flows, capture]).out);
    for format in FORMATS.iter().chain(&["json", "text"]) {
        let alone = run(["check", &flows, capture, "--format", format]).out;
        let beside = std::fs::read_to_string(folder.join(format)).unwrap();
        assert_eq!(beside, alone, "{format}");
    }
    for input in [capture, &flows] {
        let before = std::fs::read(input).unwrap();
        let output = format!("junit={input}");
        let ran = run(["check", &flows, capture, "--output", &output]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains("this is an input"), "{}", ran.err);
        assert_eq!(std::fs::read(input).unwrap(), before);
    }
    for (arguments, told) in [
        (
            ["--format", "sarif"],
            "[possible values: text, json, junit, tap, github, gitlab, markdown]",
        ),
        (
            ["--output", "csv=a.csv"],
            "no format csv; there is text, json, junit, tap, github, gitlab, markdown",
        ),
        (["--format", "junit"], "--init"),
    ] {
        let more = if told == "--init" {
            vec!["--init"]
        } else {
            vec![]
        };
        let ran = run(["check", &flows, capture]
            .iter()
            .chain(&arguments)
            .chain(&more));
        assert_eq!(ran.status, 2);
        assert!(ran.err.contains(told), "{}", ran.err);
    }
}

#[test]
fn the_summary_of_a_step_gets_the_verdicts() {
    let folder = folder("summary");
    let summary = folder.join("summary.md");
    let mut program = program();
    program.env("GITHUB_STEP_SUMMARY", &summary);
    program.args(["check", CASES, HEALTHY, "--format", "github"]);
    assert_eq!(program.output().unwrap().status.code(), Some(1));
    let markdown = run(["check", CASES, HEALTHY, "--format", "markdown"]).out;
    assert_eq!(std::fs::read_to_string(&summary).unwrap(), markdown);
}
