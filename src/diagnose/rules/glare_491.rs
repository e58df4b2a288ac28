//! G3: both sides wanted to change the call at the same moment.

use super::super::finding::{Evidence, Template, note, sender};
use super::super::inside::{self, Refused};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity, blame,
};
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "glare-491",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    codes: &[491],
    rfc: &[(3261, "14.1"), (3261, "14.2"), (3311, "5.2")],
    title: "both sides changed the call at once, and {element} did not try again",
    why: "the {method} of {element} met another change under way and was refused with 491; {element} had to try again after a moment and did not, so its change (hold, resume, transfer, refresh) never happened",
    fix: "Correct {element}: after a 491 it has to send its request again, after 2.1 to 4 s if it chose the Call-ID of the call, else within 2 s.",
    sentences: &[
        (
            "why-resolved",
            "the {method} of {element} met another change under way and was refused with 491; it was sent again and accepted, as it should be",
        ),
        (
            "why-resolved-alone",
            "{other} refused the {method} of {element} with 491, which means that another change is under way, and the trace shows none; it was sent again and accepted, as it should be",
        ),
        (
            "fix-resolved",
            "Look here only if people notice the delay: such a crossing is normal and resolves itself.",
        ),
        (
            "why-again",
            "the {method} of {element} met another change under way and was refused with 491, and so was every further try: each came while another change was under way",
        ),
        (
            "fix-again",
            "Find out what keeps the other change open, and compare the times between the tries: who chose the Call-ID waits 2.1 to 4 s, the other side up to 2 s.",
        ),
        (
            "why-held",
            "{element} had taken the {change} of {other} with a {sign} and not answered it yet, and began a change of its own: {other} refused that with 491, as it has to, and so every further try",
        ),
        (
            "fix-held",
            "Correct {element}: it has to answer the {change} of {other} before it sends one of its own (RFC 3261 §14.1). Look there for what keeps that answer so long.",
        ),
        (
            "why-both",
            "the {method} of {element} and that of {other} met, and both were refused with 491; each had to try again after a moment and neither did, so neither change (hold, resume, transfer, refresh) ever happened",
        ),
        (
            "fix-both",
            "Correct {element} and {other}: after a 491 each has to send its request again, who chose the Call-ID of the call after 2.1 to 4 s, the other within 2 s.",
        ),
        (
            "why-early",
            "the {method} of {element} met another change under way and was refused with 491, and so was every further try: {element} chose the Call-ID of the call and came back after {delay}, where 2.1 to 4 s are due",
        ),
        (
            "fix-early",
            "Correct {element}: after a 491, who chose the Call-ID of the call waits 2.1 to 4 s before it sends the request again.",
        ),
        (
            "why-alone",
            "{other} refused the {method} of {element} with 491, which means that another change is under way, and the trace shows none: {other} still holds an earlier one for open",
        ),
        (
            "fix-alone",
            "Look in the log of {other} for the change that it believes to be under way: an INVITE on its other leg that is not answered, or an answer whose ACK it did not get or did not match.",
        ),
        ("pending", "the other change, still open"),
        ("taken", "{element} takes it, and does not answer it yet"),
        ("request", "the change that met it"),
        ("answer", "refused"),
        ("retry", "tried again after {delay}"),
    ],
    explains: &[
        "hold-not-resumed",
        "refresh-rejected",
        "reinvite-rejected-session-survives",
    ],
    confirm: "the log of {other}",
    check,
    ..Rule::PLAIN
};

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    Resolved,
    Dropped,
    /// By both sides.
    BothDropped,
    Again,
    /// Sooner than the side that chose the Call-ID may.
    Early,
    Alone,
    /// The one whose change was refused had the other one, and did not answer it.
    Held,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    let all: Vec<Refused<'_>> = inside::refused(call, &[491]).take(8).collect();
    let Some(&first) = all.first() else { return };
    let Some(at) = first.answer.time() else {
        return;
    };
    let pending = pending(call, first);
    let retries = retries(call, first);
    let course = match (retries.as_slice(), pending) {
        (tries, _) if tries.iter().any(|(_, accepted)| *accepted) => Course::Resolved,
        (_, None) => Course::Alone,
        ([], _) if others_dropped(call, first, &all) => Course::BothDropped,
        ([], _) => Course::Dropped,
        _ if taken(call, first, pending).is_some() => Course::Held,
        ([(index, _), ..], _) if is_early(call, first, *index) => Course::Early,
        _ => Course::Again,
    };
    // Whoever hangs up within the time to wait has nothing to try again.
    let ends = call.bye().and_then(Stored::time).or(call.seen_until);
    let too_soon = ends.is_some_and(|ends| ends < at + 5 * SECOND);
    if matches!(course, Course::Dropped | Course::BothDropped) && too_soon {
        return;
    }
    tell(call, first, pending, &retries, course, found);
}

// Was a change of the other side refused as well, and not tried again?
fn others_dropped(call: &Call, first: Refused<'_>, all: &[Refused<'_>]) -> bool {
    let tag = first.request.keys.from_tag;
    let mut others = all
        .iter()
        .filter(|other| other.request.keys.from_tag != tag);
    others.any(|other| retries(call, *other).is_empty())
}

