//! Every language says all that English says, and the pages that people compare read as they were
//! accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "a test, with functions of its own"
)]

mod harness;

use sipexplain::lang::catalogue::{self, Fault, PARTS};
use sipexplain::lang::{LANGS, Lang};

/// Rules are written faster than translated: so many of a hundred texts at least.
const LEAST_OF_RULES: usize = 98;
/// Languages that have the reference and the report, but not yet the texts of the rules, nor the phrases
/// that are set into these.
const WITHOUT_RULES: [&str; 3] = ["es", "pt", "de"];

fn file_of(lang: &Lang) -> String {
    let path = harness::root().join(format!("src/lang/{}.toml", lang.tag));
    std::fs::read_to_string(path).unwrap()
}

fn translated() -> impl Iterator<Item = &'static Lang> {
    LANGS.iter().filter(|lang| lang.tag != "en")
}

#[test]
fn every_text_is_there_in_every_language_with_its_placeholders() {
    let mut wrong = Vec::new();
    for lang in translated() {
        let (faults, coverage) = catalogue::check(&file_of(lang), &[]);
        let faults = faults.iter().filter(|fault| match fault {
            Fault::Missing(place) => {
                let of_rules = WITHOUT_RULES.contains(&lang.tag) && place.starts_with("said.");
                !place.starts_with("rule.") && !of_rules
            }
            _ => true,
        });
        wrong.extend(faults.map(|fault| format!("{}: {fault}", lang.tag)));
        for part in PARTS {
            let of = coverage[part];
            let least = match part {
                "rules" | "causes" if WITHOUT_RULES.contains(&lang.tag) => 0,
                "rules" => LEAST_OF_RULES,
                _ => 100,
            };
            if of.done * 100 < of.all * least {
                wrong.push(format!("{}: {part}: {} of {}", lang.tag, of.done, of.all));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_translation_with_faults_is_told_them() {
    let french = file_of(translated().next().unwrap());
    let told = |text: &str| -> Vec<String> {
        let parts = ["labels".to_owned(), "codes".to_owned()];
        let (faults, _) = catalogue::check(text, &parts);
        faults.iter().map(ToString::to_string).collect()
    };
    assert_eq!(told(&french), Vec::<String>::new());
    let broken = french.replacen("\n[code.607]\n", "\n[code.6070]\n", 1);
    let faults = told(&broken);
    assert!(
        faults.contains(&"missing: code.607.meaning".to_owned()),
        "{faults:?}"
    );
    assert!(
        faults.contains(&"unknown: code.6070.meaning".to_owned()),
        "{faults:?}"
    );
    let renamed = french.replacen("\"après {after}\"", "\"après {apres}\"", 1);
    let faults = told(&renamed);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].contains("without {after}, unknown {apres}"),
        "{faults:?}"
    );
    assert!(told("[label")[0].starts_with("not readable: "));
}

fn run(arguments: &[&str]) -> String {
    let out = harness::program().args(arguments).output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn the_pairs_read_as_they_were_accepted() {
    let mut wrong = Vec::new();
    for lang in &LANGS {
        for a in ["200", "301", "300"] {
            let got = run(&["compare", a, "607", "--lang", lang.tag]);
            let name = format!("tests/snapshots/compare-{a}-607.{}.txt", lang.tag);
            let path = harness::root().join(&name);
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                std::fs::write(&path, &got).unwrap();
            } else if std::fs::read_to_string(&path).unwrap_or_default() != got {
                wrong.push(name);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "UPDATE_EXPECTED=1 rewrites {}",
        wrong.join(", ")
    );
}

#[test]
fn the_labels_are_those_of_the_reference() {
    let labels = [
        (
            "en",
            [
                "Description",
                "When You See It",
                "How to Fix",
                "Key Differences",
                "When to Use Which",
            ],
        ),
        (
            "fr",
            [
                "Description",
                "Quand vous le voyez",
                "Comment résoudre",
                "Différences clés",
                "Quand utiliser lequel",
            ],
        ),
        (
            "ru",
            [
                "Описание",
                "Когда вы это видите",
                "Как исправить",
                "Ключевые различия",
                "Когда что использовать",
            ],
        ),
        (
            "zh",
            ["描述", "何时出现", "如何修复", "主要区别", "何时使用哪个"],
        ),
        (
            "es",
            [
                "Descripción",
                "Cuándo aparece",
                "Cómo resolverlo",
                "Diferencias clave",
                "Cuándo usar cada uno",
            ],
        ),
        (
            "pt",
            [
                "Descrição",
                "Quando aparece",
                "Como resolver",
                "Principais diferenças",
                "Quando usar cada um",
            ],
        ),
        (
            "de",
            [
                "Beschreibung",
                "Wann es auftritt",
                "Abhilfe",
                "Wesentliche Unterschiede",
                "Wann welchen verwenden",
            ],
        ),
    ];
    for (tag, labels) in labels {
        let page = run(&["compare", "200", "607", "--lang", tag]);
        for label in labels {
            let heads = page.lines().any(|line| line == label);
            assert!(heads, "{tag}: no {label} in\n{page}");
        }
    }
}

#[test]
fn a_report_is_in_the_language_asked_for() {
    let trace = harness::root().join("fixtures/unwanted-607/trace.pcap");
    let trace = trace.to_str().unwrap();
    let french = run(&["--lang", "fr", trace]);
    let english = run(&[trace]);
    let said = |text: &str, word: &str| text.contains(word);
    assert!(
        said(&english, "= meaning: ") && !said(&french, "= meaning: "),
        "{french}"
    );
    assert!(
        said(&french, "error[unwanted-607]") || said(&french, "erreur[unwanted-607]"),
        "{french}"
    );
    assert!(
        said(&french, "L'appelé ne veut pas d'appels de cet appelant"),
        "{french}"
    );
}

#[test]
fn a_sentence_that_is_not_translated_is_english_throughout() {
    let trace = harness::root().join("fixtures/codec-488/trace.pcap");
    let spanish = run(&["--lang", "es", trace.to_str().unwrap()]);
    // The labels and the meaning are Spanish, the cause is not, and no Spanish word is set into it.
    assert!(spanish.contains("= significado: "), "{spanish}");
    assert!(spanish.contains("the caller offers G729/8000"), "{spanish}");
}
