//! Golden flows: a readable text file for each call, compared with what a capture holds now.

use super::normal::Names;
use crate::diagnose::Diagnosis;
use crate::report::case::{self, Case};
use crate::report::terminal::escape::clean;
use crate::report::totals::method_name;
use crate::report::{Prove, Report, Run};
use crate::session::Call;
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// What the names of the files end with.
const ENDING: &str = ".flow.txt";
/// The first line of each file.
const MARK: &str = "# A call, as sipexplain check --golden keeps it";
/// Calls beyond these are not what golden files are for.
const MOST_CALLS: usize = 10_000;
/// Lines around each change that are shown.
const AROUND: usize = 3;
/// The longest golden file that is read, bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The calls of a run, as golden files have them.
#[derive(Debug, Default)]
pub struct Golden {
    calls: Vec<Sheet>,
    /// Calls that found no room.
    left_out: u64,
    /// The files without folder and ending, by input.
    inputs: Vec<String>,
    /// Why nothing could be judged.
    pub unjudged: Vec<Case>,
}

#[derive(Debug)]
struct Sheet {
    id: u64,
    input: u16,
    method: String,
    users: [String; 2],
    text: String,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it was.
    Same,
    /// Another flow: the difference, line by line.
    Changed(String),
    /// A call without a file.
    New(String),
    /// A file without a call.
    Gone,
    /// What stands there is no golden file, or could not be read.
    Unreadable(String),
}

impl Golden {
    /// The text of each file by its name.
    pub fn files(&mut self) -> BTreeMap<String, String> {
        self.calls.sort_by_key(|sheet| sheet.id);
        let mut numbers: BTreeMap<u16, usize> = BTreeMap::new();
        let named = self.calls.iter().map(|sheet| {
            let number = numbers.entry(sheet.input).or_default();
            *number += 1;
            let input = self.inputs.get(usize::from(sheet.input));
            let input = input.map_or("input", String::as_str);
            let [from, to] = &sheet.users;
            let name = format!("{input}-{number:03}-{}-{from}-{to}{ENDING}", sheet.method);
            (name, sheet.text.clone())
        });
        named.collect()
    }

    /// Calls that found no room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Compares the files of a folder with what they have to be. Files of inputs that were not read are not
/// looked at.
///
/// # Errors
/// If the folder is there and cannot be read.
pub fn compare(
    folder: &Path,
    files: &BTreeMap<String, String>,
) -> io::Result<BTreeMap<String, Verdict>> {
    let known = listed(folder)?;
    let inputs: BTreeSet<&str> = files.keys().filter_map(|name| input_of(name)).collect();
    let of_inputs = known.iter().filter(|name| {
        let input = input_of(name);
        input.is_some_and(|input| inputs.contains(input))
    });
    let mut verdicts: BTreeMap<String, Verdict> = of_inputs
        .map(|name| (name.clone(), Verdict::Gone))
        .collect();
    for (name, text) in files {
        let verdict = match known.contains(name) {
            false => Verdict::New(text.clone()),
            true => match read(&folder.join(name)) {
                Err(why) => Verdict::Unreadable(why),
                Ok(before) if before == *text => Verdict::Same,
                Ok(before) => Verdict::Changed(difference(&before, text)),
            },
        };
        verdicts.insert(name.clone(), verdict);
    }
    Ok(verdicts)
}

/// Writes what changed and takes away what is gone.
///
/// # Errors
/// If a file could not be written or removed.
pub fn bless(
    folder: &Path,
    files: &BTreeMap<String, String>,
    verdicts: &BTreeMap<String, Verdict>,
) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, verdict) in verdicts {
        let path: PathBuf = folder.join(name);
        match (verdict, files.get(name)) {
            (Verdict::Same, _) => {}
            (Verdict::Gone, _) => std::fs::remove_file(path)?,
            (_, Some(text)) => std::fs::write(path, text)?,
            (_, None) => {}
        }
    }
    Ok(())
}

/// The lines that changed, with a few around them.
pub fn difference(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut out = String::new();
    for group in diff.grouped_ops(AROUND) {
        if !out.is_empty() {
            out.push_str("  ...\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let _ = writeln!(
                out,
                "{sign} {}",
                clean(change.value().trim_end_matches('\n'))
            );
        }
    }
    out
}

