//! B5: a text message was not delivered.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::size;
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::Method;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "message-failed",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3428, "7"), (3428, "8")],
    title: "the text message was not delivered",
    why: "{element} answered the MESSAGE with {code}: the text did not reach anybody",
    fix: "Ask whoever runs {element} why it answers {code} to text messages; send the text again once that is changed.",
    sentences: &[
        (
            "why-nobody",
            "{element} answered the MESSAGE with {code}: it knows no such user as {to}",
        ),
        (
            "why-away",
            "{element} answered the MESSAGE with 480: nobody is registered for {to} now, or no device of {to} takes texts, and the text was not stored either",
        ),
        (
            "fix-away",
            "Check whether a phone that takes text messages is registered for {to}; a server that stores messages until then answers 202.",
        ),
        (
            "fix-nobody",
            "Compare the address {to} with those that {element} knows, letter for letter and with its domain, and correct it where the text is sent from.",
        ),
        (
            "why-method",
            "{element} answered the MESSAGE with {code}: it takes no text messages over SIP",
        ),
        (
            "fix-method",
            "Switch text messages on at {element}, or send them another way; many trunks and phones take none.",
        ),
        (
            "why-type",
            "{element} answered the MESSAGE with 415: it does not take a text of the type {type}",
        ),
        (
            "fix-type",
            "Send the text as text/plain, or as one of the types in the Accept header of the answer.",
        ),
        (
            "why-size",
            "{element} answered the MESSAGE with {code}: the message is too large ({size} bytes). Largest parts: {parts}",
        ),
        (
            "why-small",
            "{element} answered the MESSAGE with {code}, which means that it is too large, though the whole message has no more than {size} bytes, {text} of them text: the limit there is lower than usual",
        ),
        (
            "fix-small",
            "Ask whoever runs {element} for its limit of bodies and messages, and have it raised: there is nothing in this message that could be left out.",
        ),
        (
            "fix-headers",
            "Make what is largest in the message smaller, which is not the text: leave out headers that nobody reads. Outside a session a MESSAGE is to stay below 1300 bytes.",
        ),
        (
            "fix-size",
            "Send a shorter text, or in parts; outside a session a MESSAGE is to stay below 1300 bytes.",
        ),
        ("sent", "the message"),
        ("type", "its type"),
        ("answer", "not delivered"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some((index, response, decides)) = refused(call) else {
        return;
    };
    let Some((at, request)) = call.asked(response) else {
        return;
    };
    let (code, message) = (response.head.code().unwrap_or(0), request.message());
    let (why, fix) = match code {
        404 | 410 | 604 => ("why-nobody", "fix-nobody"),
        480 => ("why-away", "fix-away"),
        405 | 489 | 501 => ("why-method", "fix-method"),
        415 => ("why-type", "fix-type"),
        413 if request.raw.len() < size::UDP_LIMIT => ("why-small", "fix-small"),
        413 if message.body().len() * 2 < request.raw.len() => ("why-size", "fix-headers"),
        413 => ("why-size", "fix-size"),
        _ => ("why", "fix"),
    };
    let acts = match fix {
        "fix-type" | "fix-size" | "fix-headers" | "fix-nobody" => Acts::Caller,
        _ => Acts::Callee,
    };
    let sure = match why {
        "why-away" => Confidence::Likely,
        _ => Confidence::Certain,
    };
    let role = if decides {
        Role::Cause
    } else {
        Role::Contributing
    };
    let Some(finding) = found.add_as(role, sure, acts) else {
        return;
    };
    finding.element(sender(response)).why(why).fix(fix).args(
        Args::new()
            .code("code", code)
            .count("size", request.raw.len())
            .count("text", message.body().len())
            .text("parts", size::largest_parts(request))
            .text("to", call.to().unwrap_or_default())
            .text("type", message.text("Content-Type").unwrap_or_default()),
    );
    finding.proof(Evidence::start_line(at, request, note("sent")));
    if why == "why-type" && message.header("Content-Type").is_some() {
        finding.proof(Evidence::header(at, request, "Content-Type", note("type")));
    }
    finding.proof(Evidence::start_line(index, response, note("answer")));
}

// The refusal of a MESSAGE: of its own, or inside a call. A challenge is none; time-outs and sizes
// have rules of their own.
fn refused(call: &Call) -> Option<(usize, &Stored, bool)> {
    if call.method == Method::Message {
        let (index, response) = deciding(call)?;
        let failed = response.head.code().is_some_and(|code| {
            (300..700).contains(&code) && !matches!(code, 401 | 407 | 408 | 513)
        });
        return failed.then_some((index, response, true));
    }
    if call.method != Method::Invite {
        return None;
    }
    call.finals.iter().find_map(|f| {
        let response = call.messages.get(f.message)?;
        let refused = response.head.method == Method::Message
            && f.step.is_none()
            && (300..700).contains(&f.code)
            && !matches!(f.code, 401 | 407);
        refused.then_some((f.message, response, false))
    })
}
