//! How well a difference explains the failure.

use super::compare::Difference;
use super::fact::Topic;
use super::hint;
use super::sketch::Sketch;

/// A difference with less weight does not matter.
const MATTERS: i32 = 20;
/// A difference with less weight does not even if the diagnosis speaks of such ones.
const CONFIRMED: i32 = 15;

/// Why a difference stands where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The cause of the bad call speaks of it, and its proof stands in the same line.
    CauseAndProof,
    /// The cause of the bad call speaks of it.
    Cause,
    /// The proof of the cause stands in the same line.
    Proof,
    /// The answer that decided the bad call speaks of it.
    Answer,
    /// It came before the call failed.
    Before,
    /// It came after the call had failed.
    After,
}

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// It likely explains the failure.
    Likely,
    /// It may matter.
    Perhaps,
    /// It only follows from the failure.
    Follows,
    /// It hardly matters.
    Trivial,
}

impl Group {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Group::Likely => "likely",
            Group::Perhaps => "perhaps",
            Group::Follows => "follows",
            Group::Trivial => "trivial",
        }
    }
}

/// A difference with its weight.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// What differs.
    pub difference: Difference,
    /// How telling it is.
    pub weight: i32,
    /// Why.
    pub why: Why,
    /// How it is told.
    pub group: Group,
}

/// Weighs the differences and puts them in order.
pub(super) fn rank(all: Vec<Difference>, bad: &Sketch) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = all.into_iter().map(|one| weigh(one, bad)).collect();
    // Equal ones: the earlier message first.
    ranked.sort_by_key(|one| {
        let at = one.difference.bad.step.unwrap_or(usize::MAX);
        (one.group, -one.weight, at, one.difference.topic)
    });
    let first = ranked
        .first_mut()
        .filter(|first| first.group == Group::Perhaps);
    if let Some(first) = first {
        first.group = Group::Likely;
    }
    ranked
}

fn weigh(difference: Difference, bad: &Sketch) -> Ranked {
    let topic = difference.topic;
    let cause = bad.cause.as_ref();
    let spoken = cause.is_some_and(|cause| hint::rule_speaks_of(cause.rule, topic));
    let proved = cause.is_some_and(|cause| cause.fields.contains(&difference.field));
    let answered = bad
        .answer
        .as_ref()
        .is_some_and(|(code, _)| hint::code_speaks_of(*code, topic));
    let why = match (spoken, proved, answered, difference.is_after) {
        (true, true, ..) => Why::CauseAndProof,
        (true, ..) => Why::Cause,
        (_, _, true, _) => Why::Answer,
        (_, true, ..) => Why::Proof,
        (.., true) => Why::After,
        _ => Why::Before,
    };
    let mut weight = topic.weight() + difference.more;
    let matters = weight >= CONFIRMED;
    for (holds, more) in [
        (spoken && matters, 60),
        (proved, 25),
        (answered && matters, 25),
    ] {
        weight += if holds { more } else { 0 };
    }
    let outcome = topic == Topic::Code || difference.is_message && topic != Topic::Auth;
    let follows = difference.is_after || (topic == Topic::Code && bad.answer.is_some());
    let group = match () {
        () if weight < MATTERS => Group::Trivial,
        () if follows && (outcome || !spoken) => Group::Follows,
        () => Group::Perhaps,
    };
    Ranked {
        difference,
        weight,
        why,
        group,
    }
}
