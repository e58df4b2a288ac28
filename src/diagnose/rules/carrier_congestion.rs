//! Q1: the network behind the answer has no room, says the Q.850 cause.

use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::{Acts, Args, Causes, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::knowledge;
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
        ("answer", "the final answer"),
        ("cause", "cause {cause} in the telephone network: {name}"),
        ("wait", "until then this server must not be asked again"),
    ],
    check,
    ..Rule::PLAIN
};

const CONGESTION: [u32; 6] = [34, 38, 41, 42, 44, 47];

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
    let Some(cause) = reasons.iter().find(congested).and_then(|r| r.cause) else {
        return;
    };
    let Some(finding) = found.add(Confidence::Certain, Acts::Carrier) else {
        return;
    };
    let name = knowledge::cause("Q.850", cause).map_or_else(String::new, |c| c.name.clone());
    let wait = typed::retry_after(response.message());
    let args = || {
        Args::new()
            .count("cause", cause as usize)
            .text("name", name.clone())
    };
    finding.element(sender(response)).args(args());
    finding.proof(Evidence::start_line(index, response, note("answer")));
    finding.proof(Evidence::header(
        index,
        response,
        "Reason",
        Template::new("cause", args()),
    ));
    if let Some(wait) = wait {
        finding
            .why("why-wait")
            .args(Args::new().count("wait", usize::try_from(wait).unwrap_or(usize::MAX)));
        finding.proof(Evidence::header(
            index,
            response,
            "Retry-After",
            note("wait"),
        ));
    }
}
