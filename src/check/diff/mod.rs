//! What a bad call has that a good one has not: both are sketched as facts, the messages set beside
//! each other by their roles, and the differences put in the order in which they may explain the
//! failure.

/// Which calls of the inputs are compared.
pub mod choose;
/// Two sketches to differences.
pub mod compare;
/// What can differ.
pub mod fact;
/// A message to facts.
mod facts;
/// What the diagnosis of the bad call hints at.
mod hint;
/// The comparison as JSON.
pub mod json;
/// The systems on the way, by position.
mod places;
/// How well a difference explains the failure.
pub mod rank;
/// A difference in a sentence.
pub mod sentence;
/// A call as what is compared of it.
pub mod sketch;
/// The comparison as text.
pub mod text;
