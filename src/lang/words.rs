//! Text put together of labels and of what came from the wire; only the labels are translated.

use super::Lang;
use crate::diagnose::Value;

/// A text whose labels are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// As it stands: from the wire, a number, a token of a protocol.
    Plain(String),
    /// A label, with what stands in its places.
    Label(&'static str, Vec<(&'static str, Words)>),
    /// A phrase that rules have as well.
    Said(&'static str),
    /// Several, and what stands between them.
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
            Words::List(all, between) => {
                let all: Vec<String> = all.iter().map(|one| one.told(lang)).collect();
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

    /// The same with every text that is no label changed.
    pub fn map(self, change: &dyn Fn(&str) -> String) -> Words {
        match self {
            Words::Plain(text) => Words::Plain(change(&text)),
            Words::Said(phrase) => Words::Said(phrase),
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
