//! Z2: the capture begins inside the call, or ends before its end could be seen.

use super::super::finding::{Evidence, note, sender};
use super::super::{Acts, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::Method;
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "capture-partial-call",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    rfc: &[(3261, "12.2")],
    title: "the capture holds only part of the call",
    why: "the capture ends while the request still waits for its final answer, so how it ended is not recorded",
    fix: "Record longer: go on for at least 3 minutes after the call was placed, so that every timer has run out.",
    sentences: &[
        (
            "why-open",
            "nothing more of this call is recorded after the request, which still waits for its final answer, so how it ended is not known",
        ),
        (
            "fix-log",
            "Look further down in the log for lines on this Call-ID, also on errors: not all that a program does with a request is written as a message. Else take the log anew, from before the request until at least 3 minutes after it.",
        ),
        (
            "why-challenged",
            "the capture ends soon after credentials were asked for, so whether they were sent and taken is not recorded",
        ),
        (
            "why-answered",
            "the capture begins with an answer, and the request that it belongs to is not recorded",
        ),
        (
            "why-begun",
            "the first message in the capture is inside a dialog that was set up before, so how the call began is not recorded",
        ),
        (
            "why-acked",
            "the ACK carries the branch of the INVITE, as only the ACK to a refusal does: the call was refused, and the refusal is not recorded",
        ),
        (
            "fix-both",
            "Record both directions: the answers to {element} take a way that the capture does not see, or were dropped while it was made.",
        ),
        (
            "why-torn",
            "no Call-ID of this message is recorded, so it cannot be told to which call it belongs: its call may stand elsewhere in this report",
        ),
        (
            "fix-torn",
            "Compare the branch in its topmost Via and its tags with those of the other entries, and record whole messages: the Call-ID tells for sure.",
        ),
        ("torn", "its Call-ID is not recorded"),
        ("acked", "the ACK to an answer that is missing"),
        (
            "why-cancel",
            "the capture begins with a CANCEL, and the INVITE that it stops is not recorded",
        ),
        (
            "why-ack",
            "the capture begins with an ACK, and neither the INVITE nor the answer that it confirms is recorded",
        ),
        (
            "ack-first",
            "the first message of the call confirms an answer that came before the capture",
        ),
        (
            "fix-earlier",
            "Begin to record earlier, before the call or registration starts; what came before the first message cannot be told from the rest.",
        ),
        (
            "fix-request",
            "Record longer: go on for at least 32 seconds after the request, so that every timer has run out.",
        ),
        (
            "cancel-first",
            "the first message of the call stops an INVITE that came before the capture",
        ),
        (
            "inside",
            "the first message of the call; its To-tag belongs to a dialog that is already there",
        ),
        (
            "answer-first",
            "the first message of the call is an answer; its request came before the capture",
        ),
        (
            "last",
            "the last message of the call before the capture ends",
        ),
        ("last-open", "the last message of the call that is recorded"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some(first) = call.first() else { return };
    let decided = call.outcome != Outcome::Unfinished;
    // What is recorded may show how it ended, and not how it began.
    let begun = !call.has_beginning();
    let known = found.has("capture-one-sided") || found.has("capture-damaged");
    if (decided && !begun) || known {
        return;
    }
    if !begun {
        // Without times it is not known that the end is too early.
        if first.time().is_none() {
            return;
        }
        let Some((index, last)) = call.originals().last() else {
            return;
        };
        if let Some((at, ack)) = acked(call) {
            let role = Role::Contributing;
            if let Some(finding) = found.add_as(role, Confidence::Certain, Acts::Capture) {
                finding
                    .why("why-acked")
                    .fix("fix-both")
                    .element(sender(ack));
                finding.proof(Evidence::start_line(at, ack, note("acked")));
            }
            return;
        }
        if let Some(finding) = found.add_as(Role::Contributing, Confidence::Certain, Acts::Capture)
        {
            let open = !ends_with(call, last);
            let remark = if open { "last-open" } else { "last" };
            finding.proof(Evidence::start_line(index, last, note(remark)));
            if call.method != Method::Invite {
                finding.fix("fix-request");
            }
            if open {
                finding.why("why-open");
            }
            if is_challenged(call) {
                finding.why("why-challenged");
            }
            // Written by a program that says more in other lines.
            if last.stamp.sent.is_some() {
                finding.fix("fix-log");
            }
        }
        return;
    }
    let is_ack = first.head.is_request() && first.head.method == Method::Ack;
    let in_dialog = first.head.is_request() && !first.head.to_tag.is_empty() && !is_ack;
    if call.continues.is_some() {
        return;
    }
    let Some(finding) = found.add_as(Role::Contributing, Confidence::Certain, Acts::Capture) else {
        return;
    };
    if first.head.call_id.is_empty() {
        finding.why("why-torn").fix("fix-torn");
        finding.proof(Evidence::start_line(0, first, note("torn")));
        return;
    }
    let (why, remark) = match (first.head.is_request(), first.head.method) {
        (true, Method::Cancel) => ("why-cancel", "cancel-first"),
        (true, Method::Ack) => ("why-ack", "ack-first"),
        (true, _) => ("why-begun", "answer-first"),
        (false, _) => ("why-answered", "answer-first"),
    };
    finding.why(why).fix("fix-earlier");
    finding.proof(match first.message().header("To").filter(|_| in_dialog) {
        Some(to) => Evidence::of_header(0, to, first.head.to_tag, note("inside")),
        None => Evidence::start_line(0, first, note(remark)),
    });
}

// Does the capture end with the call? A log goes on with lines that are no messages, and the records
// of a capture that was put together may be older than those before them.
fn ends_with(call: &Call, last: &Stored) -> bool {
    last.stamp.lines == 0 && call.seen_until >= last.time()
}

// The ACK to a final answer from 300 on, which has the branch of its INVITE (RFC 3261 §17.1.1.3), where
// no such answer is there.
fn acked(call: &Call) -> Option<(usize, &Stored)> {
    if call.method != Method::Invite || !call.finals.is_empty() {
        return None;
    }
    let invite = call.request()?;
    let same = |m: &Stored| m.head.branch.of(&m.raw) == invite.head.branch.of(&invite.raw);
    let mut acks = call.requests(Method::Ack);
    acks.find(|(_, m)| !invite.head.branch.is_empty() && same(m) && m.keys.to_tag != 0)
}

// Is the last final answer to the beginning a challenge?
fn is_challenged(call: &Call) -> bool {
    let answers = call
        .originals()
        .filter(|(_, m)| call.is_of_beginning(m) && m.head.code().is_some_and(|code| code >= 200));
    let attempts = call
        .originals()
        .filter(|(_, m)| call.is_of_beginning(m) && m.head.is_request());
    matches!(
        (answers.last(), attempts.last()),
        (Some((answer, m)), Some((attempt, _)))
            if answer > attempt && matches!(m.head.code(), Some(401 | 407))
    )
}
