//! T8: the hang-up got no answer.

use super::super::blame::acts_of_sender;
use super::super::finding::{Evidence, Template, Value, note, receiver, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::layers::Transport;
use crate::message::Method;
use crate::message::uri::Uri;
use crate::session::clock::SECOND;
use crate::session::dialog::Target;
use crate::session::entry::TRANSACTION;
use crate::session::{Call, Stored, Transaction};

/// The rule.
pub static RULE: Rule = Rule {
    id: "bye-unanswered",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    rfc: &[(3261, "15.1.1"), (3261, "17.1.2.2")],
    title: "the BYE to {element} was never answered",
    why: "the BYE from {sender} to {element} was sent {copies} over {span} and got no answer: {element} is gone or cannot be reached, and if it still runs, it goes on with a call that is over",
    fix: "Check whether {element} was still there at that time and can be reached from {sender}: requests inside a call go to the Contact and the Record-Route that were given when it was set up, which may be another way than that of the INVITE. A session timer (RFC 4028) or a media timeout at {element} ends what a lost BYE leaves behind.",
    sentences: &[
        (
            "why-target",
            "the BYE from {sender} to {got} was sent {copies} over {span} and got no answer; the other side had given {want} as its Contact, so the BYE went past it",
        ),
        (
            "fix-target",
            "Correct how {sender} addresses requests inside a dialog: the Request-URI is the Contact that the other side gave last, the Route headers are the Record-Routes of the call.",
        ),
        (
            "why-kept",
            "the BYE from {sender} to {element} was sent {copies} over {span} and got no answer; {element} had handed the ACK of this call on and did not hand the BYE on, so it got stuck there, and the other side is still in the call",
        ),
        (
            "fix-kept",
            "Look into the log of {element} for what it did with this BYE (Call-ID, tags): it had put itself between the two sides, so it has to pass the BYE on or to end the call on both legs.",
        ),
        ("handed", "the ACK had been handed on"),
        (
            "why-media",
            "the BYE from {sender} to {element} was sent {copies} over {span} and got no answer; the other side went on sending audio for {on}, so for it the call was not over",
        ),
        ("sent", "sent {times} times"),
        (
            "sent-once",
            "sent once, over a transport that repeats by itself",
        ),
        ("silence", "no answer from {element}"),
        ("contact", "the Contact that the other side gave"),
    ],
    check,
    ..Rule::PLAIN
};

/// Copies of 11 that show that nothing came back; a capture may lose some.
const ENOUGH: usize = 5;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let byes = || {
        call.transactions()
            .iter()
            .filter(|t| t.method == Method::Bye)
    };
    // Where one side got an answer, or both hung up at once, the call is over everywhere.
    if byes().next().is_none() || byes().any(Transaction::is_answered) {
        return;
    }
    let deepest = byes()
        .filter_map(|t| Some((t, t.request()?, call.messages.get(t.request()?)?)))
        .max_by_key(|(_, index, m)| (m.head.vias, *index));
    let Some((transaction, index, bye)) = deepest else {
        return;
    };
    let (Some(from), Some(until)) = (bye.time(), call.seen_until) else {
        return;
    };
    let reliable = bye.stamp.transport.is_some_and(Transport::is_reliable);
    let visible = context.view.towards(bye.stamp.sender(), from);
    let confidence = match (transaction.sends.len(), reliable) {
        // What is repeated to the end got no answer, whether that could be seen or not.
        (ENOUGH.., false) => Confidence::Certain,
        (1, true) if visible && until - from >= TRANSACTION * SECOND => Confidence::Likely,
        _ => return,
    };
    let confidence = match found.has("capture-one-sided") && reliable {
        true => Confidence::Possible,
        false => confidence,
    };
    let missed = missed_target(call, index, bye);
    let handed = handed_on(call, bye);
    let acts = match (&missed, handed) {
        (Some(_), _) => acts_of_sender(call, bye),
        (None, Some(_)) => Acts::Proxy,
        (None, None) => Acts::Network,
    };
    let on = media_after(call, bye);
    let Some(finding) = found.add_as(Role::Contributing, confidence, acts) else {
        return;
    };
    let last = transaction
        .sends
        .last()
        .and_then(|&at| call.messages.get(at));
    let span = last.and_then(Stored::time).map_or(0, |last| last - from);
    let times = transaction.sends.len();
    let copies: Value = match times {
        1 => "once".into(),
        _ => ("{times} times", Args::new().count("times", times)).into(),
    };
    finding.element(receiver(bye)).args(
        Args::new()
            .text("sender", sender(bye))
            .with("copies", copies)
            .duration("span", span.max(0)),
    );
    finding.proof(Evidence::start_line(
        index,
        bye,
        match times {
            1 => note("sent-once"),
            _ => Template::new("sent", Args::new().count("times", times)),
        },
    ));
    finding.proof(Evidence::Absence {
        message: index,
        from,
        until: until.max(from + 1),
        note: note("silence"),
    });
    if let Some((target, got)) = missed {
        let want = Uri::parse(target.uri).map_or_else(String::new, |uri| uri.bare());
        finding
            .why("why-target")
            .fix("fix-target")
            .args(Args::new().text("want", want).text("got", got));
        finding.proof(Evidence::of_header(
            target.message,
            target.header,
            target.span,
            note("contact"),
        ));
    } else if let Some((at, ack)) = handed {
        finding.why("why-kept").fix("fix-kept");
        finding.proof(Evidence::start_line(at, ack, note("handed")));
    } else if let Some(on) = on {
        finding
            .why("why-media")
            .args(Args::new().duration("on", on));
    }
}

// The ACK of the same dialog, as whoever got the BYE had handed it on.
fn handed_on<'a>(call: &'a Call, bye: &Stored) -> Option<(usize, &'a Stored)> {
    let (reader, author) = (bye.stamp.receiver(), bye.stamp.sender());
    let tags = (bye.keys.from_tag, bye.keys.to_tag);
    call.requests(Method::Ack).find(|(_, ack)| {
        (ack.keys.from_tag, ack.keys.to_tag) == tags
            && reader.is_known()
            && ack.stamp.sender().is(reader)
            && !ack.stamp.receiver().is(author)
    })
}

// The Contact of the other side, where the BYE of its author goes to another.
fn missed_target<'a>(call: &'a Call, index: usize, bye: &Stored) -> Option<(Target<'a>, String)> {
    if bye.head.vias > 1 {
        return None;
    }
    let side = call.side(bye)?;
    let target = call.contact_known_to(index, side.other())?;
    let sent = Uri::parse(bye.message().request_uri()?.of(&bye.raw))?;
    let wanted = Uri::parse(target.uri)?;
    // A strict router before it stands in the Request-URI.
    let is_loose = |uri: &[u8]| Uri::parse(uri).is_some_and(|uri| uri.is_loose());
    let strict = call.route_set().iter().any(|uri| !is_loose(uri));
    (!strict && !wanted.leads_as(&sent)).then(|| (target, sent.bare()))
}

// How long audio from the other side went on after the BYE, nanoseconds.
fn media_after(call: &Call, bye: &Stored) -> Option<i64> {
    const MARGIN: i64 = 2 * SECOND;
    let (at, own) = (bye.time()?, bye.stamp.source?.ip());
    let from_others = call
        .media
        .iter()
        .filter(|stream| stream.flow.destination.ip() == own && stream.flow.source.ip() != own);
    let last = from_others.filter_map(|stream| stream.last).max()?;
    (last.0 > at + MARGIN).then_some(last.0 - at)
}
