//! Sentences in the reader's language: overlays on knowledge, rules and labels.
//!
//! English stands beside the thing it explains; an overlay file per language replaces it by id,
//! and what an overlay lacks stays English.

/// All that can be translated.
pub mod catalogue;
mod labels;
mod overlay;
/// Texts put together.
pub mod words;

use crate::diagnose::asides::aside_sentence;
use crate::diagnose::evidence::elsewhere;
use crate::diagnose::{Args, Finding, Rule, Template, Value, blame, lint, undetermined};
use crate::knowledge::{self, Cause, Explanation};
use overlay::Overlay;
use std::borrow::Cow;
use std::sync::LazyLock;

/// A language.
#[derive(Debug)]
pub struct Lang {
    /// BCP 47 tag.
    pub tag: &'static str,
    /// What it calls itself.
    pub name: &'static str,
    overlay: LazyLock<Overlay>,
}

macro_rules! overlay {
    ($tag:literal, $name:literal, $file:literal) => {
        Lang {
            tag: $tag,
            name: $name,
            overlay: LazyLock::new(|| Overlay::new(include_str!($file))),
        }
    };
}

/// The languages that can be asked for: English, and those that have an overlay file.
pub static LANGS: [Lang; 7] = [
    overlay!("en", "English", "en.toml"),
    overlay!("fr", "français", "fr.toml"),
    overlay!("ru", "русский", "ru.toml"),
    overlay!("zh", "简体中文", "zh.toml"),
    overlay!("es", "español", "es.toml"),
    overlay!("pt", "português", "pt.toml"),
    overlay!("de", "Deutsch", "de.toml"),
];

