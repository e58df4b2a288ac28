//! `sipexplain check`.

use super::outputs::outputs;
use super::settings;
use super::{
    Status, colour, complain, files, keys, language, opened, print, read, refuse, selection,
};
use crate::analyze;
use crate::check::expect::init::Draft;
use crate::check::expect::{Expectations, Held, Verdict};
use crate::check::golden::{Comparison, Golden, Scope, Verdict as Flow};
use crate::check::told::{self, Look};
use crate::check::{cases, json};
use crate::cli::{Check, Sources, When};
use crate::input::Inputs;
use crate::lang::Lang;
use crate::policy::Policy;
use crate::report::case::{self, Case};
use crate::report::terminal::palette::Palette;
use crate::report::{Output, Report};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Compares recorded flows with what they have to be.
pub fn check(mut asked: Check) -> Status {
    let policy = match settings::rules(&asked.asking, &mut asked.text) {
        Ok(policy) => policy,
        Err(wrong) => return refuse(&wrong),
    };
    let asked = &asked;
    let is_toml = |path: &OsString| Path::new(path).extension().is_some_and(|e| e == "toml");
    let done = match (&asked.golden, asked.init) {
        (Some(folder), _) => flows(asked, &policy, folder),
        (None, true) => first_file(asked, &policy),
        (None, false) => {
            let (files, captures) = asked.sources.files.iter().cloned().partition(is_toml);
            expectations(asked, &policy, files, captures)
        }
    };
    done.unwrap_or_else(|wrong| refuse(&wrong))
}

// Runs the pipeline; what could not be judged is said.
fn run(
    asked: &Check,
    policy: &Policy,
    sources: &Sources,
    inputs: Inputs,
    report: &mut dyn Report,
) -> Result<Status, String> {
    let keys = keys(&sources.reading)?;
    let (selection, filters) = selection(&asked.filters);
    let judged = analyze(inputs, keys, &selection, policy, &filters, report);
    let judged = judged.map_err(|error| error.to_string())?;
    judged.suppressed.iter().for_each(|line| complain(line));
    Ok(read(sources, &selection, &judged, true))
}

/// Verdicts in each format.
trait Told {
    fn text(&self, look: Look) -> String;
    fn json(&self) -> String;
    fn cases(&self, lang: &'static Lang) -> Vec<Case>;
}

impl Told for Held {
    fn text(&self, look: Look) -> String {
        told::expectations(self, look)
    }

    fn json(&self) -> String {
        json::expectations(self)
    }

    fn cases(&self, lang: &'static Lang) -> Vec<Case> {
        cases::expectations(self, lang)
    }
}

/// Golden files, compared.
struct Flows<'a> {
    folder: &'a Path,
    found: Comparison,
    unjudged: Vec<Case>,
    empty: Vec<Case>,
}

impl Told for Flows<'_> {
    fn text(&self, look: Look) -> String {
        told::flows(self.folder, &self.found, look)
    }

    fn json(&self) -> String {
        let not_judged = [self.unjudged.as_slice(), &self.empty].concat();
        let judged = self.unjudged.is_empty();
        json::flows(self.folder, &self.found.flows, judged, &not_judged)
    }

    fn cases(&self, lang: &'static Lang) -> Vec<Case> {
        let first = [self.unjudged.as_slice(), &self.empty].concat();
        cases::flows(self.folder, &self.found.flows, first, lang)
    }
}

/// A report on verdicts that was asked for.
struct Wanted<'a> {
    format: &'a str,
    sink: Box<dyn Write>,
    colour: bool,
    lang: &'static Lang,
}

// The reports are opened before anything is read, so that none is asked for in vain.
fn wanted<'a>(asked: &'a Check, inputs: &[PathBuf]) -> Result<Vec<Wanted<'a>>, String> {
    let all = outputs(asked.format.as_deref(), &asked.output)?;
    let opened = all.into_iter().map(|output| {
        let lang = language(&asked.text, output.format == "text")?;
        let colour = match output.path {
            None => colour(asked.text.color),
            Some(_) => asked.text.color == When::Always,
        };
        Ok(Wanted {
            format: output.format,
            sink: output.open(inputs)?,
            colour,
            lang,
        })
    });
    opened.collect()
}

