//! What ICMP errors and name servers say about a call, as sentences.

use super::{Args, Template};
use crate::layers::IcmpKind;
use crate::layers::dns::DnsAnswer;
use crate::session::Call;
use crate::session::aside::{Aside, Icmp, What};

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
        What::Icmp(icmp) => error(call, icmp),
        What::Dns(answer) => lookup(answer),
    }
}

fn error(call: &Call, icmp: &Icmp) -> Template {
    let about = call
        .messages
        .get(icmp.message)
        .map_or_else(String::new, |m| {
            let (message, place) = (m.message(), m.stamp.origin.place);
            match m.head.code() {
                Some(code) => format!("#{place} {code}"),
                None => format!("#{place} {}", message.method_name()),
            }
        });
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
