//! Cause, contributing and symptom: what explains what (rules.md section 0).

use super::{Confidence, Finding, Role};
use crate::session::{Call, Outcome};

/// Gives every finding its role. The index of the one that is the cause, and those of the ones that
/// may be it instead, the most confident first.
pub(super) fn assign(call: &Call, findings: &mut [Finding]) -> (Option<usize>, Vec<usize>) {
    mark_symptoms(findings);
    let succeeded = call.outcome == Outcome::Succeeded;
    let mut causes: Vec<usize> = (0..findings.len())
        .filter(|&index| findings.get(index).is_some_and(|f| f.role == Role::Cause))
        .collect();
    causes.sort_by_key(|&index| (findings.get(index).map(|f| f.confidence), index));
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
    for index in 0..findings.len() {
        let Some(explained) = findings
            .get(index)
            .filter(|f| f.confidence < Confidence::Possible)
        else {
            continue;
        };
        let (explains, own) = (explained.rule.explains, explained.rule.id);
        if explained.role == Role::Contributing && explains.is_empty() {
            continue;
        }
        for finding in findings.iter_mut() {
            if finding.rule.id != own && explains.contains(&finding.rule.id) {
                finding.role = Role::Symptom;
            }
        }
    }
}
