//! What a call flow has to be: a file of expectations, or golden files, one for each call; and what a bad
//! call has that a good one has not.

/// Verdicts as test cases.
pub mod cases;
/// A bad call against a good one.
pub mod diff;
/// What has to hold for which calls.
pub mod expect;
/// Files that say how each call went, compared and blessed.
pub mod golden;
/// Verdicts as one JSON document.
pub mod json;
/// Messages without what differs from run to run.
pub mod normal;
/// Verdicts as text.
pub mod told;

/// Names of the formats in which verdicts can be written, the usual one first.
pub fn formats() -> Vec<&'static str> {
    let of_cases = crate::report::case::FORMATS.iter();
    let of_cases = of_cases.map(|format| format.name);
    ["text", "json"].into_iter().chain(of_cases).collect()
}
