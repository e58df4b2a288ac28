//! D12: the callee is, or claims to be, busy.

use super::super::across::{Across, Ledger, Members};
use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::{
    Acts, Args, Causes, Confidence, Context, Findings, Frequency, Role, Rule, Severity,
};
use crate::knowledge::phrases::Kind;
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "busy",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    codes: &[486, 600],
    causes: &[("Q.850", Causes::Only(&[17]))],
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
            "why-progress",
            "{element} answered {code} after a {sign}, which does not say that it rings: the line is in use, or calls to it are rejected, switched off or limited",
        ),
        (
            "fix-at-once",
            "Try again later. If every call to this destination ends so, at any time of day, look on the called side for do not disturb, for call waiting switched off, and for a limit of parallel calls on the line or trunk.",
        ),
        (
            "why-q850",
            "{element} answered {code} with Q.850 cause 17: the telephone network reports the line of the called person as busy",
        ),
        (
            "why-told",
            "{element} answers {code} and says \"{said}\", which means: {means}",
        ),
        (
            "fix-limit",
            "Raise the limit of parallel calls at the provider, or look at the same second which other calls of this customer were up. The called person's phone is not busy.",
        ),
        (
            "fix-account",
            "Look at the account and the state of the called number at the provider. The called person's phone is not busy.",
        ),
        (
            "why-always",
            "all {calls} calls to {element}, for more than half an hour, were answered busy without ringing: a line that is in use is free at some time, so a limit, do not disturb or a missing route answers there",
        ),
        (
            "why-always-told",
            "all {calls} calls to {element}, for more than half an hour, were answered busy without ringing, and one of the answers says why: most likely the others have the same reason",
        ),
        (
            "fix-always",
            "Look on {element} for a limit of parallel calls, do not disturb, call waiting switched off, or a called number that it does not route.",
        ),
        ("answer", "the final answer"),
        ("ringing", "it rang before"),
        (
            "progress",
            "the call had got this far; that it rings is not said",
        ),
        ("cause", "the telephone network says so"),
        ("said", "the words that tell the cause"),
        ("first", "the first of them"),
        ("last", "the last of them"),
        ("told", "the one that says why"),
    ],
    check,
    across,
    ..Rule::PLAIN
};

/// Fewer calls than this may all have been busy by chance.
const ENOUGH: u64 = 5;
/// A person may well talk for that long, nanoseconds.
const LONG: i64 = 1800 * SECOND;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    // A 486 after a CANCEL says nothing about the line: such a call is cancelled.
    if call.method != Method::Invite
        || call.outcome != Outcome::Refused
        || !matches!(call.code(), Some(486 | 600))
    {
        return;
    }
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let q850 = context
        .reasons(call)
        .iter()
        .filter(|r| r.protocol.eq_ignore_ascii_case("Q.850"));
    let cause = q850.filter_map(|r| r.cause).next();
    let ringing = call
        .originals()
        .find(|(_, m)| m.head.rings() && call.is_of_beginning(m));
    let told = context.told(call);
    let confidence = match &told {
        Some(told) => told.sure(),
        None if cause == Some(17) || ringing.is_some() => Confidence::Certain,
        None => Confidence::Likely,
    };
    let kind = told.as_ref().map(|told| told.phrase.kind);
    let (severity, acts) = match kind {
        None | Some(Kind::DoNotDisturb) => (Severity::Info, Acts::Nobody),
        Some(_) => (Severity::Error, Acts::Callee),
    };
    let Some(finding) = found.add_with(severity, Role::Cause, confidence, acts) else {
        return;
    };
    finding
        .element(sender(response))
        .args(Args::new().code("code", call.code().unwrap_or(486)));
    if let Some(told) = told {
        told.prove(finding, (index, response), (note("answer"), note("said")));
        finding.why("why-told");
        match kind {
            Some(Kind::Channels | Kind::Rate) => finding.fix("fix-limit"),
            Some(Kind::DoNotDisturb) => finding,
            _ => finding.fix("fix-account"),
        };
        return;
    }
    finding.proof(Evidence::start_line(index, response, note("answer")));
    match ringing {
        _ if cause == Some(17) => {
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
            if let Some((at, sign)) = call.rang(response) {
                let code = sign.head.code().unwrap_or(183);
                finding.why("why-progress");
                finding.args(Args::new().code("sign", code));
                finding.proof(Evidence::start_line(at, sign, note("progress")));
            }
        }
    }
}

// One destination that says busy to everybody, at once.
fn across(ledger: &Ledger, across: &mut Across) {
    for (ip, account) in ledger.by_address() {
        let busy: u64 = [486, 600]
            .iter()
            .filter_map(|code| account.failed.get(code))
            .sum();
        let rang = account.samples.iter().any(|sample| sample.rang.is_some());
        let shown = account
            .first_failure
            .as_ref()
            .zip(account.last_failure.as_ref());
        let Some((first, last)) = shown.and_then(|(a, b)| a.time.zip(b.time)) else {
            continue;
        };
        if account.calls < ENOUGH || busy < account.calls || rang || last - first < LONG {
            continue;
        }
        // One long call would do it as well, where no answer says why.
        let sure = match account.told_busy {
            Some(_) => Confidence::Likely,
            None => Confidence::Possible,
        };
        let Some(found) = across.add(sure, Acts::Callee) else {
            return;
        };
        found.count = account.calls;
        let calls = usize::try_from(account.calls).unwrap_or(usize::MAX);
        found.finding.element(ip.to_string());
        found.finding.args(Args::new().count("calls", calls));
        found.finding.why("why-always").fix("fix-always");
        if account.told_busy.is_some() {
            found.finding.why("why-always-told");
            found.finding.severity = Severity::Warning;
        }
        found.times = Some((first, last));
        found.members = Some(Members {
            source: None,
            destination: Some(ip),
            codes: RULE.codes,
        });
        let first = account.first_failure.clone().map(|e| (e, note("first")));
        let last = account.last_failure.clone().map(|e| (e, note("last")));
        let told = account.told_busy.clone().map(|e| (e, note("told")));
        found
            .exhibits
            .extend(first.into_iter().chain(last).chain(told));
    }
}
