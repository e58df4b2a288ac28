//! L4: the Vias of an answer are not those of its request.

use super::super::complaint::Topic;
use super::super::finding::note;
use super::super::lint::{self, Case, Defect, Mark, Other, Reaction, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::layers::Transport;
use crate::message::{Span, header, span};
use crate::session::clock::SECOND;
use crate::session::oddity::Oddity;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "via-stack-anomaly",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "8.2.6.2"), (3261, "8.1.3.3"), (3261, "17.1.3")],
    title: "the Vias of {what} are not those of the request",
    why: "{writer} changed the topmost Via in its answer {what}: the sender finds its answers by the branch and host in it, so it takes this one for no answer of its own, drops it and goes on waiting",
    fix: "Update {writer} or report this to its vendor: an answer carries all Vias of its request, in order and unchanged but for the parameters received and rport. If a NAT helper or script there rewrites Via, switch that off.",
    sentences: &[
        (
            "why-count",
            "{writer} answered {what} with another number of Vias ({has}) than the request had on this hop ({had}): each proxy takes its own Via off and sends the answer to the next one, so this answer goes astray or is dropped by the sender",
        ),
        (
            "why-twice",
            "{writer} sent {what} with the same Via twice, host and branch: the request has passed the same element twice unchanged, or an element added its Via two times, and a server that looks for loops refuses it",
        ),
        (
            "fix-twice",
            "Follow the request back from {writer} to the element whose host stands in the Via, and look there for a route that leads back to itself.",
        ),
        (
            "why-heard",
            "{writer} changed the topmost Via in its answer {what}: the sender should take it for no answer of its own, as it finds them by the branch and host there; but it did not repeat its request over UDP afterwards, so it seems to have taken the answer all the same",
        ),
        (
            "why-open",
            "{writer} changed the topmost Via in its answer {what}: the sender finds its answers by the branch and host there, so it should take this one for no answer of its own; the capture ends too early to show whether it did",
        ),
        ("wrong", "this Via"),
        ("asked", "as the request had it"),
        ("count", "number of Vias: {has}"),
        ("counted", "number of Vias: {had}"),
        ("twice", "it stands here for the second time"),
    ],
    explains: &["request-no-response", "2xx-not-acked", "bad-request-400"],
    confirm: "a capture at the sender of the request, which would show the answer arrive and be ignored",
    check,
    ..Rule::PLAIN
};

const DEFECT: Defect = Defect {
    weight: Weight::Risky,
    codes: &[482, 483],
    topics: &[Topic::Via],
    copied: false,
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.oddities().has(Oddity::Orphan) {
        altered(call, context, found);
    }
    if call.oddities().has(Oddity::ViaCount) {
        count(call, context, found);
    }
    if lint::was_answered(call, &[400, 482, 483]) {
        twice(call, context, found);
    }
}

fn altered(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |index: usize, m: &Stored| {
        let other = lint::orphan(call, index).is_some_and(|of| of.other == Other::Via);
        other.then(|| Mark::value(m, "Via"))
    };
    for mut case in lint::cases(call, &DEFECT, &broken) {
        let Some(of) = lint::orphan(call, case.message) else {
            continue;
        };
        let Some(request) = call.messages.get(of.request) else {
            continue;
        };
        let heard = heard(call, &of, &case);
        let (weight, why) = match heard {
            Heard::Dropped => (Weight::Risky, "why"),
            Heard::Taken => (Weight::Harmless, "why-heard"),
            Heard::NotShown => (Weight::Risky, "why-open"),
        };
        if heard != Heard::Dropped {
            case.reaction = Reaction::Taken;
        }
        let defect = Defect { weight, ..DEFECT };
        if let Some(finding) = lint::add(found, call, context, &defect, &case, note("wrong")) {
            finding.why(why);
            let asked = Mark::value(request, "Via");
            finding.proof(asked.evidence(of.request, note("asked")));
        }
    }
}

/// What a request over UDP shows of an answer that it should not take for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// It is repeated, or a connection carries it and nothing is.
    Dropped,
    /// It would have been repeated by the end of the capture, and was not.
    Taken,
    /// The capture ends before.
    NotShown,
}

// Over UDP whoever waits for an answer repeats its request (RFC 3261 §17.1), after at most twice the
// time that it has waited and T1.
fn heard(call: &Call, of: &lint::Orphan, case: &Case<'_>) -> Heard {
    const T1: i64 = SECOND / 2;
    let (Some(asked), Some(transaction)) = (
        call.messages.get(of.request),
        call.transaction_of(of.request),
    ) else {
        return Heard::Dropped;
    };
    let again = transaction.sends.iter().any(|at| *at > case.message);
    if again || asked.stamp.transport != Some(Transport::Udp) {
        return Heard::Dropped;
    }
    let times = asked.time().zip(case.stored.time()).zip(call.seen_until);
    match times {
        Some(((first, heard), seen)) if seen - first > 2 * (heard - first) + 2 * T1 => Heard::Taken,
        _ => Heard::NotShown,
    }
}

fn count(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |index: usize, m: &Stored| {
        request_with_other_count(call, index, m).map(|_| Mark::start_line(m))
    };
    for case in lint::cases(call, &DEFECT, &broken) {
        let Some((asked, request)) = request_with_other_count(call, case.message, case.stored)
        else {
            continue;
        };
        if let Some(finding) = lint::add(found, call, context, &DEFECT, &case, note("count")) {
            finding.why("why-count").args(
                Args::new()
                    .count("has", case.stored.head.vias.into())
                    .count("had", request.head.vias.into()),
            );
            finding.proof(Mark::start_line(request).evidence(asked, note("counted")));
        }
    }
}

// The request that a response answers on this very hop, where their Vias are not as many.
fn request_with_other_count<'a>(
    call: &'a Call,
    index: usize,
    m: &Stored,
) -> Option<(usize, &'a Stored)> {
    if m.head.is_request() || !lint::is_whole(m) || m.head.vias == 0 {
        return None;
    }
    let transaction = call.transaction_of(index)?;
    // Who acknowledges an answer has found it in spite of its Vias.
    if transaction.acks.iter().any(|ack| *ack > index) {
        return None;
    }
    let asked = transaction.request()?;
    let request = call.messages.get(asked).filter(|m| lint::is_whole(m))?;
    let same_hop = request.stamp.sender().is(m.stamp.receiver())
        && request.stamp.receiver().is(m.stamp.sender());
    (same_hop && request.head.vias != m.head.vias).then_some((asked, request))
}

fn twice(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |_: usize, m: &Stored| twice_in(m);
    for case in lint::cases(call, &DEFECT, &broken) {
        if let Some(finding) = lint::add(found, call, context, &DEFECT, &case, note("twice")) {
            finding.why("why-twice").fix("fix-twice");
        }
    }
}

fn twice_in(m: &Stored) -> Option<Mark> {
    const MOST: usize = 70;
    if !m.head.is_request() || m.head.vias < 2 {
        return None;
    }
    let mut seen: Vec<&[u8]> = Vec::new();
    for line in m.message().all("Via") {
        for via in header::elements(line.value.of(&m.raw)) {
            if seen.contains(&via) {
                let mark: Span = span::span_in(&m.raw, via);
                return Some(Mark::header(line, mark));
            }
            if seen.len() < MOST {
                seen.push(via);
            }
        }
    }
    None
}
