//! What a call flow has to be: a file of expectations, or golden files, one for each call; and what a bad
//! call has that a good one has not.

/// A bad call against a good one.
pub mod diff;
/// What has to hold for which calls.
pub mod expect;
/// Files that say how each call went, compared and blessed.
pub mod golden;
/// Messages without what differs from run to run.
pub mod normal;
/// Verdicts on expectations as text.
pub mod told;
