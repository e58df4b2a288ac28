//! T5: the answer to an INVITE was repeated and never acknowledged.

use super::super::address::is_private;
use super::super::finding::{Evidence, Finding, Template, Value, note, receiver, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity,
};
use super::from_to_changed;
use crate::message::field::Field;
use crate::message::typed;
use crate::message::uri::{Uri, host_port};
use crate::message::{Header, Method};
use crate::session::clock::SECOND;
use crate::session::entry::TRANSACTION;
use crate::session::{Call, Outcome, Side, Stored, outcome};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "2xx-not-acked",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time],
    rfc: &[(3261, "13.3.1.4"), (3261, "13.2.2.4"), (6026, "7.1")],
    title: "the answer was never acknowledged, so the call was dropped",
    why: "{element} answered the call and sent its {code} {copies} times over {span} because no ACK came; a callee without ACK hangs up after about 32 seconds",
    fix: "Find out where the ACK was lost: the caller must send it to the address in the Contact of the {code} ({contact}), or to the topmost Record-Route. If the caller's own capture shows the {code} arriving and an ACK leaving, a firewall or proxy between them drops it; if the {code} never arrives there, the way back to the caller is broken.",
    sentences: &[
        (
            "why-contact",
            "{element} answered the call and sent its {code} {copies} times over {span} because no ACK came; its Contact is the private address {contact}, where a caller at {caller} cannot send the ACK, and there is no Record-Route to lead it elsewhere",
        ),
        (
            "fix-contact",
            "Set the public address on {element}, so that its Contact can be reached from outside (external or advertised address, NAT setting of the PBX), or let the proxy in front of it add Record-Route or rewrite the Contact. Switching off SIP ALG in the router of that side is worth a try as well.",
        ),
        (
            "why-no-contact",
            "{element} answered the call and sent its {code} {copies} times over {span} because no ACK came; its {code} has no Contact, so {caller} cannot know where to send the ACK",
        ),
        (
            "fix-no-contact",
            "Let {element}, or whatever rewrites its answers, put its Contact into the {code}: an answer that sets up a call must have one.",
        ),
        (
            "why-not-relayed",
            "{element} answered the call and sent its {code} {copies} times over {span}; each copy came to {stop}, which did not hand it on, so the caller never heard of the answer",
        ),
        (
            "fix-not-relayed",
            "Look at {stop}: a proxy hands every 2xx on, also the repeats (RFC 3261 §16.7). Its log says why it dropped this one: a transaction that had timed out there, a Via that it does not know as its own, a failed check of a script.",
        ),
        (
            "why-unheard",
            "{element} answered the call and sent its {code} {copies} times over {span}, and {caller} went on repeating its INVITE: the caller does not get the answer, or drops it, so no ACK can come",
        ),
        (
            "fix-unheard",
            "Capture at {caller}, or read its log. If the answer arrives there, see why it is dropped (changed Via, tags or CSeq). If not, check the way from {element} back to {caller}: the answer goes to the address in the topmost Via, or to the source address where the client asks for `rport` (RFC 3581). A NAT, a firewall or a wrong Via stops it.",
        ),
        (
            "why-unconfirmed",
            "{element} answered the call and sent its {code} {copies} times over {span}; {caller} did get it, because it sent {method} inside the call, and never sent the ACK",
        ),
        (
            "fix-unconfirmed",
            "Correct {caller}: it has to acknowledge every 2xx with an ACK before anything else, also where it does not like the session description (it then hangs up with BYE).",
        ),
        (
            "why-known",
            "{element} answered the call and sent its {code} {copies} times over {span} because no ACK came; {caller} answered its BYE with {bye}, so it has the call and packets pass both ways: it got the {code} and sent no ACK",
        ),
        (
            "why-unknown-there",
            "{element} answered the call and sent its {code} {copies} times over {span} because no ACK came; {caller} answered its BYE with {bye}: other packets reach it, and it does not know this call, so the {code} never came to it",
        ),
        (
            "why-stopped",
            "{element} answered the call and sent its {code} {copies} times over {span}; an ACK came as far as {stop}, which did not hand it on",
        ),
        (
            "fix-stopped",
            "Look at {stop} for what it does with ACKs inside a call: it has to route them by Route and Request-URI like any request in a dialog (`loose_route` and then relay, where it runs a script), also when no transaction matches.",
        ),
        (
            "why-arrived",
            "{element} answered the call and sent its {code} {copies} times over {span}, though an ACK was seen on its last hop to it: it is lost behind the point of capture, or {element} does not take it as the ACK to its answer",
        ),
        (
            "fix-arrived",
            "Capture at {element} itself. If the ACK arrives there, hold its CSeq, tags and Request-URI against the {code} and look into the log of {element}; if not, a firewall between the point of capture and {element} drops it.",
        ),
        (
            "why-lost",
            "{element} answered the call and sent its {code} {copies} times over {span}; an ACK was sent, but it did not arrive there, because the repeats went on",
        ),
        (
            "fix-lost",
            "Follow the ACK from where it was seen to {element}: compare its Request-URI and Route with the Contact ({contact}) and Record-Route of the {code}. A wrong address in the ACK is a fault of the caller or of a proxy that forked the call; a right one means that the hop behind it drops the ACK.",
        ),
        (
            "why-large",
            "{element} answered the call and sent its {code} {copies} times over {span} because no ACK came; the {code} is too large for one UDP packet, so it may never have arrived at {caller}",
        ),
        (
            "why-given-up",
            "{element} answered the call with {code} over TCP, which repeats what gets lost; by the sequence numbers {caller} sent nothing more over this connection, never acknowledged the {code} and gave the call up with BYE {after} later: it did not take the {code} for the answer to its INVITE, and nobody talked",
        ),
        (
            "fix-given-up",
            "Compare From, To, Call-ID, CSeq and Via of the {code} with those of the INVITE: an answer has to bring them back as they were, with a tag added in To (RFC 3261 §8.2.6.2). Where {element} changes them, correct it there; where they fit, look in the log of {caller} for what it did with the answer.",
        ),
        (
            "why-taken",
            "{element} answered the call with {code} over TCP, which repeats what gets lost; by the sequence numbers no ACK is on this connection, and {caller} hung up {after} later; its BYE carries the To-tag of the {code}, so it had the dialog. {after} is 64*T1, after which whoever waits for an ACK gives up (RFC 3261 §13.3.1.4), and {caller} owes this one: most likely it waited itself for the ACK of another leg, as a B2BUA does, and had none to pass on",
        ),
        (
            "fix-taken",
            "Look first at the leg before {caller}, in its log or in a capture there: find out why no ACK came to it. Then record all connections of {caller}: it may have sent the ACK another way, where it did not come to {element}. If {caller} has no other leg, correct it: whoever sent the INVITE acknowledges every 2xx.",
        ),
        (
            "fix-changed",
            "Find what rewrites {header} at {element} (a number plan, a script, a setting that hides addresses), and let it put the address of the INVITE back into its answers (RFC 3261 §8.2.6.2). If {caller} still does not take them, its log says why.",
        ),
        (
            "why-open",
            "{element} answered the call with {code} over TCP, which repeats what gets lost; by the sequence numbers no ACK is on this connection, and {caller} hung up {after} later; the To-tag in its BYE stood in a provisional answer already, so it is not shown whether it took the {code}: it did not and gave up, or it sent no ACK, or sent that another way",
        ),
        (
            "numbered",
            "the INVITE had the number {first}: {caller} may have sent requests between the two that are not recorded here",
        ),
        (
            "gave-up",
            "{caller} gives up, and no ACK is between this and the INVITE",
        ),
        ("changed", "the INVITE had {had} here"),
        (
            "why-timer",
            "{element} answered the call, no ACK to its {code} is recorded, and {after} later the call was hung up: that is 64*T1, the time after which an answer that is not acknowledged is given up, so most likely nobody talked",
        ),
        (
            "fix-timer",
            "Find out whether {caller} sent an ACK at all and which way it took: hold Via, Call-ID, CSeq, From and To of the {code} against the INVITE, for an answer that does not bring them back as they were is not taken for its own (RFC 3261 §8.2.6.2), and its Contact must be an address that {caller} reaches. A capture at {caller} shows it.",
        ),
        (
            "why-timer-caller",
            "{element} answered the call, no ACK to its {code} is recorded, and {caller} hung up {after} later. That is 64*T1, after which whoever waits for an ACK gives up, and {caller} owes this one: most likely it waited itself for the ACK of another leg, as a B2BUA does, had none to pass on, and nobody talked",
        ),
        ("given", "the answer"),
        ("no-ack", "no ACK for it was seen"),
        ("given-up", "and then the call is hung up"),
        ("acknowledged", "an ACK that did not end the repeats"),
        ("answer", "the answer, sent {copies} times"),
        ("contact", "where the ACK has to go"),
        ("silence", "no ACK for it was seen"),
        ("hung-up", "the callee gives up"),
        ("last-seen", "as far as the answer was seen"),
        ("told", "what the caller says to the BYE"),
        ("repeated", "the INVITE once more, after the answer"),
        ("inside", "the caller knows of the answer"),
    ],
    explains: &["bye-unanswered"],
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk: `external_signaling_address` and `local_net` of the transport give the Contact its public address.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH: `ext-sip-ip` of the profile gives the Contact its public address.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

