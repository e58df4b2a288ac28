//! A call has the same root cause in a capture and in a log of it, where the log shows what the rule
//! says that it needs; where it does not, the call is undetermined, and the report says what is missing.
//!
//! The logs are written here, from the captures of the fixtures: by somebody who sees the wire, and
//! by each host for itself. What a host logs is compared with a capture of the same messages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::log_writer::{SHAPES, Shape, log_of};
use harness::reading::{Message, held_by_files};
use harness::{Fixture, fixtures};
use sipexplain::diagnose::{Depth, Diagnosis, Need, Rule};
use sipexplain::input::{Inputs, Named};
use sipexplain::report::{Prove, Report, Run};
use sipexplain::select::Selection;
use sipexplain::session::{Call, Outcome};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::net::IpAddr;

/// What a report says of a call.
struct Told {
    call_id: String,
    outcome: Outcome,
    cause: Option<&'static Rule>,
    undetermined: bool,
    missing: Vec<Need>,
    /// Of each piece of evidence the line or frame, and the start line of the message there.
    evidence: Vec<(u64, Vec<u8>)>,
    /// Whether the system that writes the log sent a request that began the call.
    sent: bool,
}

#[derive(Default)]
struct Collector(Vec<Told>);

impl Report for Collector {
    fn depth(&self) -> Depth {
        Depth::Proof
    }

    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, _: Prove<'_>) -> std::io::Result<()> {
        let findings = diagnosis.findings.iter();
        let evidence = findings.flat_map(|finding| &finding.evidence);
        let evidence = evidence.filter_map(|e| {
            let stored = &call.messages[e.message()?];
            let start = stored.message().start_line().of(&stored.raw);
            Some((stored.stamp.origin.place, start.to_vec()))
        });
        let undetermined = diagnosis.undetermined.as_ref();
        let begins = |(_, m): (usize, &sipexplain::session::Stored)| {
            m.head.is_request() && call.is_of_beginning(m) && m.stamp.sent != Some(false)
        };
        self.0.push(Told {
            call_id: call.call_id().unwrap_or_default(),
            outcome: call.outcome,
            cause: diagnosis.cause().map(|finding| finding.rule),
            undetermined: undetermined.is_some(),
            missing: undetermined.map_or_else(Vec::new, |u| u.missing.clone()),
            evidence: evidence.collect(),
            sent: call.originals().any(begins),
        });
        Ok(())
    }

    fn finish(&mut self, _: &Run<'_>) -> std::io::Result<()> {
        Ok(())
    }
}

fn told(inputs: Inputs) -> Vec<Told> {
    let mut collector = Collector::default();
    let keys = sipexplain::layers::Keys::new();
    let all = Selection::default();
    sipexplain::analyze(
        inputs,
        keys,
        &all,
        &sipexplain::policy::Policy::default(),
        &[],
        &mut collector,
    )
    .unwrap();
    collector.0.sort_by(|a, b| a.call_id.cmp(&b.call_id));
    collector.0
}

fn told_by_log(log: &str) -> Vec<Told> {
    let source = Box::new(Cursor::new(log.as_bytes().to_vec()));
    told(Inputs::from_readers(vec![("log".to_owned(), source)]))
}

fn told_by_capture(fixture: &Fixture) -> Vec<Told> {
    let path = harness::root().join(&fixture.trace);
    told(Inputs::open(&[Named::from(path.as_os_str())]))
}

/// What the rule needs and a log of this shape does not show of the call.
fn not_shown(rule: &Rule, shape: &Shape, call: &Told) -> Vec<Need> {
    let shown = |need: &Need| match need {
        Need::Time => shape.times,
        // Who received knows itself, and finds the sender in the topmost Via.
        Need::Addresses => shape.addresses || (shape.by_an_end && !call.sent),
        Need::BothDirections => true,
        Need::Packets => false,
    };
    let needs = rule.needs.iter().copied();
    needs.filter(|need| !shown(need)).collect()
}

