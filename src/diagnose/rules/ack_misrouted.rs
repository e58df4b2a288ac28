//! T6: the ACK to a 2xx was sent, and not to where the 2xx said.

use super::super::blame::acts_of_sender;
use super::super::finding::{Evidence, Finding, Value, note, sender};
use super::super::{
    Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity,
};
use crate::message::field::Field;
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Method, header, lossy};
use crate::session::{Call, Outcome, Stored, outcome};
use std::net::{IpAddr, SocketAddr};

/// The rule.
pub static RULE: Rule = Rule {
    id: "ack-misrouted",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time],
    rfc: &[(3261, "12.2.1.1"), (3261, "13.2.2.4"), (3261, "12.1.2")],
    title: "the ACK was wrong, so the answer stayed unacknowledged",
    why: "{element} acknowledged the {code} at {got}, but the Contact of that {code} is {want}; the ACK never came to {callee}, which sent its answer {copies} times and gave the call up",
    fix: "Correct how {element} addresses requests inside a dialog: the Request-URI is the Contact of the 2xx, the Route headers are its Record-Routes in reverse order, and the request goes to the first of them. Where it forks or rewrites Contacts, the ACK must follow the 2xx that it acknowledges and not the first answer.",
    sentences: &[
        (
            "why-route",
            "{element} acknowledged the {code} with {got}, but that {code} recorded the route {want}; so the ACK left the way to {callee}, which sent its answer {copies} times and gave the call up",
        ),
        (
            "why-address",
            "{element} sent the ACK to {got}, though by the {code} it had to go to {want}; {callee} got none, sent its answer {copies} times and gave the call up",
        ),
        (
            "why-tag",
            "{element} sent an ACK with the To-tag {got}, but the {code} of {callee} has {want}; that ACK acknowledges another answer, so {callee} sent its own {copies} times and gave the call up",
        ),
        (
            "why-sequence",
            "{element} sent an ACK with the sequence number {got}, but the INVITE that {callee} answered has {want}; so it acknowledges nothing, and {callee} sent its answer {copies} times and gave the call up",
        ),
        ("wanted", "where the ACK has to go"),
        ("route", "the route that the ACK has to take"),
        ("sent", "where it went"),
        ("answered", "of the answer, which was sent {copies} times"),
        ("other", "of the ACK"),
    ],
    explains: &["2xx-not-acked", "private-contact", "bye-unanswered"],
    settings: &[(
        Product::Asterisk,
        "On Asterisk: set `rewrite_contact=no` on endpoints that are no phones behind NAT, trunks above all.",
    )],
    check,
    ..Rule::PLAIN
};

/// What is wrong with an ACK.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Target,
    Route,
    Address,
    Tag,
    Sequence,
}

