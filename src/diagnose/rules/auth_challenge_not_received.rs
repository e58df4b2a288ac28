//! A2: a challenge was sent, and the one who was asked goes on as if it had not come.

use super::super::digest::{challenge_header, open_refusal};
use super::super::finding::{Evidence, Template, note, receiver, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Rule, Severity,
};
use crate::layers::Transport;
use crate::message::Method;
use crate::session::{Call, CopyKind, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-challenge-not-received",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    codes: &[401, 407],
    rfc: &[(3261, "17.1"), (3581, "4")],
    title: "the challenge of {element} does not reach {caller}",
    why: "{element} asked for credentials, and {caller} went on sending the same {method} without any, {copies} times more over {span}: it never got the challenge, or dropped it, so this is not about the password",
    fix: "Find out where the {code} is lost on its way from {element} to {caller}: a firewall or a NAT that has forgotten the way back, or a SIP helper (ALG) in the router there. Switch on rport in the device and answering to the source address at {element}, so that answers go where the request came from.",
    sentences: &[
        (
            "why-elsewhere",
            "the {method} came from {caller}, but {element} sent its challenge to {sent}, the address in Via, and {caller} went on sending the same {method}, {copies} times more over {span}: the challenge goes to a place where nobody waits for it",
        ),
        (
            "fix-elsewhere",
            "Switch on rport in the device (RFC 3581), so that answers come back to the port that it sends from; or let {element} answer to the source address of a request even where rport is missing.",
        ),
        (
            "fix-rport",
            "Find out where the {code} is lost on its way from {element} to {caller}, by a capture there: a firewall or a NAT that has forgotten the way back, or a SIP helper (ALG) in the router. The request asks for rport and the answer went to where it came from, so there is nothing to change in that. If the {code} does arrive, {caller} drops it: its log says why.",
        ),
        ("challenged", "asked for credentials, sent to {sent}"),
        ("via", "where the answer was sent"),
        (
            "again",
            "the same request without credentials, the last of {copies} more",
        ),
    ],
    explains: &[
        "auth-no-credentials-sent",
        "final-not-acked",
        "retransmission-storm",
    ],
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk this is force_rport=yes of the PJSIP endpoint (nat=force_rport with chan_sip).",
        ),
        (
            Product::Kamailio,
            "On Kamailio this is force_rport() before the challenge is sent.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS this is force_rport() before the challenge is sent.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// One repeat may have crossed the challenge; two cannot.
const ENOUGH: usize = 2;
/// A repeat sooner than this after the challenge may have crossed it, nanoseconds.
const CROSSED: i64 = 300_000_000;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if open_refusal(call, &[]).is_none_or(|(_, m)| m.head.code() == Some(403)) {
        return;
    }
    let Some((asked_at, challenge)) = first_challenge(call) else {
        return;
    };
    let Some(request) = request_of(call, challenge) else {
        return;
    };
    let acknowledged = |m: &Stored| m.keys.transaction == challenge.keys.transaction;
    if request.stamp.transport.is_some_and(Transport::is_reliable)
        || call.requests(Method::Ack).any(|(_, m)| acknowledged(m))
    {
        return;
    }
    let Some(since) = challenge.time() else {
        return;
    };
    let again: Vec<(usize, &Stored)> = call
        .messages
        .iter()
        .enumerate()
        .skip(asked_at + 1)
        .filter(|(_, m)| is_again(m, request) && m.time().is_some_and(|at| at > since + CROSSED))
        .collect();
    let Some((last_at, last)) = again.last().copied().filter(|_| again.len() >= ENOUGH) else {
        return;
    };
    let elsewhere = challenge.stamp.destination.is_some()
        && request.stamp.source.is_some()
        && challenge.stamp.destination != request.stamp.source;
    let acts = if elsewhere {
        Acts::Caller
    } else {
        Acts::Network
    };
    let Some(finding) = found.add(Confidence::Certain, acts) else {
        return;
    };
    let sent = || Args::new().text("sent", receiver(challenge));
    let copies = || Args::new().count("copies", again.len());
    finding.element(sender(challenge)).args(
        sent()
            .text("caller", sender(request))
            .text("method", request.message().method_name())
            .code("code", challenge.head.code().unwrap_or(401))
            .count("copies", again.len())
            .duration("span", last.time().unwrap_or(since) - since),
    );
    let proxy = challenge.head.code() == Some(407);
    finding.proof(Evidence::header(
        asked_at,
        challenge,
        challenge_header(proxy),
        Template::new("challenged", sent()),
    ));
    if elsewhere {
        finding.why("why-elsewhere").fix("fix-elsewhere");
        finding.proof(Evidence::header(asked_at, challenge, "Via", note("via")));
    } else if challenge.stamp.destination.is_some() && asks_rport(request) {
        finding.fix_alone("fix-rport");
    }
    finding.proof(Evidence::start_line(
        last_at,
        last,
        Template::new("again", copies()),
    ));
}

// Does the topmost Via carry rport (RFC 3581)?
fn asks_rport(request: &Stored) -> bool {
    let via = request.message().header("Via");
    let value = via.map(|via| via.value.of(&request.raw).to_ascii_lowercase());
    let value = value.unwrap_or_default();
    let topmost = value.split(|b| *b == b',').next().unwrap_or_default();
    topmost
        .split(|b| *b == b';')
        .skip(1)
        .any(|part| part.trim_ascii().split(|b| *b == b'=').next() == Some(b"rport".as_slice()))
}

// Nearest the caller.
fn first_challenge(call: &Call) -> Option<(usize, &Stored)> {
    let challenges = call.messages.iter().enumerate().filter(|(_, m)| {
        matches!(m.head.code(), Some(401 | 407)) && call.is_of_beginning(m) && m.copy.is_none()
    });
    let open = challenges.filter(|(_, m)| {
        request_of(call, m).is_some_and(|request| request.head.credentials.is_empty())
    });
    open.min_by_key(|(index, m)| (m.head.vias, *index))
}

fn request_of<'c>(call: &'c Call, answer: &Stored) -> Option<&'c Stored> {
    let mut requests = call.messages.iter().filter(|m| m.head.is_request());
    requests.find(|m| {
        m.keys.transaction == answer.keys.transaction && m.head.method == answer.head.method
    })
}

// The same request on the same hop, recorded anew; some clients give each repeat a new branch.
fn is_again(m: &Stored, first: &Stored) -> bool {
    m.head.is_request()
        && m.head.method == first.head.method
        && m.cseq() == first.cseq()
        && m.head.vias == first.head.vias
        && m.head.credentials.is_empty()
        && m.stamp.source == first.stamp.source
        && m.stamp.destination == first.stamp.destination
        && m.copy
            .is_none_or(|copy| copy.kind == CopyKind::Retransmission)
}
