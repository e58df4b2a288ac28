//! What ICMP errors, name servers and connections say about a call, as sentences.

use super::{Args, Template};
use crate::layers::dns::DnsAnswer;
use crate::layers::{IcmpKind, Wire};
use crate::session::Call;
use crate::session::aside::{Aside, Icmp, What};
use crate::session::clock::SECOND;

/// A connection that was quiet for this long may have been forgotten on the way: few NATs and load
/// balancers keep one for less. Nanoseconds.
pub const QUIET: i64 = 60 * SECOND;

/// Sentences by id.
pub const ASIDES: &[(&str, &str)] = &[
    (
        "port-unreachable",
        "{reporter} reports that nothing listens on {destination} ({about})",
    ),
    (
        "host-unreachable",
        "{reporter} reports that {host} does not answer on its network ({about})",
    ),
    (
        "network-unreachable",
        "{reporter} reports that it has no way to the network of {host} ({about})",
    ),
    (
        "protocol-unreachable",
        "{reporter} reports that {host} does not speak that protocol ({about})",
    ),
    (
        "prohibited",
        "{reporter} reports that a filter or policy refuses packets to {destination} ({about})",
    ),
    (
        "too-big",
        "{reporter} reports that the packet to {destination} is too large for a link on the way ({about})",
    ),
    (
        "too-big-mtu",
        "{reporter} reports that the packet to {destination} is too large for a link on the way, which takes {mtu} bytes ({about})",
    ),
    (
        "hop-limit-exceeded",
        "{reporter} reports that the packet to {destination} ran out of hops, as in a routing loop ({about})",
    ),
    (
        "reassembly-time-exceeded",
        "{reporter} reports that fragments of the packet to {destination} were missing ({about})",
    ),
    (
        "malformed",
        "{reporter} reports that it cannot read a header of the packet to {destination} ({about})",
    ),
    (
        "undelivered",
        "{reporter} reports that the packet to {destination} was not delivered ({about})",
    ),
    (
        "connection-unanswered",
        "{source} asked {destination} for a connection {copies} times over {span}, and nothing answered",
    ),
    (
        "connection-refused",
        "{host} refuses a connection to port {port}, asked for by {source}",
    ),
    (
        "connection-closed",
        "{source} closes the connection to {destination} ({about})",
    ),
    (
        "connection-closed-quiet",
        "{source} closes the connection to {destination}, over which nobody had sent anything for {quiet} before ({about})",
    ),
    (
        "connection-reset",
        "{source} resets the connection to {destination} ({about})",
    ),
    (
        "connection-reset-quiet",
        "{source} resets the connection to {destination}, over which nobody had sent anything for {quiet} before ({about})",
    ),
    (
        "data-unacknowledged",
        "{destination} does not acknowledge what {source} sent {copies} times over {span} ({about})",
    ),
    (
        "connection-opened",
        "{destination} takes the connection of {source}",
    ),
    (
        "handshake-failed",
        "the TLS handshake of {source} with {destination} is not completed: {by} closes the connection",
    ),
    (
        "handshake-alert",
        "the TLS handshake of {source} with {destination} fails: {by} sends the alert {alert}",
    ),
    (
        "handshake-hidden",
        "the TLS handshake of {source} with {destination} fails: {by} sends what has the length of an alert and ends the connection",
    ),
    (
        "data-encrypted",
        "TLS between {source} and {destination} that no key opens",
    ),
    ("packets-encrypted", "a packet of ESP that is encrypted"),
    ("found", "{kind} of {name}: {records}"),
    ("empty", "{kind} of {name}: no such record"),
    ("failed", "{kind} of {name}: {failure}"),
];

/// The sentence of [`ASIDES`] with this id.
pub fn aside_sentence(id: &str) -> Option<&'static str> {
    let known = ASIDES.iter().find(|(known, _)| *known == id);
    known.map(|(_, text)| *text)
}

/// What an aside says about a call.
pub fn aside(call: &Call, aside: &Aside) -> Template {
    match &aside.what {
        What::Icmp(icmp) => error(icmp, about(call, aside)),
        What::Dns(answer) => lookup(answer),
        What::Wire(_) => wire(aside, about(call, aside)),
    }
}

/// What became of a connection; `about` names the message concerned, if any.
pub fn wire(aside: &Aside, about: String) -> Template {
    let What::Wire(connection) = &aside.what else {
        return Template::new("connection-opened", Args::new());
    };
    let (source, destination) = (connection.flow.source, connection.flow.destination);
    let span = aside.time.map_or(0, |time| time.0) - aside.began().unwrap_or(0);
    let args = Args::new()
        .text("source", source.to_string())
        .text("destination", destination.to_string())
        .text("host", destination.ip().to_string())
        .text("port", destination.port().to_string())
        .text("about", about);
    match connection.wire {
        Wire::Unanswered { copies, .. } | Wire::Unheard { copies, .. } => {
            let args = args.count("copies", copies.into()).duration("span", span);
            Template::new(connection.wire.name(), args)
        }
        Wire::Closed { quiet, .. } if quiet >= QUIET => {
            Template::new("connection-closed-quiet", args.duration("quiet", quiet))
        }
        Wire::Reset { quiet, .. } if quiet >= QUIET => {
            Template::new("connection-reset-quiet", args.duration("quiet", quiet))
        }
        Wire::Tls(ref failure) => {
            let by = if failure.by_client {
                source
            } else {
                destination
            };
            let args = args.text("by", by.to_string());
            match failure.alert {
                Some(alert) => Template::new("handshake-alert", args.text("alert", alert)),
                None if failure.hidden => Template::new("handshake-hidden", args),
                None => Template::new("handshake-failed", args),
            }
        }
        _ => Template::new(connection.wire.name(), args),
    }
}

// `#4 INVITE`: the message that it is about.
fn about(call: &Call, aside: &Aside) -> String {
    let index = match &aside.what {
        What::Icmp(icmp) => Some(icmp.message),
        What::Wire(connection) => Some(connection.message),
        What::Dns(_) => None,
    };
    let message = index.and_then(|index| call.messages.get(index));
    message.map_or_else(String::new, |m| {
        let (message, place) = (m.message(), m.stamp.origin.place);
        match m.head.code() {
            Some(code) => format!("#{place} {code}"),
            None => format!("#{place} {}", message.method_name()),
        }
    })
}

fn error(icmp: &Icmp, about: String) -> Template {
    let args = Args::new()
        .text("reporter", icmp.reporter.to_string())
        .text("destination", icmp.flow.destination.to_string())
        .text("host", icmp.flow.destination.ip().to_string())
        .text("about", about);
    match icmp.kind {
        IcmpKind::TooBig(mtu @ 1..) => {
            Template::new("too-big-mtu", args.count("mtu", mtu as usize))
        }
        kind => Template::new(kind.name(), args),
    }
}

fn lookup(answer: &DnsAnswer) -> Template {
    let args = Args::new()
        .text("kind", answer.kind)
        .text("name", answer.name.clone());
    let records: Vec<&str> = answer.records.iter().map(|r| r.text.as_str()).collect();
    match (answer.failure, records.is_empty()) {
        (Some(failure), _) => Template::new("failed", args.text("failure", failure)),
        (None, true) => Template::new("empty", args),
        (None, false) => Template::new("found", args.text("records", records.join(", "))),
    }
}
