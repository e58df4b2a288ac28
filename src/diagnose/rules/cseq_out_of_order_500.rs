//! G4: a request with a number that is not higher than one used before.

use super::super::finding::{Evidence, note, sender};
use super::super::inside::{self, Refused};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity, blame,
};
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "cseq-out-of-order-500",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[500],
    rfc: &[(3261, "12.2.1.1"), (3261, "12.2.2")],
    title: "{element} used a CSeq number that is not higher than the last one",
    why: "{method} carries CSeq {number}, and the same side had already sent CSeq {highest} in this call: the other side takes it for an old request and refuses it with {code}",
    fix: "Correct {element}: each new request inside a call needs a CSeq one higher than the last one of that side, counting the tries with credentials after 401 and 407 as well. A B2BUA has to count for each leg on its own.",
    sentences: &[
        (
            "why-said",
            "{method} carries CSeq {number}, and {other} refuses it with {code} and says that this is out of order; an earlier request with a higher number is not in the capture",
        ),
        ("highest", "an earlier request of the same side"),
        ("request", "the number must be higher than {highest}"),
        ("said", "the number that was refused"),
        ("answer", "refused"),
    ],
    explains: &[
        "reinvite-rejected-session-survives",
        "refresh-rejected",
        "half-dead-call",
        "generic-5xx-with-reason",
    ],
    confirm: "a capture of the whole call, its beginning included",
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if !matches!(call.method, Method::Invite | Method::Subscribe)
        || found.has("overlapping-invite-500")
    {
        return;
    }
    let late = inside::refused(call, &[500]).find_map(|refused| {
        let highest = highest_before(call, refused);
        let lower = highest.filter(|(_, m)| m.cseq() >= refused.request.cseq());
        (lower.is_some() || says_so(refused)).then_some((refused, lower))
    });
    if let Some((refused, highest)) = late {
        tell(call, refused, highest, found);
    }
}

// The request of the same end and hop with the highest number before that one.
fn highest_before<'a>(call: &'a Call, refused: Refused<'_>) -> Option<(usize, &'a Stored)> {
    let own = refused.request;
    let counts = |m: &Stored| !matches!(m.head.method, Method::Ack | Method::Cancel);
    let before = call
        .originals()
        .take_while(|(index, _)| *index < refused.index);
    before
        .filter(|(_, m)| {
            m.head.is_request()
                && counts(m)
                && m.keys.from_tag == own.keys.from_tag
                && m.head.vias == own.head.vias
                && m.keys.transaction != own.keys.transaction
        })
        .max_by_key(|(_, m)| m.cseq())
}

fn says_so(refused: Refused<'_>) -> bool {
    let reason = refused.answer.message().reason();
    let phrase = reason.map(|span| refused.answer.message().slice(span).to_ascii_lowercase());
    phrase.is_some_and(|phrase| phrase.contains("cseq") || phrase.contains("out of order"))
}

fn tell(
    call: &Call,
    refused: Refused<'_>,
    highest: Option<(usize, &Stored)>,
    found: &mut Findings,
) {
    let severity = match call.outcome {
        Outcome::Succeeded => Severity::Warning,
        _ => Severity::Error,
    };
    let gap = highest
        .and_then(|(_, m)| m.time())
        .zip(refused.request.time())
        .map(|(earlier, later)| later - earlier);
    // Two packets that overtook each other were sent in the right order.
    let confidence = match gap {
        Some(gap) if gap >= SECOND / 10 => Confidence::Certain,
        _ => Confidence::Likely,
    };
    let side = call.side(refused.request);
    let acts = side.map_or(Acts::Operator, |side| blame::acts_of(call, side));
    let Some(finding) = found.add_with(severity, Role::Contributing, confidence, acts) else {
        return;
    };
    let number = |m: &Stored| usize::try_from(m.cseq()).unwrap_or(0);
    finding.element(sender(refused.request)).args(
        Args::new()
            .text("method", refused.request.message().method_name())
            .text("other", sender(refused.answer))
            .code("code", refused.code())
            .count("number", number(refused.request)),
    );
    let remark = match highest {
        Some((at, earlier)) => {
            finding
                .args(Args::new().count("highest", number(earlier)))
                .proof(Evidence::header(at, earlier, "CSeq", note("highest")));
            "request"
        }
        None => {
            finding.why("why-said");
            "said"
        }
    };
    finding
        .proof(Evidence::header(
            refused.index,
            refused.request,
            "CSeq",
            note(remark),
        ))
        .proof(Evidence::start_line(
            refused.answer_index,
            refused.answer,
            note("answer"),
        ));
}
