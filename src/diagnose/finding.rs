//! A finding: what a rule says about a call, with the proof.

pub use super::evidence::{Evidence, Part};
pub use super::grade::{Acts, Confidence, Role, Severity};
pub use super::template::{Args, Note, Template, UNNAMED, Value, note};

use super::{Product, Rule};
use crate::session::{Call, Spot, Stored};

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

    /// Adds proof that stands in another call, as far as it is there; `id` names its note.
    pub fn elsewhere(&mut self, spot: Option<Spot>, id: &'static str) -> &mut Finding {
        let note = note(id);
        let proof = spot.map(|spot| Evidence::Elsewhere { spot, note });
        self.evidence.extend(proof);
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
