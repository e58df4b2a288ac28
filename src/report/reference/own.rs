//! What the user's own entries say, on the pages of codes and on pages of their own.

use super::{Section, Sheet};
use crate::knowledge::own::{Entry, own};
use crate::lang::Lang;

/// `Description (from carrier-x.toml:4)`, where the text is the user's own.
pub(super) fn heading(label: &str, entry: Option<&Entry>, lang: &Lang) -> String {
    match entry {
        None => label.to_owned(),
        Some(entry) => {
            let args = [("label", label.to_owned()), ("place", entry.place())];
            lang.say("{label} (from {place})", &args)
        }
    }
}

/// Adds the entries about a code that hold in certain cases only, a section each.
pub(super) fn cases(sheet: &mut Sheet, code: u16, lang: &Lang) {
    let of_code = own()
        .entries()
        .iter()
        .filter(|entry| entry.code == Some(code));
    for entry in of_code.filter(|entry| !entry.is_plain()) {
        let mut text = vec![holds(entry)];
        let said = [&entry.meaning, &entry.when, &entry.fix];
        text.extend(said.into_iter().flatten().cloned());
        sheet.sections.push(Section {
            id: "own",
            heading: heading(&lang.word("Your own entry"), Some(entry), lang),
            text,
            rows: Vec::new(),
        });
    }
}

/// The pages of the entries without a code that hold some words in phrase, carrier or server.
pub(super) fn pages(words: &str, lang: &'static Lang) -> Vec<Sheet> {
    let words = words.to_lowercase();
    let holds = |text: &Option<String>| {
        text.as_ref()
            .is_some_and(|text| text.to_lowercase().contains(&words))
    };
    let fits = |entry: &&Entry| {
        let texts = [&entry.phrase, &entry.carrier, &entry.server];
        !words.is_empty() && texts.into_iter().any(holds)
    };
    own()
        .entries()
        .iter()
        .filter(fits)
        .map(|entry| page(entry, lang))
        .collect()
}

fn page(entry: &Entry, lang: &'static Lang) -> Sheet {
    let mut sheet = Sheet {
        key: format!("own:{}", entry.place()),
        title: holds(entry),
        note: heading(&lang.word("Your own entry"), Some(entry), lang),
        sections: Vec::new(),
        lang: lang.tag,
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    sheet.section(
        "description",
        lang.word("Description"),
        text(&entry.meaning),
    );
    sheet.section("when", lang.word("When You See It"), text(&entry.when));
    sheet.section("fix", lang.word("How to Fix"), text(&entry.fix));
    sheet
}

// `480 · "Call limit" · Server: Foo* · Carrier X`: in what case it holds, in tokens of the protocol.
fn holds(entry: &Entry) -> String {
    let mut all = Vec::new();
    all.extend(entry.code.map(|code| code.to_string()));
    all.extend(entry.method.clone());
    all.extend(entry.phrase.as_ref().map(|phrase| format!("\"{phrase}\"")));
    all.extend(
        entry
            .server
            .as_ref()
            .map(|server| format!("Server: {server}")),
    );
    all.extend(entry.carrier.clone());
    all.join(" · ")
}
