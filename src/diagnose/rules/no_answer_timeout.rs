//! K2: a timer, not the caller, ended the ringing.

use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::{
    Acts, Args, Causes, Confidence, Context, Finding, Findings, Frequency, Need, Role, Rule,
    Severity,
};
use crate::message::field::Field;
use crate::message::{Method, typed};
use crate::session::clock::SECOND;
use crate::session::{Call, Cancel, Outcome, Stored, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "no-answer-timeout",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[Need::Time],
    codes: &[408, 480, 487],
    causes: &[("Q.850", Causes::Only(&[18, 19, 102]))],
    rfc: &[(3261, "9.1"), (3261, "16.8"), (3261, "13.3.1")],
    title: "a ring timer ended the call",
    why: "it rang for {ring}, then {element} sent CANCEL to the called side, without having been asked to by the caller: its own ring time was over",
    fix: "Leave it as it is if {ring} is the ring time that is wanted. If callers should reach somebody after that, set up voicemail or a further destination at {element}; if it is too short, raise its ring or answer timeout.",
    sentences: &[
        (
            "why-went-on",
            "it rang for {ring}, then {element} sent CANCEL there, without having been asked to by the caller, and went on to another destination",
        ),
        (
            "why-reason",
            "the calling side sent CANCEL after {ring} and says in Reason that a timer ended it ({said}): nobody hung up",
        ),
        (
            "why-expires",
            "the INVITE was to hold for {expires} seconds (Expires), and after that time the calling side cancelled it: nobody hung up",
        ),
        (
            "why-round",
            "the calling side sent CANCEL {ring} after the ringing or the call began, which is so exactly a usual ring time that a timer did it rather than a person",
        ),
        (
            "why-expired",
            "the INVITE was to hold for {expires} seconds (Expires), and after that time {element} ended it with 487, as it has to; nobody sent CANCEL",
        ),
        (
            "why-487",
            "it rang for {ring}, then {element} ended the call with 487 although nobody on this hop had cancelled it: a ring time ran out there or behind it, or the call was cancelled on a hop that is not in the capture",
        ),
        (
            "why-progress",
            "{element} sent CANCEL to the called side {ring} after a {sign} from there, without having been asked to by the caller: its own time for an answer was over",
        ),
        (
            "why-went-on-progress",
            "{element} sent CANCEL to the called side {ring} after a {sign} from there, without having been asked to by the caller, and went on to another destination",
        ),
        (
            "why-487-progress",
            "{element} ended the call with 487 {ring} after a {sign}, although nobody on this hop had cancelled it: a time for an answer ran out there or behind it, or the call was cancelled on a hop that is not in the capture",
        ),
        (
            "fix-caller",
            "Leave it as it is if this ring time is wanted; otherwise raise the dial or ring timeout on the calling side ({element}).",
        ),
        (
            "fix-expired",
            "Leave it as it is if this time is wanted; otherwise raise Expires of the INVITE (the dial or ring timeout) on the calling side ({caller}).",
        ),
        ("rang", "it begins to ring"),
        (
            "progress",
            "the call had got this far; that it rings is not said",
        ),
        ("cancel", "{element} gives up"),
        ("answer", "what the caller is told"),
        ("reason", "the reason that the CANCEL gives"),
        ("expires", "how long the INVITE was to hold"),
    ],
    explains: &["ring-no-answer", "408-origin", "dest-unavailable-480"],
    check,
    ..Rule::PLAIN
};

/// Ring times that PBXs and phones are often set to, in seconds (estimate of the rule catalogue).
const TIMERS: [i64; 12] = [10, 15, 20, 25, 30, 40, 45, 50, 60, 90, 120, 180];
/// A timer is no further off than this, the way of the messages included, nanoseconds.
const EXACT: i64 = SECOND / 20;
/// An answer to the caller belongs to a CANCEL that is no further away, nanoseconds.
const TOGETHER: i64 = 2 * SECOND;

/// What shows that a timer sent the CANCEL of the calling side.
pub(super) enum Timer {
    /// Its Reason.
    Reason,
    /// Expires of the INVITE, seconds.
    Expires(i64),
    /// A time as they are set.
    Round,
}

