//! R5: the registrar stored an address that it cannot reach, and sends there.

use super::super::address::is_private;
use super::super::finding::{Evidence, Template, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Rule, Severity,
};
use super::request_no_response::silence;
use crate::message::uri::Uri;
use crate::session::registrations::Registration;
use crate::session::{Call, Stored};
use std::net::SocketAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-private-contact",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "10.3"), (3261, "8.1.1.8"), (5626, "6")],
    title: "calls to {aor} go to the private address {contact}",
    why: "{aor} registered from {source} with the private address {contact} as Contact, and {element} sends there, where only the device's own network can deliver: nothing came back",
    fix: "Set {element} to remember the address that a REGISTER came from and to send there (NAT support of the registrar). Or set the public address in the device (STUN or external address), so that its Contact can be reached.",
    sentences: &[
        (
            "sent",
            "sent to {contact}; the REGISTER {ago} before came from {source}",
        ),
        ("silence", "no answer from there"),
    ],
    explains: &[
        "request-no-response",
        "408-origin",
        "trying-then-silence",
        "icmp-unreachable",
        "nat-binding-expired",
        "private-contact",
    ],
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk this is rewrite_contact=yes of the PJSIP endpoint (nat=force_rport,comedia with chan_sip).",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH the profile parameters are apply-nat-acl and aggressive-nat-detection, or NDLB-force-rport.",
        ),
        (
            Product::Kamailio,
            "On Kamailio this is fix_nated_register() of the module nathelper before save(), with received_avp set alike in nathelper and registrar.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS this is fix_nated_register() of the module nathelper before save(), with received_avp set alike in nathelper and registrar.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((silence, sure, span)) = silence(call, context) else {
        return;
    };
    let request = silence.request;
    let (Some(destination), Some(from)) = (request.stamp.destination, request.time()) else {
        return;
    };
    if !is_private(destination.ip()) {
        return;
    }
    let Some((known, source)) = registered(call, context, request, destination) else {
        return;
    };
    let confidence = match found.has("capture-one-sided") {
        true => Confidence::Possible,
        false => sure,
    };
    let Some(finding) = found.add(confidence, Acts::Registrar) else {
        return;
    };
    let places = || {
        Args::new()
            .text("contact", destination.to_string())
            .text("source", source.to_string())
    };
    finding
        .element(sender(request))
        .args(places().text("aor", known.aor.clone()));
    let ago = places().duration("ago", (from - known.at).max(0));
    let sent = Template::new("sent", ago);
    finding.proof(Evidence::start_line(silence.index, request, sent));
    finding.proof(Evidence::Absence {
        message: silence.index,
        from,
        until: call.seen_until.unwrap_or(from + span),
        note: note("silence"),
    });
    let register = known.before(from.saturating_add(1)).map(|last| last.spot);
    finding.elsewhere(register, "elsewhere-register");
}

// Who registered this address as Contact, from a public one: by the Request-URI, which is the
// Contact (RFC 3261 §16.5), else by whom the call was for.
fn registered<'v>(
    call: &Call,
    context: &Context<'v>,
    request: &Stored,
    destination: SocketAddr,
) -> Option<(&'v Registration, SocketAddr)> {
    let uri = request.message().request_uri();
    let uri = uri.and_then(|uri| Uri::parse(uri.of(&request.raw)));
    let by_contact = uri.and_then(|uri| context.view.registrations().with_contact(&uri.bare()));
    let by_name = || context.view.registration(&call.to()?);
    let known = by_contact.or_else(by_name)?;
    let source = known.source.filter(|source| !is_private(source.ip()))?;
    let contact = Uri::parse(known.contact.as_bytes()).map(|uri| crate::message::lossy(uri.host));
    let same = contact? == destination.ip().to_string();
    let before = request.time().is_some_and(|time| known.at <= time);
    (same && before && source.ip() != destination.ip()).then_some((known, source))
}
