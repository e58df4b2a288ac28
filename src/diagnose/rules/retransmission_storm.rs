//! T13: many requests to a peer have to be sent more than once.

use super::super::finding::note;
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    id: "retransmission-storm",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "17.1.1.2"), (3261, "17.1.2.2"), (3261, "17.2.1")],
    title: "{percent} % of the requests to {element} had to be repeated",
    why: "{repeated} of {all} requests that {element} answered had to be sent more than once; {most} of these were answered at once when a later copy came, so the first copies were lost on the way",
    fix: "Look for loss on the way to {element}: interface errors and drops, a full link or queue, a firewall with too small a table, a receive buffer of the SIP service that overflows.",
    sentences: &[
        (
            "why-slow",
            "{repeated} of {all} requests that {element} answered had to be sent more than once; for {most} of these the answer came late and not with a copy, so {element} takes longer than the half second for which a sender waits",
        ),
        (
            "fix-slow",
            "Look at the load of {element} at that time: CPU, workers that are all busy, slow lookups in databases, DNS or number portability. Where INVITEs are among the requests, it should answer them with 100 at once, before any of these.",
        ),
        (
            "why-unheard",
            "{repeated} of {all} requests that {element} answered had to be sent more than once; {most} of these were repeated after the answer was seen, so answers are lost between here and the one who asked, or come there too late",
        ),
        (
            "fix-unheard",
            "Look for loss on the way back from {element}: interface errors and drops, a full link or queue, a NAT or firewall that lets some answers through and others not.",
        ),
        ("first", "the first that was repeated"),
        ("last", "the last one"),
    ],
    across,
    ..Rule::PLAIN
};

/// Fewer requests say little.
const ENOUGH: u64 = 20;
/// Fewer repeats happen by chance.
const LEAST: u64 = 3;
/// One in so many.
const RATIO: u64 = 20;

fn across(ledger: &Ledger, found: &mut Across) {
    for (address, account) in ledger.by_address() {
        let seen = &account.exchanged;
        let repeated = seen.lost + seen.slow + seen.unheard;
        if seen.all < ENOUGH || repeated < LEAST || repeated * RATIO < seen.all {
            continue;
        }
        let kinds = [
            (seen.lost, "why", "fix", Acts::Network),
            (seen.slow, "why-slow", "fix-slow", Acts::Callee),
            (seen.unheard, "why-unheard", "fix-unheard", Acts::Network),
        ];
        let Some((most, why, fix, acts)) = kinds.into_iter().max_by_key(|kind| kind.0) else {
            continue;
        };
        let confidence = match most * 2 > repeated {
            true => Confidence::Likely,
            false => Confidence::Possible,
        };
        let Some(finding) = found.add(confidence, acts) else {
            continue;
        };
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        finding.finding.element(address.to_string()).args(
            Args::new()
                .count("percent", size(repeated * 100 / seen.all))
                .count("repeated", size(repeated))
                .count("all", size(seen.all))
                .count("most", size(most)),
        );
        finding.finding.why(why).fix(fix);
        finding.count = repeated;
        let (first, last) = (seen.first.clone(), seen.last.clone());
        let times = first.as_ref().zip(last.as_ref());
        finding.times = times.and_then(|(a, b)| Some((a.time?, b.time?)));
        let shown = [(first, "first"), (last, "last")];
        let exhibits = shown
            .into_iter()
            .filter_map(|(exhibit, id)| Some((exhibit?, note(id))));
        finding.exhibits.extend(exhibits);
    }
}
