//! `sipexplain.toml`: what the command line may say as well, and findings that are known already.

use super::{FailOn, Suppression, rule};
use crate::select::Selection;
use crate::users_file::{Wrong, bounded, line_of, with_lines};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// Its name.
pub const NAME: &str = "sipexplain.toml";
/// Suppressions in it.
const MOST: usize = 1000;

/// A value, and the line in which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// What.
    pub value: T,
    /// `FILE:LINE`.
    pub place: String,
}

/// What a file says; none: nothing.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// What makes a run fall short.
    pub fail_on: Option<Said<Vec<FailOn>>>,
    /// Rules that are asked.
    pub select: Option<Said<Vec<&'static str>>>,
    /// Rules that are not.
    pub ignore: Option<Said<Vec<&'static str>>>,
    /// Format of the report.
    pub format: Option<Said<String>>,
    /// Language of the sentences.
    pub lang: Option<Said<String>>,
    /// Time zone of the times shown.
    pub tz: Option<Said<String>>,
    /// Findings that are known already.
    pub suppressions: Vec<Suppression>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    fail_on: Option<Spanned<Vec<Spanned<String>>>>,
    select: Option<Spanned<Vec<Spanned<String>>>>,
    ignore: Option<Spanned<Vec<Spanned<String>>>>,
    format: Option<Spanned<String>>,
    lang: Option<Spanned<String>>,
    tz: Option<Spanned<String>>,
    #[serde(default)]
    suppress: Vec<Spanned<RawSuppression>>,
}

// A text, or a date as TOML has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Day {
    Text(String),
    Date(toml::value::Datetime),
}

