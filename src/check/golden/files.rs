//! Names of golden files: the input, what the call is, and who called whom. Calls that are alike in that
//! are told apart by what they hold and only then by a number, so that one call more or less, or another
//! order, concerns no other file.

use similar::TextDiff;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};

/// What the names of the files end with.
const ENDING: &str = ".flow.txt";
/// Lines that two flows have in common, of all, if one has taken the place of the other.
const ALIKE: f32 = 0.6;
/// Pairs of flows that are looked at for that.
const MOST_PAIRS: usize = 400;

/// What stands in a file.
#[derive(Debug)]
pub(super) enum Known {
    /// A golden flow.
    Ours(String),
    /// Something else, and why.
    Foreign(String),
}

/// Where a call belongs.
#[derive(Debug)]
pub(super) struct Place {
    /// Its file.
    pub(super) name: String,
    /// The file that it had.
    pub(super) was: Option<String>,
    /// Is it the same file?
    pub(super) stays: bool,
}

/// The files of a folder that are named as golden files; none where there is no folder.
pub(super) fn listed(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(ENDING) {
            names.insert(name);
        }
    }
    Ok(names)
}

/// What the files of an input begin with: its path from the folder in which the golden folder is, so that
/// it does not depend on where the program runs; of an input elsewhere only its name.
pub(super) fn input(path: &str, golden: &Path) -> String {
    if path == "-" {
        return "stdin".to_owned();
    }
    let whole = |path: &Path| {
        let here = Path::new(".");
        let path = if path.as_os_str().is_empty() {
            here
        } else {
            path
        };
        let known = std::fs::canonicalize(path);
        known
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.to_path_buf())
    };
    let (path, none) = (Path::new(path), Path::new(""));
    let name = PathBuf::from(path.file_name().unwrap_or_default());
    let folder = whole(path.parent().unwrap_or(none));
    let beside = folder.strip_prefix(whole(golden.parent().unwrap_or(none)));
    let path = beside.map_or(name.clone(), |below| below.join(&name));
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
    let parts = parts.map(|part| part.replace(|c| !fits(c), "_"));
    parts.collect::<Vec<_>>().join("_")
}

/// What the files of calls that are alike have in common. Neither method nor users hold a `-`.
pub(super) fn key(input: &str, method: &str, [from, to]: &[String; 2]) -> String {
    format!("{input}-{method}-{from}-{to}")
}

/// The input that a file is of.
pub(super) fn input_of(name: &str) -> Option<&str> {
    split(name)?.0.rsplitn(4, '-').nth(3)
}

// Input and method.
fn kind(key: &str) -> (Option<&str>, Option<&str>) {
    let mut parts = key.rsplitn(4, '-').skip(2);
    let method = parts.next();
    (parts.next(), method)
}

fn name(key: &str, number: usize) -> String {
    match number {
        1 => format!("{key}{ENDING}"),
        _ => format!("{key}--{number}{ENDING}"),
    }
}

// The key and the number.
fn split(name: &str) -> Option<(&str, usize)> {
    let bare = name.strip_suffix(ENDING)?;
    let numbered = bare
        .rsplit_once("--")
        .and_then(|(key, number)| Some((key, number.parse().ok()?)));
    Some(numbered.unwrap_or((bare, 1)))
}

/// The place of each call, in their order: the file that holds it word by word, else the first one left of
/// calls alike, else one of other parties that holds nearly the same, else a new one.
pub(super) fn places(calls: &[(String, &str)], known: &BTreeMap<String, Known>) -> Vec<Place> {
    let mut free: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for name in known.keys() {
        if let Some((key, number)) = split(name) {
            free.entry(key).or_default().push((number, name));
        }
    }
    free.values_mut().for_each(|names| names.sort_unstable());
    let mut found: Vec<Option<&str>> = vec![None; calls.len()];
    for exactly in [true, false] {
        for ((key, text), found) in calls.iter().zip(&mut found) {
            if let (None, Some(names)) = (&found, free.get_mut(key.as_str())) {
                let is = |name: &str| matches!(known.get(name), Some(Known::Ours(t)) if t == text);
                let at = names.iter().position(|(_, name)| !exactly || is(name));
                *found = at.map(|at| names.remove(at).1);
            }
        }
    }
    let mut left: Vec<&str> = free.values().flatten().map(|(_, name)| *name).collect();
    let lost = found.iter().filter(|found| found.is_none()).count();
    let look = left.len() * lost <= MOST_PAIRS;
    let mut taken: BTreeSet<String> = known.keys().cloned().collect();
    let placed = calls.iter().zip(found).map(|((key, text), found)| {
        if let Some(name) = found {
            let (name, was) = (name.to_owned(), Some(name.to_owned()));
            return Place {
                name,
                was,
                stays: true,
            };
        }
        let number = (1..).find(|number| !taken.contains(&name(key, *number)));
        let name = name(key, number.unwrap_or(usize::MAX));
        taken.insert(name.clone());
        let was = look.then(|| nearest(key, text, &mut left, known)).flatten();
        Place {
            name,
            was,
            stays: false,
        }
    });
    placed.collect()
}

