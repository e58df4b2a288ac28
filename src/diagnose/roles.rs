//! Cause, contributing and symptom: what explains what (rules.md section 0).

use super::finding::sender;
use super::quality::is_mangled;
use super::{Blame, Confidence, Diagnosis, Finding, Role, Severity};
use crate::message::Flaw;
use crate::session::legs::Sure;
use crate::session::{Call, Outcome, Stored};
use smallvec::{SmallVec, smallvec};

/// Gives every finding its role. The index of the one that is the cause, and those of the ones that
/// may be it instead, the most confident first.
pub(super) fn assign(call: &Call, findings: &mut [Finding]) -> (Option<usize>, Vec<usize>) {
    mark_symptoms(findings);
    let succeeded = call.outcome == Outcome::Succeeded;
    let mut causes: Vec<usize> = (0..findings.len())
        .filter(|&index| findings.get(index).is_some_and(|f| f.role == Role::Cause))
        .collect();
    causes.sort_by_key(|&index| (findings.get(index).map(|f| f.confidence), index));
    // What bytes say that were changed after they were sent may be what nobody has said.
    if call.flaws().has(Flaw::Damaged) && call.deciding().is_some_and(is_mangled) {
        for &index in &causes {
            if let Some(finding) = findings.get_mut(index) {
                finding.confidence = Confidence::Possible;
            }
        }
    }
    let sure = |index: &usize| {
        findings
            .get(*index)
            .is_some_and(|f| f.confidence < Confidence::Possible)
    };
    let root = causes
        .first()
        .copied()
        .filter(|index| !succeeded && sure(index));
    let decided = root.is_some_and(|index| {
        findings
            .get(index)
            .is_some_and(|f| f.confidence == Confidence::Certain)
    });
    for (index, finding) in findings.iter_mut().enumerate() {
        if finding.role == Role::Cause && Some(index) != root {
            finding.role = Role::Contributing;
        }
    }
    causes.retain(|&index| Some(index) != root && !decided && !succeeded);
    (root, causes)
}

// What follows from a finding that is at least likely is its symptom; one that is itself explained
// explains on.
fn mark_symptoms(findings: &mut [Finding]) {
    // Of two that explain each other, the first in the order of the rules does.
    let mut explained_by: SmallVec<[Option<usize>; 8]> = smallvec![None; findings.len()];
    for index in 0..findings.len() {
        let Some(explained) = findings
            .get(index)
            .filter(|f| f.explains && f.confidence < Confidence::Possible)
        else {
            continue;
        };
        let (explains, own) = (explained.rule.explains, explained.rule.id);
        if explained.role == Role::Contributing && explains.is_empty() {
            continue;
        }
        let by = explained_by.get(index).copied().flatten();
        for (other, finding) in findings.iter_mut().enumerate() {
            let follows = finding.rule.id != own && explains.contains(&finding.rule.id);
            if follows && by != Some(other) {
                finding.role = Role::Symptom;
                if let Some(known) = explained_by.get_mut(other) {
                    known.get_or_insert(index);
                }
            }
        }
    }
}

/// Takes over what was found about a further leg of a call. Where the call failed because that leg
/// had failed before, the cause is the one behind.
pub(super) fn add_leg(
    call: &Call,
    diagnosis: &mut Diagnosis,
    leg: &Call,
    number: usize,
    further: Diagnosis,
) {
    let offset = diagnosis.findings.len();
    let failed = |call: &Call| call.outcome.is_negative();
    let passed_on = failed(call) && failed(leg) && came_first(leg, call);
    for mut finding in further.findings {
        finding.leg = number;
        // What went wrong on a leg and did not keep the call from succeeding is worth knowing.
        if call.outcome == Outcome::Succeeded && failed(leg) {
            finding.severity = Severity::Info;
        }
        if finding.role == Role::Cause {
            finding.role = Role::Contributing;
        }
        diagnosis.findings.push(finding);
    }
    if !passed_on {
        return;
    }
    let Some(root) = further.root.map(|root| root + offset) else {
        // Nothing explains the leg behind, so nothing explains this one either; its own cause is
        // only what became of it.
        if diagnosis.root.is_none() {
            diagnosis.undetermined = further.undetermined.or(diagnosis.undetermined.take());
        }
        diagnosis.blame = deeper(call, diagnosis, (leg, number), further.blame);
        return;
    };
    if let Some(own) = diagnosis
        .root
        .and_then(|own| diagnosis.findings.get_mut(own))
    {
        own.role = Role::Symptom;
    }
    if let Some(cause) = diagnosis.findings.get_mut(root) {
        cause.role = Role::Cause;
    }
    diagnosis.root = Some(root);
    diagnosis.undetermined = None;
    diagnosis.alternatives = further
        .alternatives
        .iter()
        .map(|index| index + offset)
        .collect();
    diagnosis.blame = deeper(call, diagnosis, (leg, number), further.blame);
}

// The element behind made it, the one before handed it on. Where nobody behind answered, there was nothing
// to hand on: the one before made its answer itself.
fn deeper(
    call: &Call,
    diagnosis: &mut Diagnosis,
    (leg, number): (&Call, usize),
    far: Option<Blame>,
) -> Option<Blame> {
    let near = diagnosis.blame.take();
    let Some(mut far) = far else { return near };
    let Some(near) = near else { return Some(far) };
    let join = number.checked_sub(1).and_then(|at| call.joins.get(at));
    match (call.decided_by, leg.decided_by) {
        (Some(_), None) => {
            let acts = diagnosis.cause().map_or(far.acts, |cause| cause.acts);
            let near = Blame { acts, ..near };
            return match join.is_some_and(|join| join.sure == Sure::Certain) {
                true => Some(near.after_silence_on(leg)),
                false => Some(near),
            };
        }
        (None, None) => return Some(far),
        _ => {}
    }
    let began = call.request().map(sender);
    if began.is_some() && began == far.element {
        far = far.of_its_own_call();
    }
    far.relays.extend(near.element);
    far.relays.extend(near.relays);
    Some(far)
}

// Was the leg over before the call was? Silence on the leg ends when the one who waited answers.
fn came_first(leg: &Call, call: &Call) -> bool {
    let ended = |call: &Call| call.deciding().and_then(Stored::time);
    match (ended(leg), ended(call)) {
        (Some(behind), Some(before)) => behind <= before,
        (None, _) => leg.outcome == Outcome::TimedOut,
        (Some(_), None) => false,
    }
}
