//! The rules: one file each, ending in one static record.

// Plain lines and no macro: rustfmt does not see modules that a macro declares.
pub mod advertised_address_wrong;
pub mod auth_no_credentials_sent;
pub mod auth_wrong_credentials;
pub mod busy;
pub mod caller_abandoned;
pub mod calls_end_together;
pub mod capture_one_sided;
pub mod capture_partial_call;
pub mod carrier_congestion;
pub mod codec_no_common;
pub mod concurrency_or_cps_limit;
pub mod contact_missing_or_multiple;
pub mod cseq_out_of_order_500;
pub mod dest_address_incomplete;
pub mod dest_gone_or_changed;
pub mod dest_not_found;
pub mod dest_unavailable_480;
pub mod endpoint_address_changed_midcall;
pub mod extension_enumeration;
pub mod fixed_duration_drop;
pub mod four81_state_lost;
pub mod four81_tag_mismatch;
pub mod glare_491;
pub mod half_dead_call;
pub mod hold_not_resumed;
pub mod icmp_unreachable;
pub mod internal_name_leak;
pub mod message_too_large_513;
pub mod method_not_allowed;
pub mod nat_detected;
pub mod overlapping_invite_500;
pub mod peer_fails_all;
pub mod private_contact;
pub mod private_sdp;
pub mod proxy_bypassed;
pub mod reg_storm;
pub mod reinvite_rejected_session_survives;
pub mod remote_target_ignored;
pub mod request_no_response;
pub mod require_unsupported_420;
pub mod response_to_wrong_port;
pub mod retry_amplification;
pub mod ring_no_answer;
pub mod route_set_broken;
pub mod rtp_profile_mismatch;
pub mod sip_alg_mangling;
pub mod twoxx_not_acked;
pub mod udp_too_big;
pub mod unwanted_607;
pub mod uri_scheme_416_or_domain;

/// Every rule, in the order in which they are run and their findings printed. Rules on capture
/// quality come first, because rules about something missing ask for them.
pub static RULES: &[&super::Rule] = &[
    &capture_one_sided::RULE,
    &capture_partial_call::RULE,
    &response_to_wrong_port::RULE,
    &private_contact::RULE,
    &internal_name_leak::RULE,
    &advertised_address_wrong::RULE,
    &sip_alg_mangling::RULE,
    &contact_missing_or_multiple::RULE,
    &route_set_broken::RULE,
    &icmp_unreachable::RULE,
    &udp_too_big::RULE,
    &message_too_large_513::RULE,
    &auth_wrong_credentials::RULE,
    &auth_no_credentials_sent::RULE,
    &unwanted_607::RULE,
    &carrier_congestion::RULE,
    &rtp_profile_mismatch::RULE,
    &require_unsupported_420::RULE,
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
    &four81_tag_mismatch::RULE,
    &four81_state_lost::RULE,
    &glare_491::RULE,
    &overlapping_invite_500::RULE,
    &cseq_out_of_order_500::RULE,
    &hold_not_resumed::RULE,
    &reinvite_rejected_session_survives::RULE,
    &remote_target_ignored::RULE,
    &proxy_bypassed::RULE,
    &half_dead_call::RULE,
    &endpoint_address_changed_midcall::RULE,
    &private_sdp::RULE,
    &nat_detected::RULE,
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
