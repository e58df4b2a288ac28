//! `sipexplain diff`.

use super::{Status, colour, keys, language, opened, print, read, refuse, settings};
use crate::analyze;
use crate::check::diff::choose::{Chooser, Chosen, Wanted};
use crate::check::diff::rank::Group;
use crate::check::diff::{compare, json, text};
use crate::cli::{Diff, DiffFormat, Sources};
use crate::policy::Policy;
use crate::report::terminal::palette::Palette;
use crate::select::Selection;

/// Compares a call that failed with one that did not.
pub fn diff(mut asked: Diff) -> Status {
    let policy = match settings::rules(&asked.asking, &mut asked.text) {
        Ok(policy) => policy,
        Err(wrong) => return refuse(&wrong),
    };
    let asked = &asked;
    let lang = match language(&asked.text, asked.format == DiffFormat::Text) {
        Ok(lang) => lang,
        Err(wrong) => return refuse(&wrong),
    };
    let [good_file, bad_file] = match asked.files.as_slice() {
        [one] if one == "-" => {
            return refuse("diff: both calls in standard input, which is read only once");
        }
        [one] => [one, one],
        [good, bad] => [good, bad],
        _ => return refuse("diff takes one FILE or two"),
    };
    let is_one = asked.files.len() == 1;
    let wanted = asked.bad.map_or(Wanted::Failed, Wanted::Number);
    let bad = match choose(asked, &policy, bad_file, Chooser::new(wanted, lang)) {
        Ok(Some(bad)) => bad,
        Ok(None) => {
            return refuse(&nothing(
                bad_file,
                "bad",
                asked.bad,
                "no call in it went wrong (the good file comes first, the bad one second)",
            ));
        }
        Err(status) => return status,
    };
    let not = is_one.then_some(bad.sketch.id);
    let wanted = match asked.good {
        Some(number) => Wanted::Number(number),
        None => Wanted::Like(Box::new(bad.sketch.clone()), not),
    };
    let good = match choose(asked, &policy, good_file, Chooser::new(wanted, lang)) {
        Ok(Some(good)) => good,
        Ok(None) => {
            let why = format!("no {} in it succeeded", bad.sketch.method);
            return refuse(&nothing(good_file, "good", asked.good, &why));
        }
        Err(status) => return status,
    };
    let found = compare::compare(&good.sketch, &bad.sketch);
    let written = match asked.format {
        DiffFormat::Json => json::write(&good, &bad, &found, lang),
        DiffFormat::Text => {
            let palette = Palette::new(colour(asked.text.color));
            text::write(&good, &bad, &found, palette, lang)
        }
    };
    let differs = found.all.iter().any(|one| one.group != Group::Trivial);
    match (print(&written), differs) {
        (Status::Fine, true) => Status::FellShort,
        (status, _) => status,
    }
}

fn nothing(file: &std::ffi::OsStr, side: &str, number: Option<u64>, why: &str) -> String {
    let file = file.to_string_lossy();
    match number {
        Some(number) => format!("diff: {file} has no call {number}"),
        None => {
            format!("diff: {file}: {why}; name a call with --{side} NUMBER (as --list shows it)")
        }
    }
}

fn choose(
    asked: &Diff,
    policy: &Policy,
    file: &std::ffi::OsStr,
    mut chooser: Chooser,
) -> Result<Option<Chosen>, Status> {
    let sources = Sources {
        files: vec![file.to_owned()],
        reading: asked.reading.clone(),
    };
    let keys = keys(&asked.reading).map_err(|wrong| refuse(&wrong))?;
    let everything = Selection::default();
    let judged = analyze(
        opened(&sources),
        keys,
        &everything,
        policy,
        &[],
        &mut chooser,
    )
    .map_err(|error| refuse(&error.to_string()))?;
    match read(&sources, &everything, &judged, false) {
        Status::NotJudged => Err(Status::NotJudged),
        _ => Ok(chooser.chosen()),
    }
}
