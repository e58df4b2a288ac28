//! What holds for every capture: a cut, damage or hostility in one place changes nothing elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, with functions of its own"
)]

mod captures;
#[path = "properties/damage.rs"]
mod damage;
#[path = "properties/hostile.rs"]
mod hostile;

use captures::{Frame, Random, Trace, Writer, fixtures, frames, udp_payload};
use sipexplain::analyze;
use sipexplain::diagnose::{Depth, Diagnosis};
use sipexplain::input::Inputs;
use sipexplain::lang::Lang;
use sipexplain::layers::Keys;
use sipexplain::policy::Policy;
use sipexplain::report::{Options, Prove, Report, Run, json, terminal};
use sipexplain::select::Selection;
use sipexplain::session::Call;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A message as it was reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    frame: u64,
    part: u16,
    start_line: String,
    call_id: String,
    raw: Vec<u8>,
}

/// Collects messages, and checks what every report must keep.
#[derive(Default)]
struct Collect {
    seen: Vec<Seen>,
    unread: bool,
    captures_end: bool,
}

impl Collect {
    fn leg(&mut self, call: &Call) {
        let mut finals = 0;
        for stored in &call.messages {
            finals += usize::from(stored.head.final_code().is_some());
            let message = stored.message();
            self.seen.push(Seen {
                frame: stored.stamp.origin.place,
                part: stored.stamp.part,
                start_line: message.slice(message.start_line()),
                call_id: message.slice(stored.head.call_id),
                raw: stored.raw.to_vec(),
            });
        }
        let mut listed: Vec<usize> = call.finals.iter().map(|f| f.message).collect();
        listed.extend(call.finals.iter().flat_map(|f| &f.repeats));
        let places: BTreeSet<usize> = listed.iter().copied().collect();
        assert_eq!(listed.len(), finals, "final responses, exactly once");
        assert_eq!(places.len(), finals, "final responses, exactly once");
    }
}

impl Report for Collect {
    fn call(&mut self, call: &Call, verdict: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        let proved = prove();
        let judged = |d: &Diagnosis| {
            let findings = d.findings.iter();
            findings
                .map(|f| (f.rule.id, f.role, f.confidence, f.acts))
                .collect::<Vec<_>>()
        };
        assert_eq!(judged(verdict), judged(&proved), "a verdict is its proof");
        assert_eq!(verdict.root, proved.root);
        assert!(verdict.findings.iter().all(|f| f.evidence.is_empty()));
        assert!(proved.findings.iter().all(|f| !f.evidence.is_empty()));
        call.all_legs().for_each(|leg| self.leg(leg));
        Ok(())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        let read: u64 = run.inputs.iter().map(|i| i.account.sip_messages).sum();
        assert_eq!(read, self.seen.len() as u64, "every message is in a call");
        for input in run.inputs {
            if input.summary.format.starts_with("pcap") {
                let (total, frames) = (input.account.total(), input.summary.frames);
                assert_eq!(total, frames, "{:?}", input.account);
            }
        }
        self.unread = run.inputs.iter().any(|read| read.summary.error.is_some());
        self.captures_end = true;
        self.seen.sort();
        Ok(())
    }
}

/// Where a report is written so that it can be looked at.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Several reports of one run.
struct All(Vec<Box<dyn Report>>, Collect);

impl Report for All {
    fn call(&mut self, call: &Call, verdict: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        let proved = prove();
        for report in &mut self.0 {
            match report.depth() {
                Depth::Verdict => report.call(call, verdict, prove)?,
                Depth::Proof => report.call(call, &proved, prove)?,
            }
        }
        self.1.call(call, verdict, prove)
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.0
            .iter_mut()
            .try_for_each(|report| report.finish(run))?;
        self.1.finish(run)
    }
}

fn judge(source: impl Read + Send + 'static, report: &mut dyn Report) {
    let inputs = Inputs::from_readers(vec![("trace".to_owned(), Box::new(source))]);
    analyze(
        inputs,
        Keys::new(),
        &Selection::default(),
        &Policy::default(),
        &[],
        report,
    )
    .expect("a report");
}

