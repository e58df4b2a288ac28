//! N10: requests go to a public address that is not the one from which their owner sends.

use super::super::address::{Class, class};
use super::super::reach::{self, Lost, Words};
use super::super::{Confidence, Context, Findings, Frequency, Need, Product, Rule, Severity};
use crate::layers::IcmpKind;
use crate::message::field::Field;
use crate::session::aside::What;
use crate::session::{Call, Side};

/// The rule.
pub static RULE: Rule = Rule {
    id: "advertised-address-wrong",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "8.1.1.8"), (3261, "12.2.1.1")],
    title: "{element} gave {host} as its address and sends from another one",
    why: "the {field} that {element} gave names {host}, and its own packets come from {element}; {method} was sent to {host} by {user} and got lost, and nothing ever came from there{left}",
    fix: "Check the external (advertised) address set on {element}: it says {host}, perhaps the public address before the line or provider changed. Set it to the present one, or to the one found by STUN.",
    sentences: &[
        (
            "why-unseen",
            "the {field} that {element} gave names {host}, and its own packets come from {element}; no {method} was seen, and nothing ever came from {host}",
        ),
        ("given", "where {method} has to go; it came from {element}"),
        ("sent", "sent to {host}, and nothing came of it"),
        ("silence", "no ACK was seen"),
    ],
    explains: &[
        "2xx-not-acked",
        "ack-misrouted",
        "bye-unanswered",
        "request-no-response",
        "icmp-unreachable",
    ],
    confirm: "the public address of {element} at that time, and a capture at {user} that shows where it sends the {method}",
    settings: &[
        (
            Product::Asterisk,
            "In pjsip.conf external_signaling_address and external_media_address of the transport hold it.",
        ),
        (
            Product::FreeSwitch,
            "The params ext-sip-ip and ext-rtp-ip of the sofia profile hold it.",
        ),
        (
            Product::Kamailio,
            "The advertised address stands behind listen ... advertise.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some(lost) = reach::lost(call).filter(|lost| differs(call, lost)) else {
        return;
    };
    // An answer may have come through a proxy, whose address is then another one rightly.
    let own = lost.owner == Side::Caller
        && call
            .messages
            .get(lost.given.message)
            .is_some_and(reach::is_of_author);
    let confidence = match (lost.request, own || is_reported(call, &lost)) {
        (Some(_), true) => Confidence::Likely,
        _ => Confidence::Possible,
    };
    let words = Words {
        given: "given",
        sent: "sent",
        silence: "silence",
        unseen: "why-unseen",
    };
    reach::tell(call, &lost, words, confidence, found);
}

fn differs(call: &Call, lost: &Lost<'_>) -> bool {
    let Some(ip) = lost.host.ip() else {
        return false;
    };
    let heard = || {
        let source = |m: &crate::session::Stored| m.stamp.source.map(|a| a.ip());
        call.messages.iter().any(|m| source(m) == Some(ip))
    };
    lost.field == Field::Contact
        && class(ip) == Class::Public
        && class(lost.author.ip()) == Class::Public
        && ip != lost.author.ip()
        && !heard()
}

// Did a router or the host itself say that nobody takes it there?
fn is_reported(call: &Call, lost: &Lost<'_>) -> bool {
    call.asides.iter().any(|aside| match &aside.what {
        What::Icmp(icmp) => {
            Some(icmp.flow.destination.ip()) == lost.host.ip()
                && !matches!(icmp.kind, IcmpKind::TooBig(_) | IcmpKind::Reassembly)
        }
        What::Dns(_) | What::Wire(_) => false,
    })
}