/// Did a timer send this CANCEL of the calling side?
pub(super) fn timer(call: &Call, cancel: &Stored) -> Option<Timer> {
    let speaks = |r: &typed::Reason| match r.protocol.to_ascii_uppercase().as_str() {
        "SIP" => matches!(r.cause, Some(408 | 480)),
        "Q.850" => matches!(r.cause, Some(18 | 19 | 102)),
        _ => false,
    };
    if typed::reasons(cancel.message()).iter().any(speaks) {
        return Some(Timer::Reason);
    }
    let (request, end) = (call.request()?, cancel.time()?);
    let begun = end - request.time()?;
    if let Some(expires) = expires(call, request)
        && (begun - expires * SECOND).abs() <= SECOND
    {
        return Some(Timer::Expires(expires));
    }
    let rung = call.ringing().and_then(Stored::time).map(|time| end - time);
    let is_round = |waited: i64| {
        TIMERS
            .iter()
            .any(|timer| (waited - timer * SECOND).abs() <= EXACT)
    };
    let round = rung.is_some() && (is_round(begun) || rung.is_some_and(is_round));
    round.then_some(Timer::Round)
}

fn expires(call: &Call, request: &Stored) -> Option<i64> {
    let index = call
        .messages
        .iter()
        .position(|m| std::ptr::eq(m, request))?;
    let value = call.fields(index).text(Field::Expires)?;
    value
        .trim()
        .parse::<i64>()
        .ok()
        .filter(|expires| (1..=3600).contains(expires))
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    // A further leg is looked at together with the first.
    if call.method != Method::Invite || context.whole.is_some() || !call.has_beginning() {
        return;
    }
    match call.outcome {
        Outcome::Cancelled => by_caller(call, found),
        Outcome::Failed if call.code() == Some(487) => without_cancel(call, found),
        Outcome::Unfinished | Outcome::TimedOut => {}
        _ => in_between(call, found),
    }
}

// The calling side cancels, and shows that no person did.
fn by_caller(call: &Call, found: &mut Findings) {
    let Some(cancel) = outcome::callers_cancel(call) else {
        return;
    };
    let Some(timer) = timer(call, cancel) else {
        return;
    };
    let Some((index, _)) = call.originals().find(|(_, m)| std::ptr::eq(*m, cancel)) else {
        return;
    };
    let confidence = match timer {
        Timer::Round => Confidence::Likely,
        _ => Confidence::Certain,
    };
    let Some(finding) = found.add(confidence, Acts::Nobody) else {
        return;
    };
    let sign = call.first_sign(|m| call.is_of_beginning(m));
    let since = sign.map(|(_, m)| m).or_else(|| call.request());
    finding.element(sender(cancel)).fix("fix-caller");
    show_ring(finding, call, since, cancel.time());
    let from = Args::new().text("element", sender(cancel));
    finding.proof(Evidence::start_line(
        index,
        cancel,
        Template::new("cancel", from),
    ));
    match timer {
        Timer::Reason => {
            let said = cancel.message().text("Reason").unwrap_or_default();
            finding.args(Args::new().text("said", said));
            finding.why("why-reason");
            finding.proof(Evidence::header(index, cancel, "Reason", note("reason")));
        }
        Timer::Expires(seconds) => {
            finding.why("why-expires");
            show_expires(finding, call, seconds);
        }
        Timer::Round => {
            finding.why("why-round");
        }
    }
}

// 487 though nobody cancelled: the INVITE ran out, or somebody further on ended it.
fn without_cancel(call: &Call, found: &mut Findings) {
    let Some((index, response)) = deciding(call).filter(|_| !call.has_cancel()) else {
        return;
    };
    let (rang, end) = (call.rang(response), response.time());
    let begun = call
        .asked(response)
        .and_then(|(_, m)| Some(end? - m.time()?));
    let held = call.request().and_then(|request| expires(call, request));
    let ran_out = held
        .zip(begun)
        .filter(|(held, begun)| (begun - held * SECOND).abs() <= SECOND);
    let confidence = match (ran_out, rang) {
        (Some(_), _) => Confidence::Certain,
        (None, Some(_)) => Confidence::Likely,
        (None, None) => return,
    };
    let Some(finding) = found.add(confidence, Acts::Nobody) else {
        return;
    };
    finding.element(sender(response)).why(match rang {
        Some((_, sign)) if !sign.head.rings() => "why-487-progress",
        _ => "why-487",
    });
    let since = rang.map(|(_, m)| m).or_else(|| call.request());
    show_ring(finding, call, since, end);
    if let Some((seconds, _)) = ran_out {
        let caller = call.request().map(sender).unwrap_or_default();
        finding.why("why-expired").fix("fix-expired");
        finding.args(Args::new().text("caller", caller));
        show_expires(finding, call, seconds);
    }
    finding.proof(Evidence::start_line(index, response, note("answer")));
}

