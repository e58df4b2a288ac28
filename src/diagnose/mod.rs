//! Calls and knowledge to findings with evidence. One file per rule.
//!
//! A finding and its notes hold template ids and named arguments; only `report` makes sentences
//! of them.

/// What is known of one address.
pub mod account;
/// What all calls leave behind, for rules on the capture as a whole.
pub mod across;
/// Classes of IP addresses.
pub mod address;
/// What was seen beside SIP, as sentences.
pub mod asides;
/// Servers that asked to be left alone for a while.
pub mod backoff;
/// Who made the answer, and who has to act.
pub mod blame;
/// What a general refusal complains about.
pub mod complaint;
/// Connections that were never made.
pub mod connect;
/// Decoded details of the answer that decided a call.
pub mod details;
/// Challenges, credentials and what became of them.
pub mod digest;
/// Pieces of proof.
pub mod evidence;
/// Messages that prove something about many calls.
pub mod exhibit;
/// Findings, their evidence and arguments.
pub mod finding;
/// Severity, confidence, role, actor.
pub mod grade;
/// Passwords that scanners try.
pub mod guesses;
/// Requests inside dialogs, and the dialogs by their tags.
pub mod inside;
/// Defects of messages: who wrote them, who minded.
pub mod lint;
/// Telephone numbers in URIs.
pub mod numbers;
/// Answers that do not find their request.
mod orphan;
/// PASSporT of an Identity header.
pub mod passport;
/// Known words of providers in an answer.
pub mod phrases;
/// Calls that are left at once.
mod plain;
/// Products by what they call themselves.
pub mod product;
/// What all calls show of the recording.
pub mod quality;
/// Requests inside a dialog that did not arrive where the other end wanted them.
pub mod reach;
/// Which finding is the cause, and which only follow.
mod roles;
/// The rules, in the order in which they are run and printed.
pub mod rules;
/// Phrases that are arguments of sentences.
pub mod said;
/// A request that nobody answered.
pub mod silence;
/// How large messages are.
pub mod size;
/// Sentences with arguments.
pub mod template;
/// Why a call has no root cause.
pub mod undetermined;
/// Addresses that could not be watched and do exist.
pub mod unwatched;
/// What a defect comes to.
mod weigh;

pub use finding::{
    Acts, Args, Confidence, Depth, Evidence, Finding, Findings, Note, Role, Severity, Template,
    Value,
};
pub use undetermined::Undetermined;

pub use across::{Across, Ledger};
pub use blame::Blame;
pub use product::Product;

use crate::knowledge::Rfc;
use crate::message::sdp::{self, Media};
use crate::message::typed::{self, Reason, Warning};
use crate::session::{Call, View};
use std::cell::OnceCell;

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
    /// Packets beside SIP (ICMP, TCP, TLS): a capture has them, a log does not.
    Packets,
}

impl Need {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Need::Time => "times",
            Need::Addresses => "addresses",
            Need::BothDirections => "both directions",
            Need::Packets => "packets beside SIP",
        }
    }
}

