//! T9: a call was cut because nobody refreshed its session in time.

use super::super::finding::{Evidence, Finding, Template, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity,
};
use crate::message::field::Field;
use crate::message::{Method, typed};
use crate::session::clock::SECOND;
use crate::session::refresh::Interval;
use crate::session::{Call, Outcome, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "session-timer-expired",
    severity: Severity::Warning,
    frequency: Frequency::High,
    needs: &[Need::Time],
    rfc: &[(4028, "10"), (4028, "7.2"), (4028, "9")],
    title: "the call was cut because its session was not refreshed",
    why: "a session interval of {interval} s was agreed, and {element} had to refresh it; no refresh was seen, and {after} after the last one {sender} hung up, as a side does that waits for a refresh ({due} s)",
    fix: "Let {element} send the refresh that it agreed to, a re-INVITE or UPDATE after half of the interval; an update of its software may be needed. Until it does, switch session timers off on one side, or let the other side be the refresher. If it does send them, look for what stops them before they come here.",
    sentences: &[
        (
            "why-end",
            "a session interval of {interval} s was agreed, and {element} had to refresh it; no refresh was seen, and when the interval was over, {after} after the last one, {sender} hung up",
        ),
        (
            "why-said",
            "{sender} hung up {after} after the session was set up or refreshed last and says itself that its session timer ran out; the interval agreed is {interval} s, and {element} had to refresh it",
        ),
        ("agreed", "the interval, and who has to refresh it"),
        ("silence", "no refresh in this time"),
        ("hung-up", "the side that waited hangs up"),
        ("reason", "what it says itself"),
    ],
    explains: &["fixed-duration-drop"],
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk: `timers=no` on the endpoint switches them off, `timers_sess_expires=` sets the interval.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH: `enable-timer` in the profile (false switches them off), `session-timeout` sets the interval.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// What a timer may be off by, nanoseconds.
const MARGIN: i64 = 2 * SECOND;

/// How the end of the call fits the interval.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// When a side that waits gives up.
    Early,
    /// When the interval is over.
    End,
    /// Somewhere behind the time of the refresh, and the BYE says why.
    Said,
}

/// No session timer ends a call sooner: two thirds of the least interval (RFC 4028 §5, §10),
/// nanoseconds.
const SHORTEST: i64 = 60 * SECOND - MARGIN;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    let ended = call.requests(Method::Bye).next();
    let Some((index, bye)) = ended else { return };
    let Some(at) = bye.time() else { return };
    let soon = call.start().is_some_and(|start| at - start < SHORTEST);
    if (soon && !bye.head.present.has(Field::Reason)) || !agrees_on_one(call) {
        return;
    }
    let Some(interval) = call.interval_at(at) else {
        return;
    };
    let hung_up = call.side(bye);
    let said = says_so(bye);
    let after = at - interval.at;
    let near = |seconds: u32| (after - i64::from(seconds) * SECOND).abs() <= MARGIN;
    let by_refresher = interval.refresher.is_some() && hung_up == interval.refresher;
    let fit = match () {
        () if said && after >= i64::from(interval.seconds) * SECOND / 2 => Fit::Said,
        // The refresher itself knows whether it has refreshed.
        () if by_refresher => return,
        () if near(interval.given_up_after()) => Fit::Early,
        () if near(interval.seconds) => Fit::End,
        () => return,
    };
    let confidence = match (fit, interval.refresher) {
        (Fit::Said, _) => Confidence::Certain,
        (_, Some(_)) => Confidence::Likely,
        (_, None) => Confidence::Possible,
    };
    let acts = match interval.refresher {
        Some(Side::Caller) => Acts::Caller,
        Some(Side::Callee) => Acts::Callee,
        None => Acts::Operator,
    };
    let role = match call.outcome {
        Outcome::Succeeded => Role::Contributing,
        _ => Role::Cause,
    };
    if let Some(finding) = found.add_as(role, confidence, acts) {
        tell(call, &interval, fit, (index, bye), finding);
    }
}

// Cheap, for calls without session timers.
fn agrees_on_one(call: &Call) -> bool {
    let accepted = call.finals.iter().filter(|f| (200..300).contains(&f.code));
    let mut accepted = accepted.map(|f| f.message);
    accepted.any(|index| call.fields(index).has(Field::SessionExpires))
}

fn says_so(bye: &Stored) -> bool {
    let reasons = typed::reasons(bye.message());
    reasons.iter().any(|reason| {
        let text = reason
            .text
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        text.contains("session")
            && ["expire", "timer", "timeout"]
                .iter()
                .any(|w| text.contains(w))
    })
}

fn tell(
    call: &Call,
    interval: &Interval,
    fit: Fit,
    (index, bye): (usize, &Stored),
    finding: &mut Finding,
) {
    let refresher = interval
        .refresher
        .and_then(|side| call.originals().find(|(_, m)| call.side(m) == Some(side)))
        .map_or_else(|| "one of the two sides".to_owned(), |(_, m)| sender(m));
    let at = bye.time().unwrap_or(interval.at);
    finding.element(refresher).args(
        Args::new()
            .count("interval", interval.seconds as usize)
            .count("due", interval.given_up_after() as usize)
            .duration("after", at - interval.at)
            .text("sender", sender(bye)),
    );
    match fit {
        Fit::Early => {}
        Fit::End => drop(finding.why("why-end")),
        Fit::Said => drop(finding.why("why-said")),
    }
    finding.proof(Evidence::of_header(
        interval.message,
        interval.header,
        interval.header.value,
        note("agreed"),
    ));
    finding.proof(Evidence::Absence {
        message: interval.message,
        from: interval.at,
        until: at,
        note: note("silence"),
    });
    let last = match fit {
        Fit::Said => Evidence::header(index, bye, "Reason", note("reason")),
        _ => Evidence::start_line(index, bye, Template::new("hung-up", Args::new())),
    };
    finding.proof(last);
}
