//! A4: a nonce had run out, and client or server does not handle it well.

use super::super::digest::{self, Exchange, Try, show_challenge, show_credentials};
use super::super::finding::{Evidence, Template, note, receiver, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Product, Role, Rule, Severity,
};
use crate::message::typed;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-stale-nonce",
    severity: Severity::Warning,
    frequency: Frequency::High,
    needs: &[],
    codes: &[401, 403, 407],
    rfc: &[(7616, "3.3"), (3261, "22.4")],
    title: "the nonce had run out, and that was not handled well",
    why: "{username} used a nonce that {element} no longer takes; {element} said stale=true and gave a new one, which means that the password may be right, but {caller} did not try again with it",
    fix: "Have the client updated or replaced: after stale=true it must repeat the request with the new nonce, without asking for the password. As a stopgap let the nonces of {element} live longer than the time between two requests.",
    sentences: &[
        (
            "why-not-said",
            "{username} used an old nonce, {element} refused it with a new one and without stale=true, which says that the password is wrong, and {caller} believed it; credentials of the same name were accepted {ago} before, so most likely only the nonce had run out",
        ),
        (
            "why-phrase",
            "{username} answered the nonce of {element}, and {element} refused it as run out ({phrase}), but with stale=false or without stale, which tells a client that the password is wrong; {caller} did not try again with the new nonce",
        ),
        (
            "why-slow",
            "{caller} took {age} to answer the challenge of {element}, which refused that as run out ({phrase}); nothing in this capture shows up to then how old a nonce may become there. stale=false, or no stale, tells a client that the password is wrong; {caller} did not try again with the new nonce",
        ),
        (
            "why-slow-older",
            "{caller} took {age} to answer the challenge of {element}, which refused that as run out ({phrase}); up to then no nonce of the same realm that was older than {taken} was accepted in this capture. stale=false, or no stale, tells a client that the password is wrong; {caller} did not try again with the new nonce",
        ),
        (
            "why-uneven",
            "{caller} took {age} to answer the challenge of {element}, which refused that as run out ({phrase}), though in this capture a nonce of the same realm was accepted {taken} after it was given out: its age alone does not explain it; several servers may share the address {element}, or nonces change by the clock. stale=false, or no stale, tells a client that the password is wrong; {caller} did not try again with the new nonce",
        ),
        (
            "fix-slow",
            "Find out why {caller} takes {age} to answer a challenge (a prompt for the password, a wait for DNS or STUN), and have it answer at once. At {element} let a nonce live longer than that, say stale=true where it has run out and the rest is right, and give servers that share the address one secret for nonces.",
        ),
        (
            "why-unknown",
            "{username} used a nonce that {element} had not given out in this call, {element} refused it with a new one and without stale=true, and {caller} did not try again: either the nonce had run out or the password is wrong",
        ),
        (
            "fix-unknown",
            "Find out which of the two it is: set user name and password of {username} in {caller} anew, and see whether it is let in once it begins without an old nonce. If it is, the nonce had run out: let {element} say stale=true for that, and let its nonces live longer than the time between two registrations.",
        ),
        (
            "fix-not-said",
            "Let {element} say stale=true where a nonce has run out and the rest is right. Until then let its nonces live longer than the time between two registrations, or let the client forget the nonce and begin each request without credentials.",
        ),
        (
            "why-recovered",
            "{username} used an old nonce, and {element} refused it with a new one and without stale=true, which says that the password is wrong; {caller} tried again all the same and was accepted, other clients give up here",
        ),
        (
            "fix-recovered",
            "Let {element} say stale=true where a nonce has run out and the rest is right; nothing is broken as long as every client tries again.",
        ),
        (
            "why-loop",
            "{element} calls one nonce after the other stale, {rounds} times, though it had just given them out: they live too short, or the requests reach several servers that do not know each other's nonces",
        ),
        (
            "fix-loop",
            "Let nonces live for minutes at {element}. If several servers share the address {element}, give them one secret for nonces or send all requests of a client to the same one; check that their clocks agree.",
        ),
        ("old", "an old nonce"),
        ("aged", "a nonce given out {age} before"),
        (
            "stale",
            "a new nonce, and stale=true: the password may be right",
        ),
        ("not-said", "a new nonce, without stale=true"),
        ("retried", "the new nonce, answered"),
        ("fresh", "given out by {server}"),
        ("refused", "the answer to it: stale"),
    ],
    explains: &["auth-wrong-credentials", "auth-no-credentials-sent"],
    confirm: "the log of {element} for this request, or an earlier request with the same name and password that it accepts",
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk PJSIP the time is nonce_lifetime of the auth section, in seconds.",
        ),
        (
            Product::Kamailio,
            "On Kamailio the time is nonce_expire of the module auth; servers of one cluster need the same secret there, and auth_challenge() says stale only with flag 16.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS the time is nonce_expire of the module auth; servers of one cluster need the same secret there.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH the time is the profile parameter nonce-ttl, in seconds.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// A client that answers a challenge later than this is to blame for the age of the nonce, nanoseconds.
const SLOW: i64 = 5 * SECOND;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if !refreshed(call) {
        return;
    }
    let exchange = context.exchange(call);
    if nonces_die_young(call, exchange, found) || call.outcome == Outcome::Cancelled {
        return;
    }
    if call.outcome == Outcome::Succeeded {
        recovered(call, exchange, context, found);
    } else {
        given_up(call, exchange, context, found);
    }
}

