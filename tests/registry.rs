//! Everything that stands in a list has its file, its text, its id and its fixtures, and the other
//! way round. What fails here says which line to add.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "registry/codes.rs"]
mod codes;
#[path = "registry/complete.rs"]
mod complete;
#[path = "registry/documents.rs"]
mod documents;
#[path = "registry/fired.rs"]
mod fired;
mod harness;
#[path = "registry/table.rs"]
mod table;

use harness::{fixtures, flows, read, root, run};
use sipexplain::diagnose::rules::RULES;
use sipexplain::diagnose::{Rule, Severity};
use std::collections::BTreeSet;

const EXCEPTIONS: &str = include_str!("corpus-errors-on-success.tsv");

/// Fails with all complaints at once.
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn is_kebab(id: &str) -> bool {
    !id.is_empty()
        && id.split('-').all(|word| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// Names between `{` and `}`.
fn placeholders(template: &str) -> Vec<&str> {
    let opened = template.split('{').skip(1);
    opened
        .map(|after| after.split_once('}').expect("a closing brace").0)
        .collect()
}

/// Title, why, fix and further sentences of a rule, by id.
fn templates(rule: &Rule) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![("title", rule.title), ("why", rule.why), ("fix", rule.fix)];
    all.extend(rule.sentences);
    all.extend((!rule.confirm.is_empty()).then_some(("confirm", rule.confirm)));
    all
}

/// The files of a folder that hold a record of this name, and the modules that mod.rs lists.
fn records(folder: &str, record: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let files = std::fs::read_dir(root().join(folder)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let holding = names
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| read(&format!("{folder}/{name}.rs")).contains(&format!("static {record}:")))
        .collect();
    let list = read(&format!("{folder}/mod.rs"));
    let end = format!("::{record}");
    let listed = list
        .split(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)))
        .filter_map(|word| word.strip_suffix(end.as_str()).map(str::to_owned))
        .collect();
    (holding, listed)
}

#[test]
fn every_file_of_a_registry_is_in_its_list() {
    let mut wrong = Vec::new();
    for (folder, record, list, least) in [
        ("src/diagnose/rules", "RULE", "RULES", 12),
        ("src/layers/link", "LINK", "LINKS", 17),
        ("src/layers/tunnel", "TUNNEL", "TUNNELS", 24),
        ("src/input/log", "FORMAT", "LOGS", 2),
    ] {
        let (files, listed) = records(folder, record);
        assert!(files.len() >= least, "{folder}: only {files:?} found");
        let missing = files.difference(&listed);
        wrong.extend(
            missing.map(|name| format!("{folder}/mod.rs: add `&{name}::{record},` to {list}")),
        );
        let without = listed.difference(&files);
        wrong.extend(without.map(|name| {
            format!("{folder}/{name}.rs is in {list} and ends in no `static {record}`")
        }));
    }
    none(wrong);
}

#[test]
fn every_file_beside_the_rules_is_a_rule_and_named_by_its_id() {
    let (files, _) = records("src/diagnose/rules", "RULE");
    let all = std::fs::read_dir(root().join("src/diagnose/rules")).unwrap();
    assert_eq!(all.count(), files.len() + 1, "beside mod.rs only rules");
    let named: BTreeSet<String> = RULES.iter().map(|rule| module_of(rule.id)).collect();
    assert_eq!(named, files);
}

/// The module of a rule: a name cannot begin with a digit, so the first one is spelled.
fn module_of(id: &str) -> String {
    const SPELLED: [&str; 10] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let first = id.chars().next().and_then(|first| first.to_digit(10));
    let name = match first.and_then(|digit| SPELLED.get(digit as usize)) {
        Some(word) => format!("{word}{}", &id[1..]),
        None => id.to_owned(),
    };
    name.replace('-', "_")
}

/// The lines of tests/rule-ids.txt: kind and id.
fn known_ids() -> Vec<(String, String)> {
    let text = read("tests/rule-ids.txt");
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().expect("a kind"), words.next().expect("an id"))
    };
    lines.map(split).collect()
}

fn ids_of_kind(kind: &str) -> BTreeSet<String> {
    let all = known_ids().into_iter();
    all.filter(|(of, _)| of == kind).map(|(_, id)| id).collect()
}

