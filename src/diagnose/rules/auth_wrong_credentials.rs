//! A1: credentials for a fresh nonce were refused.

use super::super::finding::{Evidence, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::typed::{self, Challenge, Credentials};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-wrong-credentials",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    rfc: &[(3261, "22.2"), (7616, "3.4")],
    title: "the credentials of {username} were refused",
    why: "{username} answered the nonce that {element} had just given out for realm {realm}, and was refused {tries} times without a word about a stale nonce: the password or the authentication user name is wrong for that realm",
    fix: "Set the authentication user name and the password of the account in the caller's configuration anew. The user name may differ from the extension; if the server stores password hashes, they must have been made for realm {realm}. Until then stop retrying: many servers block an address that keeps failing.",
    sentences: &[
        (
            "why-once",
            "{username} answered the nonce that {element} had just given out for realm {realm}, and was asked again with a new nonce that does not say stale: the password or the authentication user name is most likely wrong for that realm",
        ),
        (
            "why-403",
            "{username} answered the nonce that {element} had just given out for realm {realm}, and the answer was 403: either the password or the authentication user name is wrong, or the account is known and not allowed to do this",
        ),
        (
            "fix-403",
            "Check first the authentication user name and password of the account for realm {realm} in the caller's configuration. If other requests with the same credentials succeed, ask the operator of {element} what the account may not do (calling number, destination, address, number of calls).",
        ),
        ("asked", "a fresh nonce for realm {realm}"),
        ("answered", "the same nonce, answered by {username}"),
        ("refused", "and refused all the same"),
    ],
    check,
    ..Rule::PLAIN
};

struct Try<'a> {
    challenge: (usize, &'a Stored, Challenge),
    request: (usize, &'a Stored, Credentials),
    refusal: (usize, &'a Stored),
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    // Also where the capture ends before the challenge counts as unmet: the refusals are there.
    let last = call.finals.iter().rev().find(|f| {
        f.step.is_none()
            && call
                .messages
                .get(f.message)
                .is_some_and(|m| call.is_of_beginning(m))
    });
    if !last.is_some_and(|f| matches!(f.code, 401 | 403 | 407)) || call.answer().is_some() {
        return;
    }
    let tries = refused_tries(call);
    let Some(last) = tries.last() else { return };
    let code = last.refusal.1.head.code();
    let nonces = tries
        .iter()
        .filter(|t| matches!(t.refusal.1.head.code(), Some(401 | 407)))
        .count();
    let (confidence, why, fix) = match (code, nonces) {
        (_, 2..) => (Confidence::Certain, "why", "fix"),
        (Some(403), 0) => (Confidence::Likely, "why-403", "fix-403"),
        (Some(403), _) => (Confidence::Certain, "why", "fix"),
        _ => (Confidence::Likely, "why-once", "fix"),
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    let (challenge, credentials) = (&last.challenge.2, &last.request.2);
    let named = |args: Args| {
        args.text("realm", challenge.realm.clone())
            .text("username", credentials.username.clone())
    };
    finding.why(why).fix(fix).element(sender(last.refusal.1));
    finding.args(named(Args::new()).count("tries", tries.len()));
    for (index, stored, header, id) in [
        (
            last.challenge.0,
            last.challenge.1,
            challenge_header(challenge.proxy),
            "asked",
        ),
        (
            last.request.0,
            last.request.1,
            credentials_header(credentials.proxy),
            "answered",
        ),
    ] {
        let mut evidence = Evidence::header(
            index,
            stored,
            header,
            super::super::Template::new(id, named(Args::new())),
        );
        mark_nonce(&mut evidence, stored, &challenge.nonce);
        finding.proof(evidence);
    }
    finding.proof(Evidence::start_line(
        last.refusal.0,
        last.refusal.1,
        note("refused"),
    ));
}

fn challenge_header(proxy: bool) -> &'static str {
    if proxy {
        "Proxy-Authenticate"
    } else {
        "WWW-Authenticate"
    }
}

fn credentials_header(proxy: bool) -> &'static str {
    if proxy {
        "Proxy-Authorization"
    } else {
        "Authorization"
    }
}

// Every (challenge, request that answers its nonce, refusal of that request) of the request that
// began the call, on one hop.
fn refused_tries(call: &Call) -> Vec<Try<'_>> {
    let of_beginning = || call.originals().filter(|(_, m)| call.is_of_beginning(m));
    let mut tries = Vec::new();
    for (asked, response) in
        of_beginning().filter(|(_, m)| matches!(m.head.code(), Some(401 | 407)))
    {
        for challenge in typed::challenges(response.message()) {
            let answers = of_beginning().filter(|(index, m)| *index > asked && m.head.is_request());
            let answer = answers.filter_map(|(index, m)| {
                let same =
                    |c: &Credentials| c.nonce == challenge.nonce && c.realm == challenge.realm;
                Some((
                    index,
                    m,
                    typed::credentials(m.message()).into_iter().find(same)?,
                ))
            });
            let Some(request) = answer.into_iter().next() else {
                continue;
            };
            let refusal = of_beginning().find(|(_, m)| {
                m.keys.transaction == request.1.keys.transaction && refuses(m, &challenge)
            });
            tries.extend(refusal.map(|refusal| Try {
                challenge: (asked, response, challenge.clone()),
                request,
                refusal,
            }));
        }
    }
    tries
}

// 403, or a new challenge for the same realm that does not say stale. Another realm is another
// element that wants its own credentials. Some servers say stale in the phrase only.
fn refuses(m: &Stored, answered: &Challenge) -> bool {
    match m.head.code() {
        Some(403) => true,
        Some(401 | 407) if speaks_of_nonce(m) => false,
        Some(401 | 407) => {
            let again = typed::challenges(m.message());
            again
                .iter()
                .any(|c| c.realm == answered.realm && c.nonce != answered.nonce && !c.stale)
        }
        _ => false,
    }
}

fn speaks_of_nonce(m: &Stored) -> bool {
    let line = m.message().start_line().of(&m.raw).to_ascii_lowercase();
    [b"nonce".as_slice(), b"stale"]
        .iter()
        .any(|word| memchr::memmem::find(&line, word).is_some())
}

fn mark_nonce(evidence: &mut Evidence, stored: &Stored, nonce: &str) {
    if let Evidence::Excerpt { line, mark, .. } = evidence
        && let Some(at) = memchr::memmem::find(line.of(&stored.raw), nonce.as_bytes())
        && !nonce.is_empty()
    {
        *mark = crate::message::Span::new(at, at + nonce.len()).shifted(line.start as usize);
    }
}
