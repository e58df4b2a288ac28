//! A9: the request with credentials is not a legal repetition of the one that was challenged.

use super::super::digest::{self, Attempt, challenge_header};
use super::super::finding::{Evidence, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::{Method, typed};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-retry-malformed",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[400, 401, 403, 407, 481, 482, 500],
    rfc: &[(3261, "8.1.3.5"), (3261, "22.2"), (3261, "17.2.3")],
    title: "the {method} with credentials is no proper second try",
    why: "the caller answered the challenge with a new {method} that keeps the branch and the CSeq number of the first one; for {element} that is the first {method} once more, so it never looked at the credentials and answered {code} again",
    fix: "Have the software of the client mended: after a challenge the request is sent again with the same Call-ID, From and To, the next CSeq number, a new branch, and its Route headers and body.",
    sentences: &[
        (
            "why-cseq",
            "the caller answered the challenge with a new {method} that keeps the CSeq number {cseq}; {element} may take it for the first one on another way, and answered {code}",
        ),
        (
            "why-tag",
            "the caller answered the challenge with a new {method} that carries the To-tag of the challenge, as if that had made a dialog; {element} knows no such dialog and answered {code}",
        ),
        (
            "why-body",
            "the caller answered the challenge with a new {method} without the body of the first one, and {element} answered {code}",
        ),
        (
            "why-route",
            "the caller answered the challenge with a new {method} without the Route of the first one, and {element} answered {code}",
        ),
        (
            "why-elsewhere",
            "the caller answered this challenge in a request with another Call-ID; {element} waits in vain for the answer in this one, which is therefore no failed call of its own",
        ),
        ("challenged", "the challenge"),
        ("retry", "the answer to it"),
        ("to", "the To-tag comes from the challenge"),
        (
            "cseq",
            "the same number as in the request that was challenged",
        ),
        (
            "branch",
            "the same branch as in the request that was challenged",
        ),
        ("verdict", "the answer"),
    ],
    explains: &[
        "auth-wrong-credentials",
        "auth-no-credentials-sent",
        "481-tag-mismatch",
        "481-state-lost",
        "cseq-out-of-order-500",
        "merged-request-482",
        "reg-rejected",
    ],
    confirm: "the log of {element} for this request",
    check,
    ..Rule::PLAIN
};

/// What is wrong with a second try: sentence, header, note, how sure.
type Fault = (&'static str, &'static str, &'static str, Confidence);

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.outcome == Outcome::Succeeded
        || !call.finals.iter().any(|f| matches!(f.code, 401 | 407))
    {
        return;
    }
    let exchange = context.exchange(call);
    if exchange.attempts.is_empty() {
        return elsewhere(call, context, found);
    }
    let Some(last) = exchange.last_judged() else {
        return;
    };
    let Some((verdict_at, verdict)) = last
        .verdict
        .and_then(|at| Some((at, call.messages.get(at)?)))
    else {
        return;
    };
    let code = verdict.head.code().unwrap_or(0);
    if !(400..600).contains(&code) || call.answer().is_some() {
        return;
    }
    let asked = exchange.tries().find(|t| std::ptr::eq(t.attempt, last));
    let Some(asked) = asked.and_then(|t| t.asked) else {
        return;
    };
    let (Some(challenge), Some(retry)) = (
        call.messages.get(asked.message),
        call.messages.get(last.message),
    ) else {
        return;
    };
    let Some((why, header, note_id, confidence)) = fault(call, challenge, last, code) else {
        return;
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    finding.why(why).element(sender(verdict)).args(
        Args::new()
            .text("method", retry.message().method_name())
            .code("code", code)
            .count("cseq", retry.cseq() as usize),
    );
    let of_challenge = challenge_header(asked.challenge.proxy);
    finding.proof(Evidence::header(
        asked.message,
        challenge,
        of_challenge,
        note("challenged"),
    ));
    finding.proof(Evidence::header(last.message, retry, header, note(note_id)));
    finding.proof(Evidence::start_line(verdict_at, verdict, note("verdict")));
}

fn fault(call: &Call, challenge: &Stored, last: &Attempt, code: u16) -> Option<Fault> {
    let retry = call.messages.get(last.message)?;
    let first = call.messages.iter().find(|m| {
        m.head.is_request()
            && m.head.method == challenge.head.method
            && m.keys.transaction == challenge.keys.transaction
    })?;
    let challenged_again = matches!(code, 401 | 407);
    if retry.keys.transaction == first.keys.transaction {
        return Some(("why", "Via", "branch", Confidence::Certain));
    }
    if retry.head.cseq == first.head.cseq && retry.keys.call_id == first.keys.call_id {
        let told = matches!(code, 482 | 400 | 500);
        let confidence = if told {
            Confidence::Certain
        } else {
            Confidence::Likely
        };
        return Some(("why-cseq", "CSeq", "cseq", confidence));
    }
    let began = first.head.to_tag.is_empty() && call.method != Method::Register;
    if began && retry.keys.to_tag != 0 && retry.keys.to_tag == challenge.keys.to_tag {
        let confidence = if code == 481 {
            Confidence::Certain
        } else {
            Confidence::Likely
        };
        return Some(("why-tag", "To", "to", confidence));
    }
    if challenged_again {
        return None;
    }
    let body = |m: &Stored| !m.message().body().is_empty();
    if body(first) && !body(retry) {
        return Some(("why-body", "Content-Length", "retry", Confidence::Possible));
    }
    let routed = |m: &Stored| m.message().header("Route").is_some();
    (routed(first) && !routed(retry)).then_some(("why-route", "Via", "retry", Confidence::Possible))
}

// The same nonce was answered in another call: this one is only what is left of the first try.
fn elsewhere(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let decided = super::super::finding::deciding(call);
    let Some((index, response)) = decided.filter(|_| call.outcome == Outcome::Failed) else {
        return;
    };
    if !matches!(response.head.code(), Some(401 | 407)) {
        return;
    }
    let challenges = typed::challenges(response.message());
    if digest::answered_elsewhere(call, context, &challenges).is_none() {
        return;
    }
    let (severity, role) = (Severity::Warning, Role::Cause);
    let likely = Confidence::Likely;
    let Some(finding) = found.add_with(severity, role, likely, Acts::Caller) else {
        return;
    };
    finding.why("why-elsewhere").element(sender(response));
    let method = call.request().map(|m| m.message().method_name());
    finding.args(Args::new().text("method", method.unwrap_or_default()));
    let proxy = response.head.code() == Some(407);
    let header = challenge_header(proxy);
    finding.proof(Evidence::header(
        index,
        response,
        header,
        note("challenged"),
    ));
}