#[test]
fn the_ids_of_rules_are_unique_kebab_case_and_stable() {
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(ids.len(), RULES.len(), "two rules have one id");
    assert!(ids.iter().all(|id| is_kebab(id)), "{ids:?}");
    let stable = ids_of_kind("rule");
    let mut wrong: Vec<String> = ids
        .difference(&stable)
        .map(|id| format!("tests/rule-ids.txt: add `rule {id}`"))
        .collect();
    wrong.extend(stable.difference(&ids).map(|id| {
        format!("there is no rule {id} any more: write `retired {id}` and why, the id stays taken")
    }));
    let retired = ids_of_kind("retired");
    wrong.extend(
        ids.intersection(&retired)
            .map(|id| format!("{id} was retired, take another id")),
    );
    let kinds = ["rule", "planned", "retired"];
    let all = known_ids();
    wrong.extend(
        all.iter()
            .filter(|(kind, id)| !kinds.contains(&kind.as_str()) || !is_kebab(id))
            .map(|line| format!("tests/rule-ids.txt: what is {line:?}?")),
    );
    let unique: BTreeSet<&String> = all.iter().map(|(_, id)| id).collect();
    assert_eq!(
        unique.len(),
        all.len(),
        "tests/rule-ids.txt has an id twice"
    );
    none(wrong);
}

#[test]
fn every_id_that_a_fixture_names_is_known() {
    let known: BTreeSet<String> = known_ids().into_iter().map(|(_, id)| id).collect();
    let mut named = BTreeSet::new();
    let mut wrong = Vec::new();
    for fixture in fixtures().iter().chain(flows()) {
        for list in ["fires", "silent"] {
            for id in fixture.expects(list) {
                let every = list == "silent" && ["*", "warning", "error"].contains(&id.as_str());
                if !every && !known.contains(&id) {
                    wrong.push(format!("fixtures/{}: no rule {id} is known", fixture.name));
                }
                named.insert(id);
            }
        }
    }
    for id in ids_of_kind("planned").difference(&named) {
        wrong.push(format!(
            "tests/rule-ids.txt: no fixture names {id}, it need not be planned"
        ));
    }
    none(wrong);
}

#[test]
fn every_rule_has_its_sentences_in_the_house_style() {
    // Words that begin a sentence about something, where an instruction is wanted.
    const NO_VERB: [&str; 9] = [
        "The", "A", "An", "If", "It", "This", "That", "There", "When",
    ];
    let mut wrong = Vec::new();
    for rule in RULES {
        let mut require = |fits: bool, what: &str| {
            if !fits {
                wrong.push(format!("{}: {what}", rule.id));
            }
        };
        let begins_small = |text: &str| {
            let shouted =
                |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
            text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '{')
                || text.split(' ').next().is_some_and(shouted)
        };
        require(rule.title.chars().count() < 80, "the title is too long");
        for (id, text) in templates(rule) {
            let ends_in_stop = text.ends_with('.');
            if id.split('-').next() == Some("fix") {
                let first = text.split(' ').next().unwrap_or_default();
                require(
                    first.starts_with(|c: char| c.is_ascii_uppercase())
                        && first.chars().skip(1).all(|c| c.is_ascii_lowercase())
                        && !NO_VERB.contains(&first),
                    &format!("{id} begins with {first}, not with a verb"),
                );
                require(ends_in_stop, &format!("{id} has no final full stop"));
            } else {
                require(begins_small(text), &format!("{id} begins with a capital"));
                require(!ends_in_stop, &format!("{id} has a final full stop"));
            }
            require(
                text.trim() == text && !text.contains("  "),
                &format!("{id} has stray blanks"),
            );
            require(
                placeholders(text)
                    .iter()
                    .all(|name| name.chars().all(|c| c.is_ascii_lowercase())),
                &format!("{id} has an odd placeholder"),
            );
        }
        require(
            rule.rfc.iter().all(|(number, section)| {
                (768..10_000).contains(number) && !section.starts_with('§')
            }),
            "it cites an odd document",
        );
    }
    none(wrong);
}

#[test]
fn every_sentence_has_an_id_of_its_own_and_is_used() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let source = read(&format!("src/diagnose/rules/{}.rs", module_of(rule.id)));
        let ids: Vec<&str> = templates(rule).into_iter().map(|(id, _)| id).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(
            unique.len(),
            ids.len(),
            "{}: two sentences have one id",
            rule.id
        );
        for (id, _) in rule.sentences {
            if !is_kebab(id) {
                wrong.push(format!("{}: {id} is not kebab-case", rule.id));
            }
            if source.matches(&format!("\"{id}\"")).count() < 2 {
                wrong.push(format!("{}: the sentence {id} is never used", rule.id));
            }
        }
    }
    none(wrong);
}

/// Placeholders of sentences that no fixture calls for; one that a fixture does call for must go.
const NOT_ON_FIXTURES: [(&str, &str); 0] = [];

