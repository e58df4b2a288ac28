//! N1: requests inside the dialog go to an address that only the network of its owner can reach.

use super::super::address::{Class, class};
use super::super::reach::{self, Lost, Words};
use super::super::{Confidence, Context, Findings, Frequency, Need, Product, Rule, Severity};
use crate::session::{Call, Outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "private-contact",
    severity: Severity::Warning,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "8.1.1.8"), (3261, "12.1.1"), (3261, "12.2.1.1")],
    title: "{element} gave {host}, which cannot be reached from outside",
    why: "the {field} that {element} gave names {host}, an address that is {class}; {method} was sent there by {user}, outside that network, and got lost{left}",
    fix: "Set the public address on {element}, so that its {field} names what others can reach: external or advertised address of the PBX, NAT setting or STUN of the phone. Or let the other side send to where the packets come from instead of to what {field} says (NAT support), or a proxy between them add Record-Route.",
    sentences: &[
        (
            "why-unseen",
            "the {field} that {element} gave names {host}, an address that is {class}, and no Record-Route leads past it: {user} has nowhere to send the {method}, and none was seen",
        ),
        (
            "why-unused",
            "the {field} that {element} gave to {user} names {host}, an address that is {class}, and no Record-Route leads past it: a later request of the other side, such as its BYE, arrives only if it goes to where the packets of {element} come from instead, as servers that know NAT do",
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
        "nat-binding-expired",
    ],
    confirm: "a capture at {user} that shows where it sends the {method}",
    settings: &[
        (
            Product::Asterisk,
            "In pjsip.conf set external_signaling_address, external_media_address and local_net in the transport; for phones behind NAT set rewrite_contact=yes and force_rport=yes in their endpoint.",
        ),
        (
            Product::FreeSwitch,
            "Set ext-sip-ip and ext-rtp-ip in the sofia profile to the public address.",
        ),
        (
            Product::Kamailio,
            "Call record_route() for INVITE, and fix_nated_contact() or add_contact_alias() of module nathelper for messages of clients behind NAT; set the public address with listen ... advertise.",
        ),
        (
            Product::OpenSips,
            "Call record_route() for INVITE, and fix_nated_contact() of module nathelper for messages of clients behind NAT.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if let Some(lost) = reach::lost(call) {
        if !is_private(call, &lost) {
            return;
        }
        let confidence = match lost.request {
            Some(_) if lost.is_translated() => Confidence::Certain,
            None if found.has("capture-one-sided") => Confidence::Possible,
            _ => Confidence::Likely,
        };
        let words = Words {
            given: "given",
            sent: "sent",
            silence: "silence",
            unseen: "why-unseen",
        };
        return reach::tell(call, &lost, words, confidence, found);
    }
    if call.outcome == Outcome::Succeeded
        && let Some(lost) = reach::unused(call).find(|lost| is_private(call, lost))
    {
        let (words, weight) = (
            ("why-unused", "unused"),
            (Severity::Info, Confidence::Possible),
        );
        reach::tell_unused(call, &lost, words, weight, found);
    }
}

fn is_private(call: &Call, lost: &Lost<'_>) -> bool {
    let of = lost.host.ip().map_or(Class::Public, class);
    of != Class::Public && !of.is_of_machine() && lost.is_from_outside(call)
}
