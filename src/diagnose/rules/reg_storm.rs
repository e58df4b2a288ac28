//! R9: many devices register at once.

use super::super::finding::note;
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};
use crate::session::clock::SECOND;

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-storm",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(5626, "4.5")],
    title: "{peak} registrations within {window} at {element}",
    why: "{peak} REGISTER requests began within {window} at {element}, where {usual} come in as long a time otherwise, and {failed} of {all} registrations did not succeed: many devices register at once, as after a restart or an outage, and keep the registrar from serving them",
    fix: "Let the registrar answer what it cannot take with 503 and Retry-After, each with another time; let devices wait a random time before they try again, longer each time; and spread their registration times.",
    sentences: &[
        (
            "why-first",
            "{peak} REGISTER requests began within {window} at {element}, and {failed} of {all} registrations did not succeed: many devices register at once, as after a restart or an outage, and keep the registrar from serving them",
        ),
        (
            "why-one",
            "{source} sent {peak} REGISTER requests within {window} to {element}, and {failed} of {all} registrations did not succeed: one system registers all its accounts at once, and more than the registrar takes in that time",
        ),
        (
            "fix-one",
            "Set {source} to spread the registrations of its accounts, and to wait a random time before it tries again, longer each time. Ask whoever runs {element} how many it takes in a second.",
        ),
        (
            "fix-told",
            "Let the registrar give each device another time in Retry-After, not the same to all; let devices wait a random time before they try again, longer each time; and spread their registration times.",
        ),
        ("refused", "the first that did not succeed"),
        ("last", "the last of these"),
    ],
    across,
    ..Rule::PLAIN
};

/// Length of the window, in seconds.
const WINDOW: i64 = 10;
/// Registrations in it that are many for any registrar that is looked at closely.
const MANY: u64 = 50;
/// How much more than usual.
const TIMES: u64 = 10;

fn across(ledger: &Ledger, found: &mut Across) {
    for (address, account) in ledger.by_address() {
        let (all, failed) = account.registrations;
        if all < MANY || failed * 5 < all {
            continue;
        }
        let by_second = &account.registered_at;
        let within = |from: i64| -> u64 {
            by_second
                .range(from..from + WINDOW)
                .map(|(_, count)| u64::from(*count))
                .sum()
        };
        let peak = by_second
            .keys()
            .map(|from| (within(*from), *from))
            .max_by_key(|(sum, from)| (*sum, -from));
        let (Some((peak, from)), Some((first, _)), Some((last, _))) = (
            peak,
            by_second.first_key_value(),
            by_second.last_key_value(),
        ) else {
            continue;
        };
        let windows = u64::try_from((last - first) / WINDOW).unwrap_or(0).max(1);
        let usual = (all - peak.min(all)) / windows;
        if peak < MANY || peak < TIMES * usual.max(1) {
            continue;
        }
        let source = account.registers_from.flatten();
        let acts = match source {
            Some(_) => Acts::Caller,
            None => Acts::Registrar,
        };
        let Some(finding) = found.add(Confidence::Likely, acts) else {
            continue;
        };
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let own = &mut finding.finding;
        own.element(address.to_string());
        own.args(
            Args::new()
                .count("peak", size(peak))
                .count("usual", size(usual))
                .count("all", size(all))
                .count("failed", size(failed))
                .duration("window", WINDOW * SECOND),
        );
        if let Some(source) = source {
            own.args(Args::new().text("source", source.to_string()));
            own.why("why-one").fix("fix-one");
        } else if last - first < 2 * WINDOW {
            own.why("why-first");
        }
        if source.is_none() && ledger.backoffs.has_asked(address) {
            own.fix("fix-told");
        }
        finding.count = peak;
        finding.times = Some((from * SECOND, (from + WINDOW) * SECOND));
        let refused = account
            .refused_registrations
            .iter()
            .zip(["refused", "last"]);
        let refused = refused.filter_map(|(exhibit, id)| Some((exhibit.clone()?, note(id))));
        finding.exhibits.extend(refused);
    }
}
