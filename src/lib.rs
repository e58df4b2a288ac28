//! sipexplain reads recorded SIP traffic and explains every final response in it.
//!
//! The modules stand in the order in which data flows; each knows only those above it.

/// 1: bytes to records: capture frames or log messages, several inputs merged by time.
pub mod input;

/// 2: frames to datagrams and ordered byte streams. Knows nothing of SIP.
pub mod layers;
