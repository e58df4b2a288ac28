//! X1: a message is too large for one UDP packet, and its fragments do not arrive.

use super::super::blame::acts_of_sender;
use super::super::finding::{Evidence, Finding, Template, Value, note, receiver, sender};
use super::super::silence::deciding_silences;
use super::super::size::{self, ETHERNET, UDP_LIMIT, largest_parts, packet};
use super::super::{
    Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity,
};
use super::twoxx_not_acked::told_at_hangup;
use crate::layers::{IcmpKind, Transport};
use crate::session::aside::What;
use crate::session::{Call, Outcome, Stored, Transaction, View, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "udp-too-big",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Addresses],
    rfc: &[(3261, "18.1.1"), (8085, "3.2")],
    title: "{what} of {size} bytes is too large for UDP",
    why: "{peer} answers smaller requests ({smaller} bytes) and not this one of {size} bytes: as an IP packet of {packet} bytes it has to be cut into fragments, which NAT, firewalls and VPNs often drop, and then nothing of it arrives. Largest parts: {parts}",
    fix: "Make it smaller at {element}, or send it over TCP or TLS: offer fewer codecs, leave out video and ICE candidates that are not needed, remove headers that nobody reads. A request of more than 1300 bytes should not go over UDP at all. Where fragments are to be used, let them pass at every firewall and NAT on the way.",
    sentences: &[
        (
            "fix-answer",
            "Make the answer smaller at {element}: fewer codecs, no video and no ICE candidates that are not needed, no headers that nobody reads. It goes back the way the request came, so only the one who asks can choose TCP: send the request over TCP where the answer cannot shrink. Where fragments are to be used, let them pass at every firewall and NAT on the way.",
        ),
        (
            "why-limit",
            "{peer} answers smaller requests ({smaller} bytes) and not this one of {size} bytes. That is more than the 1300 bytes up to which UDP may be used, and too much for one packet where a VPN or tunnel takes part of the room. Largest parts: {parts}",
        ),
        (
            "why-alone",
            "{what} of {size} bytes needs an IP packet of {packet} bytes, which has to be cut into fragments; NAT, firewalls and VPNs often drop them, and then nothing of it arrives. Largest parts: {parts}",
        ),
        (
            "why-unknown-there",
            "{peer} gets small messages and does not know this call: it never got {what} of {size} bytes, which needs an IP packet of {packet} bytes and has to be cut into fragments. NAT, firewalls and VPNs often drop them, and then nothing of it arrives. Largest parts: {parts}",
        ),
        (
            "why-reported",
            "{reporter} reports that it cannot hand on {what} of {size} bytes: {said}. Largest parts: {parts}",
        ),
        ("unanswered", "never answered; {size} bytes"),
        (
            "repeated",
            "repeated, as if it did not arrive; {size} bytes",
        ),
        ("answered", "answered; {smaller} bytes"),
        (
            "told",
            "a small message that came through; the call is not known",
        ),
        ("report", "the report"),
    ],
    explains: &[
        "request-no-response",
        "reg-timeout",
        "bye-unanswered",
        "2xx-not-acked",
        "408-origin",
        "trying-then-silence",
        "refresh-rejected",
        "auth-no-credentials-sent",
    ],
    confirm: "a capture at {peer} in which its fragments arrive only in part, or not at all",
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk: `disallow=all` and a short `allow=` on the endpoint, or `transport=` with a TCP transport; `disable_tcp_switch=no` in the [system] section lets large requests go over TCP.",
        ),
        (
            Product::Kamailio,
            "On Kamailio: `udp_mtu=1300` with `udp_mtu_try_proto=TCP`.",
        ),
        (
            Product::Cube,
            "On CUBE: `session transport tcp` on the dial-peer.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// A message that seems to have been lost for its size.
struct Lost<'a> {
    index: usize,
    stored: &'a Stored,
    /// It decided how the call ended.
    decided: bool,
    /// An ICMP error says so.
    report: Option<usize>,
    /// A smaller request that the same peer answered in this call.
    smaller: Option<(usize, &'a Stored)>,
    /// A small message by which the receiver shows that it never got the large one.
    told: Option<(usize, &'a Stored)>,
    /// Bytes of the largest smaller request that it answered.
    answered: usize,
    confidence: Confidence,
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some(lost) = lost_request(call, context.view).or_else(|| lost_answer(call)) else {
        return;
    };
    let (severity, role) = match lost.decided && call.outcome != Outcome::Succeeded {
        true => (Severity::Error, Role::Cause),
        false => (Severity::Warning, Role::Contributing),
    };
    let one_sided = found.has("capture-one-sided") && lost.report.is_none();
    let confidence = match one_sided {
        true => Confidence::Possible,
        false => lost.confidence,
    };
    let acts = acts_of_sender(call, lost.stored);
    if let Some(finding) = found.add_with(severity, role, confidence, acts) {
        tell(call, &lost, finding);
    }
}

// Fewer copies than this are no silence yet.
const COPIES: usize = 3;

fn lost_request<'a>(call: &'a Call, view: &View) -> Option<Lost<'a>> {
    let silent = |t: &&Transaction| !t.is_answered() && t.sends.len() >= COPIES;
    let mut silent = call.transactions().iter().filter(silent).peekable();
    silent.peek()?;
    let silences = deciding_silences(call);
    silent.find_map(|transaction| {
        let index = transaction.request()?;
        let stored = call.messages.get(index).filter(|m| is_large(m))?;
        let report = report(call, &transaction.sends);
        let same = |silence: &&super::super::silence::Silence<'_>| silence.index == index;
        let (smaller, answered) = smaller_answered(call, stored, view);
        let confidence = confidence(stored, report, smaller.is_some(), answered, view)?;
        Some(Lost {
            index,
            stored,
            decided: silences.iter().any(|s| same(&s)),
            report,
            smaller,
            told: None,
            answered,
            confidence,
        })
    })
}

