//! D7: the call goes round in a circle.

use super::super::finding::{Evidence, Template, deciding, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::field::Field;
use crate::message::uri::Uri;
use crate::message::{Method, typed};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Spot, Stored};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "routing-loop",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[482, 483, 503],
    rfc: &[(3261, "16.3"), (5393, "4.2"), (3261, "21.4.21")],
    title: "the call goes round in a circle",
    why: "the call passed {element} {times} times: {cycle}, until it was refused with {code}",
    fix: "Find out at the elements of the circle who sends the call back: mostly one does not take the domain or number for its own and hands it to its default route, and that route leads back. Correct the routing there, or the domain list, so that one of them keeps the call.",
    sentences: &[
        (
            "why-open",
            "the call passed {element} {times} times: {cycle}; a server that hands a call on to where it came from may have a reason for that once, but here the call was not answered",
        ),
        (
            "why-calls",
            "{a} and {b} send the call to one another again and again, each time as a new call ({times} times: {ways}); it is the same call by {by}. Neither of them keeps it, and hop counters do not end it, because each new call begins with a full one",
        ),
        (
            "why-behind",
            "{element} answered 483 although the call came to it with Max-Forwards {left}: the rest of the hop counter was used up behind it, in a circle that is not in the capture",
        ),
        (
            "fix-behind",
            "Ask whoever runs {element} where it sent this call (log by Call-ID), and follow it from there: two servers hand it to one another. A higher Max-Forwards only makes the circle longer.",
        ),
        (
            "late",
            "a late pass; the Vias are the way so far, the last hop first",
        ),
        ("early", "a pass before that"),
        ("passed", "{element} hands it on when it first comes"),
        ("hops", "so many hops were left"),
        ("call", "the call goes this way"),
        ("by", "all these calls carry it"),
        ("answer", "how it ends"),
    ],
    explains: &[
        "max-forwards-bad",
        "merged-request-482",
        "408-origin",
        "trying-then-silence",
        "request-no-response",
        "caller-abandoned",
    ],
    confirm: "a capture at {element} that shows the call coming back",
    check,
    ..Rule::PLAIN
};

/// A counter that came in with more than this is not used up by an honest way.
const PLENTY: u32 = 20;
/// New calls between the same two sides within this time belong to one circle, nanoseconds.
const QUICK: i64 = 10 * SECOND;
/// Passes that are looked at.
const MOST_LOOKED_AT: usize = 64;
/// Addresses of a circle that are named.
const MOST_NAMED: usize = 8;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if matches!(call.outcome, Outcome::Succeeded | Outcome::Refused) {
        return;
    }
    if context.whole.is_none() && call.legs.len() >= 3 && between_calls(call, found) {
        return;
    }
    let hops = matches!(call.code(), Some(482 | 483));
    let deepest = call
        .originals()
        .filter(|(_, m)| m.head.is_request() && call.is_of_beginning(m))
        .max_by_key(|(index, m)| (m.head.vias, *index));
    let Some((at, request)) = deepest else { return };
    // Two hops cannot make a circle.
    if request.head.vias >= 3 && circle(call, at, request, hops, found) {
        return;
    }
    if call.code() == Some(483) {
        behind(call, found);
    }
}

// One element stands several times among the Vias of a request.
fn circle(call: &Call, at: usize, request: &Stored, hops: bool, found: &mut Findings) -> bool {
    let mut way: Vec<String> = typed::vias(request.message())
        .into_iter()
        .map(|via| via.sent_by.to_ascii_lowercase())
        .collect();
    way.reverse();
    let often = |name: &String| way.iter().filter(|other| *other == name).count();
    let Some((element, times)) = way
        .iter()
        .map(|name| (name, often(name)))
        .min_by_key(|(_, times)| std::cmp::Reverse(*times))
        .filter(|(_, times)| *times >= 2)
    else {
        return false;
    };
    // Once round may be on purpose: a server for features between two passes of one proxy.
    let (confidence, why) = match (hops, times) {
        (true, _) => (Confidence::Certain, "why"),
        (false, 3..) => (Confidence::Likely, "why-open"),
        (false, _) => (Confidence::Possible, "why-open"),
    };
    let Some(finding) = found.add(confidence, Acts::Proxy) else {
        return true;
    };
    finding.element(element.clone()).why(why).args(
        Args::new()
            .count("times", times)
            .text("cycle", cycle(&way, element))
            .code("code", call.code().unwrap_or(0)),
    );
    if let Some((first, passed)) = first_pass(call, element, request) {
        finding.proof(Evidence::header(first, passed, "Via", note("passed")));
    }
    let name = element.as_bytes();
    let passes = call.fields(at).all(Field::Via).filter(|header| {
        let value = header.value.of(&request.raw).to_ascii_lowercase();
        memchr::memmem::find(&value, name).is_some()
    });
    for (header, id) in passes.zip(["late", "early"]) {
        finding.proof(Evidence::of_header(at, header, header.value, note(id)));
    }
    if let Some(header) = call.fields(at).first(Field::MaxForwards) {
        finding.proof(Evidence::of_header(at, header, header.value, note("hops")));
    }
    if let Some((index, response)) = deciding(call) {
        finding.proof(Evidence::start_line(index, response, note("answer")));
    }
    true
}

