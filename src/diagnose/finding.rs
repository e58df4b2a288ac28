//! A finding: what a rule says about a call, with the proof.

use super::{Product, Rule};
use crate::knowledge::{self, Cause};
use crate::message::{Header, Span};
use crate::session::{Call, Stored};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The call fails.
    Error,
    /// Something is wrong and may make calls fail.
    Warning,
    /// Worth knowing; nothing is broken.
    Info,
}

impl Severity {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// The trace proves it.
    Certain,
    /// The trace shows what it nearly always means.
    Likely,
    /// The trace allows it.
    Possible,
}

impl Confidence {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Certain => "certain",
            Confidence::Likely => "likely",
            Confidence::Possible => "possible",
        }
    }
}

/// What a finding is to the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It decided the outcome; at most one finding of a call.
    Cause,
    /// It made it more likely, or shows the trace in a certain light.
    Contributing,
    /// It follows from the cause.
    Symptom,
}

impl Role {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Role::Cause => "cause",
            Role::Contributing => "contributing",
            Role::Symptom => "symptom",
        }
    }
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acts {
    /// Whoever runs the calling side.
    Caller,
    /// Whoever runs the called side.
    Callee,
    /// Whoever runs the proxy.
    Proxy,
    /// Whoever runs the registrar.
    Registrar,
    /// The carrier.
    Carrier,
    /// Whoever runs the network between two addresses.
    Network,
    /// Whoever records.
    Capture,
    /// Whoever runs the system that is looked at.
    Operator,
    /// Nobody: this is how it should be.
    Nobody,
}

impl Acts {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Acts::Caller => "caller",
            Acts::Callee => "callee",
            Acts::Proxy => "proxy",
            Acts::Registrar => "registrar",
            Acts::Carrier => "carrier",
            Acts::Network => "network",
            Acts::Capture => "capture",
            Acts::Operator => "operator",
            Acts::Nobody => "nobody",
        }
    }
}

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

/// A piece of proof; messages are indices into `Call::messages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Bytes of a message: a start line, a header or a line of the body.
    Excerpt {
        /// The message.
        message: usize,
        /// The bytes shown: a whole line.
        line: Span,
        /// The bytes meant, inside `line`.
        mark: Span,
        /// What the line is.
        part: Part,
        /// What is to be seen there.
        note: Note,
    },
    /// Nothing came, though it had to.
    Absence {
        /// The message that had to be answered.
        message: usize,
        /// Time from which it was waited for, in nanoseconds.
        from: i64,
        /// Time until which nothing came.
        until: i64,
        /// What is missing.
        note: Note,
    },
    /// What a header says once decoded.
    Decoded {
        /// The message.
        message: usize,
        /// The header that was decoded.
        header: Header,
        /// What it says.
        text: String,
        /// What to read there.
        note: Note,
    },
    /// A packet beside SIP: an ICMP error, the answer of a name server, ...
    Beside {
        /// The message that it is about.
        message: usize,
        /// Index into `Call::asides`.
        aside: usize,
        /// What it shows.
        note: Note,
    },
}

/// What a line of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The start line.
    StartLine,
    /// A header.
    Header(Header),
    /// A line of the body.
    Body,
}

impl Evidence {
    /// The message it stands in.
    pub fn message(&self) -> usize {
        match self {
            Evidence::Excerpt { message, .. }
            | Evidence::Absence { message, .. }
            | Evidence::Decoded { message, .. }
            | Evidence::Beside { message, .. } => *message,
        }
    }

    /// The remark on it.
    pub fn note(&self) -> &Note {
        match self {
            Evidence::Excerpt { note, .. }
            | Evidence::Absence { note, .. }
            | Evidence::Decoded { note, .. }
            | Evidence::Beside { note, .. } => note,
        }
    }

    /// The start line of a message.
    pub fn start_line(message: usize, stored: &Stored, note: Note) -> Evidence {
        let line = stored.message().start_line();
        Evidence::Excerpt {
            message,
            line,
            mark: line,
            part: Part::StartLine,
            note,
        }
    }

    /// The Request-URI of a request.
    pub fn request_uri(message: usize, stored: &Stored, note: Note) -> Evidence {
        let line = stored.message().start_line();
        Evidence::Excerpt {
            message,
            line,
            mark: stored.message().request_uri().unwrap_or(line),
            part: Part::StartLine,
            note,
        }
    }

    /// The first header with this name; the start line where there is none.
    pub fn header(message: usize, stored: &Stored, name: &'static str, note: Note) -> Evidence {
        match stored.message().header(name) {
            Some(header) => Evidence::of_header(message, header, header.value, note),
            None => Evidence::start_line(message, stored, note),
        }
    }

    /// A header, with the bytes meant.
    pub fn of_header(message: usize, header: Header, mark: Span, note: Note) -> Evidence {
        let line = Span {
            start: header.name.start,
            end: header.value.end,
        };
        Evidence::Excerpt {
            message,
            line,
            mark,
            part: Part::Header(header),
            note,
        }
    }
}

/// What a rule says about a call.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The leg of the call that it is about (`Call::leg`); 0 is the first.
    pub leg: usize,
    /// How bad it is: that of the rule, unless the call shows more or less.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What it is to the outcome.
    pub role: Role,
    /// Do the findings that its rule explains follow from it?
    pub explains: bool,
    /// Address or name of the element concerned.
    pub element: Option<String>,
    /// Who has to act.
    pub acts: Acts,
    /// Template of the sentence why.
    pub why: &'static str,
    /// Template of the sentence what to do.
    pub fix: &'static str,
    /// Arguments of title, why and fix.
    pub args: Args,
    /// The product that has to be set, where it is known.
    pub product: Option<Product>,
    /// Does the fix stand alone, so that no setting of a product belongs to it?
    pub alone: bool,
    /// The proof.
    pub evidence: Vec<Evidence>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.id)
    }
}

