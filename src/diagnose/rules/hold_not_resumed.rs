//! M9: a call was put on hold and not properly taken back.

use super::super::finding::{Evidence, Part, note, sender};
use super::super::inside;
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity, blame,
};
use crate::message::Method;
use crate::message::sdp::{self, Media};
use crate::session::clock::SECOND;
use crate::session::{Call, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "hold-not-resumed",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    rfc: &[(3264, "8.4"), (6337, "5.3"), (3264, "6.1")],
    title: "the call was put on hold and not properly taken back",
    why: "{holder} took the call back from hold with {wanted}, and {element} answered {got}: one side still believes that the call is on hold, so audio goes one way or not at all",
    fix: "Correct the direction that {element} answers with: to an offer of {wanted} it has to answer {wanted} again unless it holds the call itself.",
    sentences: &[
        (
            "why-refused",
            "{holder} wanted to take the call back from hold, {element} refused that with {code}, and no further try succeeded: the call stayed on hold to its end",
        ),
        (
            "fix-refused",
            "Find out why {element} refused with {code} (its answer, its log), and let {holder} try again after a refusal, as after 491.",
        ),
        (
            "why-ended",
            "{holder} put the call on hold, and {element} hung up after it had waited for {span}; nobody tried to take the call back",
        ),
        (
            "fix-ended",
            "Look here only if nobody meant to leave the call on hold: a transfer that failed, or a person who forgot it.",
        ),
        ("hold", "on hold from here on"),
        ("resume", "to be taken back"),
        ("answer", "still as on hold"),
        ("refused", "refused"),
        ("bye", "hung up while on hold"),
    ],
    explains: &["reinvite-rejected-session-survives"],
    check,
    ..Rule::PLAIN
};

