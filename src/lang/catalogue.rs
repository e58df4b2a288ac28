//! All that can be translated, and what is wrong with a translation of it.

use super::Lang;
use super::labels::LABELS;
use crate::diagnose::finding::UNNAMED;
use crate::diagnose::rules::RULES;
use crate::diagnose::said::SAID;
use crate::diagnose::{address, asides, blame, evidence, lint, undetermined};
use crate::knowledge::{self, choice, phrases, term};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A text of the program.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it belongs to: `codes`, `causes`, `terms`, `rules` or `labels`.
    pub part: &'static str,
    /// Section of the overlay file: `code.607`, `rule.busy`, `label`.
    pub section: String,
    /// Key in it, from the outside in.
    pub key: Vec<String>,
    /// The English text.
    pub english: String,
}

/// The parts of the catalogue, in the order of [`all`].
pub const PARTS: [&str; 5] = ["codes", "causes", "terms", "labels", "rules"];

/// Every text, in the order of an overlay file.
pub fn all() -> Vec<Entry> {
    let mut list = List::default();
    list.codes();
    list.causes();
    list.terms();
    list.labels();
    list.rules();
    // Two phrases may mean the same.
    let mut known = BTreeSet::new();
    let place = |entry: &Entry| (entry.section.clone(), entry.key.clone());
    list.0.retain(|entry| known.insert(place(entry)));
    list.0
}

#[derive(Default)]
struct List(Vec<Entry>);

impl List {
    fn add(&mut self, part: &'static str, section: &str, key: &[&str], english: &str) {
        if !english.is_empty() {
            self.0.push(Entry {
                part,
                section: section.to_owned(),
                key: key.iter().map(|key| (*key).to_owned()).collect(),
                english: english.to_owned(),
            });
        }
    }

    fn codes(&mut self) {
        for code in knowledge::codes() {
            let section = format!("code.{}", code.code);
            let own = [
                ("meaning", &code.meaning),
                ("when", &code.when),
                ("fix", &code.fix),
                ("retry_note", &code.retry_note),
                ("origin", &code.origin),
            ];
            for (key, text) in own {
                self.add("codes", &section, &[key], text);
            }
            for m in &code.by_method {
                for (key, text) in [("meaning", &m.meaning), ("when", &m.when), ("fix", &m.fix)] {
                    let text = text.as_deref().unwrap_or_default();
                    self.add("codes", &section, &["method", &m.method, key], text);
                }
            }
            for v in &code.variant {
                for (key, text) in [("meaning", &v.meaning), ("when", &v.when), ("fix", &v.fix)] {
                    let text = text.as_deref().unwrap_or_default();
                    self.add("codes", &section, &["phrase", &v.phrase, key], text);
                }
            }
        }
        for (section, key, text) in choice::texts() {
            self.add("codes", &section, &[key], &text);
        }
    }

    fn causes(&mut self) {
        for cause in knowledge::all_causes() {
            let section = cause.section();
            self.add("causes", &section, &["name"], &cause.name);
            self.add("causes", &section, &["hint"], &cause.hint);
            let page = cause.page();
            self.add("terms", &section, &["meaning"], &page.meaning);
            for (key, text, from) in [
                ("when", &page.when, page.when_in),
                ("fix", &page.fix, page.fix_in),
            ] {
                if from == section {
                    self.add("terms", &section, &[key], text);
                }
            }
        }
        for (section, key, text) in knowledge::group_texts() {
            self.add("terms", &section, &[key], &text);
        }
        for cause in knowledge::all_causes() {
            self.add("terms", "said", &[&cause.case], &cause.case);
            self.add("terms", "said", &[&cause.from_else], &cause.from_else);
        }
        for phrase in phrases::phrases() {
            self.add("causes", "said", &[&phrase.means], &phrase.means);
        }
        for phrase in SAID.iter().chain(&UNNAMED) {
            self.add("causes", "said", &[phrase], phrase);
        }
        for phrase in address::phrases() {
            self.add("causes", "said", &[phrase], phrase);
        }
    }

    fn terms(&mut self) {
        for term in term::terms() {
            let section = term.section();
            let own = [
                ("says", &term.says),
                ("trace", &term.trace),
                ("fix", &term.fix),
            ];
            for (key, text) in own {
                self.add("terms", &section, &[key], text);
            }
        }
        for group in term::groups() {
            let section = group.section();
            self.add("terms", &section, &["trace"], &group.trace);
            self.add("terms", &section, &["fix"], &group.fix);
        }
    }

    fn labels(&mut self) {
        for label in LABELS {
            self.add("labels", "label", &[label], label);
        }
        let lists = [
            ("grounds", blame::GROUNDS),
            ("aside", asides::ASIDES),
            ("undetermined", undetermined::UNDETERMINED),
            ("defect", lint::SENTENCES),
            ("elsewhere", evidence::ELSEWHERE),
        ];
        for (section, sentences) in lists {
            for (id, text) in sentences {
                self.add("labels", section, &[id], text);
            }
        }
    }

    fn rules(&mut self) {
        for rule in RULES {
            let section = format!("rule.{}", rule.id);
            let own = ["title", "why", "fix", "confirm"];
            let further = rule.sentences.iter().map(|(id, _)| *id);
            let settings = rule.settings.iter().map(|(product, _)| product.id());
            for id in own.into_iter().chain(further).chain(settings) {
                self.add(
                    "rules",
                    &section,
                    &[id],
                    rule.template(id).unwrap_or_default(),
                );
            }
        }
    }
}

