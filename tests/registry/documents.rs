//! Every RFC and section that the knowledge and the rules name: it exists (tests/data/rfc_sections.csv
//! has its title), and it is the one that defines the thing (the other tables of tests/data).

use crate::harness::root;
use crate::none;
use crate::table::table;
use sipexplain::diagnose::rules::RULES;
use sipexplain::knowledge::{self, term};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// An RFC and a section; empty for the whole document.
type Place = (u32, String);

/// Title by RFC and section.
fn titles() -> BTreeMap<Place, String> {
    let rows = table("rfc_sections").into_iter();
    rows.map(|row| {
        let number = row["rfc"].parse().unwrap();
        ((number, row["section"].clone()), row["title"].clone())
    })
    .collect()
}

/// What the tables name, with who names it.
fn cited() -> Vec<(Place, String)> {
    let mut all = Vec::new();
    for code in knowledge::codes() {
        let place = code.rfc.map(|number| (number, code.section.clone()));
        all.extend(place.map(|place| (place, format!("code {}", code.code))));
    }
    for term in term::terms() {
        let name = format!("{} {}", term.kind, term.name);
        all.extend(term.rfc.iter().cloned().map(|place| (place, name.clone())));
    }
    for cause in knowledge::all_causes() {
        let places = cause.page().rfc.into_iter();
        all.extend(places.map(|place| (place, cause.id())));
    }
    for rule in RULES {
        let places = rule
            .documents()
            .map(|rfc| (rfc.number, rfc.section.into_owned()));
        all.extend(places.map(|place| (place, format!("rule {}", rule.id))));
    }
    for folder in [
        "src/knowledge",
        "src/diagnose",
        "src/report/reference",
        "src/lang",
    ] {
        for file in files(&root().join(folder)) {
            let name = file
                .strip_prefix(root())
                .unwrap_or(&file)
                .display()
                .to_string();
            let places = in_prose(&std::fs::read_to_string(&file).unwrap());
            all.extend(places.into_iter().map(|place| (place, name.clone())));
        }
    }
    all
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all
}

/// `RFC 3398 §7.2.4.1 and §8.2.6.1`, `RFC 3261 section 20.43`, `RFC 5057`.
fn in_prose(text: &str) -> Vec<Place> {
    let digits = |text: &str, also: char| -> String {
        let fits = |c: &char| c.is_ascii_digit() || *c == also;
        let number: String = text.chars().take_while(fits).collect();
        number.trim_end_matches('.').to_owned()
    };
    let mut all = Vec::new();
    for after in text.split("RFC ").skip(1) {
        let number = digits(after, '0');
        let Ok(rfc) = number.parse() else { continue };
        let mut rest = &after[number.len()..];
        let mut sections = Vec::new();
        while let Some(tail) = ["§", " §", ", §", " and §", " section "]
            .iter()
            .find_map(|lead| rest.strip_prefix(lead))
        {
            let section = digits(tail, '.');
            rest = &tail[section.len()..];
            sections.push(section);
        }
        if sections.is_empty() {
            sections.push(String::new());
        }
        all.extend(sections.into_iter().map(|section| (rfc, section)));
    }
    all
}

#[test]
fn citations_are_found_in_prose() {
    let found = in_prose("as RFC 3398 §7.2.4.1 and §8.2.6.1 say, RFC 3261, section 20.43 not");
    let wanted = [(3398, "7.2.4.1"), (3398, "8.2.6.1"), (3261, "")];
    assert_eq!(found, wanted.map(|(rfc, s)| (rfc, s.to_owned())));
    assert_eq!(
        in_prose("RFC 3261 section 20.43."),
        [(3261, "20.43".to_owned())]
    );
}

#[test]
fn every_section_that_is_named_exists() {
    let titles = titles();
    let cited = cited();
    let mut wrong: Vec<String> = cited
        .iter()
        .filter(|(place, _)| !titles.contains_key(place))
        .map(|((rfc, section), who)| {
            format!("{who}: look RFC {rfc} §{section} up, then add it with its title to tests/data/rfc_sections.csv")
        })
        .collect();
    let named: BTreeSet<&Place> = cited.iter().map(|(place, _)| place).collect();
    let idle = titles.keys().filter(|place| !named.contains(place));
    wrong.extend(idle.map(|(rfc, section)| {
        format!("tests/data/rfc_sections.csv: nobody names RFC {rfc} §{section}")
    }));
    assert!(named.len() > 300, "only {} places found", named.len());
    none(wrong);
}