#[test]
fn every_placeholder_is_given_by_the_rule() {
    let fired = fired::fired();
    let mut wrong = Vec::new();
    for rule in RULES {
        let Some(of_rule) = fired.get(rule.id) else {
            continue;
        };
        wrong.extend(of_rule.wrong.iter().cloned());
        for (id, text) in templates(rule) {
            for name in placeholders(text) {
                let exempt = NOT_ON_FIXTURES.contains(&(rule.id, name));
                if of_rule.given.contains(name) == exempt {
                    let what = match exempt {
                        true => "is given, take it out of NOT_ON_FIXTURES",
                        false => "is given by no finding on the fixtures",
                    };
                    wrong.push(format!("{}: {{{name}}} of {id} {what}", rule.id));
                }
            }
        }
    }
    none(wrong);
}

/// Words that alone are English, and no tokens of a protocol.
const LONE: [&str; 10] = [
    "nothing", "nobody", "none", "some", "more", "others", "once", "unknown", "closed", "reset",
];

/// String literals of the code of the diagnosis that are words of English: several, or one of those above.
fn words_of_the_code() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for folder in ["src/diagnose", "src/diagnose/rules"] {
        for file in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let lines = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for line in lines {
                let literals = line.split('"').skip(1).step_by(2);
                all.extend(
                    literals
                        .flat_map(|l| l.split(['{', '}']).step_by(2))
                        .map(|l| l.trim().to_owned()),
                );
            }
        }
    }
    let is_word = |text: &String| {
        let letters = |c: char| {
            c.is_ascii_lowercase()
                || " ,;'".contains(c)
                || c.is_ascii_uppercase() && text.contains(' ')
        };
        text.chars().all(letters) && (text.contains(' ') || LONE.contains(&text.as_str()))
    };
    all.into_iter().filter(is_word).collect()
}

/// Arguments that are words of the wire, or names of parameters.
const OF_THE_WIRE: [(&str, &str); 4] = [
    ("auth-digest-params", "param"),
    ("generic-5xx-with-reason", "said"),
    ("next-hop-unresolvable", "said"),
    ("subscribe-rejected", "phrase"),
];

#[test]
fn what_a_sentence_is_filled_with_is_no_english() {
    let words = words_of_the_code();
    let mut wrong = Vec::new();
    for (id, fired) in fired::fired() {
        let free = |name: &str| OF_THE_WIRE.contains(&(id, name));
        for (name, text) in fired.texts.iter().filter(|(name, _)| !free(name)) {
            let left = words.iter().find(|word| match word.contains(' ') {
                true => text.contains(word.as_str()),
                false => text == *word,
            });
            wrong.extend(
                left.map(|word| format!("{id}: {{{name}}} is {text:?} ({word:?}): use Args::said")),
            );
        }
    }
    none(wrong);
}

#[test]
fn a_rule_explains_rules_that_there_are() {
    let known = ids_of_kind("rule");
    let mut wrong = Vec::new();
    for rule in RULES {
        let listed: BTreeSet<&str> = rule.explains.iter().copied().collect();
        if listed.len() != rule.explains.len() || listed.contains(rule.id) {
            wrong.push(format!("{} explains itself, or a rule twice", rule.id));
        }
        let unknown = listed.iter().filter(|id| !known.contains(**id));
        wrong.extend(unknown.map(|id| format!("{} explains {id}: no such rule", rule.id)));
    }
    none(wrong);
}

