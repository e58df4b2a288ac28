//! What makes a run fall short, which rules are asked, what is known already, and where that stands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::{Ran, program, root, run};
use std::path::{Path, PathBuf};

const BUSY: &str = "fixtures/busy-486/trace.pcap";
const CODEC: &str = "fixtures/codec-488/trace.pcap";
const HEALTHY: &str = "fixtures/healthy-basic-call/trace.pcap";

fn folder(name: &str) -> PathBuf {
    let folder = harness::folder("policy", name);
    std::fs::create_dir_all(folder.join("below/further")).unwrap();
    folder
}

/// Runs in a folder below the one with this file.
fn with(name: &str, settings: &str, arguments: &[&str]) -> Ran {
    let folder = folder(name);
    std::fs::write(folder.join("sipexplain.toml"), settings).unwrap();
    let mut command = program();
    command.current_dir(folder.join("below/further"));
    for argument in arguments {
        match argument.strip_prefix("fixtures/") {
            Some(_) => command.arg(root().join(argument)),
            None => command.arg(argument),
        };
    }
    Ran::of(command.output().unwrap())
}

fn status(arguments: &[&str]) -> i32 {
    run(arguments).status
}

#[test]
fn a_run_falls_short_of_outcomes_severities_rules_and_codes() {
    for (asked, trace, want) in [
        ("failed", CODEC, 1),
        ("failed", BUSY, 0),
        ("busy", BUSY, 1),
        ("busy", CODEC, 0),
        ("486", BUSY, 1),
        ("4xx", CODEC, 1),
        ("5xx,603", CODEC, 0),
        ("5xx,488", CODEC, 1),
        ("error", CODEC, 1),
        ("warning", HEALTHY, 0),
        ("2xx", HEALTHY, 1),
    ] {
        assert_eq!(
            status(&["--fail-on", asked, trace]),
            want,
            "{asked} {trace}"
        );
    }
    let told = run(["--fail-on", "codec-no-common,error", CODEC]);
    for line in ["--fail-on codec-no-common: 1", "--fail-on error: 1"] {
        assert!(told.err.contains(line), "{}", told.err);
    }
    let unknown = run(["--fail-on", "bussy", BUSY]);
    assert_eq!(unknown.status, 2);
    assert!(
        unknown.err.contains("did you mean busy?"),
        "{}",
        unknown.err
    );
}

