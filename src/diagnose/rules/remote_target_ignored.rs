//! G7: a request inside a dialog is not addressed to the Contact of the other side.

use super::super::finding::{Evidence, note, sender};
use super::super::inside::{self, Missed};
use super::super::{Args, Confidence, Context, Findings, Frequency, Need, Rule, Severity, blame};
use crate::message::field::Field;
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Method, header};
use crate::session::{Call, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "remote-target-ignored",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(3261, "12.2.1.1"), (3261, "12.1.2")],
    title: "{method} of {element} is not addressed to the Contact of the other side",
    why: "{method} of {element} is addressed to {used}, and the other side had given {wanted} as its Contact; it failed{left}",
    fix: "Correct {element}: the Request-URI of a request inside a call is the Contact that the other side gave last, with its parameters, whatever was dialled and whoever is the first Route.",
    sentences: &[
        (
            "why-old",
            "{method} of {element} is addressed to {used}, a Contact that the other side had replaced by {wanted} since; it failed{left}",
        ),
        (
            "why-route",
            "{method} of {element} is addressed to {used}, which is the first Route, and the other side had given {wanted} as its Contact; it failed{left}",
        ),
        (
            "why-dialled",
            "{method} of {element} is addressed to {used}, as the first INVITE was, and the other side had given {wanted} as its Contact; it failed{left}",
        ),
        ("contact", "where it has to go"),
        ("request", "where it was sent"),
        ("answer", "what became of it"),
        ("silence", "no answer to it"),
    ],
    explains: &[
        "bye-unanswered",
        "481-state-lost",
        "routing-loop",
        "dest-not-found",
    ],
    check,
    ..Rule::PLAIN
};

/// What was used instead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Used {
    Other,
    Old,
    Route,
    Dialled,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    // A wrong tag or Route is reason enough for the refusal.
    let known = found.has("route-set-broken") || found.has("481-tag-mismatch");
    if call.method != Method::Invite || known {
        return;
    }
    let wrong = inside::missed(call)
        .filter(|missed| !missed.is_ack)
        .find_map(|missed| {
            let (used, side, wanted) = used(call, missed)?;
            Some((missed, used, side, wanted))
        });
    if let Some((missed, used, side, wanted)) = wrong {
        tell(call, missed, used, side, wanted, found);
    }
}

// Compared with every sighting of the newest Contact: an SBC puts its own in its place.
fn used(call: &Call, missed: Missed<'_>) -> Option<(Used, Side, usize)> {
    let side = call.side(missed.request)?;
    let other = side.other();
    let target = missed.request.message().request_uri()?;
    let used = inside::place(target.of(&missed.request.raw))?;
    let newest = call.contact_of(other, missed.index)?.message;
    let described = call.messages.get(newest)?;
    let mut given: Vec<(bool, Vec<u8>)> = Vec::new();
    let earlier = call
        .originals()
        .take_while(|(index, _)| *index < missed.index)
        .filter(|(_, m)| call.side(m) == Some(other));
    for (index, m) in earlier.take(256) {
        let transaction = |m: &Stored| (m.cseq(), m.head.method, m.keys.from_tag);
        let newest = transaction(m) == transaction(described);
        for header in call.fields(index).all(Field::Contact) {
            let first = header::elements(header.value.of(&m.raw));
            let uris = first.map(|uri| (newest, addr_spec(uri).to_vec()));
            given.extend(uris);
        }
    }
    let is_used = |uri: &[u8]| inside::place(uri).as_ref() == Some(&used);
    if given.iter().any(|(newest, uri)| *newest && is_used(uri)) {
        return None;
    }
    let routes: Vec<Vec<u8>> = call.route_set();
    // A strict router gets its own address as Request-URI.
    let is_loose = |uri: &[u8]| Uri::parse(uri).is_some_and(|uri| uri.is_loose());
    if routes.iter().any(|route| !is_loose(route)) {
        return None;
    }
    let host = |uri: &[u8]| inside::place(uri).map(|(_, host, port)| (host, port));
    let dialled = || {
        let begun = call.request()?;
        Some(is_used(begun.message().request_uri()?.of(&begun.raw)))
    };
    let kind = if given.iter().any(|(_, uri)| is_used(uri)) {
        Used::Old
    } else if routes
        .iter()
        .any(|route| host(route) == Some((used.1.clone(), used.2.clone())))
    {
        Used::Route
    } else if dialled() == Some(true) {
        Used::Dialled
    } else {
        Used::Other
    };
    Some((kind, side, newest))
}

fn tell(
    call: &Call,
    missed: Missed<'_>,
    used: Used,
    side: Side,
    newest: usize,
    found: &mut Findings,
) {
    let (severity, role) = inside::weight(call, missed);
    let acts = blame::acts_of(call, side);
    let Some(finding) = found.add_with(severity, role, Confidence::Likely, acts) else {
        return;
    };
    let request = missed.request;
    let target = request.message().request_uri().unwrap_or_default();
    let wanted = call.target(newest, Field::Contact);
    finding.element(sender(request)).args(
        Args::new()
            .text("method", request.message().method_name())
            .text("used", inside::shown(target.of(&request.raw)))
            .text(
                "wanted",
                wanted.map_or_else(String::new, |t| inside::shown(t.uri)),
            )
            .with("left", inside::left(call, request)),
    );
    match used {
        Used::Old => drop(finding.why("why-old")),
        Used::Route => drop(finding.why("why-route")),
        Used::Dialled => drop(finding.why("why-dialled")),
        Used::Other => {}
    }
    if let Some(contact) = wanted {
        finding.proof(Evidence::of_header(
            contact.message,
            contact.header,
            contact.span,
            note("contact"),
        ));
    }
    finding.proof(Evidence::start_line(missed.index, request, note("request")));
    let became = inside::outcome_of(missed, call.seen_until, "answer", "silence");
    finding.evidence.extend(became);
}
