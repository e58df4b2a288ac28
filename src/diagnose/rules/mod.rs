//! The rules: one file each, ending in one static record.

// Plain lines and no macro: rustfmt does not see modules that a macro declares.
pub mod auth_algorithm_unsupported;
pub mod auth_challenge_not_received;
pub mod auth_digest_params;
pub mod auth_double_challenge;
pub mod auth_in_dialog_challenge;
pub mod auth_no_credentials_sent;
pub mod auth_realm_or_domain_mismatch;
pub mod auth_retry_malformed;
pub mod auth_stale_nonce;
pub mod auth_wrong_credentials;
pub mod busy;
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
pub mod fixed_duration_drop;
pub mod icmp_unreachable;
pub mod message_too_large_513;
pub mod method_not_allowed;
pub mod peer_fails_all;
pub mod reg_binding_missing_at_call;
pub mod reg_expiry_decay_or_flap;
pub mod reg_interval_too_brief;
pub mod reg_no_binding;
pub mod reg_private_contact;
pub mod reg_rejected;
pub mod reg_stale_bindings;
pub mod reg_storm;
pub mod reg_timeout;
pub mod request_no_response;
pub mod retry_amplification;
pub mod ring_no_answer;
pub mod scanner_traffic;
pub mod twoxx_not_acked;
pub mod udp_too_big;
pub mod unwanted_607;
pub mod uri_scheme_416_or_domain;

/// Every rule, in the order in which they are run and their findings printed. Rules on capture
/// quality come first, because rules about something missing ask for them.
pub static RULES: &[&super::Rule] = &[
    &capture_one_sided::RULE,
    &capture_partial_call::RULE,
    &scanner_traffic::RULE,
    &icmp_unreachable::RULE,
    &udp_too_big::RULE,
    &message_too_large_513::RULE,
    &auth_retry_malformed::RULE,
    &auth_digest_params::RULE,
    &auth_realm_or_domain_mismatch::RULE,
    &auth_double_challenge::RULE,
    &auth_stale_nonce::RULE,
    &auth_wrong_credentials::RULE,
    &auth_challenge_not_received::RULE,
    &auth_algorithm_unsupported::RULE,
    &auth_no_credentials_sent::RULE,
    &auth_in_dialog_challenge::RULE,
    &reg_interval_too_brief::RULE,
    &reg_rejected::RULE,
    &reg_binding_missing_at_call::RULE,
    &reg_private_contact::RULE,
    &reg_timeout::RULE,
    &reg_no_binding::RULE,
    &reg_stale_bindings::RULE,
    &reg_expiry_decay_or_flap::RULE,
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
    &retry_amplification::RULE,
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
