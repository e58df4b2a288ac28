//! A3: a challenge was received and never answered.

use super::super::address::is_private;
use super::super::digest::{self, challenge_header};
use super::super::finding::{Evidence, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Need, Rule, Severity};
use crate::message::Method;
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-no-credentials-sent",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time],
    codes: &[401, 407],
    rfc: &[(3261, "22.1"), (3261, "8.1.3.5")],
    title: "the challenge of {element} was never answered",
    why: "{element} asked for credentials for realm {realm} ({algorithm}); the caller sent none in the {waited} that the capture goes on",
    fix: "Set user name and password for realm {realm} in the configuration of the client. If this is a trunk that should work by address and without a password, ask the operator of {element} to allow the caller's address. If credentials are set, check that the caller can do {algorithm}.",
    sentences: &[
        (
            "why-register",
            "{element} asked for credentials for realm {realm} ({algorithm}), as every registrar does; the device sent none in the {waited} that the capture goes on, so it is not registered",
        ),
        (
            "fix-register",
            "Set the authentication user name and the password of the account in the device; if it has a field for the realm, it must be {realm} or empty. If credentials are set, check that the device can do {algorithm}.",
        ),
        (
            "fix-outside",
            "Set the authentication user name and the password of the account in the device; if it has a field for the realm, it must be {realm} or empty. If credentials are set, check that the device can do {algorithm}. If {source} is no device of yours, somebody tries names: block that address.",
        ),
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

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some(unmet) = digest::unmet(call, context) else {
        return;
    };
    let Some(challenge) = unmet.challenges.first() else {
        return;
    };
    let Some(finding) = found.add(Confidence::Likely, Acts::Caller) else {
        return;
    };
    let (index, response) = (unmet.message, unmet.response);
    let source = call.request().and_then(|m| m.stamp.source);
    if call.method == Method::Register {
        // From the Internet it may be anybody.
        let outside = source.is_some_and(|source| !is_private(source.ip()));
        let fix = if outside {
            "fix-outside"
        } else {
            "fix-register"
        };
        finding.why("why-register").fix(fix);
    }
    let waited = response
        .time()
        .zip(call.seen_until)
        .map_or(0, |(from, until)| until - from);
    let mut algorithms: Vec<&str> = Vec::new();
    for algorithm in unmet.challenges.iter().map(|c| c.algorithm.as_str()) {
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    finding.element(sender(response)).args(
        Args::new()
            .duration("waited", waited)
            .text("source", source.map_or_else(String::new, |a| a.to_string()))
            .text("realm", challenge.realm.clone())
            .text("algorithm", algorithms.join(", ")),
    );
    let header = challenge_header(challenge.proxy);
    finding.proof(Evidence::header(index, response, header, note("asked")));
    if let Some((ack, stored)) = unmet.acknowledged {
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