type Placed<'a> = (usize, &'a Stored);
/// Name and place of a header that the answer changed, and what it was.
type Changed = (&'static str, Header, String);

/// What the trace shows of why no ACK ended the repeats.
enum Loss<'a> {
    /// The Contact cannot be reached from where the caller is.
    Contact,
    /// There is no Contact.
    NoContact,
    /// The answer came as far as a proxy.
    NotRelayed(Placed<'a>),
    /// The caller goes on asking.
    Unheard(Placed<'a>),
    /// The caller speaks inside the call.
    Unconfirmed(Placed<'a>),
    /// The caller ends the call like one that it has.
    Known(Placed<'a>),
    /// The caller does not know the call.
    UnknownThere(Placed<'a>),
    /// The ACK came as far as a proxy.
    Stopped(Placed<'a>),
    /// The ACK was seen on its last hop.
    Arrived(Placed<'a>),
    /// The ACK was sent.
    Lost(Placed<'a>),
    /// The answer is too large for one packet.
    Large,
    /// The caller gave up and never acknowledged an answer that it had.
    GivenUp(Placed<'a>),
    /// Nothing more.
    Unknown,
}

// An answer without ACK that is not repeated, and a BYE just when the timer of a 2xx runs out
// (RFC 3261 §13.3.1.4).
fn hung_up_by_timer(call: &Call, found: &mut Findings) {
    const TIMER: std::ops::RangeInclusive<i64> = 31 * SECOND..=33 * SECOND;
    if call.method != Method::Invite || call.outcome != Outcome::Succeeded {
        return;
    }
    let acked = call
        .messages
        .iter()
        .any(|m| m.head.method == Method::Ack && m.head.is_request());
    if acked || found.has("capture-one-sided") {
        return;
    }
    let (Some(answer), Some((bye_at, bye))) = (call.answer(), call.requests(Method::Bye).next())
    else {
        return;
    };
    let after = bye
        .time()
        .zip(answer.time())
        .map(|(end, start)| end - start);
    let Some(after) = after.filter(|after| TIMER.contains(after)) else {
        return;
    };
    let at = call.originals().find(|(_, m)| std::ptr::eq(*m, answer));
    let Some((at, _)) = at else { return };
    let (severity, sure) = (Severity::Warning, Confidence::Likely);
    let Some(finding) = found.remark(severity, sure, Acts::Caller) else {
        return;
    };
    let (why, fix) = match call.side(bye) {
        Some(Side::Caller) => ("why-timer-caller", "fix-taken"),
        _ => ("why-timer", "fix-timer"),
    };
    finding.element(sender(answer)).why(why).fix_alone(fix);
    finding.args(
        Args::new()
            .code("code", answer.head.code().unwrap_or(200))
            .text("caller", receiver(answer))
            .duration("after", after),
    );
    finding.proof(Evidence::start_line(at, answer, note("given")));
    if let (Some(from), Some(until)) = (answer.time(), bye.time()) {
        finding.proof(Evidence::Absence {
            message: at,
            from,
            until,
            note: note("no-ack"),
        });
    }
    finding.proof(Evidence::start_line(bye_at, bye, note("given-up")));
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some(index) = outcome::unacknowledged(call) else {
        return hung_up_by_timer(call, found);
    };
    let (Some(answer), final_response) = (call.message_of(index), &call.finals[index]) else {
        return;
    };
    let given_up = outcome::given_up(call, index);
    let given_up = given_up.and_then(|at| Some((at, call.messages.get(at)?)));
    let loss = match loss(call, (final_response.message, answer)) {
        Loss::Unknown if found.has("udp-too-big") => Loss::Large,
        loss => given_up.map_or(loss, Loss::GivenUp),
    };
    let changed = match loss {
        Loss::GivenUp((_, bye)) => changed(call, (final_response.message, answer), bye),
        _ => None,
    };
    let acts = match loss {
        Loss::GivenUp(_) if changed.is_some() => Acts::Callee,
        Loss::Contact | Loss::NoContact => Acts::Callee,
        Loss::NotRelayed(_) | Loss::Stopped(_) => Acts::Proxy,
        Loss::Unconfirmed(_) | Loss::Known(_) | Loss::GivenUp(_) => Acts::Caller,
        _ => Acts::Network,
    };
    // The repeats prove that no ACK arrived.
    // What the caller got is only concluded from what it says to a BYE.
    let concluded = matches!(
        loss,
        Loss::Known(_) | Loss::UnknownThere(_) | Loss::GivenUp(_)
    );
    let confidence = if concluded || found.has("capture-one-sided") {
        Confidence::Likely
    } else {
        Confidence::Certain
    };
    // Another fork answered as well, and its call went on.
    let (severity, role) = match call.outcome {
        Outcome::Succeeded => (Severity::Warning, Role::Contributing),
        _ => (Severity::Error, Role::Cause),
    };
    let Some(finding) = found.add_with(severity, role, confidence, acts) else {
        return;
    };
    let copies = final_response.repeats.len() + 1;
    let last = final_response
        .repeats
        .last()
        .and_then(|&at| call.messages.get(at))
        .and_then(Stored::time);
    let first = answer.time();
    let contact = typed::contacts(answer.message())
        .into_iter()
        .next()
        .map_or(Value::Said("none given"), Value::Text);
    finding.element(sender(answer)).args(
        Args::new()
            .code("code", final_response.code)
            .count("copies", copies)
            .duration(
                "span",
                first.zip(last).map_or(0, |(first, last)| last - first),
            )
            .with("contact", contact)
            .text(
                "caller",
                call.request().map_or_else(|| receiver(answer), sender),
            ),
    );
    let message = final_response.message;
    if let Loss::GivenUp(bye) = loss {
        return tell_given_up(call, (message, answer), bye, changed, finding);
    }
    finding.proof(Evidence::start_line(
        message,
        answer,
        Template::new("answer", Args::new().count("copies", copies)),
    ));
    if answer.message().header("Contact").is_some() {
        finding.proof(Evidence::header(
            message,
            answer,
            "Contact",
            note("contact"),
        ));
    }
    tell(&loss, message, first, finding);
    let given_up = call
        .originals()
        .find(|(_, m)| call.bye().is_some_and(|bye| std::ptr::eq(*m, bye)));
    if let Some((at, bye)) =
        given_up.filter(|(_, bye)| bye.stamp.sender().is(answer.stamp.sender()))
    {
        finding.proof(Evidence::start_line(at, bye, note("hung-up")));
    }
}

// Only the answers gave out their To-tag.
fn has_tag(answer: &Stored, bye: &Stored) -> bool {
    answer.keys.to_tag != 0 && bye.keys.to_tag == answer.keys.to_tag
}

// The provisional answers from which the caller may know it as well.
fn tagged_before<'a>(
    call: &'a Call,
    answer: &'a Stored,
    bye: &'a Stored,
) -> impl Iterator<Item = Placed<'a>> {
    let tagged = has_tag(answer, bye);
    call.originals().filter(move |(_, m)| {
        let provisional = m.head.code().is_some_and(|code| code < 200);
        tagged && provisional && m.keys.to_tag == answer.keys.to_tag
    })
}

// What the answer changed, where that may be why it was not taken.
fn changed(call: &Call, (at, answer): Placed<'_>, bye: &Stored) -> Option<Changed> {
    let before: Vec<Placed<'_>> = tagged_before(call, answer, bye).collect();
    let taken = has_tag(answer, bye) && before.is_empty();
    let used = |(at, m): &Placed<'_>| from_to_changed::changed(call, *at, m).is_some();
    let changed = from_to_changed::changed(call, at, answer);
    changed.filter(|_| !taken && !before.iter().any(used))
}

fn tell_given_up(
    call: &Call,
    (message, answer): Placed<'_>,
    (at, bye): Placed<'_>,
    changed: Option<Changed>,
    finding: &mut Finding,
) {
    let caller = || Args::new().text("caller", sender(bye));
    let after = bye.time().zip(answer.time()).map_or(0, |(b, a)| b - a);
    let args = caller().duration("after", after);
    let early = tagged_before(call, answer, bye).next().is_some();
    let taken = has_tag(answer, bye) && !early;
    let (why, fix) = match (early, taken) {
        (true, _) => ("why-open", "fix-taken"),
        (_, true) => ("why-taken", "fix-taken"),
        _ => ("why-given-up", "fix-given-up"),
    };
    let fix = changed.as_ref().map_or(fix, |_| "fix-changed");
    finding.why(why).fix(fix).args(args);
    finding.proof(Evidence::start_line(message, answer, note("given")));
    if let Some((name, header, had)) = changed {
        finding.args(Args::new().text("header", name));
        let note = Template::new("changed", Args::new().text("had", had));
        finding.proof(Evidence::of_header(message, header, header.value, note));
    }
    finding.proof(Evidence::start_line(
        at,
        bye,
        Template::new("gave-up", caller()),
    ));
    if (taken || early) && bye.cseq() > answer.cseq().saturating_add(1) {
        let first = caller().text("first", answer.cseq().to_string());
        let note = Template::new("numbered", first);
        finding.proof(Evidence::header(at, bye, "CSeq", note));
    }
}

fn tell(loss: &Loss<'_>, message: usize, first: Option<i64>, finding: &mut Finding) {
    let (why, fix) = match loss {
        Loss::Contact => ("why-contact", "fix-contact"),
        Loss::NoContact => ("why-no-contact", "fix-no-contact"),
        Loss::NotRelayed(_) => ("why-not-relayed", "fix-not-relayed"),
        Loss::Unheard(_) => ("why-unheard", "fix-unheard"),
        Loss::Unconfirmed(_) => ("why-unconfirmed", "fix-unconfirmed"),
        Loss::Known(_) => ("why-known", "fix-unconfirmed"),
        Loss::UnknownThere(_) => ("why-unknown-there", "fix-unheard"),
        Loss::Stopped(_) => ("why-stopped", "fix-stopped"),
        Loss::Arrived(_) => ("why-arrived", "fix-arrived"),
        Loss::Lost(_) => ("why-lost", "fix-lost"),
        Loss::GivenUp(_) => ("why-given-up", "fix-given-up"),
        Loss::Large => ("why-large", "fix"),
        Loss::Unknown => ("why", "fix"),
    };
    finding.why(why).fix(fix);
    let shown = match loss {
        Loss::NotRelayed((at, m)) => {
            finding.args(Args::new().text("stop", receiver(m)));
            Some((*at, *m, "last-seen"))
        }
        Loss::Unheard((at, m)) => Some((*at, *m, "repeated")),
        Loss::Unconfirmed((at, m)) => {
            finding.args(Args::new().text("method", m.message().method_name()));
            Some((*at, *m, "inside"))
        }
        Loss::Known((at, m)) | Loss::UnknownThere((at, m)) => {
            finding.args(Args::new().code("bye", m.head.code().unwrap_or(0)));
            Some((*at, *m, "told"))
        }
        Loss::Stopped((at, m)) | Loss::Arrived((at, m)) | Loss::Lost((at, m)) => {
            finding.args(Args::new().text("stop", receiver(m)));
            Some((*at, *m, "acknowledged"))
        }
        Loss::Contact | Loss::NoContact | Loss::Large | Loss::GivenUp(_) | Loss::Unknown => None,
    };
    if let Some((at, m, remark)) = shown.filter(|(at, ..)| *at != message) {
        finding.proof(Evidence::start_line(at, m, note(remark)));
    }
    let acknowledged = matches!(loss, Loss::Stopped(_) | Loss::Arrived(_) | Loss::Lost(_));
    if let Some(from) = first.filter(|_| !acknowledged) {
        finding.proof(Evidence::Absence {
            message,
            from,
            until: from + TRANSACTION * SECOND,
            note: note("silence"),
        });
    }
}

fn loss<'a>(call: &'a Call, (index, answer): Placed<'a>) -> Loss<'a> {
    let acks = call
        .requests(Method::Ack)
        .filter(|(_, m)| m.cseq() == answer.cseq() && m.keys.to_tag == answer.keys.to_tag);
    if let Some(ack) = acks.max_by_key(|(at, m)| (m.head.vias, *at)) {
        return acknowledged(call, ack, answer);
    }
    if !call.fields(index).has(Field::Contact) {
        return Loss::NoContact;
    }
    if unreachable_contact(answer).is_some() {
        return Loss::Contact;
    }
    let same = |m: &Stored| {
        m.head.code() == answer.head.code()
            && m.cseq() == answer.cseq()
            && m.head.method == answer.head.method
            && m.keys.to_tag == answer.keys.to_tag
    };
    let sightings = call.originals().filter(|(_, m)| same(m));
    let Some(near) = sightings.min_by_key(|(at, m)| (m.head.vias, *at)) else {
        return Loss::Unknown;
    };
    let asked = call
        .originals()
        .filter(|(_, m)| m.is_initial() && m.cseq() == answer.cseq())
        .min_by_key(|(at, m)| (m.head.vias, *at));
    let Some((asked_at, asked)) = asked else {
        return Loss::Unknown;
    };
    // The caller wrote fewer Vias than this sighting still has.
    if asked.head.vias < near.1.head.vias && asked.stamp.receiver().is(near.1.stamp.receiver()) {
        return Loss::NotRelayed(near);
    }
    if let Some(again) = asks_again(call, asked_at, near.1) {
        return Loss::Unheard(again);
    }
    let inside = call.originals().find(|(_, m)| {
        m.head.is_request()
            && m.keys.to_tag == answer.keys.to_tag
            && m.keys.from_tag == asked.keys.from_tag
    });
    if let Some(inside) = inside {
        return Loss::Unconfirmed(inside);
    }
    match told_at_hangup(call, answer) {
        Some((at, told, 200..=299)) => Loss::Known((at, told)),
        Some((at, told, 481)) => Loss::UnknownThere((at, told)),
        _ => Loss::Unknown,
    }
}

/// What the caller itself said to the BYE of whoever sent this answer, with its code.
pub(super) fn told_at_hangup<'c>(
    call: &'c Call,
    answer: &Stored,
) -> Option<(usize, &'c Stored, u16)> {
    let caller = call.request()?.stamp.sender();
    call.transactions().iter().find_map(|transaction| {
        let hangup = call.messages.get(transaction.request()?)?;
        let (&at, by_callee) = (
            transaction.finals.first()?,
            hangup.keys.from_tag == answer.keys.to_tag && hangup.head.method == Method::Bye,
        );
        let told = call.messages.get(at).filter(|_| by_callee)?;
        let code = told.head.code()?;
        told.stamp.sender().is(caller).then_some((at, told, code))
    })
}

fn acknowledged<'a>(call: &Call, ack: Placed<'a>, answer: &Stored) -> Loss<'a> {
    let callee = answer.stamp.sender();
    let stop = ack.1.stamp.receiver();
    if stop.is(callee) {
        return Loss::Arrived(ack);
    }
    // What it sends to the callee can be seen.
    let hands_on = |m: &Stored| m.stamp.sender().is(stop) && m.stamp.receiver().is(callee);
    match call.messages.iter().any(hands_on) {
        true => Loss::Stopped(ack),
        false => Loss::Lost(ack),
    }
}

// A copy of the INVITE that was sent when the answer must have been there.
fn asks_again<'a>(call: &'a Call, asked: usize, near: &Stored) -> Option<Placed<'a>> {
    const ROUND_TRIP: i64 = SECOND;
    let heard = near.time()? + ROUND_TRIP;
    let sends = &call.transaction_of(asked)?.sends;
    sends.iter().rev().find_map(|&index| {
        let copy = call.messages.get(index)?;
        (copy.time()? > heard).then_some((index, copy))
    })
}

// A private Contact only matters where no route leads past it and the caller is outside.
fn unreachable_contact(answer: &Stored) -> Option<IpAddr> {
    let message = answer.message();
    if message.header("Record-Route").is_some() {
        return None;
    }
    let contact = typed::contacts(message).into_iter().next()?;
    let uri = Uri::parse(contact.as_bytes())?;
    let (host, _) = host_port(uri.host);
    let host = String::from_utf8_lossy(host)
        .trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .ok()?;
    let outside = |a: std::net::SocketAddr| !is_private(a.ip());
    let both_outside =
        answer.stamp.destination.is_some_and(outside) && answer.stamp.source.is_some_and(outside);
    (is_private(host) && both_outside).then_some(host)
}
