//! `sipexplain check`.

use super::{Status, colour, keys, opened, print, read, refuse, selection};
use crate::analyze;
use crate::check::golden::{self, Golden, Verdict};
use crate::cli::Check;
use crate::policy::Policy;
use crate::report::terminal::palette::Palette;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Lines of one difference that are shown.
const MOST_LINES: usize = 200;

/// Compares recorded flows with what they have to be.
pub fn check(asked: &Check) -> Status {
    let Some(folder) = &asked.golden else {
        return Status::NotJudged;
    };
    let keys = match keys(&asked.sources) {
        Ok(keys) => keys,
        Err(wrong) => return refuse(&wrong),
    };
    let (selection, filters) = selection(&asked.filters);
    let mut calls = Golden::default();
    let inputs = opened(&asked.sources);
    let judged = match analyze(
        inputs,
        keys,
        &selection,
        &Policy::default(),
        &filters,
        &mut calls,
    ) {
        Ok(judged) => judged,
        Err(error) => return refuse(&error.to_string()),
    };
    let status = read(&asked.sources, &selection, &judged);
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
    match (print(&told(folder, &verdicts, palette)), is_same(&verdicts)) {
        (Status::Fine, false) => Status::FellShort,
        (status, _) => status,
    }
}

fn is_same(verdicts: &BTreeMap<String, Verdict>) -> bool {
    verdicts.values().all(|verdict| *verdict == Verdict::Same)
}

fn bless(
    folder: &Path,
    files: &BTreeMap<String, String>,
    verdicts: &BTreeMap<String, Verdict>,
) -> Status {
    let unreadable = verdicts.iter().find_map(|(name, verdict)| match verdict {
        Verdict::Unreadable(why) => Some(format!("{}: {why}", folder.join(name).display())),
        _ => None,
    });
    // What we did not write we do not write over.
    if let Some(why) = unreadable {
        return refuse(&why);
    }
    if let Err(error) = golden::bless(folder, files, verdicts) {
        return refuse(&format!("{}: {error}", folder.display()));
    }
    let count = |which: fn(&Verdict) -> bool| verdicts.values().filter(|v| which(v)).count();
    print(&format!(
        "{}: written {}, removed {}, as they were {}\n",
        folder.display(),
        count(|v| matches!(v, Verdict::New(_) | Verdict::Changed(_))),
        count(|v| matches!(v, Verdict::Gone)),
        count(|v| matches!(v, Verdict::Same)),
    ))
}

fn told(folder: &Path, verdicts: &BTreeMap<String, Verdict>, palette: Palette) -> String {
    let mut out = String::new();
    let mut same = 0;
    for (name, verdict) in verdicts {
        let path = folder.join(name);
        let path = path.display();
        let (what, shown) = match verdict {
            Verdict::Same => {
                same += 1;
                continue;
            }
            Verdict::Changed(difference) => ("another flow than before", difference.as_str()),
            Verdict::New(text) => ("a call that has no golden file", text.as_str()),
            Verdict::Gone => ("no such call was recorded", ""),
            Verdict::Unreadable(why) => (why.as_str(), ""),
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