/// Is it one of the phrases that are arguments of sentences?
pub(super) fn is_phrase(english: &str) -> bool {
    let spoken = || {
        phrases::phrases()
            .iter()
            .map(|phrase| phrase.means.as_str())
    };
    SAID.iter().chain(&UNNAMED).any(|known| *known == english)
        || address::phrases().any(|known| known == english)
        || spoken().any(|known| known == english)
}

/// An overlay file with the English texts, as a translator begins with: of one part, or of all.
pub fn template(part: Option<&str>) -> String {
    let mut out = String::new();
    let mut head = String::new();
    for entry in all()
        .iter()
        .filter(|entry| part.is_none_or(|part| part == entry.part))
    {
        let (last, path) = entry
            .key
            .split_last()
            .map_or(("", &[][..]), |(l, p)| (l, p));
        let mut table = entry.section.clone();
        for name in path {
            let _ = write!(table, ".{}", quoted(name));
        }
        if table != head {
            let _ = writeln!(out, "{}[{table}]", if out.is_empty() { "" } else { "\n" });
            head = table;
        }
        let _ = writeln!(out, "{} = {}", quoted(last), toml_string(&entry.english));
    }
    out
}

fn quoted(key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    match !key.is_empty() && key.bytes().all(bare) {
        true => key.to_owned(),
        false => toml_string(key),
    }
}

fn toml_string(text: &str) -> String {
    // The escapes of JSON are some of those of TOML.
    serde_json::Value::from(text).to_string()
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Unreadable(why) => write!(out, "not readable: {why}"),
            Fault::Missing(place) => write!(out, "missing: {place}"),
            Fault::Unknown(place) => write!(out, "unknown: {place}"),
            Fault::Placeholders(place, what) => write!(out, "placeholders: {place}: {what}"),
        }
    }
}

/// What is wrong with an overlay file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no TOML: what the reader says, with the line.
    Unreadable(String),
    /// A text is not translated.
    Missing(String),
    /// There is no such text.
    Unknown(String),
    /// Other placeholders than the English text: where, and what differs.
    Placeholders(String, String),
}

/// How much of a part is translated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Texts translated.
    pub done: usize,
    /// Texts there are.
    pub all: usize,
}

/// Compares an overlay file with the English texts of these parts (of all where there are none): its
/// faults, and how much of each part it has.
pub fn check(text: &str, parts: &[String]) -> (Vec<Fault>, BTreeMap<&'static str, Coverage>) {
    let mut coverage: BTreeMap<&'static str, Coverage> = BTreeMap::new();
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => return (vec![Fault::Unreadable(error.to_string())], coverage),
    };
    let mut found = BTreeMap::new();
    flatten(&table, &mut Vec::new(), &mut found);
    let mut faults = Vec::new();
    let mut known = BTreeSet::new();
    for entry in all() {
        let mut path: Vec<String> = entry.section.split('.').map(str::to_owned).collect();
        path.extend(entry.key.iter().cloned());
        known.insert(path.clone());
        if !parts.is_empty() && !parts.iter().any(|part| part == entry.part) {
            continue;
        }
        let place = path.join(".");
        let part = coverage.entry(entry.part).or_default();
        part.all += 1;
        match found.get(&path) {
            None => faults.push(Fault::Missing(place)),
            Some(text) => {
                part.done += 1;
                faults
                    .extend(differing(&entry.english, text).map(|d| Fault::Placeholders(place, d)));
            }
        }
    }
    let unknown = found.keys().filter(|path| !known.contains(*path));
    faults.extend(unknown.map(|path| Fault::Unknown(path.join("."))));
    (faults, coverage)
}

fn flatten(table: &toml::Table, path: &mut Vec<String>, into: &mut BTreeMap<Vec<String>, String>) {
    for (key, value) in table {
        path.push(key.clone());
        match value {
            toml::Value::Table(inner) => flatten(inner, path, into),
            toml::Value::String(text) => {
                into.insert(path.clone(), text.clone());
            }
            // No text: it translates nothing.
            _ => {}
        }
        path.pop();
    }
}

// A language may leave out what it says another way, but never name what nobody fills in.
fn differing(english: &str, text: &str) -> Option<String> {
    let names = |text: &str| -> BTreeSet<String> {
        let parts = text.split('{').skip(1);
        let closed = parts.filter_map(|part| part.split_once('}'));
        closed.map(|(name, _)| name.to_owned()).collect()
    };
    let (ours, theirs) = (names(english), names(text));
    let missing: Vec<String> = ours
        .difference(&theirs)
        .map(|n| format!("without {{{n}}}"))
        .collect();
    let more: Vec<String> = theirs
        .difference(&ours)
        .map(|n| format!("unknown {{{n}}}"))
        .collect();
    let all = [missing, more].concat();
    (!all.is_empty()).then(|| all.join(", "))
}

/// How much of each part a language has.
pub fn coverage(lang: &Lang) -> BTreeMap<&'static str, Coverage> {
    if lang.tag == "en" {
        let mut own: BTreeMap<&'static str, Coverage> = BTreeMap::new();
        for (part, of) in check("", &[]).1 {
            let done = of.all;
            own.insert(part, Coverage { done, all: done });
        }
        return own;
    }
    check(lang.overlay.file(), &[]).1
}
