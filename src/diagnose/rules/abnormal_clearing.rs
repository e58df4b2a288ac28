//! Q5: the BYE says that no person ended the call.

use super::super::details::spoken;
use super::super::finding::{Evidence, Value, note, receiver, sender};
use super::super::phrases;
use super::super::{
    Acts, Args, Causes, Confidence, Context, Findings, Frequency, Role, Rule, Severity,
};
use crate::knowledge::{self, Cause};
use crate::message::Method;
use crate::message::field::Field;
use crate::message::typed::{self, Reason};
use crate::session::{Call, Side};

/// The rule.
pub static RULE: Rule = Rule {
    id: "abnormal-clearing",
    severity: Severity::Warning,
    frequency: Frequency::High,
    needs: &[],
    causes: &[
        ("Q.850", Causes::Except(&NORMAL)),
        ("RELEASE_CAUSE", Causes::Except(&[1])),
        ("FAILURE_CAUSE", Causes::Except(&[])),
    ],
    rfc: &[(3326, "2"), (3398, "7.2.4.1")],
    title: "{element} ended the call for a reason of its own",
    why: "{element} ended the call and gives as reason {said} ({name}): a network or a device did that, no person hung up",
    fix: "Look at {element} and the network behind it at that second for what it names. If it only passes the reason on, its log shows from where it got it.",
    sentences: &[
        (
            "why-told",
            "{element} ended the call and says \"{said}\", which means: {means}; no person hung up",
        ),
        (
            "why-hint",
            "{element} ended the call and gives as reason {said} ({name}: {hint}); no person hung up",
        ),
        (
            "fix-media",
            "Find out why the audio of {other} no longer came to {element}: capture RTP at both, and compare the address and port in the session descriptions with where the packets go. First suspects are a NAT or firewall between them, and silence suppression or hold without RTCP at {other}.",
        ),
        ("bye", "the end of the call"),
        ("reason", "the reason that it gives"),
    ],
    check,
    ..Rule::PLAIN
};

/// Q.850 causes of calls that end as they should, and those that say nothing.
const NORMAL: [u32; 9] = [0, 16, 17, 18, 19, 21, 26, 31, 127];

/// What phrases mean that name missing audio.
const NO_AUDIO: &str = "no audio arrived any more";

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    let with_reason = call.transactions().iter().find_map(|t| {
        let at = t.request().filter(|_| t.method == Method::Bye)?;
        call.fields(at).has(Field::Reason).then_some(at)
    });
    let Some(at) = with_reason else { return };
    let Some(bye) = call.messages.get(at) else {
        return;
    };
    // That no ACK came has a rule of its own.
    if found.has("2xx-not-acked") {
        return;
    }
    let reasons = typed::reasons(bye.message());
    let told =
        phrases::told(bye).filter(|told| told.phrase.kind == knowledge::phrases::Kind::Ended);
    let abnormal = reasons
        .iter()
        .find_map(|reason| Some((reason, abnormal(reason)?)));
    if told.is_none() && abnormal.is_none() {
        return;
    }
    let silent = told
        .as_ref()
        .is_some_and(|told| told.phrase.means == NO_AUDIO);
    let acts = match call.side(bye) {
        _ if silent => Acts::Network,
        Some(Side::Caller) => Acts::Caller,
        _ => Acts::Callee,
    };
    let role = Role::Contributing;
    let Some(finding) = found.add_as(role, Confidence::Certain, acts) else {
        return;
    };
    finding.element(sender(bye));
    if let Some(told) = told {
        finding.why("why-told");
        if silent {
            finding.fix("fix-media");
            finding.args(Args::new().text("other", receiver(bye)));
        }
        finding.proof(Evidence::start_line(at, bye, note("bye")));
        told.prove(finding, (at, bye), (note("bye"), note("reason")));
        finding.evidence.remove(0);
        return;
    }
    if let Some((reason, (name, cause))) = abnormal {
        let pointing = cause.filter(|cause| !cause.hint.is_empty());
        finding.args(
            Args::new()
                .with("said", spoken(reason))
                .with("name", name)
                .with("hint", pointing.map_or(Value::nothing(), Value::Hint)),
        );
        if pointing.is_some() {
            finding.why("why-hint");
        }
    }
    finding.proof(Evidence::start_line(at, bye, note("bye")));
    finding.proof(Evidence::header(at, bye, "Reason", note("reason")));
}

// Name and hint of a cause that no person sets.
fn abnormal(reason: &Reason) -> Option<(Value, Option<&'static Cause>)> {
    let cause = reason.cause?;
    match reason.protocol.to_ascii_uppercase().as_str() {
        "Q.850" if !NORMAL.contains(&cause) => {
            let known = knowledge::cause("Q.850", cause)?;
            Some((Value::Name(known), Some(known)))
        }
        // 480, 487 and the refusals come from another leg; numbers of the class 7 and up are of products.
        "SIP" if (400..700).contains(&cause) && !is_refusal(cause) => {
            let known = knowledge::code(u16::try_from(cause).ok()?)?;
            Some((known.title.clone().into(), None))
        }
        protocol @ ("RELEASE_CAUSE" | "FAILURE_CAUSE")
            if protocol == "FAILURE_CAUSE" || cause != 1 =>
        {
            let known = knowledge::cause(protocol, cause)?;
            Some((Value::Name(known), Some(known)))
        }
        _ => None,
    }
}

fn is_refusal(cause: u32) -> bool {
    matches!(cause, 480 | 486 | 487 | 600..=608)
}