// A 2xx that is repeated because no ACK comes may not have arrived.
fn lost_answer(call: &Call) -> Option<Lost<'_>> {
    let decided = call
        .decided_by
        .filter(|_| call.outcome == Outcome::Failed)?;
    let answer = call.finals.get(decided)?;
    let stored = call.message_of(decided)?;
    let accepted = (200..300).contains(&answer.code) && outcome::never_acknowledged(call, decided);
    if !accepted || outcome::acknowledgement(call, stored).is_some() || !is_large(stored) {
        return None;
    }
    let mut sends = answer.repeats.clone();
    sends.push(answer.message);
    let report = report(call, &sends);
    let fragmented = packet(stored) > ETHERNET;
    let told = told_at_hangup(call, stored);
    let confidence = match (report, fragmented, told.map(|(.., code)| code)) {
        (Some(_), ..) => Confidence::Certain,
        // Who ends the call like one that it has got the answer.
        (None, false, _) | (None, true, Some(200..=299)) => return None,
        (None, true, Some(481)) => Confidence::Likely,
        (None, true, _) => Confidence::Possible,
    };
    Some(Lost {
        index: answer.message,
        stored,
        decided: true,
        report,
        smaller: None,
        told: told
            .filter(|(.., code)| *code == 481)
            .map(|(at, told, _)| (at, told)),
        answered: 0,
        confidence,
    })
}

fn is_large(stored: &Stored) -> bool {
    stored.stamp.transport == Some(Transport::Udp) && size::bytes(stored) > UDP_LIMIT
}

// An ICMP error about one of these messages that speaks of its size.
fn report(call: &Call, messages: &[usize]) -> Option<usize> {
    call.asides.iter().position(|aside| match &aside.what {
        What::Icmp(icmp) => {
            matches!(icmp.kind, IcmpKind::TooBig(_) | IcmpKind::Reassembly)
                && messages.contains(&icmp.message)
        }
        _ => false,
    })
}