// Somebody between caller and callee stops the ringing on his own.
fn in_between(call: &Call, found: &mut Findings) {
    let some_cancel = call.all_legs().any(Call::has_cancel);
    if !some_cancel || outcome::callers_cancel(call).is_some() {
        return;
    }
    let stopped = call.all_legs().enumerate().find_map(|(number, leg)| {
        let mut cancels = leg.cancels().into_iter();
        cancels.find_map(|cancel| Some((number, leg, cancel, stops_ringing(call, leg, &cancel)?)))
    });
    let Some((number, leg, cancel, (rang_at, rang))) = stopped else {
        return;
    };
    let near = |m: &Stored| {
        let gap = m
            .time()
            .zip(cancel.message.time())
            .map(|(a, b)| (a - b).abs());
        gap.is_some_and(|gap| gap <= TOGETHER)
    };
    let stopper = cancel.message.stamp.sender();
    let told = deciding(call).filter(|(_, m)| near(m) && m.stamp.sender().is(stopper));
    let decides = call.outcome != Outcome::Succeeded && told.is_some();
    let role = if decides {
        Role::Cause
    } else {
        Role::Contributing
    };
    let Some(finding) = found.add_as(role, Confidence::Certain, Acts::Nobody) else {
        return;
    };
    finding.leg = number;
    finding.element(sender(cancel.message));
    let ring = cancel
        .message
        .time()
        .zip(rang.time())
        .map(|(end, start)| end - start);
    finding.args(
        Args::new()
            .duration("ring", ring.unwrap_or(0))
            .code("sign", rang.head.code().unwrap_or(180)),
    );
    finding.why(match (decides, rang.head.rings()) {
        (true, true) => "why",
        (true, false) => "why-progress",
        (false, true) => "why-went-on",
        (false, false) => "why-went-on-progress",
    });
    finding.proof(Evidence::start_line(rang_at, rang, note(sign(rang))));
    let from = Args::new().text("element", sender(cancel.message));
    finding.proof(Evidence::start_line(
        cancel.index,
        cancel.message,
        Template::new("cancel", from),
    ));
    if let Some((at, answer)) = told.filter(|_| std::ptr::eq(leg, call)) {
        finding.proof(Evidence::start_line(at, answer, note("answer")));
    }
}

// The ringing that a CANCEL stops, where nobody asked its sender to and nobody else took the call.
fn stops_ringing<'a>(
    call: &Call,
    leg: &'a Call,
    cancel: &Cancel<'a>,
) -> Option<(usize, &'a Stored)> {
    let at = cancel.message.time()?;
    let mut finals = call.all_legs().flat_map(|leg| {
        leg.finals
            .iter()
            .filter_map(|f| leg.messages.get(f.message))
    });
    // A 2xx or 6xx of another branch ends the others (RFC 3261 §16.7 items 5 and 10).
    let elsewhere = finals.any(|m| {
        m.head.method == Method::Invite
            && matches!(m.head.code(), Some(200..=299 | 600..=699))
            && m.time().is_some_and(|time| time <= at)
    });
    if cancel.passed_on || elsewhere {
        return None;
    }
    let invite = cancel.invite?;
    leg.answer_in(invite, 180..=180)
        .or_else(|| leg.answer_in(invite, 181..=189))
}

fn sign(provisional: &Stored) -> &'static str {
    match provisional.head.rings() {
        true => "rang",
        false => "progress",
    }
}

fn show_ring(finding: &mut Finding, call: &Call, since: Option<&Stored>, end: Option<i64>) {
    let Some(since) = since else { return };
    let ring = since.time().zip(end).map_or(0, |(start, end)| end - start);
    let code = since.head.code().unwrap_or(180);
    finding.args(Args::new().duration("ring", ring).code("sign", code));
    let shown = call.originals().find(|(_, m)| std::ptr::eq(*m, since));
    if let Some((at, rang)) = shown.filter(|(_, m)| !m.head.is_request()) {
        finding.proof(Evidence::start_line(at, rang, note(sign(rang))));
    }
}

fn show_expires(finding: &mut Finding, call: &Call, seconds: i64) {
    let seconds = usize::try_from(seconds).unwrap_or(0);
    finding.args(Args::new().count("expires", seconds));
    let request = call
        .request()
        .and_then(|request| call.originals().find(|(_, m)| std::ptr::eq(*m, request)));
    if let Some((at, request)) = request {
        finding.proof(Evidence::header(at, request, "Expires", note("expires")));
    }
}