#[test]
fn the_section_is_the_one_that_is_about_it() {
    let titles = titles();
    let mut wrong = Vec::new();
    for code in knowledge::codes() {
        let title = code
            .rfc
            .and_then(|rfc| titles.get(&(rfc, code.section.clone())));
        if code.rfc == Some(3261) && title != Some(&format!("{} {}", code.code, code.title)) {
            wrong.push(format!("code {}: {title:?}", code.code));
        }
    }
    for term in term::terms() {
        let of_term = term
            .rfc
            .iter()
            .map(|place| titles.get(place).cloned().unwrap_or_default());
        let of_term: Vec<String> = of_term
            .map(|title| title.to_lowercase().replace('-', " "))
            .collect();
        let about = |words: &[&str]| of_term.iter().any(|t| words.iter().any(|w| t.contains(w)));
        let name = term.name.to_lowercase().replace('-', " ");
        let fits = match term.kind.as_str() {
            "header" => about(&[&name, "header field names"]),
            // Many documents only register the tag under its own name.
            "option" => about(&[&name, "option tag", "iana", "registration"]),
            _ => true,
        };
        if !fits {
            wrong.push(format!("{} {}: {of_term:?}", term.kind, term.name));
        }
        if term.rfc.is_empty() && term.kind != "reason" {
            wrong.push(format!("{} {} names no document", term.kind, term.name));
        }
    }
    none(wrong);
}

/// Does the term cite this RFC, and one of these sections where some are given?
fn cites(kind: &str, name: &str, source: &str) -> Result<(), String> {
    let term = term::term(kind, name).ok_or_else(|| format!("{kind} {name} is missing"))?;
    let (rfcs, sections) = numbers(source);
    let fits = |(rfc, section): &Place| {
        rfcs.contains(rfc) && (sections.is_empty() || sections.contains(section))
    };
    match term.rfc.iter().any(fits) {
        true => Ok(()),
        false => Err(format!("{kind} {name}: {:?} instead of {source}", term.rfc)),
    }
}

/// The RFCs and the sections in `RFC 3261 16.6 item 11, 16.8`.
fn numbers(source: &str) -> (Vec<u32>, Vec<String>) {
    let words = source.split([' ', ',', ';']).filter(|w| !w.is_empty());
    let (mut rfcs, mut sections, mut last) = (Vec::new(), Vec::new(), "");
    for word in words {
        match word.parse() {
            Ok(rfc) if last == "RFC" || word.len() == 4 => rfcs.push(rfc),
            _ if last != "item" && word.starts_with(|c: char| c.is_ascii_digit()) => {
                sections.push(word.to_owned());
            }
            _ => {}
        }
        last = word;
    }
    (rfcs, sections)
}

#[test]
fn terms_are_those_of_the_registries_and_cite_their_documents() {
    let mut wrong = Vec::new();
    let mut check =
        |kind: &str, name: &str, source: &str| wrong.extend(cites(kind, name, source).err());
    for row in table("methods")
        .iter()
        .filter(|row| row["iana_registered"] == "yes")
    {
        check("method", &row["method"], &row["defined_in"]);
    }
    for row in table("option_tags")
        .iter()
        .filter(|row| row["iana_registered"] == "yes")
    {
        check("option", &row["tag"], &row["rfc"]);
    }
    for row in table("timers").iter().filter(|row| row["timer"].len() <= 2) {
        check("timer", &row["timer"], &row["source"]);
    }
    for row in table("header_compact_forms")
        .iter()
        .filter(|row| row["in_iana_2026"] == "yes")
    {
        check("header", &row["compact"], &row["source"]);
    }
    for row in table("reason_protocols")
        .iter()
        .filter(|row| row["iana_registered"] == "yes")
    {
        if term::term("reason", &row["protocol"]).is_none() {
            wrong.push(format!("reason {} is missing", row["protocol"]));
        }
    }
    for row in table("warning_codes")
        .iter()
        .filter(|row| row["iana_registered"] == "yes")
    {
        let cause = knowledge::cause("warning", row["warn_code"].parse().unwrap()).unwrap();
        let (rfcs, _) = numbers(&row["source"]);
        let ours = cause.page().rfc;
        if !ours.iter().any(|(rfc, _)| rfcs.first() == Some(rfc)) {
            wrong.push(format!(
                "{}: {ours:?} instead of {}",
                cause.id(),
                row["source"]
            ));
        }
    }
    none(wrong);
}

#[test]
fn what_is_not_certain_is_worded_so() {
    let mut wrong = Vec::new();
    for row in table("response_codes")
        .iter()
        .filter(|row| row["verified"] != "yes")
    {
        let number = row["code"].parse().unwrap();
        let code = knowledge::code(number).unwrap();
        let words = ["as far as", "it seems", "said to", "not documented"];
        let text = format!("{} {}", code.meaning, code.origin).to_lowercase();
        if !words.iter().any(|word| text.contains(word)) {
            wrong.push(format!("code {number} is told as certain: {text}"));
        }
    }
    none(wrong);
}
