//! The rules: one file each, ending in one static record.

macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// Every rule, in the order in which they are run and their findings printed. Rules on
        /// capture quality come first, because rules about something missing ask for them.
        pub static RULES: &[&super::Rule] = &[$(&$module::RULE),*];
    };
}

rules![
    capture_one_sided,
    capture_partial_call,
    auth_wrong_credentials,
    auth_no_credentials_sent,
    unwanted_607,
    carrier_congestion,
    codec_no_common,
    dest_not_found,
    busy,
    caller_abandoned,
    twoxx_not_acked,
    request_no_response,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static super::Rule> {
    RULES.iter().find(|rule| rule.id == id).copied()
}
