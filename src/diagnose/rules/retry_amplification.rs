//! Q8: one call is tried over many routes and fails the same way on each.

use super::super::finding::{Evidence, note};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::session::{Call, Outcome, Stored};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "retry-amplification",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(3261, "16.7")],
    title: "one call was tried over {tries} routes",
    why: "{element} sent the call on {tries} times, one after the other, and got {code} each time: every further route only costs the caller time and the network load",
    fix: "Set on {element} which answers end the search for a route: what will be the same everywhere (404, 484, 486, 603, 607) must not be tried again, and after a 503 only so many further routes.",
    sentences: &[
        ("first", "the first refusal"),
        ("last", "the last one, the same again"),
    ],
    check,
    ..Rule::PLAIN
};

const ENOUGH: usize = 4;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.finals.len() <= ENOUGH || call.outcome == Outcome::Succeeded {
        return;
    }
    let Some((sender, code, tried)) = most_tried(call) else {
        return;
    };
    let (Some(&first), Some(&last)) = (tried.first(), tried.last()) else {
        return;
    };
    let Some(finding) = found.add_as(Role::Contributing, Confidence::Certain, Acts::Proxy) else {
        return;
    };
    finding
        .element(sender.to_string())
        .args(Args::new().count("tries", tried.len()).code("code", code));
    for (at, remark) in [(first, "first"), (last, "last")] {
        if let Some(stored) = call.messages.get(at) {
            finding.proof(Evidence::start_line(at, stored, note(remark)));
        }
    }
}

// The element that sent the call on most often, the code it got and the messages with it. Branches
// of a fork run at the same time; those of a hunt follow a refusal.
fn most_tried(call: &Call) -> Option<(IpAddr, u16, Vec<usize>)> {
    const MOST: usize = 256;
    let mut tried: Vec<(IpAddr, u16, Vec<usize>)> = Vec::new();
    for transaction in call
        .transactions()
        .iter()
        .filter(|t| t.method == call.method)
        .take(MOST)
    {
        let (Some(asked), Some(&refused)) = (transaction.request(), transaction.finals.first())
        else {
            continue;
        };
        let (request, answer) = (call.messages.get(asked)?, call.messages.get(refused)?);
        let code = answer
            .head
            .code()
            .filter(|code| !matches!(code, 0..=399 | 401 | 407 | 487));
        let (Some(code), Some(sender)) = (code, request.stamp.source.map(|a| a.ip())) else {
            continue;
        };
        match tried
            .iter_mut()
            .find(|(who, what, _)| *who == sender && *what == code)
        {
            Some((_, _, list)) if list.last().is_some_and(|before| *before < asked) => {
                list.push(refused);
            }
            Some(_) => {}
            None if request.head.vias > 1 || is_relayed(call, request) => {
                tried.push((sender, code, vec![refused]));
            }
            None => {}
        }
    }
    let most = tried.into_iter().max_by_key(|(_, _, list)| list.len())?;
    (most.2.len() >= ENOUGH).then_some(most)
}

// Did somebody else send it to its sender before?
fn is_relayed(call: &Call, request: &Stored) -> bool {
    let sender = request.stamp.source.map(|a| a.ip());
    call.first()
        .is_some_and(|m| m.stamp.destination.map(|a| a.ip()) == sender)
}