#[test]
fn a_rule_that_goes_by_codes_lists_those_that_it_explains() {
    let (mut wrong, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for fixture in fixtures().iter().chain(flows()) {
        for call in fixture.json()["calls"].as_array().unwrap() {
            let decided = call["decided_by"].as_u64();
            let answer = decided.map(|at| &call["final_responses"][usize::try_from(at).unwrap()]);
            let (Some(answer), Some(id)) = (answer, call["root_cause"].as_str()) else {
                continue;
            };
            let code = u16::try_from(answer["code"].as_u64().unwrap()).unwrap();
            let rule = sipexplain::diagnose::rules::rule(id).unwrap();
            // What a 482 to a second copy hides is explained by the rule of the hidden answer.
            let mut findings = call["findings"].as_array().unwrap().iter();
            let hides = findings.any(|f| f["rule"] == "merged-request-482");
            if rule.codes.contains(&code) {
                seen.insert(id.to_owned());
            } else if hides && code == 482 {
                // Listed under its own code.
            } else if !rule.codes.is_empty() {
                let place = format!("fixtures/{}", fixture.name);
                wrong.insert(format!(
                    "{place}: {id} explains {code} and does not list it"
                ));
            }
        }
    }
    let registered = |code: &u16| sipexplain::knowledge::code(*code).is_some();
    for rule in RULES {
        let ascending = rule.codes.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || !rule.codes.iter().all(registered) {
            let codes = rule.codes;
            wrong.insert(format!(
                "{}: {codes:?}: once each, in order, known",
                rule.id
            ));
        }
    }
    assert!(
        seen.len() >= 30,
        "only {seen:?} explain a code on a fixture"
    );
    none(wrong.into_iter().collect());
}

#[test]
fn every_rule_fires_on_a_fixture_and_is_silent_on_another() {
    let fired = fired::fired();
    let mut wrong = Vec::new();
    for rule in RULES {
        let lists = |list: &str, accept: &[&str]| {
            fixtures().iter().chain(flows()).any(|fixture| {
                let ids = fixture.expects(list);
                ids.iter()
                    .any(|id| id == rule.id || accept.contains(&id.as_str()))
            })
        };
        if !lists("fires", &[]) {
            wrong.push(format!(
                "no about.toml and no flow lists {} under fires",
                rule.id
            ));
        }
        if !lists("silent", &["*"]) {
            wrong.push(format!(
                "no about.toml and no flow lists {} under silent",
                rule.id
            ));
        }
        if !fired.contains_key(rule.id) {
            wrong.push(format!("{} fires on no fixture", rule.id));
        }
    }
    none(wrong);
}

#[test]
fn every_fixture_says_what_it_is_and_where_it_comes_from() {
    let mut wrong = Vec::new();
    let index = read("fixtures/README.md");
    for fixture in fixtures() {
        for name in ["title", "origin"] {
            let text = fixture.about.get(name).and_then(toml::Value::as_str);
            if text.is_none_or(|text| text.trim().is_empty() || text.ends_with('.')) {
                wrong.push(format!(
                    "fixtures/{}/about.toml: {name} is {text:?}",
                    fixture.name
                ));
            }
        }
        if !fixture.about.contains_key("expect") {
            wrong.push(format!(
                "fixtures/{}/about.toml expects nothing",
                fixture.name
            ));
        }
        if !index.contains(&format!("| {} |", fixture.name)) {
            wrong.push(format!(
                "fixtures/README.md lacks {}: run fixtures/record/index.py",
                fixture.name
            ));
        }
        if !is_kebab(&fixture.name) {
            wrong.push(format!(
                "fixtures/{}: its name is not kebab-case",
                fixture.name
            ));
        }
    }
    none(wrong);
}

#[test]
fn nothing_is_wrong_with_what_is_healthy() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for fixture in fixtures()
        .iter()
        .chain(flows())
        .filter(|f| f.name.starts_with("healthy-"))
    {
        seen += 1;
        let document = fixture.json();
        let calls = document["calls"].as_array().unwrap();
        let of_calls = calls
            .iter()
            .flat_map(|call| call["findings"].as_array().unwrap());
        let findings = of_calls.chain(document["findings"].as_array().unwrap());
        for finding in findings.filter(|finding| finding["severity"] != "info") {
            wrong.push(format!("fixtures/{}: {}", fixture.name, finding["rule"]));
        }
    }
    assert!(seen >= 10, "only {seen} healthy fixtures");
    none(wrong);
}

#[test]
fn every_rule_has_its_page_and_its_line() {
    let list = run(["rules"]);
    assert_eq!(list.status, 0);
    assert_eq!(list.out.lines().count(), RULES.len());
    for rule in RULES {
        let line = list
            .out
            .lines()
            .find(|line| line.split(' ').next() == Some(rule.id));
        let severity = rule.severity.word();
        assert!(
            line.is_some_and(|line| line.contains(severity)),
            "{}",
            rule.id
        );
        let page = run(["rule", rule.id]);
        assert_eq!((page.status, page.err.as_str()), (0, ""), "{}", rule.id);
        for wanted in [
            &format!("{severity}[{}]", rule.id),
            "\nWhy\n",
            "\nHow to Fix\n",
        ] {
            assert!(page.out.contains(wanted), "{}: {wanted}", rule.id);
        }
        for (number, section) in rule.rfc {
            let wanted = format!("RFC {number} §{section}");
            assert!(page.out.contains(&wanted), "{}: {wanted}", rule.id);
        }
        assert!(!page.out.contains(['{', '}']), "{}", page.out);
    }
}

#[test]
fn severities_are_as_bad_as_their_outcomes() {
    // An error means that the call fails, so one that succeeds has none; the exceptions are listed.
    let excused = |name: &str, rule: &str| {
        let mut lines = EXCEPTIONS.lines().map(|line| line.split('\t'));
        lines.any(|mut columns| columns.next() == Some(name) && columns.next() == Some(rule))
    };
    for fixture in fixtures().iter().chain(flows()) {
        for call in fixture.json()["calls"].as_array().unwrap() {
            let errors = call["findings"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|finding| finding["severity"] == Severity::Error.word());
            let rules = errors.map(|finding| finding["rule"].as_str().unwrap());
            let names: Vec<_> = rules.filter(|rule| !excused(&fixture.name, rule)).collect();
            assert!(
                call["outcome"] != "succeeded" || names.is_empty(),
                "fixtures/{}: {names:?} on a call that succeeded",
                fixture.name
            );
        }
    }
}
