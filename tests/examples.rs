//! The ready-made pieces for CI, run as far as they can be without the services that they are for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::{read, root};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const GOOD: &str = "fixtures/healthy-basic-call/trace.pcap";
const BAD: &str = "fixtures/codec-488/trace.pcap";

/// A project with a folder of flows, and a PATH on which the program is.
struct Project(PathBuf);

impl Project {
    fn new(name: &str, capture: &str) -> Project {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("examples")
            .join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("flows")).unwrap();
        std::fs::copy(root().join(capture), folder.join("flows/trunk.pcap")).unwrap();
        Project(folder)
    }

    /// Accepts the flow as it is.
    fn bless(&self) {
        let bless = [
            "check",
            "--golden",
            "flows/golden",
            "--bless",
            "flows/trunk.pcap",
        ];
        assert!(self.run("sipexplain", &bless, &[]).status.success());
    }

    fn run(&self, program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let own = Path::new(env!("CARGO_BIN_EXE_sipexplain"))
            .parent()
            .unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.0);
        command.env("PATH", format!("{}:{path}", own.display()));
        command.env_remove("GITHUB_STEP_SUMMARY");
        command.envs(variables.iter().copied()).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The lines of a block of YAML behind `key`, without their indentation.
fn block(yaml: &str, key: &str) -> String {
    let mut lines = yaml.lines().skip_while(|line| line.trim() != key);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let of_key = indent(lines.next().expect(key));
    let lines: Vec<&str> = lines
        .take_while(|line| line.trim().is_empty() || indent(line) > of_key)
        .collect();
    let least = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| indent(line))
        .min()
        .unwrap();
    lines
        .iter()
        .map(|line| format!("{}\n", line.get(least..).unwrap_or_default()))
        .collect()
}

#[test]
fn the_github_action_fails_where_a_call_failed_or_a_flow_changed() {
    let script = block(&read("examples/ci/github/action.yml"), "run: |");
    let run = |project: &Project, golden: &str, files: &str| {
        let variables = [("FILES", files), ("FAIL_ON", "failed"), ("GOLDEN", golden)];
        project.run("bash", &["-euo", "pipefail", "-c", &script], &variables)
    };
    let bad = run(&Project::new("action-bad", BAD), "", "flows");
    assert_eq!(bad.status.code(), Some(1));
    assert!(
        text(&bad.stdout).contains("::error file=flows/trunk.pcap"),
        "{}",
        text(&bad.stdout)
    );

    let good = Project::new("action-good", GOOD);
    assert_eq!(run(&good, "", "flows").status.code(), Some(0));
    assert_eq!(
        run(&good, "flows/golden", "flows/trunk.pcap").status.code(),
        Some(1)
    );
    good.bless();
    assert_eq!(
        run(&good, "flows/golden", "flows/trunk.pcap").status.code(),
        Some(0)
    );
    std::fs::copy(root().join(BAD), good.0.join("flows/other.pcap")).unwrap();
    let lines = "flows/trunk.pcap\nflows/other.pcap\n";
    assert_eq!(run(&good, "", lines).status.code(), Some(1));
    // What an input holds is not run.
    let hostile = run(&good, "", "$(touch${IFS}pwned)");
    assert_eq!(hostile.status.code(), Some(2));
    assert!(!good.0.join("pwned").exists());
}

#[test]
fn the_gitlab_job_leaves_its_reports_and_fails() {
    let yaml = read("examples/ci/gitlab/sipexplain.gitlab-ci.yml");
    let script = block(&yaml, "script:");
    let line = script.trim().strip_prefix("- ").unwrap();
    for (capture, status) in [(BAD, 1), (GOOD, 0)] {
        let project = Project::new(&format!("gitlab-{status}"), capture);
        let variables = [("FLOWS", "flows"), ("FAIL_ON", "failed")];
        let ran = project.run("bash", &["-euo", "pipefail", "-c", line], &variables);
        assert_eq!(ran.status.code(), Some(status), "{}", text(&ran.stderr));
        // Empty leaves it to sipexplain.toml.
        std::fs::write(
            project.0.join("sipexplain.toml"),
            "fail-on = [\"failed\"]\n",
        )
        .unwrap();
        let left = [("FLOWS", "flows"), ("FAIL_ON", "")];
        let ran = project.run("bash", &["-euo", "pipefail", "-c", line], &left);
        assert_eq!(ran.status.code(), Some(status), "{}", text(&ran.stderr));
        for report in ["sipexplain.xml", "sipexplain.json"] {
            assert!(yaml.contains(&format!(": {report}")), "{report}");
            assert!(
                project.0.join(report).metadata().unwrap().len() > 0,
                "{report}"
            );
        }
    }
}

#[test]
fn the_hooks_of_pre_commit_pass_and_fail() {
    let yaml = read("examples/ci/pre-commit/.pre-commit-hooks.yaml");
    let entries = yaml
        .lines()
        .filter_map(|line| line.trim().strip_prefix("entry: "));
    let entries: Vec<&str> = entries.collect();
    assert_eq!(entries.len(), 2);
    let good = Project::new("hooks", GOOD);
    // A suppression is for captures that are not in this commit.
    let known = "[[suppress]]\nrule = \"codec-no-common\"\nreason = \"ticket 17\"\n";
    std::fs::write(good.0.join("sipexplain.toml"), known).unwrap();
    good.bless();
    for entry in entries {
        let mut words: Vec<&str> = entry.split_whitespace().collect();
        words.push("flows/trunk.pcap");
        let run = |project: &Project| project.run(words[0], &words[1..], &[]).status.code();
        assert_eq!(run(&good), Some(0), "{entry}");
        assert_eq!(run(&Project::new("hooks-bad", BAD)), Some(1), "{entry}");
    }
}

#[test]
fn the_example_for_pytest_passes_and_fails() {
    let good = Project::new("pytest", GOOD);
    let has_pytest = |python: &&&str| {
        let imports = Command::new(python).args(["-c", "import pytest"]).output();
        imports.is_ok_and(|out| out.status.success())
    };
    let Some(python) = ["python3", "/usr/bin/python3"].iter().find(has_pytest) else {
        println!("skipped: the example for pytest (no pytest)");
        return;
    };
    good.bless();
    let file = root().join("examples/ci/pytest/test_flows.py");
    let arguments = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        file.to_str().unwrap(),
    ];
    let run =
        |project: &Project| project.run(python, &arguments, &[("PYTHONDONTWRITEBYTECODE", "1")]);
    let passed = run(&good);
    assert!(passed.status.success(), "{}", text(&passed.stdout));
    assert!(
        text(&passed.stdout).contains("3 passed"),
        "{}",
        text(&passed.stdout)
    );
    let failed = run(&Project::new("pytest-bad", BAD));
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        text(&failed.stdout).contains("error[codec-no-common]"),
        "{}",
        text(&failed.stdout)
    );
}
