//! T2: who made the 408, and for whom it had waited.

use super::super::finding::{Evidence, deciding, note, receiver, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored, Transaction};

/// The rule.
pub static RULE: Rule = Rule {
    id: "408-origin",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time],
    codes: &[408],
    rfc: &[(3261, "21.4.9"), (3261, "16.8"), (3261, "17.1.1.2")],
    title: "{element} gave up waiting for whoever stands behind it",
    why: "{element} answered 408 {after} after the request: it had sent the call on, or looked for the called user, and got no answer in that time; who it waited for is not in the capture",
    fix: "Ask whoever runs {element} where it sent this call (log by Call-ID) and why nothing came back from there: destination down, wrong address or port, firewall.",
    sentences: &[
        (
            "why-timer-b",
            "{element} answered 408 {after} after the request, the time after which a sender gives up on a hop that never answers (Timer B): it had sent the call on and nothing came back",
        ),
        (
            "why-at-once",
            "{element} answered 408 {after} after the request: nobody can have been waited for in that time, so it answered from what it knew, such as a destination that did not answer before or that is switched off",
        ),
        (
            "fix-at-once",
            "Ask whoever runs {element} why it holds the destination for dead: the state of its gateway or dispatcher list, failed pings, a phone that does not answer; correct that, or wait until it tries again.",
        ),
        (
            "why-behind",
            "{element} had sent the call on to {behind}, waited {after} for a final answer and then made the 408 itself: {behind} is the one that did not answer",
        ),
        (
            "fix-behind",
            "Look at {behind}, or further on: it was asked and gave no final answer in time. {element} only reports that.",
        ),
        (
            "fix-timer-b",
            "Ask whoever runs {element} where it sent this call (log by Call-ID) and why nothing came back from there: destination down, wrong address or port, firewall. The timer of {element} is not the problem.",
        ),
        (
            "why-behind-took",
            "{element} had sent the call on to {behind}, which took it over with a {sign} and gave no final answer in the {waited} that {element} allowed; {element} then made the 408 itself",
        ),
        (
            "fix-behind-took",
            "Ask {behind} first what it did with the call after its {sign}: a destination behind it may be down. Then look at the answer timer of {element}: a proxy that has a provisional answer waits longer than 3 minutes (Timer C), unless it is set to less.",
        ),
        ("took", "{behind} takes it over"),
        (
            "why-rang",
            "{element} answered 408 after it had rung for {ring}: a ring time was over, or the phone was lost",
        ),
        (
            "why-progress",
            "{element} answered 408 {ring} after a {sign}, which says that the call goes on and not that it rings: an answer timer was over, or the phone or server behind it was lost",
        ),
        (
            "fix-rang",
            "Look at the ring or answer timeout of {element}, and set up voicemail or forwarding if callers should reach somebody then.",
        ),
        ("asked", "the call is handed to {element}"),
        ("behind", "{element} hands it on"),
        ("rang", "it rings"),
        (
            "progress",
            "the call had got this far; that it rings is not said",
        ),
        ("answer", "{element} gives up"),
        ("silence", "no final answer from {behind}"),
    ],
    confirm: "a capture of the hop behind {element}, or its log for this Call-ID",
    check,
    ..Rule::PLAIN
};

/// Nobody is waited for in less than this, nanoseconds.
const AT_ONCE: i64 = SECOND / 2;
/// 64*T1 and what a slow machine adds, nanoseconds.
const TIMER_B: std::ops::RangeInclusive<i64> = 31 * SECOND..=34 * SECOND;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || call.outcome != Outcome::Failed || call.code() != Some(408)
    {
        return;
    }
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let Some((asked_at, request)) = call.asked(response) else {
        return;
    };
    let Some(after) = response
        .time()
        .zip(request.time())
        .map(|(end, start)| end - start)
    else {
        return;
    };
    let behind = call.handed_on(response).last();
    let rang = call.rang(response);
    let sign = behind.and_then(|t| Some((*t.provisionals.first()?, t)));
    let sign = sign.and_then(|(at, _)| Some((at, call.messages.get(at)?)));
    let confidence = match (behind, sign) {
        (Some(_), None) => Confidence::Certain,
        _ => Confidence::Likely,
    };
    let acts = if behind.is_some() {
        Acts::Callee
    } else {
        Acts::Proxy
    };
    // That nobody answered at all is a rule of its own, however sure.
    let role = match found.has("request-no-response") {
        true => Role::Contributing,
        false => Role::Cause,
    };
    let Some(finding) = found.add_as(role, confidence, acts) else {
        return;
    };
    finding.element(sender(response));
    finding.args(Args::new().duration("after", after));
    finding.proof(Evidence::start_line(asked_at, request, note("asked")));
    if let Some((at, handed, behind)) = behind.and_then(|t| sent(call, t)) {
        let waited = response.time().zip(handed.time());
        let waited = waited.map_or(after, |(end, start)| end - start);
        match sign {
            Some(_) => finding.why("why-behind-took").fix("fix-behind-took"),
            None => finding.why("why-behind").fix("fix-behind"),
        };
        finding.args(
            Args::new()
                .text("behind", behind)
                .duration("waited", waited)
                .code("sign", sign.and_then(|(_, m)| m.head.code()).unwrap_or(100)),
        );
        finding.proof(Evidence::start_line(at, handed, note("behind")));
        finding.proofs([sign.map(|(at, m)| Evidence::start_line(at, m, note("took")))]);
        let from = sign.map_or(handed, |(_, m)| m).time();
        if let (Some(from), Some(until)) = (from, response.time()) {
            finding.proof(Evidence::Absence {
                message: at,
                from,
                until,
                note: note("silence"),
            });
        }
    } else if let Some((at, m)) = rang {
        let ring = response
            .time()
            .zip(m.time())
            .map_or(0, |(end, start)| end - start);
        let sign = m.head.code().unwrap_or(180);
        let (why, shown) = match sign {
            180 => ("why-rang", "rang"),
            _ => ("why-progress", "progress"),
        };
        finding.why(why).fix("fix-rang");
        finding.args(Args::new().duration("ring", ring).code("sign", sign));
        finding.proof(Evidence::start_line(at, m, note(shown)));
    } else if after < AT_ONCE {
        finding.why("why-at-once").fix("fix-at-once");
    } else if TIMER_B.contains(&after) {
        finding.why("why-timer-b").fix("fix-timer-b");
    }
    finding.proof(Evidence::start_line(index, response, note("answer")));
}

fn sent<'a>(call: &'a Call, transaction: &Transaction) -> Option<(usize, &'a Stored, String)> {
    let at = transaction.request()?;
    let handed = call.messages.get(at)?;
    Some((at, handed, receiver(handed)))
}
