//! Every page there is, by kind.

use super::compare::{Facts, facts};
use super::{Sheet, cause, class, code, rule, term as terms_of};
use crate::diagnose::rules::RULES;
use crate::knowledge::term::{self, Term};
use crate::knowledge::{self, Cause};
use crate::lang::Lang;
use serde::Serialize;
use std::collections::BTreeSet;

/// A kind of pages.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Kind {
    /// `code`, `q850`, `rule`, ...
    pub(in crate::report) id: String,
    /// What such pages are about.
    pub(in crate::report) heading: String,
    /// Reached from other pages, not worth a place among the kinds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::report) minor: bool,
    /// The pages.
    pub(in crate::report) pages: Vec<Page>,
}

/// A page with what a list of pages says of it.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Page {
    /// What it is called among its kind: `607`, `REFER`, `busy`.
    pub(in crate::report) name: String,
    /// What it is about, in few words.
    pub(in crate::report) about: String,
    /// The page.
    #[serde(flatten)]
    pub(in crate::report) sheet: Sheet,
    /// A code that is in no registry.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::report) unregistered: bool,
    /// Codes only: what a comparison says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) facts: Option<Facts>,
}

/// All pages but those of unregistered codes of which nothing is known.
pub(in crate::report) fn all(lang: &'static Lang) -> Vec<Kind> {
    let mut kinds = vec![codes(lang), classes(lang)];
    kinds.push(rules(lang));
    kinds.extend(causes(lang));
    kinds.extend(terms(lang));
    kinds
}

fn codes(lang: &'static Lang) -> Kind {
    let page = |known: &knowledge::Code| {
        Some(Page {
            name: known.code.to_string(),
            about: known.title.clone(),
            sheet: code::code(known.code, None, lang)?,
            unregistered: !known.registered,
            facts: Some(facts(known.code, lang)),
        })
    };
    Kind {
        id: "code".to_owned(),
        heading: lang.word("Response codes").into_owned(),
        minor: false,
        pages: knowledge::codes().iter().filter_map(page).collect(),
    }
}

fn classes(lang: &'static Lang) -> Kind {
    let page = |digit: u16| {
        let mut sheet = class::class(digit, lang);
        // It says what to type next.
        sheet.sections.retain(|section| section.id != "more");
        Page {
            name: sheet.key.clone(),
            about: lang.word(knowledge::class(digit * 100).0).into_owned(),
            sheet,
            unregistered: false,
            facts: None,
        }
    };
    Kind {
        id: "class".to_owned(),
        heading: lang.word("Class").into_owned(),
        minor: true,
        pages: (1..7).map(page).collect(),
    }
}

/// Protocols that a reader looks for by name; the others are reached from their page.
const MAJOR: [&str; 3] = ["Q.850", "warning", "STIR"];

// A kind for each protocol, in the order of the table.
fn causes(lang: &'static Lang) -> Vec<Kind> {
    let mut known = BTreeSet::new();
    let protocols = knowledge::all_causes()
        .iter()
        .map(|cause| cause.protocol.as_str())
        .filter(|protocol| known.insert(*protocol));
    let kind = |protocol: &'static str| {
        let heading = match protocol {
            "warning" => lang.word("Warning codes").into_owned(),
            "Q.850" | "STIR" => lang.say("{protocol} causes", &[("protocol", protocol.to_owned())]),
            _ => protocol.to_owned(),
        };
        let page = |known: &Cause| {
            Some(Page {
                name: known.code.to_string(),
                about: lang.cause_name(known).into_owned(),
                sheet: cause::cause(protocol, u32::from(known.code), lang)?,
                unregistered: false,
                facts: None,
            })
        };
        let pages: Vec<Page> = knowledge::causes(protocol).filter_map(page).collect();
        // What stands before the number where a cause is asked for: `q850`.
        let prefix = pages
            .first()
            .and_then(|page| page.sheet.key.split_once(':'));
        Kind {
            id: prefix.map_or("", |(prefix, _)| prefix).to_owned(),
            heading,
            minor: !MAJOR.contains(&protocol),
            pages,
        }
    };
    protocols.map(kind).collect()
}

