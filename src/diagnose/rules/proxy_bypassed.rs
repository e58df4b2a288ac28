//! G8: a request inside a dialog passes by a proxy that asked to stay in the path.

use super::super::address::Host;
use super::super::finding::{Evidence, note, sender};
use super::super::reach::is_of_author;
use super::super::{
    Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity, blame,
};
use crate::message::field::Field;
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Method, header};
use crate::session::{Call, Side, Stored};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "proxy-bypassed",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(3261, "12.1.2"), (3261, "12.2.1.1"), (3261, "16.6")],
    title: "{method} of {element} went past the proxy {proxy}",
    why: "the proxy {proxy} asked by Record-Route to see every request of the call, and {method} of {element} went straight to {to}; what the proxy does for the call (address translation, accounting, media relay, hang-up towards the other side) goes wrong",
    fix: "Make {element} send requests inside a call to the first Route, which it builds from Record-Route; look for a setting that turns this off (loose routing, outbound proxy) or for software that ignores it.",
    sentences: &[
        ("recorded", "the proxy wants to stay in the path"),
        ("request", "sent past it"),
    ],
    explains: &["bye-unanswered", "half-dead-call"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || call.answer().is_none() {
        return;
    }
    let Some(begun) = call.request().filter(|m| is_of_author(m)) else {
        return;
    };
    let past = call.originals().find_map(|(index, m)| {
        let (at, proxy, recorded) = passed(call, m, begun)?;
        Some((index, m, at, proxy, recorded))
    });
    let Some((index, request, at, proxy, recorded)) = past else {
        return;
    };
    let acts = blame::acts_of(call, Side::Caller);
    let (role, sure) = (Role::Contributing, Confidence::Certain);
    let Some(finding) = found.add_as(role, sure, acts) else {
        return;
    };
    let to = request
        .stamp
        .destination
        .map_or_else(String::new, |a| a.to_string());
    finding.element(sender(request)).args(
        Args::new()
            .text("method", request.message().method_name())
            .text("to", to)
            .text("proxy", proxy.to_string()),
    );
    finding.proof(Evidence::of_header(
        at,
        recorded,
        recorded.value,
        note("recorded"),
    ));
    finding.proof(Evidence::start_line(index, request, note("request")));
}

// A request of the caller that went neither where its INVITE had gone nor to the proxy that its
// answer names, but to the host of the Contact.
fn passed(
    call: &Call,
    request: &Stored,
    begun: &Stored,
) -> Option<(usize, IpAddr, header::Header)> {
    let inside = is_of_author(request)
        && request.keys.to_tag != 0
        && request.keys.from_tag == begun.keys.from_tag
        && request.head.method != Method::Cancel;
    let (source, destination) = request.stamp.observed().filter(|_| inside)?;
    let (caller, first) = begun.stamp.observed()?;
    if source.ip() != caller.ip() || destination.ip() == first.ip() {
        return None;
    }
    // ACK to a refusal goes where the INVITE went, and to nobody else.
    let answers = call.finals.iter().filter_map(|f| {
        let m = call.messages.get(f.message)?;
        let back = m
            .stamp
            .observed()
            .is_some_and(|(_, to)| to.ip() == caller.ip());
        let own = m.keys.to_tag == request.keys.to_tag && call.is_of_beginning(m);
        ((200..300).contains(&f.code) && back && own).then_some((f.message, m))
    });
    let (at, answer) = answers.min_by_key(|(_, m)| m.head.vias)?;
    let recorded = call.fields(at).all(Field::RecordRoute).last()?;
    let host = |uri: &[u8]| Host::of(Uri::parse(uri)?.host)?.ip();
    let elements = header::elements(recorded.value.of(&answer.raw));
    let proxy = host(addr_spec(elements.last()?))?;
    let contact = host(call.target(at, Field::Contact)?.uri)?;
    (proxy != destination.ip() && contact == destination.ip()).then_some((at, proxy, recorded))
}
