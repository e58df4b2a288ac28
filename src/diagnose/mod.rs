//! Calls and knowledge to findings with evidence. One file per rule.
//!
//! A finding and its notes hold template ids and named arguments; only `report` makes sentences
//! of them.

/// Classes of IP addresses.
pub mod address;
/// What was seen beside SIP, as sentences.
pub mod asides;
/// Decoded details of the answer that decided a call.
pub mod details;
/// Findings, their evidence and arguments.
pub mod finding;
/// PASSporT of an Identity header.
pub mod passport;
/// The rules, in the order in which they are run and printed.
pub mod rules;
/// Why a call has no root cause.
pub mod undetermined;

pub use finding::{
    Acts, Args, Confidence, Depth, Evidence, Finding, Findings, Note, Role, Severity, Template,
    Value,
};
pub use undetermined::Undetermined;

use crate::knowledge::Rfc;
use crate::session::{Call, View};

/// How often a rule is met in practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    /// Every week.
    High,
    /// Every month.
    Medium,
    /// Now and then.
    Low,
}

impl Frequency {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Frequency::High => "high",
            Frequency::Medium => "medium",
            Frequency::Low => "low",
        }
    }
}

/// What a rule needs of its input to be able to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Times, with or without a date.
    Time,
    /// Which systems are at the ends of a hop: addresses, or that one of them wrote the log.
    Addresses,
    /// Both directions of a hop.
    BothDirections,
}

impl Need {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Need::Time => "times",
            Need::Addresses => "addresses",
            Need::BothDirections => "both directions",
        }
    }
}

/// Everything about a rule; every surface that shows rules reads this record.
pub struct Rule {
    /// Stable kebab-case id.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How often it is met.
    pub frequency: Frequency,
    /// What it needs of the input.
    pub needs: &'static [Need],
    /// Where the protocol says so.
    pub rfc: &'static [(u32, &'static str)],
    /// One line, no full stop.
    pub title: &'static str,
    /// What happened, and why that is the cause.
    pub why: &'static str,
    /// What to do; begins with a verb.
    pub fix: &'static str,
    /// Further sentences by id: variants of `why` and `fix`, and the notes of evidence.
    pub sentences: &'static [(&'static str, &'static str)],
    /// Looks at one call.
    pub check: fn(&Call, &Context<'_>, &mut Findings),
}

impl Rule {
    /// The English template with this id: `title`, `why`, `fix` or one of `sentences`.
    pub fn template(&self, id: &str) -> Option<&'static str> {
        match id {
            "title" => Some(self.title),
            "why" => Some(self.why),
            "fix" => Some(self.fix),
            _ => self
                .sentences
                .iter()
                .find(|(known, _)| *known == id)
                .map(|(_, text)| *text),
        }
    }

    /// The documents it cites.
    pub fn documents(&self) -> impl Iterator<Item = Rfc> + '_ {
        self.rfc.iter().map(|(number, section)| Rfc {
            number: *number,
            section: (*section).into(),
        })
    }
}

/// What a rule may know beside the call.
pub struct Context<'a> {
    /// Who was seen receiving, and which codecs each address was seen to use.
    pub view: &'a View,
}

/// What was found about one call.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// The findings, in the order of the rules.
    pub findings: Vec<Finding>,
    /// Index of the finding with role cause.
    pub root: Option<usize>,
    /// For a failure without root cause, and for what cannot be told without times.
    pub undetermined: Option<Undetermined>,
}

impl Diagnosis {
    /// The finding that is the cause.
    pub fn cause(&self) -> Option<&Finding> {
        self.findings.get(self.root?)
    }
}

/// Runs every rule over a released call. A verdict has neither sentences nor evidence, and does
/// not say why a call has no root cause.
pub fn diagnose(call: &Call, context: &Context<'_>, depth: Depth) -> Diagnosis {
    let mut found = Findings::new(depth);
    for rule in rules::RULES {
        found.of(rule);
        (rule.check)(call, context, &mut found);
    }
    let mut findings = found.into_vec();
    let root = one_cause(&mut findings);
    let undetermined = (root.is_none() && depth == Depth::Proof)
        .then(|| undetermined::of(call, &findings))
        .flatten();
    Diagnosis {
        findings,
        root,
        undetermined,
    }
}

// The most confident cause wins, ties by the order of the rules; the others are only contributing.
fn one_cause(findings: &mut [Finding]) -> Option<usize> {
    let causes = findings
        .iter()
        .enumerate()
        .filter(|(_, f)| f.role == Role::Cause && f.confidence < Confidence::Possible);
    let root = causes
        .min_by_key(|(index, f)| (f.confidence, *index))
        .map(|(index, _)| index);
    for (index, finding) in findings.iter_mut().enumerate() {
        if finding.role == Role::Cause && Some(index) != root {
            finding.role = Role::Contributing;
        }
    }
    root
}
