//! What the README and the docs claim, held against the program.

#![allow(clippy::unwrap_used, clippy::panic)] // a page that cannot be read must stop the test

use std::path::Path;
use std::process::Command;

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_diagnosis_in_the_readme_is_what_the_program_prints() {
    let readme = page("README.md");
    let mut block = readme
        .lines()
        .skip_while(|line| !line.starts_with("    $ sipexplain "))
        .map_while(|line| line.strip_prefix("    "));
    let command = block.next().unwrap();
    let arguments: Vec<&str> = command.split_whitespace().skip(2).collect();
    let root = env!("CARGO_MANIFEST_DIR");
    let out = Command::new(env!("CARGO_BIN_EXE_sipexplain"))
        .current_dir(root)
        .env_clear()
        .args(arguments)
        .output()
        .unwrap();
    let printed = String::from_utf8(out.stdout).unwrap();
    let mut rest = printed.lines();
    for line in block {
        assert!(
            rest.any(|printed| printed == line),
            "the program does not print, in this order: {line}"
        );
    }
    let first_25 = readme.lines().take(25).collect::<String>();
    assert!(first_25.contains("error[unwanted-607]"));
}

#[test]
fn every_path_that_a_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/reading.md",
        "docs/reports.md",
        "fixtures/README.md",
    ] {
        let text = page(name);
        for word in text
            .split(['`', '(', ')', ' ', '\n'])
            .filter(|word| !word.contains("NAME") && !word.contains(['*', '<', ':', '$']))
        {
            let word = word.trim_end_matches(['.', ',']);
            let looks_like_path = word.contains('/')
                && ["src/", "docs/", "fixtures/", "benches/", "tests/"]
                    .iter()
                    .any(|p| word.starts_with(p));
            assert!(
                !looks_like_path || root.join(word).exists(),
                "{name} names {word}, which does not exist"
            );
        }
    }
}

#[test]
fn the_page_on_reports_names_every_format() {
    let text = page("docs/reports.md");
    for format in sipexplain::report::FORMATS {
        let row = text.lines().filter(|line| line.starts_with('|'));
        let named = format!("`{}`", format.name);
        assert!(row.into_iter().any(|row| row.contains(&named)), "{named}");
    }
}

#[test]
fn every_option_that_a_page_names_exists() {
    let help = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_sipexplain"));
        let output = program.args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let help = [help(&["--help"]), help(&["check", "--help"])].concat();
    let cargo = [
        "--explain",
        "--release",
        "--locked",
        "--quiet",
        "--test",
        "--path",
        "--counts",
    ];
    for name in ["README.md", "docs/reading.md", "docs/reports.md"] {
        for option in page(name)
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .filter(|word| {
                word.strip_prefix("--")
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
            })
        {
            assert!(
                cargo.contains(&option) || help.contains(option),
                "{name} names {option}, which --help does not know"
            );
        }
    }
}
