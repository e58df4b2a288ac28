//! E4: it rang and nobody answered.

use super::super::across::LONG_RING;
use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::Method;
use crate::session::{Call, Outcome, Stored, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "ring-no-answer",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[Need::Time],
    codes: &[408, 480, 487],
    rfc: &[(3261, "13.3.1.1"), (3261, "21.4.18")],
    title: "nobody answered within {ring}",
    why: "it rang for {ring}, then {element} ended the attempt with {code}: nothing is broken, nobody took the call in the time that is set there",
    fix: "Leave it as it is, or set up voicemail, forwarding on no answer, or a longer ring time at {element}, if callers give up too early.",
    sentences: &[
        (
            "why-cancelled",
            "it rang for {ring}, then the call was cancelled: nothing is broken, nobody took the call before",
        ),
        (
            "why-progress-cancelled",
            "the call was cancelled {ring} after a {sign}, which says that the call goes on and not that it rings: nobody took the call before",
        ),
        ("rang", "it begins to ring"),
        (
            "progress",
            "the call had got this far; that it rings is not said",
        ),
        ("answer", "the end of the attempt"),
    ],
    explains: &["408-origin"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    let (end, cancelled) = match (call.outcome, call.code()) {
        (Outcome::Failed, Some(408 | 480)) => (deciding(call), false),
        (Outcome::Cancelled, _) => (cancel(call), true),
        _ => return,
    };
    let Some((index, end)) = end else { return };
    let rang = match cancelled {
        false => call.rang(end),
        true => call.first_sign(|m| call.is_of_beginning(m)),
    };
    let Some((at, rang)) = rang else { return };
    let Some(ring) = end.time().zip(rang.time()).map(|(end, start)| end - start) else {
        return;
    };
    if ring < LONG_RING {
        return;
    }
    let sign = rang.head.code().unwrap_or(180);
    // That it rang is not said: who did not answer, or could not, is for other rules.
    if !cancelled && sign != 180 {
        return;
    }
    let role = if cancelled {
        Role::Contributing
    } else {
        Role::Cause
    };
    let (confidence, shown) = match sign {
        180 => (Confidence::Certain, "rang"),
        _ => (Confidence::Likely, "progress"),
    };
    let Some(finding) = found.add_as(role, confidence, Acts::Nobody) else {
        return;
    };
    finding.element(sender(end)).args(
        Args::new()
            .duration("ring", ring)
            .code("sign", sign)
            .code("code", call.code().unwrap_or(487)),
    );
    finding.why(match (cancelled, sign) {
        (true, 180) => "why-cancelled",
        (true, _) => "why-progress-cancelled",
        (false, _) => "why",
    });
    finding.proof(Evidence::start_line(at, rang, note(shown)));
    finding.proof(Evidence::start_line(index, end, note("answer")));
}

fn cancel(call: &Call) -> Option<(usize, &Stored)> {
    let cancel = outcome::callers_cancel(call)?;
    call.originals().find(|(_, m)| std::ptr::eq(*m, cancel))
}
