//! Q1: the network behind the answer has no room, says the Q.850 cause.

use super::super::finding::{Evidence, Template, Value, deciding, note, sender};
use super::super::{Acts, Args, Causes, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::typed;
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "carrier-congestion",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[480, 500, 502, 503],
    causes: &[("Q.850", Causes::Only(&CONGESTION))],
    rfc: &[(3398, "7.2.4.1"), (3326, "2"), (3261, "21.5.4")],
    title: "the network behind {element} has no capacity for the call",
    why: "the answer carries Q.850 cause {cause} ({name}): the telephone network behind {element} could not carry the call, whatever the caller sent",
    fix: "Send the call by the next route, and give the carrier the time, the numbers and cause {cause}. If it repeats at the same number of parallel calls, compare that number with the channel limit of the trunk.",
    sentences: &[
        (
            "why-wait",
            "the answer carries Q.850 cause {cause} ({name}): the telephone network behind {element} could not carry the call, whatever the caller sent; it asks to be left alone for {wait} seconds",
        ),
        (
            "why-47",
            "the answer carries Q.850 cause 47 ({name}): something ran out for this call at {element} or behind it, such as circuits, media ports, codec licences or sessions; which of them, the answer does not say",
        ),
        (
            "fix-47",
            "Ask whoever runs {element} what ran out at that second: its log names media ports, codecs, licences or a session limit, or shows that the network behind it sent cause 47. If it repeats at the same number of calls, it is a limit; if it comes with every call of one kind, compare what that call offers (SDP).",
        ),
        ("answer", "the final answer"),
        ("cause", "cause {cause} in the telephone network: {name}"),
        ("wait", "until then this server must not be asked again"),
    ],
    check,
    ..Rule::PLAIN
};

const CONGESTION: [u32; 6] = [34, 38, 41, 42, 44, 47];
/// Resource unavailable, unspecified.
const UNSPECIFIED: u32 = 47;

// Locations that are no equipment of the called side (RFC 8606 §4).
fn is_network(location: &str) -> bool {
    let known = ["LN", "TN", "RLN", "INTL", "BI"];
    known.iter().any(|id| id.eq_ignore_ascii_case(location))
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call) else {
        return;
    };
    if !matches!(response.head.code(), Some(480 | 500 | 502 | 503)) {
        return;
    }
    let reasons = context.reasons(call);
    let congested = |r: &&typed::Reason| {
        r.protocol.eq_ignore_ascii_case("Q.850") && r.cause.is_some_and(|c| CONGESTION.contains(&c))
    };
    let Some((reason, cause)) = reasons
        .iter()
        .find(congested)
        .and_then(|r| Some((r, r.cause?)))
    else {
        return;
    };
    // A switch gives 47 for itself as often as a network does.
    let network = reason.location.as_deref().is_some_and(is_network);
    let (confidence, acts) = match cause == UNSPECIFIED && !network {
        true => (Confidence::Likely, Acts::Callee),
        false => (Confidence::Certain, Acts::Carrier),
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    let name = Value::q850(cause);
    let wait = typed::retry_after(response.message());
    let args = || {
        Args::new()
            .count("cause", cause as usize)
            .with("name", name.clone())
    };
    finding.element(sender(response)).args(args());
    finding.proof(Evidence::start_line(index, response, note("answer")));
    finding.proof(Evidence::header(
        index,
        response,
        "Reason",
        Template::new("cause", args()),
    ));
    if acts == Acts::Callee {
        finding.why("why-47").fix("fix-47");
    }
    if let Some(wait) = wait {
        if acts == Acts::Carrier {
            finding.why("why-wait");
        }
        finding.args(Args::new().count("wait", usize::try_from(wait).unwrap_or(usize::MAX)));
        finding.proof(Evidence::header(
            index,
            response,
            "Retry-After",
            note("wait"),
        ));
    }
}
