//! The rules: one file each, ending in one static record.

// Plain lines and no macro: rustfmt does not see modules that a macro declares.
pub mod ack_misrouted;
pub mod auth_no_credentials_sent;
pub mod auth_wrong_credentials;
pub mod busy;
pub mod bye_unanswered;
pub mod caller_abandoned;
pub mod calls_end_together;
pub mod capture_one_sided;
pub mod capture_partial_call;
pub mod carrier_congestion;
pub mod codec_no_common;
pub mod concurrency_or_cps_limit;
pub mod dest_address_incomplete;
pub mod dest_gone_or_changed;
pub mod dest_not_found;
pub mod dest_unavailable_480;
pub mod extension_enumeration;
pub mod final_not_acked;
pub mod fixed_duration_drop;
pub mod icmp_unreachable;
pub mod late_final_after_timeout;
pub mod message_too_large_513;
pub mod method_not_allowed;
pub mod peer_fails_all;
pub mod refresh_rejected;
pub mod reg_storm;
pub mod request_no_response;
pub mod retransmission_storm;
pub mod retry_amplification;
pub mod ring_no_answer;
pub mod session_interval_422;
pub mod session_timer_expired;
pub mod twoxx_not_acked;
pub mod udp_too_big;
pub mod unwanted_607;
pub mod uri_scheme_416_or_domain;

/// Every rule, in the order in which they are run and their findings printed. Rules on capture
/// quality come first, because rules about something missing ask for them.
pub static RULES: &[&super::Rule] = &[
    &capture_one_sided::RULE,
    &capture_partial_call::RULE,
    &icmp_unreachable::RULE,
    &udp_too_big::RULE,
    &ack_misrouted::RULE,
    &message_too_large_513::RULE,
    &session_interval_422::RULE,
    &refresh_rejected::RULE,
    &session_timer_expired::RULE,
    &auth_wrong_credentials::RULE,
    &auth_no_credentials_sent::RULE,
    &unwanted_607::RULE,
    &carrier_congestion::RULE,
    &codec_no_common::RULE,
    &uri_scheme_416_or_domain::RULE,
    &dest_gone_or_changed::RULE,
    &dest_address_incomplete::RULE,
    &dest_not_found::RULE,
    &dest_unavailable_480::RULE,
    &ring_no_answer::RULE,
    &method_not_allowed::RULE,
    &busy::RULE,
    &caller_abandoned::RULE,
    &twoxx_not_acked::RULE,
    &request_no_response::RULE,
    &final_not_acked::RULE,
    &bye_unanswered::RULE,
    &late_final_after_timeout::RULE,
    &retry_amplification::RULE,
    &retransmission_storm::RULE,
    &peer_fails_all::RULE,
    &calls_end_together::RULE,
    &fixed_duration_drop::RULE,
    &concurrency_or_cps_limit::RULE,
    &reg_storm::RULE,
    &extension_enumeration::RULE,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static super::Rule> {
    RULES.iter().find(|rule| rule.id == id).copied()
}
