//! D20: a ping was answered with what a call would get: the server is there, the destination is not.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::Method;
use crate::session::{Call, Outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "options-refused",
    severity: Severity::Info,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[],
    rfc: &[(3261, "11.2")],
    title: "{element} is alive, and a call to {target} would be answered {code}",
    why: "OPTIONS is answered with the code that an INVITE would get (RFC 3261 §11.2), as far as a server keeps to that: {element} can be reached and works, and a call to {target} would be answered {code} now",
    fix: "Count {element} as reachable. Look into the {code} only where calls to {target} should succeed; what just asks whether the server is there can leave the user out of the Request-URI.",
    sentences: &[("answer", "what a call would be answered")],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Options || call.outcome != Outcome::Succeeded {
        return;
    }
    let Some((index, answer)) = deciding(call) else {
        return;
    };
    // Those who take no OPTIONS, or no stranger's, say nothing of a call.
    let told = match answer.head.code() {
        Some(code @ (404 | 410 | 480 | 484..=486 | 600..=699)) => code,
        _ => return,
    };
    let role = Role::Contributing;
    let Some(finding) = found.add_as(role, Confidence::Likely, Acts::Nobody) else {
        return;
    };
    let target = call.request_uri().unwrap_or_default();
    let args = Args::new().text("target", target).code("code", told);
    finding.element(sender(answer)).args(args);
    finding.proof(Evidence::start_line(index, answer, note("answer")));
}