#[test]
fn rules_that_are_not_asked_say_nothing() {
    let root_of = |arguments: &[&str]| {
        let ran = run(arguments);
        let findings = ran.json()["calls"][0]["findings"]
            .as_array()
            .unwrap()
            .clone();
        let of = |f: &serde_json::Value| f["rule"].as_str().unwrap().to_owned();
        findings.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(root_of(&["--format", "json", BUSY]), ["busy"]);
    assert!(root_of(&["--format", "json", "--ignore", "busy", BUSY]).is_empty());
    assert!(root_of(&["--format", "json", "--select", "declined-603", BUSY]).is_empty());
    assert_eq!(
        root_of(&["--format", "json", "--select", "busy,declined-603", BUSY]),
        ["busy"]
    );
    // What is not asked can never fall short: that is a mistake.
    for not_asked in [["--ignore", "busy"], ["--select", "declined-603"]] {
        let ran = run(not_asked.iter().chain(&["--fail-on", "busy", BUSY]));
        assert_eq!(ran.status, 2);
        assert!(
            ran.err.contains("--fail-on busy: this rule is not asked"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn what_is_known_already_does_not_count_until_its_day() {
    let known = |more: &str| {
        format!(
            "fail-on = [\"failed\", \"error\"]\n[[suppress]]\nrule = \"codec-no-common\"\nreason = \"ticket 17\"\n{more}"
        )
    };
    assert_eq!(with("plain", "fail-on = [\"failed\"]", &[CODEC]).status, 1);
    let ran = with("known", &known(""), &[CODEC]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(
        ran.err
            .contains("suppressed codec-no-common once: ticket 17"),
        "{}",
        ran.err
    );
    assert!(!ran.out.contains("error[codec-no-common]"), "{}", ran.out);
    assert_eq!(
        with("future", &known("until = \"9999-12-31\""), &[CODEC]).status,
        0
    );

    let over = with("over", &known("until = \"2001-01-01\""), &[CODEC]);
    assert_eq!(over.status, 1);
    assert!(
        over.err
            .contains("the suppression of codec-no-common ended on 2001-01-01"),
        "{}",
        over.err
    );
    assert!(over.err.contains("--fail-on failed: 1"), "{}", over.err);

    let needless = with("needless", &known(""), &[HEALTHY]);
    assert_eq!(needless.status, 1);
    assert!(
        needless
            .err
            .contains("sipexplain.toml:2: the suppression of codec-no-common is needless"),
        "{}",
        needless.err
    );

    let elsewhere = with("elsewhere", &known("ip = [\"203.0.113.200\"]"), &[CODEC]);
    assert_eq!(elsewhere.status, 1);
    assert!(
        elsewhere.out.contains("error[codec-no-common]"),
        "{}",
        elsewhere.out
    );
    // Of some of the calls it is not known whether it is needless.
    assert_eq!(
        with("some", &known(""), &["--method", "INVITE", HEALTHY]).status,
        0
    );
}

#[test]
fn the_nearest_file_holds_and_the_command_line_counts_more() {
    let settings = "fail-on = [\"failed\"]\nformat = \"json\"\n";
    let ran = with("near", settings, &[CODEC]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with('{'), "{}", ran.out);
    let ran = with(
        "over-file",
        settings,
        &["--fail-on", "603", "--format", "text", CODEC],
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(!ran.out.starts_with('{'));
    assert_eq!(with("none", settings, &["--no-config", CODEC]).status, 0);
    let wrong = with("wrong", "format = \"xml\"\n", &[CODEC]);
    assert_eq!(wrong.status, 2);
    assert!(
        wrong
            .err
            .contains("sipexplain.toml:1: no format \"xml\"; there is text, "),
        "{}",
        wrong.err
    );
    assert!(wrong.out.is_empty());
}

#[test]
fn what_is_in_force_is_shown_with_its_place() {
    let shown = with(
        "shown",
        "ignore = [\"private-contact\"]\n[[suppress]]\nrule = \"busy\"\nreason = \"a test line\"\nuntil = \"2030-01-01\"\nmethod = [\"INVITE\"]\n\
         [[suppress]]\nrule = \"busy\"\nreason = \"an old one\"\nuntil = 2001-01-01\n",
        &["config"],
    );
    assert_eq!(shown.status, 0, "{}", shown.err);
    let lines: Vec<&str> = shown.out.lines().collect();
    assert!(lines[0].ends_with("sipexplain.toml"), "{}", shown.out);
    for (name, value, place) in [
        ("fail-on", "nothing", "(usual)"),
        ("ignore", "private-contact", "sipexplain.toml:1"),
        ("format", "text", "(usual)"),
        (
            "suppress",
            "busy: a test line, method INVITE, until 2030-01-01",
            "sipexplain.toml:2",
        ),
        (
            "suppress",
            "busy: an old one, ended on 2001-01-01",
            "sipexplain.toml:7",
        ),
    ] {
        let fits = |line: &&&str| {
            line.trim_start().starts_with(name) && line.contains(value) && line.ends_with(place)
        };
        assert!(
            lines.iter().any(|line| fits(&line)),
            "{name}\n{}",
            shown.out
        );
    }
}

#[test]
fn the_file_in_the_docs_is_understood() {
    let page = harness::read("docs/policy.md");
    let block = page.split("```toml\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let shown = with("docs", block, &["config"]);
    assert_eq!(shown.status, 0, "{}", shown.err);
    assert!(
        shown.out.contains("codec-no-common: ticket 17"),
        "{}",
        shown.out
    );
    // Every key of the file is in the docs.
    for key in ["fail-on", "select", "ignore", "format", "lang", "tz"] {
        assert!(block.lines().any(|line| line.starts_with(key)), "{key}");
    }
}

/// What `check` and `diff` see is what is left after the policy.
#[test]
fn expectations_are_held_against_what_the_policy_leaves() {
    let check = |name: &str, settings: &str, more: &[&str]| {
        let flows = "[[call]]\nname = \"the root cause\"\n[call.expect]\ncause = \"codec-no-common\"\n\n\
            [[call]]\nname = \"no findings\"\n[call.expect]\nfindings = []\n";
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("policy-{name}.toml"));
        std::fs::write(&file, flows).unwrap();
        let file = file.to_str().unwrap();
        let ran = with(
            name,
            settings,
            &[&["check", file, CODEC, "--call", "2"], more].concat(),
        );
        assert_eq!(ran.status, 1, "{ran:?}");
        let failed = |what: &str| ran.out.contains(&format!("failed {what} ("));
        let holds = (!failed("the root cause"), !failed("no findings"));
        (holds, ran)
    };
    let ignore = "ignore = [\"codec-no-common\"]\n";
    let suppress = "[[suppress]]\nrule = \"codec-no-common\"\nreason = \"ticket 17\"\n";
    let select = "select = [\"busy\"]\n";
    let asked = (true, false);
    let not_asked = (false, true);
    for (name, settings, more, want) in [
        ("check-plain", "", &[][..], asked),
        ("check-ignored", ignore, &[], not_asked),
        ("check-selected", select, &[], not_asked),
        ("check-no-config", ignore, &["--no-config"], asked),
        ("check-other", ignore, &["--ignore", "busy"], asked),
        (
            "check-option",
            "",
            &["--ignore", "codec-no-common"],
            not_asked,
        ),
        ("check-select", "", &["--select", "busy"], not_asked),
        ("check-known", suppress, &[], not_asked),
        // What makes a run fall short is of no concern here.
        (
            "check-fail-on",
            "fail-on = [\"488\"]\nformat = \"csv\"\n",
            &[],
            asked,
        ),
    ] {
        let (holds, ran) = check(name, settings, more);
        assert_eq!(holds, want, "{name}: {ran:?}");
        let said = "sipexplain: suppressed codec-no-common once: ticket 17";
        assert_eq!(ran.err.starts_with(said), name == "check-known", "{ran:?}");
        assert_eq!(ran.err.is_empty(), name != "check-known", "{ran:?}");
    }
    let wrong = with(
        "check-wrong",
        "ignore = [\"bussy\"]\n",
        &["check", "x.toml", CODEC],
    );
    assert_eq!(wrong.status, 2);
    assert!(
        wrong.err.contains("sipexplain.toml:1: there is no rule"),
        "{wrong:?}"
    );
    let french = with(
        "check-lang",
        "lang = \"fr\"\n",
        &["check", "--golden", "none", CODEC],
    );
    assert!(french.out.contains("un appel sans fichier"), "{french:?}");
}

#[test]
fn the_policy_decides_what_diff_takes_for_the_cause() {
    let diff = |name: &str, settings: &str, more: &[&str]| {
        let arguments = ["diff", HEALTHY, CODEC, "--format", "json"];
        let ran = with(name, settings, &[&arguments[..], more].concat());
        assert_eq!(ran.status, 1, "{ran:?}");
        ran.json()["bad"]["cause"].clone()
    };
    let ignore = "ignore = [\"codec-no-common\"]\n";
    assert_eq!(diff("diff-plain", "", &[]), "codec-no-common");
    assert_ne!(diff("diff-ignored", ignore, &[]), "codec-no-common");
    assert_eq!(
        diff("diff-no-config", ignore, &["--no-config"]),
        "codec-no-common"
    );
    assert_ne!(
        diff("diff-option", "", &["--ignore", "codec-no-common"]),
        "codec-no-common"
    );
}

/// A call written as text, as a capture.
fn recorded(name: &str, lines: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("policy-flows");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.pcap"));
    let text = format!(
        "title: A call\nparty alice 192.0.2.10:5060\nparty bob 198.51.100.20:5060\n\n{lines}"
    );
    std::fs::write(&path, harness::flow::compile(&text).pcap).unwrap();
    path.to_str().unwrap().to_owned()
}

const BAD_URI: &str = "0.0 alice > bob INVITE | Contact: <sip:alice@192.0.2.10:99999>\n";

#[test]
fn only_what_is_known_of_the_cause_excuses_a_failure() {
    let refused = "0.2 bob > alice 486\n0.3 alice > bob ACK\n";
    let capture = recorded("beside", &format!("{BAD_URI}{refused}"));
    let json = run(["--format", "json", &capture]).json();
    let findings = json["calls"][0]["findings"].as_array().unwrap();
    let beside = findings
        .iter()
        .find(|f| f["role"] != "cause")
        .expect("a finding beside the cause");
    let beside = beside["rule"].as_str().unwrap();
    assert_eq!(json["calls"][0]["root_cause"], "busy");
    let known = |rule: &str| format!("[[suppress]]\nrule = \"{rule}\"\nreason = \"ticket 17\"\n");
    let arguments = ["--fail-on", "486", capture.as_str()];
    let ran = with("beside", &known(beside), &arguments);
    assert!(ran.err.contains("suppressed "), "{}", ran.err);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert_eq!(with("cause", &known("busy"), &arguments).status, 0);
}

#[test]
fn what_is_known_already_fails_in_no_report() {
    let known = "[[suppress]]\nrule = \"busy\"\nreason = \"ticket 17\"\n";
    for (format, must, must_not) in [
        (
            "junit",
            "<skipped message=\"known already: ticket 17\"",
            "<failure",
        ),
        ("tap", "# SKIP known already: ticket 17", "not ok"),
        ("markdown", "0 of 1 entries fell short", "undetermined"),
        ("text", "= known already: ticket 17", "undetermined"),
    ] {
        let ran = with(
            "known-in",
            known,
            &["--fail-on", "486", "--format", format, BUSY],
        );
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert!(ran.out.contains(must), "{}", ran.out);
        assert!(!ran.out.contains(must_not), "{}", ran.out);
    }
}

#[test]
fn a_suppression_is_needless_only_where_all_is_read_and_nothing_fits() {
    let known =
        |more: &str| format!("[[suppress]]\nrule = \"busy\"\nreason = \"ticket 17\"\n{more}");
    let second = "[[suppress]]\nrule = \"busy\"\nreason = \"ticket 18\"\nmethod = [\"INVITE\"]\n";
    let both = with("both", &known(second), &["--fail-on", "486", BUSY]);
    assert_eq!(
        (both.status, both.err.contains("needless")),
        (0, false),
        "{}",
        both.err
    );
    assert_eq!(with("part", &known(""), &[HEALTHY]).status, 1);
    assert_eq!(with("part", &known(""), &["--part", HEALTHY]).status, 0);
    let ignored = with("ignored", &known(""), &["--ignore", "busy", BUSY]);
    assert!(
        ignored.err.contains("needless: this rule is not asked"),
        "{}",
        ignored.err
    );
}

#[test]
fn what_holds_nothing_to_judge_is_no_pass() {
    let rtp = recorded("rtp-only", "0.0 alice > bob rtp 5\n");
    // Without a question it is only said.
    let ran = run([HEALTHY, &rtp]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.err.contains("no SIP found in ") && ran.err.contains("rtp"),
        "{}",
        ran.err
    );
    let ran = run(["--fail-on", "failed", "--format", "junit", HEALTHY, &rtp]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.out.contains("failures=\"1\"") && ran.out.contains("no SIP found"),
        "{}",
        ran.out
    );
    let ran = run(["--fail-on", "failed", "--format", "junit", &rtp]);
    assert_eq!(ran.status, 2);
    assert!(ran.out.contains("errors=\"1\""), "{}", ran.out);
    // In a folder there may be anything.
    let folder = Path::new(&rtp).parent().unwrap();
    let only = folder.join("rtp-and-sip");
    std::fs::create_dir_all(&only).unwrap();
    std::fs::copy(&rtp, only.join("rtp.pcap")).unwrap();
    std::fs::copy(root().join(HEALTHY), only.join("sip.pcap")).unwrap();
    assert_eq!(status(&["--fail-on", "failed", only.to_str().unwrap()]), 0);

    let nobody = ["--number", "nobody", HEALTHY];
    assert_eq!(status(&nobody), 0);
    assert_eq!(status(&[&["--fail-on", "failed"], &nobody[..]].concat()), 2);
}

#[test]
fn what_fails_the_run_is_no_notice() {
    for (format, level) in [
        ("github", "::error file="),
        ("gitlab", "\"severity\":\"critical\""),
        ("sarif", "\"level\":\"error\""),
    ] {
        let of = |fail_on: &str| {
            let ran = run(["--fail-on", fail_on, "--format", format, BUSY]);
            ran.out.replace("\": \"", "\":\"").matches(level).count()
        };
        assert_eq!(of("486"), of("603") + 1, "{format}");
    }
}
