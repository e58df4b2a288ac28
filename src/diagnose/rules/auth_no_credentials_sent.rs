//! A3: a challenge was received and never answered.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Need, Rule, Severity};
use crate::message::{Method, typed};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-no-credentials-sent",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time],
    rfc: &[(3261, "22.1"), (3261, "8.1.3.5")],
    title: "the challenge of {element} was never answered",
    why: "{element} asked for credentials for realm {realm} ({algorithm}); the caller sent none in the {waited} that the capture goes on",
    fix: "Set user name and password for realm {realm} in the caller's configuration. If this is a trunk that should work by address and without a password, ask the operator of {element} to allow the caller's address. If credentials are set, check that the caller can do {algorithm}.",
    sentences: &[
        ("asked", "credentials are asked for"),
        ("acknowledged", "the caller received the challenge"),
        (
            "silence",
            "no request with credentials followed as long as the capture shows",
        ),
    ],
    check,
    ..Rule::PLAIN
};

// Programs that look for open servers never answer; what they are is for another rule.
const SCANNERS: [&str; 5] = [
    "friendly-scanner",
    "sipvicious",
    "sipcli",
    "sip-scan",
    "sundayddr",
];

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call).filter(|_| call.outcome == Outcome::Failed) else {
        return;
    };
    if !matches!(response.head.code(), Some(401 | 407)) || is_scanner(call) {
        return;
    }
    let Some(challenge) = typed::challenges(response.message()).into_iter().next() else {
        return;
    };
    let attempts = || {
        call.messages
            .iter()
            .filter(|m| m.head.is_request() && call.is_of_beginning(m))
    };
    if attempts().any(|m| {
        typed::credentials(m.message())
            .iter()
            .any(|c| c.realm == challenge.realm)
    }) {
        return;
    }
    // Without an ACK, or with the request sent again, the challenge may never have arrived.
    let acknowledged = call
        .requests(Method::Ack)
        .find(|(_, m)| m.keys.transaction == response.keys.transaction);
    let asked_again = attempts().any(|m| m.copy.is_some() && m.time() > response.time());
    let confidence = match (call.method, acknowledged) {
        (Method::Invite, Some(_)) => Confidence::Likely,
        (Method::Invite, None) => return,
        _ if asked_again => return,
        _ => Confidence::Likely,
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    finding.element(sender(response));
    let waited = response
        .time()
        .zip(call.seen_until)
        .map_or(0, |(from, until)| until - from);
    finding.args(
        Args::new()
            .duration("waited", waited)
            .text("realm", challenge.realm)
            .text("algorithm", challenge.algorithm),
    );
    let header = if challenge.proxy {
        "Proxy-Authenticate"
    } else {
        "WWW-Authenticate"
    };
    finding.proof(Evidence::header(index, response, header, note("asked")));
    if let Some((ack, stored)) = acknowledged {
        finding.proof(Evidence::start_line(ack, stored, note("acknowledged")));
    }
    if let Some(from) = response.time() {
        finding.proof(Evidence::Absence {
            message: index,
            from,
            until: call.seen_until.unwrap_or(from),
            note: note("silence"),
        });
    }
}

/// Does the request come from a known scanner?
pub(super) fn is_scanner(call: &Call) -> bool {
    let agent = call
        .request()
        .map(Stored::message)
        .and_then(|m| m.text("User-Agent"))
        .unwrap_or_default()
        .to_ascii_lowercase();
    SCANNERS.iter().any(|name| agent.contains(name))
}
