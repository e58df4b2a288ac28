//! C5: the caller insists on an extension that the other side does not have.

use super::super::finding::{Evidence, Value, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Product, Rule, Severity};
use crate::message::field::Field;
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "require-unsupported-420",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[420],
    rfc: &[(3261, "8.2.2.3"), (3261, "8.1.3.5"), (3261, "21.4.15")],
    title: "{element} does not have the extension {tags} that the caller requires",
    why: "the request requires {required}, and {element} answers 420 because it does not support {tags}; the caller should have asked again without it and did not",
    fix: "Offer the extension instead of requiring it: {tags} belongs in Supported, not in Require, so that the other side may do without. Or switch the extension on at {element}, where it has it.",
    sentences: &[
        (
            "why-unnamed",
            "the request requires {required}, and {element} answers 420 without saying in Unsupported which of these it does not have",
        ),
        (
            "why-other",
            "{element} answers 420 and names {tags} in Unsupported, which the request did not require; what it requires: {required}",
        ),
        (
            "fix-other",
            "Correct {element}: it may refuse only extensions that Require or Proxy-Require of the request names.",
        ),
        ("required", "what the caller insists on"),
        ("unsupported", "what the other side does not have"),
        ("answer", "the final answer"),
    ],
    settings: &[
        (
            Product::Asterisk,
            "In pjsip.conf 100rel=yes offers reliable provisional answers and 100rel=required insists on them; timers=yes and timers=required do the same for session timers.",
        ),
        (
            Product::Cube,
            "rel1xx supported \"100rel\" under voice service voip, sip offers it and rel1xx require \"100rel\" insists on it.",
        ),
    ],
    explains: &["mandatory-header-missing"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some((index, answer)) = deciding(call).filter(|(_, m)| m.head.code() == Some(420)) else {
        return;
    };
    let asked = call.transaction_of(index).and_then(|t| t.request());
    let Some((at, request)) = asked.and_then(|at| Some((at, call.messages.get(at)?))) else {
        return;
    };
    let fields = call.fields(at);
    let own = fields.tokens(Field::Require);
    let of_proxies = fields.tokens(Field::ProxyRequire);
    let required: Vec<String> = own.iter().chain(&of_proxies).cloned().collect();
    let unsupported = call.fields(index).tokens(Field::Unsupported);
    let named: Vec<String> = unsupported
        .iter()
        .filter(|tag| required.contains(tag))
        .cloned()
        .collect();
    let (why, acts, confidence) = match () {
        () if !named.is_empty() => ("why", Acts::Caller, Confidence::Certain),
        () if !unsupported.is_empty() => ("why-other", Acts::Callee, Confidence::Likely),
        () if !required.is_empty() => ("why-unnamed", Acts::Caller, Confidence::Likely),
        () => return,
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    let tags = match why {
        "why" => named,
        "why-other" => unsupported.clone(),
        _ => required.clone(),
    };
    let list = |tags: &[String]| match tags {
        [] => Value::Said("nothing"),
        tags => tags.join(", ").into(),
    };
    finding
        .element(sender(answer))
        .args(
            Args::new()
                .with("tags", list(&tags))
                .with("required", list(&required)),
        )
        .why(why);
    // What has a setting, and that is one of the caller.
    let has_setting = tags
        .iter()
        .any(|tag| matches!(tag.as_str(), "100rel" | "timer"));
    if has_setting && acts == Acts::Caller {
        finding.agent(fields.text(Field::UserAgent).as_deref());
    }
    if why == "why-other" {
        finding.fix("fix-other");
    }
    for (field, list) in [("Require", &own), ("Proxy-Require", &of_proxies)] {
        if !list.is_empty() {
            finding.proof(Evidence::header(at, request, field, note("required")));
        }
    }
    finding.proof(Evidence::start_line(index, answer, note("answer")));
    if !unsupported.is_empty() {
        finding.proof(Evidence::header(
            index,
            answer,
            "Unsupported",
            note("unsupported"),
        ));
    }
}
