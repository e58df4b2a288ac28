//! T12: calls end after the same talk time, one that a known timer has.

use super::super::across::Sample;
use super::super::finding::{Template, note};
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};
use crate::session::Side;
use crate::session::clock::SECOND;

/// The rule.
pub static RULE: Rule = Rule {
    id: "fixed-duration-drop",
    severity: Severity::Warning,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(4028, "10"), (3261, "13.3.1.4")],
    title: "{calls} calls to {element} ended after {talked}",
    why: "{calls} of {all} answered calls to {element} ended after {talked} of talk, within a second of each other, and the same side hung up each time: a timer ends them, not a person; {timer}",
    fix: "Look at one of these calls for what happened last before the BYE (a refresh that failed, audio that stopped, a keep-alive that is missing), and at the side that sent the BYE for a limit of this length.",
    sentences: &[
        ("example", "ended after this time"),
        ("timer-ack", "32 s is how long a callee waits for an ACK"),
        (
            "timer-media",
            "30 or 60 s without audio or consent ends calls with many systems",
        ),
        (
            "timer-session",
            "this is when a session timer runs out that nobody refreshed",
        ),
        (
            "timer-nat",
            "5 min is how long many firewalls keep an idle connection",
        ),
        (
            "timer-limit",
            "a whole number of hours is a limit that somebody set",
        ),
    ],
    across,
    ..Rule::PLAIN
};

/// Talk times of known timers, in seconds, and which it is. Of session timers it is the interval less
/// the smaller of 32 s and a third of it (RFC 4028 §10): 90, 120, 180, 300, 600, 900, 1800, 3600.
const TIMERS: [(i64, &str); 15] = [
    (30, "timer-media"),
    (32, "timer-ack"),
    (60, "timer-media"),
    (88, "timer-session"),
    (148, "timer-session"),
    (268, "timer-session"),
    (300, "timer-nat"),
    (568, "timer-session"),
    (868, "timer-session"),
    (900, "timer-session"),
    (1768, "timer-session"),
    (1800, "timer-session"),
    (3568, "timer-session"),
    (3600, "timer-limit"),
    (7200, "timer-limit"),
];

const ENOUGH: usize = 3;

fn across(ledger: &Ledger, found: &mut Across) {
    for (address, account) in ledger.by_address() {
        let mut talks: Vec<(i64, &Sample)> = account
            .samples
            .iter()
            .filter_map(|s| Some((s.talked?, s)))
            .collect();
        talks.sort_by_key(|(talked, s)| (*talked, s.call));
        let Some((timer, same)) = cluster(&talks) else {
            continue;
        };
        let by = |side| same.iter().all(|(_, s)| s.ended_by == Some(side));
        // All calls to one announcement are equally long as well; then they are all of them.
        if same.len() * 2 < talks.len() || !(by(Side::Caller) || by(Side::Callee)) {
            continue;
        }
        let acts = if by(Side::Callee) {
            Acts::Callee
        } else {
            Acts::Caller
        };
        let Some(finding) = found.add(Confidence::Possible, acts) else {
            continue;
        };
        let talked = same.first().map_or(0, |(talked, _)| *talked);
        let own = &mut finding.finding;
        // Nothing failed, and equal lengths may have other reasons.
        own.severity = Severity::Info;
        own.element(address.to_string());
        let timer = RULE.template(timer).unwrap_or_default();
        own.args(
            Args::new()
                .count("calls", same.len())
                .count("all", talks.len())
                .duration("talked", talked)
                .text("timer", timer),
        );
        finding.count = same.len() as u64;
        let times = || same.iter().map(|(_, s)| s.start);
        finding.times = times().min().zip(times().max());
        let shown = same.iter().filter_map(|(_, s)| {
            let ended = ledger
                .ended_at
                .values()
                .flatten()
                .find(|e| e.bye.call == s.call)?;
            Some((ended.bye.clone(), note("example")))
        });
        let shown: Vec<(_, Template)> = shown.take(2).collect();
        finding.exhibits.extend(shown);
    }
}

// The timer that most talk times agree with, and those calls.
fn cluster<'a, 'b>(
    talks: &'b [(i64, &'a Sample)],
) -> Option<(&'static str, &'b [(i64, &'a Sample)])> {
    let near = |seconds: i64| {
        let (from, until) = (seconds * SECOND - SECOND / 2, seconds * SECOND + SECOND);
        let first = talks.partition_point(|(talked, _)| *talked < from);
        let end = talks.partition_point(|(talked, _)| *talked <= until);
        talks.get(first..end).unwrap_or_default()
    };
    let all = TIMERS
        .iter()
        .map(|(seconds, timer)| (*timer, near(*seconds)));
    let best = all.max_by_key(|(_, same)| same.len());
    best.filter(|(_, same)| same.len() >= ENOUGH)
}
