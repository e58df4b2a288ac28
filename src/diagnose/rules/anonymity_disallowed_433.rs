//! S4: anonymous calls are not taken there.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::numbers;
use super::super::{Acts, Args, Causes, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::typed;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "anonymity-disallowed-433",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[403, 433],
    causes: &[("STIR", Causes::Only(&[433]))],
    rfc: &[(5079, "5"), (3323, "4.1")],
    title: "{element} takes no anonymous calls",
    why: "the call hides who calls, and {element} answers {code}: the called side takes no anonymous calls",
    fix: "Ask the caller whether to call again with the number shown, and only then do so: switch off the hidden caller ID of the extension or trunk (Privacy header, anonymous From).",
    sentences: &[
        (
            "why-shown",
            "{element} answers {code}, anonymity disallowed, though the INVITE shows {from} as caller: {element} or a server behind it removed the number, or what checks signatures there found no valid number in it",
        ),
        (
            "fix-shown",
            "Look at {element} and each hop behind it for the one that makes From anonymous or adds Privacy, and for a check of caller signatures (STIR) at {element} that wants a number in international form in From or P-Asserted-Identity.",
        ),
        ("from", "who calls"),
        ("hidden", "the caller is hidden"),
        ("privacy", "and is to be kept hidden"),
        ("answer", "refused"),
        ("reason", "the reason that it gives"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some(code) = call.code().filter(|code| *code >= 400) else {
        return;
    };
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let says = |r: &typed::Reason| r.protocol.eq_ignore_ascii_case("STIR") && r.cause == Some(433);
    let by_reason = code != 433 && context.reasons(call).iter().any(says);
    if code != 433 && !by_reason {
        return;
    }
    let Some((asked_at, request)) = call.asked(response) else {
        return;
    };
    let hidden = is_hidden(request);
    // Where a number was shown, what took it away is a guess.
    let (sure, acts) = match hidden {
        true => (Confidence::Certain, Acts::Caller),
        false => (Confidence::Likely, Acts::Callee),
    };
    let Some(finding) = found.add(sure, acts) else {
        return;
    };
    let from = numbers::uri_in(request.message(), "From");
    let user = from.as_ref().map(|(_, _, user)| user.clone());
    finding.element(sender(response)).args(
        Args::new()
            .code("code", code)
            .text("from", user.unwrap_or_default()),
    );
    if let Some((header, span, _)) = from {
        let id = if hidden { "hidden" } else { "from" };
        finding.proof(Evidence::of_header(asked_at, header, span, note(id)));
    }
    if request.message().header("Privacy").is_some() {
        finding.proof(Evidence::header(
            asked_at,
            request,
            "Privacy",
            note("privacy"),
        ));
    }
    if !hidden {
        finding.why("why-shown").fix("fix-shown");
    }
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if by_reason {
        finding.proof(Evidence::header(index, response, "Reason", note("reason")));
    }
}

// Anonymous From, or a wish for privacy of the identity (RFC 3323 §4.1.1.3, §4.2; RFC 3325 §9.3).
fn is_hidden(request: &Stored) -> bool {
    let message = request.message();
    let from = message
        .text("From")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let privacy = message
        .text("Privacy")
        .unwrap_or_default()
        .to_ascii_lowercase();
    from.contains("anonymous")
        || privacy
            .split([';', ','])
            .any(|value| matches!(value.trim(), "id" | "user" | "header"))
}
