//! Every folder under fixtures/ is a test: what its about.toml expects, and snapshots of the whole
//! text and JSON. `UPDATE_EXPECTED=1 cargo test --test scenarios` writes the snapshots anew.

#![allow(clippy::unwrap_used, clippy::panic)] // a fixture that cannot be read must stop the test

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Deserialize)]
struct About {
    title: String,
    origin: String,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    messages: u64,
    #[serde(default)]
    outcomes: BTreeMap<String, BTreeMap<String, u64>>,
    #[serde(default)]
    finals: BTreeMap<String, u64>,
    #[serde(default)]
    fires: Vec<String>,
    #[serde(default)]
    silent: Vec<String>,
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut all: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("about.toml").exists())
        .collect();
    all.sort();
    all
}

fn trace(folder: &Path) -> String {
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .into_iter()
        .find(|name| name.starts_with("trace."))
        .unwrap()
}

fn run(folder: &Path, options: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_sipexplain"))
        .current_dir(folder)
        .env_clear()
        .args(options)
        .arg(trace(folder))
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}: {}",
        folder.display(),
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap()
}

/// What differs from the snapshot, if anything.
fn against_snapshot(folder: &Path, name: &str, got: &str) -> Option<String> {
    let path = folder.join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, got).unwrap();
        return None;
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = || {
        let lines = got
            .lines()
            .map(Some)
            .chain(std::iter::repeat(None))
            .zip(want.lines().map(Some).chain(std::iter::repeat(None)));
        let first = lines.enumerate().find(|(_, (got, want))| got != want);
        first.map(|(at, (got, want))| {
            format!(
                "{} line {}\n   got {got:?}\n  want {want:?}",
                path.display(),
                at + 1
            )
        })
    };
    (got != want).then(|| differing().unwrap_or_default())
}

fn findings(json: &Value) -> Vec<&Value> {
    let of = |object: &'static str| json[object].as_array().unwrap().iter();
    of("calls")
        .flat_map(|call| call["findings"].as_array().unwrap())
        .chain(of("findings"))
        .collect()
}

/// What the JSON says against what about.toml expects.
fn against_expectation(about: &About, json: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, got: String, want: String| {
        if got != want {
            wrong.push(format!("{what}: got {got}, expected {want}"));
        }
    };
    let expect = &about.expect;
    same(
        "messages",
        json["totals"]["messages"].to_string(),
        expect.messages.to_string(),
    );
    same(
        "outcomes",
        json["totals"]["outcomes"].to_string(),
        serde_json::to_string(&expect.outcomes).unwrap(),
    );
    same(
        "finals",
        json["totals"]["final_responses"].to_string(),
        serde_json::to_string(&expect.finals).unwrap(),
    );
    let findings = findings(json);
    let known = |id: &str| sipexplain::diagnose::rules::rule(id).is_some();
    for id in expect.fires.iter().filter(|id| known(id)) {
        if !findings
            .iter()
            .any(|finding| finding["rule"] == id.as_str())
        {
            wrong.push(format!("{id} does not fire"));
        }
    }
    for finding in findings {
        let (rule, severity) = (
            finding["rule"].as_str().unwrap(),
            finding["severity"].as_str().unwrap(),
        );
        let silent = expect.silent.iter().any(|id| match id.as_str() {
            "*" => true,
            "warning" => severity != "info",
            id => id == rule,
        });
        if silent && !expect.fires.iter().any(|id| id == rule) {
            wrong.push(format!("{rule} fires"));
        }
    }
    wrong
}

#[test]
fn every_fixture_is_explained_as_its_folder_says() {
    let mut wrong = Vec::new();
    let folders = folders();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let about = std::fs::read_to_string(folder.join("about.toml")).unwrap();
        let about: About = toml::from_str(&about).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            !about.title.is_empty() && !about.origin.is_empty(),
            "{name}: title and origin"
        );
        let json = run(folder, &["--format", "json"]);
        let parsed: Value = serde_json::from_str(&json).unwrap();
        wrong.extend(
            against_expectation(&about, &parsed)
                .into_iter()
                .map(|w| format!("{name}: {w}")),
        );
        let pretty = serde_json::to_string_pretty(&parsed).unwrap() + "\n";
        wrong.extend(against_snapshot(folder, "expected.json", &pretty));
        wrong.extend(against_snapshot(folder, "expected.txt", &run(folder, &[])));
    }
    assert!(folders.len() >= 40, "only {} fixtures", folders.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