// Of the files without a call the one that is most like this one, of the same input and method.
fn nearest(
    own: &str,
    text: &str,
    left: &mut Vec<&str>,
    known: &BTreeMap<String, Known>,
) -> Option<String> {
    let alike = left.iter().enumerate().filter_map(|(at, name)| {
        let (Known::Ours(before), (key, _)) = (known.get(*name)?, split(name)?) else {
            return None;
        };
        let ratio = || TextDiff::from_lines(before.as_str(), text).ratio();
        let ratio = (kind(key) == kind(own)).then(ratio)?;
        (ratio >= ALIKE).then_some((ratio, at))
    });
    let (_, at) = alike.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
    Some(left.remove(at).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let key = key(
            "a--b-2.pcap",
            "INVITE",
            &["alice".to_owned(), "2".to_owned()],
        );
        for number in [1, 2, 30] {
            let name = name(&key, number);
            assert_eq!(split(&name), Some((key.as_str(), number)));
            assert_eq!(input_of(&name), Some("a--b-2.pcap"));
        }
        assert_eq!(kind(&key), (Some("a--b-2.pcap"), Some("INVITE")));
        assert_eq!(input_of("notes.txt"), None);
    }

    #[test]
    fn an_input_has_the_same_name_wherever_the_program_runs() {
        for (path, golden, want) in [
            ("flows/day 1/a.b.pcap", "golden", "flows_day_1_a.b.pcap"),
            ("./flows/a.pcap", "flows/golden", "a.pcap"),
            ("flows/a.pcap", "elsewhere/deep/golden", "a.pcap"),
            ("-", "golden", "stdin"),
        ] {
            assert_eq!(input(path, Path::new(golden)), want);
        }
    }

    #[test]
    fn a_call_finds_its_file_by_what_it_holds() {
        let ours = |text: &str| Known::Ours(text.to_owned());
        let known = BTreeMap::from([
            ("a-INVITE-x-y.flow.txt".to_owned(), ours("1\n2\n3\n")),
            ("a-INVITE-x-y--2.flow.txt".to_owned(), ours("4\n5\n6\n")),
        ]);
        let of = |key: &str, texts: &[&'static str]| {
            let calls: Vec<(String, &str)> = texts.iter().map(|t| (key.to_owned(), *t)).collect();
            let places = places(&calls, &known).into_iter();
            places.map(|p| (p.name, p.was)).collect::<Vec<_>>()
        };
        let (one, two) = ("a-INVITE-x-y.flow.txt", "a-INVITE-x-y--2.flow.txt");
        let at = |name: &str, was: &str| (name.to_owned(), Some(was.to_owned()));
        assert_eq!(of("a-INVITE-x-y", &["4\n5\n6\n"]), [at(two, two)]);
        assert_eq!(
            of("a-INVITE-x-y", &["4\n5\n6\n", "7\n"]),
            [at(two, two), at(one, one)]
        );
        let third = "a-INVITE-x-y--3.flow.txt".to_owned();
        assert_eq!(
            of("a-INVITE-x-y", &["4\n5\n6\n", "1\n2\n3\n", "7\n"])[2],
            (third, None)
        );
        let moved = "a-INVITE-z-y.flow.txt";
        assert_eq!(of("a-INVITE-z-y", &["4\n5\n7\n"]), [at(moved, two)]);
        assert_eq!(of("a-OPTIONS-x-y", &["4\n5\n6\n"])[0].1, None);
    }
}
