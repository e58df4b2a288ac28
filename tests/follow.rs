//! `--follow`: a file that grows while it is read, as tcpdump -U and loggers write it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::{program, root};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("sipexplain-follow-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Followed {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Followed {
    fn start(args: &[&str], stdin: Stdio) -> Followed {
        let mut child = program()
            .args(args)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Followed { child, out }
    }

    /// The next object of this kind.
    fn next(&mut self, kind: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "no {kind}");
            let object: Value = serde_json::from_str(&line).unwrap();
            if object["kind"] == kind {
                return object;
            }
        }
    }

    fn end(mut self) -> (Vec<Value>, i32) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let objects = rest.lines().map(|line| serde_json::from_str(line).unwrap());
        let status = self.child.wait().unwrap().code().unwrap();
        (objects.collect(), status)
    }
}

fn capture() -> Vec<u8> {
    std::fs::read(root().join("fixtures/wrappings/ethernet.pcap")).unwrap()
}

/// The records of the capture as another call, so many seconds later.
fn later(seconds: u32) -> Vec<u8> {
    let file = capture();
    let mut out = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let field = |n: usize| u32::from_le_bytes(file[at + n..at + n + 4].try_into().unwrap());
        let end = at + 16 + field(8) as usize;
        out.extend((field(0) + seconds).to_le_bytes());
        let mut rest = file[at + 4..end].to_vec();
        let id = rest
            .windows(9)
            .position(|bytes| bytes == b"wrapped-1")
            .unwrap();
        rest[id + 8] = b'2';
        out.extend(rest);
        at = end;
    }
    out
}

fn append(path: &PathBuf, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

fn inputs(objects: &[Value]) -> Vec<&Value> {
    objects
        .iter()
        .filter(|object| object["kind"] == "input")
        .collect()
}

#[test]
fn calls_come_as_they_are_over_and_a_half_written_record_waits() {
    let folder = Folder::new("grows");
    let path = folder.0.join("trace.pcap");
    let file = capture();
    std::fs::write(&path, &file[..10]).unwrap();
    let args = [
        "--follow",
        "--idle",
        "3",
        "--format",
        "ndjson",
        path.to_str().unwrap(),
    ];
    let mut followed = Followed::start(&args, Stdio::null());
    std::thread::sleep(Duration::from_millis(200));
    append(&path, &file[10..file.len() - 9]);
    std::thread::sleep(Duration::from_millis(200));
    append(&path, &file[file.len() - 9..]);
    // A packet two minutes on lets the clock run past every timer of the first call.
    let next = later(120);
    append(&path, &next[..next.len() / 2]);
    let begun = Instant::now();
    let call = followed.next("call");
    assert!(
        begun.elapsed() < Duration::from_millis(2500),
        "not only at the end"
    );
    assert_eq!(call["outcome"], "refused");
    append(&path, &next[next.len() / 2..]);
    let (rest, status) = followed.end();
    let read = inputs(&rest);
    assert_eq!(read[0]["sip_messages"], 18);
    assert_eq!(read[0]["damage"], serde_json::json!([]));
    assert_eq!(status, 0);
}

#[test]
fn a_file_that_is_replaced_or_cut_is_read_on_as_a_further_input() {
    let folder = Folder::new("rotates");
    let path = folder.0.join("trace.pcap");
    std::fs::write(&path, capture()).unwrap();
    let args = [
        "--follow",
        "--idle",
        "1.5",
        "--format",
        "ndjson",
        path.to_str().unwrap(),
    ];
    let followed = Followed::start(&args, Stdio::null());
    std::thread::sleep(Duration::from_millis(500));
    let new = folder.0.join("new");
    std::fs::write(&new, [&capture()[..24], &later(60)].concat()).unwrap();
    std::fs::rename(&new, &path).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    File::create(&path).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    append(&path, &[&capture()[..24], &later(120)].concat());
    let (rest, status) = followed.end();
    let read = inputs(&rest);
    let messages: Vec<_> = read
        .iter()
        .map(|input| input["sip_messages"].as_u64())
        .collect();
    assert_eq!(messages, [Some(9), Some(9), Some(9)], "{read:?}");
    assert_eq!(read[0]["damage"][0]["reason"], "replaced");
    assert_eq!(read[1]["damage"][0]["reason"], "truncated");
    assert_eq!(status, 0);
}

#[test]
fn a_log_and_standard_input_are_followed() {
    let folder = Folder::new("log");
    let path = folder.0.join("messages.log");
    let message = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCall-ID: 1\r\n\
                   CSeq: 1 OPTIONS\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nContent-Length: 0\r\n\r\n";
    std::fs::write(&path, message).unwrap();
    let args = [
        "--follow",
        "--idle",
        "1",
        "--format",
        "ndjson",
        path.to_str().unwrap(),
    ];
    let followed = Followed::start(&args, Stdio::null());
    std::thread::sleep(Duration::from_millis(300));
    append(
        &path,
        message.replace("Call-ID: 1", "Call-ID: 2").as_bytes(),
    );
    let (rest, _) = followed.end();
    assert_eq!(inputs(&rest)[0]["sip_messages"], 2);

    let mut followed = Followed::start(&["--follow", "--format", "ndjson", "-"], Stdio::piped());
    let mut stdin = followed.child.stdin.take().unwrap();
    stdin.write_all(&[capture(), later(120)].concat()).unwrap();
    stdin.flush().unwrap();
    assert_eq!(
        followed.next("call")["outcome"],
        "refused",
        "while the pipe is open"
    );
    drop(stdin);
    assert_eq!(inputs(&followed.end().0)[0]["sip_messages"], 18);
}

#[test]
fn only_one_file_can_be_followed() {
    let ran = harness::run(["--follow", "a", "b"]);
    assert_eq!(
        (ran.status, ran.err.as_str()),
        (2, "sipexplain: --follow takes one FILE\n")
    );
    let ran = harness::run(["--follow", "fixtures"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("a folder cannot be followed"), "{ran:?}");
}
