//! Calls and knowledge to findings with evidence. One file per rule.
//!
//! A finding and its notes hold template ids and named arguments; only `report` makes sentences
//! of them.

/// What all calls leave behind, for rules on the capture as a whole.
pub mod across;
/// Classes of IP addresses.
pub mod address;
/// What was seen beside SIP, as sentences.
pub mod asides;
/// Who made the answer, and who has to act.
pub mod blame;
/// Decoded details of the answer that decided a call.
pub mod details;
/// Findings, their evidence and arguments.
pub mod finding;
/// PASSporT of an Identity header.
pub mod passport;
/// Products by what they call themselves.
pub mod product;
/// Which finding is the cause, and which only follow.
mod roles;
/// The rules, in the order in which they are run and printed.
pub mod rules;

pub use finding::{
    Acts, Args, Confidence, Depth, Evidence, Finding, Findings, Note, Role, Severity, Template,
    Value,
};

pub use across::{Across, Ledger};
pub use blame::Blame;
pub use product::Product;

use crate::knowledge::Rfc;
use crate::layers::Transport;
use crate::session::{Call, CopyKind, Outcome, Stored, View};

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
    /// Times of day with a date.
    Time,
    /// Addresses of both ends of a hop.
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
    /// Ids of the rules whose findings only follow from this one.
    pub explains: &'static [&'static str],
    /// What would confirm it where the trace only allows it; a template like the others.
    pub confirm: &'static str,
    /// How a product does what `fix` says, where its name stands in a header of who has to act.
    pub settings: &'static [(Product, &'static str)],
    /// Looks at one call, once, when it is released.
    pub check: fn(&Call, &Context<'_>, &mut Findings),
    /// Looks at what all calls left behind, once, at the end.
    pub across: fn(&Ledger, &mut Across),
}

impl Rule {
    /// A rule that says and finds nothing: what the others begin with.
    pub const PLAIN: Rule = Rule {
        id: "",
        severity: Severity::Info,
        frequency: Frequency::Low,
        needs: &[],
        rfc: &[],
        title: "",
        why: "",
        fix: "",
        sentences: &[],
        explains: &[],
        confirm: "",
        settings: &[],
        check: |_, _, _| {},
        across: |_, _| {},
    };

    /// The English template with this id: `title`, `why`, `fix` or one of `sentences`.
    pub fn template(&self, id: &str) -> Option<&'static str> {
        match id {
            "title" => Some(self.title),
            "why" => Some(self.why),
            "fix" => Some(self.fix),
            "confirm" => Some(self.confirm),
            _ => {
                let further = self.sentences.iter().find(|(known, _)| *known == id);
                let set = || self.settings.iter().find(|(product, _)| product.id() == id);
                further
                    .map(|(_, text)| *text)
                    .or_else(|| set().map(|(_, text)| *text))
            }
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

/// Why a failure has no root cause, and what would decide it; both are template ids of [`UNDETERMINED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undetermined {
    /// Why the trace does not say.
    pub why: Template,
    /// What would help.
    pub would_help: Template,
}

/// What was found about one call.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// The findings, in the order of the rules.
    pub findings: Vec<Finding>,
    /// Index of the finding with role cause.
    pub root: Option<usize>,
    /// For a failure without root cause.
    pub undetermined: Option<Undetermined>,
    /// Indices of findings that may be the cause instead, the most confident first.
    pub alternatives: Vec<usize>,
    /// Who made the answer and who has to act, for a call that did not succeed.
    pub blame: Option<Blame>,
}

impl Diagnosis {
    /// The finding that is the cause.
    pub fn cause(&self) -> Option<&Finding> {
        self.findings.get(self.root?)
    }
}

/// Sentences for failures that no rule explains, by id.
pub const UNDETERMINED: &[(&str, &str)] = &[
    (
        "silence-why",
        "nothing answered, and the capture does not show whether answers towards {element} could have been seen",
    ),
    (
        "silence-help",
        "a capture of both directions at {element}, or one at the other end of that hop",
    ),
    (
        "once-why",
        "the request was sent once and not repeated, although a sender repeats what nobody answers over UDP: either an answer came that is not in the capture, or {element} stopped early",
    ),
    ("once-help", "the log of {element}, or a capture made on it"),
    (
        "trying-why",
        "the request was taken over with a provisional answer and then nothing final came; what happened behind {element} is not in the capture",
    ),
    (
        "trying-help",
        "a capture or log of {element} and of the hop behind it",
    ),
    (
        "details-why",
        "{code} came from {element}, and what it says beside the code (shown here) is all that the trace has on the cause",
    ),
    (
        "waited-why",
        "{element} gave up waiting for {behind}, which had been asked and gave no final answer in time",
    ),
    (
        "waited-help",
        "the ring and answer timers of {element}, and what {behind} did with the request",
    ),
    (
        "code-why",
        "{code} came from {element} and neither it nor the trace before it says more about the cause",
    ),
    (
        "code-help",
        "the log of {element} for this Call-ID, or a capture of the hop behind it",
    ),
    (
        "timeout-why",
        "{element} gave up waiting for somebody behind it, who is not in the capture",
    ),
    (
        "timeout-help",
        "a capture of the hop behind {element}, where the request was sent on",
    ),
    (
        "redirect-why",
        "{element} redirected the request and nobody sent it to the new address",
    ),
    (
        "redirect-help",
        "the log of the element that received the redirection; many trunks and gateways do not follow one",
    ),
];

