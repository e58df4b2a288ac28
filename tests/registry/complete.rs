//! Everything that the registries know (tests/data) answers with a full page, in English and in
//! every language that has all parts.

use crate::none;
use crate::table::table;
use sipexplain::knowledge;
use sipexplain::lang::{LANGS, Lang};
use sipexplain::report::reference::{Section, Sheet, query};

/// Languages that say everything; others lack the pages of terms and causes.
const FULL: [&str; 3] = ["fr", "ru", "zh"];

/// What can be asked for: every registered code, cause, warning, Reason protocol and STIR reason,
/// and the methods, option tags, timers and headers.
fn asked() -> Vec<String> {
    let mut all = Vec::new();
    let mut add = |name: &str, column: &str, prefix: &str, only: &[(&str, &str)]| {
        for row in table(name) {
            if only.iter().all(|(column, value)| row[*column] == *value) {
                all.push(format!("{prefix}{}", row[column]));
            }
        }
    };
    let registered = ("iana_registered", "yes");
    add("response_codes", "code", "", &[registered]);
    add("q850_causes", "cause", "q850:", &[]);
    add("warning_codes", "warn_code", "warning:", &[registered]);
    add("reason_protocols", "protocol", "reason:", &[registered]);
    add("stir_reasons", "key", "stir:", &[("kind", "stir_cause")]);
    add("methods", "method", "method:", &[registered]);
    add("option_tags", "tag", "option:", &[registered]);
    for term in knowledge::term::terms() {
        all.push(format!("{}:{}", term.kind, term.name));
    }
    for cause in knowledge::all_causes() {
        all.push(cause.id().replacen('-', ":", 1));
    }
    for code in knowledge::codes()
        .iter()
        .filter(|code| (100..700).contains(&code.code))
    {
        all.push(code.code.to_string());
    }
    all.extend(["677", "199", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx"].map(str::to_owned));
    // A remark follows one of the STIR causes.
    for name in &mut all {
        if let Some((bare, _)) = name.split_once(" (") {
            *name = bare.to_owned();
        }
    }
    all.sort();
    all.dedup();
    all
}

fn page(asked: &str, lang: &'static Lang) -> Result<Sheet, String> {
    let mut found = query::find(asked, None, lang).map_err(|why| format!("{asked}: {why}"))?;
    found.pop().ok_or_else(|| format!("{asked}: no page"))
}

#[test]
fn everything_registered_has_a_full_page() {
    let mut wrong = Vec::new();
    let all = asked();
    assert!(all.len() > 350, "{}", all.len());
    for asked in &all {
        let sheet = match page(asked, Lang::english()) {
            Ok(sheet) => sheet,
            Err(why) => {
                wrong.push(why);
                continue;
            }
        };
        let has = |id: &str| sheet.sections.iter().any(|section| section.id == id);
        let kind = asked.split_once(':').map(|(kind, _)| kind);
        let wanted: &[&str] = match kind {
            None if asked.ends_with("xx") => &["description", "registered"],
            None
            | Some(
                "q850" | "warning" | "stir" | "preemption" | "release_cause" | "failure_cause",
            ) => &["description", "when", "fix"],
            Some("reason") => &["description", "trace", "fix"],
            Some("method") if asked != "method:ACK" => &["description", "trace", "fix", "met"],
            Some("option" | "timer" | "method") => &["description", "fix"],
            _ => &["description"],
        };
        let missing: Vec<_> = wanted.iter().filter(|id| !has(id)).collect();
        if !missing.is_empty() || sheet.title.is_empty() || sheet.note.is_empty() {
            wrong.push(format!("{asked}: without {missing:?}"));
        }
    }
    none(wrong);
}

/// Sections whose text is made of protocol tokens only.
const TOKENS: [&str; 8] = [
    "headers", "look-at", "methods", "near", "also", "met", "must", "read",
];

/// Is this text, English at first, in the language? Tokens of the protocol stay as they are.
fn translated(text: &str, english: &str, lang: &Lang) -> bool {
    let script = |from: char, until: char| text.chars().any(|c| (from..=until).contains(&c));
    match lang.tag {
        "ru" => script('а', 'я'),
        "zh" => script('\u{4e00}', '\u{9fff}'),
        _ => text != english,
    }
}

fn english_left(own: &Section, english: &Section, lang: &Lang) -> Option<String> {
    // One word is the same in French.
    let heading = own.heading == "Description" || translated(&own.heading, &english.heading, lang);
    if !heading {
        return Some(format!("heading {:?}", own.heading));
    }
    if TOKENS.contains(&own.id) {
        return None;
    }
    let texts = own.text.iter().zip(&english.text);
    let cells = own.rows.iter().zip(&english.rows);
    let cells = cells.filter_map(|(own, english)| Some((own.last()?, english.last()?)));
    texts
        .chain(cells)
        .find(|(own, english)| {
            // The title of a response, alone, is a token too.
            let token = knowledge::codes()
                .iter()
                .any(|code| code.title == **english);
            !token && !translated(own, english, lang)
        })
        .map(|(own, _)| format!("{}: {own:?}", own.len()))
}

#[test]
fn no_english_is_left_in_the_pages_of_the_full_languages() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for lang in LANGS.iter().filter(|lang| FULL.contains(&lang.tag)) {
        for asked in asked() {
            let (Ok(own), Ok(english)) = (page(&asked, lang), page(&asked, Lang::english())) else {
                continue;
            };
            for section in &own.sections {
                let same = |other: &&Section| other.id == section.id;
                // The name in the reader's language has no counterpart.
                let Some(other) = english.sections.iter().find(same) else {
                    continue;
                };
                compared += 1;
                let left = english_left(section, other, lang);
                wrong.extend(
                    left.map(|what| format!("{} {asked} {}: {what}", lang.tag, section.id)),
                );
            }
        }
    }
    assert!(compared > 3 * 1500, "only {compared} sections compared");
    none(wrong);
}

#[test]
fn causes_and_codes_are_mapped_as_rfc_3398_says() {
    let mut wrong = Vec::new();
    let numbers = |text: &str| -> Vec<u16> {
        let words = text.split(|c: char| !c.is_ascii_digit());
        words
            .filter_map(|word| word.parse().ok())
            .filter(|n| (300..700).contains(n))
            .collect()
    };
    for row in table("q850_causes") {
        let cause = knowledge::cause("Q.850", row["cause"].parse().unwrap()).unwrap();
        let to = row["rfc3398_to_sip"].replace("RFC 3398", "");
        let ours: Vec<u16> = [cause.sip, cause.otherwise].into_iter().flatten().collect();
        if ours != numbers(&to)
            || cause.by_default != to.contains("default")
            || cause.name != row["name"]
        {
            wrong.push(format!("{}: {ours:?} instead of {to}", cause.id()));
        }
        // 31 and 65 are also made of 488 and 606, by Warning: that is told in words.
        let from = &row["rfc3398_from_sip"];
        let (ours, theirs) = (&cause.from, numbers(from));
        if *ours != theirs && cause.from_else.is_empty() {
            wrong.push(format!("{}: from {ours:?} instead of {from}", cause.id()));
        }
    }
    for row in table("response_codes")
        .iter()
        .filter(|row| row["iana_registered"] == "yes")
    {
        let made = knowledge::cause_of(row["code"].parse().unwrap());
        let made = made.map_or(String::new(), |cause| cause.code.to_string());
        let theirs = row["q850_rfc3398"].split(' ').next().unwrap();
        let fits = match theirs {
            "by" => made == "31",
            "none" => made.is_empty(),
            _ => made == theirs,
        };
        if !fits {
            wrong.push(format!("{}: {made} instead of {theirs}", row["code"]));
        }
    }
    none(wrong);
}

#[test]
fn the_warnings_and_protocols_are_named_as_registered() {
    let mut wrong = Vec::new();
    for row in table("warning_codes")
        .iter()
        .filter(|row| row["iana_registered"] == "yes")
    {
        let ours = knowledge::cause("warning", row["warn_code"].parse().unwrap());
        if ours.map(|cause| cause.name.as_str()) != Some(row["name"].as_str()) {
            wrong.push(format!("warning {}: {}", row["warn_code"], row["name"]));
        }
    }
    let page = page("reason:Q.850", Lang::english()).unwrap();
    let text = format!("{page:?}");
    for row in table("q850_locations") {
        let spare = row["location"].starts_with("LOC-");
        if !spare && !text.contains(row["location"].as_str()) {
            wrong.push(format!("location {} is not told", row["location"]));
        }
    }
    none(wrong);
}
