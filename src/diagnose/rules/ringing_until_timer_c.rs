//! T4: calls stop ringing after the same time, again and again.

use super::super::across::{Exhibit, LONG_RING, Sample};
use super::super::finding::note;
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};
use crate::session::Outcome;
use crate::session::clock::SECOND;

/// The rule.
pub static RULE: Rule = Rule {
    id: "ringing-until-timer-c",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "16.6"), (3261, "16.8"), (3261, "13.3.1.1")],
    title: "{calls} calls to {element} stopped ringing after {rang}",
    why: "{calls} of {all} unanswered calls to {element} rang for {rang}, within a second of each other (calls {numbers}): a ring time that is set somewhere ends them, not the callers, whatever is said of each of them alone",
    fix: "Leave it as it is if that is the ring time that is wanted; otherwise look for a ring, dial or answer timeout of that length on the calling side and at {element}. Where 3 minutes are the limit, it is the timer of a proxy: a callee that needs longer has to send a 1xx every minute.",
    sentences: &[("first", "the first of them"), ("last", "the last of them")],
    across,
    ..Rule::PLAIN
};

/// Fewer than this may ring equally long by chance.
const ENOUGH: usize = 3;
/// Spread of one timer, nanoseconds.
const SPREAD: i64 = SECOND;

fn across(ledger: &Ledger, found: &mut Across) {
    for (address, account) in ledger.by_address() {
        let unanswered = |s: &&Sample| {
            matches!(
                (s.outcome, s.code),
                (Outcome::Cancelled, _) | (Outcome::Failed, 408 | 480 | 487)
            )
        };
        let samples = account.samples.iter().filter(unanswered);
        let mut rings: Vec<(i64, &Sample)> = samples
            .filter_map(|s| Some((s.rang.filter(|rang| *rang >= LONG_RING)?, s)))
            .collect();
        rings.sort_by_key(|(rang, s)| (*rang, s.call));
        let same = densest(&rings);
        if same.len() < ENOUGH || same.len() * 2 < rings.len() {
            continue;
        }
        let Some(finding) = found.add(Confidence::Likely, Acts::Nobody) else {
            return;
        };
        let middle = same.get(same.len() / 2).map_or(0, |(rang, _)| *rang);
        let own = &mut finding.finding;
        own.element(address.to_string());
        own.args(
            Args::new()
                .count("calls", same.len())
                .text("numbers", numbers(same))
                .count("all", rings.len())
                .duration("rang", middle),
        );
        finding.count = same.len() as u64;
        let times = || same.iter().map(|(_, s)| s.start);
        finding.times = times().min().zip(times().max());
        let of_these = |e: &&Exhibit| same.iter().any(|(_, s)| s.call == e.call);
        let mut ends = account.unanswered.iter().filter(of_these);
        let (first, last) = (ends.next(), ends.next_back());
        let shown = [(first, "first"), (last, "last")];
        let shown = shown
            .into_iter()
            .filter_map(|(end, id)| Some((end?.clone(), note(id))));
        finding.exhibits.extend(shown);
    }
}

// The first of the calls, by number: `1, 2, 4, ...`.
fn numbers(same: &[(i64, &Sample)]) -> String {
    const MOST: usize = 12;
    let mut all: Vec<u64> = same.iter().map(|(_, s)| s.call).collect();
    all.sort_unstable();
    let mut shown: Vec<String> = all.iter().take(MOST).map(u64::to_string).collect();
    if all.len() > MOST {
        shown.push("...".to_owned());
    }
    shown.join(", ")
}

// The most rings that lie within the spread of one timer; they are sorted.
fn densest<'a, 'b>(rings: &'b [(i64, &'a Sample)]) -> &'b [(i64, &'a Sample)] {
    let within = |from: usize| {
        let start = rings.get(from).map_or(0, |(rang, _)| *rang);
        let rest = rings.get(from..).unwrap_or_default();
        let end = rest.partition_point(|(rang, _)| *rang <= start + SPREAD);
        rest.get(..end).unwrap_or_default()
    };
    let all = (0..rings.len()).map(within);
    all.max_by_key(|same| same.len()).unwrap_or_default()
}
