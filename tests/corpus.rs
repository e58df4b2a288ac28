//! Every final response of the captures of others, compared with what tshark reads in them.
//!
//! `SIPEXPLAIN_CORPUS` names a folder of captures, each with `FILE.truth.tsv` beside it: one row
//! per SIP message. Where it is unset, the test says that it skips.
//!
//! `corpus-tshark-errs.tsv` beside this file lists messages where tshark is wrong, with bytes of the
//! capture that show it. An entry that is no longer needed fails the test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, with functions of its own"
)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TSHARK_ERRS: &str = include_str!("corpus-tshark-errs.tsv");

/// Frame, code, method in CSeq, Call-ID; empty where there is none.
type Key = (u64, u16, String, String);
/// How often each occurs.
type Bag = BTreeMap<Key, usize>;

/// What a capture holds.
#[derive(Debug, Default)]
struct Held {
    finals: Bag,
    messages: u64,
}

#[test]
fn final_responses_equal_those_of_tshark() {
    let Some(corpus) = std::env::var_os("SIPEXPLAIN_CORPUS").map(PathBuf::from) else {
        println!("SIPEXPLAIN_CORPUS is unset: skipped, 0 captures compared");
        return;
    };
    let mut truths = Vec::new();
    find_truths(&corpus, &mut truths);
    truths.sort();
    assert!(!truths.is_empty(), "no capture under {}", corpus.display());

    let mut wrong = Vec::new();
    let mut equal = 0;
    for truth in &truths {
        let capture = truth.with_extension("").with_extension("");
        let name = capture.strip_prefix(&corpus).unwrap().to_string_lossy();
        let expected = corrected(&name, truth, &capture, &mut wrong);
        let mut say = |what: String| wrong.push(format!("{name}: {what}"));
        let (status, report) = run(&capture);
        check_status(status, &expected, &mut say);
        check_accounts(&report, &mut say);
        let read = held_by(&report);
        let same = read.finals == expected.finals && read.messages == expected.messages;
        if same {
            equal += expected.finals.values().sum::<usize>();
        } else {
            say(format!(
                "{} messages, tshark has {}\n  only in tshark: {:?}\n  only here: {:?}",
                read.messages,
                expected.messages,
                less(&expected.finals, &read.finals),
                less(&read.finals, &expected.finals),
            ));
        }
    }
    println!(
        "{} captures compared, {equal} final responses equal, 0 skipped",
        truths.len(),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rows of a list: tab-separated, without its comments.
fn rows(list: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

fn find_truths(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_truths(&path, found);
        } else if path.to_string_lossy().ends_with(".truth.tsv") {
            found.push(path);
        }
    }
}

/// The file that a truth stands beside.
fn read_truth(truth: &Path) -> Held {
    let text = String::from_utf8_lossy(&fs::read(truth).unwrap()).into_owned();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let column = |name: &str| names.iter().position(|n| *n == name).unwrap();
    let (frame, kind, status) = (column("frame"), column("kind"), column("status"));
    let (cseq, call_id, note) = (column("cseq"), column("call_id"), column("note"));
    let mut held = Held::default();
    for line in lines {
        let row: Vec<&str> = line.split('\t').collect();
        if row[kind] == "other" || row[note].contains("inside-icmp-error") {
            continue;
        }
        held.messages += 1;
        let code = row[status].parse().unwrap_or(0);
        if row[kind] == "response" && (200..700).contains(&code) {
            let method = row[cseq].split_once(' ').map_or("", |(_, method)| method);
            let key = (
                row[frame].parse().unwrap(),
                code,
                unescape(method),
                unescape(row[call_id]),
            );
            *held.finals.entry(key).or_default() += 1;
        }
    }
    held
}

/// The truth, with what tshark got wrong put right.
fn corrected(name: &str, truth: &Path, capture: &Path, wrong: &mut Vec<String>) -> Held {
    let mut held = read_truth(truth);
    for row in rows(TSHARK_ERRS).filter(|row| row[0] == name) {
        let frame = row[1].parse().unwrap();
        let evidence = unescape(row[4]);
        let bytes = fs::read(capture).unwrap();
        if memchr::memmem::find(&bytes, evidence.as_bytes()).is_none() {
            wrong.push(format!(
                "{name}: frame {frame}: no such bytes: {evidence:?}"
            ));
        }
        match key(frame, row[2]) {
            Some(said) if held.finals.remove(&said).is_none() => {
                wrong.push(format!("{name}: tshark does not say {said:?}"));
            }
            _ => {}
        }
        let right = key(frame, row[3]);
        held.messages -= u64::from(row[2] != "-");
        held.messages += u64::from(row[3] != "-");
        held.finals.extend(right.map(|right| (right, 1)));
    }
    held
}

/// The final response written `code|method|Call-ID`; none where it says `request` or `-`.
fn key(frame: u64, text: &str) -> Option<Key> {
    let mut parts = text.splitn(3, '|');
    let code = parts.next()?.parse().ok()?;
    Some((
        frame,
        code,
        unescape(parts.next()?),
        unescape(parts.next()?),
    ))
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next() {
                Some('0') => '\0',
                Some('r') => '\r',
                Some('n') => '\n',
                other => other.unwrap_or('\\'),
            },
            other => other,
        });
    }
    plain
}

fn run(capture: &Path) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_sipexplain"))
        .args(["--format", "json"])
        .arg(capture)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{}: {error}", capture.display()));
    (output.status.code(), report)
}

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("a number, not {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn held_by(report: &Value) -> Held {
    let mut held = Held::default();
    for input in list(&report["inputs"]) {
        held.messages += number(&input["sip_messages"]);
    }
    for call in list(&report["calls"]) {
        for answer in list(&call["final_responses"]) {
            let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
            let code = u16::try_from(number(&answer["code"])).unwrap();
            for at in std::iter::once(answer).chain(list(&answer["repeats"])) {
                let key = (number(&at["frame"]), code, text("method"), text("call_id"));
                *held.finals.entry(key).or_default() += 1;
            }
        }
    }
    held
}

/// What `one` holds more often than `other`.
fn less(one: &Bag, other: &Bag) -> Bag {
    let more = |(key, n): (&Key, &usize)| {
        let n = n.saturating_sub(other.get(key).copied().unwrap_or(0));
        (n > 0).then(|| (key.clone(), n))
    };
    one.iter().filter_map(more).collect()
}

fn check_status(status: Option<i32>, expected: &Held, say: &mut impl FnMut(String)) {
    match status {
        None => say("ended by a signal".into()),
        Some(0) if expected.messages == 0 => say("status 0, and there is no SIP in it".into()),
        Some(0 | 2) => {}
        Some(other) => say(format!("status {other}")),
    }
}

fn sum(rows: &Value) -> u64 {
    list(rows).iter().map(|row| number(&row["frames"])).sum()
}

/// Every frame is in one account.
fn check_accounts(report: &Value, say: &mut impl FnMut(String)) {
    for input in list(&report["inputs"]) {
        let frames = number(&input["frames"]);
        let accounted =
            number(&input["sip_frames"]) + sum(&input["other"]) + sum(&input["not_decoded"]);
        if accounted != frames {
            say(format!("{accounted} frames accounted for, of {frames}"));
        }
    }
}
