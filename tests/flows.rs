//! Every flow under fixtures/flows/ is a test: what its head expects, and a snapshot of the whole
//! text. `UPDATE_EXPECTED=1 cargo test --test flows` writes the snapshots anew; the captures stay in
//! `target/tmp/flows`, to be looked at with any tool. `FLOW=name` runs one of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a flow with a mistake must stop the test

mod harness;

use harness::flow;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What the JSON says against what the head of the flow expects.
fn against(expect: &std::collections::BTreeMap<String, Vec<String>>, json: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let words = |key: &str| -> Vec<String> {
        let all = expect.get(key).into_iter().flatten();
        all.flat_map(|line| line.split(", ").map(str::to_owned))
            .collect()
    };
    let calls = json["calls"].as_array().unwrap();
    let of_calls = calls
        .iter()
        .flat_map(|call| call["findings"].as_array().unwrap());
    let findings: Vec<&Value> = of_calls
        .chain(json["findings"].as_array().unwrap())
        .collect();
    for id in words("fires") {
        if !findings
            .iter()
            .any(|finding| finding["rule"] == id.as_str())
        {
            wrong.push(format!("{id} does not fire"));
        }
    }
    let silent = words("silent");
    for finding in &findings {
        let (rule, severity) = (
            finding["rule"].as_str().unwrap(),
            finding["severity"].as_str().unwrap(),
        );
        let must_not = silent.iter().any(|id| match id.as_str() {
            "*" => true,
            "warning" => severity != "info",
            "error" => severity == "error",
            id => id == rule,
        });
        if must_not && !words("fires").iter().any(|id| id == rule) {
            wrong.push(format!("{rule} fires"));
        }
    }
    // One word a call, in the order of the calls: its outcome; the id of its root cause, or `-`.
    let list = |key: &str, of: &dyn Fn(&Value) -> String| {
        let (want, got): (_, Vec<String>) = (words(key), calls.iter().map(of).collect());
        (!want.is_empty() && want != got).then(|| format!("{key}: {}", got.join(", ")))
    };
    wrong.extend(list("outcome", &|call| {
        call["outcome"].as_str().unwrap().to_owned()
    }));
    wrong.extend(list("root", &|call| {
        call["root_cause"].as_str().unwrap_or("-").to_owned()
    }));
    wrong.extend(list("acts", &|call| {
        call["blame"]["acts"].as_str().unwrap_or("-").to_owned()
    }));
    wrong.extend(list("blame", &|call| {
        call["blame"]["element"].as_str().unwrap_or("-").to_owned()
    }));
    wrong
}

fn snapshot(path: &Path, got: &str) -> Option<String> {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(path, got).unwrap();
        return None;
    }
    let want = std::fs::read_to_string(path).unwrap_or_default();
    let differing = got
        .lines()
        .zip(want.lines())
        .find(|(got, want)| got != want);
    (got != want).then(|| format!("{}: {differing:?}", path.display()))
}

#[test]
fn every_flow_is_explained_as_its_head_says() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("flows");
    std::fs::create_dir_all(&folder).unwrap();
    let mut wrong = Vec::new();
    for path in harness::flow_files() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let compiled = flow::compile(&std::fs::read_to_string(&path).unwrap());
        let capture = format!("{name}.pcap");
        std::fs::write(folder.join(&capture), &compiled.pcap).unwrap();
        let run = |options: &[&str]| {
            let mut program = harness::program();
            program.current_dir(&folder).args(options).arg(&capture);
            let out = program.output().unwrap();
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            let exit = compiled.expect.get("exit");
            let exit: i32 = exit.map_or(0, |exit| exit.concat().parse().unwrap());
            assert_eq!(out.status.code(), Some(exit), "{name}: {said}");
            String::from_utf8(out.stdout).unwrap()
        };
        let json: Value = serde_json::from_str(&run(&["--format", "json"])).unwrap();
        let complaints = against(&compiled.expect, &json).into_iter();
        wrong.extend(complaints.map(|complaint| format!("{name}: {complaint}")));
        wrong.extend(snapshot(&path.with_extension("txt"), &run(&["--all"])));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_only_worth_knowing_leaves_a_call_among_those_that_succeeded() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("remarks");
    std::fs::create_dir_all(&folder).unwrap();
    let flow = harness::root().join("fixtures/flows/private-contact-never-used.flow");
    let compiled = flow::compile(&std::fs::read_to_string(flow).unwrap());
    std::fs::write(folder.join("call.pcap"), &compiled.pcap).unwrap();
    let mut program = harness::program();
    let out = program.current_dir(&folder).arg("call.pcap").output();
    let text = String::from_utf8(out.unwrap().stdout).unwrap();
    let (_, listed) = text.split_once("\nSucceeded\n").expect("a list");
    let line = listed.lines().next().unwrap();
    assert!(
        line.contains("200 OK  [private-contact, nat-detected]"),
        "{line}"
    );
    assert!(!text.contains("info["), "{text}");
}