// Was a request with credentials challenged? A cheap look, made on every call.
fn refreshed(call: &Call) -> bool {
    let mut challenged = call.finals.iter().filter(|f| matches!(f.code, 401 | 407));
    challenged.any(|f| {
        let Some(answer) = call.messages.get(f.message) else {
            return false;
        };
        let of_it = |m: &Stored| m.keys.transaction == answer.keys.transaction;
        let mut requests = call.messages.iter().take(f.message).rev();
        call.is_of_beginning(answer)
            && requests.any(|m| of_it(m) && !m.head.credentials.is_empty() && m.head.is_request())
    })
}

/// Fresh nonces called stale that are no accident.
const ROUNDS: usize = 2;

fn nonces_die_young(call: &Call, exchange: &Exchange, found: &mut Findings) -> bool {
    let stale = |t: &Try<'_>| {
        let said = t.verdict(call).is_some_and(digest::speaks_of_nonce);
        t.asked_again(call).is_some_and(|again| again.stale || said)
    };
    let young: Vec<Try<'_>> = exchange
        .tries()
        .filter(|t| t.asked.is_some() && stale(t))
        .collect();
    let (Some(last), true) = (young.last(), young.len() >= ROUNDS) else {
        return false;
    };
    let Some(verdict) = last.verdict(call) else {
        return false;
    };
    let ended = call.outcome.is_failure() || call.outcome == Outcome::Unfinished;
    let (severity, role) = match ended {
        true => (Severity::Error, Role::Cause),
        false => (Severity::Warning, Role::Contributing),
    };
    let acts = digest::server(call, verdict);
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) else {
        return true;
    };
    finding
        .why("why-loop")
        .fix("fix-loop")
        .element(sender(verdict));
    finding.args(names(last, verdict).count("rounds", young.len()));
    for of in young.iter().rev().take(3).rev() {
        let Some(asked) = of.asked else { continue };
        let server = call.messages.get(asked.message).map(sender);
        let by = Args::new().text("server", server.unwrap_or_default());
        let shown = [
            show_challenge(call, asked, "nonce", Template::new("fresh", by)),
            verdict_of(call, of, "refused"),
        ];
        finding.proofs(shown);
    }
    true
}

// An old nonce, refused without a word about it, and the same name accepted with the new one.
fn recovered(call: &Call, exchange: &Exchange, context: &Context<'_>, found: &mut Findings) {
    let Some(old) = exchange.tries().find(|t| is_old(call, t)) else {
        return;
    };
    let Some(again) = old.asked_again(call).filter(|again| !again.stale) else {
        return;
    };
    let name = &old.credentials.username;
    let Some(retry) = exchange.tries().find(|t| {
        let accepted = t.verdict(call).and_then(|m| m.head.code());
        t.credentials.nonce == again.nonce
            && t.credentials.username == *name
            && accepted.is_none_or(|code| !matches!(code, 401 | 407))
    }) else {
        return;
    };
    let Some(verdict) = old.verdict(call) else {
        return;
    };
    let acts = digest::server(call, verdict);
    let (severity, role) = (Severity::Info, Role::Contributing);
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) else {
        return;
    };
    finding
        .why("why-recovered")
        .fix("fix-recovered")
        .element(sender(verdict));
    finding.args(names(&old, verdict));
    let (message, credentials) = (retry.attempt.message, retry.credentials);
    let shown = [
        old_nonce(call, &old, context),
        verdict_of(call, &old, "not-said"),
        show_credentials(call, message, credentials, "nonce", note("retried")),
    ];
    finding.proofs(shown);
}

