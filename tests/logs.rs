//! SIP in text logs: every format has a file in `fixtures/logs/` that is read to its last message,
//! `docs/logs.md` lists them, and what can be made from a capture says the same as the capture.
//!
//! The lists (`*.tsv`) are written by `fixtures/record/logs/`: file, messages in it, format, what it
//! is, how it was made, the capture it was made from or that was recorded beside it, and what of it
//! the format keeps: `addresses` or the `remote` one, `transport`, and how close its times are (`us`,
//! `ms`, `100ms`, `s`), all of them in one field.
//! `UPDATE_EXPECTED=1` writes the table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::reading::{Message, held_by_files};
use harness::{read, root, rows, run};
use serde_json::{Value, json};
use sipexplain::input::log_formats;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- logs -->\n";
const END: &str = "<!-- end of logs -->";

struct Log {
    file: String,
    messages: usize,
    format: String,
    title: String,
    made: String,
    capture: String,
    keeps: String,
}

fn logs() -> Vec<Log> {
    let logs = rows("fixtures/logs").into_iter().map(|(list, cells)| {
        let [file, messages, format, title, made, rest @ ..] = cells.as_slice() else {
            panic!("{list}: {cells:?}");
        };
        let more = |n: usize| rest.get(n).cloned().unwrap_or_default();
        Log {
            file: file.clone(),
            messages: messages.parse().unwrap(),
            format: format.clone(),
            title: title.clone(),
            made: made.clone(),
            capture: more(0),
            keeps: more(1),
        }
    });
    logs.collect()
}

/// The messages in a file, and its format.
fn messages(path: &str) -> (Vec<Message>, String) {
    let mut held = held_by_files(&[path]);
    (held.messages, held.summaries.remove(0).format)
}

