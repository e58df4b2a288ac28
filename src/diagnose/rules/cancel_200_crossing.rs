//! K5: answer and CANCEL crossed on the wire.

use super::super::finding::{Evidence, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "cancel-200-crossing",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    rfc: &[(3261, "9.1"), (3261, "15"), (5407, "3.1.2")],
    title: "the answer crossed the CANCEL of the caller",
    why: "the caller cancelled, {element} answered {code} {after} later, because its answer was already on the way, and the caller never acknowledged it: the callee sat in a call that nobody was in, until it gave up",
    fix: "Correct the calling side: whoever gets a 2xx after its CANCEL has to send ACK and then BYE at once. Until then the called phone shows a call with nobody in it.",
    sentences: &[
        (
            "why-no-bye",
            "the caller cancelled, {element} answered {code} {after} later, and the calling side acknowledged it without hanging up: the call stayed up although the caller had given up",
        ),
        (
            "why-clean",
            "the caller cancelled, {element} answered {code} {after} later, because its answer was already on the way; the calling side acknowledged it and hung up at once, as it has to",
        ),
        (
            "fix-clean",
            "Leave it as it is: both sides did what the protocol asks of them.",
        ),
        ("cancel", "the caller gives up"),
        ("answer", "the answer that crossed it"),
        ("silence", "no ACK for it was seen"),
        ("acknowledged", "acknowledged"),
        ("no-bye", "no BYE from the caller"),
        ("hung-up", "ended at once"),
    ],
    explains: &["2xx-not-acked"],
    check,
    ..Rule::PLAIN
};

// Was another INVITE of the caller answered into the same dialog, and not stopped? Then the caller
// is in it (RFC 3261 §12).
fn lives_on(call: &Call, crossed: &Stored) -> bool {
    let cancels = call.cancels();
    let stopped = |m: &Stored| {
        let invite = cancels.iter().filter_map(|cancel| cancel.invite);
        let mut requests = invite.filter_map(|t| call.messages.get(t.request()?));
        requests.any(|request| request.keys.transaction == m.keys.transaction)
    };
    let answered = |m: &Stored| m.head.code().is_some_and(|code| (200..300).contains(&code));
    call.originals().any(|(_, m)| {
        answered(m)
            && call.is_of_beginning(m)
            && m.keys.to_tag == crossed.keys.to_tag
            && !stopped(m)
    })
}

/// An answer that is seen this long before the CANCEL may still have crossed it, nanoseconds.
const CROSSES: i64 = SECOND / 2;
/// A calling side that hangs up later than this did not do it because of the CANCEL, nanoseconds.
const AT_ONCE: i64 = 5 * SECOND;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || !call.has_cancel() {
        return;
    }
    let crossed = call.cancels().into_iter().find_map(|cancel| {
        let (at, answer) = call.answer_in(cancel.invite?, 200..=299)?;
        let own = outcome::callers_cancel(call).is_some_and(|c| std::ptr::eq(c, cancel.message));
        (own && !lives_on(call, answer)).then_some((cancel, at, answer))
    });
    let Some((cancel, at, answer)) = crossed else {
        return;
    };
    let (Some(answered), Some(cancelled)) = (answer.time(), cancel.message.time()) else {
        return;
    };
    if answered < cancelled - CROSSES {
        return;
    }
    let ack = outcome::acknowledgement(call, answer);
    let side = call.side(cancel.message);
    let since = answered.max(cancelled);
    let bye = call.requests(Method::Bye).find(|(_, m)| {
        call.side(m) == side && m.time().is_some_and(|time| time - since <= AT_ONCE)
    });
    let waited = call.seen_until.is_some_and(|now| now >= since + AT_ONCE);
    let unacknowledged = call
        .finals
        .iter()
        .position(|f| f.message == at)
        .is_some_and(|index| outcome::never_acknowledged(call, index));
    let (severity, role, acts, why, fix) = match (ack, bye) {
        (Some(_), Some(_)) => (
            Severity::Info,
            Role::Contributing,
            Acts::Nobody,
            "why-clean",
            "fix-clean",
        ),
        (Some(_), None) if waited => (
            Severity::Warning,
            Role::Contributing,
            Acts::Caller,
            "why-no-bye",
            "fix",
        ),
        (None, _) if unacknowledged && call.outcome != Outcome::Succeeded => {
            (Severity::Error, Role::Cause, Acts::Caller, "why", "fix")
        }
        _ => return,
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) else {
        return;
    };
    finding.element(sender(answer)).why(why).fix(fix);
    finding.args(
        Args::new()
            .code("code", answer.head.code().unwrap_or(200))
            .duration("after", (answered - cancelled).max(0)),
    );
    finding.proof(Evidence::start_line(
        cancel.index,
        cancel.message,
        note("cancel"),
    ));
    finding.proof(Evidence::start_line(at, answer, note("answer")));
    let absent = |id| Evidence::Absence {
        message: at,
        from: answered,
        until: call.seen_until.unwrap_or(answered),
        note: note(id),
    };
    let find = |wanted: &Stored| call.originals().find(|(_, m)| std::ptr::eq(*m, wanted));
    match ack.and_then(find) {
        Some((at, ack)) => finding.proof(Evidence::start_line(at, ack, note("acknowledged"))),
        None => finding.proof(absent("silence")),
    };
    match bye {
        Some((at, bye)) => finding.proof(Evidence::start_line(at, bye, note("hung-up"))),
        None if why == "why-no-bye" => finding.proof(absent("no-bye")),
        None => finding,
    };
}
