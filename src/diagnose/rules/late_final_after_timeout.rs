//! T14: an answer came after the one who asked had given up.

use super::super::finding::{Evidence, Finding, note, receiver, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::entry::TRANSACTION;
use crate::session::{Call, Outcome, Stored, given_before};

/// The rule.
pub static RULE: Rule = Rule {
    id: "late-final-after-timeout",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "17.1.1.2"), (3261, "17.1.2.2"), (6026, "7.1")],
    title: "the {code} came after {client} had given up",
    why: "{element} answered {code} {after} after the {method}, later than the 32 s for which {client} waits; for {client} the {method} had failed by then",
    fix: "Find out what kept {element} so long: overload, a slow lookup, or a destination behind it that it waited for. It has to give a final answer within 32 s, and to an INVITE a provisional one at once.",
    sentences: &[
        (
            "why-answered",
            "{client} had answered the caller {given}, {gap} before {element} sent this {code}, and had not cancelled the call there: the caller was told that it failed, and the called side believes that it is up",
        ),
        (
            "fix-answered",
            "Let {client} wait longer than the destination needs, or let {element} ring shorter than {client} waits; and let {client} cancel the branch that it gives up (CANCEL) and end a call that is answered all the same (ACK, then BYE).",
        ),
        ("asked", "the {method}"),
        ("given", "what the caller was told"),
        ("late", "the answer that came too late"),
    ],
    explains: &["ring-no-answer", "481-state-lost", "408-origin"],
    check,
    ..Rule::PLAIN
};

/// A final answer, and what had happened before it came.
struct Late<'a> {
    index: usize,
    answer: &'a Stored,
    before: (usize, &'a Stored),
    /// What stands in `before` is an answer, not the request.
    given: bool,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let late = (0..call.finals.len())
        .find_map(|index| given_up(call, index).or_else(|| out_of_time(call, index)));
    let Some(late) = late else { return };
    let certain = Confidence::Certain;
    let swallowed = late.given && is_refusal(call, &late) && !found.has("capture-one-sided");
    let acts = match late.answer.head.method {
        Method::Register => Acts::Registrar,
        _ if swallowed => Acts::Proxy,
        _ => Acts::Callee,
    };
    let (severity, role) = match swallowed {
        true => (Severity::Error, Role::Cause),
        false => (Severity::Warning, Role::Contributing),
    };
    if let Some(finding) = found.add_with(severity, role, certain, acts) {
        finding.explains = swallowed;
        tell(&late, finding);
    }
}

// A 2xx for somebody who had refused the call before, and does not end it at once.
fn given_up(call: &Call, index: usize) -> Option<Late<'_>> {
    let answer = call.finals.get(index)?;
    if !(200..300).contains(&answer.code) || call.finals.len() < 2 {
        return None;
    }
    let (at, answer) = (answer.message, call.messages.get(answer.message)?);
    if answer.head.method != Method::Invite {
        return None;
    }
    let given = call.finals.get(given_before(call, index)?)?.message;
    let client = answer.stamp.receiver();
    let sent = |method| {
        let mut all = call.requests(method);
        all.any(|(_, m)| m.stamp.sender().is(client) && m.keys.to_tag == answer.keys.to_tag)
    };
    // A CANCEL that crossed the answer is a matter of its own.
    let cancels =
        |m: &Stored| m.stamp.sender().is(client) && m.stamp.receiver().is(answer.stamp.sender());
    let cancelled = call.requests(Method::Cancel).any(|(_, m)| cancels(m));
    let ended = sent(Method::Ack) && sent(Method::Bye);
    (!cancelled && !ended).then_some(Late {
        index: at,
        answer,
        before: (given, call.messages.get(given)?),
        given: true,
    })
}

// What the caller was told decided the call, and whoever said it left the branch open behind it.
fn is_refusal(call: &Call, late: &Late<'_>) -> bool {
    let decided = call.decided_by.and_then(|index| call.finals.get(index));
    let gave_up = late.before.1.stamp.sender();
    call.outcome == Outcome::Failed
        && matches!(call.code(), Some(408 | 480))
        && decided.is_some_and(|f| f.message == late.before.0)
        && gave_up.is(late.answer.stamp.receiver())
}

// Later than Timer B or F of the client (RFC 3261 §17.1.1.2, §17.1.2.2).
fn out_of_time(call: &Call, index: usize) -> Option<Late<'_>> {
    const MARGIN: i64 = SECOND / 2;
    let index = call.finals.get(index)?.message;
    let answer = call.messages.get(index)?;
    let at = answer.time()?;
    let begun = call.start()?;
    if at - begun <= TRANSACTION * SECOND {
        return None;
    }
    let transaction = call.transaction_of(index)?;
    let asked = transaction.request()?;
    let request = call.messages.get(asked)?;
    let waits = match answer.head.method {
        // A provisional answer stops the timer of an INVITE.
        Method::Invite => transaction.provisionals.is_empty(),
        // Its answer changes nothing.
        Method::Cancel => false,
        _ => true,
    };
    let too_late = at - request.time()? > TRANSACTION * SECOND + MARGIN;
    (waits && too_late && Some(&index) == transaction.finals.first()).then_some(Late {
        index,
        answer,
        before: (asked, request),
        given: false,
    })
}

fn tell(late: &Late<'_>, finding: &mut Finding) {
    let answer = late.answer;
    let (at, before) = late.before;
    let gap = answer.time().zip(before.time()).map_or(0, |(b, a)| b - a);
    let code = answer.head.code().unwrap_or(0);
    finding.element(sender(answer)).args(
        Args::new()
            .code("code", code)
            .text("client", receiver(answer))
            .text("method", answer.message().method_name()),
    );
    if late.given {
        finding.why("why-answered").fix("fix-answered").args(
            Args::new()
                .code("given", before.head.code().unwrap_or(0))
                .duration("gap", gap),
        );
        finding.proof(Evidence::start_line(at, before, note("given")));
    } else {
        finding.args(Args::new().duration("after", gap));
        finding.proof(Evidence::start_line(at, before, note("asked")));
    }
    finding.proof(Evidence::start_line(late.index, answer, note("late")));
}
