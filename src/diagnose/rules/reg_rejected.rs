//! R1: the registrar refused the registration.

use super::super::address::is_private;
use super::super::digest::credentials_header;
use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Product, Rule, Severity};
use crate::message::Method;
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-rejected",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[
        403, 404, 405, 410, 480, 500, 501, 502, 503, 504, 603, 604, 606,
    ],
    rfc: &[(3261, "10.3")],
    title: "the registration of {aor} was refused with {code}",
    why: "{element} understood the REGISTER for {aor} and refused it: {phrase}",
    fix: "Look up {code} (sipexplain code {code}) and what {element} says beside it, and change the registration in the device accordingly; if that says nothing, ask the operator of {element}.",
    sentences: &[
        (
            "why-unasked",
            "{element} refused the REGISTER for {aor} with {code} without asking for a password first, so this is not about the password: the address, the domain or the device is not let in, or {element} takes no registrations for {aor}",
        ),
        (
            "fix-unasked",
            "Ask the operator of {element} which rule refuses it, by its log: whether the account is active, and whether the address {source} or this kind of device is blocked. Check as well that {aor} is the address of the account, domain included, and that the device sends to the right server.",
        ),
        (
            "why-unasked-auth",
            "{element} refused the REGISTER for {aor} with {code} without asking for a password first, and its words are about the credentials ({words}): it expects credentials, or does not let {aor} in without a password that fits",
        ),
        (
            "fix-unasked-auth",
            "Check name and password of the account {aor} in the device and at {element}, and the log of {element} for why it did not ask. A registrar asks with 401 and a challenge before it refuses with {code}: let its operator switch that on.",
        ),
        (
            "why-known",
            "{element} asked for a password, {username} answered, and the REGISTER for {aor} was refused with {code}; the same name was accepted for something else in this capture, so the password is right and the account may not do this",
        ),
        (
            "fix-known",
            "Compare {aor} in To with the account of {username}: many registrars let an account register only its own address. Otherwise ask the operator of {element} about limits of the account (number of devices, address, transport).",
        ),
        (
            "why-unknown",
            "{element} has no user {aor}: the name or the domain is wrong, the account was deleted, or {element} is not the registrar of this domain",
        ),
        (
            "fix-unknown",
            "Compare {aor} with the account at the registrar, letter for letter and domain included; the authentication user name can be another one. If it is right, check that the device sends to the registrar of this domain and not to a trunk or another server.",
        ),
        (
            "fix-unknown-outside",
            "Compare {aor} with the account at the registrar, letter for letter and domain included; the authentication user name can be another one. If it is right, check that the device sends to the registrar of this domain and not to a trunk or another server. If {source} is no device of yours, somebody tries names: block that address.",
        ),
        (
            "why-no-registrar",
            "{element} takes no REGISTER at all ({code}): it is no registrar, or not on this address and port",
        ),
        (
            "fix-no-registrar",
            "Set the address of the registrar in the device; {element} may be a proxy, a gateway or a trunk that works without registration. If it has to be the registrar, its operator must switch registration on for this address and port.",
        ),
        (
            "why-broken",
            "{element} could not carry out the REGISTER for {aor} and says so with {code} ({phrase}): the fault is there or behind it, not in the device",
        ),
        (
            "fix-broken",
            "Ask the operator of {element}; its log for this Call-ID names the fault (database, load, a server behind it that does not answer). Devices try again by themselves.",
        ),
        ("asked", "who was to be registered"),
        ("answered", "the credentials, of {username}"),
        ("answer", "the refusal"),
        ("said", "what it says beside the code"),
    ],
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk PJSIP a REGISTER needs an aor section with the name of the user in To, named in aors of the endpoint, and max_contacts above 0; otherwise it is refused with 404 or 403.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH the domain in To must have a directory, and a change to it needs reloadxml.",
        ),
    ],
    explains: &["generic-5xx-with-reason"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let failed = matches!(call.outcome, Outcome::Failed | Outcome::Refused);
    if call.method != Method::Register || !failed {
        return;
    }
    let Some((index, answer)) = deciding(call) else {
        return;
    };
    // Challenges, 423, timeouts and what is wrong with a message have rules of their own.
    let code = answer.head.code().unwrap_or(0);
    let refuses = matches!(code, 403..=405 | 410 | 480 | 500..=504 | 603..=606);
    if !refuses {
        return;
    }
    let exchange = context.exchange(call);
    let tried = exchange
        .last_judged()
        .and_then(|a| Some((a, a.credentials.first()?)));
    let known = tried.and_then(|(_, own)| {
        let accepted = context.view.nonces.accepted(&own.username, &own.realm);
        accepted.map(|accepted| accepted.spot)
    });
    let words = words_on_credentials(answer);
    let (confidence, why, fix, acts) = match code {
        403 if tried.is_none() && words.is_some() => (
            Confidence::Likely,
            "why-unasked-auth",
            "fix-unasked-auth",
            Acts::Caller,
        ),
        403 if tried.is_none() => (
            Confidence::Likely,
            "why-unasked",
            "fix-unasked",
            Acts::Registrar,
        ),
        403 if known.is_some() => (Confidence::Likely, "why-known", "fix-known", Acts::Caller),
        404 | 604 => (
            Confidence::Certain,
            "why-unknown",
            "fix-unknown",
            Acts::Caller,
        ),
        405 | 501 => (
            Confidence::Certain,
            "why-no-registrar",
            "fix-no-registrar",
            Acts::Caller,
        ),
        500.. => (
            Confidence::Likely,
            "why-broken",
            "fix-broken",
            Acts::Registrar,
        ),
        _ => (Confidence::Likely, "why", "fix", Acts::Caller),
    };
    let request = call.request();
    // From the Internet it may be anybody.
    let from = request.and_then(|m| m.stamp.source);
    let fix = match fix {
        "fix-unknown" if from.is_some_and(|from| !is_private(from.ip())) => "fix-unknown-outside",
        fix => fix,
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    let source = request.map(sender).unwrap_or_default();
    let phrase = answer
        .message()
        .reason()
        .map(|span| answer.message().slice(span));
    finding.why(why).fix(fix).element(sender(answer)).args(
        Args::new()
            .code("code", code)
            .text("aor", call.to().unwrap_or_default())
            .text("phrase", phrase.unwrap_or_default())
            .text("words", words.unwrap_or_default())
            .text("source", source),
    );
    let position = |m| {
        call.messages
            .iter()
            .position(|other| std::ptr::eq(other, m))
    };
    if let Some((at, request)) = request.and_then(|m| Some((position(m)?, m))) {
        finding.proof(Evidence::header(at, request, "To", note("asked")));
    }
    if let Some((attempt, own)) = tried
        && let Some(request) = call.messages.get(attempt.message)
    {
        let named = Args::new().text("username", own.username.clone());
        finding.args(named.clone());
        let header = credentials_header(own.proxy);
        let note = Template::new("answered", named);
        finding.proof(Evidence::header(attempt.message, request, header, note));
    }
    finding.proof(Evidence::start_line(index, answer, note("answer")));
    let told = ["Warning", "Reason"];
    let told = told
        .into_iter()
        .find(|name| answer.message().header(name).is_some());
    if let Some(name) = told {
        finding.proof(Evidence::header(index, answer, name, note("said")));
    }
    if why == "why-known" {
        finding.elsewhere(known, "elsewhere-accepted");
    }
}

// What the answer says about credentials, in its phrase or beside it; "not authorized" is about rights.
fn words_on_credentials(answer: &Stored) -> Option<String> {
    const WORDS: [&str; 5] = [
        "bad auth",
        "authentication",
        "password",
        "credential",
        "secret",
    ];
    let message = answer.message();
    let phrase = message.reason().map(|span| message.slice(span));
    let beside = ["Warning", "Reason"].into_iter();
    let mut all = phrase
        .into_iter()
        .chain(beside.filter_map(|name| message.text(name)));
    all.find(|text| {
        let text = text.to_ascii_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    })
    .map(|text| text.chars().take(120).collect())
}
