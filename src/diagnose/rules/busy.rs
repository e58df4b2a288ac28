//! D12: the callee is, or claims to be, busy.

use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::{Method, typed};
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "busy",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    rfc: &[(3261, "21.4.24"), (3261, "21.6.1")],
    title: "the called side is busy",
    why: "{element} answered {code} after it had rung for {ring}: the called person was in another call or rejected this one",
    fix: "Try again later; nothing is broken. If callers should not hear busy, set up call waiting, forwarding on busy or a second line on the called side.",
    sentences: &[
        (
            "why-untimed",
            "{element} answered {code} after it had rung: the called person was in another call or rejected this one",
        ),
        (
            "why-at-once",
            "{element} answered {code} without ringing: the line is in use, or calls to it are switched off or limited",
        ),
        (
            "fix-at-once",
            "Try again later. If every call to this destination ends so, at any time of day, look on the called side for do not disturb, for call waiting switched off, and for a limit of parallel calls on the line or trunk.",
        ),
        (
            "why-q850",
            "{element} answered {code} with Q.850 cause 17: the telephone network reports the line of the called person as busy",
        ),
        ("answer", "the final answer"),
        ("ringing", "it rang before"),
        ("cause", "the telephone network says so"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call) else {
        return;
    };
    if call.method != Method::Invite || !matches!(call.code(), Some(486 | 600)) {
        return;
    }
    let is_17 = |r: &typed::Reason| r.protocol.eq_ignore_ascii_case("Q.850") && r.cause == Some(17);
    let cause_17 = typed::reasons(response.message()).iter().any(is_17);
    let ringing = call.originals().find(|(_, m)| {
        m.head.code().is_some_and(|code| (180..200).contains(&code)) && call.is_of_beginning(m)
    });
    let confidence = match cause_17 || ringing.is_some() {
        true => Confidence::Certain,
        false => Confidence::Likely,
    };
    let Some(finding) = found.add(confidence, Acts::Nobody) else {
        return;
    };
    finding
        .element(sender(response))
        .args(Args::new().code("code", call.code().unwrap_or(486)));
    finding.proof(Evidence::start_line(index, response, note("answer")));
    match ringing {
        _ if cause_17 => {
            finding.why("why-q850").proof(Evidence::header(
                index,
                response,
                "Reason",
                note("cause"),
            ));
        }
        Some((at, rang)) => {
            match response.time().zip(rang.time()) {
                Some((end, start)) => finding.args(Args::new().duration("ring", end - start)),
                None => finding.why("why-untimed"),
            };
            finding.proof(Evidence::start_line(
                at,
                rang,
                Template::new("ringing", Args::new()),
            ));
        }
        None => {
            finding.why("why-at-once").fix("fix-at-once");
        }
    }
}