impl Day {
    fn text(&self) -> String {
        match self {
            Day::Text(text) => text.clone(),
            Day::Date(date) => date.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawSuppression {
    rule: Spanned<String>,
    reason: Spanned<String>,
    until: Option<Spanned<Day>>,
    #[serde(default)]
    number: Vec<String>,
    #[serde(default)]
    ip: Vec<Spanned<String>>,
    #[serde(default)]
    method: Vec<String>,
    #[serde(default)]
    code: Vec<Spanned<String>>,
}

/// The file that holds for a folder: in it, or in the nearest above it that has one.
pub fn find(folder: &Path) -> Option<PathBuf> {
    let mut above = folder.ancestors().map(|folder| folder.join(NAME));
    above.find(|path| path.is_file())
}

/// Reads a file.
///
/// # Errors
/// `FILE:LINE: what is wrong`, one a line.
pub fn read(path: &Path) -> Result<Settings, String> {
    let shown = path.display().to_string();
    let text = bounded(path).map_err(|why| format!("{shown}: {why}"))?;
    parse(&text, path).map_err(|wrong| with_lines(wrong, &shown, &text))
}

fn parse(text: &str, path: &Path) -> Result<Settings, Wrong> {
    let raw: Raw = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        vec![(at, error.message().replace('\n', " "))]
    })?;
    let mut wrong = Wrong::new();
    let place = |at: usize| format!("{}:{}", path.display(), line_of(text, at));
    let fail_on = raw
        .fail_on
        .map(|list| each(&list, FailOn::parse, &mut wrong, &place));
    let select = raw.select.map(|list| each(&list, rule, &mut wrong, &place));
    let ignore = raw.ignore.map(|list| each(&list, rule, &mut wrong, &place));
    let said = |value: Spanned<String>| Said {
        place: place(value.span().start),
        value: value.into_inner(),
    };
    if let Some(one) = raw.suppress.get(MOST) {
        wrong.push((one.span().start, format!("more than {MOST} suppressions")));
    }
    let mut suppressions = Vec::new();
    for one in raw.suppress.iter().take(MOST) {
        suppressions.extend(suppression(
            one.get_ref(),
            &mut wrong,
            place(one.span().start),
        ));
    }
    let settings = Settings {
        path: path.to_path_buf(),
        fail_on,
        select,
        ignore,
        format: raw.format.map(said),
        lang: raw.lang.map(said),
        tz: raw.tz.map(said),
        suppressions,
    };
    match wrong.is_empty() {
        true => Ok(settings),
        false => Err(wrong),
    }
}

fn each<T>(
    list: &Spanned<Vec<Spanned<String>>>,
    parse: impl Fn(&str) -> Result<T, String>,
    wrong: &mut Wrong,
    place: &impl Fn(usize) -> String,
) -> Said<Vec<T>> {
    let mut value = Vec::new();
    for one in list.get_ref() {
        match parse(one.get_ref()) {
            Ok(parsed) => value.push(parsed),
            Err(why) => wrong.push((one.span().start, why)),
        }
    }
    Said {
        value,
        place: place(list.span().start),
    }
}

fn suppression(raw: &RawSuppression, wrong: &mut Wrong, place: String) -> Option<Suppression> {
    let before = wrong.len();
    let mut say = |at: usize, what: String| wrong.push((at, what));
    let id = rule(raw.rule.get_ref());
    if let Err(why) = &id {
        say(raw.rule.span().start, why.clone());
    }
    if raw.reason.get_ref().trim().is_empty() {
        say(
            raw.reason.span().start,
            "a suppression needs a reason".to_owned(),
        );
    }
    let until = raw
        .until
        .as_ref()
        .map(|until| (until, until.get_ref().text().parse()));
    if let Some((text, Err(_))) = &until {
        say(
            text.span().start,
            format!("{:?} is no date such as 2027-01-31", text.get_ref().text()),
        );
    }
    let mut calls = Selection {
        numbers: raw.number.clone(),
        methods: raw.method.clone(),
        ..Selection::default()
    };
    for ip in &raw.ip {
        match ip.get_ref().parse() {
            Ok(ip) => calls.ips.push(ip),
            Err(_) => say(ip.span().start, format!("{:?} is no address", ip.get_ref())),
        }
    }
    for code in &raw.code {
        match FailOn::parse(code.get_ref()) {
            Ok(FailOn::Code(code)) => calls.codes.push(code),
            _ => say(
                code.span().start,
                format!("{:?} is no code such as 486 or 4xx", code.get_ref()),
            ),
        }
    }
    let rule = id.ok().filter(|_| wrong.len() == before)?;
    Some(Suppression {
        rule,
        reason: raw.reason.get_ref().as_str().into(),
        until: until.and_then(|(_, date)| date.ok()),
        calls,
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, Vec<String>> {
        parse(text, Path::new("f.toml")).map_err(|wrong| {
            let lines = wrong.iter();
            lines
                .map(|(at, what)| format!("{}: {what}", line_of(text, *at)))
                .collect()
        })
    }

    #[test]
    fn a_file_says_what_it_says_and_where() {
        let text = "fail-on = [\"failed\", \"busy\", \"5xx\"]\nignore = [\"private-contact\"]\n\n\
            [[suppress]]\nrule = \"codec-no-common\"\nreason = \"ticket 17\"\nuntil = \"2027-01-31\"\nip = [\"192.0.2.1\"]\n";
        let read = read(text).unwrap();
        let fail_on = read.fail_on.unwrap();
        assert_eq!(fail_on.place, "f.toml:1");
        let asked: Vec<String> = fail_on.value.iter().map(ToString::to_string).collect();
        assert_eq!(asked, ["failed", "busy", "5xx"]);
        assert_eq!(read.ignore.unwrap().value, ["private-contact"]);
        let [one] = read.suppressions.as_slice() else {
            panic!("{:?}", read.suppressions)
        };
        assert_eq!(
            (one.rule, one.place.as_str()),
            ("codec-no-common", "f.toml:4")
        );
        assert_eq!(one.until.unwrap().to_string(), "2027-01-31");
    }

    #[test]
    fn a_day_may_be_a_date_of_toml() {
        let text = "[[suppress]]\nrule = \"busy\"\nreason = \"x\"\nuntil = ";
        for day in ["2027-01-31", "\"2027-01-31\""] {
            let read = read(&format!("{text}{day}")).unwrap();
            let until = read.suppressions.first().and_then(|one| one.until);
            assert_eq!(until.unwrap().to_string(), "2027-01-31");
        }
        read(&format!("{text}12:00:00")).unwrap_err();
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, want) in [
            (
                "fail-on = [\n  \"bussy\",\n]",
                "2: there is no rule \"bussy\"; did you mean busy?",
            ),
            ("colour = 1", "1: unknown field `colour`"),
            (
                "[[suppress]]\nrule = \"busy\"\nreason = \" \"",
                "3: a suppression needs a reason",
            ),
            ("[[suppress]]\nrule = \"busy\"", "1: missing field `reason`"),
            (
                "[[suppress]]\nrule = \"busy\"\nreason = \"x\"\nuntil = \"tomorrow\"",
                "4: \"tomorrow\" is no date such as 2027-01-31",
            ),
            (
                "[[suppress]]\nrule = \"busy\"\nreason = \"x\"\ncode = [\"9xx\"]",
                "4: \"9xx\" is no code such as 486 or 4xx",
            ),
        ] {
            let wrong = read(text).unwrap_err();
            assert!(
                wrong.iter().any(|told| told.starts_with(want)),
                "{text}: {wrong:?}"
            );
        }
    }
}
