//! What a defect comes to: how bad it is, how sure, who wrote it, and the proof.

use super::complaint::Speech;
use super::finding::{Evidence, Template, sender};
use super::lint::{Case, Defect, Reaction, Weight, is_same};
use super::{Acts, Args, Confidence, Context, Finding, Findings, Role, Severity, complaint};
use crate::message::Method;
use crate::message::field::Field;
use crate::session::clock::SECOND;
use crate::session::{Call, Side, Stored};

/// What a case comes to; nothing where it is not worth a word.
struct Verdict {
    severity: Severity,
    role: Role,
    confidence: Confidence,
}

fn verdict(
    call: &Call,
    context: &Context<'_>,
    found: &Findings,
    defect: &Defect,
    case: &Case<'_>,
) -> Option<Verdict> {
    let (confidence, decided) = match case.reaction {
        Reaction::Taken => (None, false),
        Reaction::Refused { answer, decided } => (refused(call, defect, case, answer), decided),
        Reaction::Ignored { decided, .. } => {
            (ignored(context, found, defect, case, decided), decided)
        }
    };
    match (confidence, decided, defect.weight) {
        (Some(confidence), true, _) => Some(Verdict {
            severity: Severity::Error,
            role: Role::Cause,
            confidence,
        }),
        (Some(confidence), false, _) => Some(Verdict {
            severity: Severity::Warning,
            role: Role::Contributing,
            confidence,
        }),
        (None, _, Weight::Usual) => None,
        (None, _, weight) => Some(Verdict {
            severity: match weight {
                Weight::Risky => Severity::Warning,
                _ => Severity::Info,
            },
            role: Role::Contributing,
            confidence: Confidence::Certain,
        }),
    }
}

// 400 is what a malformed request gets (RFC 3261 §21.4.1); 481 and 500 have many other reasons. An
// answer that speaks of something else, and a peer that takes the same elsewhere, speak against it.
fn refused(call: &Call, defect: &Defect, case: &Case<'_>, answer: usize) -> Option<Confidence> {
    let answer = call.messages.get(answer)?;
    let code = answer.head.code()?;
    let meant = code == 400 || defect.codes.contains(&code);
    match (complaint::speech(answer, defect.topics), defect.weight) {
        (Speech::Names, _) => Some(Confidence::Certain),
        (Speech::Other, _) => None,
        (Speech::Nothing, Weight::Usual) => meant.then_some(Confidence::Possible),
        (Speech::Nothing, _) if !meant => {
            (defect.weight == Weight::Risky).then_some(Confidence::Possible)
        }
        (Speech::Nothing, _) if case.taken => Some(Confidence::Possible),
        (Speech::Nothing, _) => Some(Confidence::Likely),
    }
}

// Silence has many reasons: it speaks for the defect only where the peer was there and talking, and
// had an answer to what is without it.
fn ignored(
    context: &Context<'_>,
    found: &Findings,
    defect: &Defect,
    case: &Case<'_>,
    decided: bool,
) -> Option<Confidence> {
    if defect.weight == Weight::Usual || (!decided && defect.weight != Weight::Risky) {
        return None;
    }
    let (stamp, at) = (case.stored.stamp, case.stored.time()?);
    let alive = context.view.receiver_spoke(&stamp, at)
        && context.view.towards(stamp.sender(), at)
        && !case.idle;
    // What explains the silence without the defect.
    const OTHERWISE: [&str; 3] = ["capture-one-sided", "icmp-unreachable", "udp-too-big"];
    let otherwise = OTHERWISE.iter().any(|id| found.has(id));
    let likely = alive && !case.taken && !otherwise;
    match defect.weight {
        Weight::Risky if likely => Some(Confidence::Likely),
        Weight::Risky => Some(Confidence::Possible),
        _ => alive.then_some(Confidence::Possible),
    }
}

/// Adds what a case comes to; gives the finding to be filled in with element, the arguments
/// `element`, `writer`, `what`, `count` and `code`, and the evidence of the reaction.
pub fn add<'f>(
    found: &'f mut Findings,
    call: &Call,
    context: &Context<'_>,
    defect: &Defect,
    case: &Case<'_>,
    note: Template,
) -> Option<&'f mut Finding> {
    let verdict = verdict(call, context, found, defect, case)?;
    let acts = acts(call, case.stored);
    let finding = match verdict.role {
        Role::Cause => found.add_with(verdict.severity, verdict.role, verdict.confidence, acts)?,
        _ => found.remark(verdict.severity, verdict.confidence, acts)?,
    };
    let answer = match case.reaction {
        Reaction::Refused { answer, .. } => call.messages.get(answer),
        _ => None,
    };
    finding.element(sender(case.stored)).args(
        Args::new()
            .text("writer", writer(call, case))
            .text("what", what(case.stored))
            .count("count", case.count)
            .code("code", answer.and_then(|m| m.head.code()).unwrap_or(0)),
    );
    finding.proof(case.mark.evidence(case.message, note));
    prove(finding, call, case);
    Some(finding)
}