/// The sentence of [`UNDETERMINED`] with this id.
pub fn undetermined_sentence(id: &str) -> Option<&'static str> {
    UNDETERMINED
        .iter()
        .find(|(known, _)| *known == id)
        .map(|(_, text)| *text)
}

/// Runs every rule over a released call, leg by leg. A verdict has neither sentences nor evidence,
/// and does not say why a failure has no root cause, nor who is to blame.
pub fn diagnose(call: &Call, context: &Context<'_>, depth: Depth) -> Diagnosis {
    let mut diagnosis = diagnose_leg(call, context, depth);
    for (index, leg) in call.legs.iter().enumerate() {
        let further = diagnose_leg(leg, context, depth);
        roles::add_leg(call, &mut diagnosis, leg, index + 1, further);
    }
    diagnosis
}

fn diagnose_leg(call: &Call, context: &Context<'_>, depth: Depth) -> Diagnosis {
    let mut found = Findings::new(depth);
    for rule in rules::RULES {
        found.of(rule);
        (rule.check)(call, context, &mut found);
    }
    let mut findings = found.into_vec();
    let (root, alternatives) = roles::assign(call, &mut findings);
    let proof = depth == Depth::Proof;
    let failed = proof && (call.outcome.is_failure() || call.outcome == Outcome::Refused);
    let undetermined = (failed && root.is_none())
        .then(|| undetermined(call))
        .flatten();
    if proof {
        product::tell(call, &mut findings);
    }
    let cause = root.and_then(|index| findings.get(index));
    let blame = failed.then(|| blame::of(call, cause)).flatten();
    Diagnosis {
        findings,
        root,
        undetermined,
        alternatives,
        blame,
    }
}

fn undetermined(call: &Call) -> Option<Undetermined> {
    let mut args = Args::new().code("code", call.code().unwrap_or(0));
    let (why, would_help, element) = match (call.deciding(), call.code()) {
        (Some(answer), Some(300..=399)) => {
            ("redirect-why", "redirect-help", finding::sender(answer))
        }
        (Some(answer), Some(408 | 504)) => match asked_behind(call, answer) {
            Some(behind) => {
                args = args.text("behind", finding::receiver(behind));
                ("waited-why", "waited-help", finding::sender(answer))
            }
            None => ("timeout-why", "timeout-help", finding::sender(answer)),
        },
        (Some(answer), _) if !details::of(answer).is_empty() => {
            ("details-why", "code-help", finding::sender(answer))
        }
        (Some(answer), _) => ("code-why", "code-help", finding::sender(answer)),
        (None, _) => match call
            .messages
            .iter()
            .find(|m| m.head.code().is_some_and(|code| code < 200))
        {
            Some(sign) => ("trying-why", "trying-help", finding::sender(sign)),
            None if sent_once(call) => ("once-why", "once-help", finding::sender(call.request()?)),
            None => (
                "silence-why",
                "silence-help",
                finding::sender(call.request()?),
            ),
        },
    };
    let args = args.text("element", element);
    Some(Undetermined {
        why: Template::new(why, args.clone()),
        would_help: Template::new(would_help, args),
    })
}

fn sent_once(call: &Call) -> bool {
    let is_copy = |m: &&Stored| {
        m.copy
            .is_some_and(|copy| copy.kind == CopyKind::Retransmission)
    };
    call.request().is_some_and(|request| {
        request.stamp.transport == Some(Transport::Udp)
            && !call
                .messages
                .iter()
                .filter(is_copy)
                .any(|m| m.head.is_request())
    })
}

// The request as the sender of the answer handed it on.
fn asked_behind<'a>(call: &'a Call, answer: &Stored) -> Option<&'a Stored> {
    let sender = answer.stamp.source?.ip();
    let handed_on = |m: &&Stored| {
        m.stamp.source.is_some_and(|source| source.ip() == sender) && call.is_of_beginning(m)
    };
    call.messages
        .iter()
        .filter(|m| m.head.is_request())
        .find(handed_on)
}