/// How much is wanted of a diagnosis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Which rules fire, how sure they are and who acts: enough to count and to group calls.
    Verdict,
    /// Sentences and evidence as well.
    #[default]
    Proof,
}

/// Collects the findings of one call.
#[derive(Debug, Default)]
pub struct Findings {
    rule: Option<&'static Rule>,
    depth: Depth,
    all: Vec<Finding>,
}

impl Findings {
    /// No findings yet.
    pub(super) fn new(depth: Depth) -> Findings {
        Findings {
            depth,
            ..Findings::default()
        }
    }

    /// The findings that follow are of this rule.
    pub(super) fn of(&mut self, rule: &'static Rule) {
        self.rule = Some(rule);
    }

    /// Adds a finding of the rule that is run, with role cause; gives it to be filled in where
    /// its proof is wanted.
    pub fn add(&mut self, confidence: Confidence, acts: Acts) -> Option<&mut Finding> {
        self.add_as(Role::Cause, confidence, acts)
    }

    /// Adds a finding with another role.
    pub fn add_as(
        &mut self,
        role: Role,
        confidence: Confidence,
        acts: Acts,
    ) -> Option<&mut Finding> {
        let severity = self.rule?.severity;
        self.add_with(severity, role, confidence, acts)
    }

    /// Adds a finding that is worse or milder than its rule.
    pub fn add_with(
        &mut self,
        severity: Severity,
        role: Role,
        confidence: Confidence,
        acts: Acts,
    ) -> Option<&mut Finding> {
        self.all.push(Finding {
            rule: self.rule?,
            leg: 0,
            severity,
            confidence,
            role,
            explains: true,
            element: None,
            acts,
            why: "why",
            fix: "fix",
            args: Args::default(),
            product: None,
            alone: false,
            evidence: Vec::new(),
        });
        self.all.last_mut().filter(|_| self.depth == Depth::Proof)
    }

    /// Adds a finding on something that had no part in the outcome: nothing follows from it.
    pub fn remark(
        &mut self,
        severity: Severity,
        confidence: Confidence,
        acts: Acts,
    ) -> Option<&mut Finding> {
        let proof = self.depth == Depth::Proof;
        self.add_with(severity, Role::Contributing, confidence, acts);
        let added = self.all.last_mut()?;
        added.explains = false;
        Some(added).filter(|_| proof)
    }

    /// Did this rule fire on the call?
    pub fn has(&self, id: &str) -> bool {
        self.all.iter().any(|finding| finding.rule.id == id)
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.all
    }
}

impl Finding {
    /// Sets the element concerned, which is also the argument `element`.
    pub fn element(&mut self, element: impl Into<String>) -> &mut Finding {
        let element = element.into();
        self.args.0.push(("element", Value::from(element.clone())));
        self.element = Some(element);
        self
    }

    /// Sets the arguments of its sentences.
    pub fn args(&mut self, args: Args) -> &mut Finding {
        self.args.0.extend(args.0);
        self
    }

    /// Names the product that has to be set, by its own words in User-Agent or Server; without
    /// this it is looked up by the address of the element.
    pub fn agent(&mut self, agent: Option<&str>) -> &mut Finding {
        self.product = agent.and_then(Product::of);
        self
    }

    /// Sets the sentence why.
    pub fn why(&mut self, id: &'static str) -> &mut Finding {
        self.why = id;
        self
    }

    /// Sets the sentence what to do.
    pub fn fix(&mut self, id: &'static str) -> &mut Finding {
        self.fix = id;
        self
    }

    /// Sets the sentence what to do, where the settings of products in the rule do not help.
    pub fn fix_alone(&mut self, id: &'static str) -> &mut Finding {
        self.alone = true;
        self.fix(id)
    }

    /// Adds pieces of proof, as far as they are there.
    pub fn proofs(&mut self, all: impl IntoIterator<Item = Option<Evidence>>) -> &mut Finding {
        self.evidence.extend(all.into_iter().flatten());
        self
    }

    /// Adds proof.
    pub fn proof(&mut self, evidence: Evidence) -> &mut Finding {
        self.evidence.push(evidence);
        self
    }
}

/// Index and message of the final response that decided the call.
pub fn deciding(call: &Call) -> Option<(usize, &Stored)> {
    let index = call.finals.get(call.decided_by?)?.message;
    Some((index, call.messages.get(index)?))
}

/// Who sent a message: `ip:port`, or what can be said where a log gives no address.
pub fn sender(stored: &Stored) -> String {
    end(stored.stamp.source, stored.stamp.sent == Some(true))
}

/// Who was to receive a message.
pub fn receiver(stored: &Stored) -> String {
    end(stored.stamp.destination, stored.stamp.sent == Some(false))
}

// A log that says what was sent and what received was written by one of the two ends.
fn end(at: Option<std::net::SocketAddr>, own: bool) -> String {
    match (at, own) {
        (Some(address), _) => address.to_string(),
        (None, true) => UNNAMED[0].to_owned(),
        (None, false) => UNNAMED[1].to_owned(),
    }
}