fn listed(folder: &Path) -> io::Result<BTreeSet<String>> {
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

fn read(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if length.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let text = text.replace("\r\n", "\n");
    match text.starts_with(MARK) {
        true => Ok(text),
        false => Err("no golden flow: its first line is another one".to_owned()),
    }
}

// `good-001-INVITE-alice-bob.flow.txt` is of the input `good`.
fn input_of(name: &str) -> Option<&str> {
    let mut parts = name.rsplitn(5, '-');
    let number = parts.nth(3)?;
    let input = parts.next()?;
    (number.len() >= 3 && number.bytes().all(|b| b.is_ascii_digit())).then_some(input)
}

// The user of a URI as part of the name of a file.
fn user(uri: Option<String>) -> String {
    let uri = uri.unwrap_or_default();
    let user = uri.split_once(':').map_or(uri.as_str(), |(_, rest)| rest);
    let user = user.split('@').next().unwrap_or_default();
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '_' | '.');
    let user: String = user.chars().filter(fits).take(32).collect();
    match user.trim_matches('.') {
        "" => "unknown".to_owned(),
        user => user.to_owned(),
    }
}

fn sheet(call: &Call, diagnosis: &Diagnosis) -> String {
    let mut names = Names::default();
    let mut out = String::new();
    let first = call.first();
    if let Some(first) = first {
        names.party(first.stamp.source);
        names.party(first.stamp.destination);
    }
    let mut say = |name: &str, what: &str| {
        let _ = writeln!(out, "{name}: {what}");
    };
    say("call", &method_name(call));
    for (name, uri) in [("from", call.from()), ("to", call.to())] {
        say(name, &clean(&names.line(&uri.unwrap_or_default())));
    }
    let code = call.code().map_or(String::new(), |code| format!(" {code}"));
    say("outcome", &format!("{}{code}", call.told().word()));
    say("cause", diagnosis.cause().map_or("none", |f| f.rule.id));
    for (number, leg) in call.all_legs().enumerate() {
        if number > 0 {
            let _ = writeln!(out, "\n# leg {} of the same call", number + 1);
        }
        for (_, stored) in leg.originals() {
            let ends = [stored.stamp.source, stored.stamp.destination];
            let [from, to] = ends.map(|end| names.party(end));
            let mut lines = names.message(stored.message()).into_iter();
            let start = lines.next().unwrap_or_default();
            let _ = writeln!(out, "\n{from} -> {to}  {start}");
            for line in lines {
                let _ = writeln!(out, "{}", format!("    {line}").trim_end());
            }
        }
    }
    format!("{MARK}\n{out}")
}

impl Report for Golden {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, _prove: Prove<'_>) -> io::Result<()> {
        if self.calls.len() >= MOST_CALLS {
            self.left_out += 1;
            return Ok(());
        }
        self.calls.push(Sheet {
            id: call.id,
            input: call.first().map_or(0, |first| first.stamp.origin.input),
            method: method_name(call)
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(32)
                .collect(),
            users: [user(call.from()), user(call.to())],
            text: sheet(call, diagnosis),
        });
        Ok(())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.unjudged = case::unjudged(run);
        let stem = |path: &str| {
            let stem = Path::new(path)
                .file_name()
                .map(|name| name.to_string_lossy());
            let stem = stem.unwrap_or_default();
            let stem = stem.split('.').next().unwrap_or_default();
            let fits = |c: char| {
                if c.is_ascii_alphanumeric() || c == '_' {
                    c
                } else {
                    '_'
                }
            };
            match stem {
                "" | "-" => "stdin".to_owned(),
                stem => stem.chars().map(fits).collect(),
            }
        };
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let stems = run.inputs.iter().map(|read| {
            let stem = stem(&read.summary.path);
            let count = taken.entry(stem.clone()).or_default();
            *count += 1;
            // Two inputs of one name are told apart by their order.
            match *count {
                1 => stem,
                count => format!("{stem}_{count}"),
            }
        });
        self.inputs = stems.collect();
        Ok(())
    }
}