/// Which numbers of a protocol of the Reason header, or of the Warning header, a rule reads.
#[derive(Clone, Copy, Debug)]
pub enum Causes {
    /// These.
    Only(&'static [u32]),
    /// All but these.
    Except(&'static [u32]),
}

impl Causes {
    /// Is this one read?
    pub fn read(self, cause: u32) -> bool {
        match self {
            Causes::Only(some) => some.contains(&cause),
            Causes::Except(some) => !some.contains(&cause),
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
    /// The status codes that it explains; empty: any, or none.
    pub codes: &'static [u16],
    /// The causes that it reads, by protocol as in the table of causes.
    pub causes: &'static [(&'static str, Causes)],
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
        codes: &[],
        causes: &[],
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
                    .or_else(|| lint::sentence(id))
                    .or_else(|| evidence::elsewhere(id))
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
    /// The whole call, where one of its further legs is judged.
    pub whole: Option<&'a Call>,
    /// Rules that are not asked.
    pub left_out: &'a [&'static str],
    exchange: OnceCell<digest::Exchange>,
    reasons: OnceCell<Vec<Reason>>,
    warnings: OnceCell<Vec<Warning>>,
    offer: OnceCell<Vec<Media>>,
    told: OnceCell<Option<phrases::Told>>,
}

impl<'a> Context<'a> {
    /// The context of one call.
    pub fn new(view: &'a View) -> Context<'a> {
        Context {
            view,
            whole: None,
            left_out: &[],
            exchange: OnceCell::new(),
            reasons: OnceCell::new(),
            warnings: OnceCell::new(),
            offer: OnceCell::new(),
            told: OnceCell::new(),
        }
    }

    /// The same, without some of the rules.
    pub fn without(view: &'a View, left_out: &'a [&'static str]) -> Context<'a> {
        Context {
            left_out,
            ..Context::new(view)
        }
    }

    /// The context of a further leg of a call.
    pub fn of_leg(&self, whole: &'a Call) -> Context<'a> {
        Context {
            whole: Some(whole),
            ..Context::without(self.view, self.left_out)
        }
    }

    /// The reasons that the answer gives which decided the call, read once for all rules.
    pub fn reasons(&self, call: &Call) -> &[Reason] {
        let read = || {
            call.deciding()
                .map(|answer| typed::reasons(answer.message()))
        };
        self.reasons.get_or_init(|| read().unwrap_or_default())
    }

    /// The warnings of that answer, read once for all rules.
    pub fn warnings(&self, call: &Call) -> &[Warning] {
        let read = || {
            call.deciding()
                .map(|answer| typed::warnings(answer.message()))
        };
        self.warnings.get_or_init(|| read().unwrap_or_default())
    }

    /// The media of the request that it answers, read once for all rules.
    pub fn offer(&self, call: &Call) -> &[Media] {
        let read = || {
            let (_, asked) = call.asked(call.deciding()?)?;
            Some(sdp::media(asked.message().body()))
        };
        self.offer.get_or_init(|| read().unwrap_or_default())
    }

    /// The Q.850 cause among the reasons.
    pub fn q850(&self, call: &Call) -> Option<u32> {
        let mut reasons = self.reasons(call).iter();
        let q850 = reasons.find(|r| r.protocol.eq_ignore_ascii_case("Q.850"));
        q850?.cause
    }

    /// What that answer says in known words, read once for all rules.
    pub fn told(&self, call: &Call) -> Option<&phrases::Told> {
        let read = || call.deciding().and_then(phrases::told);
        self.told.get_or_init(read).as_ref()
    }

    /// Challenges and credentials of the call that is judged, read once for all rules.
    pub fn exchange(&self, call: &Call) -> &digest::Exchange {
        self.exchange.get_or_init(|| digest::Exchange::of(call))
    }
}

fn run_rules(
    call: &Call,
    context: &Context<'_>,
    depth: Depth,
    rules: &'static [&'static Rule],
) -> Vec<Finding> {
    let mut found = Findings::new(depth);
    for rule in rules {
        if context.left_out.contains(&rule.id) {
            continue;
        }
        found.of(rule);
        (rule.check)(call, context, &mut found);
    }
    found.into_vec()
}

/// What was found about one call.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// The findings, in the order of the rules.
    pub findings: Vec<Finding>,
    /// Index of the finding with role cause.
    pub root: Option<usize>,
    /// For a failure without root cause, and for what cannot be told without times.
    pub undetermined: Option<Undetermined>,
    /// Indices of findings that may be the cause instead, the most confident first.
    pub alternatives: Vec<usize>,
    /// Who made the answer and who has to act, for a call that did not succeed.
    pub blame: Option<Blame>,
    /// Why the user accepts the failure, where its cause was taken out for that.
    pub accepted: Option<std::sync::Arc<str>>,
}

impl Diagnosis {
    /// Keeps only the findings that are marked so.
    pub fn keep(&mut self, kept: &[bool]) {
        let is_kept = |index: usize| kept.get(index).copied().unwrap_or(true);
        let place = |index: usize| (0..index).filter(|index| is_kept(*index)).count();
        let moved = |index: usize| is_kept(index).then(|| place(index));
        self.root = self.root.and_then(moved);
        let alternatives = std::mem::take(&mut self.alternatives);
        self.alternatives = alternatives.into_iter().filter_map(moved).collect();
        let mut index = 0;
        self.findings.retain(|_| {
            index += 1;
            is_kept(index - 1)
        });
    }

    /// The finding that is the cause.
    pub fn cause(&self) -> Option<&Finding> {
        self.findings.get(self.root?)
    }

    /// The finding to begin with: the cause, else the worst that is no symptom. Where a failure has
    /// no cause, what may be it: what is only beside it must not stand for it.
    pub fn foremost(&self, call: &Call) -> Option<&Finding> {
        let failed = call.outcome.is_negative();
        let worst = || {
            let rank = |finding: &&Finding| (finding.role == Role::Symptom, finding.severity);
            self.findings.iter().min_by_key(rank)
        };
        let possible = || self.findings.get(*self.alternatives.first()?);
        match failed {
            true => self.cause().or_else(possible),
            false => self.cause().or_else(worst),
        }
    }
}

/// Runs every rule over a released call, leg by leg. A verdict has neither sentences nor evidence,
/// and does not say why a call has no root cause, nor who is to blame.
pub fn diagnose(call: &Call, context: &Context<'_>, depth: Depth) -> Diagnosis {
    // What only took the place of the answer that ended the call explains nothing.
    if let Some(hidden) = rules::merged_request_482::hidden(call).filter(|_| call.legs.is_empty()) {
        return diagnose_leg(&call.as_if_decided_by(hidden), context, depth);
    }
    let mut diagnosis = diagnose_leg(call, context, depth);
    for (index, leg) in call.legs.iter().enumerate() {
        let further = diagnose_leg(leg, &context.of_leg(call), depth);
        roles::add_leg(call, &mut diagnosis, leg, index + 1, further);
    }
    diagnosis
}

fn diagnose_leg(call: &Call, context: &Context<'_>, depth: Depth) -> Diagnosis {
    let plain = match context.whole {
        None => plain::rules_for(call),
        Some(_) => None,
    };
    let mut findings = run_rules(call, context, depth, plain.unwrap_or(rules::RULES));
    // The whole test suite looks whether this holds.
    #[cfg(debug_assertions)]
    if plain.is_some() {
        let all = run_rules(
            call,
            &Context::without(context.view, context.left_out),
            depth,
            rules::RULES,
        );
        let ids = |all: &[Finding]| all.iter().map(|f| f.rule.id).collect::<Vec<_>>();
        debug_assert_eq!(ids(&findings), ids(&all), "see diagnose/plain.rs");
    }
    if plain.is_some_and(<[_]>::is_empty) {
        return Diagnosis::default();
    }
    let (root, alternatives) = roles::assign(call, &mut findings);
    let proof = depth == Depth::Proof;
    let failed = proof && call.outcome.is_negative();
    let undetermined = (proof && root.is_none())
        .then(|| undetermined::of(call, &findings))
        .flatten();
    if proof {
        product::tell(call, &mut findings);
    }
    let cause = root.and_then(|index| findings.get(index));
    let not_shown = undetermined.as_ref().and_then(Undetermined::not_shown);
    let blame = failed
        .then(|| blame::of(call, cause, context.view))
        .flatten();
    let blame = blame.map(|blame| match not_shown {
        Some(grounds) => blame.of_what_is_not_shown(grounds),
        None => blame,
    });
    Diagnosis {
        findings,
        root,
        undetermined,
        alternatives,
        blame,
        accepted: None,
    }
}
