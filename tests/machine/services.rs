//! GitHub, GitLab, and Markdown as both read it.

use crate::harness::{fixtures, hostile, program, read, run};
use crate::{FAILED, HEALTHY, LOG, hostile_report};
use std::collections::{BTreeMap, HashSet};

/// A workflow command, read as the runner does: `::name key=value,key=value::message`.
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) message: String,
}

fn command(line: &str) -> Command {
    let (head, message) = line
        .strip_prefix("::")
        .expect(line)
        .split_once("::")
        .expect(line);
    let (name, properties) = head.split_once(' ').expect(line);
    let properties = properties.split(',').map(|property| {
        let (key, value) = property.split_once('=').expect(line);
        let value = value.replace("%3A", ":").replace("%2C", ",");
        (key.to_owned(), decoded(&value))
    });
    Command {
        name: name.to_owned(),
        properties: properties.collect(),
        message: decoded(message),
    }
}

fn decoded(text: &str) -> String {
    let lines = text.replace("%0D", "\r").replace("%0A", "\n");
    lines.replace("%25", "%")
}

pub(crate) fn commands(text: &str) -> Vec<Command> {
    let all: Vec<Command> = text.lines().map(command).collect();
    for command in &all {
        assert!(["error", "warning", "notice"].contains(&command.name.as_str()));
        for key in command.properties.keys() {
            assert!(
                ["file", "line", "endLine", "title"].contains(&key.as_str()),
                "{key}"
            );
        }
    }
    all
}

#[test]
fn github_annotates_failures_and_nothing_that_went_well() {
    let all = commands(&run(["--format", "github", LOG, FAILED, HEALTHY]).out);
    assert_eq!(all.len(), 2);
    let log = &all[0].properties;
    assert_eq!((all[0].name.as_str(), log["file"].as_str()), ("error", LOG));
    let line: usize = log["line"].parse().unwrap();
    assert!(
        read(LOG)
            .lines()
            .nth(line - 1)
            .unwrap()
            .starts_with("INVITE ")
    );
    assert!(all[1].properties["file"].ends_with("codec-488/trace.pcap"));
    assert!(!all[1].properties.contains_key("line"));
    assert!(all[1].message.contains("frame "), "{}", all[1].message);
    for fixture in fixtures() {
        commands(&run(["--format", "github", &fixture.trace]).out);
    }
}

#[test]
fn github_reads_hostile_values_as_one_command_each() {
    let path = hostile::capture("hostile-github");
    let all = commands(&hostile_report("github").out);
    let errors: Vec<&Command> = all.iter().filter(|one| one.name == "error").collect();
    // Two findings a call, and ten are shown; then one line says how many more there are.
    assert_eq!((errors.len(), all.len()), (10, 11));
    for one in errors {
        let name = path.file_name().unwrap().to_str().unwrap();
        let properties = &one.properties;
        assert!(properties["file"].ends_with(name), "{properties:?}");
        assert_eq!(properties.len(), 2, "{properties:?}");
        assert!(one.message.contains("%0A::error::pwned ]]></failure>"));
    }
}

#[test]
fn github_says_how_many_it_does_not_show() {
    let traces = vec![FAILED; 13];
    let all = commands(&run(["--format", "github"].iter().chain(&traces)).out);
    let errors = all.iter().filter(|one| one.name == "error").count();
    let json = run(["--format", "json"].iter().chain(&traces)).json();
    let failed = json["totals"]["outcomes"]["INVITE"]["failed"]
        .as_u64()
        .unwrap();
    assert_eq!(errors as u64, failed.min(10));
    let more = all
        .iter()
        .any(|one| one.message.ends_with("more findings are not shown"));
    assert_eq!(more, failed > 10);
}

#[test]
fn github_gets_the_markdown_report_as_summary_of_its_step() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let summary = folder.join("step-summary.md");
    std::fs::write(&summary, "before\n").unwrap();
    let github = |path: &std::path::Path| {
        let mut program = program();
        program.env("GITHUB_STEP_SUMMARY", path);
        program
            .args(["--format", "github", FAILED])
            .output()
            .unwrap()
    };
    assert_eq!(github(&summary).status.code(), Some(0));
    let markdown = run(["--format", "markdown", FAILED]).out;
    assert_eq!(
        std::fs::read_to_string(&summary).unwrap(),
        format!("before\n{markdown}")
    );
    assert_eq!(
        github(&folder.join("no/such/folder")).status.code(),
        Some(2)
    );
}

#[test]
fn gitlab_has_the_fields_that_it_needs() {
    let mut traces: Vec<String> = fixtures().iter().map(|f| f.trace.clone()).collect();
    let path = hostile::capture("hostile-gitlab");
    traces.push(path.to_str().unwrap().to_owned());
    let document = run(["--format", "gitlab"]
        .iter()
        .copied()
        .chain(traces.iter().map(String::as_str)));
    let issues = document.json();
    let issues = issues.as_array().unwrap();
    assert!(issues.len() > 40);
    let mut fingerprints = HashSet::new();
    for issue in issues {
        let text = |name: &str| issue[name].as_str().unwrap();
        assert!(!text("description").is_empty() && !text("description").contains('\n'));
        assert!(!text("check_name").is_empty());
        assert!(fingerprints.insert(text("fingerprint")), "twice: {issue}");
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&text("severity")));
        let location = &issue["location"];
        assert!(
            traces.iter().any(|trace| *trace == location["path"]),
            "{location}"
        );
        assert!(location["lines"]["begin"].as_u64().unwrap() >= 1);
    }
    assert_eq!(run(["--format", "gitlab", HEALTHY]).out, "[]\n");
}

/// What a renderer of CommonMark would not take for code.
pub(crate) fn outside_code(text: &str) -> String {
    let mut rest = String::new();
    let mut fence: Option<usize> = None;
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks >= open && line[ticks..].trim().is_empty() => fence = None,
            Some(_) => {}
            None if ticks >= 3 && !line[ticks..].contains('`') => fence = Some(ticks),
            None => {
                rest += &without_spans(line);
                rest.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a fence stays open");
    rest
}

fn without_spans(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        out += &rest[..at];
        let ticks = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let mut after = &rest[at + ticks..];
        // The span ends with the next run of as many.
        loop {
            let Some(next) = after.find('`') else {
                panic!("a code span stays open: {line}");
            };
            let run = after[next..].len() - after[next..].trim_start_matches('`').len();
            after = &after[next + run..];
            if run == ticks {
                break;
            }
        }
        rest = after;
    }
    out + rest
}

#[test]
fn markdown_holds_what_is_hostile_in_code() {
    let text = hostile_report("markdown").out;
    assert!(text.contains("alert(1)"));
    let prose = outside_code(&text);
    for word in [
        "alert", "evil", "error", "cmd", "everyone", "<", "[", "@", "pwned", "SKIP",
    ] {
        assert!(!prose.contains(word), "{word} in {prose}");
    }
    // No bar of the wire makes a further cell.
    for row in text.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 3, "{row}");
    }
}

#[test]
fn markdown_groups_what_is_alike() {
    let text = run(["--format", "markdown", FAILED, HEALTHY]).out;
    assert!(
        text.starts_with("## sipexplain: 1 of 3 entries fell short\n"),
        "{text}"
    );
    assert_eq!(text.matches("\n### ").count(), 1);
    for fixture in fixtures() {
        outside_code(&run(["--format", "markdown", &fixture.trace]).out);
    }
}
