//! Q3: a server failed, and says more than its code.

use super::super::finding::{Evidence, Template, Value, deciding, note, sender};
use super::super::{Acts, Args, Causes, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::knowledge::{self, phrases::Kind};
use crate::message::{lossy, typed};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "generic-5xx-with-reason",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[500, 502, 503, 504, 505, 555],
    causes: &[
        ("Q.850", Causes::Except(&VAGUE)),
        ("warning", Causes::Except(&[])),
    ],
    rfc: &[(3261, "21.5"), (3326, "2"), (3261, "20.43")],
    title: "{element} failed and says why",
    why: "{element} answered {code}, which only says that a server failed, and gives as reason: \"{said}\"",
    fix: "Give the operator of {element} this text, the Call-ID and the second: its log tells the rest. Another server or route may take the call meanwhile.",
    sentences: &[
        (
            "why-told",
            "{element} answered {code} and says \"{said}\", which means: {means}",
        ),
        (
            "fix-limit",
            "Start fewer calls in a second, or fewer at once, or have the limit raised by the operator of {element}.",
        ),
        (
            "fix-route",
            "Send the call by another route; ask the operator of {element} why there is none to this destination.",
        ),
        (
            "fix-account",
            "Look at the account in the portal of the provider.",
        ),
        (
            "why-cause",
            "{element} answered {code} with Q.850 cause {cause} ({name}{hint}): that comes from the network behind it",
        ),
        ("answer", "the final answer"),
        ("said", "what it says about it"),
    ],
    check,
    ..Rule::PLAIN
};

/// Phrases that say no more than the code; the others are those of the registry.
const EMPTY: [&str; 9] = [
    "",
    "internal server error",
    "server internal error",
    "internal error",
    "server error",
    "server timeout",
    "server time-out",
    "gateway timeout",
    "service unavailable",
];
/// Q.850 causes that say no more than "something went wrong", or that have a rule of their own.
const VAGUE: [u32; 9] = [0, 16, 31, 34, 38, 41, 42, 44, 47];
/// Headers beside Reason and Warning in which products give a cause.
const FURTHER: [&str; 4] = [
    "Error-Info",
    "X-Asterisk-HangupCause",
    "X-Reason",
    "X-Error",
];

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some(code @ 500..=599) = call.code() else {
        return;
    };
    // Methods that are not known, sizes and preconditions have rules of their own.
    if call.outcome != Outcome::Failed || matches!(code, 501 | 513 | 580) {
        return;
    }
    let named = [
        "carrier-congestion",
        "request-no-response",
        "next-hop-unresolvable",
    ];
    if named.iter().any(|id| found.has(id)) {
        return;
    }
    let Some((index, response)) = deciding(call) else {
        return;
    };
    if let Some(told) = context.told(call) {
        let fix = match told.phrase.kind {
            Kind::Channels | Kind::Rate => "fix-limit",
            Kind::NoRoute => "fix-route",
            Kind::Account => "fix-account",
            _ => "fix",
        };
        // Whoever sends too many has to send fewer, or buy more.
        let acts = match fix {
            "fix-limit" => Acts::Caller,
            _ => Acts::Callee,
        };
        let Some(finding) = found.add(told.sure(), acts) else {
            return;
        };
        finding.element(sender(response)).why("why-told").fix(fix);
        finding.args(Args::new().code("code", code));
        told.prove(finding, (index, response), (note("answer"), note("said")));
        return;
    }
    let cause = context.q850(call).filter(|c| !VAGUE.contains(c));
    let cause = cause.and_then(|c| knowledge::cause("Q.850", c));
    let spoken = spoken(response, code);
    if cause.is_none() && spoken.is_none() {
        return;
    }
    let Some(finding) = found.add(Confidence::Likely, Acts::Callee) else {
        return;
    };
    finding
        .element(sender(response))
        .args(Args::new().code("code", code));
    if let Some(cause) = cause {
        finding.why("why-cause").args(
            Args::new()
                .count("cause", usize::from(cause.code))
                .with("name", Value::Name(cause))
                .with("hint", Value::pointing(Some(cause))),
        );
        finding.proof(Evidence::start_line(index, response, note("answer")));
        finding.proof(Evidence::header(index, response, "Reason", note("said")));
        return;
    }
    if let Some((header, said)) = spoken {
        finding.args(Args::new().text("said", said));
        finding.proof(Evidence::start_line(index, response, note("answer")));
        if let Some(header) = header {
            let said = Template::new("said", Args::new());
            finding.proof(Evidence::header(index, response, header, said));
        }
    }
}

// What it says in words: Reason or Warning text, a header of the product, a phrase of its own, or the
// comment of Retry-After (RFC 3261 §20.33).
fn spoken(response: &Stored, code: u16) -> Option<(Option<&'static str>, String)> {
    let message = response.message();
    let text = |text: String| Some(text).filter(|text| says_more(text, code));
    let reason = typed::reasons(message).into_iter().filter_map(|r| r.text);
    if let Some(said) = reason.filter_map(text).next() {
        return Some((Some("Reason"), said));
    }
    let warning = typed::warnings(message).into_iter().map(|w| w.text);
    if let Some(said) = warning.filter_map(text).next() {
        return Some((Some("Warning"), said));
    }
    let further = FURTHER.iter().find_map(|name| {
        let said = message.text(name)?;
        (!said.trim().is_empty()).then_some((Some(*name), said))
    });
    if further.is_some() {
        return further;
    }
    let phrase = message.reason().map(|span| lossy(span.of(&response.raw)));
    if let Some(said) = phrase.and_then(text) {
        return Some((None, said));
    }
    let retry = message.text("Retry-After")?;
    let comment = retry
        .split_once('(')?
        .1
        .split_once(')')?
        .0
        .trim()
        .to_owned();
    (!comment.is_empty()).then_some((Some("Retry-After"), comment))
}

fn says_more(text: &str, code: u16) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let title = knowledge::code(code).map(|code| code.title.to_ascii_lowercase());
    !EMPTY.contains(&text.as_str()) && title.is_none_or(|title| title != text)
}
