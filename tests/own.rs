//! Entries of the user: which of them counts, where it shows, and what is said of a file with faults.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::{Ran, flows, program, root, run};
use std::path::PathBuf;

const FILE: &str = "tests/data/knowledge/carrier-x.toml";

fn trace() -> String {
    let flow = flows()
        .iter()
        .find(|flow| flow.name.contains("carrier-says-line-group"));
    flow.expect("the flow").trace.clone()
}

fn folder(name: &str) -> PathBuf {
    let folder = root().join("target/tmp/own").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn written(name: &str, text: &str) -> String {
    let path = folder(name).join("own.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Lines may be broken anywhere.
fn says(ran: &Ran, text: &str) {
    let joined = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        joined.contains(text),
        "no {text:?} in\n{}\n{}",
        ran.out,
        ran.err
    );
}

#[test]
fn a_report_shows_the_entry_that_fits_best_as_the_users_own() {
    let trace = trace();
    let ran = run(["--knowledge", FILE, &trace]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    says(
        &ran,
        "= meaning (from carrier-x.toml:5): Carrier X has no free line",
    );
    says(&ran, "= fix (from carrier-x.toml:5): Call the service desk");
    says(
        &ran,
        "= seen when (from carrier-x.toml:5): At the end of the month",
    );
    assert!(!ran.out.contains("phone is off"), "{}", ran.out);
    let plain = run([&trace]);
    assert!(!plain.out.contains("carrier-x"), "{}", plain.out);
    let french = run(["--knowledge", FILE, "--lang", "fr", &trace]);
    says(
        &french,
        "(d'après carrier-x.toml:5) : Carrier X has no free line",
    );
}

#[test]
fn json_names_the_file_and_keeps_the_contract() {
    let trace = trace();
    let report = run(["--format", "json", "--knowledge", FILE, &trace]).json();
    let key = "480/own:carrier-x.toml:5";
    let answer = &report["calls"][0]["final_responses"][0];
    assert_eq!(answer["explanation"], key);
    let explanation = &report["explanations"][key];
    assert_eq!(explanation["from"], "carrier-x.toml:5");
    assert_eq!(explanation["title"], "Temporarily Unavailable");
    assert!(
        explanation["meaning"]
            .as_str()
            .unwrap()
            .starts_with("Carrier X")
    );
    let lines = run(["--format", "ndjson", "--knowledge", FILE, &trace]).out;
    assert!(lines.contains(&format!("\"key\":\"{key}\"")), "{lines}");
    let plain = run(["--format", "json", &trace]).json();
    assert_eq!(
        plain["calls"][0]["final_responses"][0]["explanation"],
        "480"
    );
    assert!(plain["explanations"]["480"].get("from").is_none());
}

#[test]
fn pages_show_them_and_words_find_them() {
    let page = run(["code", "480", "--knowledge", FILE]);
    says(
        &page,
        "Description (from carrier-x.toml:14) In this house 480 means that the phone is off.",
    );
    says(&page, "When You See It Mostly the called device");
    says(
        &page,
        "Your own entry (from carrier-x.toml:5) 480 · \"Line group*\" · Server: Foo SBC* · Carrier X",
    );
    let found = run(["code", "gone fishing", "--knowledge", FILE]);
    says(
        &found,
        "\"gone fishing\" Your own entry (from carrier-x.toml:18) How to Fix Wait until Monday.",
    );
    assert_eq!(run(["code", "gone fishing"]).status, 2);
}

#[test]
fn the_option_counts_more_than_the_folder_and_the_later_file_more_than_the_earlier() {
    let home = folder("home");
    std::fs::create_dir_all(home.join("sipexplain")).unwrap();
    std::fs::write(
        home.join("sipexplain/knowledge.toml"),
        "[[entry]]\ncode = 499\nfix = \"Ask the folder.\"\n[[entry]]\ncode = 498\nfix = \"Ask at home.\"\n",
    )
    .unwrap();
    let first = written(
        "first",
        "[[entry]]\ncode = 499\nfix = \"Ask the first file.\"\n",
    );
    let second = written(
        "second",
        "[[entry]]\ncode = 499\nfix = \"Ask the second file.\"\n",
    );
    let page = |args: &[&str]| {
        let out = program()
            .env("XDG_CONFIG_HOME", &home)
            .args(args)
            .output()
            .unwrap();
        Ran::of(out)
    };
    says(
        &page(&["code", "499"]),
        "How to Fix (from knowledge.toml:1) Ask the folder.",
    );
    let both = page(&[
        "code",
        "499",
        "498",
        "--knowledge",
        &first,
        "--knowledge",
        &second,
    ]);
    says(&both, "Ask the second file.");
    says(&both, "Ask at home.");
    assert!(!both.out.contains("first file"), "{}", both.out);
    let dot_config = folder("dot-config");
    std::fs::create_dir_all(dot_config.join(".config/sipexplain")).unwrap();
    std::fs::copy(
        home.join("sipexplain/knowledge.toml"),
        dot_config.join(".config/sipexplain/knowledge.toml"),
    )
    .unwrap();
    let out = program()
        .env_remove("XDG_CONFIG_HOME")
        .env("HOME", &dot_config)
        .args(["code", "499"])
        .output()
        .unwrap();
    says(&Ran::of(out), "Ask the folder.");
}

#[test]
fn faults_are_told_with_their_lines() {
    let bad = written(
        "bad",
        "[[entry]]\ncode = 700\nmeaning = \"x\"\n\n[[entry]]\nphrase = \"\\u001b[2J\"\nfix = \"x\"\n",
    );
    for args in [
        vec!["code", "607"],
        vec!["--format", "json", "nothing.pcap"],
    ] {
        let ran = run(args.into_iter().chain(["--knowledge", &bad]));
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(
            ran.err
                .contains("own.toml:2: code: 700 is not from 100 to 699"),
            "{}",
            ran.err
        );
        assert!(
            ran.err.contains("own.toml:6: phrase: a character"),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
    }
    let missing = run(["code", "607", "--knowledge", "no-such.toml"]);
    assert_eq!(missing.status, 2);
    assert!(
        missing.err.contains("--knowledge no-such.toml: "),
        "{}",
        missing.err
    );
    let large = written("large", &"#".repeat((1 << 20) + 1));
    assert!(
        run(["code", "607", "--knowledge", &large])
            .err
            .contains("larger than 1 MiB")
    );
    let many: String = (0..2001)
        .map(|n| format!("[[entry]]\nphrase = \"p{n}\"\nfix = \"x\"\n"))
        .collect();
    let many = written("many", &many);
    assert!(
        run(["code", "607", "--knowledge", &many])
            .err
            .contains("more than 2000 entries")
    );
}

#[test]
fn the_example_of_the_page_is_valid() {
    let page = std::fs::read_to_string(root().join("docs/knowledge.md")).unwrap();
    let lines = page.lines().skip_while(|line| *line != "    [[carrier]]");
    let example: Vec<&str> = lines
        .take_while(|line| line.is_empty() || line.starts_with("    "))
        .map(str::trim)
        .collect();
    let file = written("page", &example.join("\n"));
    says(
        &run(["code", "480", "--knowledge", &file]),
        "Your own entry (from own.toml:5)",
    );
}
