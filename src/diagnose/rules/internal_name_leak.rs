//! N9: an address or name that means nothing outside one machine or container is told to others.

use super::super::address::{Class, Host, class};
use super::super::finding::{Evidence, Part, note};
use super::super::reach::{self, Lost, Words};
use super::super::{
    Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity, blame,
};
use crate::layers::Transport;
use crate::message::hints::Hint;
use crate::message::sdp::{self, Media};
use crate::session::{Call, Outcome, Stored};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "internal-name-leak",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(3261, "8.1.1.8"), (3261, "12.2.1.1"), (2606, "2")],
    title: "{element} told others its internal address {host}",
    why: "the {field} that {element} gave names {host}, which is {class}: nobody else can send anything there; {method} was sent to it by {user} and got lost{left}",
    fix: "Set the address to be advertised on {element} (container, gateway or PBX) to one that its peers can reach, in {field} and for media. A gateway from WebSocket has to put its own address in place of a name that ends in .invalid, or add Record-Route.",
    sentences: &[
        (
            "why-unseen",
            "the {field} that {element} gave names {host}, which is {class}: {user} has nowhere to send the {method}, and none was seen",
        ),
        (
            "why-unused",
            "the {field} that {element} gave to {user} names {host}, which is {class}, and no Record-Route leads past it: a request of the other side, such as its BYE, arrives only if it goes to where the packets come from instead",
        ),
        (
            "why-media",
            "the session description that {element} gave to {user} asks for audio at {host}, which is {class}: {user} cannot send it there",
        ),
        (
            "fix-media",
            "Set the media address to be advertised on {element} (container, gateway or PBX) to one that its peers can reach.",
        ),
        ("given", "where {method} has to go; {host} is {class}"),
        ("sent", "sent to {host}, and nothing came of it"),
        ("silence", "no ACK was seen"),
        ("unused", "{host} is {class}"),
    ],
    explains: &[
        "2xx-not-acked",
        "ack-misrouted",
        "bye-unanswered",
        "request-no-response",
        "icmp-unreachable",
    ],
    confirm: "a capture at {user} that shows where it sends the {method}",
    settings: &[
        (
            Product::Asterisk,
            "In pjsip.conf set external_signaling_address, external_media_address and local_net in the transport.",
        ),
        (
            Product::FreeSwitch,
            "Set ext-sip-ip and ext-rtp-ip in the sofia profile to the address of the host.",
        ),
        (
            Product::Kamailio,
            "Set the address of the host with listen ... advertise, and call record_route() for INVITE.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if let Some(lost) = reach::lost(call) {
        if !is_internal(call, &lost) {
            return;
        }
        let confidence = match lost.request {
            None if found.has("capture-one-sided") => Confidence::Possible,
            None => Confidence::Likely,
            Some(_) => Confidence::Certain,
        };
        let words = Words {
            given: "given",
            sent: "sent",
            silence: "silence",
            unseen: "why-unseen",
        };
        return reach::tell(call, &lost, words, confidence, found);
    }
    if call.outcome != Outcome::Succeeded {
        return;
    }
    if let Some(lost) = reach::unused(call).find(|lost| is_internal(call, lost)) {
        // Docker's usual network is a private one, which a server that knows NAT may look through.
        let severity = match lost.host.ip().map(class) {
            Some(Class::Docker) => Severity::Info,
            _ => Severity::Warning,
        };
        let (words, weight) = (("why-unused", "unused"), (severity, Confidence::Likely));
        return reach::tell_unused(call, &lost, words, weight, found);
    }
    if let Some((index, stored, media)) = unusable_media(call) {
        tell_media(call, (index, stored), &media, found);
    }
}

fn is_internal(call: &Call, lost: &Lost<'_>) -> bool {
    let by_web_socket = call
        .messages
        .get(lost.given.message)
        .is_none_or(|m| matches!(m.stamp.transport, Some(Transport::Ws | Transport::Wss)));
    match lost.host {
        Host::Ip(ip) => leaks(ip, lost.author.ip(), lost.reader.ip()),
        name => name.is_internal_name() && !by_web_socket,
    }
}

// Neither of the two is in the network that the address is of.
fn leaks(ip: IpAddr, author: IpAddr, reader: IpAddr) -> bool {
    let of = class(ip);
    of.is_of_machine() && class(author) != of && class(reader) != of
}

// A session description that asks for media at an address of a machine, without ICE, which would
// list others.
fn unusable_media(call: &Call) -> Option<(usize, &Stored, Media)> {
    call.originals().find_map(|(index, stored)| {
        let body = stored.message().body();
        if !stored.head.hints.has(Hint::InnerMedia) {
            return None;
        }
        let (source, destination) = stored.stamp.observed()?;
        let unusable = |media: &Media| {
            let ip = media.address.as_deref().and_then(|ip| ip.parse().ok());
            media.port != 0
                && !media.candidates
                && !media.is_zeroed()
                && ip.is_some_and(|ip| leaks(ip, source.ip(), destination.ip()))
        };
        let media = sdp::media(body).into_iter().find(unusable)?;
        Some((index, stored, media))
    })
}

fn tell_media(call: &Call, (index, stored): (usize, &Stored), media: &Media, found: &mut Findings) {
    let Some((side, (source, destination))) = call.side(stored).zip(stored.stamp.observed()) else {
        return;
    };
    let acts = blame::acts_of(call, side);
    let Some(finding) = found.add_as(Role::Contributing, Confidence::Likely, acts) else {
        return;
    };
    let host = media.address.clone().unwrap_or_default();
    let of = host.parse().map_or("", |ip| class(ip).name());
    finding
        .element(source.to_string())
        .args(
            Args::new()
                .text("host", host)
                .said("class", of)
                .text("field", "c= line")
                .text("method", "RTP")
                .text("user", destination.to_string()),
        )
        .why("why-media")
        .fix("fix-media");
    let line = media.connection.shifted(stored.head.body as usize);
    finding.proof(Evidence::Excerpt {
        message: index,
        line,
        mark: line,
        part: Part::Body,
        note: note("unused"),
    });
}