// The largest smaller request that the same peer answered over UDP: in this call, else its bytes.
fn smaller_answered<'a>(
    call: &'a Call,
    stored: &Stored,
    view: &View,
) -> (Option<(usize, &'a Stored)>, usize) {
    let ip = |m: &Stored| m.stamp.destination.map(|a| a.ip());
    let answered = call.transactions().iter().filter(|t| t.is_answered());
    let requests = answered.filter_map(|t| {
        let index = t.request()?;
        let request = call.messages.get(index)?;
        let same = request.stamp.transport == Some(Transport::Udp)
            && ip(request) == ip(stored)
            && ip(request).is_some();
        same.then_some((index, request))
    });
    let smaller = requests
        .filter(|(_, m)| size::bytes(m) < size::bytes(stored))
        .max_by_key(|(_, m)| size::bytes(m));
    let known = ip(stored).and_then(|ip| view.peer(ip));
    let largest = known.map_or(0, |peer| peer.largest_answered as usize);
    let own = smaller.map_or(0, |(_, m)| size::bytes(m));
    (smaller, own.max(largest))
}

fn confidence(
    stored: &Stored,
    report: Option<usize>,
    in_call: bool,
    answered: usize,
    view: &View,
) -> Option<Confidence> {
    if report.is_some() {
        return Some(Confidence::Certain);
    }
    let peer = stored.stamp.destination.and_then(|to| view.peer(to.ip()));
    // As large a request was answered: it is not the size.
    if answered >= size::bytes(stored) {
        return None;
    }
    // It leaves small ones without an answer as well, and answered none in this call.
    let ignored = peer.and_then(|peer| peer.smallest_ignored);
    if !in_call && ignored.is_some_and(|bytes| (bytes as usize) < UDP_LIMIT) {
        return None;
    }
    match (packet(stored) > ETHERNET, answered > 0) {
        (true, true) => Some(Confidence::Likely),
        (true, false) => Some(Confidence::Possible),
        (false, _) => in_call.then_some(Confidence::Possible),
    }
}

fn tell(call: &Call, lost: &Lost<'_>, finding: &mut Finding) {
    let stored = lost.stored;
    let what = match stored.head.code() {
        Some(code) => code.to_string(),
        None => stored.message().method_name(),
    };
    let what = ("the {message}", Args::new().text("message", what));
    finding.element(sender(stored)).args(
        Args::new()
            .with("what", what)
            .text("peer", receiver(stored))
            .text("parts", largest_parts(stored))
            .count("size", size::bytes(stored))
            .count("packet", packet(stored))
            .count("smaller", lost.answered),
    );
    let shown = match stored.head.is_request() {
        true => note("unanswered"),
        false => note("repeated"),
    };
    let reported = lost.report.and_then(|aside| call.asides.get(aside));
    if let Some(What::Icmp(icmp)) = reported.map(|aside| &aside.what) {
        let said = match icmp.kind {
            IcmpKind::TooBig(mtu @ 1..) => (
                "the next link takes packets of {mtu} bytes",
                Args::new().text("mtu", mtu.to_string()),
            )
                .into(),
            IcmpKind::TooBig(_) => Value::Said("the next link takes only smaller packets"),
            _ => "some of its fragments never came".into(),
        };
        finding.why("why-reported").args(
            Args::new()
                .text("reporter", icmp.reporter.to_string())
                .with("said", said),
        );
    } else if lost.told.is_some() {
        finding.why("why-unknown-there");
    } else if lost.answered == 0 {
        finding.why("why-alone");
    } else if packet(stored) <= ETHERNET {
        finding.why("why-limit");
    }
    if !stored.head.is_request() {
        finding.fix("fix-answer");
    }
    finding.proof(Evidence::start_line(lost.index, stored, shown));
    if let Some(aside) = lost.report {
        finding.proof(Evidence::Beside {
            message: lost.index,
            aside,
            note: note("report"),
        });
    }
    if let Some((index, told)) = lost.told {
        finding.proof(Evidence::start_line(index, told, note("told")));
    }
    if let Some((index, smaller)) = lost.smaller {
        finding.proof(Evidence::start_line(
            index,
            smaller,
            Template::new(
                "answered",
                Args::new().count("smaller", size::bytes(smaller)),
            ),
        ));
    }
}
