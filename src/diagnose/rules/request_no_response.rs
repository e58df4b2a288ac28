//! T1: a request was never answered at all.

use super::super::finding::{Evidence, Template, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Need, Rule, Severity};
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "request-no-response",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "17.1.1.2"), (3261, "17.1.2.2")],
    title: "{element} never answered",
    why: "{method} was sent to {element} {copies} times over {span} and nothing came back, not even a provisional answer: it does not arrive there, nobody listens there, or the answers do not find the way back",
    fix: "Check from the sender whether {element} is up and listens on this port and transport; then capture at {element}. If the request arrives there, its answers are sent elsewhere or dropped on the way back (NAT, firewall, wrong Via); if it does not arrive, a firewall or a wrong address or port stops it.",
    sentences: &[
        (
            "why-relayed",
            "{method} was sent on to {element} {copies} times over {span} and nothing came back; the {code} that the caller got was made by {sender}, which gave up waiting",
        ),
        (
            "fix-relayed",
            "Check whether {element} is still the right destination, is up and can be reached from {sender}: routing table, dispatcher or registration at {sender}, then the network between them. The timer of {sender} is not the problem.",
        ),
        ("sent", "sent {copies} times, the same every time"),
        (
            "why-once",
            "{method} was sent to {element} and nothing came back, not even a provisional answer: it does not arrive there, nobody listens there, or the answers do not find the way back",
        ),
        ("sent-once", "sent once"),
        (
            "why-received",
            "{method} from {sender} arrived {copies} times over {span} at {element}, and the log shows no answer that was sent: the request was taken and its handling hangs, or it was dropped on purpose",
        ),
        (
            "fix-received",
            "Look at what {element} logged around the first of these messages: what it drops without an answer is often a request from an address that it does not know, or one that a filter or a limit refuses. If it did answer, the log leaves that out: record both directions there.",
        ),
        ("silence", "no answer from {element}"),
        ("gave-up", "what {sender} made of it"),
    ],
    check,
    ..Rule::PLAIN
};

/// Copies that a sender makes until Timer B or F fires (RFC 3261 §17.1.1.2, §17.1.2.2), fewer by
/// those that a capture may lose.
const ENOUGH: usize = 5;

/// A request that nobody answered.
pub(super) struct Silence<'c> {
    /// Its index, on the last hop that it reached.
    pub(super) index: usize,
    pub(super) request: &'c Stored,
    /// How often it was sent, and over how many nanoseconds.
    pub(super) copies: usize,
    pub(super) span: i64,
    /// How sure it is that no answer came.
    pub(super) confidence: Confidence,
    /// The answer that its sender made of it.
    pub(super) gave_up: Option<(usize, &'c Stored)>,
}

/// The silence that decided a call.
pub(super) fn silence<'c>(call: &'c Call, context: &Context<'_>) -> Option<Silence<'c>> {
    let relayed =
        call.outcome == Outcome::Failed && matches!(call.code(), Some(408 | 503 | 504 | 500 | 480));
    if call.outcome != Outcome::TimedOut && !relayed {
        return None;
    }
    let (index, request, copies) = unanswered(call)?;
    let gave_up = super::super::finding::deciding(call)
        .filter(|(_, m)| relayed && made_by_sender(m, request));
    if relayed && gave_up.is_none() {
        return None;
    }
    let from = request.time()?;
    // The log of the system that was asked knows itself, not its address.
    let received = request.stamp.sent == Some(false);
    if request.stamp.destination.is_none() && !received {
        return None;
    }
    let last = call
        .messages
        .iter()
        .filter(|m| m.keys.repeat == request.keys.repeat)
        .filter_map(Stored::time)
        .max();
    let span = last.unwrap_or(from) - from;
    let confidence = confidence(call, request, copies, context, gave_up.is_some())?;
    Some(Silence {
        index,
        request,
        copies,
        span,
        confidence,
        gave_up,
    })
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some(silence) = silence(call, context) else {
        return;
    };
    let Silence {
        index,
        request,
        copies,
        span,
        gave_up,
        ..
    } = silence;
    let received = request.stamp.sent == Some(false);
    let from = request.time().unwrap_or(0);
    let confidence = if found.has("capture-one-sided") {
        Confidence::Possible
    } else {
        silence.confidence
    };
    let Some(finding) = found.add(confidence, Acts::Network) else {
        return;
    };
    let (sender, element) = (sender(request), receiver(request));
    finding.element(element.clone()).args(
        Args::new()
            .text("method", request.message().method_name())
            .count("copies", copies)
            .duration("span", span)
            .text("sender", sender.clone())
            .code("code", call.code().unwrap_or(0)),
    );
    let sent = if copies == 1 {
        finding.why("why-once");
        note("sent-once")
    } else {
        Template::new("sent", Args::new().count("copies", copies))
    };
    finding.proof(Evidence::start_line(index, request, sent));
    let silence = Template::new("silence", Args::new().text("element", element));
    let until = gave_up
        .and_then(|(_, m)| m.time())
        .or(call.seen_until)
        .unwrap_or(from + span);
    finding.proof(Evidence::Absence {
        message: index,
        from,
        until,
        note: silence,
    });
    if received {
        finding.why("why-received").fix("fix-received");
    }
    if let Some((at, answer)) = gave_up {
        finding.why("why-relayed").fix("fix-relayed");
        finding.proof(Evidence::start_line(
            at,
            answer,
            Template::new("gave-up", Args::new().text("sender", sender)),
        ));
    }
}

