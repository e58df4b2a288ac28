//! The rules: one file each, ending in one static record.

// Plain lines and no macro: rustfmt does not see modules that a macro declares.
pub mod abnormal_clearing;
pub mod ack_misrouted;
pub mod advertised_address_wrong;
pub mod anonymity_disallowed_433;
pub mod answered_elsewhere;
pub mod answered_elsewhere_untrue;
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
pub mod bad_request_400;
pub mod body_without_type;
pub mod branch_invalid;
pub mod busy;
pub mod bye_unanswered;
pub mod call_id_reuse;
pub mod caller_abandoned;
pub mod calls_end_together;
pub mod cancel_200_crossing;
pub mod cancel_not_matching;
pub mod cancel_too_early;
pub mod capture_damaged;
pub mod capture_duplicates;
pub mod capture_one_sided;
pub mod capture_partial_call;
pub mod capture_truncated;
pub mod carrier_congestion;
pub mod clock_order;
pub mod codec_no_common;
pub mod concurrency_or_cps_limit;
pub mod contact_missing_or_multiple;
pub mod content_length_mismatch;
pub mod cseq_method_mismatch;
pub mod cseq_out_of_order_500;
pub mod declined_603;
pub mod dest_address_incomplete;
pub mod dest_gone_or_changed;
pub mod dest_not_found;
pub mod dest_unavailable_480;
pub mod duplicate_single_header;
pub mod endpoint_address_changed_midcall;
pub mod extension_enumeration;
pub mod extension_required_421;
pub mod final_not_acked;
pub mod fixed_duration_drop;
pub mod four08_origin;
pub mod four81_state_lost;
pub mod four81_tag_mismatch;
pub mod four87_missing;
pub mod from_to_changed;
pub mod generic_5xx_with_reason;
pub mod glare_491;
pub mod hairpin;
pub mod half_dead_call;
pub mod header_misspelled;
pub mod header_value_numeric;
pub mod hold_not_resumed;
pub mod icmp_unreachable;
pub mod internal_name_leak;
pub mod late_final_after_timeout;
pub mod line_endings;
pub mod mandatory_header_missing;
pub mod max_forwards_bad;
pub mod max_forwards_range;
pub mod merged_request_482;
pub mod message_failed;
pub mod message_too_large_513;
pub mod method_not_allowed;
pub mod nat_binding_expired;
pub mod nat_detected;
pub mod next_hop_unresolvable;
pub mod no_answer_timeout;
pub mod option_tag_contradiction;
pub mod options_refused;
pub mod overlapping_invite_500;
pub mod peer_fails_all;
pub mod policy_403;
pub mod private_contact;
pub mod private_sdp;
pub mod proxy_bypassed;
pub mod publish_rejected;
pub mod reason_status_conflict;
pub mod redirect_not_followed;
pub mod refresh_rejected;
pub mod reg_binding_missing_at_call;
pub mod reg_expiry_decay_or_flap;
pub mod reg_interval_too_brief;
pub mod reg_no_binding;
pub mod reg_private_contact;
pub mod reg_rejected;
pub mod reg_stale_bindings;
pub mod reg_storm;
pub mod reg_timeout;
pub mod reinvite_rejected_session_survives;
pub mod rejected_608;
pub mod remote_target_ignored;
pub mod repeated_so_far;
pub mod request_no_response;
pub mod require_unsupported_420;
pub mod response_to_wrong_port;
pub mod retransmission_storm;
pub mod retry_after_ignored;
pub mod retry_amplification;
pub mod ring_no_answer;
pub mod ringing_until_timer_c;
pub mod route_set_broken;
pub mod routing_loop;
pub mod rtp_profile_mismatch;
pub mod scanner_succeeded;
pub mod scanner_traffic;
pub mod sdp_version;
pub mod session_interval_422;
pub mod session_timer_expired;
pub mod signalling_encrypted;
pub mod sip_alg_mangling;
pub mod subscribe_rejected;
pub mod subscription_lost;
pub mod tags;
pub mod tcp_closed_midway;
pub mod tcp_connect_failed;
pub mod tls_handshake_failed;
pub mod transport_mismatch;
pub mod trying_then_silence;
pub mod twoxx_not_acked;
pub mod udp_too_big;
pub mod unwanted_607;
pub mod uri_scheme_416_or_domain;
pub mod uri_syntax;
pub mod via_stack_anomaly;