// Whoever chose the Call-ID waits 2.1 to 4 s (RFC 3261 §14.1).
fn is_early(call: &Call, refused: Refused<'_>, retry: usize) -> bool {
    const LEAST: i64 = 2 * SECOND;
    let again = call.messages.get(retry).and_then(Stored::time);
    let waited = again.zip(refused.answer.time()).map(|(a, b)| a - b);
    call.side(refused.request) == Some(Side::Caller) && waited.is_some_and(|waited| waited < LEAST)
}

// Another INVITE or UPDATE that had begun when the refusal was made, and was not over when the
// refused request was sent.
fn pending(call: &Call, refused: Refused<'_>) -> Option<usize> {
    let (asked, answered) = (refused.request.time()?, refused.answer.time()?);
    let mut open = inside::offers(call).filter(|(t, _, m)| {
        let same = (m.cseq(), m.keys.from_tag, m.head.method)
            == (
                refused.request.cseq(),
                refused.request.keys.from_tag,
                refused.request.head.method,
            );
        let begun = m.time().is_some_and(|time| time <= answered);
        // An INVITE is open until its ACK.
        let acknowledged = call
            .requests(Method::Ack)
            .filter(|(_, ack)| ack.cseq() == m.cseq() && ack.keys.from_tag == m.keys.from_tag)
            .filter_map(|(_, ack)| ack.time())
            .min();
        let over = match t.method {
            Method::Invite => acknowledged.or_else(|| inside::ended(call, t)),
            _ => inside::ended(call, t),
        };
        !same && begun && over.is_none_or(|over| over >= asked)
    });
    open.next().map(|(_, index, _)| index)
}

// The provisional answer with which the one whose change was refused had taken the other change before.
fn taken<'a>(
    call: &'a Call,
    refused: Refused<'_>,
    pending: Option<usize>,
) -> Option<(usize, &'a Stored)> {
    let other = call.messages.get(pending?)?;
    let transaction = call.transaction_of(pending?)?;
    let asked = call.side(other)? == call.side(refused.request)?.other();
    let (at, sign) = call.answer_in(transaction, 100..=199)?;
    let before = at < refused.index && sign.stamp.sender().is(refused.request.stamp.sender());
    (asked && before).then_some((at, sign))
}

// Later requests of the same kind by the same end, and whether each was accepted.
fn retries(call: &Call, refused: Refused<'_>) -> Vec<(usize, bool)> {
    let later = inside::offers(call).filter(|(_, _, m)| {
        m.keys.from_tag == refused.request.keys.from_tag && m.cseq() > refused.request.cseq()
    });
    later
        .take(8)
        .map(|(t, index, _)| (index, inside::is_accepted(call, t)))
        .collect()
}

fn tell(
    call: &Call,
    refused: Refused<'_>,
    pending: Option<usize>,
    retries: &[(usize, bool)],
    course: Course,
    found: &mut Findings,
) {
    let side = call.side(refused.request);
    let own = side.map_or(Acts::Operator, |side| blame::acts_of(call, side));
    let other = side.map_or(Acts::Operator, |side| blame::acts_of(call, side.other()));
    let (severity, sure, acts) = match course {
        Course::Resolved => (Severity::Info, Confidence::Certain, Acts::Nobody),
        Course::Dropped | Course::BothDropped | Course::Early | Course::Held => {
            (Severity::Warning, Confidence::Certain, own)
        }
        Course::Again => (Severity::Warning, Confidence::Likely, own),
        Course::Alone => (Severity::Warning, Confidence::Likely, other),
    };
    let Some(finding) = found.add_with(severity, Role::Contributing, sure, acts) else {
        return;
    };
    finding.element(sender(refused.request)).args(
        Args::new()
            .text("method", refused.request.message().method_name())
            .text("other", sender(refused.answer)),
    );
    match course {
        Course::Resolved if pending.is_none() => {
            finding.why("why-resolved-alone").fix("fix-resolved");
        }
        Course::Resolved => drop(finding.why("why-resolved").fix("fix-resolved")),
        Course::BothDropped => drop(finding.why("why-both").fix("fix-both")),
        Course::Early => drop(finding.why("why-early").fix("fix-early")),
        Course::Again => drop(finding.why("why-again").fix("fix-again")),
        Course::Alone => drop(finding.why("why-alone").fix("fix-alone")),
        Course::Held => drop(finding.why("why-held").fix("fix-held")),
        Course::Dropped => {}
    }
    if let Some((at, m)) = pending.and_then(|at| Some((at, call.messages.get(at)?))) {
        finding.args(Args::new().text("change", m.message().method_name()));
        finding.proof(Evidence::start_line(at, m, note("pending")));
    }
    let taken = taken(call, refused, pending).filter(|_| course == Course::Held);
    if let Some((at, sign)) = taken {
        finding.args(Args::new().code("sign", sign.head.code().unwrap_or(100)));
        finding.proof(Evidence::start_line(at, sign, note("taken")));
    }
    refused.prove(finding, (note("request"), note("answer")));
    let retry = retries.first().and_then(|(at, _)| {
        let m = call.messages.get(*at)?;
        Some((*at, m, m.time()? - refused.answer.time()?))
    });
    if let Some((at, m, delay)) = retry {
        finding.args(Args::new().duration("delay", delay));
        let note = Template::new("retry", Args::new().duration("delay", delay));
        finding.proof(Evidence::start_line(at, m, note));
    }
}
