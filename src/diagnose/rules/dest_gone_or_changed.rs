//! D4: the number was given up or has changed.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{Acts, Args, Causes, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::{Method, typed};
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "dest-gone-or-changed",
    severity: Severity::Error,
    frequency: Frequency::Low,
    needs: &[],
    codes: &[404, 410, 480, 604],
    causes: &[("Q.850", Causes::Only(&[22]))],
    rfc: &[(3261, "21.4.10"), (3398, "7.2.4.1")],
    title: "the called number was given up or has changed",
    why: "{element} answers 410: the user or number {dialled} was there once, is there no more, and no new address is known",
    fix: "Remove {dialled} from directories, speed dials and routing tables, and ask its former owner for the new number. The answer is meant to hold for good, so trying again does not help.",
    sentences: &[
        (
            "why-22",
            "the telephone network behind {element} says Q.850 cause 22, number changed: {dialled} is no longer the number of the called person",
        ),
        ("answer", "the final answer"),
        (
            "cause",
            "the telephone network says that the number has changed",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || !matches!(call.code(), Some(404 | 410 | 480 | 604)) {
        return;
    }
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let is_22 = |r: &typed::Reason| r.protocol.eq_ignore_ascii_case("Q.850") && r.cause == Some(22);
    let changed = context.reasons(call).iter().any(is_22);
    // Words that say something else count more than the number.
    if (call.code() != Some(410) && !changed) || context.told(call).is_some() {
        return;
    }
    let Some(finding) = found.add(Confidence::Certain, Acts::Caller) else {
        return;
    };
    finding.element(sender(response)).args(
        Args::new().text(
            "dialled",
            call.request_uri()
                .unwrap_or_else(|| "that number".to_owned()),
        ),
    );
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if changed {
        finding.why("why-22");
        finding.proof(Evidence::header(index, response, "Reason", note("cause")));
    }
}
