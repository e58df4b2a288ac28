//! The documents about `check`, held against the program.

use super::harness::{Ran, program, read, root};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_key_stands_in_the_reference_under_its_table() {
    let text = read("docs/expectations.md");
    for table in sipexplain::check::expect::read::TABLES {
        let heading = format!("\n## `{}`\n", table.table);
        let section = text
            .split_once(&heading)
            .unwrap_or_else(|| panic!("{heading}"))
            .1;
        let section = section.split("\n## ").next().unwrap();
        let section = section.split("\n### ").next().unwrap();
        let rows = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let documented: BTreeSet<&str> = rows.collect();
        let known: BTreeSet<&str> = table.keys.iter().copied().collect();
        assert_eq!(documented, known, "{}", table.table);
    }
}

#[test]
fn the_example_of_the_reference_is_read() {
    let text = read("docs/expectations.md");
    let example = text
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("example.toml");
    std::fs::write(&file, example).unwrap();
    let capture = root().join("fixtures/healthy-basic-call/trace.pcap");
    let ran = program()
        .arg("check")
        .args([file, capture])
        .output()
        .unwrap();
    let ran = Ran::of(ran);
    assert_eq!((ran.status, ran.err.as_str()), (1, ""));
    assert!(ran.out.contains("no call fits"), "{}", ran.out);
}

/// Runs the commands of `docs/ci.md` in their order, in an empty folder that sees the fixtures.
#[cfg(unix)]
#[test]
fn every_command_of_the_way_to_a_failing_build_does_what_the_text_says() {
    let text = read("docs/ci.md");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ci");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(root().join("fixtures"), folder.join("fixtures")).unwrap();
    let built = Path::new(env!("CARGO_BIN_EXE_sipexplain"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", built.display(), std::env::var("PATH").unwrap());
    let is_command =
        |line: &&str| line.starts_with("    cp ") || line.starts_with("    sipexplain ");
    let commands: Vec<&str> = text.lines().filter(is_command).map(str::trim).collect();
    assert_eq!(commands.len(), 9);
    let mut failed = Vec::new();
    for command in commands {
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", command])
            .current_dir(&folder)
            .env("PATH", &path)
            .env("LC_ALL", "C");
        let ran = Ran::of(shell.output().unwrap());
        assert_eq!(ran.err, "", "{command}");
        if ran.status != 0 {
            failed.push((command, ran));
        }
    }
    let [(command, ran)] = failed.try_into().unwrap();
    assert_eq!(
        (command, ran.status),
        ("sipexplain check flows.toml next.pcap", 1)
    );
    let shown: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    let first = shown
        .iter()
        .position(|line| line.starts_with("failed "))
        .unwrap();
    for line in shown
        .iter()
        .skip(first)
        .take_while(|line| !line.starts_with("sipexplain"))
    {
        assert!(
            ran.out.lines().any(|said| said == *line),
            "{line}\n{}",
            ran.out
        );
    }
}