/// How often a cause was the same, and how often it was undetermined as it had to be.
#[derive(Default)]
struct Count {
    equal: usize,
    undetermined: usize,
    wrong: Vec<String>,
}

impl Count {
    fn compare(&mut self, at: &str, shape: &Shape, reference: &[Told], logged: &[Told]) {
        let ids = |all: &[Told]| all.iter().map(|t| t.call_id.clone()).collect::<Vec<_>>();
        if ids(reference) != ids(logged) {
            return self.wrong.push(format!("{at}: other calls"));
        }
        let id = |rule: Option<&Rule>| rule.map_or("none", |rule| rule.id);
        for (expected, found) in reference.iter().zip(logged) {
            let missing = expected
                .cause
                .map_or_else(Vec::new, |rule| not_shown(rule, shape, found));
            let said = missing.iter().all(|need| found.missing.contains(need));
            // What follows from the cause may be all that is left.
            let follows = |rule: &Rule| {
                let explains = expected.cause.map_or(&[][..], |cause| cause.explains);
                explains.contains(&rule.id)
            };
            let right = match missing.as_slice() {
                [] => id(found.cause) == id(expected.cause),
                needs if needs.contains(&Need::Packets) => found.cause.is_none_or(follows),
                _ => {
                    let nothing = found.cause.is_none() && found.undetermined && said;
                    nothing || found.cause.is_some_and(follows)
                }
            };
            if !right {
                self.wrong.push(format!(
                    "{at}: {} ({:?}) instead of {} ({:?}), missing {:?}",
                    id(found.cause),
                    found.outcome,
                    id(expected.cause),
                    expected.outcome,
                    found.missing,
                ));
            }
            self.equal += usize::from(right && expected.cause.is_some() && missing.is_empty());
            self.undetermined += usize::from(right && !missing.is_empty());
        }
    }

    /// Each piece of evidence names the line where its message starts.
    fn check_lines(&mut self, at: &str, log: &str, logged: &[Told]) {
        let lines: Vec<&str> = log.lines().collect();
        for (line, start) in logged.iter().flat_map(|call| &call.evidence) {
            let index = usize::try_from(*line).unwrap() - 1;
            let start = String::from_utf8_lossy(start);
            if !lines.get(index).is_some_and(|text| text.contains(&*start)) {
                self.wrong.push(format!("{at}: line {line} is not {start}"));
            }
        }
    }
}

fn hosts(messages: &[Message]) -> BTreeSet<IpAddr> {
    let ends = messages
        .iter()
        .map(|m| [m.stamp.source, m.stamp.destination]);
    ends.flatten().flatten().map(|end| end.ip()).collect()
}

#[test]
fn a_call_has_the_same_cause_in_a_capture_and_in_a_log() {
    let mut count = Count::default();
    let wire = SHAPES.iter().find(|shape| !shape.by_an_end).unwrap();
    for fixture in fixtures().iter().filter(|f| f.trace.ends_with("pcap")) {
        let messages = held_by_files(&[&fixture.trace]).messages;
        let mut compare = |shape: &Shape, reference: &[Told], owner: Option<IpAddr>| {
            let log = log_of(shape, &messages, owner);
            let logged = told_by_log(&log);
            let at = format!("{}, {} by {owner:?}", fixture.name, shape.name);
            count.compare(&at, shape, reference, &logged);
            count.check_lines(&at, &log, &logged);
        };
        let captured = told_by_capture(fixture);
        for shape in SHAPES.iter().filter(|shape| !shape.by_an_end) {
            compare(shape, &captured, None);
        }
        for host in hosts(&messages) {
            let seen = told_by_log(&log_of(wire, &messages, Some(host)));
            for shape in SHAPES.iter().filter(|shape| shape.by_an_end) {
                compare(shape, &seen, Some(host));
            }
        }
    }
    let Count {
        equal,
        undetermined,
        wrong,
    } = count;
    println!("{equal} causes are the same, {undetermined} undetermined for what the log lacks");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal > 300 && undetermined > 20, "{equal} {undetermined}");
}
