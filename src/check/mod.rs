//! What a call flow has to be: golden files, one for each call.

/// Files that say how each call went, compared and blessed.
pub mod golden;
/// Messages without what differs from run to run.
pub mod normal;
