//! A6: the hash algorithm that is asked for is one that the caller cannot, or does not, compute.

use super::super::digest::{self, Asked, Exchange, Try, Unmet, show_challenge, show_credentials};
use super::super::finding::{Evidence, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Rule, Severity,
};
use crate::message::typed::Challenge;
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-algorithm-unsupported",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    codes: &[400, 401, 403, 407],
    rfc: &[(8760, "2.4"), (7616, "3.3")],
    title: "{element} wants {algorithm}, which the caller does not answer",
    why: "{element} offers {algorithm} and not MD5, and the caller sent no credentials: many phones and PBXs can only do MD5 and give up without a word when it is not offered",
    fix: "Update the software of the client to one that can do {algorithm}, or have {element} offer MD5 as well, in a header of its own below the others. If it can do {algorithm}, check that user name and password are set for realm {realm}.",
    sentences: &[
        (
            "why-aka",
            "{element} asks for {algorithm}, the authentication of mobile networks by SIM; the caller sent no credentials, as a client without SIM has to do",
        ),
        (
            "fix-aka",
            "Use a device with a SIM of this network, or an account at {element} that has a password.",
        ),
        (
            "why-first",
            "{element} offers {algorithm} first and MD5 below it, and the caller sent no credentials: some clients read only the first offer and give up when they do not know it",
        ),
        (
            "fix-first",
            "Update the software of the client, or switch {algorithm} off at {element} for this account. Check also that user name and password are set for realm {realm}.",
        ),
        (
            "why-other",
            "{element} offers {algorithm}, and the caller answered the nonce with {other}, which was not offered, and was refused",
        ),
        (
            "fix-other",
            "Update the software of the client to one that can do {algorithm}, or have {element} offer {other} as well.",
        ),
        ("offered", "what is offered"),
        ("used", "the answer uses {other}"),
        ("refused", "and refused"),
        ("silence", "no request with credentials followed"),
    ],
    explains: &[
        "auth-no-credentials-sent",
        "auth-wrong-credentials",
        "reg-rejected",
    ],
    confirm: "the log of the caller, or a challenge with MD5 that it answers",
    settings: &[(
        Product::Asterisk,
        "On Asterisk PJSIP (from 20.12, 21.7 and 22.2 on) the algorithms offered are supported_algorithms_uas of the auth section, else default_auth_algorithms_uas of the global section.",
    )],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if let Some(unmet) = digest::unmet(call, context) {
        return unanswered(call, &unmet, found);
    }
    let Some((refused_at, refusal)) = digest::open_refusal(call, &[400]) else {
        return;
    };
    let exchange = context.exchange(call);
    let last = exchange.last_judged();
    let mut tries = exchange.tries();
    let Some(of) = tries.find(|t| {
        last.is_some_and(|last| std::ptr::eq(t.attempt, last)) && uses_another(exchange, t)
    }) else {
        return;
    };
    let Some(asked) = of.asked else { return };
    let Some(finding) = found.add(Confidence::Certain, Acts::Caller) else {
        return;
    };
    let asked_by = call.messages.get(asked.message).unwrap_or(refusal);
    let other = of.credentials.algorithm.clone();
    finding
        .why("why-other")
        .fix("fix-other")
        .element(sender(asked_by))
        .args(
            Args::new()
                .text("algorithm", asked.challenge.algorithm.clone())
                .text("realm", asked.challenge.realm.clone())
                .text("other", other),
        );
    let (message, own) = (of.attempt.message, of.credentials);
    finding.proofs([
        show_challenge(call, asked, "algorithm", note("offered")),
        show_credentials(call, message, own, "algorithm", note("used")),
    ]);
    finding.proof(Evidence::start_line(refused_at, refusal, note("refused")));
}

fn unanswered(call: &Call, unmet: &Unmet<'_>, found: &mut Findings) {
    let Some(first) = unmet.challenges.first().filter(|c| !is_md5(&c.algorithm)) else {
        return;
    };
    let old = unmet.challenges.iter().any(|c| is_md5(&c.algorithm));
    let aka = first.algorithm.to_ascii_uppercase().starts_with("AKA");
    let (confidence, why, fix) = match (old, aka) {
        (true, _) => (Confidence::Possible, "why-first", "fix-first"),
        (false, true) => (Confidence::Likely, "why-aka", "fix-aka"),
        (false, false) => (Confidence::Likely, "why", "fix"),
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    let mut names: Vec<&str> = Vec::new();
    for challenge in unmet.challenges.iter().filter(|c| !is_md5(&c.algorithm)) {
        if !names.contains(&challenge.algorithm.as_str()) {
            names.push(&challenge.algorithm);
        }
    }
    finding
        .why(why)
        .fix(fix)
        .element(sender(unmet.response))
        .args(
            Args::new()
                .text("algorithm", names.join(", "))
                .text("realm", first.realm.clone()),
        );
    let shown = |challenge: &Challenge| {
        let asked = Asked {
            message: unmet.message,
            challenge: challenge.clone(),
        };
        show_challenge(call, &asked, "algorithm", note("offered"))
    };
    finding.proofs(unmet.challenges.iter().take(3).map(shown));
    if let Some(from) = unmet.response.time() {
        finding.proof(Evidence::Absence {
            message: unmet.message,
            from,
            until: call.seen_until.unwrap_or(from),
            note: note("silence"),
        });
    }
}

// One nonce may be offered with several algorithms.
fn uses_another(exchange: &Exchange, of: &Try<'_>) -> bool {
    let own = &of.credentials.algorithm;
    let offered = |asked: &Asked| {
        asked.challenge.nonce == of.credentials.nonce
            && asked.challenge.algorithm.eq_ignore_ascii_case(own)
    };
    of.asked.is_some() && !exchange.asked.iter().any(offered)
}

fn is_md5(algorithm: &str) -> bool {
    ["MD5", "MD5-sess"]
        .iter()
        .any(|md5| algorithm.eq_ignore_ascii_case(md5))
}