#[test]
fn every_log_is_read_whole_and_the_table_says_so() {
    let mut wrong = Vec::new();
    let mut table =
        "| format | file in fixtures/logs | messages | what it is |\n|---|---|---:|---|\n"
            .to_owned();
    let mut shown = BTreeSet::new();
    for log in &logs() {
        let (read, format) = messages(&format!("fixtures/logs/{}", log.file));
        if (read.len(), format.as_str()) != (log.messages, &format!("log:{}", log.format)) {
            wrong.push(format!(
                "{}: {} messages of {}, {format}",
                log.file,
                read.len(),
                log.messages
            ));
        }
        assert!(root().join(&log.made).exists(), "{}", log.made);
        shown.insert(log.format.clone());
        let Log {
            file,
            messages,
            format,
            title,
            ..
        } = log;
        table.push_str(&format!("| {format} | {file} | {messages} | {title} |\n"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let known: BTreeSet<String> = log_formats().map(str::to_owned).collect();
    assert_eq!(
        shown, known,
        "formats with a file, and formats that are known"
    );

    let page = read("docs/logs.md");
    let (before, rest) = page.split_once(BEGIN).expect("docs/logs.md has no table");
    let (listed, after) = rest.split_once(END).expect("the table has no end");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let page = format!("{before}{BEGIN}{table}{END}{after}");
        std::fs::write(root().join("docs/logs.md"), page).unwrap();
        return;
    }
    assert_eq!(
        listed, table,
        "UPDATE_EXPECTED=1 cargo test --test logs writes it"
    );
}

#[test]
fn what_was_made_from_a_capture_says_what_the_capture_says() {
    let mut compared = BTreeSet::new();
    for log in logs().iter().filter(|log| !log.capture.is_empty()) {
        let (logged, _) = messages(&format!("fixtures/logs/{}", log.file));
        let (captured, _) = messages(&log.capture);
        assert_eq!(logged.len(), captured.len(), "{}", log.file);
        let begin = |all: &[Message]| all.first().and_then(|read| read.stamp.time());
        let (Some(first), start) = (begin(&captured), begin(&logged)) else {
            panic!("{}: no time", log.capture)
        };
        let keeps = |what: &str| log.keeps.split(' ').any(|kept| kept == what);
        for (n, (log_read, captured)) in logged.iter().zip(&captured).enumerate() {
            let at = format!("{}, message {n}", log.file);
            assert_eq!(log_read.lines(), captured.lines(), "{at}");
            let (a, b) = (log_read.stamp, captured.stamp);
            // What the log itself says of addresses is true, be it of one end or of both.
            let inferred = a.inferred.names();
            let ends = [
                ("source", a.source, b.source),
                ("destination", a.destination, b.destination),
            ];
            let told = ends
                .into_iter()
                .filter(|(name, logged, _)| logged.is_some() && !inferred.contains(name));
            let told: Vec<_> = told.collect();
            let wrong = told.iter().find(|(_, logged, on_wire)| logged != on_wire);
            assert_eq!(wrong, None, "{at}");
            let least = match keeps("addresses") {
                true => 2,
                false => usize::from(keeps("remote")),
            };
            assert!(told.len() >= least, "{at}: {told:?}");
            if keeps("transport") {
                assert_eq!(a.transport, b.transport, "{at}");
            }
            let resolution = [
                ("us", 1_000),
                ("ms", 1_000_000),
                ("100ms", 100_000_000),
                ("s", 1_000_000_000),
            ];
            if let Some((_, unit)) = resolution.iter().find(|(name, _)| keeps(name)) {
                // A log without a date, or of another zone, is compared by what passed since.
                let since = |time: i64, first: i64| (time - first) / unit;
                let logged = match (a.time(), start, a.time_of_day()) {
                    (Some(time), Some(start), _) => since(time.0, start.0),
                    (_, _, Some(time)) => {
                        let start = logged[0].stamp.time_of_day().unwrap();
                        since(i64::try_from(time).unwrap(), i64::try_from(start).unwrap())
                    }
                    _ => panic!("{at}: no time"),
                };
                let captured = since(b.time().unwrap().0, first.0);
                assert!(
                    (logged - captured).abs() <= 1,
                    "{at}: {logged} {captured} {unit}"
                );
            }
        }
        compared.insert(log.format.clone());
    }
    println!(
        "{} formats compared with captures: {compared:?}",
        compared.len()
    );
}

/// Totals, and of every call its method, outcome and cause.
fn told(path: &str) -> Value {
    let report = run([path, "--format", "json"]).json();
    let calls = report["calls"].as_array().unwrap().iter();
    let calls = calls.map(|call| json!([call["method"], call["outcome"], call["root_cause"]]));
    let calls: Vec<Value> = calls.collect();
    let totals = &report["totals"];
    json!([
        totals["messages"],
        totals["final_responses"],
        totals["outcomes"],
        calls
    ])
}

#[test]
fn a_recorded_log_tells_of_the_calls_what_the_capture_tells() {
    let logs = logs().into_iter();
    let recorded = logs.filter(|log| log.file.starts_with("recorded/") && !log.capture.is_empty());
    let mut compared = 0;
    for log in recorded {
        let file = format!("fixtures/logs/{}", log.file);
        assert_eq!(told(&file), told(&log.capture), "{file}");
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
}

/// `format/01.txt` for every sample in the folder.
fn samples(folder: &Path) -> BTreeSet<String> {
    let entries = |path: &Path| {
        std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let formats = entries(folder).filter(|path| path.is_dir());
    let files = formats.flat_map(|format| entries(&format).collect::<Vec<_>>());
    files
        .map(|file| {
            file.strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[test]
fn the_samples_of_others_are_read() {
    let Some(corpus) = std::env::var_os("SIPEXPLAIN_CORPUS").map(PathBuf::from) else {
        println!("SIPEXPLAIN_CORPUS is unset: skipped, 0 samples read");
        return;
    };
    let folder = corpus.join("../logs");
    let Ok(index) = std::fs::read_to_string(folder.join("INDEX.tsv")) else {
        println!("no logs beside SIPEXPLAIN_CORPUS: skipped, 0 samples read");
        return;
    };
    // Counted by eye where the index gives no number.
    let by_eye = read("tests/logs-by-eye.tsv");
    let counted = |file: &str| {
        let rows = by_eye.lines().filter(|row| !row.starts_with('#'));
        let mut rows = rows.map(|row| row.split('\t').collect::<Vec<_>>());
        let row = rows.find(|row| row[0] == file)?;
        Some((row[1].parse::<usize>().unwrap(), row.get(2).is_some()))
    };
    let (mut wrong, mut equal, mut explained) = (Vec::new(), 0, 0);
    let mut listed = BTreeSet::new();
    for row in index.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let (file, known) = (cells[0], cells[2].parse::<usize>().ok());
        listed.insert(file.to_owned());
        let path = folder.join(file);
        let report = run([path.to_str().unwrap(), "--format", "json"]).json();
        let inputs = report["inputs"].as_array().unwrap();
        let read: u64 = inputs
            .iter()
            .map(|i| i["sip_messages"].as_u64().unwrap())
            .sum();
        let read = usize::try_from(read).unwrap();
        match (counted(file), known) {
            // A row with a reason says how many are read, and why that differs.
            (Some((messages, true)), _) if messages == read => explained += 1,
            (Some((messages, false)), None) if messages == read => equal += 1,
            (None, Some(messages)) if messages == read => equal += 1,
            (by_eye, known) => wrong.push(format!(
                "{file}: {read} read, {known:?} known, {by_eye:?} by eye"
            )),
        }
    }
    // No sample stands outside the index, and no row is of a sample that is gone.
    let found = samples(&folder);
    wrong.extend(
        found
            .difference(&listed)
            .map(|file| format!("{file}: not in the index")),
    );
    let rows = by_eye.lines().filter(|row| !row.starts_with('#'));
    let counted: BTreeSet<String> = rows
        .filter_map(|row| row.split('\t').next().map(str::to_owned))
        .collect();
    wrong.extend(
        counted
            .difference(&found)
            .map(|file| format!("{file}: counted and not there")),
    );
    println!("{equal} samples equal, {explained} with a reason, 0 skipped");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
