//! The reference as a static site: a page, a style, three scripts, and a file of texts for each
//! language. It opens from the disk, so the texts are scripts too: a page from `file://` may not
//! fetch anything.

/// Where the site is written.
mod folder;

pub use folder::{Refused, write};

use crate::lang::{LANGS, Lang};
use crate::report::reference::{Kind, Plan, Unregistered, all, plan, unregistered};
use serde::Serialize;
use std::collections::BTreeMap;

/// A file of the site.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path below the folder of the site.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// What the scripts say; they ask for it by its English text.
const LABELS: [&str; 12] = [
    "SIP reference",
    "Search",
    "A code, a cause, words, or two codes",
    "Press / to search, the arrow keys to choose, Enter to open.",
    "Found: {count}",
    "No page has all these words.",
    "There is no such page.",
    "Compare with",
    "Language",
    "Light or dark",
    "Skip to the text",
    "not registered",
];

/// The texts of a language, as the scripts get them.
#[derive(Serialize)]
struct Texts {
    lang: &'static str,
    labels: BTreeMap<&'static str, String>,
    kinds: Vec<Kind>,
    unregistered: Unregistered,
    compare: Plan,
}

/// The files of the site. The page comes first: it marks the folder as ours, also where the rest
/// could not be written.
pub fn files() -> Vec<File> {
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let mut files = vec![
        page(),
        file("style.css", include_str!("style.css")),
        file("search.js", include_str!("search.js")),
        file("compare.js", include_str!("compare.js")),
        file("site.js", include_str!("site.js")),
    ];
    files.extend(LANGS.iter().map(texts));
    files
}

fn texts(lang: &'static Lang) -> File {
    let texts = Texts {
        lang: lang.tag,
        labels: LABELS
            .map(|label| (label, lang.word(label).into_owned()))
            .into(),
        kinds: all(lang),
        unregistered: unregistered(lang),
        compare: plan(lang),
    };
    let json = serde_json::to_string(&texts).unwrap_or_default();
    File {
        path: format!("lang/{}.js", lang.tag),
        text: format!("sipexplain.add({json});\n"),
    }
}

// For those without scripts it says at least what each code means.
fn page() -> File {
    let options = LANGS.iter().map(|lang| {
        let (tag, name) = (lang.tag, escaped(lang.name));
        format!("<option value=\"{tag}\" lang=\"{tag}\">{name}</option>\n")
    });
    let codes = crate::knowledge::codes()
        .iter()
        .filter(|code| (100..700).contains(&code.code))
        .map(|code| {
            let [title, meaning] = [&code.title, &code.meaning].map(|text| escaped(text));
            format!("<dt>{} {title}</dt><dd>{meaning}</dd>\n", code.code)
        });
    let text = include_str!("page.html")
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{languages}", &options.collect::<String>())
        .replace("{codes}", &codes.collect::<String>());
    File {
        path: folder::PAGE.to_owned(),
        text,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn texts_of(lang: &str) -> Value {
        let files = files();
        let file = files
            .iter()
            .find(|file| file.path == format!("lang/{lang}.js"))
            .unwrap();
        let json = file.text.strip_prefix("sipexplain.add(").unwrap();
        serde_json::from_str(json.trim_end().strip_suffix(");").unwrap()).unwrap()
    }

    #[test]
    fn every_label_that_a_script_asks_for_is_among_the_texts() {
        let script = include_str!("site.js");
        let asked: Vec<&str> = script
            .split("say(\"")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('"')?.0))
            .collect();
        assert!(asked.len() > 5, "{asked:?}");
        let labels = texts_of("fr")["labels"].clone();
        for label in &asked {
            assert!(labels[label].is_string(), "{label}");
        }
        for label in LABELS {
            assert!(asked.contains(&label), "nobody asks for {label}");
        }
    }

    #[test]
    fn the_page_names_each_language_and_each_code() {
        let page = page().text;
        assert!(page.contains("<option value=\"zh\" lang=\"zh\">简体中文</option>"));
        assert!(page.contains("<dt>607 Unwanted</dt><dd>The called party"));
        assert!(!page.contains("{codes}") && !page.contains("{version}"));
    }

    #[test]
    fn the_texts_are_in_their_language() {
        let french = texts_of("fr");
        assert_eq!(french["lang"], "fr");
        let code = french["kinds"][0]["pages"].as_array().unwrap();
        let unwanted = code.iter().find(|page| page["name"] == "607").unwrap();
        assert_eq!(unwanted["title"], "SIP 607 Unwanted");
        let says = unwanted["facts"]["says"].as_str().unwrap();
        assert!(says.contains("l'appelé"), "{says}");
    }
}
