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
/// Calls among which those are looked for that nearly fit.
const MOST_NEAR: u64 = 1000;

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
    /// Is it about the calls that no other entry is about?
    others: bool,
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
    /// Calls that one key kept out, where none fits: what is said of them, and their first messages.
    near: Vec<(Words, Option<Proof>)>,
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
    /// The first of them: number, and method and who called whom.
    pub strangers: Vec<(u64, String)>,
    /// The inputs, by index.
    pub inputs: Vec<String>,
    /// Why nothing could be judged.
    pub unjudged: Vec<Case>,
    /// Inputs without calls.
    pub empty: Vec<Case>,
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
            strangers: Vec::new(),
            inputs: Vec::new(),
            unjudged: Vec::new(),
            empty: Vec::new(),
        }
    }
}

/// Which ways RTP went in a call, as the file of expectations has it; nothing where none was seen.
pub fn rtp(call: &Call) -> Option<&'static str> {
    let (way, _) = media::ways(call);
    (way != media::Rtp::None).then(|| way.word())
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

impl Which {
    // What a call is instead, where all but one key fit.
    fn nearly(&self, facts: &Facts<'_>) -> Option<Words> {
        let is = |key: &str, value: Words| {
            let said = Words::label("{key} is {value}").with("key", key);
            said.with("value", value)
        };
        let mut all: Vec<Words> = Vec::new();
        if let Some((method, name)) = &self.method
            && !facts.is_method(&(*method, name.clone()))
        {
            all.push(is("method", facts.method().into()));
        }
        let texts = [
            ("from", &self.from, facts.from()),
            ("to", &self.to, facts.to()),
            ("request-uri", &self.request_uri, facts.request_uri()),
        ];
        for (key, wanted, text) in texts {
            let own = text.map(|text| text.as_bytes().into()).into_iter();
            if wanted.as_ref().is_some_and(|wanted| !wanted.fits(own)) {
                let own = text.map(|text| Words::Plain(format!("{text:?}")));
                all.push(is(key, own.unwrap_or_else(|| Words::label("missing"))));
            }
        }
        if self.call_id.as_ref().is_some_and(|p| !facts.has_call_id(p)) {
            let own = facts.call.call_id().unwrap_or_default();
            all.push(is("call-id", format!("{own:?}").into()));
        }
        for (name, wanted) in &self.headers {
            if !facts.has_header(name, wanted) {
                let said = Words::label("{key} is not {value}").with("key", name.as_str());
                all.push(said.with("value", wanted.shown()));
            }
        }
        (all.len() == 1).then(|| all.remove(0))
    }
}

impl Held {
    // Calls that no entry is about.
    fn stranger(&mut self, facts: &Facts<'_>) {
        self.unmatched += 1;
        if self.strangers.len() < MOST_UNWANTED {
            self.strangers.push((facts.call.id, facts.title()));
        }
        for (entry, verdict) in self.expectations.entries.iter().zip(&mut self.verdicts) {
            if entry.others {
                verdict.calls += 1;
                if verdict.calls > entry.count.most && verdict.unwanted.len() < MOST_UNWANTED {
                    verdict.unwanted.extend(facts.beginning());
                }
            }
        }
    }
}

impl Report for Held {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        self.calls += 1;
        let facts = Facts::new(call, diagnosis, prove);
        let mut matched = false;
        for (entry, verdict) in self.expectations.entries.iter().zip(&mut self.verdicts) {
            if entry.others {
                continue;
            }
            if !entry.which.fits(&facts) {
                let looks = verdict.calls == 0 && verdict.near.len() < MOST_UNWANTED;
                if looks && self.calls <= MOST_NEAR {
                    let near = entry.which.nearly(&facts);
                    let of_call =
                        Words::label("of call {id} {what}").with("id", call.id.to_string());
                    let said = near.map(|near| of_call.with("what", near));
                    verdict
                        .near
                        .extend(said.map(|said| (said, facts.beginning())));
                }
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
        if !matched {
            self.stranger(&facts);
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        let path = |read: &crate::report::Read| read.summary.path.clone();
        self.inputs = run.inputs.iter().map(path).collect();
        self.unjudged = case::unjudged(run);
        self.empty = case::empty(run);
        for (entry, verdict) in self.expectations.entries.iter().zip(&mut self.verdicts) {
            if !entry.count.holds(verdict.calls) {
                verdict.count = Some(Failure {
                    key: "count",
                    expected: entry.count.told(),
                    found: match verdict.calls {
                        0 => {
                            let near = verdict.near.iter().map(|(said, _)| said.clone());
                            let none = std::iter::once(Words::label("no call fits"));
                            Words::List(none.chain(near).collect(), "; ")
                        }
                        1 => Words::label("1 call fits"),
                        many => Words::label("{count} calls fit").with("count", many.to_string()),
                    },
                    proof: match verdict.calls {
                        0 => verdict
                            .near
                            .drain(..)
                            .filter_map(|(_, proof)| proof)
                            .collect(),
                        _ => std::mem::take(&mut verdict.unwanted),
                    },
                });
            }
        }
        Ok(())
    }
}
