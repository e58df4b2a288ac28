//! D1: the number or user is unknown where it was asked for.

use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use super::scanner_traffic::is_scanner;
use crate::message::uri::Uri;
use crate::message::{Method, typed};
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "dest-not-found",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    rfc: &[(3261, "21.4.5"), (3261, "21.6.3"), (3398, "7.2.4.1")],
    title: "{dialled} is not known at {element}",
    why: "{element} answers {code} to {dialled}: it has no user or number in exactly this form",
    fix: "Compare {dialled} with what {element} expects: the form of the number (leading +, 00 or 0, country code, prefixes) and the domain or address behind the @. Correct the dial plan of the calling side, or have the number created at {element}.",
    sentences: &[
        (
            "why-unassigned",
            "the telephone network behind {element} says cause 1, unallocated number: {dialled} is not assigned to anybody",
        ),
        (
            "fix-unassigned",
            "Check the number with the person who gave it. If it was ported or is new, ask the carrier at {element} to check its number data; if a digit or prefix was added or lost on the way, correct the dial plan.",
        ),
        (
            "why-no-route",
            "the telephone network behind {element} says cause {cause}, no route: the number may exist, but that network cannot reach it",
        ),
        (
            "fix-no-route",
            "Send the call by another route or carrier, and report cause {cause} with the number to the operator of {element}.",
        ),
        ("dialled", "what was asked for"),
        ("answer", "the final answer"),
        ("cause", "what the telephone network says: {name}"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call).filter(|_| matches!(call.code(), Some(404 | 604)))
    else {
        return;
    };
    if call.method != Method::Invite || is_scanner(call) {
        return;
    }
    // The request that this answer belongs to: behind a proxy the Request-URI may have changed.
    let mut asked = call
        .originals()
        .filter(|(_, m)| m.head.is_request() && m.keys.transaction == response.keys.transaction);
    let Some((asked_at, request)) = asked.find(|(_, m)| m.head.method == call.method) else {
        return;
    };
    let Some(uri) = request.message().request_uri() else {
        return;
    };
    let q850 = typed::reasons(response.message())
        .into_iter()
        .find(|r| r.protocol.eq_ignore_ascii_case("Q.850"));
    let cause = q850.and_then(|r| r.cause);
    let (why, fix, acts) = match cause {
        Some(1) => ("why-unassigned", "fix-unassigned", Acts::Caller),
        Some(2 | 3) => ("why-no-route", "fix-no-route", Acts::Carrier),
        _ => ("why", "fix", Acts::Caller),
    };
    let Some(finding) = found.add(Confidence::Certain, acts) else {
        return;
    };
    let dialled =
        Uri::parse(uri.of(&request.raw)).map_or_else(|| request.message().slice(uri), |u| u.bare());
    finding.why(why).fix(fix).element(sender(response));
    finding.args(
        Args::new()
            .text("dialled", dialled)
            .code("code", call.code().unwrap_or(404)),
    );
    let line = request.message().start_line();
    let part = super::super::finding::Part::StartLine;
    finding.proof(Evidence::Excerpt {
        message: asked_at,
        line,
        mark: uri,
        part,
        note: note("dialled"),
    });
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if let Some(cause) = cause {
        finding.args(Args::new().count("cause", cause as usize));
        let name = crate::knowledge::cause("Q.850", cause)
            .map_or_else(|| cause.to_string(), |c| c.name.clone());
        finding.proof(Evidence::header(
            index,
            response,
            "Reason",
            Template::new("cause", Args::new().text("name", name)),
        ));
    }
}