// The request as the element sent it on its first pass.
fn first_pass<'a>(call: &'a Call, element: &str, late: &Stored) -> Option<(usize, &'a Stored)> {
    let is_of = |m: &Stored| {
        let vias = typed::vias(m.message());
        let own = vias.first();
        own.is_some_and(|via| via.sent_by.eq_ignore_ascii_case(element))
    };
    let sent = call
        .originals()
        .filter(|(_, m)| m.head.is_request() && call.is_of_beginning(m));
    sent.filter(|(_, m)| m.head.vias < late.head.vias && m.cseq() == late.cseq())
        .take(MOST_LOOKED_AT)
        .find(|(_, m)| is_of(m))
}

// From the first pass of the element to the second.
fn cycle(way: &[String], element: &str) -> String {
    let first = way.iter().position(|name| name == element).unwrap_or(0);
    let rest = way.get(first + 1..).unwrap_or_default();
    let length = rest.iter().position(|name| name == element).unwrap_or(0) + 2;
    let shown = way.iter().skip(first).take(length.min(MOST_NAMED));
    shown.cloned().collect::<Vec<_>>().join(" -> ")
}

// The counter was used up, and the way to whoever says so was short.
fn behind(call: &Call, found: &mut Findings) {
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let Some((at, request)) = call.asked(response) else {
        return;
    };
    let header = call.fields(at).first(Field::MaxForwards);
    let left = header.and_then(|h| {
        let text = std::str::from_utf8(h.value.of(&request.raw)).ok()?;
        text.trim().parse::<u32>().ok()
    });
    let Some((header, left)) = header.zip(left.filter(|left| (PLENTY..=255).contains(left))) else {
        return;
    };
    let Some(finding) = found.add(Confidence::Likely, Acts::Proxy) else {
        return;
    };
    finding.element(sender(response));
    finding
        .why("why-behind")
        .fix("fix-behind")
        .args(Args::new().count("left", left as usize));
    finding.proof(Evidence::of_header(at, header, header.value, note("hops")));
    finding.proof(Evidence::start_line(index, response, note("answer")));
}

type Way = (IpAddr, IpAddr);
/// Number of the leg, index of its first request, that request, and between whom it goes.
type Begun<'a> = (usize, usize, &'a Stored, Way);

// `#1 to 203.0.113.6, #2 to 203.0.113.5, ...`
fn ways(begun: &[Begun<'_>]) -> String {
    let named = begun.iter().take(MOST_NAMED).map(|(_, _, m, way)| {
        let place = m.stamp.origin.place;
        let sign = if m.stamp.lines > 0 { "" } else { "#" };
        format!("{sign}{place} -> {}", way.1)
    });
    named.collect::<Vec<_>>().join(", ")
}

// Two back-to-back user agents that send the call to each other: legs there and back.
fn between_calls(call: &Call, found: &mut Findings) -> bool {
    let begun: Vec<Begun<'_>> = call
        .all_legs()
        .enumerate()
        .filter_map(|(number, leg)| {
            let at = leg.originals().find(|(_, m)| m.is_initial())?.0;
            let m = leg.messages.get(at)?;
            let way = (m.stamp.source?.ip(), m.stamp.destination?.ip());
            (m.head.method == Method::Invite && way.0 != way.1).then_some((number, at, m, way))
        })
        .collect();
    let number = |m: &Stored| {
        let uri = m.message().request_uri()?;
        Some(Uri::parse(uri.of(&m.raw))?.number())
    };
    let there_and_back = begun.iter().find_map(|(_, _, first, way)| {
        let same = |m: &Stored| {
            let quick = m
                .time()
                .zip(first.time())
                .is_some_and(|(a, b)| a - b <= QUICK);
            quick && number(m) == number(first)
        };
        let count = |wanted: Way| {
            let fits = |(_, _, m, way): &&Begun<'_>| *way == wanted && same(m);
            begun.iter().filter(fits).count()
        };
        let (there, back) = (count(*way), count((way.1, way.0)));
        (there >= 2 && back >= 2).then_some((*way, there + back))
    });
    let Some((way, times)) = there_and_back else {
        return false;
    };
    let Some(finding) = found.add(Confidence::Certain, Acts::Proxy) else {
        return true;
    };
    finding.element(way.1.to_string()).why("why-calls").args(
        Args::new()
            .count("times", times)
            .text("ways", ways(&begun))
            .said("by", call.joins.first().map_or("", |join| join.by))
            .text("a", way.0.to_string())
            .text("b", way.1.to_string()),
    );
    // Evidence stands in one leg: the first one that goes this way.
    if let Some((number, at, m, _)) = begun.iter().find(|(_, _, _, of)| *of == way) {
        finding.leg = *number;
        let to = Template::new("call", Args::new().text("b", receiver(m)));
        finding.proof(Evidence::start_line(*at, m, to));
        let by = call.joins.first().map_or("", |join| join.by);
        if let Some(header) = m.message().header(by) {
            finding.proof(Evidence::of_header(*at, header, header.value, note("by")));
        }
    }
    // The next one the other way.
    let back = begun.iter().find(|(_, _, _, of)| *of == (way.1, way.0));
    let spot = back.map(|(_, _, m, _)| Spot::within(call, m));
    finding.elsewhere(spot, "elsewhere-back");
    true
}
