//! D13: the peer does not take requests of this method.

use super::super::finding::{Evidence, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::Method;
use crate::message::field::Field;
use crate::session::{Call, Outcome, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "method-not-allowed",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[405, 501],
    rfc: &[(3261, "21.4.6"), (3261, "21.5.2"), (3261, "20.5")],
    title: "{element} does not take {method}",
    why: "{element} answered {method} with {code}: it does not carry out this method here",
    fix: "Send {method} only to peers whose Allow header lists it, or switch on at {element} what needs it. Where it serves an extra (transfer, session refresh, key presses, presence), choose another way for it on that trunk.",
    sentences: &[
        (
            "why-announced",
            "{element} answered {method} with {code}, and the Allow header that it had sent before ({allow}) does not list {method}: whoever sent it did not heed that",
        ),
        (
            "why-contradicts",
            "{element} answered {method} with {code}, although its own Allow header ({allow}) lists {method}: what it announces is not true",
        ),
        (
            "fix-contradicts",
            "Let whoever runs {element} either carry out {method} or remove it from the Allow header that it sends; peers rely on that list.",
        ),
        (
            "why-invite",
            "{element} answered INVITE with {code}: it takes no calls at all; it is perhaps a registrar or a server for something else",
        ),
        (
            "fix-invite",
            "Correct where the calling side sends its calls: the server or outbound proxy of the account or trunk, or the DNS record behind that name. If {element} should take calls, switch them on there.",
        ),
        ("sent", "the request"),
        ("answer", "the refusal"),
        ("allow", "what it announces"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    // These have rules of their own, or are sent to see what comes back.
    if matches!(
        call.method,
        Method::Register | Method::Subscribe | Method::Message | Method::Options | Method::Publish
    ) {
        return;
    }
    let refused = call.finals.iter().find(|f| {
        let method = call.messages.get(f.message).map(|m| m.head.method);
        matches!(f.code, 405 | 501)
            && f.step.is_none()
            && !matches!(
                method,
                Some(Method::Options | Method::Publish | Method::Message)
            )
    });
    let Some(refused) = refused else { return };
    let Some(response) = call.messages.get(refused.message) else {
        return;
    };
    let Some((asked_at, request)) = call.asked(response) else {
        return;
    };
    let decides = call.outcome == Outcome::Failed
        && call
            .decided_by
            .is_some_and(|by| call.finals.get(by).map(|f| f.message) == Some(refused.message));
    let (severity, role) = match (decides, request.head.method) {
        (true, _) => (Severity::Error, Role::Cause),
        // Nobody misses a picture refresh, a key press or a report of a transfer.
        (false, Method::Info | Method::Notify) => (Severity::Info, Role::Contributing),
        _ => (Severity::Warning, Role::Contributing),
    };
    let method = request.message().method_name();
    let announced = announced(call, response, &method);
    let blamed = match announced {
        Some((_, true)) => call.side(response),
        _ => call.side(request),
    };
    let acts = match blamed {
        _ if severity == Severity::Info => Acts::Nobody,
        Some(Side::Callee) => Acts::Callee,
        _ => Acts::Caller,
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) else {
        return;
    };
    finding.element(sender(response)).args(
        Args::new()
            .text("method", method.clone())
            .code("code", refused.code),
    );
    finding.proof(Evidence::start_line(asked_at, request, note("sent")));
    finding.proof(Evidence::start_line(
        refused.message,
        response,
        note("answer"),
    ));
    if request.head.method == Method::Invite && decides {
        finding.why("why-invite").fix("fix-invite");
    }
    let Some((at, lists)) = announced else {
        return;
    };
    let Some(told) = call.messages.get(at) else {
        return;
    };
    let allow = call
        .fields(at)
        .tokens(Field::Allow)
        .join(", ")
        .to_ascii_uppercase();
    finding.args(Args::new().text("allow", allow));
    finding.proof(Evidence::header(at, told, "Allow", note("allow")));
    match lists {
        true => finding.why("why-contradicts").fix("fix-contradicts"),
        false => finding.why("why-announced"),
    };
}

// An Allow header of the same sender, before the refusal or in it, and whether it lists the method.
fn announced(call: &Call, response: &Stored, method: &str) -> Option<(usize, bool)> {
    let sender = response.stamp.sender();
    let by_it = |m: &Stored| m.stamp.sender().is(sender) && m.time() <= response.time();
    let told = call
        .originals()
        .filter(|(index, m)| by_it(m) && call.fields(*index).has(Field::Allow));
    let (at, _) = told.min_by_key(|(index, m)| (std::ptr::eq(*m, response), *index))?;
    let listed = call.fields(at).tokens(Field::Allow);
    let lists = listed
        .iter()
        .any(|known| known.eq_ignore_ascii_case(method));
    let own = call
        .messages
        .get(at)
        .is_some_and(|m| std::ptr::eq(m, response));
    // What the refusal itself lists tells nothing that it does not say already.
    (!own || lists).then_some((at, lists))
}
