//! A1: credentials for a fresh nonce were refused.

use super::super::digest::{self, Try, show_challenge, show_credentials};
use super::super::finding::{Evidence, Template, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Product, Rule, Severity};
use crate::message::Method;
use crate::session::Call;
use crate::session::clock::SECOND;

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-wrong-credentials",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[401, 403, 407],
    rfc: &[(3261, "22.2"), (7616, "3.4")],
    title: "the credentials of {username} were refused",
    why: "{username} answered the nonce that {element} had just given out for realm {realm}, and was refused {tries} times without a word about a stale nonce: the password or the authentication user name is wrong for that realm",
    fix: "Set the authentication user name and the password of the account in the configuration of the client anew. The user name may differ from the extension, and many servers answer an unknown name like a wrong password; if the server stores password hashes, they must have been made for realm {realm}. Until then stop retrying: many servers block an address that keeps failing.",
    sentences: &[
        (
            "why-once",
            "{username} answered the nonce that {element} had just given out for realm {realm}, and was asked again without a word about a stale nonce: the password or the authentication user name is most likely wrong for that realm",
        ),
        (
            "why-403",
            "{username} answered the nonce that {element} had just given out for realm {realm}, and the answer was 403: either the password or the authentication user name is wrong, or the account is known and not allowed to do this",
        ),
        (
            "why-both",
            "{username} answered the nonce that {element} had just given out for realm {realm}, and the answer was 403, as it was to {other} with the same name before: it is rarely both that are not allowed, so the password or the authentication user name is wrong",
        ),
        (
            "fix-403",
            "Check first the authentication user name and password of the account for realm {realm} in the configuration of the client. If other requests with the same credentials succeed, ask the operator of {element} what the account may not do (calling number, destination, address, number of calls).",
        ),
        (
            "why-said",
            "{username} answered the nonce that {element} had just given out for realm {realm}, and the answer says that this was wrong: {phrase}",
        ),
        (
            "why-said-late",
            "{username} answered the nonce of {element} for realm {realm} only {age} after it was given out, and the answer says: {phrase}. Either the password or the authentication user name is wrong, or the nonce had run out meanwhile, which some servers refuse in the same words",
        ),
        (
            "fix-said-late",
            "Find out why the calling side takes {age} to answer a challenge (a prompt for the password, a wait for DNS or STUN), and have it answer at once. If a prompt answer is refused as well, set the authentication user name and the password of the account for realm {realm} anew.",
        ),
        (
            "why-said-slow",
            "{username} answered the nonce of {element} for realm {realm} {age} after it was given out, and the answer says: {phrase}. Most likely the password or the authentication user name is wrong; the nonce may also have run out meanwhile, which some servers refuse in the same words",
        ),
        (
            "fix-said-slow",
            "Set the authentication user name and the password of the account for realm {realm} anew. If that is refused as well, find out why the calling side takes {age} to answer a challenge (a prompt for the password, a wait for DNS or STUN), and have it answer at once.",
        ),
        (
            "why-said-old",
            "{username} answered the nonce of {element} for realm {realm} only {age} after it was given out, and the answer says: {phrase}. But credentials of the same name were accepted {ago} before, and none with a nonce older than {oldest}: most likely the nonce had run out, which some servers refuse in the same words",
        ),
        (
            "fix-said-old",
            "Find out why the calling side takes {age} to answer a challenge (a prompt for the password, a wait for DNS or STUN), and have it answer at once. If a prompt answer is refused as well, compare the request with one that was accepted (domain, dialled number), and ask whether the password was changed since.",
        ),
        (
            "why-said-known",
            "{username} answered the nonce of {element} for realm {realm}, and the answer says: {phrase}. But credentials of the same name were accepted {ago} before, with a nonce as old or older: the password was changed on one side only, two devices use the account with different passwords, or something else in this request is refused in these words",
        ),
        (
            "fix-said-known",
            "Compare the request with one that was accepted (domain, dialled number), and the password in every device that uses the name {username} with the one at {element}.",
        ),
        (
            "why-before",
            "{username} answered the nonce that {element} had just given out for realm {realm}, and was refused {tries} times, although credentials of the same name were accepted {ago} before in this capture: the password was changed on one side only, or two devices use the account with different passwords",
        ),
        (
            "fix-before",
            "Compare the password in every device that uses the name {username} with the one at {element}, and set it anew where it differs. If the server was restored or moved shortly before, check that it has the same accounts.",
        ),
        ("asked", "a fresh nonce for realm {realm}"),
        ("asked-before", "a nonce for realm {realm}"),
        ("answered", "the same nonce, answered by {username}"),
        ("refused", "and refused all the same"),
    ],
    explains: &["reg-rejected"],
    confirm: "another request with the same name and password that {element} accepts, or refuses with 401 or 407",
    settings: &[
        (
            Product::AsteriskSip,
            "Asterisk before version 12 has its accounts in sip.conf: the name in brackets and `secret` or `md5secret` of the peer, and `realm` in [general].",
        ),
        (
            Product::Asterisk,
            "On Asterisk the account is the auth section that the endpoint names: its username and password, and its realm if it has one.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH the account is the user entry in the directory: the param password, and the domain in which it stands.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// A nonce answered later than this may have run out meanwhile, nanoseconds.
const FRESH: i64 = 30 * SECOND;
/// Some servers let a nonce run out as soon as this, nanoseconds.
const PROMPT: i64 = 10 * SECOND;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((refused_at, refusal)) = digest::open_refusal(call, &[]) else {
        return;
    };
    let exchange = context.exchange(call);
    let is_403 = refusal.head.code() == Some(403);
    let said = is_403 && digest::speaks_of_credentials(refusal);
    // Words about the password count whenever they come.
    let of_refused = |t: &Try<'_>| (said || !is_late(call, t)) && is_refused(call, t);
    let tries: Vec<Try<'_>> = exchange.tries().filter(of_refused).collect();
    let Some(last) = tries.last() else { return };
    let credentials = last.credentials;
    let accepted = context
        .view
        .nonces
        .accepted(&credentials.username, &credentials.realm);
    // Two kinds of request are rarely forbidden both; what they have in common are the credentials.
    let before = context
        .view
        .nonces
        .refused(&credentials.username, &credentials.realm);
    let elsewhere = before.filter(|before| before.method != call.method);
    let mut nonces: Vec<&str> = tries.iter().map(|t| t.credentials.nonce.as_str()).collect();
    nonces.dedup();
    let waited = last.waited(call).filter(|waited| *waited > PROMPT);
    let taken = context.view.nonces.oldest_taken(&credentials.realm);
    let oldest = taken.map(|(age, _)| age);
    let (confidence, why, fix) = match (is_403, accepted.is_some()) {
        (true, true) if said && waited.is_some() && oldest >= waited => {
            (Confidence::Likely, "why-said-known", "fix-said-known")
        }
        (true, true) if said && waited.is_some() && oldest.is_some() => {
            (Confidence::Likely, "why-said-old", "fix-said-old")
        }
        // The nonce is not what is wrong.
        (true, false) if said && waited.is_some() && oldest >= waited => {
            (Confidence::Likely, "why-said", "fix")
        }
        (true, _) if said && waited > Some(FRESH) => {
            (Confidence::Likely, "why-said-late", "fix-said-late")
        }
        (true, _) if said && waited.is_some() => {
            (Confidence::Likely, "why-said-slow", "fix-said-slow")
        }
        (true, _) if said => (Confidence::Certain, "why-said", "fix"),
        // The name is known and the password right: what is refused is the request.
        (true, true) => return,
        (true, false) if nonces.len() >= 2 => (Confidence::Certain, "why", "fix"),
        (true, false) if call.method == Method::Register => {
            (Confidence::Likely, "why-403", "fix-403")
        }
        (true, false) if elsewhere.is_some() => (Confidence::Likely, "why-both", "fix"),
        (true, false) => (Confidence::Possible, "why-403", "fix-403"),
        (false, true) => (Confidence::Likely, "why-before", "fix-before"),
        (false, false) if nonces.len() >= 2 => (Confidence::Certain, "why", "fix"),
        (false, false) => (Confidence::Likely, "why-once", "fix"),
    };
    // The credentials are also made in a way that may be refused whatever the password.
    let confidence = match found.has("auth-digest-params") && !said {
        true => confidence.max(Confidence::Likely),
        false => confidence,
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    let named = |args: Args| {
        args.text("realm", credentials.realm.clone())
            .text("username", credentials.username.clone())
    };
    finding.why(why).fix(fix).element(sender(refusal));
    finding.args(named(Args::new()).count("tries", nonces.len()));
    if said {
        let age = last.waited(call).unwrap_or(0);
        let phrase = Args::new().text("phrase", digest::phrase(refusal));
        let phrase = phrase.duration("oldest", oldest.unwrap_or(0));
        finding.args(phrase.duration("age", age));
    }
    if let Some(before) = elsewhere {
        finding.args(Args::new().text("other", before.method.to_string()));
    }
    if let Some((accepted, now)) = accepted.zip(refusal.time()) {
        finding.args(Args::new().duration("ago", now - accepted.at));
    }
    let with_names = |id| Template::new(id, named(Args::new()));
    let given = match is_late(call, last) {
        true => "asked-before",
        false => "asked",
    };
    let asked = last
        .asked
        .and_then(|asked| show_challenge(call, asked, "nonce", with_names(given)));
    let (message, note_id) = (last.attempt.message, with_names("answered"));
    let answered = show_credentials(call, message, credentials, "nonce", note_id);
    for evidence in asked.into_iter().chain(answered) {
        finding.proof(evidence);
    }
    finding.proof(Evidence::start_line(refused_at, refusal, note("refused")));
    match why {
        "why-before" | "why-said-old" | "why-said-known" => {
            finding.elsewhere(accepted.map(|of| of.spot), "elsewhere-accepted")
        }
        "why-said" if waited.is_some() => {
            finding.elsewhere(taken.map(|(_, spot)| spot), "elsewhere-older")
        }
        "why-both" => finding.elsewhere(elsewhere.map(|of| of.spot), "elsewhere-refused"),
        _ => finding,
    };
}

fn is_late(call: &Call, of: &Try<'_>) -> bool {
    of.waited(call).is_some_and(|waited| waited > FRESH)
}

// Answered, and then 403 or a new challenge for the same realm that does not say stale.
// Another realm is another element that wants its own credentials. Some servers say stale in the
// phrase only.
fn is_refused(call: &Call, of: &Try<'_>) -> bool {
    if of
        .asked
        .is_none_or(|asked| asked.challenge.realm != of.credentials.realm)
    {
        return false;
    }
    let Some(verdict) = of.verdict(call) else {
        return false;
    };
    match verdict.head.code() {
        Some(403) => true,
        _ if digest::speaks_of_nonce(verdict) => false,
        _ => of.asked_again(call).is_some_and(|again| !again.stale),
    }
}
