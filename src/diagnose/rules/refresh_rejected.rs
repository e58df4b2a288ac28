//! T11: the request that was to refresh the session was refused or ignored.

use super::super::finding::{Evidence, Finding, Template, Value, note, receiver, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::Method;
use crate::message::field::Field;
use crate::session::clock::SECOND;
use crate::session::entry::TRANSACTION;
use crate::session::{Call, Outcome, Side, Stored, Transaction};

/// The rule.
pub static RULE: Rule = Rule {
    id: "refresh-rejected",
    severity: Severity::Warning,
    frequency: Frequency::High,
    needs: &[Need::Time],
    rfc: &[(4028, "10"), (4028, "7.4"), (3261, "14.1")],
    title: "the refresh of the session failed: {code}",
    why: "{sender} refreshed the session with {method}, {after} after it was set up, and {element} answered {code}: {meaning}; nothing refreshed it later, so the session expires",
    fix: "Let {element} accept a refresh by {method}, which changes nothing. If it cannot, agree on the other method for refreshes (a re-INVITE in place of UPDATE, or the other way), or switch session timers off between the two.",
    sentences: &[
        (
            "why-silent",
            "{sender} refreshed the session with {method}, {after} after it was set up, and got no final answer from {element}; nothing refreshed it later, so the session expires",
        ),
        (
            "fix-silent",
            "Check whether requests inside a call reach {element} from {sender}: they go to its Contact and along the Record-Route, which may be another way than that of the INVITE. If they arrive, see why {element} does not answer {method}.",
        ),
        ("refresh", "the refresh"),
        ("refresh-times", "the refresh, sent {copies} times"),
        ("refused", "refused"),
        ("silence", "no final answer"),
        ("ended", "the end of the call"),
    ],
    explains: &[
        "session-timer-expired",
        "reinvite-rejected-session-survives",
    ],
    confirm: "a capture at {element} that shows the refresh arriving",
    check,
    ..Rule::PLAIN
};

/// Copies that show that nothing comes back.
const ENOUGH: usize = 5;

/// A refresh that failed.
struct Failed<'a> {
    index: usize,
    request: &'a Stored,
    transaction: &'a Transaction,
    /// The refusal; none for silence.
    refusal: Option<(usize, &'a Stored)>,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    // Most calls hold no request inside the dialog but their BYE.
    let may_refresh = |t: &Transaction| matches!(t.method, Method::Invite | Method::Update);
    if call.method != Method::Invite
        || call
            .transactions()
            .iter()
            .filter(|t| may_refresh(t))
            .nth(1)
            .is_none()
    {
        return;
    }
    let Some(failed) = failed(call) else { return };
    let confidence = match failed.refusal {
        Some(_) => Confidence::Certain,
        None => Confidence::Likely,
    };
    let confidence = match failed.refusal.is_none() && found.has("capture-one-sided") {
        true => Confidence::Possible,
        false => confidence,
    };
    let acts = match (call.side(failed.request), failed.refusal) {
        (_, None) => Acts::Network,
        (Some(Side::Callee), _) => Acts::Caller,
        _ => Acts::Callee,
    };
    let (severity, role) = match call.outcome {
        Outcome::Succeeded => (Severity::Warning, Role::Contributing),
        _ => (Severity::Warning, Role::Cause),
    };
    if let Some(finding) = found.add_with(severity, role, confidence, acts) {
        tell(call, &failed, finding);
    }
}

fn failed(call: &Call) -> Option<Failed<'_>> {
    let accepted = |from: i64| {
        call.originals().any(|(_, m)| {
            matches!(m.head.method, Method::Invite | Method::Update)
                && m.head.code().is_some_and(|code| (200..300).contains(&code))
                && m.time().is_some_and(|time| time > from)
        })
    };
    let refreshes = call.refreshes().into_iter().rev();
    refreshes
        .filter_map(|transaction| {
            let index = transaction.request()?;
            let request = call.messages.get(index)?;
            let at = request.time()?;
            let timed =
                call.fields(index).has(Field::SessionExpires) || call.interval_at(at).is_some();
            if !timed || accepted(at) {
                return None;
            }
            let refusal = match transaction.finals.first() {
                Some(&answer) => Some((answer, refused(call, answer)?)),
                None if is_ignored(call, transaction, at) => None,
                None => return None,
            };
            Some(Failed {
                index,
                request,
                transaction,
                refusal,
            })
        })
        .next()
}

// A refusal that nobody met: a challenge or a glare is followed by another attempt.
fn refused(call: &Call, answer: usize) -> Option<&Stored> {
    let response = call.finals.iter().find(|f| f.message == answer)?;
    let met = response
        .step
        .is_some_and(|step| step != crate::session::Step::Relayed);
    let stored = call.messages.get(answer)?;
    (response.code >= 300 && response.code != 491 && !met).then_some(stored)
}

// Repeated to the end without an answer, or taken over and never answered.
fn is_ignored(call: &Call, transaction: &Transaction, at: i64) -> bool {
    let until = call.bye().and_then(Stored::time).or(call.seen_until);
    let waited = until.is_some_and(|until| until >= at + (TRANSACTION - 2) * SECOND);
    let silent = transaction.provisionals.is_empty() && transaction.sends.len() >= ENOUGH;
    let pending = !transaction.provisionals.is_empty();
    waited && (silent || pending)
}

fn tell(call: &Call, failed: &Failed<'_>, finding: &mut Finding) {
    let request = failed.request;
    let at = request.time().unwrap_or(0);
    let since = call.interval_at(at).map(|interval| interval.at);
    let since = since.or_else(|| call.answer().and_then(Stored::time));
    let code = failed.refusal.and_then(|(_, m)| m.head.code());
    let method = match request.head.method {
        Method::Invite => "re-INVITE",
        _ => "UPDATE",
    };
    let element = match failed.refusal {
        Some((_, refusal)) => sender(refusal),
        None => receiver(request),
    };
    finding.element(element).args(
        Args::new()
            .text("sender", sender(request))
            .text("method", method)
            .duration("after", since.map_or(0, |since| at - since))
            .said("meaning", meaning(code.unwrap_or(0)))
            .with("code", code.map_or(Value::Said("no answer"), Value::Code)),
    );
    let copies = failed.transaction.sends.len();
    let sent = match copies {
        ..=1 => note("refresh"),
        _ => Template::new("refresh-times", Args::new().count("copies", copies)),
    };
    finding.proof(Evidence::start_line(failed.index, request, sent));
    match failed.refusal {
        Some((index, refusal)) => {
            finding.proof(Evidence::start_line(index, refusal, note("refused")));
        }
        None => {
            let until = call.bye().and_then(Stored::time).or(call.seen_until);
            finding.why("why-silent").fix("fix-silent");
            finding.proof(Evidence::Absence {
                message: failed.index,
                from: at,
                until: until.unwrap_or(at).max(at + 1),
                note: note("silence"),
            });
        }
    }
    if let Some((index, bye)) = call.requests(Method::Bye).next() {
        finding.proof(Evidence::start_line(index, bye, note("ended")));
    }
}

// What the code says of a refresh.
fn meaning(code: u16) -> &'static str {
    match code {
        401 | 407 => "it asks for a password inside the call, and none was sent",
        404 | 480 => "it does not know where to send it any more",
        405 | 501 => "it does not know this method",
        408 | 504 => "somebody behind it did not answer",
        415 | 488 | 606 => {
            "it does not take the session description, though nothing in it has changed"
        }
        422 => "it wants a longer interval",
        481 => "it does not know this call any more",
        500..=599 => "its handling of the refresh failed",
        _ => "it does not accept the refresh",
    }
}
