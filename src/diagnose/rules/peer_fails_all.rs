//! One peer refuses or ignores every call: the fault of a trunk, not of a call.

use super::super::finding::note;
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    id: "peer-fails-all",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Addresses],
    rfc: &[(3261, "21.5.4"), (3261, "17.1.1.2")],
    title: "every call to {element} fails",
    why: "all {calls} calls that were sent to {element} failed, {same} of them with {code}: what fails for everybody is a fault of that peer, of the account used there or of the way to it, and not of a single call",
    fix: "Look at the first of these calls for the cause, and test the peer with one call to a number that is known to work. Ask its operator whether the account is active and whether calls from this address are allowed, and let routing pass it by as long as it fails.",
    sentences: &[
        (
            "why-silence",
            "none of the {calls} calls that were sent to {element} got a final answer: that peer is down, or the way to it is broken, and not a single call",
        ),
        (
            "why-mostly-silence",
            "all {calls} calls that were sent to {element} failed, {same} of them without a final answer: that is a fault of that peer or of the way to it, and not of a single call. {rest} of them got a final answer, so address and port are right, and the way was open then",
        ),
        (
            "why-one-number",
            "all {calls} calls that were sent to {element} failed, {same} of them with {code}; all are from one caller to one number, so it may be that number or that caller as well as the peer",
        ),
        ("first", "the first of them"),
        ("last", "the last of them"),
    ],
    across,
    ..Rule::PLAIN
};

/// Fewer calls than this may fail one by one.
const ENOUGH: u64 = 5;

fn across(ledger: &Ledger, found: &mut Across) {
    for (address, account) in ledger.by_address() {
        let failed: u64 = account.failed.values().sum();
        let most = account
            .failed
            .iter()
            .max_by_key(|(code, count)| (**count, **code));
        let Some((&code, &same)) = most else { continue };
        // Somebody said no: a person, or a server that does not know the number.
        let personal = matches!(code, 404 | 484 | 486 | 487 | 600 | 603..=608);
        // Refused for reasons of their own: caller number, destination, limit.
        let personal = personal || (code == 403 && account.forbidden.len() > 1);
        // What is no proper request is refused or left alone; its own finding says what is wrong with it.
        let personal = personal || (matches!(code, 0 | 400) && account.by_caller * 2 > failed);
        if account.calls < ENOUGH || failed < account.calls || same * 10 < failed * 8 || personal {
            continue;
        }
        // A number that fails is no peer that fails; silence is no matter of the number.
        let sure = match code == 0 || account.is_varied() {
            true => Confidence::Likely,
            false => Confidence::Possible,
        };
        let Some(finding) = found.add(sure, Acts::Operator) else {
            continue;
        };
        let own = &mut finding.finding;
        own.element(address.to_string());
        own.args(
            Args::new()
                .count("calls", to_size(failed))
                .count("same", to_size(same))
                .count("rest", to_size(failed - same))
                .code("code", code),
        );
        match code {
            0 if same == failed => drop(own.why("why-silence")),
            0 => drop(own.why("why-mostly-silence")),
            _ if sure == Confidence::Possible => drop(own.why("why-one-number")),
            _ => {}
        }
        finding.count = failed;
        let (first, last) = (account.first_failure.clone(), account.last_failure.clone());
        finding.times = first
            .as_ref()
            .zip(last.as_ref())
            .and_then(|(a, b)| Some((a.time?, b.time?)));
        finding
            .exhibits
            .extend(first.map(|exhibit| (exhibit, note("first"))));
        finding
            .exhibits
            .extend(last.map(|exhibit| (exhibit, note("last"))));
    }
}

fn to_size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
