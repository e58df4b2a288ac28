//! N3: answers go to a port or address at which the sender of the request does not listen.

use super::super::finding::{Evidence, Template, note};
use super::super::reach::sent_by;
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity,
    blame,
};
use crate::layers::{IcmpKind, Transport};
use crate::message::field::Field;
use crate::session::aside::What;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Side, Stored, Transaction};
use std::net::SocketAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "response-to-wrong-port",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "18.2.2"), (3581, "4")],
    title: "the answers of {element} go where the sender does not listen",
    why: "{method} came from {from}, its Via asks for rport, and {element} answers to {to} all the same; the sender does not get that and repeats the request {repeats} times",
    fix: "Make {element} answer to the address and port that a request came from where Via carries rport, as RFC 3581 asks.",
    sentences: &[
        (
            "why-no-rport",
            "{method} came from {from}, and its Via names {to} without rport, so {element} answers there, as it must; nothing listens there, and the sender repeats the request {repeats} times",
        ),
        (
            "why-no-rport-nat",
            "{method} came from {from}, and its Via names port {port} without rport, so {element} answers to that port of the address that the request came from, {to}, as it must; the address translation in front of the sender has no way in there, and the sender repeats the request {repeats} times",
        ),
        (
            "fix-no-rport",
            "Switch on rport (symmetric response routing) at {from}, or make it send from the port on which it listens. {element} can help by answering to where requests come from, with or without rport.",
        ),
        (
            "why-source",
            "{method} came from {from}, and its Via names port {port} without rport: {element} has to answer there and answers to {to} instead; the sender listens only where its Via says, and repeats the request {repeats} times",
        ),
        (
            "fix-source",
            "Make {element} answer to the port in Via where there is no rport, or switch on rport at {from} and let it listen where it sends from.",
        ),
        (
            "why-address",
            "{method} came from {from}, and {element} answers to {to}, the address in Via, instead of the one that the packet came from; the sender does not get that and repeats the request {repeats} times",
        ),
        (
            "fix-address",
            "Make {element} answer to the address that requests come from: it must note that in received where Via says something else, and use it.",
        ),
        ("request", "sent from {from}, and repeated after the answer"),
        ("via", "where the sender says that it is to be answered"),
        ("answer", "sent to {to}"),
    ],
    explains: &[
        "auth-challenge-not-received",
        "auth-no-credentials-sent",
        "2xx-not-acked",
        "final-not-acked",
        "request-no-response",
        "trying-then-silence",
        "icmp-unreachable",
        "retransmission-storm",
    ],
    confirm: "a capture at {from} that shows whether the answers arrive",
    settings: &[
        (
            Product::Asterisk,
            "In pjsip.conf set force_rport=yes (the default) in the endpoint.",
        ),
        (
            Product::FreeSwitch,
            "Set NDLB-force-rport to safe or true in the sofia profile for clients that do not ask for rport.",
        ),
        (
            Product::Kamailio,
            "Call force_rport() before t_relay() and before replies to requests of such clients.",
        ),
        (
            Product::OpenSips,
            "Call force_rport() before t_relay() and before replies to requests of such clients.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// Which of the rules of RFC 3261 §18.2.2 and RFC 3581 §4 was not kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// rport was asked for, the port in Via was used.
    IgnoredRport,
    /// rport was not asked for, so the port in Via was used, where nobody listens.
    NoRport,
    /// rport was not asked for, and the source port was used.
    SourcePort,
    /// The address in Via was used, not that of the packet.
    Address,
}

/// A response that did not find its way.
struct Stray {
    request: usize,
    response: usize,
    fault: Fault,
    from: SocketAddr,
    to: SocketAddr,
    port: u16,
    repeats: usize,
    reported: bool,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some(stray) = call.transactions().iter().find_map(|t| stray(call, t)) else {
        return;
    };
    let requester = match stray.fault {
        Fault::NoRport => true,
        Fault::IgnoredRport | Fault::SourcePort | Fault::Address => false,
    };
    let Some(request) = call.messages.get(stray.request) else {
        return;
    };
    let acts = acts(call, request, requester);
    let (severity, role) = match call.outcome {
        Outcome::Succeeded => (Severity::Warning, Role::Contributing),
        _ => (Severity::Error, Role::Cause),
    };
    let confidence = match stray.reported {
        true => Confidence::Certain,
        false => Confidence::Likely,
    };
    if let Some(finding) = found.add_with(severity, role, confidence, acts) {
        tell(call, &stray, request, finding);
    }
}

// A request that a proxy handed on is its own.
fn acts(call: &Call, request: &Stored, requester: bool) -> Acts {
    let side = call.side(request).unwrap_or(Side::Caller);
    match requester {
        true if request.head.vias > 1 => Acts::Proxy,
        true => blame::acts_of(call, side),
        false => blame::acts_of(call, side.other()),
    }
}

fn stray(call: &Call, transaction: &Transaction) -> Option<Stray> {
    // The least that shows it: a request, its answer, and two repeats after that.
    const ENOUGH: usize = 2;
    if transaction.sends.len() <= ENOUGH {
        return None;
    }
    let message = |index: usize| call.messages.get(index);
    let index = transaction.request()?;
    let request = message(index)?;
    let (from, _) = request.stamp.observed()?;
    if request.stamp.transport != Some(Transport::Udp) {
        return None;
    }
    let mut answers = transaction
        .provisionals
        .iter()
        .chain(&transaction.finals)
        .filter_map(|&index| Some((index, message(index)?)));
    let (response, answer) = answers.next()?;
    let (_, to) = answer.stamp.observed()?;
    let fault = fault(call, index, request, from, to)?;
    // Seen on both sides of a translation, one of the requests is where the answer goes to.
    let sent_from = |at: SocketAddr| {
        transaction
            .sends
            .iter()
            .filter_map(|&index| message(index)?.stamp.source)
            .any(|source| source == at)
    };
    if fault != Fault::SourcePort && sent_from(to) {
        return None;
    }
    let heard_by = answer.time()? + SECOND / 4;
    let later = transaction
        .sends
        .iter()
        .filter_map(|&index| message(index)?.time());
    let repeats = later.filter(|time| *time > heard_by).count();
    let reported = call.asides.iter().any(|aside| match &aside.what {
        What::Icmp(icmp) => {
            icmp.message == response
                && matches!(
                    icmp.kind,
                    IcmpKind::PortUnreachable | IcmpKind::HostUnreachable
                )
        }
        What::Dns(_) | What::Wire(_) => false,
    });
    let (_, port) = sent_by(request)?;
    (repeats >= ENOUGH).then_some(Stray {
        request: index,
        response,
        fault,
        from,
        to,
        port,
        repeats,
        reported,
    })
}

fn fault(
    call: &Call,
    index: usize,
    request: &Stored,
    from: SocketAddr,
    to: SocketAddr,
) -> Option<Fault> {
    let (host, port) = sent_by(request)?;
    let via = call.fields(index).value(Field::Via)?;
    let first = via.split(|byte| *byte == b',').next().unwrap_or(via);
    let has = |name: &str| {
        let mut parts = first.split(|byte| *byte == b';').skip(1);
        parts.any(|part| {
            let name_end = part.iter().position(|b| *b == b'=').unwrap_or(part.len());
            part.get(..name_end)
                .is_some_and(|own| own.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
        })
    };
    if has("maddr") {
        return None;
    }
    match (has("rport"), to.ip() == from.ip()) {
        (_, false) if host.ip() == Some(to.ip()) => Some(Fault::Address),
        (true, true) if to.port() == port && port != from.port() => Some(Fault::IgnoredRport),
        (false, true) if to.port() == port && port != from.port() => Some(Fault::NoRport),
        (false, true) if to.port() == from.port() && port != from.port() => Some(Fault::SourcePort),
        _ => None,
    }
}

fn names_another_host(request: &Stored, from: SocketAddr) -> bool {
    let host = sent_by(request).and_then(|(host, _)| host.ip());
    host.is_some_and(|host| host != from.ip())
}

fn tell(call: &Call, stray: &Stray, request: &Stored, finding: &mut super::super::Finding) {
    let (why, fix) = match stray.fault {
        Fault::IgnoredRport => ("why", "fix"),
        Fault::NoRport if names_another_host(request, stray.from) => {
            ("why-no-rport-nat", "fix-no-rport")
        }
        Fault::NoRport => ("why-no-rport", "fix-no-rport"),
        Fault::SourcePort => ("why-source", "fix-source"),
        Fault::Address => ("why-address", "fix-address"),
    };
    let answer = call.messages.get(stray.response);
    let element = answer.and_then(|m| m.stamp.source);
    finding
        .element(element.map_or_else(String::new, |a| a.to_string()))
        .args(
            Args::new()
                .text("method", request.message().method_name())
                .text("from", stray.from.to_string())
                .text("to", stray.to.to_string())
                .count("port", stray.port.into())
                .count("repeats", stray.repeats),
        )
        .why(why)
        .fix(fix)
        .proof(Evidence::start_line(
            stray.request,
            request,
            note("request"),
        ))
        .proof(Evidence::header(stray.request, request, "Via", note("via")));
    if let Some(answer) = answer {
        finding.proof(Evidence::start_line(
            stray.response,
            answer,
            Template::new("answer", Args::new()),
        ));
    }
}