// An answer to another request, which came back after this one on the same hop.
fn came_instead<'a>(call: &'a Call, case: &Case<'_>) -> Option<(usize, &'a Stored)> {
    let (from, to) = case.stored.stamp.observed()?;
    let mut later = call.messages.iter().enumerate().skip(case.message + 1);
    later.find(|(_, m)| {
        case.stored.head.is_request()
            && !m.head.is_request()
            && m.stamp.observed() == Some((to, from))
            && m.head.method == case.stored.head.method
            && m.cseq() != case.stored.cseq()
    })
}

fn prove(finding: &mut Finding, call: &Call, case: &Case<'_>) {
    let plain = |id| Template::new(id, Args::new());
    let again = call.messages.get(case.last).filter(|_| case.count > 1);
    if let Some(last) = again.filter(|_| case.last != case.message) {
        finding.proof(Evidence::start_line(case.last, last, plain("defect-again")));
    }
    match case.reaction {
        Reaction::Taken => {}
        Reaction::Refused { answer, .. } => {
            if let Some(stored) = call.messages.get(answer) {
                finding.proof(Evidence::start_line(
                    answer,
                    stored,
                    plain("defect-refused"),
                ));
            }
        }
        Reaction::Ignored {
            again: Some(again), ..
        } => {
            if let Some(stored) = call.messages.get(again) {
                finding.proof(Evidence::start_line(
                    again,
                    stored,
                    plain("defect-repeated"),
                ));
            }
        }
        Reaction::Ignored { again: None, .. } => {
            if let Some((at, other)) = came_instead(call, case) {
                finding.proof(Evidence::header(at, other, "CSeq", plain("defect-instead")));
                return;
            }
            // Nobody answers an answer; a final one to an INVITE is acknowledged (RFC 3261 §13.2.2).
            let missing = match (case.stored.head.code(), case.stored.head.method) {
                (None, _) => Some("defect-ignored"),
                (Some(200..), Method::Invite) => Some("defect-unacknowledged"),
                (Some(_), _) => None,
            };
            if let (Some(from), Some(until), Some(missing)) =
                (case.stored.time(), call.seen_until, missing)
            {
                // What ends with the message, or before T1, shows no silence.
                if until - from >= SECOND / 2 {
                    finding.proof(Evidence::Absence {
                        message: case.message,
                        from,
                        until,
                        note: plain(missing),
                    });
                }
            }
        }
    }
}

/// Whoever runs what wrote a message.
fn acts(call: &Call, stored: &Stored) -> Acts {
    let is_request = stored.head.is_request();
    // Its sender had got it from somebody else, without the defect.
    let came_in = |m: &Stored| {
        let other_hop = m.stamp.observed() != stored.stamp.observed();
        other_hop && is_same(m, stored) && m.stamp.receiver().is(stored.stamp.sender())
    };
    let written_here = call.originals().any(|(_, m)| came_in(m));
    match call.side(stored) {
        _ if written_here => Acts::Proxy,
        _ if call.method == Method::Register && !is_request => Acts::Registrar,
        Some(Side::Caller) => Acts::Caller,
        Some(Side::Callee) => Acts::Callee,
        None if is_request => Acts::Caller,
        None => Acts::Callee,
    }
}

// What the author calls itself, and where it was seen.
fn writer(call: &Call, case: &Case<'_>) -> String {
    let fields = call.fields(case.message);
    let own = match case.stored.head.is_request() {
        true => Field::UserAgent,
        false => Field::Server,
    };
    let agent = fields.text(own).or_else(|| fields.text(Field::UserAgent));
    match agent.filter(|agent| !agent.is_empty()) {
        Some(agent) => {
            let agent: String = agent.chars().take(64).collect();
            format!("{agent} at {}", sender(case.stored))
        }
        None => sender(case.stored),
    }
}

/// `INVITE`, or `200 (INVITE)`.
pub fn what(stored: &Stored) -> String {
    let method = stored.message().method_name();
    match stored.head.code() {
        Some(code) if method.is_empty() => code.to_string(),
        Some(code) => format!("{code} ({method})"),
        None => method,
    }
}
