//! What the diagnosis and the final answer of the bad call speak of.

use super::fact::Topic::{self, *};

/// Rules by the begin of their ids, and the differences that they speak of.
const RULES: &[(&str, &[Topic])] = &[
    ("codec-no-common", &[Codec]),
    ("rtp-profile-mismatch", &[Profile]),
    ("private-sdp", &[Media]),
    ("hairpin", &[Media]),
    ("private-contact", &[Address]),
    ("reg-private-contact", &[Address]),
    ("advertised-address-wrong", &[Address, Media]),
    ("internal-name-leak", &[Address]),
    ("sip-alg-mangling", &[Address, Media]),
    ("nat-", &[Address, Timing]),
    ("response-to-wrong-port", &[Address]),
    ("auth-", &[Auth]),
    ("reg-rejected", &[Auth]),
    ("route-set-broken", &[Route]),
    ("ack-misrouted", &[Route, Address]),
    ("proxy-bypassed", &[Route]),
    ("remote-target-ignored", &[Uri, Address]),
    ("2xx-not-acked", &[Message, Route, Address]),
    ("final-not-acked", &[Message, Route]),
    ("contact-missing", &[Header, Address]),
    ("mandatory-header-missing", &[Header]),
    ("bad-request-400", &[Header, Uri]),
    ("require-unsupported-420", &[Require]),
    ("option-tag-contradiction", &[Require]),
    ("session-", &[Session]),
    ("reg-interval-too-brief", &[Session]),
    ("udp-too-big", &[Size]),
    ("message-too-large-513", &[Size]),
    ("transport-mismatch", &[Transport]),
    ("tcp-", &[Transport]),
    ("tls-", &[Transport]),
    ("dest-", &[Uri]),
    ("uri-", &[Uri]),
    ("max-forwards", &[Forwards]),
    ("routing-loop", &[Forwards, Route, Uri]),
    ("anonymity-disallowed-433", &[Header, Uri]),
    ("policy-403", &[Attestation, Auth, Uri]),
    ("unwanted-607", &[Attestation]),
    ("rejected-608", &[Attestation]),
    ("hold-not-resumed", &[Direction]),
    ("reinvite-rejected", &[Direction, Codec]),
    ("trying-then-silence", &[Timing, Message]),
    ("408-origin", &[Timing, Message]),
    ("no-answer-timeout", &[Timing]),
    ("ring-no-answer", &[Timing]),
    ("caller-abandoned", &[Timing]),
    ("cancel-too-early", &[Timing]),
    ("late-final", &[Timing]),
    ("request-no-response", &[Transport]),
    ("retransmission-storm", &[Repeats]),
    ("bye-unanswered", &[Message, Address, Route]),
    ("half-dead-call", &[Media, Message]),
];

/// What a final answer speaks of.
const CODES: &[(u16, &[Topic])] = &[
    (400, &[Header, Uri]),
    (401, &[Auth]),
    (403, &[Auth, Attestation]),
    (404, &[Uri]),
    (407, &[Auth]),
    (410, &[Uri]),
    (413, &[Size]),
    (414, &[Uri]),
    (415, &[Header]),
    (416, &[Uri]),
    (420, &[Require]),
    (421, &[Supported]),
    (422, &[Session]),
    (423, &[Session]),
    (428, &[Attestation]),
    (433, &[Header]),
    (436, &[Attestation]),
    (437, &[Attestation]),
    (438, &[Attestation]),
    (482, &[Forwards, Route]),
    (483, &[Forwards, Route]),
    (484, &[Uri]),
    (485, &[Uri]),
    (488, &[Codec, Profile, Direction, Media]),
    (494, &[Require]),
    (513, &[Size]),
    (604, &[Uri]),
    (606, &[Codec, Profile, Media]),
    (607, &[Attestation]),
    (608, &[Attestation]),
];

/// Does the rule speak of such a difference?
pub(super) fn rule_speaks_of(rule: &str, topic: Topic) -> bool {
    let fits = |(begin, _): &&(&str, &[Topic])| rule.starts_with(begin);
    RULES
        .iter()
        .filter(fits)
        .any(|(_, topics)| topics.contains(&topic))
}

/// Does the code speak of such a difference?
pub(super) fn code_speaks_of(code: u16, topic: Topic) -> bool {
    let fits = |(known, _): &&(u16, &[Topic])| *known == code;
    CODES
        .iter()
        .filter(fits)
        .any(|(_, topics)| topics.contains(&topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_is_about_rules_that_exist() {
        for (begin, _) in RULES {
            let known = crate::diagnose::rules::RULES;
            assert!(
                known.iter().any(|rule| rule.id.starts_with(begin)),
                "{begin}"
            );
        }
    }
}
