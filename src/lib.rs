//! sipexplain reads recorded SIP traffic and explains every final response in it.
//!
//! The modules stand in the order in which data flows; each knows only those above it.

/// Searches in lines and their parts.
pub mod short;

/// 1: bytes to records: capture frames or log messages, several inputs merged by time.
pub mod input;

/// 2: frames to datagrams and ordered byte streams. Knows nothing of SIP.
pub mod layers;

/// 3: payload to messages and their flaws. The SIP and SDP grammar lives only here.
pub mod message;

/// 4: messages to transactions, dialogs, calls and registrations.
pub mod session;

/// 5: what a code, cause or warning means, when it is seen, what fixes it.
pub mod knowledge;

/// 6: calls and knowledge to findings with evidence. One file per rule.
pub mod diagnose;

/// 7: translations laid over knowledge, rules and labels.
pub mod lang;

/// Which calls the user asked for.
pub mod select;

/// Characters that steer a terminal or hide text.
pub mod hidden;

/// Small files that users write.
pub mod users_file;

/// What makes a run fall short.
pub mod policy;

/// 8: findings to text. Only here is anyone aware of formats or colour.
pub mod report;

/// 9: what a call flow has to be.
pub mod check;

/// What stops a run.
pub mod error;

/// The stages, run one after the other.
mod run;

pub use run::{Judged, analyze, decode};

/// The command line.
pub mod cli;

/// What each command does.
pub mod command;
