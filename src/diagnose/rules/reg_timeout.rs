//! R8: the registrar never answered.

use super::super::address::{are_neighbours, is_private};
use super::super::finding::{Evidence, Template, note, receiver};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Need, Rule, Severity};
use super::request_no_response::silence;
use crate::message::Method;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-timeout",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "10.2.7"), (3261, "17.1.2.2")],
    title: "the registrar {element} never answered",
    why: "the REGISTER for {aor} was sent to {element} {copies} times over {span} and nothing came back, so the device is not registered: it does not arrive there, nobody listens there, or the answers do not find the way back",
    fix: "Check name, address, port and transport of the registrar in the device; then whether the network there lets SIP out (try another network, another port, TCP or TLS). If it worked before, ask the operator of {element} whether it is up and whether it blocks this address.",
    sentences: &[
        (
            "why-once",
            "the REGISTER for {aor} was sent to {element} over {transport} and nothing came back, so the device is not registered: there is a connection, and nobody at its other end answers",
        ),
        (
            "fix-once",
            "Check that {element} is the registrar and takes registrations on this port and transport; then ask its operator whether the REGISTER arrives. A firewall that lets connections in and drops what they carry shows the same.",
        ),
        (
            "why-once-up",
            "the REGISTER for {aor} was sent to {element} over {transport} and nothing came back, so the device is not registered; {element} sent other messages after it: it is up, the way is open, and it does not answer this request",
        ),
        (
            "fix-once-up",
            "Look into the log of {element} at that time for what became of this REGISTER: a script or access list that drops it without an answer, a lookup or backend that hangs, a listener that does not take registrations on this port.",
        ),
        (
            "why-up",
            "the REGISTER for {aor} was sent to {element} {copies} times over {span} and nothing came back, while {element} sent other messages in that time: it is up, so either this device's requests do not reach it, its answers do not come back, or it does not want to answer this address",
        ),
        (
            "fix-up",
            "Compare with a device that {element} answers: network and router of this device, source port, transport, size of the request. Ask the operator of {element} whether it blocks this address, for example by fail2ban.",
        ),
        (
            "why-around",
            "the REGISTER for {aor} was sent to {element} {copies} times over {span} and nothing came back, and {element} was heard again after that: in between the way to it was interrupted, it was down for that time, or it or a filter before it dropped these packets",
        ),
        (
            "fix-around",
            "Look for what happened on the way to {element} and on {element} itself between these times: a link, router or VPN that went down, a failover, a restart of the service, a block that ran out. The device registers again by itself.",
        ),
        (
            "why-refused",
            "the REGISTER for {aor} was sent to {element} {copies} times over {span} and nothing came back; {ago} before {element} had still answered, with {code}: many servers block an address that they have refused",
        ),
        (
            "why-refused-up",
            "the REGISTER for {aor} was sent to {element} {copies} times over {span} and nothing came back; {ago} before {element} had still answered, with {code}, and it sent other messages in that time, so it is up: many servers block an address that they have refused",
        ),
        (
            "fix-refused",
            "Ask the operator of {element} whether this address is blocked (fail2ban, pike, an access list), and set the credentials right before it is let in again. If it is not blocked, check the way to {element}.",
        ),
        (
            "fix-private",
            "Check whether the way into the network of {element} is up: its address is one of a private network, so from another network it is reached through a VPN or a router only. Look at the VPN, at the routes on both sides, and at the firewall between. If it worked before, ask its operator whether it is up.",
        ),
        (
            "why-received",
            "the REGISTER for {aor} arrived at {element} {copies} times over {span} and was never answered, so the device is not registered",
        ),
        (
            "fix-received",
            "Find out why {element} keeps silent: its log at that time, an overload, a script or access list that drops what it does not like, an answer that could not be sent.",
        ),
        ("sent", "sent {copies} times, the same every time"),
        ("sent-once", "sent once"),
        ("silence", "no answer from {element}"),
    ],
    explains: &["request-no-response", "retransmission-storm"],
    confirm: "a capture at {element} that shows whether the REGISTER arrives",
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Register {
        return;
    }
    let Some((silence, sure, span)) =
        silence(call, context).filter(|(silence, ..)| silence.gave_up.is_none())
    else {
        return;
    };
    let (request, copies) = (silence.request, silence.transaction.sends.len());
    let Some(from) = request.time() else { return };
    // The log of the registrar itself.
    let received = request.stamp.sent == Some(false);
    if !received && request.stamp.destination.is_none() {
        return;
    }
    // One copy over UDP may have been answered by one that was lost in the capture.
    let reliable = request
        .stamp
        .transport
        .filter(|transport| transport.is_reliable());
    if copies < 2 && reliable.is_none() {
        return;
    }
    let aor = call
        .to()
        .unwrap_or_else(|| "an unreadable address".to_owned());
    let confidence = match found.has("capture-one-sided") {
        true => Confidence::Possible,
        false => sure,
    };

    let refused = context
        .view
        .registration(&aor)
        .and_then(|known| known.before(from))
        .filter(|last| last.code >= 300 && last.source == request.stamp.source);
    let registrar = request.stamp.receiver().address();
    let peer = registrar.and_then(|address| context.view.peer(address));
    let after = peer
        .and_then(|peer| peer.last_from())
        .is_some_and(|last| last >= from);
    // Over one connection an answer to anything later shows that both ways are open.
    let up = match reliable {
        Some(_) => after,
        None => peer.is_some_and(|peer| peer.sent_between(from, from + span)),
    };
    let around = !up && after;
    let acts = match received || up || refused.is_some() {
        true => Acts::Registrar,
        false => Acts::Network,
    };
    // That nothing came back is proved; why, and so who has to act, is not.
    let confidence = match received || up {
        true => confidence,
        false => confidence.max(Confidence::Likely),
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    if let Some(transport) = reliable {
        match up {
            true => finding.why("why-once-up").fix("fix-once-up"),
            false => finding.why("why-once").fix("fix-once"),
        };
        finding.args(Args::new().text("transport", transport.name().to_uppercase()));
    }
    if received {
        finding.why("why-received").fix("fix-received");
    } else if let Some(last) = refused.filter(|_| reliable.is_none()) {
        let why = if up { "why-refused-up" } else { "why-refused" };
        finding.why(why).fix("fix-refused");
        finding.args(
            Args::new()
                .code("code", last.code)
                .duration("ago", from - last.at),
        );
    } else if reliable.is_none() && up {
        finding.why("why-up").fix("fix-up");
    } else if reliable.is_none() && around {
        finding.why("why-around").fix("fix-around");
    } else if reliable.is_none() && is_elsewhere(request) {
        finding.fix("fix-private");
    }
    let element = receiver(request);
    let count = || Args::new().count("copies", copies);
    finding
        .element(element.clone())
        .args(count().duration("span", span).text("aor", aor));
    let sent = match copies {
        1 => note("sent-once"),
        _ => Template::new("sent", count()),
    };
    finding.proof(Evidence::start_line(silence.index, request, sent));
    finding.proof(Evidence::Absence {
        message: silence.index,
        from,
        until: call.seen_until.unwrap_or(from + span),
        note: Template::new("silence", Args::new().text("element", element)),
    });
    let latest = peer.filter(|_| up || around).and_then(|peer| peer.latest);
    let latest = latest.filter(|spot| !spot.is_in(call));
    if !received && (refused.is_none() || up) {
        finding.elsewhere(latest, "elsewhere-sent");
    }
    if let Some(last) = refused.filter(|_| !received && reliable.is_none()) {
        finding.elsewhere(Some(last.spot), "elsewhere-refusal");
    }
}

// A private address outside the network of the sender.
fn is_elsewhere(request: &Stored) -> bool {
    let ends = request.stamp.source.zip(request.stamp.destination);
    ends.is_some_and(|(from, to)| is_private(to.ip()) && !are_neighbours(from.ip(), to.ip()))
}
