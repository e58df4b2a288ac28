//! A10: two elements want credentials of their own, and the caller shows only one set at a time.

use super::super::digest::{self, Attempt, show_challenge, show_credentials};
use super::super::finding::{Template, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::typed;
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-double-challenge",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    codes: &[401, 407],
    rfc: &[(3261, "22.3")],
    title: "two realms want credentials, the caller shows one at a time",
    why: "the credentials for realm {first} were taken, then realm {second} asked for its own; the caller answered that and left out those for {first}, so {first} asked again",
    fix: "Have the software of the client mended: in one call it must keep the credentials for every realm that asked and send all of them. As a stopgap let one of the two elements trust the other and not ask.",
    sentences: &[
        ("second", "{second} asks, so {first} was content"),
        ("alone", "answers {second}, and nothing for {first}"),
        ("again", "{first} asks again"),
    ],
    explains: &["auth-wrong-credentials", "auth-stale-nonce"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((_, refusal)) = digest::open_refusal(call, &[]) else {
        return;
    };
    let exchange = context.exchange(call);
    if exchange.attempts.len() < 2 {
        return;
    }
    let pairs = exchange.attempts.windows(2).filter_map(|pair| match pair {
        [earlier, later] => Some((earlier, later, forgotten(call, earlier, later)?)),
        _ => None,
    });
    let Some((earlier, later, (first, second))) = pairs.last() else {
        return;
    };
    let (severity, role) = (Severity::Error, Role::Cause);
    let certain = Confidence::Certain;
    let Some(finding) = found.add_with(severity, role, certain, Acts::Caller) else {
        return;
    };
    let names = || {
        Args::new()
            .text("first", first.clone())
            .text("second", second.clone())
    };
    finding.element(sender(refusal)).args(names());
    let of_realm = |attempt: &Attempt, realm: &str, id| {
        let message = attempt.verdict?;
        let answer = call.messages.get(message)?;
        let mut all = typed::challenges(answer.message()).into_iter();
        let challenge = all.find(|c| c.realm == realm)?;
        let asked = digest::Asked { message, challenge };
        show_challenge(call, &asked, "realm", Template::new(id, names()))
    };
    let alone = later.credentials.first().and_then(|own| {
        show_credentials(
            call,
            later.message,
            own,
            "realm",
            Template::new("alone", names()),
        )
    });
    finding.proofs([
        of_realm(earlier, &second, "second"),
        alone,
        of_realm(later, &first, "again"),
    ]);
}

// The realm that was content with the earlier attempt and asks again after the later one, which
// answers another realm only; and that other realm.
fn forgotten(call: &Call, earlier: &Attempt, later: &Attempt) -> Option<(String, String)> {
    let realms = |attempt: &Attempt| -> Vec<String> {
        let own = attempt.credentials.iter().map(|c| c.realm.clone());
        own.collect()
    };
    let asked_by = |attempt: &Attempt| -> Option<Vec<String>> {
        let answer = call.messages.get(attempt.verdict?)?;
        let asked = typed::challenges(answer.message()).into_iter();
        Some(asked.map(|c| c.realm).collect())
    };
    let (before, after) = (asked_by(earlier)?, asked_by(later)?);
    let (held, shown) = (realms(earlier), realms(later));
    let content = |realm: &&String| !before.contains(realm) && !shown.contains(realm);
    let first = held
        .iter()
        .filter(content)
        .find(|realm| after.contains(realm))?;
    let second = shown.iter().find(|realm| before.contains(realm))?;
    Some((first.clone(), second.clone()))
}
