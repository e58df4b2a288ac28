//! K7: the CANCEL was sent before anything had come back.

use super::super::finding::{Evidence, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::Method;
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "cancel-too-early",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "9.1")],
    title: "the CANCEL was sent before {element} had answered the INVITE",
    why: "{sender} sent CANCEL before any answer of {element} to this INVITE (CSeq {cseq}), and {element} did not stop the call: it may have got the CANCEL before the INVITE, or known nothing yet that it could stop",
    fix: "Let {sender} wait with the CANCEL until the first 1xx has come, as the protocol asks, and send it then.",
    sentences: &[
        (
            "why-harmless",
            "{sender} sent CANCEL before any answer of {element} to this INVITE (CSeq {cseq}), which the protocol forbids; {element} took it nevertheless",
        ),
        (
            "why-answered",
            "{sender} sent CANCEL before any answer of {element} to this INVITE (CSeq {cseq}), which the protocol forbids; the INVITE was answered {code} all the same",
        ),
        ("invite", "the call begins"),
        ("cancel", "and is to be stopped already"),
        ("first", "the first answer to the INVITE came after that"),
        ("answer", "the CANCEL was not taken"),
    ],
    explains: &["cancel-not-matching", "487-missing", "ring-no-answer"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || !call.has_cancel() {
        return;
    }
    let early = call.cancels().into_iter().find_map(|cancel| {
        let invite = cancel.invite?;
        let first = invite.provisionals.iter().chain(&invite.finals).min();
        // Without any answer the other direction may not be in the capture.
        let first = *first?;
        (first > cancel.index).then_some((cancel, invite, first))
    });
    let Some((cancel, invite, first)) = early else {
        return;
    };
    let (Some(asked), Some(begun)) = (
        invite.request(),
        invite.request().and_then(|at| call.messages.get(at)),
    ) else {
        return;
    };
    let (Some(answer), before) = (call.messages.get(first), cancel.message.time()) else {
        return;
    };
    // Of merged captures the clocks may differ.
    if answer.time() <= before || answer.stamp.origin.input != cancel.message.stamp.origin.input {
        return;
    }
    let refused = call.answer_in(cancel.own, 300..=699);
    let ended = call.answer_in(invite, 300..=699).is_some();
    let harmless = refused.is_none() && ended || call.outcome == Outcome::Succeeded;
    let (severity, role) = match harmless {
        true => (Severity::Info, Role::Contributing),
        false => (Severity::Warning, Role::Cause),
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, Acts::Caller) else {
        return;
    };
    finding.element(receiver(cancel.message)).args(
        Args::new()
            .text("sender", sender(cancel.message))
            .count("cseq", cancel.message.cseq() as usize),
    );
    let accepted = call.answer_in(invite, 200..=299);
    match accepted {
        Some((_, m)) if harmless => {
            let code = m.head.code().unwrap_or(200);
            finding
                .why("why-answered")
                .args(Args::new().code("code", code));
        }
        _ if harmless => drop(finding.why("why-harmless")),
        _ => {}
    }
    let line = |at: usize, m: &Stored, id| Evidence::start_line(at, m, note(id));
    finding.proof(line(asked, begun, "invite"));
    finding.proof(line(cancel.index, cancel.message, "cancel"));
    finding.proof(line(first, answer, "first"));
    if let Some((at, refusal)) = refused {
        finding.proof(line(at, refusal, "answer"));
    }
}
