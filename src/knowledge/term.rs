//! Methods, headers, option tags, timers and protocols of the Reason header.

use serde::Deserialize;
use std::sync::LazyLock;

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// `method`, `header`, `option`, `timer` or `reason`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// RFC and section; empty for what no RFC defines.
    pub rfc: Vec<(u32, String)>,
    /// What it is.
    pub says: String,
    /// What to look for in a trace; may be empty.
    pub trace: String,
    /// What to do; may be empty.
    #[serde(default)]
    pub fix: String,
    /// The group whose texts stand in for those that are empty.
    #[serde(default)]
    pub group: String,
}

/// Texts that several terms share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What to look for in a trace.
    #[serde(default)]
    pub trace: String,
    /// What to do.
    #[serde(default)]
    pub fix: String,
}

impl Group {
    /// Its section in the overlays.
    pub fn section(&self) -> String {
        format!("group.{}", self.name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    group: Vec<Group>,
    term: Vec<Term>,
}

// A test reads the file; a broken one leaves the table empty.
static FILE: LazyLock<File> = LazyLock::new(|| {
    toml::from_str::<File>(include_str!("terms.toml")).unwrap_or(File {
        group: Vec::new(),
        term: Vec::new(),
    })
});

impl Term {
    /// Its section in the overlays.
    pub fn section(&self) -> String {
        let name = self.name.to_ascii_lowercase().replace('.', "");
        format!("term.{}-{name}", self.kind)
    }

    /// What to look for in a trace, and the section of the overlays that translates it.
    pub fn in_trace(&self) -> (&str, String) {
        self.or_of_group(&self.trace, |group| &group.trace)
    }

    /// What to do, and the section of the overlays that translates it.
    pub fn to_do(&self) -> (&str, String) {
        self.or_of_group(&self.fix, |group| &group.fix)
    }

    fn or_of_group<'a>(&'a self, own: &'a str, text: fn(&Group) -> &String) -> (&'a str, String) {
        let shared = FILE.group.iter().find(|group| group.name == self.group);
        match shared.filter(|_| own.is_empty()) {
            Some(group) => (text(group), group.section()),
            None => (own, self.section()),
        }
    }
}

/// The groups, in the order of the file.
pub fn groups() -> &'static [Group] {
    &FILE.group
}

/// All terms, in the order of the file.
pub fn terms() -> &'static [Term] {
    &FILE.term
}

/// The term of a kind with this name, in any case; a header by its compact form too.
pub fn term(kind: &str, name: &str) -> Option<&'static Term> {
    let full = match kind {
        "header" => crate::message::header::canonical(name.as_bytes()),
        "timer" => name
            .trim_start_matches("Timer ")
            .trim_start_matches("timer ")
            .to_owned(),
        _ => name.to_owned(),
    };
    FILE.term
        .iter()
        .find(|term| term.kind == kind && term.name.eq_ignore_ascii_case(&full))
}

/// Names of the same kind that begin alike or differ little, the nearest first.
pub fn near(kind: &str, name: &str) -> Vec<&'static str> {
    let wanted = name.to_ascii_lowercase();
    let mut all: Vec<(usize, &str)> = FILE
        .term
        .iter()
        .filter(|term| term.kind == kind)
        .map(|term| {
            (
                super::distance(&term.name.to_ascii_lowercase(), &wanted),
                term.name.as_str(),
            )
        })
        .filter(|(distance, _)| *distance <= wanted.len().max(4) / 2)
        .collect();
    all.sort_unstable();
    all.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_found_by_name_in_any_case_and_by_compact_form() {
        toml::from_str::<File>(include_str!("terms.toml")).unwrap();
        assert_eq!(term("method", "refer").unwrap().name, "REFER");
        assert_eq!(term("header", "v").unwrap().name, "Via");
        assert_eq!(term("header", "retry-after").unwrap().name, "Retry-After");
        assert_eq!(term("option", "100REL").unwrap().name, "100rel");
        assert_eq!(term("timer", "b").unwrap().name, "B");
        assert_eq!(near("option", "100rell"), ["100rel"]);
    }

    #[test]
    fn names_are_unique_and_texts_are_sentences() {
        let mut seen = std::collections::BTreeSet::new();
        for term in terms() {
            assert!(
                seen.insert((&term.kind, term.name.to_ascii_lowercase())),
                "{}",
                term.name
            );
            for text in [term.says.as_str(), term.in_trace().0, term.to_do().0]
                .into_iter()
                .filter(|text| !text.is_empty())
            {
                assert!(text.ends_with('.'), "{}: {text}", term.name);
            }
        }
    }
}
