//! L7: From or To of an answer is not that of its request.

use super::super::finding::{Evidence, Template, note, sender};
use super::super::lint::{self, Defect, Mark, Reaction, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::Header;
use crate::message::uri::{Uri, addr_spec};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "from-to-changed",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "8.2.6.2")],
    title: "{header} of {what} is not that of the request",
    why: "{writer} answered with another address in {header} than the request has: an answer copies From and To and adds a tag in To, no more; a sender that compares them takes the answer for none of its own",
    fix: "Find what rewrites {header} at {writer} (a number plan, a script, a setting that hides addresses), and let it put the address of the request back into its answers.",
    sentences: &[
        (
            "why-taken",
            "{writer} answered with another address in {header} than the request has: an answer copies From and To and adds a tag in To, no more; {asker} took the answer all the same, for its {method} has the tag of the answer",
        ),
        ("changed", "the request had {had} here"),
        ("uses", "it has the tag that only the answer gave out"),
    ],
    check,
    ..Rule::PLAIN
};

const DEFECT: Defect = Defect {
    weight: Weight::Risky,
    codes: &[],
    topics: &[],
    copied: false,
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    // What is acknowledged and not asked again was taken: nobody minded.
    let unacknowledged = || found.has("2xx-not-acked") || found.has("final-not-acked");
    let asked_again = |m: &Stored| m.head.is_request() && m.copy.is_some();
    let minded = || unacknowledged() || call.messages.iter().any(asked_again);
    if call.outcome == Outcome::Succeeded || !minded() {
        return;
    }
    let broken = |index: usize, m: &Stored| {
        let (_, header, _) = changed(call, index, m)?;
        Some(Mark::header(header, header.value))
    };
    for mut case in lint::cases(call, &DEFECT, &broken) {
        let Some((name, _, had)) = changed(call, case.message, case.stored) else {
            continue;
        };
        let used = used(call, case.stored);
        let weight = match used {
            Some(_) => Weight::Harmless,
            None => Weight::Risky,
        };
        // Answers are found by their Via; what became of this one is no proof against From and To.
        case.reaction = Reaction::Taken;
        let defect = Defect { weight, ..DEFECT };
        let changed = Template::new("changed", Args::new().text("had", had));
        let Some(finding) = lint::add(found, call, context, &defect, &case, changed) else {
            continue;
        };
        finding.args(Args::new().text("header", name));
        if let Some((at, m)) = used {
            finding.why("why-taken").args(
                Args::new()
                    .text("asker", sender(m))
                    .text("method", m.message().method_name()),
            );
            finding.proof(Evidence::start_line(at, m, note("uses")));
        }
    }
}

/// The header of an answer that names somebody else than its request does on the same hop, and whom
/// that named.
pub(super) fn changed(
    call: &Call,
    index: usize,
    m: &Stored,
) -> Option<(&'static str, Header, String)> {
    // Names in a log may be masked.
    if m.head.is_request() || m.head.code() == Some(100) || !lint::has_bytes(m) {
        return None;
    }
    let request = call.messages.get(call.transaction_of(index)?.request()?)?;
    let same_hop = request.stamp.sender().is(m.stamp.receiver())
        && request.stamp.receiver().is(m.stamp.sender());
    if !same_hop || !lint::has_bytes(request) {
        return None;
    }
    ["From", "To"].into_iter().find_map(|name| {
        let (own, asked) = (m.message().header(name)?, request.message().header(name)?);
        let (own_text, asked_text) = (own.value.of(&m.raw), asked.value.of(&request.raw));
        let now = Uri::parse(addr_spec(own_text))?;
        let had = Uri::parse(addr_spec(asked_text))?;
        let same = plain(now.user) == plain(had.user) && now.host.eq_ignore_ascii_case(had.host);
        (!same).then(|| (name, own, had.bare()))
    })
}

// A user part without its parameters, escapes resolved (RFC 3261 §19.1.4).
fn plain(user: &[u8]) -> Vec<u8> {
    let user = user.split(|b| b":;".contains(b)).next().unwrap_or_default();
    let mut out = Vec::with_capacity(user.len());
    let mut rest = user;
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        match (first, digit(0).zip(digit(1))) {
            (b'%', Some((high, low))) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

// A later request of the asker with the tag of this answer.
fn used<'a>(call: &'a Call, answer: &Stored) -> Option<(usize, &'a Stored)> {
    let tag = answer.keys.to_tag;
    call.originals().find(|(_, m)| {
        tag != 0
            && m.head.is_request()
            && m.keys.to_tag == tag
            && m.stamp.sender().is(answer.stamp.receiver())
    })
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn users_are_compared_without_escapes_and_parameters() {
        assert_eq!(plain(b"%2b49;phone-context=x"), b"+49");
        assert_eq!(plain(b"a%zz%4"), b"a%zz%4");
    }
}