/// The text report on a flow.
fn report_on(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report-on");
    std::fs::create_dir_all(&folder).unwrap();
    let flow = harness::root().join(format!("fixtures/flows/{name}.flow"));
    let compiled = flow::compile(&std::fs::read_to_string(flow).unwrap());
    let file = format!("{name}.pcap");
    std::fs::write(folder.join(&file), &compiled.pcap).unwrap();
    let out = harness::program().current_dir(&folder).arg(&file).output();
    String::from_utf8(out.unwrap().stdout).unwrap()
}

#[test]
fn only_what_is_alike_is_told_as_one() {
    let headings = |name: &str| -> Vec<String> {
        let text = report_on(name);
        let told = text
            .lines()
            .filter(|line| line.contains("] call ") || line.contains("alike in rule"));
        told.map(str::to_owned).collect()
    };
    // Eight answers 603, each for a reason of its own: none may hide behind another.
    let declined = headings("declined-by-whom");
    assert_eq!(declined.len(), 8, "{declined:#?}");
    assert!(declined[0].starts_with("error[declined-603]"));
    assert!(declined[7].starts_with("info[declined-603]"));
    assert!(headings("always-busy").len() > 1);
}

#[test]
fn the_worst_stands_first_and_a_scanner_is_told_once() {
    let text = report_on("scanner-guesses");
    let heads: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("[scanner-"))
        .collect();
    let [entry, across, group] = heads.as_slice() else {
        panic!("{heads:#?}");
    };
    assert!(entry.starts_with("error[scanner-succeeded] registration 4"));
    assert!(across.starts_with("error[scanner-succeeded] a scanner got in"));
    assert!(group.starts_with("info[scanner-traffic]"));
    assert!(text.contains("= 4 alike in rule and sender"), "{text}");
}

#[test]
fn what_all_calls_together_show_is_told_with_each_of_them() {
    for (name, wanted) in [
        (
            "concurrency-limit",
            "= belongs to: error[concurrency-or-cps-limit]",
        ),
        (
            "extension-enumeration",
            "= belongs to: warning[extension-enumeration]",
        ),
    ] {
        let text = report_on(name);
        assert!(text.contains(wanted), "{text}");
    }
}

/// What is said of the capture as a whole where two flows are read together.
fn of_two_captures(name: &str, flows: [&str; 2]) -> Vec<Value> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in ["a.pcap", "b.pcap"].iter().zip(flows) {
        std::fs::write(folder.join(file), flow::compile(text).pcap).unwrap();
    }
    let mut program = harness::program();
    program.current_dir(&folder).args(["--format", "json"]);
    let out = program.args(["a.pcap", "b.pcap"]).output().unwrap();
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    report["findings"].as_array().unwrap().clone()
}

const PARTIES: &str =
    "title: One call\nparty alice 192.0.2.10:5060\nparty bob 198.51.100.20:5060\n\n";

