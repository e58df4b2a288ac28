//! Sentences of rules with their arguments.

/// Phrases of rules that are arguments of their sentences ([`Value::Said`]).
pub const SAID: &[&str] = &[
    "never ended the call attempt",
    "did not end the call attempt with 487",
    "the answer was repeated after it",
    "it was refused",
    "nobody answered it",
    "the same origin line in SDP",
    "one leg names the Call-ID of the other",
    "the same numbers through the same host, answered or ended together",
];

/// A named argument of a template; written out by `report` in the language asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text from the trace, or a protocol token.
    Text(String),
    /// A phrase of the program, which the languages have.
    Said(&'static str),
    /// A count.
    Count(u64),
    /// A response code.
    Code(u16),
    /// Nanoseconds.
    Duration(i64),
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
    pub fn text(mut self, name: &'static str, text: impl Into<String>) -> Args {
        self.0.push((name, Value::Text(text.into())));
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
