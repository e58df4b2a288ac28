//! What holds for every capture: a cut, damage or hostility in one place changes nothing elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, with functions of its own"
)]

mod captures;

use captures::{Frame, Random, Trace, Writer, fixtures, frames, udp_payload};
use sipexplain::analyze;
use sipexplain::diagnose::{Depth, Diagnosis};
use sipexplain::input::Inputs;
use sipexplain::lang::Lang;
use sipexplain::layers::Keys;
use sipexplain::report::{Options, Report, Run, json, terminal};
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
    fn depth(&self) -> Depth {
        Depth::Verdict
    }

    fn call(
        &mut self,
        call: &Call,
        verdict: &Diagnosis,
        prove: &dyn Fn() -> Diagnosis,
    ) -> io::Result<()> {
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
    fn depth(&self) -> Depth {
        Depth::Verdict
    }

    fn call(
        &mut self,
        call: &Call,
        verdict: &Diagnosis,
        prove: &dyn Fn() -> Diagnosis,
    ) -> io::Result<()> {
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
    analyze(inputs, Keys::new(), &Selection::default(), &[], report).expect("a report");
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
        bar: None,
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

#[test]
fn a_cut_capture_holds_what_was_complete_before_the_cut() {
    let mut random = Random(1);
    let mut cuts_made = 0;
    for trace in fixtures(&["pcap", "pcapng"]) {
        let (frames, ends) = frames(&trace.bytes);
        let whole = messages_in(&trace.bytes);
        let mut cuts: Vec<usize> = ends.iter().flat_map(|&n| [n - 1, n, n + 1]).collect();
        cuts.extend((0..12).map(|_| random.below(trace.bytes.len())));
        // In long captures most frames are media; some of their ends are enough.
        while cuts.len() > 120 {
            cuts.swap_remove(random.below(cuts.len()));
        }
        for n in cuts {
            let n = n.min(trace.bytes.len());
            let expected = complete_before(&whole, &frames, n);
            let cut = trace.bytes[..n].to_vec();
            let what = || format!("{}, cut at {n}", trace.name);
            let seen = naming(what, || match random.below(8) {
                0 => messages(Drips(Cursor::new(cut), Random(n as u64))),
                1 => messages_in(&gzip(&cut)),
                _ => messages_in(&cut),
            });
            assert_eq!(seen, expected, "{}", what());
            cuts_made += 1;
        }
    }
    println!("{cuts_made} cuts");
}

#[test]
fn a_cut_gzip_file_holds_what_can_be_decompressed() {
    let mut random = Random(2);
    for trace in fixtures(&["pcap", "pcapng"]) {
        let (frames, _) = frames(&trace.bytes);
        let whole = messages_in(&trace.bytes);
        let packed = gzip(&trace.bytes);
        for _ in 0..4 {
            let n = 18 + random.below(packed.len() - 18);
            let plain = gunzip_as_far_as_possible(&packed[..n]);
            let expected = complete_before(&whole, &frames, plain.len());
            let what = || format!("{}, compressed, cut at {n}", trace.name);
            let seen = naming(what, || messages_in(&packed[..n]));
            assert_eq!(seen, expected, "{}", what());
        }
    }
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

#[test]
fn a_pipe_gives_the_same_as_a_file() {
    let mut random = Random(3);
    for trace in fixtures(&["pcap", "pcapng"]).iter().step_by(4) {
        let (frames, _) = frames(&trace.bytes);
        let n = random.below(trace.bytes.len() + 1);
        let expected = complete_before(&messages_in(&trace.bytes), &frames, n);
        let (status, out, err) = run_piped(&["--format", "json", "-"], &trace.bytes[..n]);
        let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let messages = report["totals"]["messages"].as_u64().unwrap();
        let copies = report["inputs"][0]["sip_messages"].as_u64().unwrap();
        assert_eq!(copies, expected.len() as u64, "{}, {n}", trace.name);
        assert!(messages <= copies, "{}, {n}", trace.name);
        let right = if expected.is_empty() { 2 } else { 0 };
        let complaint = String::from_utf8_lossy(&err);
        assert_eq!(status, Some(right), "{}, {n}: {complaint}", trace.name);
    }
}

#[test]
fn a_flipped_byte_in_a_datagram_changes_no_other_message() {
    let mut random = Random(4);
    let mut flips = 0;
    for trace in fixtures(&["pcap", "pcapng"]) {
        let (frames, _) = frames(&trace.bytes);
        let whole = messages_in(&trace.bytes);
        let datagrams: Vec<(u64, std::ops::Range<usize>)> = (1..)
            .zip(&frames)
            .filter_map(|(number, frame)| Some((number, udp_payload(&trace.bytes, frame)?)))
            .collect();
        let step = datagrams.len().div_ceil(30).max(1);
        for (number, payload) in datagrams.into_iter().step_by(step) {
            // The start line decides most, so it is met more often.
            let length = payload.len();
            for end in [length.min(20), length.min(400), length] {
                let at = payload.start + random.below(end);
                let mut flipped = trace.bytes.clone();
                flipped[at] ^= random.flip();
                let what = || format!("{}, frame {number}, offset {at}", trace.name);
                let seen = naming(what, || messages_in(&flipped));
                let here = seen.iter().filter(|seen| seen.frame == number).count();
                assert!(here <= 1, "{}: {here} messages", what());
                let elsewhere = |all: &[Seen]| -> Vec<Seen> {
                    let others = all.iter().filter(|seen| seen.frame != number);
                    others.cloned().collect()
                };
                assert_eq!(elsewhere(&seen), elsewhere(&whole), "{}", what());
                flips += 1;
            }
        }
    }
    println!("{flips} bytes flipped in datagrams");
}

/// Damage of a random kind.
fn damaged(trace: &Trace, random: &mut Random) -> Vec<u8> {
    let mut bytes = trace.bytes.clone();
    let at = random.below(bytes.len());
    let garbage = |random: &mut Random| -> Vec<u8> {
        (0..1 + random.below(300)).map(|_| random.byte()).collect()
    };
    match random.below(12) {
        0 => bytes.truncate(at),
        1 => {
            let insert = garbage(random);
            bytes.splice(at..at, insert);
        }
        2 => {
            let end = (at + random.below(300)).min(bytes.len());
            bytes.drain(at..end);
        }
        3 => {
            let end = (at + random.below(300)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        4 => bytes = garbage(random),
        5 => {
            // The headers of files and records stand at the beginning.
            for _ in 0..3 {
                let at = random.below(bytes.len().min(128));
                bytes[at] ^= random.flip();
            }
        }
        many => {
            for _ in 0..many - 5 {
                let at = random.below(bytes.len());
                bytes[at] ^= random.flip();
            }
        }
    }
    bytes
}

#[test]
fn damage_anywhere_gives_a_report() {
    let mut random = Random(5);
    let traces = fixtures(&["pcap", "pcapng", "log"]);
    let (mut with_sip, mut unread) = (0, 0);
    for round in 0..ROUNDS {
        let trace = &traces[random.below(traces.len())];
        let bytes = damaged(trace, &mut random);
        let what = || format!("{}, round {round}", trace.name);
        let collect = naming(what, || report_in_every_format(&bytes));
        with_sip += usize::from(!collect.seen.is_empty());
        unread += usize::from(collect.unread);
    }
    println!("{ROUNDS} damaged inputs: {with_sip} with SIP, {unread} unreadable");
    assert!(with_sip > ROUNDS / 2);
}

const ROUNDS: usize = 3000;

#[test]
fn damage_gives_an_exit_status() {
    let mut random = Random(6);
    let traces = fixtures(&["pcap", "pcapng", "log"]);
    for round in 0..40 {
        let bytes = damaged(&traces[random.below(traces.len())], &mut random);
        let (status, out, err) = run_piped(&["--fail-on", "failed", "-"], &bytes);
        assert!(matches!(status, Some(0..=2)), "round {round}: {status:?}");
        assert_harmless(&out);
        assert_harmless(&err);
        assert!(!out.is_empty() || !err.is_empty(), "round {round}: silence");
    }
}

/// Texts that a header may carry and a report must not pass on.
const EVIL: &[(&str, &[u8])] = &[
    (
        "control characters",
        b"a\x00\x01\x07\x08\x0b\x0c\x0e\x1a\x1f\x7fb\rc",
    ),
    (
        "escape sequences",
        b"\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1bPq\x1b\\",
    ),
    (
        "C1 controls",
        "\u{80}\u{85}\u{9b}31m\u{9d}0;t\u{9c}".as_bytes(),
    ),
    ("bare C1 bytes", b"\x80\x85\x9b31m\x9d0;t\x9c"),
    (
        "bidirectional overrides",
        "\u{202e}gpj\u{202c}\u{2066}x\u{2069}\u{200f}\u{2028}y\u{2029}".as_bytes(),
    ),
    (
        "no UTF-8",
        b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf8\x88\x80\x80\x80\xe2\x82",
    ),
    ("folds", b"a\r\n \x1b[1mb\r\n\t\xe2\x80\xaec"),
    ("quotes and brackets", b"\\\"<>&'`$(x);,=@%0a{}[]"),
    (
        "wide and joined",
        "日本語\u{1f468}\u{200d}\u{1f469}e\u{301}\u{301}\u{feff}".as_bytes(),
    ),
    ("nothing", b""),
];

/// A message with the text wherever a header can carry one. Call-ID, branch and tags tell the
/// calls apart.
fn evil_message(
    start: &[u8],
    method: &str,
    cseq: u32,
    call: u32,
    evil: &[u8],
    more: &[u8],
) -> Vec<u8> {
    // A start line cannot be folded.
    let mut message: Vec<u8> = start.iter().copied().filter(|b| *b != b'\n').collect();
    let mut line = |parts: &[&[u8]]| {
        message.extend(parts.concat());
        message.extend(b"\r\n");
    };
    let (call, cseq) = (format!("{call}"), format!("{cseq} {method}"));
    let n = call.as_bytes();
    line(&[]);
    line(&[
        b"Via: SIP/2.0/UDP ",
        evil,
        b";branch=z9hG4bK",
        cseq.split(' ').next().unwrap().as_bytes(),
        b"x",
        n,
    ]);
    line(&[
        b"From: \"",
        evil,
        b"\" <sip:",
        evil,
        b"@example.org>;tag=",
        evil,
        n,
    ]);
    line(&[
        b"To: \"",
        evil,
        b"\" <sip:bob",
        evil,
        b"@example.net>;tag=",
        if start.starts_with(b"SIP") { evil } else { b"" },
    ]);
    line(&[b"Call-ID: ", n, b"@", evil]);
    line(&[b"CSeq: ", cseq.as_bytes()]);
    line(&[b"Contact: <sip:", evil, b"@192.168.0.1>"]);
    for name in [
        "Server",
        "User-Agent",
        "Subject",
        "P-Asserted-Identity",
        "X-\x1b[5m",
        "Allow",
        "Supported",
        "Call-Info",
    ] {
        line(&[name.as_bytes(), b": ", evil]);
    }
    line(&[b"Reason: Q.850;cause=34;text=\"", evil, b"\""]);
    line(&[b"Reason: SIP;cause=603;text=", evil]);
    line(&[b"Warning: 305 ", evil, b" \"", evil, b"\""]);
    line(&[b"Retry-After: 18000 (", evil, b");duration=", evil]);
    line(&[
        b"WWW-Authenticate: Digest realm=\"",
        evil,
        b"\", nonce=\"",
        evil,
        n,
        b"\"",
    ]);
    line(&[
        b"Proxy-Authenticate: Digest realm=\"",
        evil,
        b"\", nonce=\"",
        evil,
        b"\"",
    ]);
    line(&[
        b"Identity: ",
        evil,
        b".",
        evil,
        b".",
        evil,
        b";info=<",
        evil,
        b">;alg=",
        evil,
    ]);
    message.extend(more);
    let body = [
        b"v=0\r\ns=",
        evil,
        b"\r\nc=IN IP4 ",
        evil,
        b"\r\nm=audio 4000 RTP/AVP 18 ",
        evil,
        b"\r\na=rtpmap:18 ",
        evil,
        b"\r\n",
    ]
    .concat();
    message.extend(
        format!(
            "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .bytes(),
    );
    message.extend(body);
    message
}

/// Calls that fail in many ways, with the text in every header.
fn evil_calls(evil: &[u8]) -> Vec<u8> {
    let mut capture = Writer::new();
    let codes = [
        302, 401, 403, 404, 407, 408, 422, 480, 484, 486, 487, 488, 500, 503, 600, 603, 607, 608,
        699,
    ];
    let authorization = [
        b"Authorization: Digest username=\"",
        evil,
        b"\", realm=\"",
        evil,
        b"\", nonce=\"",
        evil,
        b"\", response=\"",
        evil,
        b"\"\r\n",
    ]
    .concat();
    for (call, code) in (0u32..).zip(codes) {
        for method in ["INVITE", "REGISTER", "MESSAGE"] {
            let call = call * 3 + u32::try_from(method.len()).unwrap() * 1000;
            let request = [method.as_bytes(), b" sip:", evil, b"@example.net SIP/2.0"].concat();
            let response = [format!("SIP/2.0 {code} ").as_bytes(), evil].concat();
            for cseq in 1..3 {
                let more = if cseq == 2 { &authorization[..] } else { b"" };
                capture.udp(
                    true,
                    &evil_message(&request, method, cseq, call, evil, more),
                );
                capture.udp(
                    false,
                    &evil_message(&response, method, cseq, call, evil, b""),
                );
                capture.wait(20);
            }
        }
    }
    // Never answered.
    let request = [b"INVITE sip:", evil, b"@example.net SIP/2.0"].concat();
    for wait in [0, 500, 1000, 2000, 4000, 8000, 16000, 32000] {
        capture.wait(wait);
        capture.udp(true, &evil_message(&request, "INVITE", 1, 9, evil, b""));
    }
    capture.wait(40_000);
    capture.udp(true, b"\r\n\r\n");
    capture.file
}

/// A capture, and how many messages are in it.
type Hostile = (String, Vec<u8>, usize);

const REQUEST: &str = "INVITE sip:bob@example.net SIP/2.0\r\n";
const ESSENTIAL: [&str; 5] = [
    "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\n",
    "From: <sip:alice@example.org>;tag=a\r\n",
    "To: <sip:bob@example.net>\r\n",
    "Call-ID: call@example.org\r\n",
    "CSeq: 1 INVITE\r\n",
];

fn with_headers(start: &str, headers: &str) -> Vec<u8> {
    format!(
        "{start}{}{headers}Content-Length: 0\r\n\r\n",
        ESSENTIAL.concat()
    )
    .into_bytes()
}

fn hostile_captures() -> Vec<Hostile> {
    let mut all: Vec<Hostile> = EVIL
        .iter()
        .map(|(name, evil)| ((*name).to_owned(), evil_calls(evil), 19 * 3 * 4 + 8))
        .collect();
    let mut add = |name: &str, messages: usize, fill: &dyn Fn(&mut Writer)| {
        let mut capture = Writer::new();
        fill(&mut capture);
        all.push((name.to_owned(), capture.file, messages));
    };
    let refusal =
        |code: u16, headers: &str| with_headers(&format!("SIP/2.0 {code} No\r\n"), headers);
    let long = |length: usize| {
        format!(
            "Reason: Q.850;cause=16;text=\"{}\"\r\n",
            "\u{1b}x".repeat(length / 2)
        )
    };
    let many = |count: usize| "X: \u{1b}[1m\r\n".repeat(count);
    let vias = |count: usize| {
        format!(
            "Via: {}a\r\n",
            "SIP/2.0/UDP a;branch=z9hG4bKx, ".repeat(count)
        )
    };
    for (name, headers) in [
        ("60 KB header", long(60_000)),
        ("5000 headers", many(5000)),
        ("1900 Vias", vias(1900)),
    ] {
        add(&format!("{name} in a datagram"), 2, &|capture| {
            capture.udp(true, &with_headers(REQUEST, &headers));
            capture.udp(false, &refusal(486, &headers));
        });
    }
    for (name, headers) in [
        ("200 KB header", long(200_000)),
        ("5000 headers", many(5000)),
        ("6000 Vias", vias(6000)),
    ] {
        add(&format!("{name} over TCP"), 2, &|capture| {
            capture.tcp(true, &with_headers(REQUEST, &headers));
            capture.tcp(false, &refusal(503, &headers));
        });
    }
    add("10000 retransmissions", 10_001, &|capture| {
        for _ in 0..10_000 {
            capture.udp(true, &with_headers(REQUEST, ""));
        }
        capture.udp(false, &refusal(500, ""));
    });
    add("10000 answers", 10_001, &|capture| {
        capture.udp(true, &with_headers(REQUEST, ""));
        for n in 0..10_000 {
            capture.udp(false, &refusal(200 + n % 500, ""));
        }
    });
    add("10000 requests on one Call-ID", 10_000, &|capture| {
        for n in 0..10_000 {
            let request = String::from_utf8(with_headers(REQUEST, "")).unwrap();
            let other = request
                .replace("tag=a", &format!("tag={n}"))
                .replace("bK1", &format!("bK{n}"));
            capture.udp(true, other.as_bytes());
        }
    });
    add("challenges on one Call-ID", 600, &|capture| {
        for n in 0..300 {
            let of = |header: &str| -> String {
                let one = |k| {
                    format!("{header}: Digest username=\"a\", realm=\"r\", nonce=\"{n}-{k}\"\r\n")
                };
                (0..40).map(one).collect()
            };
            let numbered = |start: &str, headers: &str| {
                let message = String::from_utf8(with_headers(start, headers)).unwrap();
                let message = message.replace("tag=a", &format!("tag={n}"));
                message.replace("CSeq: 1", &format!("CSeq: {}", n + 1))
            };
            capture.udp(true, numbered(REQUEST, &of("Authorization")).as_bytes());
            let refusal = numbered("SIP/2.0 401 No\r\n", &of("WWW-Authenticate"));
            capture.udp(false, refusal.as_bytes());
        }
    });
    for (missing, name) in ["Via", "From", "To", "Call-ID", "CSeq"].iter().enumerate() {
        let mut headers = ESSENTIAL.to_vec();
        headers.remove(missing);
        let headers = headers.concat();
        add(&format!("{name} missing"), 12, &|capture| {
            for start in [
                REQUEST,
                "SIP/2.0 404 Not Found\r\n",
                "BYE sip:bob SIP/2.0\r\n",
            ] {
                let message = format!("{start}{headers}\r\n");
                capture.udp(true, message.as_bytes());
                capture.udp(false, message.as_bytes());
                capture.tcp(true, message.as_bytes());
                capture.tcp(false, message.as_bytes());
            }
        });
    }
    add("every header missing", 3, &|capture| {
        capture.udp(true, b"INVITE sip:bob SIP/2.0\r\n\r\n");
        capture.udp(false, b"SIP/2.0 486 Busy\r\n\r\n");
        capture.udp(false, b"SIP/2.0 486\n");
    });
    add("numbers beyond all bounds", 2, &|capture| {
        let huge = "9".repeat(400);
        let headers = format!(
            "CSeq: {huge} INVITE\r\nExpires: {huge}\r\nRetry-After: {huge}\r\nMax-Forwards: -{huge}\r\nMin-SE: {huge}\r\nContent-Length: {huge}\r\n"
        );
        for start in [REQUEST, "SIP/2.0 503 No\r\n"] {
            capture.udp(
                true,
                format!("{start}{headers}{}\r\n", ESSENTIAL[..4].concat()).as_bytes(),
            );
        }
    });
    all
}

/// Longer than any of them may take in a build without optimisation.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn hostile_headers_reach_no_terminal_and_stop_nothing() {
    for (name, capture, messages) in hostile_captures() {
        let began = Instant::now();
        let collect = naming(|| name.clone(), || report_in_every_format(&capture));
        let took = began.elapsed();
        println!("{name}: {messages} messages, {} ms", took.as_millis());
        assert_eq!(collect.seen.len(), messages, "{name}");
        assert!(took < BOUND, "{name}: {took:?}");
    }
}

#[test]
fn hostile_names_and_texts_reach_no_terminal() {
    let folder = std::env::temp_dir().join(format!(
        "sipexplain-\x1b[31m\u{202e}-{}",
        std::process::id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let text = evil_message(b"SIP/2.0 404 \x1b[2J", "INVITE", 1, 1, EVIL[1].1, b"");
    for (name, bytes) in [
        ("\x1b]0;a.pcap", evil_calls(EVIL[1].1)),
        ("\u{9b}2J.log", text),
        ("\rempty", Vec::new()),
        ("\x08none\n.txt", b"nothing \x1b[2J here\n".to_vec()),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    for full in [false, true] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_sipexplain"));
        program.args([
            "--color",
            "never",
            "--ip",
            "192.0.2.10",
            "--call-id",
            "1@\x1b[2J",
        ]);
        if full {
            program.args(["--all", "--ladder"]);
        }
        program.arg(&folder);
        for entry in std::fs::read_dir(&folder).unwrap() {
            program.arg(entry.unwrap().path());
        }
        let output = program.arg(folder.join("\x1b[1mmissing")).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_harmless(&output.stdout);
        assert_harmless(&output.stderr);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    for arguments in [
        vec!["code", "\x1b[2J"],
        vec!["rule", "\u{202e}x"],
        vec!["--tz", "\x1b[2J", "x"],
        vec!["--lang", "\x1b[2J", "x"],
    ] {
        let (status, out, err) = run_piped(&arguments, b"");
        assert_eq!(status, Some(2), "{arguments:?}");
        assert_harmless(&out);
        assert_harmless(&err);
    }
}

#[test]
fn a_further_attempt_under_another_from_tag_belongs_where_it_answers_the_challenge() {
    for (answered, calls) in [("n1", 1), ("n2", 2)] {
        let mut capture = Writer::new();
        let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\"\r\n";
        capture.udp(true, &with_headers(REQUEST, ""));
        capture.udp(false, &with_headers("SIP/2.0 401 No\r\n", challenge));
        let answer =
            format!("Authorization: Digest username=\"a\", realm=\"r\", nonce=\"{answered}\"\r\n");
        let second = |start: &str, headers: &str| {
            let message = String::from_utf8(with_headers(start, headers)).unwrap();
            let message = message
                .replace("tag=a", "tag=b")
                .replace("CSeq: 1", "CSeq: 2");
            message.replace("bK1", "bK2").into_bytes()
        };
        capture.udp(true, &second(REQUEST, &answer));
        capture.udp(false, &second("SIP/2.0 200 OK\r\n", ""));
        let (_, out, _) = run_piped(&["--format", "json", "-"], &capture.file);
        let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            report["calls"].as_array().unwrap().len(),
            calls,
            "{answered}"
        );
    }
}
