//! What stops a run; never what is wrong in a trace.

use std::fmt;
use std::io;

/// What stops a run.
#[derive(Debug)]
pub enum Error {
    /// The report could not be written.
    Write(io::Error),
    /// A stage stopped, which is a bug.
    Stage(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Write(error) => write!(out, "the report could not be written: {error}"),
            Error::Stage(stage) => write!(
                out,
                "the stage that {stage} stopped; please report this as a bug"
            ),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Write(error)
    }
}
