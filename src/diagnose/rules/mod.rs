//! The rules: one file each, ending in one static record.

// Plain lines and no macro: rustfmt does not see modules that a macro declares.
pub mod auth_no_credentials_sent;
pub mod auth_wrong_credentials;
pub mod bad_request_400;
pub mod body_without_type;
pub mod branch_invalid;
pub mod busy;
pub mod call_id_reuse;
pub mod caller_abandoned;
pub mod calls_end_together;
pub mod capture_one_sided;
pub mod capture_partial_call;
pub mod carrier_congestion;
pub mod codec_no_common;
pub mod concurrency_or_cps_limit;
pub mod cseq_method_mismatch;
pub mod dest_address_incomplete;
pub mod dest_gone_or_changed;
pub mod dest_not_found;
pub mod dest_unavailable_480;
pub mod duplicate_single_header;
pub mod extension_enumeration;
pub mod fixed_duration_drop;
pub mod header_misspelled;
pub mod header_value_numeric;
pub mod icmp_unreachable;
pub mod line_endings;
pub mod mandatory_header_missing;
pub mod max_forwards_range;
pub mod message_too_large_513;
pub mod method_not_allowed;
pub mod option_tag_contradiction;
pub mod peer_fails_all;
pub mod reg_storm;
pub mod request_no_response;
pub mod retry_amplification;
pub mod ring_no_answer;
pub mod sdp_version;
pub mod tags;
pub mod twoxx_not_acked;
pub mod udp_too_big;
pub mod unwanted_607;
pub mod uri_scheme_416_or_domain;
pub mod uri_syntax;
pub mod via_stack_anomaly;

/// Every rule, in the order in which they are run and their findings printed. Rules on capture
/// quality come first, because rules about something missing ask for them.
pub static RULES: &[&super::Rule] = &[
    &capture_one_sided::RULE,
    &capture_partial_call::RULE,
    &icmp_unreachable::RULE,
    &udp_too_big::RULE,
    &message_too_large_513::RULE,
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
    &header_misspelled::RULE,
    &mandatory_header_missing::RULE,
    &cseq_method_mismatch::RULE,
    &branch_invalid::RULE,
    &via_stack_anomaly::RULE,
    &line_endings::RULE,
    &max_forwards_range::RULE,
    &tags::RULE,
    &duplicate_single_header::RULE,
    &uri_syntax::RULE,
    &call_id_reuse::RULE,
    &body_without_type::RULE,
    &header_value_numeric::RULE,
    &option_tag_contradiction::RULE,
    &sdp_version::RULE,
    &bad_request_400::RULE,
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