impl Lang {
    /// English.
    pub fn english() -> &'static Lang {
        &LANGS[0]
    }

    /// The language that a tag such as `en`, `en-GB` or `en_US.UTF-8` asks for.
    pub fn find(tag: &str) -> Option<&'static Lang> {
        let primary = tag.split(['-', '_', '.']).next().unwrap_or_default();
        LANGS
            .iter()
            .find(|lang| lang.tag.eq_ignore_ascii_case(primary))
    }

    /// The text at a section and key of the overlay, else the English one.
    pub fn text<'a>(&self, section: &str, key: &[&str], english: &'a str) -> Cow<'a, str> {
        match self.tag {
            "en" => Cow::Borrowed(english),
            _ => self
                .overlay
                .get(section, key)
                .map_or(Cow::Borrowed(english), Cow::Owned),
        }
    }

    /// A label of the reports; the English text is its id.
    pub fn word(&self, english: &'static str) -> Cow<'static, str> {
        debug_assert!(
            labels::LABELS.contains(&english),
            "no label for translators: {english:?}"
        );
        self.text("label", &[english], english)
    }

    /// A label with arguments, written out.
    pub fn say(&self, english: &'static str, args: &[(&'static str, String)]) -> String {
        let text = self.word(english);
        let args = args
            .iter()
            .map(|(name, value)| (*name, Value::Text(value.clone())));
        self.fill(&text, &Args(args.collect()))
    }

    /// A duration for people: `120 ms`, `4.2 s`, `3 min 20 s`, with the units and the decimal mark
    /// of the language.
    pub fn duration(&self, nanoseconds: i64) -> String {
        let (small, large, unit) = parts(nanoseconds);
        let number = |text: String| text.replace('.', &self.word("."));
        match unit {
            Unit::Milliseconds => self.say("{a} ms", &[("a", large)]),
            Unit::Seconds => self.say("{a} s", &[("a", number(large))]),
            Unit::Minutes => self.say("{a} min {b} s", &[("a", large), ("b", small)]),
            Unit::Hours => self.say("{a} h {b} min", &[("a", large), ("b", small)]),
        }
    }

    /// A text about a code, where `key` says below `code.N`.
    pub fn code_text<'a>(&self, code: u16, key: &[&str], english: &'a str) -> Cow<'a, str> {
        match self.tag {
            "en" => Cow::Borrowed(english),
            _ => self.text(&format!("code.{code}"), key, english),
        }
    }

    /// A final response explained.
    pub fn explain(&self, code: u16, method: &str, phrase: &str) -> Explanation {
        let translate =
            |key: &[&str], english: &str| self.code_text(code, key, english).into_owned();
        knowledge::explain_in(code, method, phrase, &translate)
            .unwrap_or_else(|| self.unregistered(code))
    }

    // By its class (RFC 3261 §8.1.3.2), with near ones.
    fn unregistered(&self, code: u16) -> Explanation {
        let (class, effect) = knowledge::class(code);
        let class = self.word(class).into_owned();
        let near = knowledge::near(code);
        let near: Vec<String> = near
            .iter()
            .map(|code| format!("{} {}", code.code, code.title))
            .collect();
        let mut when = self.word("A server uses a code of its own; its documentation or operator knows what it means.").into_owned();
        if !near.is_empty() {
            when += &self.say(" Near ones: {near}.", &[("near", near.join(", "))]);
        }
        let args = [
            ("code", code.to_string()),
            ("class", class),
            ("effect", self.word(effect).into_owned()),
        ];
        Explanation {
            key: code.to_string(),
            title: self.say("unregistered {class} code", &args),
            meaning: self.say("{code} is not registered. Its class is {class}: {effect}.", &args),
            when,
            fix: self.word("Ask the operator of the server that sent it, and read the reason phrase and the Reason and Warning headers.").into_owned(),
            rfc: vec![knowledge::Rfc {
                number: 3261,
                section: "8.1.3.2".into(),
            }],
        }
    }

    /// The name of a cause.
    pub fn cause_name<'a>(&self, cause: &'a Cause) -> Cow<'a, str> {
        self.cause_text(cause, "name", &cause.name)
    }

    /// What a cause points to.
    pub fn cause_hint<'a>(&self, cause: &'a Cause) -> Cow<'a, str> {
        self.cause_text(cause, "hint", &cause.hint)
    }

    fn cause_text<'a>(&self, cause: &Cause, key: &str, english: &'a str) -> Cow<'a, str> {
        self.text(&cause.section(), &[key], english)
    }

    /// A template of a rule, arguments not filled in.
    pub fn rule_text(&self, rule: &Rule, id: &str) -> Cow<'static, str> {
        let english = rule.template(id).unwrap_or_default();
        match self.tag {
            "en" => Cow::Borrowed(english),
            _ if lint::sentence(id).is_some() => self.text("defect", &[id], english),
            _ if elsewhere(id).is_some() => self.text("elsewhere", &[id], english),
            _ => self.text(&format!("rule.{}", rule.id), &[id], english),
        }
    }

    /// A sentence of a rule, written out. One that is not translated is English throughout, its
    /// arguments too.
    pub fn rule(&self, rule: &Rule, id: &str, args: &Args) -> String {
        let text = self.rule_text(rule, id);
        match text {
            Cow::Borrowed(_) => Lang::english().fill(&text, args),
            Cow::Owned(_) => self.fill(&text, args),
        }
    }

    /// What a finding says to do, with the settings of the product where they are known.
    pub fn fix(&self, finding: &Finding) -> String {
        let fix = self.rule(finding.rule, finding.fix, &finding.args);
        match finding.product {
            Some(product) => format!(
                "{fix} {}",
                self.rule(finding.rule, product.id(), &finding.args)
            ),
            None => fix,
        }
    }

    /// A sentence on who made an answer, written out.
    pub fn grounds(&self, template: &Template) -> String {
        let english = blame::grounds_sentence(template.id).unwrap_or_default();
        self.fill(
            &self.text("grounds", &[template.id], english),
            &template.args,
        )
    }

    /// A sentence about something seen beside SIP, written out.
    pub fn aside(&self, template: &Template) -> String {
        let english = aside_sentence(template.id).unwrap_or_default();
        self.fill(&self.text("aside", &[template.id], english), &template.args)
    }

    /// A sentence about a call without root cause, written out.
    pub fn undetermined(&self, template: &Template) -> String {
        let english = undetermined::sentence(template.id).unwrap_or_default();
        self.fill(
            &self.text("undetermined", &[template.id], english),
            &template.args,
        )
    }

    // Replaces each `{name}` by its argument; one without argument stays as it is.
    fn fill(&self, template: &str, args: &Args) -> String {
        let mut out = String::with_capacity(template.len() + 64);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            match args.0.iter().rev().find(|(known, _)| *known == name) {
                Some((_, value)) => out.push_str(&self.written(value)),
                None => {
                    out.push('{');
                    out.push_str(name);
                    out.push('}');
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// A phrase of the program that is an argument of a sentence.
    fn phrase(&self, english: &'static str) -> Cow<'static, str> {
        debug_assert!(
            !english.contains(' ') || catalogue::is_phrase(english),
            "no phrase for translators: {english:?}"
        );
        self.text("said", &[english], english)
    }

    /// An argument as it is written in a sentence.
    pub fn written(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => text.clone(),
            Value::Said(phrase) => self.phrase(phrase).into_owned(),
            Value::Phrase(phrase, args) => self.fill(&self.phrase(phrase), args),
            Value::Name(cause) => self.cause_name(cause).into_owned(),
            Value::Hint(cause) => self.cause_hint(cause).into_owned(),
            Value::Count(count) => count.to_string(),
            Value::Code(code) => code.to_string(),
            Value::Duration(nanoseconds) => self.duration(*nanoseconds),
        }
    }
}

enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
}

// The smaller part, the larger one, and the unit of that.
fn parts(nanoseconds: i64) -> (String, String, Unit) {
    let milliseconds = nanoseconds / 1_000_000;
    let two = |large: i64, small: i64, unit| (small.to_string(), large.to_string(), unit);
    match milliseconds {
        ..1_000 => two(milliseconds, 0, Unit::Milliseconds),
        1_000..120_000 => {
            let seconds = format!("{}.{}", milliseconds / 1000, milliseconds / 100 % 10);
            (String::new(), seconds, Unit::Seconds)
        }
        120_000..7_200_000 => two(
            milliseconds / 60_000,
            milliseconds / 1000 % 60,
            Unit::Minutes,
        ),
        _ => two(
            milliseconds / 3_600_000,
            milliseconds / 60_000 % 60,
            Unit::Hours,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unregistered_code_shows_its_class_and_near_ones() {
        let explained = Lang::english().explain(677, "INVITE", "");
        let meaning = explained.meaning.as_str();
        assert!(meaning.contains("global failure: no other"), "{meaning}");
        assert!(explained.when.contains("607"), "{}", explained.when);
        let french = Lang::find("fr").unwrap().explain(677, "INVITE", "");
        assert_ne!(french.fix, explained.fix);
    }

    #[test]
    fn placeholders_are_filled_and_unknown_ones_stay() {
        let args = Args::new()
            .text("who", "bob {x}")
            .count("n", 3)
            .duration("t", 4_250_000_000);
        assert_eq!(
            Lang::english().fill("{who} tried {n} times over {t}, {other} {", &args),
            "bob {x} tried 3 times over 4.2 s, {other} {"
        );
    }
}
