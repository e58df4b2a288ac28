//! Text put together of labels and of what came from the wire; only the labels are translated.

use super::Lang;
use crate::diagnose::{Value, rules};
use std::borrow::Cow;

/// A text whose labels are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// As it stands: from the wire, a number, a token of a protocol.
    Plain(String),
    /// A label, with what stands in its places.
    Label(&'static str, Vec<(&'static str, Words)>),
    /// A phrase that rules have as well.
    Said(&'static str),
    /// The title of a rule, where nothing has to be filled in.
    Title(&'static str),
    /// Several, and what stands between those that are not empty.
    List(Vec<Words>, &'static str),
}

impl Words {
    /// A label, with nothing in its places so far.
    pub fn label(english: &'static str) -> Words {
        Words::Label(english, Vec::new())
    }

    /// What stands in a place of the label.
    pub fn with(self, name: &'static str, value: impl Into<Words>) -> Words {
        match self {
            Words::Label(english, mut args) => {
                args.push((name, value.into()));
                Words::Label(english, args)
            }
            other => other,
        }
    }

    /// The text in a language.
    pub fn told(&self, lang: &Lang) -> String {
        match self {
            Words::Plain(text) => text.clone(),
            Words::Said(phrase) => lang.written(&Value::Said(phrase)),
            Words::Title(id) => {
                let title = rules::rule(id).map(|rule| lang.rule_text(rule, "title"));
                let whole = title.filter(|title| !title.contains('{'));
                whole.map_or(String::new(), Cow::into_owned)
            }
            Words::List(all, between) => {
                let all = all.iter().map(|one| one.told(lang));
                let all: Vec<String> = all.filter(|one| !one.is_empty()).collect();
                all.join(between)
            }
            Words::Label(english, args) => {
                let args = args.iter().map(|(name, value)| (*name, value.told(lang)));
                lang.say(english, &args.collect::<Vec<_>>())
            }
        }
    }

    /// The English text, by which it is known to the program and to machines.
    pub fn english(&self) -> String {
        self.told(Lang::english())
    }

    /// One of several: `a or b`.
    pub fn any_of(all: impl IntoIterator<Item = Words>) -> Words {
        let or = |a, b| Words::label("{a} or {b}").with("a", a).with("b", b);
        all.into_iter().reduce(or).unwrap_or_default()
    }

    /// The same with every text that is no label changed.
    pub fn map(self, change: &dyn Fn(&str) -> String) -> Words {
        match self {
            Words::Plain(text) => Words::Plain(change(&text)),
            Words::Said(phrase) => Words::Said(phrase),
            Words::Title(id) => Words::Title(id),
            Words::List(all, between) => Words::List(
                all.into_iter().map(|one| one.map(change)).collect(),
                between,
            ),
            Words::Label(english, args) => {
                let args = args.into_iter();
                let args = args.map(|(name, value)| (name, value.map(change)));
                Words::Label(english, args.collect())
            }
        }
    }
}

impl Default for Words {
    fn default() -> Words {
        Words::Plain(String::new())
    }
}

impl From<String> for Words {
    fn from(text: String) -> Words {
        Words::Plain(text)
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Words {
        Words::Plain(text.to_owned())
    }
}
