//! `sipexplain check`.

use super::{Status, colour, complain, keys, opened, print, read, refuse, selection};
use crate::analyze;
use crate::check::expect::init::Draft;
use crate::check::expect::{Expectations, Verdict};
use crate::check::golden::{self, Golden, Verdict as Flow};
use crate::check::told;
use crate::cli::{Check, Sources};
use crate::policy::Policy;
use crate::report::Report;
use crate::report::terminal::palette::Palette;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

/// Lines of one difference that are shown.
const MOST_LINES: usize = 200;

/// Compares recorded flows with what they have to be.
pub fn check(asked: &Check) -> Status {
    let is_toml = |path: &OsString| Path::new(path).extension().is_some_and(|e| e == "toml");
    match (&asked.golden, asked.init) {
        (Some(folder), _) => flows(asked, folder),
        (None, true) => first_file(asked),
        (None, false) => {
            let (files, captures) = asked.sources.files.iter().cloned().partition(is_toml);
            expectations(asked, files, captures)
        }
    }
}

// Runs the pipeline; what could not be judged is said.
fn run(asked: &Check, sources: &Sources, report: &mut dyn Report) -> Status {
    let keys = match keys(&sources.reading) {
        Ok(keys) => keys,
        Err(wrong) => return refuse(&wrong),
    };
    let (selection, filters) = selection(&asked.filters);
    let (inputs, policy) = (opened(sources), Policy::default());
    match analyze(inputs, keys, &selection, &policy, &filters, report) {
        Ok(judged) => read(sources, &selection, &judged),
        Err(error) => refuse(&error.to_string()),
    }
}

fn expectations(asked: &Check, files: Vec<OsString>, captures: Vec<OsString>) -> Status {
    if files.is_empty() {
        return refuse(
            "check: no FILE ends in .toml; name a file of expectations, or --golden DIR, or --init to begin one",
        );
    }
    if captures.is_empty() {
        return refuse("check: name the captures or logs that have to fulfil the expectations");
    }
    let mut expected = Expectations::default();
    for file in &files {
        if let Err(wrong) = expected.read(Path::new(file)) {
            wrong.lines().for_each(complain);
            return Status::NotJudged;
        }
    }
    let sources = asked.sources.with_files(captures);
    let mut held = expected.begin();
    let status = run(asked, &sources, &mut held);
    if status != Status::Fine {
        return status;
    }
    let palette = Palette::new(colour(asked.text.color));
    let passed = held.verdicts().iter().all(Verdict::passed);
    match (print(&told::expectations(&held, palette)), passed) {
        (Status::Fine, false) => Status::FellShort,
        (status, _) => status,
    }
}

fn first_file(asked: &Check) -> Status {
    let mut draft = Draft::default();
    match run(asked, &asked.sources, &mut draft) {
        Status::Fine => print(&draft.text()),
        status => status,
    }
}

fn flows(asked: &Check, folder: &Path) -> Status {
    let mut calls = Golden::default();
    let status = run(asked, &asked.sources, &mut calls);
    if status != Status::Fine {
        return status;
    }
    if calls.left_out() > 0 {
        return refuse(&format!(
            "{} calls more than golden files are kept for",
            calls.left_out()
        ));
    }
    let files = calls.files();
    let verdicts = match golden::compare(folder, &files) {
        Ok(verdicts) => verdicts,
        Err(error) => return refuse(&format!("{}: {error}", folder.display())),
    };
    if asked.bless {
        return bless(folder, &files, &verdicts);
    }
    let palette = Palette::new(colour(asked.text.color));
    match (
        print(&told_flows(folder, &verdicts, palette)),
        is_same(&verdicts),
    ) {
        (Status::Fine, false) => Status::FellShort,
        (status, _) => status,
    }
}

fn is_same(verdicts: &BTreeMap<String, Flow>) -> bool {
    verdicts.values().all(|verdict| *verdict == Flow::Same)
}

fn bless(
    folder: &Path,
    files: &BTreeMap<String, String>,
    verdicts: &BTreeMap<String, Flow>,
) -> Status {
    let unreadable = verdicts.iter().find_map(|(name, verdict)| match verdict {
        Flow::Unreadable(why) => Some(format!("{}: {why}", folder.join(name).display())),
        _ => None,
    });
    // What we did not write we do not write over.
    if let Some(why) = unreadable {
        return refuse(&why);
    }
    if let Err(error) = golden::bless(folder, files, verdicts) {
        return refuse(&format!("{}: {error}", folder.display()));
    }
    let count = |which: fn(&Flow) -> bool| verdicts.values().filter(|v| which(v)).count();
    print(&format!(
        "{}: written {}, removed {}, as they were {}\n",
        folder.display(),
        count(|v| matches!(v, Flow::New(_) | Flow::Changed(_))),
        count(|v| matches!(v, Flow::Gone)),
        count(|v| matches!(v, Flow::Same)),
    ))
}

fn told_flows(folder: &Path, verdicts: &BTreeMap<String, Flow>, palette: Palette) -> String {
    let mut out = String::new();
    let mut same = 0;
    for (name, verdict) in verdicts {
        let path = folder.join(name);
        let path = path.display();
        let (what, shown) = match verdict {
            Flow::Same => {
                same += 1;
                continue;
            }
            Flow::Changed(difference) => ("another flow than before", difference.as_str()),
            Flow::New(text) => ("a call that has no golden file", text.as_str()),
            Flow::Gone => ("no such call was recorded", ""),
            Flow::Unreadable(why) => (why.as_str(), ""),
        };
        let _ = writeln!(out, "{} {path}: {what}", palette.bad("differs"));
        for line in shown.lines().take(MOST_LINES) {
            let line = match line.as_bytes().first() {
                Some(b'-') => palette.bad(line),
                Some(b'+') => palette.good(line),
                _ => line.to_owned(),
            };
            let _ = writeln!(out, "    {line}");
        }
        let more = shown.lines().count().saturating_sub(MOST_LINES);
        if more > 0 {
            let _ = writeln!(out, "    ({more} more lines)");
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{} calls, as before {same}", verdicts.len());
    if same < verdicts.len() {
        let _ = writeln!(out, "Accept what is right with --bless.");
    }
    out
}
