//! R2: the registrar wants a longer registration than the device asks for.

use super::super::finding::{Evidence, Template, Value, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::{Method, typed};
use crate::session::registrations::asked;
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-interval-too-brief",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[423],
    rfc: &[(3261, "10.2.8"), (3261, "21.4.17"), (3261, "20.23")],
    title: "the registrar wants registrations of at least {least} s",
    why: "the device asked to be registered for {asked} s, {element} wants at least {least} s (423), and the device did not ask for as much",
    fix: "Set the registration expiry in the device to {least} s or more, or let {element} take shorter ones.",
    sentences: &[
        (
            "why-none",
            "{element} refused {asked} s as too brief (423) and left out Min-Expires, so the device cannot know what to ask for",
        ),
        (
            "fix-none",
            "Let {element} add Min-Expires to its 423, as RFC 3261 demands; until then set a longer registration expiry in the device, for example 3600 s.",
        ),
        (
            "why-contradiction",
            "the device asked to be registered for {asked} s, and {element} refused that as too brief (423), though it wants only {least} s",
        ),
        (
            "fix-contradiction",
            "Have {element} mended: it refuses what it asks for. Look there for two limits, one of them in a proxy before the registrar.",
        ),
        (
            "why-met",
            "the device asked to be registered for {asked} s, {element} wants at least {least} s (423), and the device asked again for as much: nothing is broken, each registration only takes one more round",
        ),
        (
            "fix-met",
            "Set the registration expiry in the device to {least} s or more to spare the extra round; otherwise leave it as it is.",
        ),
        ("asked", "asks for {asked} s"),
        ("refused", "wants at least {least} s"),
        ("refused-bare", "refused, without Min-Expires"),
    ],
    explains: &["mandatory-header-missing"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Register || !call.finals.iter().any(|f| f.code == 423) {
        return;
    }
    let last = call.finals.iter().rev().find(|f| f.code == 423);
    let Some((at, refusal)) = last.and_then(|f| Some((f.message, call.messages.get(f.message)?)))
    else {
        return;
    };
    let own = |(_, m): &(usize, &Stored)| m.keys.transaction == refusal.keys.transaction;
    let Some((asked_at, request)) = call.requests(Method::Register).find(own) else {
        return;
    };
    let text = refusal.message().text("Min-Expires");
    let least = text
        .as_deref()
        .and_then(|text| text.trim().parse::<u32>().ok());
    let asked = asked(request);
    let failed = call.outcome == Outcome::Failed && call.code() == Some(423);
    let (severity, role, acts, why, fix) = match (least, asked) {
        _ if call.outcome == Outcome::Succeeded => (
            Severity::Info,
            Role::Contributing,
            Acts::Nobody,
            "why-met",
            "fix-met",
        ),
        _ if !failed => return,
        (None, _) => (
            Severity::Error,
            Role::Cause,
            Acts::Registrar,
            "why-none",
            "fix-none",
        ),
        (Some(least), Some(asked)) if asked >= least => (
            Severity::Error,
            Role::Cause,
            Acts::Registrar,
            "why-contradiction",
            "fix-contradiction",
        ),
        _ => (Severity::Error, Role::Cause, Acts::Caller, "why", "fix"),
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) else {
        return;
    };
    let seconds = |value: Option<u32>, or: &'static str| {
        value.map_or(Value::Said(or), |value| value.to_string().into())
    };
    let (wants, wanted) = (
        seconds(least, "more"),
        seconds(asked, "an unnamed number of"),
    );
    finding.why(why).fix(fix).element(sender(refusal));
    finding.args(
        Args::new()
            .with("asked", wanted.clone())
            .with("least", wants.clone()),
    );
    let bindings = typed::bindings(request.message());
    let header = match bindings.first().and_then(|binding| binding.expires) {
        Some(_) => "Contact",
        None => "Expires",
    };
    let of_request = Template::new("asked", Args::new().with("asked", wanted));
    finding.proof(Evidence::header(asked_at, request, header, of_request));
    finding.proof(match least {
        Some(_) => {
            let of_answer = Template::new("refused", Args::new().with("least", wants));
            Evidence::header(at, refusal, "Min-Expires", of_answer)
        }
        None => Evidence::start_line(at, refusal, note("refused-bare")),
    });
}
