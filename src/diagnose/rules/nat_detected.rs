//! N4: addresses are translated between two points.

use super::super::address::{Host, class, is_private};
use super::super::finding::{Evidence, note};
use super::super::reach::{is_of_author, received, sent_by};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::field::Field;
use crate::message::hints::Hint;
use crate::session::{Call, Stored};
use std::net::{IpAddr, SocketAddr};

/// The rule.
pub static RULE: Rule = Rule {
    id: "nat-detected",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[Need::Addresses],
    rfc: &[(3581, "4"), (3261, "18.2.1")],
    title: "addresses are translated (NAT) in front of {element}",
    why: "{element} calls itself {inside}, which is {class}, and {server} gets its packets from {outside}: between them addresses are translated, and ports as well",
    fix: "Keep this in mind where requests or audio towards {element} get lost: what it says of its own address is true only behind the translation. There is nothing to change as long as both ways work.",
    sentences: &[
        (
            "why-same-port",
            "{element} calls itself {inside}, which is {class}, and {server} gets its packets from {outside}: between them addresses are translated, and the port is kept",
        ),
        (
            "via",
            "it calls itself {inside}; the packet came from {outside}",
        ),
        ("received", "what the server saw: {outside}"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    // The first request of an author that is seen on its first hop.
    let mut requests = call
        .messages
        .iter()
        .enumerate()
        .take(8)
        .filter(|(_, m)| is_of_author(m));
    let inner = |m: &Stored| m.head.hints.has(Hint::InnerVia);
    let Some((index, request)) = requests.next().filter(|(_, m)| inner(m)) else {
        return;
    };
    let (Some((Host::Ip(inside), port)), Some((source, server))) =
        (sent_by(request), request.stamp.observed())
    else {
        return;
    };
    // An address of the machine itself is no sign of a translation.
    if !is_private(inside) || class(inside).is_of_machine() {
        return;
    }
    let inside = SocketAddr::new(inside, port);
    if inside.ip() != source.ip() && !is_private(source.ip()) {
        return tell(inside, source, server, Seen::Request(index, request), found);
    }
    // Recorded behind the translation: the server says what it saw.
    let answers =
        call.messages.iter().enumerate().take(8).filter(|(_, m)| {
            !m.head.is_request() && m.keys.transaction == request.keys.transaction
        });
    let mut told = answers.filter_map(|(at, m)| {
        let via = call.fields(at).value(Field::Via)?;
        memchr::memmem::find(via, b"received=")?;
        let (ip, port) = received(m)?;
        Some((at, m, ip, port))
    });
    let Some((at, answer, ip, port)) = told.next() else {
        return;
    };
    let differs = |ip: IpAddr| ip != inside.ip() && !is_private(ip);
    if differs(ip) {
        let outside = SocketAddr::new(ip, port.unwrap_or(inside.port()));
        tell(inside, outside, server, Seen::Answer(at, answer), found);
    }
}

/// The message that shows it.
enum Seen<'a> {
    Request(usize, &'a Stored),
    Answer(usize, &'a Stored),
}

fn tell(
    inside: SocketAddr,
    outside: SocketAddr,
    server: SocketAddr,
    seen: Seen<'_>,
    found: &mut Findings,
) {
    let added = found.add_as(Role::Contributing, Confidence::Certain, Acts::Nobody);
    let Some(finding) = added else { return };
    finding.element(outside.to_string()).args(
        Args::new()
            .text("inside", inside.to_string())
            .text("outside", outside.to_string())
            .said("class", class(inside.ip()).name())
            .text("server", server.to_string()),
    );
    if inside.port() == outside.port() {
        finding.why("why-same-port");
    }
    match seen {
        Seen::Request(at, m) => finding.proof(Evidence::header(at, m, "Via", note("via"))),
        Seen::Answer(at, m) => finding.proof(Evidence::header(at, m, "Via", note("received"))),
    };
}
