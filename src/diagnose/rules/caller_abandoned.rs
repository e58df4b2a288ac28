//! K1: the caller hung up before anybody answered.

use super::super::finding::{Evidence, Template, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::{Method, typed};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "caller-abandoned",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    rfc: &[(3261, "9"), (3261, "21.4.25")],
    title: "the caller hung up before anybody answered",
    why: "the caller sent CANCEL after {waited}, {ringing}; the 487 that follows only confirms it",
    fix: "Leave it as it is: a caller who gives up is no failure. If many calls end so after the same time, a timer on the calling side ends them; if they end before it rings, find out why ringing takes so long.",
    sentences: &[
        (
            "why-timer",
            "the calling side sent CANCEL after {waited}, which is so round a time that a timer may have done it rather than a person",
        ),
        (
            "why-untimed",
            "the caller sent CANCEL {ringing}; the 487 that follows only confirms it",
        ),
        ("cancel", "the first CANCEL on the way, from {element}"),
        ("confirmed", "the call is ended as the caller asked"),
        ("rang", "it was ringing"),
    ],
    check,
    ..Rule::PLAIN
};

/// Ring times that PBXs are often set to, in seconds (estimate of the rule catalogue).
const TIMERS: [i64; 9] = [15, 20, 25, 30, 45, 60, 90, 120, 180];

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.outcome != Outcome::Cancelled || call.method != Method::Invite {
        return;
    }
    let Some(cancel) = outcome::callers_cancel(call) else {
        return;
    };
    let Some(index) = call.messages.iter().position(|m| std::ptr::eq(m, cancel)) else {
        return;
    };
    // The CANCEL says that somebody else answered, or that a timer ended it: not the caller.
    let reasons = typed::reasons(cancel.message());
    if reasons
        .iter()
        .any(|r| r.protocol.eq_ignore_ascii_case("SIP") && r.cause.is_some_and(|c| c != 487))
    {
        return;
    }
    let Some(request) = call.request() else {
        return;
    };
    let ringing = call.ringing();
    let since = ringing.unwrap_or(request);
    let waited = cancel
        .time()
        .zip(since.time())
        .map(|(end, start)| end - start);
    let is_timer = |waited: i64| {
        TIMERS
            .iter()
            .any(|timer| (waited - timer * SECOND).abs() <= SECOND / 10)
    };
    let round = waited.is_some_and(is_timer);
    let confidence = if round {
        Confidence::Possible
    } else {
        Confidence::Likely
    };
    let Some(finding) = found.add(confidence, Acts::Nobody) else {
        return;
    };
    finding.element(sender(cancel));
    let words = if ringing.is_some() {
        "while it was ringing"
    } else {
        "before it was ringing"
    };
    finding.args(Args::new().text("ringing", words));
    match waited {
        Some(waited) => finding.args(Args::new().duration("waited", waited)),
        None => finding.why("why-untimed"),
    };
    if round {
        finding.why("why-timer");
    }
    if let Some((at, rang)) = call
        .originals()
        .find(|(_, m)| ringing.is_some_and(|r| std::ptr::eq(*m, r)))
    {
        finding.proof(Evidence::start_line(at, rang, note("rang")));
    }
    let from = Args::new().text("element", sender(cancel));
    finding.proof(Evidence::start_line(
        index,
        cancel,
        Template::new("cancel", from),
    ));
    if let Some((at, terminated)) = super::super::finding::deciding(call) {
        finding.proof(Evidence::start_line(at, terminated, note("confirmed")));
    }
}
