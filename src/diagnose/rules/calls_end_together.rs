//! Calls that began at different times end in the same second: something other than people ended them.

use super::super::finding::note;
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};
use crate::session::clock::SECOND;

/// The rule.
pub static RULE: Rule = Rule {
    id: "calls-end-together",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    rfc: &[(3261, "15.1")],
    title: "{calls} calls ended within one second",
    why: "{calls} of the {live} calls that were up then ended within one second, though they had begun at different times over {span}: not people ended them, but a restart, a lost trunk or network, or a limit",
    fix: "Look at {element} at that second: a restart or failover of the service, a lost link, an expired licence, a maintenance job. Its log and that of the host say which.",
    sentences: &[
        ("first", "the first of them to end"),
        ("last", "the last of them to end"),
    ],
    across,
    ..Rule::PLAIN
};

/// Fewer calls than this end together by chance.
const ENOUGH: usize = 5;
/// They must have begun further apart than they ended.
const APART: i64 = 10 * SECOND;

fn across(ledger: &Ledger, found: &mut Across) {
    // A load generator begins and ends calls at one rate: what counts is a second that stands out.
    let seconds = || ledger.ended_at.values().map(Vec::len);
    let all: usize = seconds().sum();
    for (second, ended) in &ledger.ended_at {
        let others = all - ended.len();
        let usual = others.div_ceil(ledger.ended_at.len().max(2) - 1);
        let (Some(earliest), Some(latest)) = (
            ended.iter().map(|e| e.start).min(),
            ended.iter().map(|e| e.start).max(),
        ) else {
            continue;
        };
        if ended.len() < ENOUGH || ended.len() < 5 * usual || latest - earliest < APART {
            continue;
        }
        let live = ledger
            .ended_at
            .range(second + 1..)
            .flat_map(|(_, later)| later)
            .filter(|e| e.answered / SECOND <= *second)
            .count()
            + ended.len();
        if ended.len() * 2 < live {
            continue;
        }
        let Some(finding) = found.add(Confidence::Likely, Acts::Operator) else {
            continue;
        };
        let mut peers: Vec<_> = ended.iter().map(|e| e.peer).collect();
        peers.sort_unstable();
        peers.dedup();
        let shown: Vec<String> = peers.iter().take(3).map(ToString::to_string).collect();
        let more = if peers.len() > 3 { " and others" } else { "" };
        let own = &mut finding.finding;
        own.element(format!("{}{more}", shown.join(", ")));
        own.args(
            Args::new()
                .count("calls", ended.len())
                .count("live", live)
                .duration("span", latest - earliest),
        );
        finding.count = ended.len() as u64;
        let first = ended.iter().min_by_key(|e| e.bye.time);
        let last = ended.iter().max_by_key(|e| e.bye.time);
        finding.times = first
            .zip(last)
            .and_then(|(a, b)| Some((a.bye.time?, b.bye.time?)));
        finding
            .exhibits
            .extend(first.map(|e| (e.bye.clone(), note("first"))));
        finding
            .exhibits
            .extend(last.map(|e| (e.bye.clone(), note("last"))));
    }
}
