//! Golden flows: a readable text file for each call, compared with what a capture holds now.

/// Names of the files, and which call belongs to which.
mod files;

use super::expect;
use super::normal::Names;
use crate::diagnose::{Diagnosis, Severity};
use crate::report::case::{self, Case};
use crate::report::terminal::escape::clean;
use crate::report::totals::method_name;
use crate::report::{Prove, Report, Run};
use crate::session::Call;
use files::{Known, Place};
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// The first line of each file.
const MARK: &str = "# A call, as sipexplain check --golden keeps it";
/// Calls beyond these are not what golden files are for.
const MOST_CALLS: usize = 10_000;
/// Lines around each change that are shown.
const AROUND: usize = 3;
/// The longest golden file that is read, bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The calls of a run, as golden files have them.
#[derive(Debug)]
pub struct Golden {
    folder: PathBuf,
    calls: Vec<Sheet>,
    /// Calls that found no room.
    left_out: u64,
    /// What the files of each input begin with.
    inputs: Vec<String>,
    /// Two inputs whose files would have the same names.
    clash: Option<[String; 2]>,
    /// Why nothing could be judged.
    pub unjudged: Vec<Case>,
    /// Inputs without calls.
    pub empty: Vec<Case>,
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
    /// The same between other parties, whose file this was: its name and the difference.
    Moved(String, String),
    /// A call without a file.
    New(String),
    /// A file without a call.
    Gone,
    /// What stands there is no golden file, or could not be read.
    Unreadable(String),
}

/// Which files without a call count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// None: only some calls were looked at.
    Some,
    /// Those of the inputs that were read.
    Read,
    /// All.
    All,
}

/// The files of a folder beside the calls of a run.
#[derive(Debug, Default)]
pub struct Comparison {
    /// What became of each file.
    pub flows: BTreeMap<String, Verdict>,
    /// Files of inputs that were not read.
    pub unread: usize,
    /// What the files have to hold now.
    texts: BTreeMap<String, String>,
}

impl Golden {
    /// No calls yet; the files stand in this folder.
    pub fn of(folder: &Path) -> Golden {
        Golden {
            folder: folder.to_path_buf(),
            calls: Vec::new(),
            left_out: 0,
            inputs: Vec::new(),
            clash: None,
            unjudged: Vec::new(),
            empty: Vec::new(),
        }
    }

    /// Compares the files of the folder with what they have to be.
    ///
    /// # Errors
    /// If the folder is there and cannot be read, or the calls have no names of their own.
    pub fn compare(&mut self, scope: Scope) -> Result<Comparison, String> {
        if self.left_out > 0 {
            let count = self.left_out;
            return Err(format!("{count} calls more than golden files are kept for"));
        }
        if let Some([one, other]) = &self.clash {
            return Err(format!(
                "{one} and {other} would have the same golden files: put --golden DIR where both are below the folder that DIR is in, or compare them one by one"
            ));
        }
        self.calls.sort_by_key(|sheet| sheet.id);
        let failed = |error: io::Error| format!("{}: {error}", self.folder.display());
        let mut found = Comparison::default();
        let inputs: BTreeSet<&str> = self.inputs.iter().map(String::as_str).collect();
        let mut known = BTreeMap::new();
        for name in files::listed(&self.folder).map_err(failed)? {
            let is_read = files::input_of(&name).is_some_and(|input| inputs.contains(input));
            found.unread += usize::from(!is_read);
            if is_read || scope == Scope::All {
                known.insert(name.clone(), read(&self.folder.join(&name)));
            }
        }
        let calls = self.calls.iter().map(|sheet| {
            let input = self.inputs.get(usize::from(sheet.input));
            let input = input.map_or("input", String::as_str);
            (
                files::key(input, &sheet.method, &sheet.users),
                sheet.text.as_str(),
            )
        });
        let calls: Vec<(String, &str)> = calls.collect();
        for (place, (_, text)) in files::places(&calls, &known).into_iter().zip(&calls) {
            found.add(place, text, &mut known);
        }
        if scope == Scope::Some {
            found.unread = 0;
            return Ok(found);
        }
        for (name, file) in known {
            if let Known::Ours(_) = file {
                found.flows.insert(name, Verdict::Gone);
            }
        }
        if scope == Scope::All {
            found.unread = 0;
        }
        Ok(found)
    }
}

impl Comparison {
    // What becomes of the file of a call; it is no longer among those without one.
    fn add(&mut self, place: Place, text: &str, known: &mut BTreeMap<String, Known>) {
        let was = place.was.as_deref().and_then(|was| known.remove(was));
        let verdict = match (was, place.was) {
            (Some(Known::Ours(before)), _) if before == *text && place.stays => Verdict::Same,
            (Some(Known::Ours(before)), Some(was)) if !place.stays => {
                Verdict::Moved(was, difference(&before, text))
            }
            (Some(Known::Ours(before)), _) => Verdict::Changed(difference(&before, text)),
            (Some(Known::Foreign(why)), _) => Verdict::Unreadable(why),
            (None, _) => Verdict::New(text.to_owned()),
        };
        self.texts.insert(place.name.clone(), text.to_owned());
        self.flows.insert(place.name, verdict);
    }

    /// Writes what changed and takes away what is gone.
    ///
    /// # Errors
    /// If a file could not be written or removed.
    pub fn bless(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for (name, verdict) in &self.flows {
            let path: PathBuf = folder.join(name);
            if let Verdict::Moved(was, _) = verdict {
                std::fs::remove_file(folder.join(was))?;
            }
            match (verdict, self.texts.get(name)) {
                (Verdict::Same, _) => {}
                (Verdict::Gone, _) => std::fs::remove_file(path)?,
                (_, Some(text)) => std::fs::write(path, text)?,
                (_, None) => {}
            }
        }
        Ok(())
    }
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

fn read(path: &Path) -> Known {
    let text = || -> io::Result<String> {
        if std::fs::metadata(path)?.len() > LONGEST {
            return Err(io::Error::other(format!("longer than {LONGEST} bytes")));
        }
        std::fs::read_to_string(path)
    };
    match text().map(|text| text.replace("\r\n", "\n")) {
        Ok(text) if text.starts_with(MARK) => Known::Ours(text),
        Ok(_) => Known::Foreign("no golden flow: its first line is another one".to_owned()),
        Err(error) => Known::Foreign(error.to_string()),
    }
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
    let found = diagnosis.findings.iter();
    let found = found.filter(|finding| finding.severity != Severity::Info);
    let found: BTreeSet<&str> = found.map(|finding| finding.rule.id).collect();
    let found: Vec<&str> = found.into_iter().collect();
    if !found.is_empty() {
        say("findings", &found.join(", "));
    }
    if let Some(rtp) = expect::rtp(call) {
        say("rtp", rtp);
    }
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
        self.empty = case::empty(run);
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        for read in run.inputs {
            let path = &read.summary.path;
            let name = files::input(path, &self.folder);
            if let Some(other) = taken.insert(name.clone(), path.clone()) {
                self.clash = Some([other, path.clone()]);
            }
            self.inputs.push(name);
        }
        Ok(())
    }
}