#[test]
fn clocks_of_two_captures_that_differ_are_noticed() {
    // Each of the two holds one direction; the clock of the second is 300 ms behind.
    let one = |mark: [&str; 2], behind: u64| {
        let at = |milliseconds: u64| {
            let at = milliseconds - behind;
            format!("{}.{:03}", at / 1000, at % 1000)
        };
        let [asked, told] = mark;
        let lines = [
            format!("{} alice > bob INVITE | sdp{asked}", at(1000)),
            format!("{} bob > alice 180{told}", at(1020)),
            format!("{} bob > alice 200 | sdp{told}", at(3000)),
            format!("{} alice > bob ACK{asked}", at(3020)),
            format!("{} alice > bob BYE{asked}", at(9000)),
            format!("{} bob > alice 200 BYE{told}", at(9020)),
            "50.0 tick".to_owned(),
        ];
        format!("{PARTIES}{}\n", lines.join("\n"))
    };
    let (asked, told) = ([" ", " | unseen"], [" | unseen", " "]);
    let found = of_two_captures("clocks", [&one(asked, 0), &one(told, 300)]);
    let found: Vec<&Value> = found
        .iter()
        .filter(|f| f["rule"] == "clock-order")
        .collect();
    assert_eq!(found.len(), 1);
    let why = found[0]["why"].as_str().unwrap();
    assert!(why.contains("differ by at least 280 ms"), "{why}");
    let inputs: Vec<&Value> = found[0]["evidence"].as_array().unwrap().iter().collect();
    assert_ne!(inputs[0]["input"], inputs[1]["input"]);
    // With one clock there is nothing to notice.
    let found = of_two_captures("one-clock", [&one(asked, 0), &one(told, 0)]);
    assert!(
        found.iter().all(|f| f["rule"] != "clock-order"),
        "{found:?}"
    );
}

#[test]
fn packets_that_two_captures_hold_are_told_in_one_line() {
    let text = format!("{PARTIES}0.0 alice > bob OPTIONS\n0.020 bob > alice 200\n40.0 tick\n");
    let found = of_two_captures("overlap", [&text, &text]);
    let [found] = found.as_slice() else {
        panic!("one finding: {found:?}")
    };
    assert_eq!(found["rule"], "capture-duplicates");
    let why = found["why"].as_str().unwrap();
    assert!(why.starts_with("2 of 4 records"), "{why}");
    assert!(why.contains("the inputs overlap"), "{why}");
}

#[test]
fn a_log_that_leaves_bodies_out_is_told_from_one_that_only_changes_line_ends() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cut-log");
    std::fs::create_dir_all(&folder).unwrap();
    let log = harness::read("fixtures/pasted-text-607/trace.log");
    let found = |text: &str| -> Vec<Value> {
        std::fs::write(folder.join("trace.log"), text).unwrap();
        let mut program = harness::program();
        program.current_dir(&folder).args(["--format", "json"]);
        let out = program.arg("trace.log").output().unwrap();
        let report: Value = serde_json::from_slice(&out.stdout).unwrap();
        let of_calls = report["calls"].as_array().unwrap().iter();
        let of_calls = of_calls.flat_map(|call| call["findings"].as_array().unwrap());
        let all = of_calls.chain(report["findings"].as_array().unwrap());
        all.filter(|f| f["rule"] == "capture-truncated")
            .cloned()
            .collect()
    };
    assert_eq!(found(&log), Vec::<Value>::new());
    // The description ends in the middle.
    let (start, end) = (log.find("s=-").unwrap(), log.find("SIP/2.0 100").unwrap());
    let cut = format!("{}\n{}", &log[..start], &log[end..]);
    let [call, whole] = found(&cut).try_into().unwrap();
    assert_eq!(
        (&call["severity"], &whole["severity"]),
        (&"info".into(), &"warning".into())
    );
    for (finding, words) in [
        (call, "only the beginning of one message"),
        (whole, "holds less of one message in one call"),
    ] {
        assert_eq!(finding["confidence"], "likely");
        assert!(
            finding["why"].as_str().unwrap().contains(words),
            "{finding}"
        );
        assert!(
            finding["fix"]
                .as_str()
                .unwrap()
                .contains("aise the longest entry")
        );
    }
}
