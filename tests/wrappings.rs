//! SIP in every wrapping: each file of `fixtures/wrappings/` is read to its last message, and
//! the table in `docs/reading.md` says so.
//!
//! The lists (`*.tsv`) are written by `fixtures/record/wrappings/`: file, messages in it, what it
//! is, how it was made, and options that reading it takes. `UPDATE_EXPECTED=1` writes the table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::{read, root, rows, run};
use serde_json::Value;

const BEGIN: &str = "<!-- wrappings -->\n";
const END: &str = "<!-- end of wrappings -->";

/// A row of a list.
struct Wrapping {
    family: String,
    file: String,
    messages: u64,
    title: String,
    made: String,
    options: Vec<String>,
}

fn wrappings() -> Vec<Wrapping> {
    let wrappings = rows("fixtures/wrappings")
        .into_iter()
        .map(|(family, cells)| {
            let [file, messages, title, made, options @ ..] = cells.as_slice() else {
                panic!("{family}: {cells:?}");
            };
            let options = options.iter().flat_map(|o| o.split(' '));
            Wrapping {
                file: file.clone(),
                messages: messages.parse().unwrap(),
                title: title.clone(),
                made: made.clone(),
                options: options.map(str::to_owned).collect(),
                family,
            }
        });
    wrappings.collect()
}

/// The report on a file; options may name files beside it as `@name`.
fn report(wrapping: &Wrapping) -> Value {
    let folder = "fixtures/wrappings";
    let options = wrapping.options.iter().filter(|option| !option.is_empty());
    let mut args: Vec<String> = options
        .map(|option| match option.strip_prefix('@') {
            Some(name) => format!("{folder}/{name}"),
            None => option.clone(),
        })
        .collect();
    args.extend(["--format", "json"].map(str::to_owned));
    args.extend(
        wrapping
            .file
            .split(' ')
            .map(|file| format!("{folder}/{file}")),
    );
    run(args).json()
}

fn messages(report: &Value) -> u64 {
    let inputs = report["inputs"].as_array().unwrap();
    inputs
        .iter()
        .map(|i| i["sip_messages"].as_u64().unwrap())
        .sum()
}

/// Every frame is in exactly one account.
fn adds_up(report: &Value) -> bool {
    let frames = |list: &Value| -> u64 {
        let entries = list.as_array().into_iter().flatten();
        entries.map(|entry| entry["frames"].as_u64().unwrap()).sum()
    };
    let inputs = report["inputs"].as_array().unwrap().iter();
    inputs
        .filter(|input| !input["frames"].is_null())
        .all(|input| {
            let accounts = input["sip_frames"].as_u64().unwrap()
                + frames(&input["other"])
                + frames(&input["not_decoded"]);
            input["frames"].as_u64() == Some(accounts)
        })
}

#[test]
fn every_wrapping_is_read_whole_and_the_table_says_so() {
    let (mut wrong, mut table) = (Vec::new(), String::new());
    table.push_str(
        "| wrapping | file in fixtures/wrappings | messages | read |\n|---|---|---:|---:|\n",
    );
    for wrapping in &wrappings() {
        let report = report(wrapping);
        let read = messages(&report);
        let Wrapping {
            family,
            file,
            messages,
            title,
            ..
        } = wrapping;
        if read != *messages {
            wrong.push(format!(
                "{family}: {file}: {read} messages of {messages}: {}",
                report["inputs"]
            ));
        }
        if !adds_up(&report) {
            wrong.push(format!(
                "{family}: {file}: accounts do not add up: {}",
                report["inputs"]
            ));
        }
        table.push_str(&format!("| {title} | {file} | {messages} | {read} |\n"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let page = read("docs/reading.md");
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("docs/reading.md has no table");
    let (listed, after) = rest
        .split_once(END)
        .expect("the table in docs/reading.md has no end");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let page = format!("{before}{BEGIN}{table}{END}{after}");
        std::fs::write(root().join("docs/reading.md"), page).unwrap();
        return;
    }
    assert_eq!(
        listed, table,
        "UPDATE_EXPECTED=1 cargo test --test wrappings writes it"
    );
}

#[test]
fn every_file_is_listed_and_every_script_is_there() {
    let listed = wrappings();
    for wrapping in &listed {
        assert!(root().join(&wrapping.made).exists(), "{}", wrapping.made);
    }
    for entry in std::fs::read_dir(root().join("fixtures/wrappings")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let used = |w: &Wrapping| {
            w.file.split(' ').any(|file| file == name)
                || w.options
                    .iter()
                    .any(|option| option.strip_prefix('@') == Some(&name))
        };
        assert!(
            name.ends_with(".tsv") || listed.iter().any(used),
            "fixtures/wrappings/{name} is in no list"
        );
    }
}

#[test]
fn what_a_cap_or_a_contradiction_cost_is_said() {
    let file = "fixtures/wrappings/fragments-contradict.pcap";
    let (text, json) = (run([file]).out, run(["--format", "json", file]).json());
    let name = "IP fragments that contradict earlier ones: the earlier ones were kept";
    assert_eq!(json["totals"]["limits"][name], 9, "{}", json["totals"]);
    assert!(text.contains(&format!("note: 9 {name}")), "{text}");
}

#[test]
fn holes_and_cuts_are_said() {
    let json = |file: &str| {
        let path = format!("fixtures/wrappings/{file}");
        run(["--format", "json", path.as_str()]).json()
    };
    let lost = json("tcp-message-lost.pcap");
    assert_eq!(lost["inputs"][0]["gaps"]["count"], 1, "{}", lost["inputs"]);
    assert_eq!(
        lost["calls"].as_array().unwrap().len(),
        1,
        "{}",
        lost["calls"]
    );
    assert_eq!(json("tcp-gap.pcap")["inputs"][0]["gaps"]["bytes"], 150);
    let ended = json("tcp-cut-at-the-end.pcap");
    let reasons = &ended["inputs"][0]["not_decoded"];
    assert_eq!(reasons[0]["reason"], "message-incomplete", "{reasons}");
    assert_eq!(json("udp-snaplen.pcap")["inputs"][0]["cut_messages"], 4);
    let said = run(["fixtures/wrappings/udp-snaplen.pcap"]).out;
    assert!(
        said.contains("messages cut off by the capture: 4"),
        "{said}"
    );
    let said = run(["fixtures/wrappings/tcp-message-lost.pcap"]).out;
    assert!(said.contains("holes in TCP streams of SIP: 1"), "{said}");
}
