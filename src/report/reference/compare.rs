//! Two codes side by side: what each says, and what sets them apart.
//!
//! What a comparison says is data: facts of one code, and sentences over the facts of both. The site
//! gets the same data ([`plan`], [`facts`]) and applies it in `compare.js`.

use super::{Section, Sheet, query};
use crate::knowledge::{self, choice};
use crate::lang::Lang;
use serde::Serialize;

/// Sections of two pages that are set side by side where one of the pages has them.
const BESIDE: [&str; 5] = ["description", "name", "when", "fix", "trace"];

/// What sets two codes apart: the first of these facts in which they differ, or the last.
const APART: [(&str, &str); 4] = [
    (
        "class",
        "They are of different classes: {a} is {first}, {b} is {second}.",
    ),
    (
        "by",
        "What sets them apart is who decides: {a}: {first}; {b}: {second}.",
    ),
    (
        "after",
        "What sets them apart is what may still succeed: {a}: {first}; {b}: {second}.",
    ),
    (
        "caller",
        "What sets them apart is what the caller does: {a}: {first}; {b}: {second}.",
    ),
];

/// The rows of the key differences: label and fact.
const ROWS: [(&str, &str); 5] = [
    ("Class", "kind"),
    ("Meaning", "says"),
    ("Who decides", "by"),
    ("May another try succeed", "after"),
    ("What the caller does", "caller"),
];

/// For the one who must choose a code to send, and for the one who met it.
const WHICH: [&str; 2] = ["Send {code} when {send}.", "If you met {code}: {caller}."];

const SAYS: &str = "{code} says that {says}.";
const UNREGISTERED: &str = "{code} is not registered; its class is {class}.";
const SAME: &str = "Both are the same code.";
const TITLE: &str = "{a} and {b}";

