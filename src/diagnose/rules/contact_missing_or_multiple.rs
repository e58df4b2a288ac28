//! G9: a message that sets up a call names no Contact, or several.

use super::super::finding::{Evidence, Finding, Value, note, sender};
use super::super::{
    Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity, blame, lint,
};
use crate::message::field::Field;
use crate::message::hints::Hint;
use crate::message::{Flaw, Method, header};
use crate::session::outcome::never_acknowledged;
use crate::session::{Call, Outcome, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "contact-missing-or-multiple",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[(3261, "8.1.1.8"), (3261, "12.1.1"), (3261, "20.10")],
    title: "the {what} of {element} must have one Contact and has {count}",
    why: "the {what} of {element} has no Contact, so the called side does not know where to send its own requests in the call: BYE, re-INVITE, UPDATE",
    fix: "Correct {element}, or what rewrites its messages: INVITE and every 2xx to it carry exactly one Contact with the URI at which the sender can be reached.",
    sentences: &[
        (
            "why-answer",
            "the {what} of {element} has no Contact, so the calling side does not know where to send further requests of the call, ACK and BYE first of all",
        ),
        (
            "why-came",
            "the {what} of {element} has no Contact, so it does not tell where to send further requests of the call; here {methods} went there all the same, but others would have no target for them",
        ),
        (
            "why-several",
            "the {what} of {element} has {count} Contacts where exactly one is allowed, so the other side cannot tell where to send further requests of the call",
        ),
        ("message", "no Contact in it"),
        ("contact", "one of {count}"),
        ("came", "sent there all the same"),
        ("answer", "the final answer"),
    ],
    explains: &[
        "2xx-not-acked",
        "ack-misrouted",
        "bye-unanswered",
        "mandatory-header-missing",
        "duplicate-single-header",
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    // Of each end the first message that has to carry one; without that of the called side not even
    // the ACK has a target.
    for side in [Side::Callee, Side::Caller] {
        tell(call, side, found);
    }
}

fn tell(call: &Call, side: Side, found: &mut Findings) {
    let wrong = call.originals().find_map(|(index, m)| {
        let sets_up = match m.head.code() {
            None => m.is_initial(),
            Some(code) => (200..300).contains(&code) && m.head.method == Method::Invite,
        };
        let whole = !m.head.flaws.has(Flaw::CutByCapture) && !m.head.flaws.has(Flaw::NoBlankLine);
        let by_caller = side == Side::Caller;
        if !sets_up || m.head.method != Method::Invite || !whole || m.head.is_request() != by_caller
        {
            return None;
        }
        let count = contacts(call, index, m);
        // Whoever pasted a log may have left headers out.
        if count == 0 && !lint::is_told(call, m) {
            return None;
        }
        (count != 1).then_some((index, m, count))
    });
    let Some((index, stored, count)) = wrong else {
        return;
    };
    let Some((severity, role, sure)) = harm(call, side) else {
        return;
    };
    let acts = blame::acts_of(call, side);
    let Some(finding) = found.add_with(severity, role, sure, acts) else {
        return;
    };
    let what = match stored.head.code() {
        None => "INVITE".to_owned().into(),
        Some(code) => Value::Phrase("{code} to INVITE", Args::new().code("code", code)),
    };
    finding
        .element(sender(stored))
        .args(Args::new().with("what", what).count("count", count));
    if count == 0 {
        finding.why(match side {
            Side::Caller => "why",
            Side::Callee => "why-answer",
        });
        finding.proof(Evidence::start_line(index, stored, note("message")));
        came(call, side, finding);
    } else {
        finding.why("why-several");
        let all = call.fields(index).all(Field::Contact);
        for header in all.take(4) {
            finding.proof(Evidence::of_header(
                index,
                header,
                header.value,
                note("contact"),
            ));
        }
    }
    if let Some((at, answer)) = super::super::finding::deciding(call).filter(|(at, _)| *at != index)
    {
        finding.proof(Evidence::start_line(at, answer, note("answer")));
    }
}

// What the other side sent inside the call that succeeded without this Contact.
fn came(call: &Call, side: Side, finding: &mut Finding) {
    const MOST: usize = 4;
    let inside = |m: &Stored| {
        let other = call.side(m) == Some(side.other());
        m.head.is_request() && m.keys.to_tag != 0 && other && m.head.method != Method::Cancel
    };
    let mut methods: Vec<String> = Vec::new();
    let mut last = None;
    let sent = call.originals().filter(|(_, m)| inside(m));
    for (at, m) in sent.filter(|_| call.outcome == Outcome::Succeeded) {
        let method = m.message().method_name();
        if methods.len() < MOST && !methods.contains(&method) {
            methods.push(method);
        }
        last = Some((at, m));
    }
    let Some((at, last)) = last else { return };
    finding.why("why-came");
    finding.args(Args::new().text("methods", methods.join(", ")));
    finding.proof(Evidence::start_line(at, last, note("came")));
}

fn contacts(call: &Call, index: usize, stored: &Stored) -> usize {
    if !stored.head.hints.has(Hint::SeveralContacts) {
        return usize::from(stored.head.present.has(Field::Contact));
    }
    let all = call.fields(index).all(Field::Contact);
    all.map(|header| header::elements(header.value.of(&stored.raw)).count())
        .sum()
}

// A call that nobody took over says nothing about it.
fn harm(call: &Call, side: Side) -> Option<(Severity, Role, Confidence)> {
    let refused = matches!(call.code(), Some(400 | 403 | 500)) && side == Side::Caller;
    let lost = side == Side::Callee && (0..call.finals.len()).any(|i| never_acknowledged(call, i));
    match call.outcome {
        Outcome::Failed if lost => Some((Severity::Error, Role::Cause, Confidence::Likely)),
        Outcome::Failed if refused && call.code() == Some(400) => {
            Some((Severity::Error, Role::Cause, Confidence::Likely))
        }
        Outcome::Failed if refused => Some((Severity::Error, Role::Cause, Confidence::Possible)),
        Outcome::Succeeded => Some((Severity::Warning, Role::Contributing, Confidence::Certain)),
        _ => None,
    }
}
