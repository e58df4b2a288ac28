//! Expectations: which calls a capture has to hold, and how they have to go.

/// What is known of a call, worked out where it is asked for.
mod facts;
/// A first file, made from a good capture.
pub mod init;
/// Each kind of expectation against a call.
mod judge;
/// Counts and times.
mod limit;
/// What the session descriptions agreed on, and where RTP went.
mod media;
/// Headers and session descriptions of named messages.
mod messages;
/// Names of messages.
mod name;
/// Texts.
mod pattern;
/// The file.
pub mod read;
/// The orders of messages.
mod sequence;
/// Times between messages.
mod times;

use crate::diagnose::Diagnosis;
use crate::lang::words::Words;
use crate::report::case::{self, Case};
use crate::report::{Prove, Report, Run};
use crate::session::Call;
use facts::Facts;
use judge::Check;
use limit::Count;
use pattern::{Pattern, Wanted};
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Calls whose failures are kept of each expectation.
const MOST_CALLS: u64 = 10;
/// Calls too many that are shown.
const MOST_UNWANTED: usize = 3;

/// Which calls are meant; all that is named has to fit.
#[derive(Debug, Default)]
struct Which {
    method: Option<(crate::message::Method, String)>,
    from: Option<Wanted>,
    to: Option<Wanted>,
    request_uri: Option<Wanted>,
    call_id: Option<Pattern>,
    headers: Vec<(String, Wanted)>,
}

/// An entry of the file: which calls, and what must hold for each.
#[derive(Debug)]
struct Entry {
    name: String,
    place: Asked,
    which: Which,
    count: Count,
    checks: Vec<Check>,
}

/// All entries of the files.
#[derive(Debug, Default)]
pub struct Expectations {
    entries: Vec<Entry>,
}

/// Where something is asked for: a line of a file of expectations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The file, as it was named.
    pub file: String,
    /// From 1.
    pub line: u64,
}

impl fmt::Display for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file, self.line)
    }
}

/// A line of proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Index into the inputs.
    pub input: u16,
    /// Frame, or line of a log.
    pub place: u64,
    /// Is it a line?
    pub is_line: bool,
    /// When, in nanoseconds; of a log without dates since midnight.
    pub time: Option<i64>,
    /// Sender and receiver.
    pub hop: [Option<SocketAddr>; 2],
    /// The line of the message, secrets masked; not yet safe for a terminal.
    pub line: String,
}

/// Something that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The key of the file that asked for it.
    pub key: &'static str,
    /// What was expected.
    pub expected: Words,
    /// What was found.
    pub found: Words,
    /// Where it can be seen.
    pub proof: Vec<Proof>,
}

/// A call that did not go as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallen {
    /// Its number.
    pub id: u64,
    /// Its method and who called whom.
    pub title: String,
    /// The input of its first message.
    pub input: u16,
    /// What did not hold.
    pub failures: Vec<Failure>,
}

/// What became of an expectation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Asked,
    /// Calls that it was about.
    pub calls: u64,
    /// Calls that did not go as expected.
    pub fallen: u64,
    /// The first of them.
    pub shown: Vec<Fallen>,
    /// Too few or too many calls.
    pub count: Option<Failure>,
    /// The first messages of calls beyond the most, in the making of `count`.
    unwanted: Vec<Proof>,
}

impl Verdict {
    /// Did all hold?
    pub fn passed(&self) -> bool {
        self.fallen == 0 && self.count.is_none()
    }
}

/// Expectations held against the calls of a run.
#[derive(Debug)]
pub struct Held {
    expectations: Expectations,
    /// As many as entries.
    verdicts: Vec<Verdict>,
    /// Calls that were looked at.
    pub calls: u64,
    /// Those that no entry was about.
    pub unmatched: u64,
    /// The inputs, by index.
    pub inputs: Vec<String>,
    /// Why nothing could be judged.
    pub unjudged: Vec<Case>,
}

impl Expectations {
    /// Nothing held against them yet.
    pub fn begin(self) -> Held {
        let fresh = |entry: &Entry| Verdict {
            name: entry.name.clone(),
            place: entry.place.clone(),
            ..Verdict::default()
        };
        Held {
            verdicts: self.entries.iter().map(fresh).collect(),
            expectations: self,
            calls: 0,
            unmatched: 0,
            inputs: Vec::new(),
            unjudged: Vec::new(),
        }
    }
}

impl Held {
    /// What became of each expectation, in the order of the files; complete once the run is over.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }
}

impl Which {
    // What costs least comes first.
    fn fits(&self, facts: &Facts<'_>) -> bool {
        let wanted = |wanted: &Option<Wanted>, text: Option<&str>| {
            let text = text.map(|text| text.as_bytes().into()).into_iter();
            wanted.as_ref().is_none_or(|wanted| wanted.fits(text))
        };
        self.method.as_ref().is_none_or(|m| facts.is_method(m))
            && wanted(&self.to, facts.to())
            && wanted(&self.from, facts.from())
            && wanted(&self.request_uri, facts.request_uri())
            && self.call_id.as_ref().is_none_or(|p| facts.has_call_id(p))
            && self
                .headers
                .iter()
                .all(|(name, wanted)| facts.has_header(name, wanted))
    }
}

impl Report for Held {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        self.calls += 1;
        let facts = Facts::new(call, diagnosis, prove);
        let mut matched = false;
        for (entry, verdict) in self.expectations.entries.iter().zip(&mut self.verdicts) {
            if !entry.which.fits(&facts) {
                continue;
            }
            matched = true;
            verdict.calls += 1;
            if verdict.calls > entry.count.most && verdict.unwanted.len() < MOST_UNWANTED {
                verdict.unwanted.extend(facts.beginning());
            }
            let mut checks = entry.checks.iter();
            if verdict.fallen >= MOST_CALLS {
                // No more is told of it.
                facts.only_counts.set(true);
                verdict.fallen += u64::from(!checks.all(|check| check.holds(&facts)));
                continue;
            }
            facts.only_counts.set(false);
            let failures: Vec<Failure> = checks.flat_map(|check| check.judge(&facts)).collect();
            if !failures.is_empty() {
                verdict.fallen += 1;
                verdict.shown.push(facts.fallen(failures));
            }
        }
        self.unmatched += u64::from(!matched);
        Ok(())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        let path = |read: &crate::report::Read| read.summary.path.clone();
        self.inputs = run.inputs.iter().map(path).collect();
        self.unjudged = case::unjudged(run);
        for (entry, verdict) in self.expectations.entries.iter().zip(&mut self.verdicts) {
            if !entry.count.holds(verdict.calls) {
                verdict.count = Some(Failure {
                    key: "count",
                    expected: entry.count.told(),
                    found: match verdict.calls {
                        0 => Words::label("no call fits"),
                        1 => Words::label("1 call fits"),
                        many => Words::label("{count} calls fit").with("count", many.to_string()),
                    },
                    proof: std::mem::take(&mut verdict.unwanted),
                });
            }
        }
        Ok(())
    }
}
