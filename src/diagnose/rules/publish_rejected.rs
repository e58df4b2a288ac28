//! B1b: a publication of state (presence, above all) was refused, because its kind is not taken there.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use super::subscribe_rejected::{known_as, named};
use crate::message::Method;
use crate::message::field::Field;
use crate::session::{Call, Outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "publish-rejected",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[489],
    rfc: &[(3903, "6")],
    title: "{element} takes no publications of {event}",
    why: "{client} published {package}, and {element} answered {code}: it takes no publications of this kind. Calls are not concerned",
    fix: "Switch this publication off in {client} for this account, or point it at a server that takes it, which often is not the trunk. Or switch the package {event} on at {element}.",
    sentences: &[
        (
            "why-listed",
            "{client} published {package}, and {element} answered {code}; it takes {offered} only. Calls are not concerned",
        ),
        (
            "why-unnamed",
            "{client} sent PUBLISH without saying what it publishes, and {element} answered {code}. Calls are not concerned",
        ),
        (
            "fix-unnamed",
            "Make {client} send an Event header with PUBLISH, or switch the feature that sends it off.",
        ),
        ("event", "what it publishes"),
        ("asked", "the request"),
        ("answer", "refused"),
        ("offered", "what is taken"),
    ],
    confirm: "the log of {element} for this Call-ID",
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Publish || call.outcome != Outcome::Failed {
        return;
    }
    let Some((index, answer)) = deciding(call).filter(|_| call.code() == Some(489)) else {
        return;
    };
    let Some((at, request)) = call.asked(answer) else {
        return;
    };
    let event = call.fields(at).text(Field::Event).unwrap_or_default();
    let package = event.split(';').next().unwrap_or_default().trim();
    let offered = call.fields(index).tokens(Field::AllowEvents);
    let lists_it = offered.iter().any(|of| of.eq_ignore_ascii_case(package));
    let confidence = match lists_it {
        true => Confidence::Likely,
        false => Confidence::Certain,
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    match package {
        "" => finding.why("why-unnamed").fix("fix-unnamed"),
        _ if offered.is_empty() || lists_it => finding,
        _ => finding.why("why-listed"),
    };
    let args = Args::new()
        .text("client", sender(request))
        .with("event", named(package))
        .with("package", known_as(package))
        .text("offered", offered.join(", "))
        .code("code", 489);
    finding.element(sender(answer)).args(args);
    finding.proof(match package {
        "" => Evidence::start_line(at, request, note("asked")),
        _ => Evidence::header(at, request, "Event", note("event")),
    });
    finding.proof(Evidence::start_line(index, answer, note("answer")));
    if !offered.is_empty() {
        let note = note("offered");
        finding.proof(Evidence::header(index, answer, "Allow-Events", note));
    }
}
