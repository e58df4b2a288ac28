//! C5b: the other side demands an extension that the request does not offer.

use super::super::finding::{Evidence, Value, deciding, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::field::Field;
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "extension-required-421",
    severity: Severity::Error,
    frequency: Frequency::Low,
    needs: &[],
    codes: &[421],
    rfc: &[(3261, "21.4.16"), (3261, "8.2.4")],
    title: "{element} demands an extension that the request does not offer",
    why: "{element} answers 421: it takes {method} only with {tags}, and the request does not name that in Supported (it names: {supported})",
    fix: "Switch {tags} on at {asker}, so that it stands in Supported of the request. If {asker} does not have it, let whoever runs {element} drop the demand for this side.",
    sentences: &[
        (
            "why-offered",
            "{element} answers 421 and demands {tags}, which the request names in Supported already: the demand is met and refused all the same",
        ),
        (
            "fix-offered",
            "Ask whoever runs {element} what else it wants beside the word in Supported (headers, a security agreement), and correct it there or at {asker}.",
        ),
        (
            "why-unnamed",
            "{element} answers 421 and does not name in Require the extension that it wants, as it has to: from the trace nobody can tell what is missing",
        ),
        (
            "fix-unnamed",
            "Look in the log and the settings of {element} for the extension that it demands (often 100rel, timer or sec-agree). Switch it on at {asker} or drop the demand, and have {element} name it in Require of the 421.",
        ),
        ("offered", "what the request offers"),
        ("asked", "the request offers no extension at all"),
        ("answer", "the final answer"),
        ("demanded", "what is demanded"),
    ],
    explains: &["mandatory-header-missing"],
    confirm: "the log of {element} for this Call-ID",
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some((index, answer)) = deciding(call).filter(|(_, m)| m.head.code() == Some(421)) else {
        return;
    };
    let asked = call.transaction_of(index).and_then(|t| t.request());
    let Some((at, request)) = asked.and_then(|at| Some((at, call.messages.get(at)?))) else {
        return;
    };
    let fields = call.fields(at);
    let supported = fields.tokens(Field::Supported);
    let demanded = call.fields(index).tokens(Field::Require);
    // Who requires an extension has it as well.
    let own = fields.tokens(Field::Require);
    let offered = |tag: &String| {
        let mut all = supported.iter().chain(&own);
        all.any(|of| of.eq_ignore_ascii_case(tag))
    };
    let missing: Vec<String> = demanded.iter().filter(|t| !offered(t)).cloned().collect();
    let (why, fix, confidence, acts) = match (demanded.is_empty(), missing.is_empty()) {
        (true, _) => (
            "why-unnamed",
            "fix-unnamed",
            Confidence::Likely,
            Acts::Callee,
        ),
        (false, true) => (
            "why-offered",
            "fix-offered",
            Confidence::Likely,
            Acts::Callee,
        ),
        (false, false) => ("why", "fix", Confidence::Certain, Acts::Caller),
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    let tags = if missing.is_empty() {
        demanded
    } else {
        missing
    };
    let named = match supported.as_slice() {
        [] => Value::Said("nothing"),
        all => all.join(", ").into(),
    };
    finding.element(sender(answer)).why(why).fix(fix).args(
        Args::new()
            .text("method", request.message().method_name())
            .text("asker", receiver(answer))
            .text("tags", tags.join(", "))
            .with("supported", named),
    );
    match supported.is_empty() {
        true if why == "why" => {
            finding.proof(Evidence::start_line(at, request, note("asked")));
        }
        false => {
            finding.proof(Evidence::header(at, request, "Supported", note("offered")));
        }
        true => {}
    }
    finding.proof(Evidence::start_line(index, answer, note("answer")));
    if !tags.is_empty() {
        finding.proof(Evidence::header(index, answer, "Require", note("demanded")));
    }
}