/// An offer inside the call, and what came of it.
struct Change<'a> {
    offer: (usize, &'a Stored, Media),
    side: Side,
    answer: Option<(usize, &'a Stored)>,
    answered: Option<Media>,
}

/// A hold that is on, of one end.
#[derive(Clone, Copy)]
struct Hold {
    /// Index of the offer that began it, and where its media line is.
    offer: usize,
    line: crate::message::Span,
}

/// How a hold ended, or did not.
enum End<'a> {
    /// The answer left it half on: what was wanted and got.
    Answered(Change<'a>),
    /// The try to end it was refused.
    Refused(Change<'a>),
    /// The held side hung up.
    HungUp(usize, &'a Stored, i64),
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let inside = |t: &crate::session::Transaction| {
        let request = t.request().and_then(|index| call.messages.get(index));
        matches!(t.method, Method::Invite | Method::Update)
            && request.is_some_and(|m| m.keys.to_tag != 0)
    };
    if call.method != Method::Invite || !call.transactions().iter().any(inside) {
        return;
    }
    if let Some((side, hold, end)) = left_on_hold(call) {
        tell(call, side, hold, end, found);
    }
}

// Offers that changed the call, each on the hop where it was seen first.
fn changes(call: &Call) -> Vec<Change<'_>> {
    const MOST: usize = 256;
    let mut seen: Vec<(u64, u32, Method)> = Vec::new();
    let mut all = Vec::new();
    for (transaction, index, request) in inside::offers(call).take(MOST) {
        let key = (request.keys.from_tag, request.cseq(), request.head.method);
        let (Some(side), false) = (call.side(request), seen.contains(&key)) else {
            continue;
        };
        let Some(media) = audio(request) else {
            continue;
        };
        seen.push(key);
        let last = transaction.finals.first().copied();
        let answer = last.and_then(|at| Some((at, call.messages.get(at)?)));
        let accepted = answer.filter(|_| inside::is_accepted(call, transaction));
        all.push(Change {
            offer: (index, request, media),
            side,
            answer,
            answered: accepted.and_then(|(_, m)| audio(m)),
        });
    }
    all
}

fn audio(stored: &Stored) -> Option<Media> {
    let media = sdp::media(stored.message().body()).into_iter();
    let mut open = media.filter(|m| m.kind == "audio" && m.port != 0);
    open.next()
}

fn holds(media: &Media) -> bool {
    !media.direction.receives() || media.is_zeroed()
}

fn left_on_hold(call: &Call) -> Option<(Side, Hold, End<'_>)> {
    let mut held: [Option<Hold>; 2] = [None, None];
    let place = |side: Side| usize::from(side == Side::Callee);
    let mut left: Option<(Side, Hold, End<'_>)> = None;
    for change in changes(call) {
        let own = held.get(place(change.side)).copied().flatten();
        let other = held.get(place(change.side.other())).copied().flatten();
        let (index, _, media) = &change.offer;
        let wants = holds(media);
        let refusal = change.answer.and_then(|(_, m)| m.head.code());
        match (wants, own, &change.answered) {
            (true, _, Some(_)) => {
                let line = media.says_direction();
                let hold = own.unwrap_or(Hold {
                    offer: *index,
                    line,
                });
                if let Some(slot) = held.get_mut(place(change.side)) {
                    *slot = Some(hold);
                }
                left = None;
            }
            (false, Some(hold), Some(answered)) => {
                let half = media.direction == sdp::Direction::SendRecv
                    && answered.direction != sdp::Direction::SendRecv
                    && other.is_none();
                if let Some(slot) = held.get_mut(place(change.side)) {
                    *slot = None;
                }
                left = half.then_some((change.side, hold, End::Answered(change)));
            }
            (false, Some(hold), None) if refusal.is_some_and(|code| code >= 300) => {
                left = Some((change.side, hold, End::Refused(change)));
            }
            _ => {}
        }
    }
    left.or_else(|| hung_up(call, held))
}

// The held side gave up waiting.
fn hung_up(call: &Call, held: [Option<Hold>; 2]) -> Option<(Side, Hold, End<'_>)> {
    const PATIENCE: i64 = 10 * SECOND;
    let (index, bye) = call.requests(Method::Bye).next()?;
    let by = call.side(bye)?;
    let (side, hold) = match held {
        [Some(hold), None] => (Side::Caller, hold),
        [None, Some(hold)] => (Side::Callee, hold),
        _ => return None,
    };
    let since = call.messages.get(hold.offer)?.time()?;
    let span = bye.time()? - since;
    let waited = by == side.other() && span >= PATIENCE;
    waited.then_some((side, hold, End::HungUp(index, bye, span)))
}

fn tell(call: &Call, side: Side, hold: Hold, end: End<'_>, found: &mut Findings) {
    let (severity, sure, acts) = match &end {
        End::HungUp(..) => (Severity::Info, Confidence::Possible, Acts::Nobody),
        End::Answered(_) => (
            Severity::Warning,
            Confidence::Likely,
            blame::acts_of(call, side.other()),
        ),
        End::Refused(_) => (
            Severity::Warning,
            Confidence::Certain,
            blame::acts_of(call, side.other()),
        ),
    };
    let Some(finding) = found.add_with(severity, Role::Contributing, sure, acts) else {
        return;
    };
    let Some(begun) = call.messages.get(hold.offer) else {
        return;
    };
    finding.args(Args::new().text("holder", sender(begun)));
    finding.proof(media_line(hold.offer, begun, hold.line, "hold"));
    match end {
        End::Answered(change) => {
            let (at, request, offered) = &change.offer;
            finding.proof(media_line(*at, request, offered.says_direction(), "resume"));
            let got = change.answered.as_ref();
            let args = Args::new().text("wanted", offered.direction.name());
            finding.args(args.text("got", got.map_or("", |m| m.direction.name())));
            if let (Some((at, answer)), Some(media)) = (change.answer, got) {
                finding.element(sender(answer));
                finding.proof(media_line(at, answer, media.says_direction(), "answer"));
            }
        }
        End::Refused(change) => {
            let (at, request, offered) = &change.offer;
            finding.why("why-refused").fix("fix-refused");
            finding.proof(media_line(*at, request, offered.says_direction(), "resume"));
            if let Some((at, answer)) = change.answer {
                finding.element(sender(answer));
                finding.args(Args::new().code("code", answer.head.code().unwrap_or(0)));
                finding.proof(Evidence::start_line(at, answer, note("refused")));
            }
        }
        End::HungUp(at, bye, span) => {
            finding.why("why-ended").fix("fix-ended");
            finding.element(sender(bye));
            finding.args(Args::new().duration("span", span));
            finding.proof(Evidence::start_line(at, bye, note("bye")));
        }
    }
}

fn media_line(
    index: usize,
    stored: &Stored,
    line: crate::message::Span,
    remark: &'static str,
) -> Evidence {
    let line = line.shifted(stored.head.body as usize);
    Evidence::Excerpt {
        message: index,
        line,
        mark: line,
        part: Part::Body,
        note: note(remark),
    }
}
