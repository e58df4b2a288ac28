//! Sentences of rules with their arguments.

use crate::knowledge::{self, Cause};

/// Ends without an address.
pub const UNNAMED: [&str; 2] = ["the system that wrote this log", "an unnamed element"];

/// A named argument of a template; written out by `report` in the language asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text from the trace, or a protocol token.
    Text(String),
    /// A phrase of the program, which the languages have.
    Said(&'static str),
    /// Such a phrase with arguments of its own.
    Phrase(&'static str, Args),
    /// The name of a cause.
    Name(&'static Cause),
    /// What a cause points to.
    Hint(&'static Cause),
    /// A count.
    Count(u64),
    /// A response code.
    Code(u16),
    /// Nanoseconds.
    Duration(i64),
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        let unnamed = UNNAMED.iter().find(|known| **known == text);
        unnamed.map_or(Value::Text(text), |known| Value::Said(known))
    }
}

/// What is written in the code is a phrase of the program.
impl From<&'static str> for Value {
    fn from(phrase: &'static str) -> Value {
        Value::Said(phrase)
    }
}

impl From<(&'static str, Args)> for Value {
    fn from((phrase, args): (&'static str, Args)) -> Value {
        Value::Phrase(phrase, args)
    }
}

impl Value {
    /// The name of a Q.850 cause; nothing for one that is not known.
    pub fn q850(cause: u32) -> Value {
        knowledge::cause("Q.850", cause).map_or(Value::nothing(), Value::Name)
    }

    /// What a cause points to, behind its name: `; number not assigned`.
    pub fn pointing(cause: Option<&'static Cause>) -> Value {
        match cause.filter(|cause| !cause.hint.is_empty()) {
            Some(cause) => Value::Phrase("; {hint}", Args(vec![("hint", Value::Hint(cause))])),
            None => Value::nothing(),
        }
    }

    /// No text.
    pub fn nothing() -> Value {
        Value::Text(String::new())
    }
}

/// The arguments of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args(pub Vec<(&'static str, Value)>);

impl Args {
    /// No arguments.
    pub fn new() -> Args {
        Args::default()
    }

    /// Adds a text.
    pub fn text(self, name: &'static str, text: impl Into<String>) -> Args {
        self.with(name, text.into())
    }

    /// Adds a text, or a phrase of the program with arguments of its own.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Args {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a phrase of the program: a class of addresses, what known words mean.
    pub fn said(mut self, name: &'static str, phrase: &'static str) -> Args {
        self.0.push((name, Value::Said(phrase)));
        self
    }

    /// Adds a count.
    pub fn count(mut self, name: &'static str, count: usize) -> Args {
        self.0.push((name, Value::Count(count as u64)));
        self
    }

    /// Adds a response code.
    pub fn code(mut self, name: &'static str, code: u16) -> Args {
        self.0.push((name, Value::Code(code)));
        self
    }

    /// Adds a duration in nanoseconds.
    pub fn duration(mut self, name: &'static str, nanoseconds: i64) -> Args {
        self.0.push((name, Value::Duration(nanoseconds)));
        self
    }
}

/// A sentence: the id of its template and the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Id of the template.
    pub id: &'static str,
    /// Its arguments.
    pub args: Args,
}

impl Template {
    /// A sentence with arguments.
    pub fn new(id: &'static str, args: Args) -> Template {
        Template { id, args }
    }

    /// Is it the same sentence, whatever the argument `but` is?
    pub fn says_as(&self, other: &Template, but: &str) -> bool {
        let rest = |of: &Template| {
            let args = of.args.0.iter().filter(|(name, _)| *name != but);
            args.cloned().collect::<Vec<_>>()
        };
        self.id == other.id && rest(self) == rest(other)
    }
}

/// A remark on a piece of evidence.
pub type Note = Template;

/// A remark without arguments.
pub fn note(id: &'static str) -> Note {
    Template::new(id, Args::new())
}
