//! The table of response codes against the registry of IANA (tests/data/response_codes.csv) and
//! against what a reader expects of an explanation.

use crate::harness::{read, run};
use crate::{none, table};
use sipexplain::knowledge::{Code, code, codes};
use std::collections::BTreeMap;

/// A row of the registry.
struct Row {
    code: u16,
    phrase: String,
    rfc: String,
    section: String,
    registered: bool,
}

fn registry() -> Vec<Row> {
    let row = |row: table::Row| Row {
        code: row["code"].parse().unwrap(),
        phrase: row["phrase"].clone(),
        rfc: row["rfc"].clone(),
        section: row["section"].clone(),
        registered: row["iana_registered"] == "yes",
    };
    table::table("response_codes")
        .into_iter()
        .map(row)
        .collect()
}

#[test]
fn the_registered_codes_are_those_of_the_registry() {
    let mut wrong = Vec::new();
    let registered: Vec<Row> = registry()
        .into_iter()
        .filter(|row| row.registered)
        .collect();
    assert_eq!(registered.len(), 75);
    assert_eq!(codes().iter().filter(|code| code.registered).count(), 75);
    for row in registered {
        let Some(ours) = code(row.code).filter(|ours| ours.registered) else {
            wrong.push(format!("{} is missing", row.code));
            continue;
        };
        let rfc = ours.rfc.map(|rfc| format!("RFC {rfc}")).unwrap_or_default();
        // Some rows name two sections, or add a remark; the first one defines the code.
        let section = row.section.split([',', ' ']).next().unwrap();
        if (ours.title.as_str(), rfc.as_str(), ours.section.as_str())
            != (row.phrase.as_str(), row.rfc.as_str(), section)
        {
            wrong.push(format!(
                "{}: {} {rfc} {} instead of {} {} {section}",
                row.code, ours.title, ours.section, row.phrase, row.rfc
            ));
        }
    }
    none(wrong);
}

#[test]
fn every_other_code_says_where_it_comes_from() {
    for ours in codes().iter().filter(|code| !code.registered) {
        assert!(
            !ours.origin.is_empty() || ours.rfc.is_some(),
            "{}",
            ours.code
        );
        let known = ["obsolete", "vendor", "draft", "local"];
        assert!(
            known.contains(&ours.status.as_str()),
            "{}: {}",
            ours.code,
            ours.status
        );
    }
}

#[test]
fn every_registered_code_has_a_page_with_its_four_parts() {
    for ours in codes().iter().filter(|code| code.registered) {
        let page = run(["code", &ours.code.to_string()]);
        assert_eq!((page.status, page.err.as_str()), (0, ""), "{}", ours.code);
        let mut lines = page.out.lines();
        let wanted = format!("SIP {} {}", ours.code, ours.title);
        let first = lines.next().unwrap();
        assert!(first.starts_with(&wanted), "{first}");
        let document = format!("RFC {} §{}", ours.rfc.unwrap(), ours.section);
        let note = lines.next().unwrap();
        assert!(note.ends_with(&document), "{}: {note}", ours.code);
        // The page breaks lines at blanks and hyphens.
        let said: String = page.out.split_whitespace().collect();
        for (heading, text) in [
            ("Description", &ours.meaning),
            ("When You See It", &ours.when),
            ("How to Fix", &ours.fix),
        ] {
            let wanted = format!("{heading}{text}");
            let wanted: String = wanted.split_whitespace().collect();
            assert!(said.contains(&wanted), "code {}: {heading}", ours.code);
        }
    }
}

/// A name, and the text of a code that it stands for.
type Text = (&'static str, fn(&Code) -> &String);

#[test]
fn no_two_codes_share_a_text() {
    let mut wrong = Vec::new();
    let texts: [Text; 3] = [
        ("meaning", |code| &code.meaning),
        ("when", |code| &code.when),
        ("fix", |code| &code.fix),
    ];
    for (name, text) in texts {
        let mut seen: BTreeMap<&str, u16> = BTreeMap::new();
        for code in codes() {
            if let Some(other) = seen.insert(text(code), code.code) {
                wrong.push(format!("{other} and {} have the same {name}", code.code));
            }
        }
    }
    none(wrong);
}

#[test]
fn every_text_is_one_or_more_whole_sentences() {
    let mut wrong = Vec::new();
    for code in codes() {
        let mut texts = vec![
            ("meaning", &code.meaning),
            ("when", &code.when),
            ("fix", &code.fix),
        ];
        let of_method = code
            .by_method
            .iter()
            .map(|m| [("meaning", &m.meaning), ("when", &m.when), ("fix", &m.fix)]);
        let of_phrase = code
            .variant
            .iter()
            .map(|v| [("meaning", &v.meaning), ("when", &v.when), ("fix", &v.fix)]);
        for (name, text) in of_method.chain(of_phrase).flatten() {
            texts.extend(text.as_ref().map(|text| (name, text)));
        }
        for (name, text) in texts {
            // A meaning may begin with a status such as 200.
            let ends = text.ends_with('.') || text.ends_with(".)");
            let begins = text.starts_with(|c: char| {
                c.is_ascii_uppercase() || name != "fix" && c.is_ascii_digit()
            });
            if !begins || !ends || text.contains("  ") || text.trim() != text {
                wrong.push(format!("{}: {name}: {text}", code.code));
            }
        }
    }
    none(wrong);
}

#[test]
fn the_file_is_sorted_and_cites_documents_that_can_exist() {
    let text = read("src/knowledge/codes.toml");
    // First those that are registered, then the others.
    let numbers: Vec<(bool, u16)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("code = ")?.parse().ok())
        .map(|number| (code(number).is_none_or(|code| !code.registered), number))
        .collect();
    assert_eq!(numbers.len(), codes().len());
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let prose = text + &read("src/knowledge/causes.toml");
    let cited = prose.split("RFC ").skip(1).map(|after| {
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().unwrap_or(0)
    });
    for number in cited {
        assert!((768..10_000).contains(&number), "RFC {number}");
    }
}

#[test]
fn the_reference_pages_facts_are_in_ours() {
    // Of each group of words one must be said.
    let wanted: [(u16, &[&str]); 19] = [
        (200, &["succe"]),
        (200, &["ack"]),
        (200, &["three-way handshake"]),
        (200, &["registration"]),
        (200, &["subscription"]),
        (300, &["several", "multiple"]),
        (300, &["choices", "destinations", "alternatives"]),
        (300, &["select", "pick", "choose"]),
        (300, &["contact"]),
        (301, &["for good", "permanent"]),
        (301, &["contact"]),
        (301, &["address book"]),
        (301, &["routing table"]),
        (301, &["update"]),
        (607, &["does not want", "unwanted"]),
        (607, &["spam"]),
        (607, &["robocall"]),
        (607, &["stir/shaken", "shaken"]),
        (607, &["another way", "other means"]),
    ];
    for (code, words) in wanted {
        let page = run(["code", &code.to_string()]).out.to_lowercase();
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.iter().any(|word| page.contains(word)),
            "code {code} says nothing of {words:?}"
        );
    }
}
