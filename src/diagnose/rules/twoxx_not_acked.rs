//! T5: the answer to an INVITE was repeated and never acknowledged.

use super::super::address::is_private;
use super::super::finding::{Evidence, Template, note, receiver, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::typed;
use crate::message::uri::{Uri, host_port};
use crate::session::clock::SECOND;
use crate::session::entry::TRANSACTION;
use crate::session::{Call, Outcome, Stored, outcome};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "2xx-not-acked",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time],
    rfc: &[(3261, "13.3.1.4"), (3261, "13.2.2.4"), (6026, "7.1")],
    title: "the answer was never acknowledged, so the call was dropped",
    why: "{element} answered the call and repeated its {code} {copies} times over {span} because no ACK came; a callee without ACK hangs up after about 32 seconds",
    fix: "Find out where the ACK was lost: the caller must send it to the address in the Contact of the {code} ({contact}), or to the topmost Record-Route. If the caller's own capture shows the {code} arriving and an ACK leaving, a firewall or proxy between them drops it; if the {code} never arrives there, the way back to the caller is broken.",
    sentences: &[
        (
            "why-contact",
            "{element} answered the call and repeated its {code} {copies} times over {span} because no ACK came; its Contact is the private address {contact}, where a caller at {caller} cannot send the ACK, and there is no Record-Route to lead it elsewhere",
        ),
        (
            "fix-contact",
            "Set the public address on {element}, so that its Contact can be reached from outside (external or advertised address, NAT setting of the PBX), or let the proxy in front of it add Record-Route or rewrite the Contact. Switching off SIP ALG in the router of that side is worth a try as well.",
        ),
        (
            "why-lost",
            "{element} answered the call and repeated its {code} {copies} times over {span}; an ACK was sent, but it did not arrive there, because the repeats went on",
        ),
        (
            "fix-lost",
            "Follow the ACK from where it was seen to {element}: compare its Request-URI and Route with the Contact ({contact}) and Record-Route of the {code}. A wrong address in the ACK is a fault of the caller or of a proxy that forked the call; a right one means that the hop behind it drops the ACK.",
        ),
        ("acknowledged", "an ACK that did not end the repeats"),
        ("answer", "the answer, sent {copies} times"),
        ("contact", "where the ACK has to go"),
        ("silence", "no ACK for it was seen"),
        ("hung-up", "the callee gives up"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let unacknowledged = (0..call.finals.len()).find(|&index| {
        let of_beginning = call
            .message_of(index)
            .is_some_and(|m| call.is_of_beginning(m));
        of_beginning
            && (200..300).contains(&call.finals[index].code)
            && outcome::never_acknowledged(call, index)
    });
    let Some(index) = unacknowledged else { return };
    let (Some(answer), final_response) = (call.message_of(index), &call.finals[index]) else {
        return;
    };
    let copies = final_response.repeats.len() + 1;
    let last = final_response
        .repeats
        .last()
        .and_then(|&at| call.messages.get(at))
        .and_then(Stored::time);
    let first = answer.time();
    let unreachable =
        unreachable_contact(answer).filter(|_| outcome::acknowledgement(call, answer).is_none());
    // The repeats prove that no ACK arrived; what lost it is proved only by an impossible address.
    let acts = if unreachable.is_some() {
        Acts::Callee
    } else {
        Acts::Network
    };
    let confidence = if found.has("capture-one-sided") {
        Confidence::Likely
    } else {
        Confidence::Certain
    };
    // Another fork answered as well, and its call went on.
    let role = match call.outcome {
        Outcome::Succeeded => Role::Contributing,
        _ => Role::Cause,
    };
    let Some(finding) = found.add_as(role, confidence, acts) else {
        return;
    };
    let contact = typed::contacts(answer.message())
        .into_iter()
        .next()
        .unwrap_or_else(|| "none given".to_owned());
    finding.element(sender(answer)).args(
        Args::new()
            .code("code", final_response.code)
            .count("copies", copies)
            .duration(
                "span",
                first.zip(last).map_or(0, |(first, last)| last - first),
            )
            .text("contact", contact)
            .text("caller", receiver(answer)),
    );
    let acknowledged = outcome::acknowledgement(call, answer);
    if acknowledged.is_some() {
        finding.why("why-lost").fix("fix-lost");
    } else if unreachable.is_some() {
        finding.why("why-contact").fix("fix-contact");
    }
    let message = final_response.message;
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
    let seen = call
        .originals()
        .find(|(_, m)| acknowledged.is_some_and(|ack| std::ptr::eq(*m, ack)));
    if let Some((at, ack)) = seen {
        finding.proof(Evidence::start_line(at, ack, note("acknowledged")));
    } else if let Some(from) = first {
        finding.proof(Evidence::Absence {
            message,
            from,
            until: from + TRANSACTION * SECOND,
            note: note("silence"),
        });
    }
    let given_up = call
        .originals()
        .find(|(_, m)| call.bye().is_some_and(|bye| std::ptr::eq(*m, bye)));
    if let Some((at, bye)) =
        given_up.filter(|(_, bye)| bye.stamp.sender().is(answer.stamp.sender()))
    {
        finding.proof(Evidence::start_line(at, bye, note("hung-up")));
    }
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
