//! Two codes side by side: what each says, and what sets them apart.

use super::{Section, Sheet, query};
use crate::knowledge::{self, choice};
use crate::lang::Lang;

/// The comparison of any two pages: codes, causes, terms.
///
/// # Errors
/// A sentence for the user where one of them does not exist.
pub fn compare(a: &str, b: &str, lang: &'static Lang) -> Result<Sheet, String> {
    let (left, right) = (one(a, lang)?, one(b, lang)?);
    let short = |sheet: &Sheet| sheet.title.trim_start_matches("SIP ").to_owned();
    let (first, second) = (short(&left), short(&right));
    let codes = a
        .trim()
        .parse::<u16>()
        .ok()
        .zip(b.trim().parse::<u16>().ok());
    let mut sheet = Sheet {
        key: format!("{}/{}", left.key, right.key),
        title: lang.say(
            "{a} and {b}",
            &[("a", first.clone()), ("b", second.clone())],
        ),
        note: String::new(),
        sections: Vec::new(),
        lang: lang.tag,
    };
    let columns = [first, second];
    if let Some((a, b)) = codes {
        sheet.sections.push(apart(a, b, lang));
    }
    for id in ["description", "name", "points-to", "when", "fix", "trace"] {
        side_by_side(&mut sheet, id, [&left, &right], &columns);
    }
    if let Some((a, b)) = codes {
        sheet.sections.push(differences(a, b, &columns, lang));
        sheet.sections.push(which(a, b, lang));
    }
    Ok(sheet)
}

fn one(asked: &str, lang: &'static Lang) -> Result<Sheet, String> {
    let mut found = query::find(asked, None, lang)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        count => Err(format!(
            "{asked} means {count} pages; a comparison takes one code on each side"
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

struct Phrases {
    says: String,
    by: String,
    after: String,
    caller: String,
    send: String,
}

fn phrases(code: u16, lang: &Lang) -> Phrases {
    let (choice, [says, by, after, caller, send]) = choice::choice(code);
    let own =
        |section: &str, key: &str, english: &str| lang.text(section, &[key], english).into_owned();
    Phrases {
        says: own(&says, "says", &choice.says),
        by: own(&by, "by", &choice.by),
        after: own(&after, "after", &choice.after),
        caller: own(&caller, "caller", &choice.caller),
        send: own(&send, "send", &choice.send),
    }
}

fn says(code: u16, lang: &Lang) -> String {
    let phrases = phrases(code, lang);
    let class = lang.word(knowledge::class(code).0).into_owned();
    let args = [
        ("code", code.to_string()),
        ("says", phrases.says.clone()),
        ("class", class),
    ];
    match phrases.says.is_empty() {
        true => lang.say("{code} is not registered; its class is {class}.", &args),
        false => lang.say("{code} says that {says}.", &args),
    }
}

// One sentence for each, and what sets them apart.
fn apart(a: u16, b: u16, lang: &Lang) -> Section {
    let (one, other) = (phrases(a, lang), phrases(b, lang));
    let args = |first: &str, second: &str| {
        vec![
            ("a", a.to_string()),
            ("b", b.to_string()),
            ("first", first.to_owned()),
            ("second", second.to_owned()),
        ]
    };
    let apart = match () {
        () if a == b => lang.word("Both are the same code.").into_owned(),
        () if a / 100 != b / 100 => {
            let class = |code| lang.word(knowledge::class(code).0).into_owned();
            lang.say(
                "They are of different classes: {a} is {first}, {b} is {second}.",
                &args(&class(a), &class(b)),
            )
        }
        () if one.by != other.by => lang.say(
            "What sets them apart is who decides: {a}: {first}; {b}: {second}.",
            &args(&one.by, &other.by),
        ),
        () if one.after != other.after => lang.say(
            "What sets them apart is what may still succeed: {a}: {first}; {b}: {second}.",
            &args(&one.after, &other.after),
        ),
        () => lang.say(
            "What sets them apart is what the caller does: {a}: {first}; {b}: {second}.",
            &args(&one.caller, &other.caller),
        ),
    };
    Section {
        id: "apart",
        heading: lang.word("In short").into_owned(),
        text: vec![says(a, lang), says(b, lang), apart],
        rows: Vec::new(),
    }
}

fn differences(a: u16, b: u16, columns: &[String; 2], lang: &Lang) -> Section {
    let (one, other) = (phrases(a, lang), phrases(b, lang));
    let class = |code| {
        let name = lang.word(knowledge::class(code).0);
        format!("{}xx, {name}", code / 100)
    };
    let row = |label: &'static str, first: String, second: String| {
        vec![lang.word(label).into_owned(), first, second]
    };
    let rows = vec![
        vec![String::new(), columns[0].clone(), columns[1].clone()],
        row("Class", class(a), class(b)),
        row("Meaning", one.says, other.says),
        row("Who decides", one.by, other.by),
        row("May another try succeed", one.after, other.after),
        row("What the caller does", one.caller, other.caller),
    ];
    Section {
        id: "differences",
        heading: lang.word("Key Differences").into_owned(),
        text: Vec::new(),
        rows,
    }
}

// For the one who must choose a code to send, and for the one who met it.
fn which(a: u16, b: u16, lang: &Lang) -> Section {
    let mut text = Vec::new();
    for code in [a, b] {
        let phrases = phrases(code, lang);
        let args = [
            ("code", code.to_string()),
            ("send", phrases.send),
            ("caller", phrases.caller),
        ];
        text.push(lang.say("Send {code} when {send}.", &args));
        text.push(lang.say("If you met {code}: {caller}.", &args));
    }
    Section {
        id: "which",
        heading: lang.word("When to Use Which").into_owned(),
        text,
        rows: Vec::new(),
    }
}
