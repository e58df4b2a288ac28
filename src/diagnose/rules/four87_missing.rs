//! K6: the CANCEL was accepted and the INVITE never ended.

use super::super::finding::{Evidence, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Cancel, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "487-missing",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    rfc: &[(3261, "9.2"), (3261, "9.1")],
    title: "{element} took the CANCEL and {instead}",
    why: "{element} answered the CANCEL with 200 and then gave no final answer to the INVITE within {waited}: it has to answer 487 at once; without it the other side keeps the call open for 32 seconds or longer, and the phone may go on ringing",
    fix: "Correct {element}: after a CANCEL that matches, the INVITE has to be answered 487 straight away. If {element} is a server between, look whether its own CANCEL reached the phone behind it.",
    sentences: &[
        (
            "why-rings-on",
            "{element} answered the CANCEL with 200, gave no final answer to the INVITE and went on with {code}: the called phone does not stop ringing although the caller has hung up",
        ),
        (
            "why-goes-on",
            "{element} answered the CANCEL with 200, gave no final answer to the INVITE and went on with {code}: the call attempt goes on there although the caller has hung up",
        ),
        (
            "why-other",
            "{element} ended the cancelled call with {code} and not with 487: to the calling side it looks as if the called person had refused",
        ),
        (
            "fix-other",
            "Let {element} answer 487 where a call is cancelled, so that lists and statistics do not count it as refused; callers are not harmed.",
        ),
        ("cancel", "the call is to be stopped"),
        ("accepted", "that is accepted"),
        ("silence", "no final answer to the INVITE"),
        ("rings-on", "it still rings"),
        ("goes-on", "the call attempt goes on"),
        ("other", "the final answer"),
    ],
    explains: &["caller-abandoned", "no-answer-timeout", "ring-no-answer"],
    check,
    ..Rule::PLAIN
};

/// A 487 that comes later than this does not come, nanoseconds.
const LATEST: i64 = 5 * SECOND;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite
        || call.outcome == Outcome::Succeeded
        || !call.has_cancel()
        || found.has("capture-one-sided")
    {
        return;
    }
    for cancel in call.cancels() {
        let Some(invite) = cancel.invite else {
            continue;
        };
        let Some((at, accepted)) = call.answer_in(cancel.own, 200..=299) else {
            continue;
        };
        match call.answer_in(invite, 200..=699) {
            None => return never(call, &cancel, (at, accepted), found),
            Some((index, last)) => {
                let late = index > cancel.index && last.time() >= accepted.time();
                let code = last.head.code().unwrap_or(0);
                if late && code >= 300 && code != 487 {
                    return other(call, &cancel, (index, last), found);
                }
            }
        }
    }
}

fn never(call: &Call, cancel: &Cancel<'_>, accepted: (usize, &Stored), found: &mut Findings) {
    let (Some(from), Some(until)) = (accepted.1.time(), call.seen_until) else {
        return;
    };
    if until - from < LATEST {
        return;
    }
    let ringing = cancel.invite.and_then(|invite| {
        let later = invite.provisionals.iter().filter(|at| **at > accepted.0);
        later
            .filter_map(|&at| Some((at, call.messages.get(at)?)))
            .last()
    });
    let rings = ringing.is_some_and(|(_, m)| m.head.rings());
    let confidence = if until - from >= 32 * SECOND && (rings || ringing.is_none()) {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let severity = if ringing.is_some() {
        Severity::Error
    } else {
        Severity::Warning
    };
    // The call goes on at the called side though the caller is gone.
    let role = match call.outcome {
        Outcome::Cancelled if ringing.is_some() || confidence == Confidence::Certain => Role::Cause,
        _ => Role::Contributing,
    };
    let Some(finding) = found.add_with(severity, role, confidence, Acts::Callee) else {
        return;
    };
    finding.explains = role == Role::Cause;
    finding
        .element(sender(accepted.1))
        .args(Args::new().duration("waited", until - from))
        .args(Args::new().said("instead", "never ended the call attempt"));
    finding.proof(Evidence::start_line(
        cancel.index,
        cancel.message,
        note("cancel"),
    ));
    finding.proof(Evidence::start_line(
        accepted.0,
        accepted.1,
        note("accepted"),
    ));
    if let Some((at, rings)) = ringing {
        let code = rings.head.code().unwrap_or(180);
        let (why, label) = match code {
            180 => ("why-rings-on", "rings-on"),
            _ => ("why-goes-on", "goes-on"),
        };
        finding.why(why).args(Args::new().code("code", code));
        finding.proof(Evidence::start_line(at, rings, note(label)));
    }
    let message = cancel
        .invite
        .and_then(|t| t.request())
        .unwrap_or(cancel.index);
    finding.proof(Evidence::Absence {
        message,
        from,
        until,
        note: note("silence"),
    });
}

fn other(_: &Call, cancel: &Cancel<'_>, last: (usize, &Stored), found: &mut Findings) {
    let (role, confidence) = (Role::Contributing, Confidence::Certain);
    let Some(finding) = found.add_with(Severity::Info, role, confidence, Acts::Callee) else {
        return;
    };
    finding.explains = false;
    finding
        .element(sender(last.1))
        .why("why-other")
        .fix("fix-other")
        .args(
            Args::new()
                .code("code", last.1.head.code().unwrap_or(0))
                .said("instead", "did not end the call attempt with 487"),
        );
    finding.proof(Evidence::start_line(
        cancel.index,
        cancel.message,
        note("cancel"),
    ));
    finding.proof(Evidence::start_line(last.0, last.1, note("other")));
}
