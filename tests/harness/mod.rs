//! Runs the built program, reads inputs, and finds the fixtures.

// Not every test file uses all of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod chance;
/// Calls written as text.
pub(crate) mod flow;
/// A capture whose every value tries to break out of a report.
pub(crate) mod hostile;
/// Text logs of messages.
pub(crate) mod log_writer;
pub(crate) mod reading;

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// An empty folder of this name for a test, among those of its group.
pub(crate) fn folder(group: &str, name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(group)
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a file into a folder; gives its path.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The program, in an environment of which nothing shows in its output.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sipexplain"));
    for name in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "LANG",
        "LC_MESSAGES",
        "TERM",
        "TZ",
    ] {
        command.env_remove(name);
    }
    // Nobody's own knowledge.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command.env("LC_ALL", "C").current_dir(root());
    command
}

/// The folder of the project.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the project.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of the lists (`*.tsv`) in a folder of the project, without comments: the name of the
/// list and the cells.
pub(crate) fn rows(folder: &str) -> Vec<(String, Vec<String>)> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let mut lists: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "tsv"))
        .collect();
    lists.sort();
    let mut all = Vec::new();
    for list in lists {
        let name = list.file_stem().unwrap().to_string_lossy();
        let text = std::fs::read_to_string(&list).unwrap();
        for row in text.lines().filter(|row| !row.starts_with('#')) {
            let cells = row.split('\t').map(str::to_owned).collect();
            all.push((name.clone().into_owned(), cells));
        }
    }
    all
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit status.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Ran {
        Ran {
            status: output.status.code().expect("it was killed by a signal"),
            out: String::from_utf8(output.stdout).expect("standard output is not UTF-8"),
            err: String::from_utf8(output.stderr).expect("standard error is not UTF-8"),
        }
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Standard output as JSON, line by line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parsed = self.out.lines().map(serde_json::from_str);
        parsed
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Runs the program with these arguments.
pub(crate) fn run<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Ran {
    Ran::of(program().args(args).stdin(Stdio::null()).output().unwrap())
}

/// Runs the program with these arguments and standard input.
pub(crate) fn run_with_input(args: &[&str], input: &[u8]) -> Ran {
    let mut child = program()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It may stop reading early.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let ran = Ran::of(child.wait_with_output().unwrap());
    writer.join().unwrap();
    ran
}

/// One folder of `fixtures/`.
#[derive(Debug)]
pub(crate) struct Fixture {
    /// Name of the folder.
    pub(crate) name: String,
    /// Its trace, relative to the project.
    pub(crate) trace: String,
    /// Its `about.toml`.
    pub(crate) about: toml::Table,
    report: OnceLock<Value>,
}

impl Fixture {
    /// The rules that `about.toml` lists under `fires` or `silent`.
    pub(crate) fn expects(&self, list: &str) -> Vec<String> {
        let expect = self.about.get("expect").and_then(toml::Value::as_table);
        let list = expect.and_then(|table| table.get(list)?.as_array());
        let ids = list
            .into_iter()
            .flatten()
            .filter_map(|id| id.as_str().map(str::to_owned));
        ids.collect()
    }

    /// Its report as JSON.
    pub(crate) fn json(&self) -> &Value {
        self.report
            .get_or_init(|| run(["--format", "json", &self.trace]).json())
    }
}

/// Every fixture, by name.
pub(crate) fn fixtures() -> &'static [Fixture] {
    static FIXTURES: OnceLock<Vec<Fixture>> = OnceLock::new();
    FIXTURES.get_or_init(find_fixtures)
}

/// Every flow of `fixtures/flows`, compiled, as a fixture.
pub(crate) fn flows() -> &'static [Fixture] {
    static FLOWS: OnceLock<Vec<Fixture>> = OnceLock::new();
    FLOWS.get_or_init(|| flow_files().iter().map(|path| flow_in(path)).collect())
}

/// The files of the flows, by name; the variable FLOW picks one.
pub(crate) fn flow_files() -> Vec<PathBuf> {
    let only = std::env::var("FLOW").ok();
    let files = std::fs::read_dir(root().join("fixtures/flows")).unwrap();
    let mut all: Vec<PathBuf> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "flow"))
        .filter(|path| {
            only.as_ref()
                .is_none_or(|only| path.file_stem().unwrap().to_str() == Some(only))
        })
        .collect();
    all.sort();
    all
}

fn flow_in(path: &Path) -> Fixture {
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let compiled = flow::compile(&std::fs::read_to_string(path).unwrap());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("flows-registry");
    std::fs::create_dir_all(&folder).unwrap();
    let trace = folder.join(format!("{name}.pcap"));
    // Other tests, of this binary and of others, write the same file at the same time.
    let (process, thread) = (std::process::id(), std::thread::current().id());
    let fresh = folder.join(format!("{name}.{process}.{thread:?}"));
    std::fs::write(&fresh, &compiled.pcap).unwrap();
    std::fs::rename(&fresh, &trace).unwrap();
    let list = |key: &str| -> toml::Value {
        let lines = compiled.expect.get(key).into_iter().flatten();
        let ids = lines
            .flat_map(|line| line.split(", "))
            .filter(|id| !id.is_empty());
        ids.map(|id| toml::Value::from(id.to_owned()))
            .collect::<Vec<_>>()
            .into()
    };
    let expect = toml::Table::from_iter(["fires", "silent"].map(|key| (key.to_owned(), list(key))));
    let about = [
        ("title".to_owned(), compiled.title.clone().into()),
        ("expect".to_owned(), expect.into()),
    ];
    Fixture {
        trace: trace.to_str().unwrap().to_owned(),
        about: toml::Table::from_iter(about),
        name,
        report: OnceLock::new(),
    }
}

fn find_fixtures() -> Vec<Fixture> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root().join("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.is_dir()
                && !path.ends_with("record")
                && !path.ends_with("wrappings")
                && !path.ends_with("logs")
                && !path.ends_with("flows")
                && !path.ends_with("handshakes")
        })
        .collect();
    folders.sort();
    assert!(folders.len() > 50, "the fixtures are missing");
    folders.iter().map(|folder| fixture_in(folder)).collect()
}

fn fixture_in(folder: &Path) -> Fixture {
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let about = std::fs::read_to_string(folder.join("about.toml"))
        .unwrap_or_else(|error| panic!("fixtures/{name}/about.toml: {error}"));
    let traces: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| file.starts_with("trace."))
        .collect();
    let [trace] = traces.as_slice() else {
        panic!("fixtures/{name} has these traces instead of one: {traces:?}");
    };
    Fixture {
        trace: format!("fixtures/{name}/{trace}"),
        about: about
            .parse()
            .unwrap_or_else(|error| panic!("fixtures/{name}/about.toml: {error}")),
        name,
        report: OnceLock::new(),
    }
}
