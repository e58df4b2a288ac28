//! Z1: only one direction of a hop was recorded.

use super::super::finding::{Evidence, note};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::Method;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "capture-one-sided",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    rfc: &[(3261, "12.1.1")],
    title: "only one direction of the call was recorded",
    why: "the capture holds {seen} requests and none of the answers that must have come, so whatever is missing may simply not have been recorded",
    fix: "Record again with both directions: on the interface that carries the replies as well (`any` on Linux), with a mirror port that copies both ways, and without a filter on source or destination.",
    sentences: &[
        (
            "why-answers",
            "the capture holds {seen} answers and none of the requests they belong to, so whatever is missing may simply not have been recorded",
        ),
        (
            "unseen-answer",
            "this To-tag was given out by an answer that is not in the capture",
        ),
        (
            "unseen-request",
            "an answer whose request is not in the capture",
        ),
    ],
    check,
    ..Rule::PLAIN
};

// Fewer messages than this on a hop prove little: a capture may begin or end there.
const ENOUGH: usize = 3;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let requests = call
        .originals()
        .filter(|(_, m)| m.head.is_request())
        .count();
    let answers = call.originals().count() - requests;
    match (requests, answers) {
        (ENOUGH.., 0) => {
            // An ACK with a To-tag, or another request inside the dialog: the answer was received.
            let proof = call
                .originals()
                .find(|(_, m)| !m.head.to_tag.is_empty() && m.head.is_request());
            let Some((index, stored)) = proof else { return };
            let certain = Confidence::Certain;
            let Some(finding) = found.add_as(Role::Contributing, certain, Acts::Capture) else {
                return;
            };
            finding.args(Args::new().count("seen", requests));
            let span = stored
                .message()
                .header("To")
                .map(|to| (to, stored.head.to_tag));
            if let Some((to, tag)) = span {
                finding.proof(Evidence::of_header(index, to, tag, note("unseen-answer")));
            }
        }
        (0, ENOUGH..) if progressed(call) => {
            let Some((index, stored)) = call.originals().next() else {
                return;
            };
            let certain = Confidence::Certain;
            let Some(finding) = found.add_as(Role::Contributing, certain, Acts::Capture) else {
                return;
            };
            finding
                .why("why-answers")
                .args(Args::new().count("seen", answers));
            finding.proof(Evidence::header(
                index,
                stored,
                "CSeq",
                note("unseen-request"),
            ));
        }
        _ => {}
    }
}

// Answers to two different requests: something was sent between them and not recorded.
fn progressed(call: &Call) -> bool {
    let key = |m: &Stored| (m.head.method, m.cseq());
    let first = call.first().map(key);
    call.messages.iter().any(|m| Some(key(m)) != first)
        || call
            .messages
            .iter()
            .all(|m| m.head.method == Method::Invite)
}
