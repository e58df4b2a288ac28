//! K4: the CANCEL was answered 481, so the callee goes on ringing.

use super::super::finding::{Evidence, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::{Header, Method, Span};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "cancel-not-matching",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[(3261, "9.1"), (3261, "9.2")],
    title: "the CANCEL did not match the call",
    why: "{element} answered the CANCEL with 481, because its {what} is not that of the INVITE: it looks for the call by just that, finds none, and the callee goes on ringing",
    fix: "Correct the sender of the CANCEL ({sender}): it has to copy Request-URI, Call-ID, To, From, the number in CSeq and the topmost Via with its branch from the INVITE that it stops, the last one where it was sent again with credentials.",
    sentences: &[
        (
            "why-same",
            "{element} answered the CANCEL with 481, although it agrees with the INVITE in everything by which it has to be found, and no final answer had been given yet: {element} has lost the call, or another server behind the same address took it",
        ),
        (
            "fix-same",
            "Look at {element}: behind a load balancer the CANCEL must reach the server that took the INVITE (same branch, same server), and a proxy must keep the transaction until the final answer.",
        ),
        (
            "why-silent",
            "{element} never took the CANCEL, which was sent {copies} times, and did not end the INVITE with 487; the {what} in the CANCEL is not that of the INVITE, and a server looks for the INVITE by just that",
        ),
        ("ignored", "the CANCEL: this differs, and no 200 came"),
        ("invite", "the INVITE that was to be stopped"),
        ("cancel", "the CANCEL: this differs"),
        ("same", "the CANCEL: nothing differs"),
        ("answer", "it was not found"),
    ],
    explains: &[
        "2xx-not-acked",
        "trying-then-silence",
        "ring-no-answer",
        "caller-abandoned",
        "no-answer-timeout",
    ],
    check,
    ..Rule::PLAIN
};

/// What of a CANCEL has to be that of its INVITE, by name for the sentence.
struct Difference {
    what: &'static str,
    header: Option<&'static str>,
}

const DIFFERENCES: [Difference; 6] = [
    Difference {
        what: "branch in Via",
        header: Some("Via"),
    },
    Difference {
        what: "sent-by in Via",
        header: Some("Via"),
    },
    Difference {
        what: "number in CSeq",
        header: Some("CSeq"),
    },
    Difference {
        what: "From tag",
        header: Some("From"),
    },
    Difference {
        what: "To tag",
        header: Some("To"),
    },
    Difference {
        what: "Request-URI",
        header: None,
    },
];

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || !call.has_cancel() {
        return;
    }
    let refused = call.cancels().into_iter().find_map(|cancel| {
        let (at, answer) = call.answer_in(cancel.own, 481..=481)?;
        Some((cancel, at, answer))
    });
    let Some((cancel, at, answer)) = refused else {
        return ignored(call, found);
    };
    // The last INVITE on that hop: the one that was open, also after a challenge.
    let meant = cancel.meant.and_then(|t| Some((t.request()?, t)));
    let Some((invite_at, transaction)) = meant else {
        return;
    };
    let Some(invite) = call.messages.get(invite_at) else {
        return;
    };
    // A final answer that was given before crossed the CANCEL: then 481 is right.
    let given = call.answer_in(transaction, 200..=699);
    if given.is_some_and(|(at, _)| at < cancel.index)
        || given.is_some_and(|(_, m)| m.time() <= answer.time() && m.time().is_some())
    {
        return;
    }
    let different = difference(invite, cancel.message);
    let acts = match different {
        Some(_) => Acts::Caller,
        None => Acts::Callee,
    };
    let (severity, role) = match call.outcome {
        Outcome::Succeeded => (Severity::Warning, Role::Contributing),
        _ => (Severity::Error, Role::Cause),
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) else {
        return;
    };
    finding
        .element(receiver(cancel.message))
        .args(Args::new().text("sender", sender(cancel.message)));
    let (invite_line, _) = evidence(invite_at, invite, different, "invite");
    finding.proof(invite_line);
    let id = if different.is_some() {
        "cancel"
    } else {
        "same"
    };
    let (cancel_line, _) = evidence(cancel.index, cancel.message, different, id);
    finding.proof(cancel_line);
    finding.proof(Evidence::start_line(at, answer, note("answer")));
    match different {
        Some(different) => finding.args(Args::new().with("what", different.what)),
        None => finding.why("why-same").fix("fix-same"),
    };
}

// A CANCEL that goes unanswered to the end, to a server that takes everything else.
fn ignored(call: &Call, found: &mut Findings) {
    const ENOUGH: usize = 4;
    let known = call.cancels().into_iter().find_map(|cancel| {
        let taken = call.answer_in(cancel.own, 200..=299).is_some();
        let meant = cancel.meant?;
        let invite_at = meant.request()?;
        let invite = call.messages.get(invite_at)?;
        let heard = !meant.provisionals.is_empty();
        let ended = call.answer_in(meant, 487..=487).is_some();
        let different = difference(invite, cancel.message)?;
        let ignored = heard && !taken && !ended && cancel.own.sends.len() >= ENOUGH;
        ignored.then_some((cancel, invite_at, invite, different))
    });
    let Some((cancel, invite_at, invite, different)) = known else {
        return;
    };
    let (severity, sure) = (Severity::Warning, Confidence::Likely);
    let Some(finding) = found.remark(severity, sure, Acts::Caller) else {
        return;
    };
    finding.element(receiver(cancel.message)).args(
        Args::new()
            .text("sender", sender(cancel.message))
            .with("what", different.what)
            .count("copies", cancel.own.sends.len()),
    );
    finding.why("why-silent");
    finding.proof(evidence(invite_at, invite, Some(different), "invite").0);
    finding.proof(evidence(cancel.index, cancel.message, Some(different), "ignored").0);
}

fn difference(invite: &Stored, cancel: &Stored) -> Option<&'static Difference> {
    fn text(m: &Stored, span: Span) -> &[u8] {
        span.of(&m.raw)
    }
    fn uri(m: &Stored) -> Option<&[u8]> {
        m.message().request_uri().map(|uri| text(m, uri))
    }
    let differs = [
        text(invite, invite.head.branch) != text(cancel, cancel.head.branch),
        !text(invite, invite.head.sent_by).eq_ignore_ascii_case(text(cancel, cancel.head.sent_by)),
        invite.cseq() != cancel.cseq(),
        invite.keys.from_tag != cancel.keys.from_tag,
        invite.keys.to_tag != cancel.keys.to_tag,
        uri(invite) != uri(cancel),
    ];
    let first = differs.iter().position(|differs| *differs)?;
    DIFFERENCES.get(first)
}

// The line that differs, the differing bytes marked.
fn evidence(
    index: usize,
    stored: &Stored,
    different: Option<&'static Difference>,
    id: &'static str,
) -> (Evidence, Option<Header>) {
    let named = different.and_then(|d| d.header);
    let header = named.and_then(|name| stored.message().header(name));
    let mark = match different.map(|d| d.what) {
        Some("branch in Via") => Some(stored.head.branch),
        Some("sent-by in Via") => Some(stored.head.sent_by),
        Some("From tag") => Some(stored.head.from_tag),
        Some("To tag") => Some(stored.head.to_tag),
        _ => None,
    };
    let evidence = match (header, different) {
        (Some(header), _) => {
            let mark = mark.filter(|mark| !mark.is_empty()).unwrap_or(header.value);
            Evidence::of_header(index, header, mark, note(id))
        }
        (None, Some(_)) => Evidence::request_uri(index, stored, note(id)),
        (None, None) => Evidence::start_line(index, stored, note(id)),
    };
    (evidence, header)
}