// Where nothing could be judged, the text says no more than standard error does.
fn write(wanted: Vec<Wanted<'_>>, told: &dyn Told, judged: Status) -> Result<(), String> {
    for Wanted {
        format,
        sink,
        colour,
        lang,
    } in wanted
    {
        let of_cases = case::FORMATS.iter().find(|known| known.name == format);
        let done = match (of_cases, format) {
            (Some(known), _) => {
                let mut writer = (known.begin)(sink, lang);
                let cases = told.cases(lang);
                let added = cases.iter().try_for_each(|case| writer.add(case));
                added.and_then(|()| writer.finish())
            }
            (None, "json") => written(sink, &told.json()),
            (None, _) if judged != Status::NotJudged => {
                let palette = Palette::new(colour);
                written(sink, &told.text(Look { palette, lang }))
            }
            (None, _) => Ok(()),
        };
        done.map_err(|error| format!("{format}: {error}"))?;
    }
    Ok(())
}

fn written(sink: Box<dyn Write>, text: &str) -> std::io::Result<()> {
    let mut sink = Output::new(sink);
    sink.write_all(text.as_bytes())?;
    sink.flush()
}

fn expectations(
    asked: &Check,
    policy: &Policy,
    toml: Vec<OsString>,
    captures: Vec<OsString>,
) -> Result<Status, String> {
    if toml.is_empty() {
        return Err("check: no FILE ends in .toml; name a file of expectations, or --golden DIR, or --init to begin one".to_owned());
    }
    if captures.is_empty() {
        let why = "check: name the captures or logs that have to fulfil the expectations";
        return Err(why.to_owned());
    }
    let mut expected = Expectations::default();
    for file in &toml {
        if let Err(wrong) = expected.read(Path::new(file)) {
            wrong.lines().for_each(complain);
            return Ok(Status::NotJudged);
        }
    }
    let sources = asked.sources.with_files(captures);
    let inputs = opened(&sources);
    let own = toml.iter().map(PathBuf::from);
    let wanted = wanted(asked, &[files(&inputs.paths()), own.collect()].concat())?;
    let mut held = expected.begin();
    let judged = run(asked, policy, &sources, inputs, &mut held)?;
    write(wanted, &held, judged)?;
    let passed = held.verdicts().iter().all(Verdict::passed);
    Ok(fell_short(judged, !passed))
}

fn fell_short(judged: Status, short: bool) -> Status {
    match (judged, short) {
        (Status::Fine, true) => Status::FellShort,
        (status, _) => status,
    }
}

fn first_file(asked: &Check, policy: &Policy) -> Result<Status, String> {
    let mut draft = Draft::default();
    let inputs = opened(&asked.sources);
    let judged = run(asked, policy, &asked.sources, inputs, &mut draft)?;
    Ok(match judged {
        Status::NotJudged => Status::NotJudged,
        status => print(&draft.text()).or(status),
    })
}

fn flows(asked: &Check, policy: &Policy, folder: &Path) -> Result<Status, String> {
    let inputs = opened(&asked.sources);
    let wanted = match asked.bless {
        true => Vec::new(),
        false => wanted(asked, &files(&inputs.paths()))?,
    };
    let mut calls = Golden::of(folder);
    let judged = run(asked, policy, &asked.sources, inputs, &mut calls)?;
    if judged == Status::FellShort && asked.bless {
        return Err("nothing is blessed: a recording holds no call".to_owned());
    }
    let found = match judged {
        Status::NotJudged => Comparison::default(),
        _ => calls.compare(scope(asked))?,
    };
    if asked.bless && judged != Status::NotJudged {
        return Ok(bless(folder, &found));
    }
    let flows = Flows {
        folder,
        found,
        unjudged: calls.unjudged,
        empty: calls.empty,
    };
    write(wanted, &flows, judged)?;
    let differs = flows.found.flows.values().any(|v| *v != Flow::Same);
    Ok(fell_short(judged, differs))
}

fn scope(asked: &Check) -> Scope {
    match (selection(&asked.filters).0.is_everything(), asked.complete) {
        (false, _) => Scope::Some,
        (true, false) => Scope::Read,
        (true, true) => Scope::All,
    }
}

fn bless(folder: &Path, found: &Comparison) -> Status {
    let unreadable = found.flows.iter().find_map(|(name, flow)| match flow {
        Flow::Unreadable(why) => Some(format!("{}: {why}", folder.join(name).display())),
        _ => None,
    });
    // What we did not write we do not write over.
    if let Some(why) = unreadable {
        return refuse(&why);
    }
    if let Err(error) = found.bless(folder) {
        return refuse(&format!("{}: {error}", folder.display()));
    }
    let count = |which: fn(&Flow) -> bool| found.flows.values().filter(|v| which(v)).count();
    print(&format!(
        "{}: written {}, removed {}, as they were {}\n",
        folder.display(),
        count(|v| matches!(v, Flow::New(_) | Flow::Changed(_) | Flow::Moved(..))),
        count(|v| matches!(v, Flow::Gone | Flow::Moved(..))),
        count(|v| matches!(v, Flow::Same)),
    ))
}
