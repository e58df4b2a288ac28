//! F1: a program that looks for open servers, not a call of anybody's.

use super::super::finding::{Evidence, note};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::field::Field;
use crate::message::hints::Hint;
use crate::message::{Header, Method};
use crate::session::{Call, Outcome};
use memchr::memmem;

/// The rule.
pub static RULE: Rule = Rule {
    id: "scanner-traffic",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    rfc: &[(3261, "26.1")],
    title: "a scanner tries {element}, this is no call of yours",
    why: "{source} calls itself {agent}, as programs do that search the Internet for SIP servers, names and weak passwords; whatever it was answered, nobody misses this call",
    fix: "Block the source in the firewall or with fail2ban, and let only addresses in that you know, if you can. Leave it out when you count failed calls.",
    sentences: &[
        (
            "why-from",
            "{source} sends the From that a known scanner sends ({agent}); such programs search the Internet for SIP servers, names and weak passwords; whatever it was answered, nobody misses this call",
        ),
        ("named", "what the sender says of itself"),
    ],
    explains: &[
        "auth-algorithm-unsupported",
        "auth-challenge-not-received",
        "auth-digest-params",
        "auth-no-credentials-sent",
        "auth-realm-or-domain-mismatch",
        "auth-retry-malformed",
        "auth-stale-nonce",
        "auth-wrong-credentials",
        "dest-not-found",
        "dest-unavailable-480",
        "final-not-acked",
        "policy-403",
        "reg-rejected",
        "reg-timeout",
        "request-no-response",
    ],
    check,
    ..Rule::PLAIN
};

/// What scanners call themselves in User-Agent, and whether others do so too. Tools of
/// administrators (sipsak, SIPp) are none.
const AGENTS: [(&str, Confidence); 7] = [
    ("friendly-scanner", Confidence::Certain),
    ("sipvicious", Confidence::Certain),
    ("sundayddr", Confidence::Certain),
    ("sip-scan", Confidence::Certain),
    ("sipscan", Confidence::Certain),
    ("sipcli/", Confidence::Likely),
    ("pplsip", Confidence::Likely),
];

/// What stands in From: sipvicious, and the service scan of nmap.
const SENDERS: [&str; 3] = ["\"sipvicious\"", "<sip:100@1.1.1.1>", "<sip:nm@nm>"];

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    // What a scanner reaches by a call or a registration that succeeds is more than noise: a rule of
    // its own says so.
    if call.outcome == Outcome::Succeeded && call.method != Method::Options {
        return;
    }
    let Some((header, confidence, field)) = fingerprint(call) else {
        return;
    };
    let Some(finding) = found.add(confidence, Acts::Operator) else {
        return;
    };
    let Some(request) = call.first() else { return };
    let agent: String = request
        .message()
        .slice(header.value)
        .chars()
        .take(80)
        .collect();
    let target = super::super::finding::receiver(request);
    finding.element(target).args(
        Args::new()
            .text("source", super::super::finding::sender(request))
            .text("agent", agent),
    );
    if field == Field::From {
        finding.why("why-from");
    }
    finding.proof(Evidence::of_header(0, header, header.value, note("named")));
}

/// Does the request come from a known scanner?
pub(super) fn is_scanner(call: &Call) -> bool {
    fingerprint(call).is_some()
}

/// The header that tells a scanner, how surely, and which one it is.
pub(super) fn fingerprint(call: &Call) -> Option<(Header, Confidence, Field)> {
    const LONGEST: usize = 256;
    call.first().filter(|m| m.head.hints.has(Hint::Scanner))?;
    let fields = call.fields(0);
    let read = |field| {
        let header = fields
            .first(field)
            .filter(|_| call.first().is_some_and(|m| m.head.is_request()))?;
        let value = header.value.of(fields.raw);
        Some((header, value.get(..LONGEST).unwrap_or(value)))
    };
    if let Some((header, value)) = read(Field::UserAgent) {
        let value = value.to_ascii_lowercase();
        let of = |(name, _): &&(&str, Confidence)| memmem::find(&value, name.as_bytes()).is_some();
        if let Some((_, confidence)) = AGENTS.iter().find(of) {
            return Some((header, *confidence, Field::UserAgent));
        }
    }
    let (header, value) = read(Field::From)?;
    SENDERS
        .iter()
        .any(|sender| memmem::find(value, sender.as_bytes()).is_some())
        .then_some((header, Confidence::Certain, Field::From))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Head;

    // What carries no hint is not looked at.
    #[test]
    fn every_scanner_that_is_known_is_hinted_at() {
        let agents = AGENTS.iter().flat_map(|(name, _)| {
            let spelled = [(*name).to_owned(), name.to_ascii_uppercase()];
            spelled.map(|name| format!("User-Agent: x {name} 1.0"))
        });
        let senders = SENDERS
            .iter()
            .map(|sender| format!("From: \"<\" {sender};tag=1"));
        for header in agents.chain(senders) {
            for method in ["OPTIONS", "BYE"] {
                let raw = format!("{method} sip:a@b SIP/2.0\r\n{header}\r\n\r\n");
                let head = Head::read(raw.as_bytes()).unwrap();
                assert!(head.hints.has(Hint::Scanner), "{raw}");
            }
        }
        let raw =
            b"OPTIONS sip:a@b SIP/2.0\r\nUser-Agent: Example Phone\r\nFrom: <sip:a@b>\r\n\r\n";
        assert!(!Head::read(raw).unwrap().hints.has(Hint::Scanner));
    }
}