/// An ACK that does not fit the 2xx that its sender had received.
struct Misrouted<'a> {
    ack: (usize, &'a Stored),
    answer: (usize, &'a Stored),
    kind: Kind,
    want: String,
    got: Value,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some(index) = outcome::unacknowledged(call) else {
        return;
    };
    let (Some(unacknowledged), Some(answer)) = (call.message_of(index), call.finals.get(index))
    else {
        return;
    };
    let Some(wrong) = first_misrouted(call, unacknowledged) else {
        return;
    };
    let confidence = match wrong.kind {
        Kind::Address => Confidence::Likely,
        _ => Confidence::Certain,
    };
    let (severity, role) = match call.outcome {
        Outcome::Failed if call.decided_by == Some(index) || call.code() < Some(300) => {
            (Severity::Error, Role::Cause)
        }
        _ => (Severity::Warning, Role::Contributing),
    };
    let acts = acts_of_sender(call, wrong.ack.1);
    let Some(finding) = found.add_with(severity, role, confidence, acts) else {
        return;
    };
    finding.args(
        Args::new()
            .code("code", answer.code)
            .count("copies", answer.repeats.len() + 1)
            .text("callee", sender(unacknowledged)),
    );
    tell(&wrong, finding);
}

fn tell(wrong: &Misrouted<'_>, finding: &mut Finding) {
    let ((at, ack), (of, answer)) = (wrong.ack, wrong.answer);
    finding.element(sender(ack)).args(
        Args::new()
            .text("want", wrong.want.clone())
            .with("got", wrong.got.clone()),
    );
    finding.why(match wrong.kind {
        Kind::Target => "why",
        Kind::Route => "why-route",
        Kind::Address => "why-address",
        Kind::Tag => "why-tag",
        Kind::Sequence => "why-sequence",
    });
    finding.proof(match wrong.kind {
        Kind::Target => Evidence::header(of, answer, "Contact", note("wanted")),
        Kind::Route => Evidence::header(of, answer, "Record-Route", note("route")),
        Kind::Address if answer.message().header("Record-Route").is_some() => {
            Evidence::header(of, answer, "Record-Route", note("route"))
        }
        Kind::Address => Evidence::header(of, answer, "Contact", note("wanted")),
        Kind::Tag => Evidence::header(of, answer, "To", note("answered")),
        Kind::Sequence => Evidence::header(of, answer, "CSeq", note("answered")),
    });
    finding.proof(match wrong.kind {
        Kind::Tag => Evidence::header(at, ack, "To", note("other")),
        Kind::Sequence => Evidence::header(at, ack, "CSeq", note("other")),
        _ => Evidence::start_line(at, ack, note("sent")),
    });
}

// The sighting nearest the caller that is wrong: whoever sent that one made the mistake.
fn first_misrouted<'a>(call: &'a Call, answer: &Stored) -> Option<Misrouted<'a>> {
    const MOST: usize = 64;
    let of_answer = |m: &Stored| m.cseq() == answer.cseq() || m.keys.to_tag == answer.keys.to_tag;
    let mut acks: Vec<(usize, &Stored)> = call
        .requests(Method::Ack)
        .filter(|(_, m)| of_answer(m) && !acknowledges_refusal(call, m))
        .take(MOST)
        .collect();
    acks.sort_by_key(|(index, m)| (m.head.vias, *index));
    acks.into_iter()
        .find_map(|ack| misrouted(call, ack, answer))
}

// The ACK to any other final response is part of the transaction of the INVITE.
fn acknowledges_refusal(call: &Call, ack: &Stored) -> bool {
    let refusal = |m: &&Stored| {
        m.keys.transaction == ack.keys.transaction && m.head.code().is_some_and(|code| code >= 300)
    };
    call.messages.iter().find(refusal).is_some()
}

fn misrouted<'a>(
    call: &'a Call,
    ack: (usize, &'a Stored),
    unacknowledged: &Stored,
) -> Option<Misrouted<'a>> {
    let sent = ack.1;
    let got_answer = |m: &Stored| {
        m.head.method == Method::Invite
            && m.head.code().is_some_and(|code| (200..300).contains(&code))
            && m.stamp.receiver().is(sent.stamp.sender())
    };
    let answers = || call.originals().filter(|(_, m)| got_answer(m));
    let same_tag = |m: &Stored| m.keys.to_tag == sent.keys.to_tag;
    let fits = |(_, m): &(usize, &Stored)| same_tag(m) && m.cseq() == sent.cseq();
    let wrong = |answer: (usize, &'a Stored), kind, want: String, got: Value| Misrouted {
        ack,
        answer,
        kind,
        want,
        got,
    };
    let text = |m: &Stored, span: crate::message::Span| m.message().slice(span);
    if let Some(answer) = answers().find(fits) {
        let (kind, want, got) = wrong_address(call, ack, answer)?;
        return Some(wrong(answer, kind, want, got));
    }
    // It acknowledges no answer that was received.
    let own = |(_, m): &(usize, &Stored)| m.keys.to_tag == unacknowledged.keys.to_tag;
    let answer = answers().find(own)?;
    let asked = |cseq: u32| call.requests(Method::Invite).any(|(_, m)| m.cseq() == cseq);
    if same_tag(answer.1) {
        let numbers = (answer.1.cseq().to_string(), sent.cseq().to_string());
        return (!asked(sent.cseq()))
            .then(|| wrong(answer, Kind::Sequence, numbers.0, numbers.1.into()));
    }
    let known = call
        .messages
        .iter()
        .any(|m| !m.head.is_request() && same_tag(m));
    let tags = (
        text(answer.1, answer.1.head.to_tag),
        text(sent, sent.head.to_tag),
    );
    let tagless = sent.head.to_tag.is_empty();
    (!known || tagless).then(|| {
        let got = if tagless {
            "none".into()
        } else {
            tags.1.into()
        };
        wrong(answer, Kind::Tag, tags.0, got)
    })
}

