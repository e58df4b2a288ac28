//! K1: the caller hung up before anybody answered.

use super::super::finding::{Evidence, Template, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use super::answered_elsewhere::says_so;
use super::no_answer_timeout::timer;
use crate::message::{Method, typed};
use crate::session::{Call, Outcome, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "caller-abandoned",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    codes: &[486, 487],
    rfc: &[(3261, "9"), (3261, "21.4.25")],
    title: "the caller hung up before anybody answered",
    why: "the caller sent CANCEL after {waited} of ringing",
    fix: "Leave it as it is: a caller who gives up is no failure. If many calls end so after the same time, a timer on the calling side ends them.",
    sentences: &[
        (
            "why-before-ringing",
            "the caller sent CANCEL {waited} after the call began, before it rang",
        ),
        (
            "fix-before-ringing",
            "Leave it as it is if it happens now and then: a caller who gives up is no failure. If callers often hang up before it rings, find out why ringing takes so long.",
        ),
        (
            "fix-machine",
            "Look on the calling side for what gives up so soon: a system that calls several numbers and keeps the first, a dial plan that ends at once, a test. A person takes longer to hang up.",
        ),
        ("why-untimed", "the caller sent CANCEL while it was ringing"),
        (
            "why-untimed-before",
            "the caller sent CANCEL before it rang",
        ),
        (
            "why-progress",
            "the caller sent CANCEL {waited} after a {sign}, which says that the call goes on and not that it rings",
        ),
        (
            "why-untimed-progress",
            "the caller sent CANCEL after a {sign}, which says that the call goes on and not that it rings",
        ),
        ("cancel", "the first CANCEL on the way, from {element}"),
        ("reason", "it says so itself"),
        (
            "untrue",
            "this is not true: nobody answered, the caller hung up; a phone that heeds it shows no missed call",
        ),
        ("confirmed", "this only confirms that the call is ended"),
        ("rang", "it was ringing"),
        (
            "progress",
            "the call had got this far; that it rings is not said",
        ),
    ],
    explains: &["ring-no-answer"],
    check,
    ..Rule::PLAIN
};

/// Nobody hangs up sooner than this, nanoseconds.
const BY_HAND: i64 = 400_000_000;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    // On a further leg the back-to-back user agent cancels, because it was asked to or on its own.
    if call.outcome != Outcome::Cancelled
        || call.method != Method::Invite
        || context.whole.is_some()
    {
        return;
    }
    let Some(cancel) = outcome::callers_cancel(call) else {
        return;
    };
    let Some(index) = call.messages.iter().position(|m| std::ptr::eq(m, cancel)) else {
        return;
    };
    let reasons = typed::reasons(cancel.message());
    if reasons.iter().any(names_another) || timer(call, cancel).is_some() {
        return;
    }
    let Some(request) = call.request() else {
        return;
    };
    let ringing = call.first_sign(|m| call.is_of_beginning(m));
    let since = ringing.map_or(request, |(_, m)| m);
    let waited = cancel
        .time()
        .zip(since.time())
        .map(|(end, start)| end - start);
    let confidence = if reasons.iter().any(names_caller) {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let at_once = ringing.is_none() && waited.is_some_and(|waited| waited < BY_HAND);
    let acts = if at_once { Acts::Caller } else { Acts::Nobody };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    finding.element(sender(cancel));
    if let Some(waited) = waited {
        finding.args(Args::new().duration("waited", waited));
    }
    let sign = ringing.and_then(|(_, m)| m.head.code()).unwrap_or(180);
    finding.args(Args::new().code("sign", sign));
    match (waited, ringing) {
        (Some(_), Some(_)) if sign != 180 => drop(finding.why("why-progress")),
        (None, Some(_)) if sign != 180 => drop(finding.why("why-untimed-progress")),
        (Some(_), Some(_)) => {}
        (Some(_), None) if at_once => {
            finding.why("why-before-ringing").fix("fix-machine");
        }
        (Some(_), None) => {
            finding.why("why-before-ringing").fix("fix-before-ringing");
        }
        (None, Some(_)) => {
            finding.why("why-untimed");
        }
        (None, None) => {
            finding.why("why-untimed-before").fix("fix-before-ringing");
        }
    }
    if let Some((at, m)) = ringing {
        let shown = if sign == 180 { "rang" } else { "progress" };
        finding.proof(Evidence::start_line(at, m, note(shown)));
    }
    let from = Args::new().text("element", sender(cancel));
    finding.proof(Evidence::start_line(
        index,
        cancel,
        Template::new("cancel", from),
    ));
    if confidence == Confidence::Certain {
        finding.proof(Evidence::header(index, cancel, "Reason", note("reason")));
    }
    let mut handed_on = call.requests(Method::Cancel);
    if let Some((at, untrue)) = handed_on.find(|(_, m)| says_so(m)) {
        finding.proof(Evidence::header(at, untrue, "Reason", note("untrue")));
    }
    if let Some((at, terminated)) = super::super::finding::deciding(call) {
        finding.proof(Evidence::start_line(at, terminated, note("confirmed")));
    }
}

// The CANCEL says that somebody else answered, or that something other than the caller ended it.
fn names_another(reason: &typed::Reason) -> bool {
    match reason.protocol.to_ascii_uppercase().as_str() {
        "SIP" => reason.cause.is_some_and(|cause| cause != 487),
        "Q.850" => reason
            .cause
            .is_some_and(|cause| !matches!(cause, 0 | 16 | 31)),
        _ => false,
    }
}

// FreeSWITCH writes ORIGINATOR_CANCEL; a phone of a mobile network its own cause 1, "user ends call".
fn names_caller(reason: &typed::Reason) -> bool {
    let text = reason.text.as_deref().unwrap_or_default();
    text.eq_ignore_ascii_case("ORIGINATOR_CANCEL")
        || (reason.protocol.eq_ignore_ascii_case("RELEASE_CAUSE") && reason.cause == Some(1))
}
