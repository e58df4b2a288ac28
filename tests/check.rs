//! `sipexplain check`: recorded flows and what they have to be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

/// Golden files.
#[path = "check/golden.rs"]
mod golden;

/// Files of expectations.
#[path = "check/expect.rs"]
mod expect;

/// The documents.
#[path = "check/docs.rs"]
mod docs;