// Request-URI, route and destination against Contact and Record-Route of the 2xx.
fn wrong_address(
    call: &Call,
    (index, ack): (usize, &Stored),
    (of, answer): (usize, &Stored),
) -> Option<(Kind, String, Value)> {
    let mut routes = uris(call, of, Field::RecordRoute);
    routes.reverse();
    // Before loose routing the Request-URI was the first route (RFC 2543); that is no mistake.
    let is_loose = |uri: &[u8]| Uri::parse(uri).is_some_and(|uri| uri.is_loose());
    if routes.first().is_some_and(|first| !is_loose(first)) {
        return None;
    }
    let contact = call.target(of, Field::Contact)?.uri;
    let target = ack.message().request_uri()?.of(&ack.raw);
    let (wanted, sent) = (Uri::parse(contact)?, Uri::parse(target)?);
    if !wanted.leads_as(&sent) {
        return Some((Kind::Target, wanted.bare(), sent.bare().into()));
    }
    // What proxies do with routes is theirs.
    if ack.head.vias > 1 {
        return None;
    }
    let taken = uris(call, index, Field::Route);
    if !holds_in_order(&taken, &routes) {
        let got = match taken.as_slice() {
            [] => "no Route at all".into(),
            taken => (
                "the Route {route}",
                Args::new().text("route", listed(taken)),
            )
                .into(),
        };
        return Some((Kind::Route, listed(&routes), got));
    }
    let next = routes.first().map_or(contact, Vec::as_slice);
    let (want, got) = (literal(next)?, ack.stamp.destination?);
    // To where the INVITE went, or back to where the answer came from, may be on purpose.
    let asked = call.request().and_then(|request| request.stamp.destination);
    let usual = [asked, answer.stamp.source].contains(&Some(got));
    (want != got && !usual).then(|| (Kind::Address, want.to_string(), got.to_string().into()))
}

fn uris(call: &Call, message: usize, field: Field) -> Vec<Vec<u8>> {
    let fields = call.fields(message);
    let values = fields.all(field).map(|header| header.value.of(fields.raw));
    let uris = values.flat_map(|value| {
        let elements = header::elements(value);
        elements
            .map(|element| addr_spec(element).to_vec())
            .collect::<Vec<_>>()
    });
    uris.collect()
}

fn listed(uris: &[Vec<u8>]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = uris.iter().take(SHOWN).map(|uri| lossy(uri)).collect();
    shown.join(", ")
}

// Are all of `wanted` among `taken`, in that order? Others may stand before them.
fn holds_in_order(taken: &[Vec<u8>], wanted: &[Vec<u8>]) -> bool {
    let mut taken = taken.iter();
    let same = |a: &[u8], b: &[u8]| match (Uri::parse(a), Uri::parse(b)) {
        (Some(a), Some(b)) => a.leads_as(&b),
        _ => a == b,
    };
    wanted.iter().all(|want| taken.any(|got| same(got, want)))
}

// The address of a URI whose host is one.
fn literal(uri: &[u8]) -> Option<SocketAddr> {
    let uri = Uri::parse(uri)?;
    let host = lossy(uri.host);
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    Some(SocketAddr::new(ip, uri.usual_port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_may_have_others_before_it_and_must_keep_its_order() {
        let list = |uris: &[&str]| uris.iter().map(|uri| uri.as_bytes().to_vec()).collect();
        let wanted: Vec<Vec<u8>> = list(&["sip:a;lr", "sip:b:5060;lr"]);
        for (taken, holds) in [
            (&["sip:a;lr", "sip:b;lr"][..], true),
            (&["sip:out;lr", "sip:A;lr", "sip:b;lr"], true),
            (&["sip:b;lr", "sip:a;lr"], false),
            (&["sip:a;lr"], false),
            (&[], false),
        ] {
            let taken: Vec<Vec<u8>> = list(taken);
            assert_eq!(holds_in_order(&taken, &wanted), holds, "{taken:?}");
        }
        assert!(holds_in_order(&[], &[]));
    }
}
