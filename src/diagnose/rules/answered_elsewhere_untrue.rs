//! A phone is told of an answer that nobody gave.

use super::super::blame::acts_of_sender;
use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use super::answered_elsewhere::says_so;
use crate::message::Method;
use crate::session::{Call, Outcome, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "answered-elsewhere-untrue",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    codes: &[487],
    rfc: &[(3326, "3.1")],
    title: "the phone was told of an answer elsewhere, and nobody had answered",
    why: "the caller hung up, and {element} handed that on with a Reason that says that the call was completed elsewhere; nobody had answered. A phone that heeds it does not list the call as missed, so the person called never learns of it",
    fix: "Correct {element}: the Reason \"Call completed elsewhere\" belongs into the CANCEL only where another phone has answered. Where the caller gives up, hand the CANCEL on without it, or with the Reason that the caller sent.",
    sentences: &[
        ("cancel", "the caller hangs up, and says nothing of that"),
        ("untrue", "nobody had answered"),
        ("end", "what the caller got"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.outcome != Outcome::Cancelled
        || call.method != Method::Invite
        || context.whole.is_some()
        || call.answer().is_some()
    {
        return;
    }
    let Some(cancel) = outcome::callers_cancel(call).filter(|cancel| !says_so(cancel)) else {
        return;
    };
    let mut handed_on = call.requests(Method::Cancel);
    let Some((at, untrue)) = handed_on.find(|(_, m)| says_so(m)) else {
        return;
    };
    // Without its 487 another phone may have answered at that very moment.
    let Some((end, last)) = deciding(call).filter(|_| call.code() == Some(487)) else {
        return;
    };
    let (role, acts) = (Role::Contributing, acts_of_sender(call, untrue));
    let Some(finding) = found.add_as(role, Confidence::Certain, acts) else {
        return;
    };
    finding.element(sender(untrue));
    let first = call.originals().find(|(_, m)| std::ptr::eq(*m, cancel));
    finding.proofs(first.map(|(index, m)| Some(Evidence::start_line(index, m, note("cancel")))));
    finding.proof(Evidence::header(at, untrue, "Reason", note("untrue")));
    finding.proof(Evidence::start_line(end, last, note("end")));
}
