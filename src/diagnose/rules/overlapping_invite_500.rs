//! G5: a second INVITE before the first one was answered.

use super::super::finding::{Evidence, note, sender};
use super::super::inside::{self, Refused};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity, blame,
};
use crate::message::Method;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "overlapping-invite-500",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[Need::Time],
    codes: &[500],
    rfc: &[(3261, "14.1"), (3261, "14.2")],
    title: "{element} sent a second INVITE before the first one was answered",
    why: "the INVITE with CSeq {second} was sent while that with CSeq {first} had no final answer yet; a call takes one change at a time, so it was refused with 500",
    fix: "Make {element} wait for the final answer of an INVITE before it sends the next one in the same call, and after this 500 for the time that Retry-After gives.",
    sentences: &[
        (
            "why-retried",
            "the INVITE with CSeq {second} was sent while that with CSeq {first} had no final answer yet, and was refused with 500; a later one was accepted",
        ),
        ("first", "not answered yet"),
        ("second", "sent all the same"),
        ("answer", "refused for now"),
    ],
    explains: &[
        "cseq-out-of-order-500",
        "reinvite-rejected-session-survives",
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    let overlap = inside::refused(call, &[500])
        .filter(|refused| refused.request.head.method == Method::Invite)
        .find_map(|refused| Some((refused, open_before(call, refused)?)));
    if let Some((refused, (at, first))) = overlap {
        tell(call, refused, at, first, found);
    }
}

// An INVITE of the same end with a lower number and without final answer at that time.
fn open_before<'a>(call: &'a Call, refused: Refused<'_>) -> Option<(usize, &'a Stored)> {
    let asked = refused.request.time()?;
    let mut earlier = inside::offers(call).filter(|(t, index, m)| {
        t.method == Method::Invite
            && *index < refused.index
            && m.keys.from_tag == refused.request.keys.from_tag
            && m.head.vias == refused.request.head.vias
            && m.cseq() < refused.request.cseq()
            && inside::ended(call, t).is_none_or(|ended| ended > asked)
    });
    earlier.next().map(|(_, index, m)| (index, m))
}

fn tell(call: &Call, refused: Refused<'_>, at: usize, first: &Stored, found: &mut Findings) {
    let retried = inside::offers(call).any(|(t, _, m)| {
        m.keys.from_tag == refused.request.keys.from_tag
            && m.cseq() > refused.request.cseq()
            && inside::is_accepted(call, t)
    });
    let severity = match retried {
        true => Severity::Info,
        false => Severity::Warning,
    };
    let side = call.side(refused.request);
    let acts = side.map_or(Acts::Operator, |side| blame::acts_of(call, side));
    let (role, sure) = (Role::Contributing, Confidence::Certain);
    let Some(finding) = found.add_with(severity, role, sure, acts) else {
        return;
    };
    let number = |m: &Stored| usize::try_from(m.cseq()).unwrap_or(0);
    finding.element(sender(refused.request)).args(
        Args::new()
            .count("first", number(first))
            .count("second", number(refused.request)),
    );
    if retried {
        finding.why("why-retried");
    }
    finding
        .proof(Evidence::header(at, first, "CSeq", note("first")))
        .proof(Evidence::header(
            refused.index,
            refused.request,
            "CSeq",
            note("second"),
        ))
        .proof(Evidence::start_line(
            refused.answer_index,
            refused.answer,
            note("answer"),
        ));
}