/// The sentences and headings of every comparison, in one language.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Plan {
    title: String,
    beside: [&'static str; BESIDE.len()],
    short: String,
    says: String,
    unregistered: String,
    same: String,
    apart: Vec<(&'static str, String)>,
    differences: String,
    rows: Vec<(&'static str, String)>,
    which: String,
    choose: Vec<String>,
}

/// The plan of comparisons in a language.
pub(in crate::report) fn plan(lang: &Lang) -> Plan {
    let word = |english| lang.word(english).into_owned();
    Plan {
        title: word(TITLE),
        beside: BESIDE,
        short: word("In short"),
        says: word(SAYS),
        unregistered: word(UNREGISTERED),
        same: word(SAME),
        apart: APART.map(|(fact, text)| (fact, word(text))).to_vec(),
        differences: word("Key Differences"),
        rows: ROWS.map(|(label, fact)| (fact, word(label))).to_vec(),
        which: word("When to Use Which"),
        choose: WHICH.map(word).to_vec(),
    }
}

/// What a comparison says of a code, by name.
#[derive(Debug)]
pub(in crate::report) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    fn get(&self, name: &str) -> &str {
        let fact = self.0.iter().find(|(known, _)| *known == name);
        fact.map(|(_, text)| text.as_str()).unwrap_or_default()
    }

    /// Changes each of them.
    pub(super) fn each(&mut self, change: &dyn Fn(&mut String)) {
        self.0.iter_mut().for_each(|(_, text)| change(text));
    }
}

impl Serialize for Facts {
    fn serialize<S: serde::Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

/// The facts of a code.
pub(in crate::report) fn facts(code: u16, lang: &Lang) -> Facts {
    let (choice, [says, by, after, caller, send]) = choice::choice(code);
    let own =
        |section: &str, key: &str, english: &str| lang.text(section, &[key], english).into_owned();
    let class = lang.word(knowledge::class(code).0).into_owned();
    Facts(vec![
        ("code", code.to_string()),
        ("kind", format!("{}xx, {class}", code / 100)),
        ("class", class),
        ("says", own(&says, "says", &choice.says)),
        ("by", own(&by, "by", &choice.by)),
        ("after", own(&after, "after", &choice.after)),
        ("caller", own(&caller, "caller", &choice.caller)),
        ("send", own(&send, "send", &choice.send)),
    ])
}

/// The comparison of any two pages: codes, causes, terms.
///
/// # Errors
/// A sentence for the user where one of them does not exist.
pub fn compare(a: &str, b: &str, lang: &'static Lang) -> Result<Sheet, String> {
    let (left, right) = (one(a, lang)?, one(b, lang)?);
    let short = |sheet: &Sheet| sheet.title.trim_start_matches("SIP ").to_owned();
    let (first, second) = (short(&left), short(&right));
    let facts_of = |sheet: &Sheet| Some(facts(sheet.key.parse().ok()?, lang));
    let codes = facts_of(&left).zip(facts_of(&right));
    let mut sheet = Sheet {
        key: format!("{}/{}", left.key, right.key),
        title: lang.say(TITLE, &[("a", first.clone()), ("b", second.clone())]),
        note: String::new(),
        sections: Vec::new(),
        lang: lang.tag,
    };
    let columns = [first, second];
    if let Some((a, b)) = &codes {
        sheet.sections.push(apart(a, b, lang));
    }
    for id in BESIDE {
        side_by_side(&mut sheet, id, [&left, &right], &columns);
    }
    if let Some((a, b)) = &codes {
        sheet.sections.push(differences(a, b, &columns, lang));
        sheet.sections.push(which([a, b], lang));
    }
    Ok(sheet)
}

fn one(asked: &str, lang: &'static Lang) -> Result<Sheet, String> {
    let mut found = query::find(asked, None, lang)?;
    let one = found.len() == 1 && found.iter().all(|sheet| !sheet.key.ends_with("xx"));
    match one {
        true => Ok(found.remove(0)),
        false => Err(format!(
            "{asked} means several codes; a comparison takes one on each side"
        )),
    }
}

fn side_by_side(sheet: &mut Sheet, id: &'static str, sides: [&Sheet; 2], columns: &[String; 2]) {
    let text = |side: &Sheet| {
        let section = side.sections.iter().find(|section| section.id == id);
        section.map(|section| (section.heading.clone(), section.text.join(" ")))
    };
    let [a, b] = sides.map(text);
    let Some(heading) = a
        .as_ref()
        .or(b.as_ref())
        .map(|(heading, _)| heading.clone())
    else {
        return;
    };
    let body =
        |side: Option<(String, String)>| side.map_or_else(|| "-".to_owned(), |(_, text)| text);
    let rows = vec![
        vec![columns[0].clone(), body(a)],
        vec![columns[1].clone(), body(b)],
    ];
    sheet.table(id, heading, rows);
}

fn says(facts: &Facts, lang: &Lang) -> String {
    let sentence = match facts.get("says") {
        "" => UNREGISTERED,
        _ => SAYS,
    };
    lang.say(sentence, &facts.0)
}

// One sentence for each, and what sets them apart.
fn apart(a: &Facts, b: &Facts, lang: &Lang) -> Section {
    let differ = |(fact, _): &&(&str, &str)| a.get(fact) != b.get(fact);
    let apart = match APART.iter().find(differ).or(APART.last()) {
        Some((fact, sentence)) if a.get("code") != b.get("code") => {
            let args = [
                ("a", a, "code"),
                ("b", b, "code"),
                ("first", a, fact),
                ("second", b, fact),
            ];
            lang.say(
                sentence,
                &args.map(|(name, of, fact)| (name, of.get(fact).to_owned())),
            )
        }
        _ => lang.word(SAME).into_owned(),
    };
    Section {
        id: "apart",
        heading: lang.word("In short").into_owned(),
        text: vec![says(a, lang), says(b, lang), apart],
        rows: Vec::new(),
    }
}

fn differences(a: &Facts, b: &Facts, columns: &[String; 2], lang: &Lang) -> Section {
    let row = |(label, fact): (&'static str, &str)| {
        vec![
            lang.word(label).into_owned(),
            a.get(fact).to_owned(),
            b.get(fact).to_owned(),
        ]
    };
    let mut rows = vec![vec![String::new(), columns[0].clone(), columns[1].clone()]];
    rows.extend(ROWS.map(row));
    Section {
        id: "differences",
        heading: lang.word("Key Differences").into_owned(),
        text: Vec::new(),
        rows,
    }
}

fn which(codes: [&Facts; 2], lang: &Lang) -> Section {
    let sentences = |facts: &Facts| WHICH.map(|sentence| lang.say(sentence, &facts.0));
    Section {
        id: "which",
        heading: lang.word("When to Use Which").into_owned(),
        text: codes.map(sentences).concat(),
        rows: Vec::new(),
    }
}