// The last request with credentials was challenged anew, and nothing followed.
fn given_up(call: &Call, exchange: &Exchange, context: &Context<'_>, found: &mut Findings) {
    let refused = digest::open_refusal(call, &[]).filter(|_| call.outcome == Outcome::Failed);
    let last = exchange.last_judged();
    let (Some((_, refusal)), Some(last)) = (refused, last) else {
        return;
    };
    let Some(old) = exchange.tries().find(|t| std::ptr::eq(t.attempt, last)) else {
        return;
    };
    let Some(again) = old
        .asked_again(call)
        .filter(|a| a.nonce != old.credentials.nonce)
    else {
        return;
    };
    let credentials = old.credentials;
    let accepted = context
        .view
        .nonces
        .accepted(&credentials.username, &credentials.realm);
    let phrase = digest::speaks_of_nonce(refusal);
    let waited = old.waited(call);
    let server = digest::server(call, refusal);
    let taken = context.view.nonces.oldest_taken(&credentials.realm);
    let age_taken = taken.map(|(age, _)| age);
    let as_old = waited.is_some_and(|waited| age_taken.is_some_and(|age| is_as_old(age, waited)));
    let slow = waited > Some(SLOW);
    let (confidence, why, fix, acts) = match (again.stale, is_old(call, &old), accepted) {
        // What was judged before changes what is known, not who acts.
        (false, ..) if phrase && slow => {
            let why = match age_taken {
                Some(_) if as_old => "why-uneven",
                Some(_) => "why-slow-older",
                None => "why-slow",
            };
            (Confidence::Likely, why, "fix-slow", Acts::Caller)
        }
        (false, ..) if phrase && as_old => (Confidence::Likely, "why-uneven", "fix-loop", server),
        (false, ..) if phrase && waited.is_some() => {
            (Confidence::Likely, "why-phrase", "fix-loop", server)
        }
        (false, ..) if phrase => (Confidence::Likely, "why-phrase", "fix-not-said", server),
        (true, _, _) if received(call, refusal) => {
            (Confidence::Certain, "why", "fix", Acts::Caller)
        }
        (true, ..) => (Confidence::Possible, "why", "fix", Acts::Caller),
        (false, true, Some(_)) => (Confidence::Likely, "why-not-said", "fix-not-said", server),
        (false, true, None) => (
            Confidence::Possible,
            "why-unknown",
            "fix-unknown",
            Acts::Caller,
        ),
        (false, false, _) => return,
    };
    let role = (Severity::Error, Role::Cause);
    let Some(finding) = found.add_with(role.0, role.1, confidence, acts) else {
        return;
    };
    finding.why(why).fix(fix).element(sender(refusal));
    finding.args(names(&old, refusal));
    if let Some((accepted, now)) = accepted.zip(refusal.time()) {
        finding.args(Args::new().duration("ago", now - accepted.at));
    }
    if phrase {
        let phrase = Args::new().text("phrase", digest::phrase(refusal));
        let phrase = phrase.duration("taken", age_taken.unwrap_or(0));
        finding.args(phrase.duration("age", waited.unwrap_or(0)));
    }
    let said = if again.stale { "stale" } else { "not-said" };
    let shown = [old_nonce(call, &old, context), verdict_of(call, &old, said)];
    finding.proofs(shown);
    let minted = context
        .view
        .nonces
        .of(&credentials.nonce)
        .and_then(|of| of.minted);
    let minted = minted.map(|of| of.spot).filter(|spot| !spot.is_in(call));
    finding.elsewhere(minted, "elsewhere-nonce");
    if why == "why-uneven" {
        finding.elsewhere(taken.map(|(_, spot)| spot), "elsewhere-older");
    }
    if why == "why-not-said" {
        finding.elsewhere(accepted.map(|of| of.spot), "elsewhere-accepted");
    }
}

// Was a nonce accepted that was as old, but for a twentieth of its age?
fn is_as_old(taken: i64, waited: i64) -> bool {
    taken.saturating_add(taken / 20) >= waited
}

// The nonce is of an earlier call, or from before the capture.
fn is_old(call: &Call, of: &Try<'_>) -> bool {
    let message = call.messages.get(of.attempt.message);
    of.asked.is_none()
        && message.is_some_and(|m| !m.head.flaws.has(crate::message::Flaw::CutByCapture))
}

// A request that is sent again did not get its answer.
fn received(call: &Call, answer: &Stored) -> bool {
    let mut own = call
        .messages
        .iter()
        .filter(|m| m.keys.transaction == answer.keys.transaction && m.head.is_request());
    own.all(|m| m.time() <= answer.time() || m.head.method == crate::message::Method::Ack)
}

fn names(of: &Try<'_>, verdict: &Stored) -> Args {
    Args::new()
        .text("username", of.credentials.username.clone())
        .text("caller", receiver(verdict))
}

fn old_nonce(call: &Call, of: &Try<'_>, context: &Context<'_>) -> Option<Evidence> {
    let request = call.messages.get(of.attempt.message)?;
    let note = match digest::age(context, &of.credentials.nonce, request) {
        Some(age) => Template::new("aged", Args::new().duration("age", age)),
        None => note("old"),
    };
    show_credentials(call, of.attempt.message, of.credentials, "nonce", note)
}

// The new challenge with which a try was refused.
fn verdict_of(call: &Call, of: &Try<'_>, id: &'static str) -> Option<Evidence> {
    let (message, verdict) = (of.attempt.verdict?, of.verdict(call)?);
    let realm = &of.credentials.realm;
    let again = typed::challenges(verdict.message()).into_iter();
    let challenge = again.into_iter().find(|c| c.realm == *realm)?;
    let param = if challenge.stale { "stale" } else { "nonce" };
    let asked = digest::Asked { message, challenge };
    show_challenge(call, &asked, param, note(id))
}
