//! A5: credentials for another realm, or in another header, than asked for.

use super::super::digest::{
    self, Exchange, Try, credentials_header, show_challenge, show_credentials,
};
use super::super::finding::{Evidence, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-realm-or-domain-mismatch",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[400, 401, 403, 407],
    rfc: &[(3261, "22.1"), (3261, "22.2"), (3261, "22.3")],
    title: "credentials for another realm than {element} asks for",
    why: "{element} asked for credentials for realm {realm}, and the caller answered its nonce for realm {other}: the realm is part of the hash, so it can never match",
    fix: "Set the realm of the account in the configuration of the client to {realm}, or leave it empty so that the one of the challenge is used.",
    sentences: &[
        (
            "why-held",
            "{element} asks for credentials for realm {realm}; the caller sends credentials for realm {other}, which nobody asked for here, and does not answer the challenge: it has no credentials for realm {realm}",
        ),
        (
            "fix-held",
            "Set user name and password for realm {realm} in the configuration of the client; where it names a realm, {realm} belongs there. If {element} should use another realm, its operator has to set the same one everywhere.",
        ),
        (
            "why-header",
            "{element} asked with {code}, which is answered in {wanted}, and the caller put its credentials into {header}, where {element} does not look for them",
        ),
        (
            "fix-header",
            "Have the software of the client mended: a 401 is answered in Authorization, a 407 in Proxy-Authorization.",
        ),
        ("asked", "asked for realm {realm}"),
        ("answered", "answered for realm {other}"),
        ("header", "the answer to it stands in the wrong header"),
        ("refused", "and refused"),
    ],
    explains: &[
        "auth-wrong-credentials",
        "auth-no-credentials-sent",
        "reg-rejected",
    ],
    check,
    ..Rule::PLAIN
};

enum Mismatch {
    Realm,
    Header,
    Held,
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((refused_at, refusal)) = digest::open_refusal(call, &[400]) else {
        return;
    };
    let exchange = context.exchange(call);
    let last = |t: &Try<'_>| {
        exchange
            .last_judged()
            .is_some_and(|attempt| std::ptr::eq(t.attempt, attempt))
    };
    let mut tries = exchange.tries().filter(last);
    let Some((of, mismatch)) = tries.find_map(|t| Some((t, mismatch(call, exchange, &t)?))) else {
        return;
    };
    let confidence = match mismatch {
        Mismatch::Realm | Mismatch::Header => Confidence::Certain,
        Mismatch::Held => Confidence::Likely,
    };
    let again = of
        .verdict(call)
        .map(|m| crate::message::typed::challenges(m.message()));
    let asked = match of.asked {
        Some(asked) => Some((asked.message, asked.challenge.clone())),
        None => of
            .attempt
            .verdict
            .zip(again.and_then(|again| again.into_iter().next())),
    };
    let Some((message, challenge)) = asked else {
        return;
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    let asked = digest::Asked { message, challenge };
    let asked_by = call.messages.get(message).unwrap_or(refusal);
    let proxy = asked.challenge.proxy;
    finding.element(sender(asked_by)).args(
        Args::new()
            .text("realm", asked.challenge.realm.clone())
            .text("other", of.credentials.realm.clone())
            .code("code", asked_by.head.code().unwrap_or(401))
            .text("wanted", credentials_header(proxy))
            .text("header", credentials_header(!proxy)),
    );
    let (why, fix, note_id, param) = match mismatch {
        Mismatch::Realm => ("why", "fix", "answered", "realm"),
        Mismatch::Held => ("why-held", "fix-held", "answered", "realm"),
        Mismatch::Header => ("why-header", "fix-header", "header", "nonce"),
    };
    finding.why(why).fix(fix);
    let own = (of.attempt.message, of.credentials);
    let asked_shown = show_challenge(call, &asked, "realm", note("asked"));
    let answered_shown = show_credentials(call, own.0, own.1, param, note(note_id));
    let in_order = match mismatch {
        Mismatch::Held => [answered_shown, asked_shown],
        _ => [asked_shown, answered_shown],
    };
    finding.proofs(in_order);
    if !matches!(mismatch, Mismatch::Held) {
        finding.proof(Evidence::start_line(refused_at, refusal, note("refused")));
    }
}

fn mismatch(call: &Call, exchange: &Exchange, of: &Try<'_>) -> Option<Mismatch> {
    let own = of.credentials;
    if let Some(asked) = of.asked {
        // One of several challenges may carry the same nonce for another realm or header.
        let fits =
            |a: &digest::Asked| a.challenge.nonce == own.nonce && a.challenge.realm == own.realm;
        if asked.challenge.realm != own.realm && !exchange.asked.iter().any(fits) {
            return Some(Mismatch::Realm);
        }
        let other_kind = asked.challenge.proxy != own.proxy;
        return (other_kind && of.attempt.credentials.len() == 1).then_some(Mismatch::Header);
    }
    // Credentials kept from elsewhere, a challenge for another realm, and no answer to that.
    let verdict = of
        .verdict(call)
        .filter(|m| matches!(m.head.code(), Some(401 | 407)))?;
    let again = crate::message::typed::challenges(verdict.message());
    let known = exchange
        .asked
        .iter()
        .any(|a| a.challenge.realm == own.realm);
    let realms_differ = !again.is_empty() && again.iter().all(|c| c.realm != own.realm);
    let alone = of.attempt.credentials.len() == 1;
    (realms_differ && !known && alone && call.outcome == crate::session::Outcome::Failed)
        .then_some(Mismatch::Held)
}
