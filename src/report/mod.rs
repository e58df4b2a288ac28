//! Findings to text. Only here is anyone aware of formats or colour.

/// Test cases: what JUnit and TAP make of calls.
pub mod case;
/// Tables.
pub mod csv;
/// Several reports of one run.
pub mod fan;
/// Annotations of a GitHub workflow.
pub mod github;
/// Code quality of GitLab.
pub mod gitlab;
/// Findings and where they are to be seen.
mod issue;
/// One JSON document, or one object a line.
pub mod json;
/// JUnit XML.
pub mod junit;
/// Markdown.
pub mod markdown;
/// Secrets that no report may show.
pub mod mask;
/// Pages about codes, causes, terms and rules.
pub mod reference;
/// SARIF.
pub mod sarif;
/// The reference as a static site.
pub mod site;
/// The Test Anything Protocol.
pub mod tap;
/// The terminal report.
pub mod terminal;
/// What every format counts.
pub mod totals;
/// Prose in lines.
mod wrap;

use crate::diagnose::across::CaptureFinding;
use crate::diagnose::{Depth, Diagnosis, Finding};
use crate::input::{InputSummary, Paths};
use crate::knowledge::own::{self, Entry};
use crate::lang::Lang;
use crate::layers::TlsReport;
use crate::message::account::Account;
use crate::policy::FailOn;
use crate::session::{Call, Stored};
use std::io::{self, Write};
use totals::Totals;

/// One input, read through.
#[derive(Debug)]
pub struct Read {
    /// What the reader says of it.
    pub summary: InputSummary,
    /// What became of its frames.
    pub account: Account,
    /// What became of its TLS connections.
    pub tls: TlsReport,
}

/// All that is known once the inputs are read through.
#[derive(Debug)]
pub struct Run<'a> {
    /// The inputs in the order of the command line.
    pub inputs: &'a [Read],
    /// The counts over the calls selected.
    pub totals: &'a Totals,
    /// What was found about peers and the capture as a whole.
    pub findings: &'a [CaptureFinding],
    /// Entries seen, selected or not.
    pub entries: u64,
    /// Caps that bit, by name.
    pub limits: &'a [(&'static str, u64)],
    /// The filters, as the user wrote them; empty: none.
    pub filters: &'a [String],
}

/// Gives the full diagnosis of a call.
pub type Prove<'a> = &'a dyn Fn() -> Diagnosis;

/// A report in the making: calls come as they are released, the rest at the end.
pub trait Report {
    /// How much of each diagnosis it needs to see.
    fn depth(&self) -> Depth {
        Depth::Verdict
    }

    /// A call that was selected, diagnosed to that depth; `prove` gives its full diagnosis.
    ///
    /// # Errors
    /// Whatever writing gives, a closed pipe excepted.
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()>;

    /// Lets go of everything that is written so far: more may be long in coming.
    ///
    /// # Errors
    /// Whatever writing gives, a closed pipe excepted.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The end.
    ///
    /// # Errors
    /// Whatever writing gives, a closed pipe excepted.
    fn finish(&mut self, run: &Run<'_>) -> io::Result<()>;
}

/// The user's own entry for a response, where there is one.
fn own_entry(stored: &Stored, code: u16, method: &str, phrase: &str) -> Option<&'static Entry> {
    let own = own::own();
    if own.entries().is_empty() {
        return None;
    }
    let message = stored.message();
    let server = message
        .text("Server")
        .or_else(|| message.text("User-Agent"));
    own.of(&own::Response {
        code,
        method,
        phrase,
        server: server.as_deref(),
        source: stored.stamp.source.map(|address| address.ip()),
    })
}

/// What a format is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Language of the sentences.
    pub lang: &'static Lang,
    /// Colour of the output.
    pub colour: bool,
    /// Columns of the output.
    pub width: usize,
    /// Time zone of times shown; formats for machines are always UTC.
    pub zone: jiff::tz::TimeZone,
    /// Every call in full.
    pub all: bool,
    /// A line a call.
    pub list: bool,
    /// Ladders under every call shown.
    pub ladder: bool,
    /// What makes a call fall short; empty: a failure.
    pub fail_on: Vec<FailOn>,
    /// The names of the inputs.
    pub paths: Paths,
}

/// A report format.
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Begins a report that is written to the sink.
    pub begin: fn(Box<dyn Write>, Options) -> Box<dyn Report>,
}

/// The formats, the default first.
pub static FORMATS: &[Format] = &[
    Format {
        name: "text",
        about: "for a person at a terminal",
        begin: terminal::begin,
    },
    Format {
        name: "json",
        about: "one document, see docs/report.schema.json",
        begin: json::begin_document,
    },
    Format {
        name: "ndjson",
        about: "the same objects, one a line, as they become known",
        begin: json::begin_lines,
    },
    Format {
        name: "junit",
        about: "JUnit XML: a suite an input, a case a call",
        begin: junit::begin,
    },
    Format {
        name: "tap",
        about: "the Test Anything Protocol, a case a call",
        begin: tap::begin,
    },
    Format {
        name: "sarif",
        about: "SARIF 2.1.0: findings with rules and places",
        begin: sarif::begin,
    },
    Format {
        name: "github",
        about: "annotations of a GitHub workflow, and the summary of its step",
        begin: github::begin,
    },
    Format {
        name: "gitlab",
        about: "a code quality report for GitLab",
        begin: gitlab::begin,
    },
    Format {
        name: "markdown",
        about: "for a merge request or a ticket",
        begin: markdown::begin,
    },
    Format {
        name: "csv",
        about: "a row a call",
        begin: csv::begin_calls,
    },
    Format {
        name: "csv-finals",
        about: "a row a final response",
        begin: csv::begin_finals,
    },
];

/// Where a format writes to; text gathers until there is much of it.
type Sink = io::BufWriter<Output<Box<dyn Write>>>;

fn sink(to: Box<dyn Write>) -> Sink {
    io::BufWriter::with_capacity(64 * 1024, Output::new(to))
}

impl Options {
    /// Does this call fall short of what was asked for?
    pub fn falls_short(&self, call: &Call, diagnosis: &Diagnosis) -> bool {
        match self.fail_on.is_empty() {
            true => FailOn::Failed.fits(call, diagnosis),
            false => self.fail_on.iter().any(|what| what.fits(call, diagnosis)),
        }
    }

    /// Does this finding, whatever it is about, fall short by itself?
    pub fn is_short(&self, finding: &Finding) -> bool {
        self.fail_on.iter().any(|what| what.fits_finding(finding))
    }
}

/// Stops writing, without an error, once the reader of a pipe has gone: judging goes on.
pub struct Output<W: Write> {
    inner: Option<W>,
}

impl<W: Write> Output<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Output<W> {
        Output { inner: Some(inner) }
    }

    fn unless_closed<T>(
        &mut self,
        done: T,
        write: impl FnOnce(&mut W) -> io::Result<T>,
    ) -> io::Result<T> {
        let Some(inner) = &mut self.inner else {
            return Ok(done);
        };
        match write(inner) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.inner = None;
                Ok(done)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}
