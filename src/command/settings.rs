//! Settings: the command line, else `sipexplain.toml`, else what is usual.

use super::{Status, print, refuse};
use crate::cli::{Asking, Main, Text};
use crate::policy::Policy;
use crate::policy::file::{self, NAME, Said, Settings};
use crate::report::FORMATS;
use crate::report::terminal::escape::clean;
use std::fmt::{Display, Write as _};
use std::path::Path;

// The file that was named, else the nearest one.
fn found(named: Option<&Path>) -> Result<Settings, String> {
    let nearest = || file::find(&std::env::current_dir().ok()?);
    match named.map(Path::to_path_buf).or_else(nearest) {
        Some(path) => file::read(&path).and_then(checked),
        None => Ok(Settings::default()),
    }
}

// Formats are known only here.
fn checked(settings: Settings) -> Result<Settings, String> {
    let unknown = |said: &&Said<String>| FORMATS.iter().all(|format| format.name != said.value);
    match settings.format.as_ref().filter(unknown) {
        None => Ok(settings),
        Some(said) => {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            let names = names.join(", ");
            Err(format!(
                "{}: no format {:?}; there is {names}",
                said.place, said.value
            ))
        }
    }
}

fn of(asking: &Asking) -> Result<Settings, String> {
    match asking.no_config {
        true => Ok(Settings::default()),
        false => found(asking.config.as_deref()),
    }
}

fn fill<T>(list: &mut Vec<T>, said: Option<Said<Vec<T>>>) {
    if list.is_empty() {
        *list = said.map(|said| said.value).unwrap_or_default();
    }
}

/// Fills in what the command line leaves open; gives the policy in force.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn policy(main: &mut Main) -> Result<Policy, String> {
    let mut settings = of(&main.asking)?;
    if main.output.iter().any(|further| further.is_stdout()) {
        settings.format = None;
    }
    fill(&mut main.fail_on, settings.fail_on.take());
    for (option, said) in [
        (&mut main.format, settings.format.take()),
        (&mut main.tz, settings.tz.take()),
    ] {
        if option.is_none() {
            *option = said.map(|said| said.value);
        }
    }
    let policy = Policy {
        fail_on: main.fail_on.clone(),
        is_part: main.part,
        ..in_force(&main.asking, &mut main.text, settings)
    };
    match policy.never_short() {
        None => Ok(policy),
        Some(id) => Err(format!(
            "--fail-on {id}: this rule is not asked, for it is ignored or not among those selected"
        )),
    }
}

/// The same for a command that has no report of calls: which rules are asked, what is known already, and
/// the language.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn rules(asking: &Asking, text: &mut Text) -> Result<Policy, String> {
    Ok(in_force(asking, text, of(asking)?))
}

fn in_force(asking: &Asking, text: &mut Text, settings: Settings) -> Policy {
    let (mut select, mut ignore) = (asking.select.clone(), asking.ignore.clone());
    fill(&mut select, settings.select);
    fill(&mut ignore, settings.ignore);
    if text.lang.is_none() {
        text.lang = settings.lang.map(|said| said.value);
    }
    Policy {
        select,
        ignore,
        suppressions: settings.suppressions,
        ..Policy::default()
    }
}

/// Shows which settings are in force and where they come from.
pub fn config(named: Option<&Path>) -> Status {
    let settings = match found(named) {
        Ok(settings) => settings,
        Err(wrong) => return refuse(&wrong),
    };
    let mut out = String::new();
    let _ = match settings.path.as_os_str().is_empty() {
        true => writeln!(out, "No {NAME} in this folder or above it."),
        false => writeln!(out, "{}", clean(&settings.path.display().to_string())),
    };
    let mut row = |name: &str, value: &str, place: &str| {
        let line = format!("  {name:<9} {value:<24} {place}");
        let _ = writeln!(out, "{}", clean(line.trim_end()));
    };
    fn list<T: Display>(all: &[T]) -> String {
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        all.join(", ")
    }
    let fail_on = settings.fail_on.as_ref();
    let fail_on = fail_on.map(|said| (list(&said.value), said.place.clone()));
    let rules = |said: &Option<Said<Vec<&'static str>>>| {
        said.as_ref()
            .map(|said| (list(&said.value), said.place.clone()))
    };
    let text = |said: &Option<Said<String>>| {
        said.as_ref()
            .map(|said| (said.value.clone(), said.place.clone()))
    };
    for (name, said, usual) in [
        ("fail-on", fail_on, "nothing"),
        ("select", rules(&settings.select), "all rules"),
        ("ignore", rules(&settings.ignore), "no rule"),
        ("format", text(&settings.format), "text"),
        ("lang", text(&settings.lang), "as LC_ALL and LANG say"),
        ("tz", text(&settings.tz), "UTC"),
    ] {
        match said {
            Some((value, place)) => row(name, &value, &place),
            None => row(name, usual, "(usual)"),
        }
    }
    for known in &settings.suppressions {
        let calls = &known.calls;
        let ips = calls.ips.iter().map(ToString::to_string).collect();
        let limits = [
            ("number", calls.numbers.clone()),
            ("ip", ips),
            ("method", calls.methods.clone()),
            ("code", calls.codes.clone()),
        ];
        let limits = limits.iter().filter(|(_, values)| !values.is_empty());
        let limits = limits.map(|(name, values)| format!(", {name} {}", values.join(" or ")));
        let limits: String = limits.collect();
        let until = known.until.map_or(String::new(), |day| {
            let over = day < jiff::Zoned::now().date();
            format!(", {} {day}", if over { "ended on" } else { "until" })
        });
        row(
            "suppress",
            &format!("{}: {}{limits}{until}", known.rule, known.reason),
            &known.place,
        );
    }
    print(&out)
}
