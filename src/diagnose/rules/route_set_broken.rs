//! G6: a request inside a dialog does not follow the path that was recorded when the call was set up.

use super::super::finding::{Evidence, note, sender};
use super::super::inside::{self, Missed};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Rule, Severity, blame,
};
use crate::message::field::Field;
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Method, header, lossy};
use crate::session::{Call, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "route-set-broken",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(3261, "12.1.2"), (3261, "12.2.1.1"), (3261, "16.12")],
    title: "{method} of {element} does not follow the recorded path",
    why: "the path recorded by Record-Route is {wanted}, and {method} of {element} carries {carried}; {became}",
    fix: "Correct how {element} builds Route: take the URIs of Record-Route from the answer that set up the call, whole and with their parameters; the caller reverses their order, the called side keeps it.",
    sentences: &[
        (
            "why-none",
            "the path recorded by Record-Route is {wanted}, and {method} of {element} carries no Route at all; {became}",
        ),
        (
            "why-reversed",
            "the path recorded by Record-Route is {wanted}, and {method} of {element} carries the same addresses the other way round; {became}",
        ),
        (
            "why-strict",
            "the Record-Route of the proxy {first} has no parameter lr, which makes it a router of the old, strict kind: it must then get {method} with its own address as Request-URI and that of the other side as the last Route; {element} does not do that: {became}",
        ),
        (
            "fix-strict",
            "Make the proxy {first} add ;lr to the URI in its Record-Route: strict routing was given up with RFC 3261, and hardly any phone still does it rightly.",
        ),
        ("recorded", "the recorded path"),
        ("route", "the path that {method} takes"),
        ("request", "no Route in it"),
        ("answer", "what became of it"),
        ("silence", "no answer to it"),
    ],
    explains: &[
        "private-contact",
        "2xx-not-acked",
        "ack-misrouted",
        "bye-unanswered",
        "481-state-lost",
        "remote-target-ignored",
        "proxy-bypassed",
        "routing-loop",
    ],
    check,
    ..Rule::PLAIN
};

/// What is wrong with Route.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Differs,
    None,
    Reversed,
    Strict,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    // Only what failed is looked at: servers that hide their topology put other routes in rightly.
    let missed = inside::missed(call).find_map(|missed| {
        let wrong = fault(call, missed.request)?;
        Some((missed, wrong))
    });
    if let Some((missed, (fault, side, recorded))) = missed {
        tell(call, missed, fault, side, recorded, found);
    }
}

// The path that an end has to use: from the answer as that end knows it.
fn recorded(call: &Call, side: Side) -> Option<(usize, Vec<Vec<u8>>)> {
    let answers = call.finals.iter().filter_map(|f| {
        let m = call.messages.get(f.message)?;
        let by_callee = call.side(m) == Some(Side::Callee);
        let set_up = (200..300).contains(&f.code) && call.is_of_beginning(m) && by_callee;
        set_up.then_some((f.message, m))
    });
    let (index, m) = match side {
        Side::Caller => answers.min_by_key(|(_, m)| m.head.vias)?,
        Side::Callee => answers.max_by_key(|(_, m)| m.head.vias)?,
    };
    let mut routes = uris(call, index, m, Field::RecordRoute);
    if side == Side::Caller {
        routes.reverse();
    }
    Some((index, routes))
}

fn uris(call: &Call, index: usize, stored: &Stored, field: Field) -> Vec<Vec<u8>> {
    const MOST: usize = 64;
    let values = call.fields(index).all(field);
    let all = values.flat_map(|h| header::elements(h.value.of(&stored.raw)));
    all.take(MOST).map(|uri| addr_spec(uri).to_vec()).collect()
}

fn fault(call: &Call, request: &Stored) -> Option<(Fault, Side, usize)> {
    // On the hop of its author, and seen by one who also saw what was recorded.
    let index = call
        .originals()
        .find(|(_, m)| std::ptr::eq(*m, request))
        .map(|(index, _)| index)?;
    let side = call.side(request)?;
    if request.head.vias != 1 {
        return None;
    }
    let (answer, wanted) = recorded(call, side)?;
    let first = wanted.first()?;
    let carried = uris(call, index, request, Field::Route);
    let place = |uri: &Vec<u8>| inside::place(uri);
    let same = |a: &[Vec<u8>], b: &[Vec<u8>]| a.iter().map(place).eq(b.iter().map(place));
    let reversed: Vec<Vec<u8>> = wanted.iter().rev().cloned().collect();
    let target = request.message().request_uri()?.of(&request.raw).to_vec();
    let fault = if !Uri::parse(first).is_some_and(|uri| uri.is_loose()) {
        let right = place(&target) == place(first);
        (!right).then_some(Fault::Strict)?
    } else if same(&carried, &wanted) {
        return None;
    } else if carried.is_empty() {
        Fault::None
    } else if wanted.len() > 1 && same(&carried, &reversed) {
        Fault::Reversed
    } else {
        Fault::Differs
    };
    Some((fault, side, answer))
}

fn became(missed: Missed<'_>) -> &'static str {
    match (missed.is_ack, missed.answer) {
        (true, _) => "the answer was repeated after it",
        (false, Some(_)) => "it was refused",
        (false, None) => "nobody answered it",
    }
}

fn tell(
    call: &Call,
    missed: Missed<'_>,
    fault: Fault,
    side: Side,
    recorded_in: usize,
    found: &mut Findings,
) {
    let (severity, role) = inside::weight(call, missed);
    let acts = match fault {
        Fault::Strict => Acts::Proxy,
        _ => blame::acts_of(call, side),
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Likely, acts) else {
        return;
    };
    let request = missed.request;
    let list = |uris: &[Vec<u8>]| {
        let all: Vec<String> = uris.iter().map(|uri| inside::shown(uri)).collect();
        all.join(", ")
    };
    let wanted = recorded(call, side).map_or_else(Vec::new, |(_, wanted)| wanted);
    let carried = uris(call, missed.index, request, Field::Route);
    finding.element(sender(request)).args(
        Args::new()
            .text("method", request.message().method_name())
            .text("wanted", list(&wanted))
            .text("carried", list(&carried))
            .said("became", became(missed))
            .text(
                "first",
                wanted.first().map_or_else(String::new, |uri| lossy(uri)),
            ),
    );
    match fault {
        Fault::None => drop(finding.why("why-none")),
        Fault::Reversed => drop(finding.why("why-reversed")),
        Fault::Strict => drop(finding.why("why-strict").fix("fix-strict")),
        Fault::Differs => {}
    }
    for header in call.fields(recorded_in).all(Field::RecordRoute).take(4) {
        finding.proof(Evidence::of_header(
            recorded_in,
            header,
            header.value,
            note("recorded"),
        ));
    }
    finding.proof(match carried.is_empty() {
        true => Evidence::start_line(missed.index, request, note("request")),
        false => Evidence::header(missed.index, request, "Route", note("route")),
    });
    let became = inside::outcome_of(missed, call.seen_until, "answer", "silence");
    finding.evidence.extend(became);
}
