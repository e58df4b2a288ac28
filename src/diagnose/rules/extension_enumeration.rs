//! F2: somebody tries one user after the other.

use super::super::across::Members;
use super::super::finding::note;
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};
use crate::session::clock::SECOND;

/// The rule.
pub static RULE: Rule = Rule {
    id: "extension-enumeration",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(3261, "26.1.1")],
    title: "{element} tries one user after the other",
    why: "{element}{agent} asked for {users} different users within {span} and nothing succeeded: it looks for extensions that exist or take a weak password",
    fix: "Block {element} at the firewall, answer unknown users as those with a wrong password (the same code, as late), and limit how often one address may ask.",
    sentences: &[
        (
            "why-leak",
            "{element}{agent} asked for {users} different users within {span} and nothing succeeded; the server answers some with 401 or 407 and others with 403 or 404, and so tells which of them exist",
        ),
        ("first", "its first request"),
    ],
    across,
    ..Rule::PLAIN
};

const ENOUGH: usize = 10;

fn across(ledger: &Ledger, found: &mut Across) {
    for (address, source) in ledger.by_source() {
        let Some((first, last)) = source.times else {
            continue;
        };
        let minutes = (last - first) / (60 * SECOND) + 1;
        let per_minute = source.users.len() / usize::try_from(minutes).unwrap_or(usize::MAX).max(1);
        if source.succeeded > 0 || source.users.len() < ENOUGH || per_minute < ENOUGH {
            continue;
        }
        let asked = |codes: &[u16]| codes.iter().any(|code| source.finals.contains_key(code));
        if !asked(&[401, 403, 404, 407]) {
            continue;
        }
        let Some(finding) = found.add(Confidence::Likely, Acts::Operator) else {
            continue;
        };
        let own = &mut finding.finding;
        own.element(address.to_string());
        let agent = match source.agent.as_str() {
            "" => String::new(),
            agent => format!(" ({agent})"),
        };
        own.args(
            Args::new()
                .count("users", source.users.len())
                .duration("span", last - first)
                .text("agent", agent),
        );
        if asked(&[401, 407]) && asked(&[403, 404]) {
            own.why("why-leak");
        }
        finding.members = Some(Members {
            source: Some(address),
            destination: None,
            codes: &[],
        });
        finding.count = source.entries;
        finding.times = source.times;
        finding
            .exhibits
            .extend(source.first.clone().map(|exhibit| (exhibit, note("first"))));
    }
}
