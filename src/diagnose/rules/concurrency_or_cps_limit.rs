//! Q7: calls to a peer fail only while many others are up.

use super::super::across::{Members, Sample};
use super::super::finding::note;
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};
use crate::session::Outcome;

/// The rule.
pub static RULE: Rule = Rule {
    id: "concurrency-or-cps-limit",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Time, Need::Addresses],
    codes: &[403, 480, 486, 503, 603],
    rfc: &[(3261, "21.5.4")],
    title: "calls to {element} fail once {limit} are up",
    why: "{failed} calls to {element} were refused with {code}, each while at least {limit} others were up; of {succeeded} that succeeded none met more than {most}: the number of calls at once is limited there",
    fix: "Compare the limit of parallel calls of the account or trunk with what is needed: buy more channels, spread calls over further trunks, or hold calls back before they are sent.",
    sentences: &[
        ("first", "the first call that was refused"),
        ("last", "the last one"),
    ],
    across,
    ..Rule::PLAIN
};

const LEAST_FAILED: usize = 5;
const LEAST_SUCCEEDED: usize = 20;

fn across(ledger: &Ledger, found: &mut Across) {
    for (address, account) in ledger.by_address() {
        let refused = |s: &&Sample| {
            matches!(s.code, 403 | 480 | 486 | 503 | 603) && s.outcome != Outcome::Succeeded
        };
        let failed: Vec<&Sample> = account.samples.iter().filter(refused).collect();
        let good = account
            .samples
            .iter()
            .filter(|s| s.outcome == Outcome::Succeeded)
            .count();
        if failed.len() < LEAST_FAILED || good < LEAST_SUCCEEDED {
            continue;
        }
        let up = concurrent(&account.samples);
        let of = |which: fn(&Sample) -> bool| {
            let pairs = account.samples.iter().zip(&up);
            pairs.filter(move |(s, _)| which(s)).map(|(_, up)| *up)
        };
        let limit = of(|s| {
            matches!(s.code, 403 | 480 | 486 | 503 | 603) && s.outcome != Outcome::Succeeded
        })
        .min();
        let most = of(|s| s.outcome == Outcome::Succeeded).max();
        let (Some(limit), Some(most)) = (limit, most) else {
            continue;
        };
        if limit < 2 || limit < most {
            continue;
        }
        let Some(finding) = found.add(Confidence::Likely, Acts::Caller) else {
            continue;
        };
        let code = failed.first().map_or(0, |s| s.code);
        let own = &mut finding.finding;
        own.element(address.to_string());
        own.args(
            Args::new()
                .count("failed", failed.len())
                .count("succeeded", good)
                .count("limit", limit)
                .count("most", most)
                .code("code", code),
        );
        finding.members = Some(Members {
            source: None,
            destination: Some(address),
            codes: RULE.codes,
        });
        finding.count = failed.len() as u64;
        let times = || failed.iter().map(|s| s.start);
        finding.times = times().min().zip(times().max());
        let (first, last) = (account.first_failure.clone(), account.last_failure.clone());
        finding
            .exhibits
            .extend(first.map(|exhibit| (exhibit, note("first"))));
        finding
            .exhibits
            .extend(last.map(|exhibit| (exhibit, note("last"))));
    }
}

// How many other calls were up when each began.
fn concurrent(samples: &[Sample]) -> Vec<usize> {
    let answered = |s: &&Sample| s.outcome == Outcome::Succeeded;
    let mut starts: Vec<i64> = samples.iter().filter(answered).map(|s| s.start).collect();
    let mut ends: Vec<i64> = samples
        .iter()
        .filter(answered)
        .map(|s| s.end.unwrap_or(i64::MAX))
        .collect();
    starts.sort_unstable();
    ends.sort_unstable();
    let before = |list: &[i64], time: i64| list.partition_point(|other| *other < time);
    samples
        .iter()
        .map(|s| before(&starts, s.start).saturating_sub(before(&ends, s.start)))
        .collect()
}