/// The messages in a source, by frame.
fn messages(source: impl Read + Send + 'static) -> Vec<Seen> {
    let mut collect = Collect::default();
    judge(source, &mut collect);
    assert!(collect.captures_end);
    collect.seen
}

fn messages_in(bytes: &[u8]) -> Vec<Seen> {
    messages(Cursor::new(bytes.to_vec()))
}

fn options(full: bool, colour: bool) -> Options {
    Options {
        lang: Lang::english(),
        colour,
        width: 100,
        zone: jiff::tz::TimeZone::UTC,
        all: full,
        list: full,
        ladder: full,
        fail_on: Vec::new(),
        paths: sipexplain::input::Paths::default(),
    }
}

/// Every format over the same bytes: JSON must parse, text must not steer a terminal.
fn report_in_every_format(bytes: &[u8]) -> Collect {
    let sinks: [Shared; 4] = Default::default();
    let sink = |n: usize| Box::new(sinks[n].clone());
    let reports = vec![
        json::begin_document(sink(0), options(false, false)),
        json::begin_lines(sink(1), options(false, false)),
        terminal::begin(sink(2), options(false, true)),
        terminal::begin(sink(3), options(true, false)),
    ];
    let mut all = All(reports, Collect::default());
    judge(Cursor::new(bytes.to_vec()), &mut all);
    let [document, lines, short, full] = sinks.each_ref().map(|s| s.0.borrow());
    let _: serde_json::Value = serde_json::from_slice(&document).expect("a JSON document");
    for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let _: serde_json::Value = serde_json::from_slice(line).expect("a line of JSON");
    }
    assert_harmless(&without_colours(&short));
    assert_harmless(&full);
    all.1
}

/// Text without what the palette writes.
fn without_colours(text: &[u8]) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::new(), text);
    while let Some(at) = memchr::memmem::find(rest, b"\x1b[") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        let end = after
            .iter()
            .position(|b| !b.is_ascii_digit() && *b != b';')
            .unwrap();
        assert_eq!(after[end], b'm', "only colours");
        plain.extend_from_slice(before);
        rest = &after[end + 1..];
    }
    plain.extend_from_slice(rest);
    plain
}

fn assert_harmless(text: &[u8]) {
    let text = std::str::from_utf8(text).expect("UTF-8");
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(at) = text.find(steers) {
        let line = text[..at].lines().last().unwrap_or_default();
        panic!("{:?} after {line:?}", text[at..].chars().next());
    }
}

/// Gives few bytes at a time, as a pipe does.
struct Drips(Cursor<Vec<u8>>, Random);

impl Read for Drips {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let few = (1 + self.1.below(700)).min(into.len());
        self.0.read(&mut into[..few])
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// What can be had of a gzip file that ends too early.
fn gunzip_as_far_as_possible(mut bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut gunzip = flate2::read::GzDecoder::new(&mut bytes);
    let mut byte = [0];
    while let Ok(1) = gunzip.read(&mut byte) {
        plain.extend(byte);
    }
    plain
}

/// The messages of the whole that were complete in the first `n` bytes.
fn complete_before(whole: &[Seen], frames: &[Frame], n: usize) -> Vec<Seen> {
    let records = frames.iter().take_while(|frame| frame.end <= n).count() as u64;
    let before = whole.iter().filter(|seen| seen.frame <= records);
    before.cloned().collect()
}

/// `what` in case of a panic too.
fn naming<T>(what: impl Fn() -> String, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| panic!("{}", what()))
}

/// Runs the program with a file on standard input; gives its status, output and complaints.
fn run_piped(arguments: &[&str], input: &[u8]) -> (Option<i32>, Vec<u8>, Vec<u8>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sipexplain"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It may refuse the input and be gone before all is written.
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    (output.status.code(), output.stdout, output.stderr)
}
