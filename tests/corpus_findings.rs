//! What every failed call owes its reader, over the fixtures, the flows and the captures of others: a
//! root cause or the sentence that says what the trace lacks, and blame with its grounds. And what a
//! call that succeeded must not have: a finding of severity error.
//!
//! `corpus-errors-on-success.tsv` lists the exceptions: capture, rule, why it is right. One that is no
//! longer needed fails the test. Without `SIPEXPLAIN_CORPUS` the captures of others are skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod harness;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const EXCEPTIONS: &str = include_str!("corpus-errors-on-success.tsv");

fn captures(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            captures(&path, into);
        } else if path.to_string_lossy().ends_with(".truth.tsv") {
            into.push(path.with_extension("").with_extension(""));
        }
    }
}

fn reports() -> Vec<(String, Value)> {
    let own = harness::fixtures().iter().chain(harness::flows());
    let mut all: Vec<_> = own.map(|f| (f.name.clone(), f.json().clone())).collect();
    let Some(corpus) = std::env::var_os("SIPEXPLAIN_CORPUS").map(PathBuf::from) else {
        println!(
            "SIPEXPLAIN_CORPUS is unset: skipped, only the project's own traces were looked at"
        );
        return all;
    };
    let mut paths = Vec::new();
    captures(&corpus, &mut paths);
    paths.sort();
    for path in paths {
        let name = path
            .strip_prefix(&corpus)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let out = harness::program()
            .args(["--format", "json"])
            .arg(&path)
            .output()
            .unwrap();
        all.push((name, serde_json::from_slice(&out.stdout).unwrap()));
    }
    all
}

#[test]
fn every_failed_call_has_a_cause_or_says_what_is_missing_and_somebody_to_act() {
    let (mut wrong, mut failed, mut explained) = (Vec::new(), 0, 0);
    let mut excused = BTreeSet::new();
    for (name, report) in reports() {
        for call in report["calls"].as_array().unwrap() {
            let outcome = call["outcome"].as_str().unwrap();
            let of = format!("{name}, call {} ({outcome})", call["id"]);
            if outcome == "succeeded" {
                let findings = call["findings"].as_array().unwrap().iter();
                for finding in findings.filter(|finding| finding["severity"] == "error") {
                    let rule = finding["rule"].as_str().unwrap();
                    let known = |line: &str| {
                        let mut columns = line.split('\t');
                        columns.next() == Some(&name) && columns.next() == Some(rule)
                    };
                    match EXCEPTIONS.lines().find(|line| known(line)) {
                        Some(line) => drop(excused.insert(line)),
                        None => wrong.push(format!("{of}: {rule} is an error")),
                    }
                }
            }
            if !["failed", "refused", "timed-out", "redirected"].contains(&outcome) {
                continue;
            }
            failed += 1;
            explained += u32::from(!call["root_cause"].is_null());
            if call["root_cause"].is_null()
                && call["undetermined"]["why"]
                    .as_str()
                    .is_none_or(str::is_empty)
            {
                wrong.push(format!("{of}: neither a cause nor what is missing"));
            }
            if call["blame"]["grounds"].as_str().is_none_or(str::is_empty) {
                wrong.push(format!("{of}: nobody to blame"));
            }
        }
    }
    if std::env::var_os("SIPEXPLAIN_CORPUS").is_some() {
        let lines = EXCEPTIONS
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        wrong.extend(
            lines
                .filter(|line| !excused.contains(line))
                .map(|line| format!("not needed: {line}")),
        );
    }
    println!("{failed} failed calls, {explained} with a root cause");
    assert!(failed > 100, "only {failed} failed calls");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