// The request of the beginning that nobody answered on its hop, furthest from the caller, and
// how often it was sent.
fn unanswered(call: &Call) -> Option<(usize, &Stored, usize)> {
    let asked = call
        .originals()
        .filter(|(_, m)| m.head.is_request() && call.is_of_beginning(m));
    let silent = asked.filter(|(_, m)| {
        !call
            .messages
            .iter()
            .any(|r| !r.head.is_request() && r.keys.transaction == m.keys.transaction)
    });
    let (index, request) = silent.max_by_key(|(index, m)| (m.head.vias, *index))?;
    let copies = call
        .messages
        .iter()
        .filter(|m| m.keys.repeat == request.keys.repeat && !is_duplicate(m))
        .count();
    Some((index, request, copies))
}

fn is_duplicate(stored: &Stored) -> bool {
    stored
        .copy
        .is_some_and(|copy| copy.kind == crate::session::CopyKind::Duplicate)
}

fn made_by_sender(answer: &Stored, request: &Stored) -> bool {
    answer.keys.transaction != request.keys.transaction
        && answer.stamp.sender().is(request.stamp.sender())
}

// Copies to the end of the timer prove that the sender got nothing. Otherwise the capture must
// show that something towards the sender could be seen.
fn confidence(
    call: &Call,
    request: &Stored,
    copies: usize,
    context: &Context<'_>,
    gave_up: bool,
) -> Option<Confidence> {
    let reliable = request
        .stamp
        .transport
        .is_some_and(crate::layers::Transport::is_reliable);
    let from = request.time()?;
    let visible = context.view.towards(request.stamp.sender(), from);
    if !reliable && copies >= ENOUGH && follows_timer(call, request) {
        // The log of the system that was asked may hold only what it received.
        return Some(match request.stamp.sent {
            Some(false) if !visible => Confidence::Likely,
            _ => Confidence::Certain,
        });
    }
    // Over UDP a sender without an answer sends again: one that does not may have had one.
    if !reliable && copies < 2 {
        return visible.then_some(Confidence::Possible);
    }
    match visible {
        true if gave_up && copies >= 2 => Some(Confidence::Certain),
        true => Some(Confidence::Likely),
        false => None,
    }
}

// INVITE doubles from T1 on without limit; others double up to T2 = 4 s (RFC 3261 §17.1).
fn follows_timer(call: &Call, request: &Stored) -> bool {
    let times: Vec<i64> = call
        .messages
        .iter()
        .filter(|m| m.keys.repeat == request.keys.repeat && !is_duplicate(m))
        .filter_map(Stored::time)
        .collect();
    let gaps: Vec<i64> = times
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)? - pair.first()?))
        .collect();
    let limit = if request.head.method == Method::Invite {
        i64::MAX
    } else {
        4 * SECOND
    };
    let grows = |pair: &[i64]| match pair {
        [a, b] => {
            let wanted = a.saturating_mul(2).min(limit);
            (b - wanted).abs() <= wanted / 4 + SECOND / 10
        }
        _ => false,
    };
    gaps.len() + 1 >= ENOUGH && gaps.windows(2).all(grows)
}
