//! The rules: one file each, ending in one static record.

// Plain lines and no macro: rustfmt does not see modules that a macro declares.
pub mod abnormal_clearing;
pub mod anonymity_disallowed_433;
pub mod answered_elsewhere;
pub mod auth_no_credentials_sent;
pub mod auth_wrong_credentials;
pub mod busy;
pub mod caller_abandoned;
pub mod calls_end_together;
pub mod cancel_200_crossing;
pub mod cancel_not_matching;
pub mod cancel_too_early;
pub mod capture_one_sided;
pub mod capture_partial_call;
pub mod carrier_congestion;
pub mod codec_no_common;
pub mod concurrency_or_cps_limit;
pub mod declined_603;
pub mod dest_address_incomplete;
pub mod dest_gone_or_changed;
pub mod dest_not_found;
pub mod dest_unavailable_480;
pub mod extension_enumeration;
pub mod fixed_duration_drop;
pub mod four08_origin;
pub mod four87_missing;
pub mod generic_5xx_with_reason;
pub mod icmp_unreachable;
pub mod max_forwards_bad;
pub mod merged_request_482;
pub mod message_failed;
pub mod message_too_large_513;
pub mod method_not_allowed;
pub mod next_hop_unresolvable;
pub mod no_answer_timeout;
pub mod peer_fails_all;
pub mod policy_403;
pub mod reason_status_conflict;
pub mod redirect_not_followed;
pub mod reg_storm;
pub mod rejected_608;
pub mod request_no_response;
pub mod retry_amplification;
pub mod ring_no_answer;
pub mod ringing_until_timer_c;
pub mod routing_loop;
pub mod trying_then_silence;
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
    &message_too_large_513::RULE,
    &auth_wrong_credentials::RULE,
    &auth_no_credentials_sent::RULE,
    &unwanted_607::RULE,
    &rejected_608::RULE,
    &anonymity_disallowed_433::RULE,
    &routing_loop::RULE,
    &max_forwards_bad::RULE,
    &merged_request_482::RULE,
    &next_hop_unresolvable::RULE,
    &carrier_congestion::RULE,
    &reason_status_conflict::RULE,
    &codec_no_common::RULE,
    &uri_scheme_416_or_domain::RULE,
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
    &no_answer_timeout::RULE,
    &twoxx_not_acked::RULE,
    &request_no_response::RULE,
    &generic_5xx_with_reason::RULE,
    &abnormal_clearing::RULE,
    &trying_then_silence::RULE,
    &four08_origin::RULE,
    &caller_abandoned::RULE,
    &retry_amplification::RULE,
    &peer_fails_all::RULE,
    &calls_end_together::RULE,
    &fixed_duration_drop::RULE,
    &ringing_until_timer_c::RULE,
    &concurrency_or_cps_limit::RULE,
    &reg_storm::RULE,
    &extension_enumeration::RULE,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static super::Rule> {
    RULES.iter().find(|rule| rule.id == id).copied()
}