/// Every rule, in the order in which they are run and their findings listed. Rules on capture
/// quality come first, because rules about something missing ask for them.
pub static RULES: &[&super::Rule] = &[
    &capture_one_sided::RULE,
    &repeated_so_far::RULE,
    &capture_partial_call::RULE,
    &signalling_encrypted::RULE,
    &capture_truncated::RULE,
    &capture_damaged::RULE,
    &capture_duplicates::RULE,
    &clock_order::RULE,
    &response_to_wrong_port::RULE,
    &private_contact::RULE,
    &internal_name_leak::RULE,
    &advertised_address_wrong::RULE,
    &sip_alg_mangling::RULE,
    &contact_missing_or_multiple::RULE,
    &route_set_broken::RULE,
    &icmp_unreachable::RULE,
    &tcp_connect_failed::RULE,
    &tls_handshake_failed::RULE,
    &tcp_closed_midway::RULE,
    &transport_mismatch::RULE,
    &udp_too_big::RULE,
    &nat_binding_expired::RULE,
    &ack_misrouted::RULE,
    &message_too_large_513::RULE,
    &scanner_succeeded::RULE,
    &scanner_traffic::RULE,
    &auth_retry_malformed::RULE,
    &auth_digest_params::RULE,
    &auth_realm_or_domain_mismatch::RULE,
    &auth_double_challenge::RULE,
    &auth_stale_nonce::RULE,
    &session_interval_422::RULE,
    &refresh_rejected::RULE,
    &session_timer_expired::RULE,
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
    &rejected_608::RULE,
    &anonymity_disallowed_433::RULE,
    &routing_loop::RULE,
    &max_forwards_bad::RULE,
    &merged_request_482::RULE,
    &next_hop_unresolvable::RULE,
    &carrier_congestion::RULE,
    &rtp_profile_mismatch::RULE,
    &require_unsupported_420::RULE,
    &extension_required_421::RULE,
    &reason_status_conflict::RULE,
    &codec_no_common::RULE,
    &uri_scheme_416_or_domain::RULE,
    &subscribe_rejected::RULE,
    &subscription_lost::RULE,
    &publish_rejected::RULE,
    &dest_gone_or_changed::RULE,
    &dest_address_incomplete::RULE,
    &dest_not_found::RULE,
    &dest_unavailable_480::RULE,
    &ring_no_answer::RULE,
    &method_not_allowed::RULE,
    &policy_403::RULE,
    &redirect_not_followed::RULE,
    &declined_603::RULE,
    &busy::RULE,
    &message_failed::RULE,
    &cancel_too_early::RULE,
    &cancel_not_matching::RULE,
    &cancel_200_crossing::RULE,
    &four87_missing::RULE,
    &answered_elsewhere::RULE,
    &answered_elsewhere_untrue::RULE,
    &no_answer_timeout::RULE,
    &twoxx_not_acked::RULE,
    &header_misspelled::RULE,
    &mandatory_header_missing::RULE,
    &cseq_method_mismatch::RULE,
    &branch_invalid::RULE,
    &via_stack_anomaly::RULE,
    &content_length_mismatch::RULE,
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
    &generic_5xx_with_reason::RULE,
    &abnormal_clearing::RULE,
    &trying_then_silence::RULE,
    &four08_origin::RULE,
    &caller_abandoned::RULE,
    &four81_tag_mismatch::RULE,
    &four81_state_lost::RULE,
    &glare_491::RULE,
    &overlapping_invite_500::RULE,
    &cseq_out_of_order_500::RULE,
    &options_refused::RULE,
    &hold_not_resumed::RULE,
    &reinvite_rejected_session_survives::RULE,
    &remote_target_ignored::RULE,
    &proxy_bypassed::RULE,
    &half_dead_call::RULE,
    &endpoint_address_changed_midcall::RULE,
    &private_sdp::RULE,
    &hairpin::RULE,
    &nat_detected::RULE,
    &final_not_acked::RULE,
    &from_to_changed::RULE,
    &bye_unanswered::RULE,
    &late_final_after_timeout::RULE,
    &retry_amplification::RULE,
    &retry_after_ignored::RULE,
    &retransmission_storm::RULE,
    &peer_fails_all::RULE,
    &calls_end_together::RULE,
    &fixed_duration_drop::RULE,
    &ringing_until_timer_c::RULE,
    &concurrency_or_cps_limit::RULE,
    &reg_storm::RULE,
    &extension_enumeration::RULE,
];

/// The id most like this text, and in how many letters it differs.
pub fn nearest(text: &str) -> (usize, &'static str) {
    let ids = RULES.iter().map(|rule| rule.id);
    let far = ids.map(|id| (crate::knowledge::distance(id, text), id));
    far.min_by_key(|(far, _)| *far).unwrap_or_default()
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static super::Rule> {
    RULES.iter().find(|rule| rule.id == id).copied()
}
