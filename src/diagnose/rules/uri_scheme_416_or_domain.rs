//! D10: the kind of address (tel, sips, urn) is not taken there.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{Acts, Args, Causes, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::lossy;
use crate::message::uri::Uri;
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "uri-scheme-416-or-domain",
    severity: Severity::Error,
    frequency: Frequency::Low,
    needs: &[],
    codes: &[400, 404, 416, 480],
    causes: &[("warning", Causes::Only(&[380, 381]))],
    rfc: &[(3261, "21.4.14"), (3261, "8.2.2.1"), (5630, "5")],
    title: "{element} does not take {scheme} addresses",
    why: "{element} answers 416: the Request-URI {dialled} is a {scheme} address, and it does not know what to do with that kind",
    fix: "Let the calling side send a sip address with the domain of {element} (for a number: sip:number@domain;user=phone), or switch on {scheme} addresses at {element}.",
    sentences: &[
        (
            "why-other-code",
            "{element} answers {code} to {dialled}, a {scheme} address; servers that only know sip addresses often answer so",
        ),
        (
            "why-sips-not-allowed",
            "{element} answers {code} with warning 380: the called user has no sips address, so it cannot be reached by one",
        ),
        (
            "why-sips-required",
            "{element} answers {code} with warning 381: it wants a sips address, with TLS on every hop, and the call came with {scheme}",
        ),
        (
            "fix-sips-not-allowed",
            "Call the sip address instead of the sips one (TLS to the next hop stays possible), or let the called phone register with a sips Contact.",
        ),
        (
            "fix-sips-required",
            "Call the sips address, over TLS, or switch off at {element} that it insists on it.",
        ),
        ("dialled", "what was asked for"),
        ("answer", "the final answer"),
        ("warning", "what it says about it"),
    ],
    explains: &["dest-unavailable-480", "dest-not-found"],
    confirm: "a call to the same number as a sip address that {element} takes",
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some(code @ (400 | 404 | 416 | 480)) = call.code() else {
        return;
    };
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let Some((asked_at, request)) = call.asked(response) else {
        return;
    };
    let uri = request
        .message()
        .request_uri()
        .map(|uri| uri.of(&request.raw));
    let Some(uri) = uri.and_then(Uri::parse) else {
        return;
    };
    let warned = context
        .warnings(call)
        .iter()
        .map(|warning| warning.code)
        .find(|code| matches!(code, 380 | 381));
    let (confidence, why, fix) = match (code, warned) {
        (_, Some(380)) => (
            Confidence::Certain,
            "why-sips-not-allowed",
            "fix-sips-not-allowed",
        ),
        (_, Some(_)) => (
            Confidence::Certain,
            "why-sips-required",
            "fix-sips-required",
        ),
        (416, None) => (Confidence::Certain, "why", "fix"),
        (400 | 404, None) if !uri.scheme.eq_ignore_ascii_case(b"sip") => {
            (Confidence::Possible, "why-other-code", "fix")
        }
        _ => return,
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    finding.element(sender(response)).args(
        Args::new()
            .text("dialled", uri.bare())
            .text("scheme", lossy(uri.scheme).to_ascii_lowercase())
            .code("code", code),
    );
    finding.why(why).fix(fix);
    finding.proof(Evidence::request_uri(asked_at, request, note("dialled")));
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if warned.is_some() {
        finding.proof(Evidence::header(
            index,
            response,
            "Warning",
            note("warning"),
        ));
    }
}