fn terms(lang: &'static Lang) -> Vec<Kind> {
    let kinds = [
        ("reason", "Reason protocols"),
        ("method", "Methods"),
        ("header", "Headers"),
        ("option", "Option tags"),
        ("timer", "Timers"),
    ];
    let page = |term: &Term| Page {
        name: term.name.clone(),
        about: String::new(),
        sheet: terms_of::term(term, lang),
        unregistered: false,
        facts: None,
    };
    let kind = |(id, heading): (&str, &'static str)| Kind {
        id: id.to_owned(),
        heading: lang.word(heading).into_owned(),
        minor: false,
        pages: term::terms()
            .iter()
            .filter(|term| term.kind == id)
            .map(page)
            .collect(),
    };
    kinds.map(kind).into()
}

fn rules(lang: &'static Lang) -> Kind {
    let titles = rule::rules(RULES, lang);
    let page = |(known, [id, _, _, title]): (&&'static crate::diagnose::Rule, [String; 4])| Page {
        name: id,
        about: title,
        sheet: rule::rule(known, lang),
        unregistered: false,
        facts: None,
    };
    Kind {
        id: "rule".to_owned(),
        heading: lang.word("Rules").into_owned(),
        minor: false,
        pages: RULES.iter().zip(titles).map(page).collect(),
    }
}

/// What the pages of unregistered codes share, by class and by whether a code is near: the page
/// with `{code}` and `{near}` where the number and the near codes stand.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Unregistered {
    /// What is near a number; numbers with nothing near have an empty text.
    pub(in crate::report) near: Vec<(u16, String)>,
    /// Class, whether something is near, and the page.
    pub(in crate::report) pages: Vec<(u16, bool, Page)>,
}

/// The pages of codes that are in no table.
pub(in crate::report) fn unregistered(lang: &'static Lang) -> Unregistered {
    let mut all = Unregistered {
        near: Vec::new(),
        pages: Vec::new(),
    };
    for number in (100..700).filter(|number| knowledge::code(*number).is_none()) {
        let Some(sheet) = code::code(number, None, lang) else {
            continue;
        };
        let near = near(&sheet);
        let kind = (number / 100, !near.is_empty());
        if !all.pages.iter().any(|page| (page.0, page.1) == kind) {
            all.pages
                .push((kind.0, kind.1, template(number, &near, sheet, lang)));
        }
        all.near.push((number, near));
    }
    all
}

fn near(sheet: &Sheet) -> String {
    let section = sheet.sections.iter().find(|section| section.id == "near");
    section
        .map(|section| section.text.join(" "))
        .unwrap_or_default()
}

fn template(number: u16, near: &str, mut sheet: Sheet, lang: &Lang) -> Page {
    let number_text = number.to_string();
    let open = |text: &mut String| {
        if !near.is_empty() {
            *text = text.replace(near, "{near}");
        }
        *text = text.replace(&number_text, "{code}");
    };
    let mut facts = facts(number, lang);
    facts.each(&open);
    open(&mut sheet.key);
    open(&mut sheet.title);
    for section in &mut sheet.sections {
        section.text.iter_mut().for_each(&open);
    }
    Page {
        name: "{code}".to_owned(),
        about: lang.word("not registered").into_owned(),
        sheet,
        unregistered: true,
        facts: Some(facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::LANGS;

    #[test]
    fn every_unregistered_code_is_what_its_template_says() {
        for lang in &LANGS {
            let all = unregistered(lang);
            assert!(all.near.len() > 400, "{}", all.near.len());
            for (number, near) in &all.near {
                let kind = (number / 100, !near.is_empty());
                let (.., template) = all
                    .pages
                    .iter()
                    .find(|page| (page.0, page.1) == kind)
                    .unwrap();
                let fill = |text: &String| {
                    text.replace("{near}", near)
                        .replace("{code}", &number.to_string())
                };
                let mut sheet = template.sheet.clone();
                sheet.key = fill(&sheet.key);
                sheet.title = fill(&sheet.title);
                for section in &mut sheet.sections {
                    section.text = section.text.iter().map(fill).collect();
                }
                assert_eq!(Some(sheet), code::code(*number, None, lang));
            }
        }
    }

    #[test]
    fn names_and_keys_of_pages_are_unique() {
        let mut seen = BTreeSet::new();
        for kind in all(Lang::english()) {
            assert!(!kind.pages.is_empty(), "{}", kind.id);
            for page in kind.pages {
                let name = page.name.to_lowercase();
                assert!(seen.insert((kind.id.clone(), name)), "{}", page.name);
                assert_eq!(page.facts.is_some(), kind.id == "code");
            }
        }
    }
}
