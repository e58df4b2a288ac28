//! The command line: options, inputs, exit status, and what goes to which stream.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "cli/codes.rs"]
mod codes;
mod harness;
#[path = "cli/inputs.rs"]
mod inputs;
#[path = "cli/status.rs"]
mod status;
#[path = "cli/terminal.rs"]
mod terminal;

use harness::{Ran, fixtures, program, read, root, run, run_with_input};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::Stdio;

const REFUSED: &str = "fixtures/unwanted-607/trace.pcap";
const BUSY: &str = "fixtures/busy-486/trace.pcap";
const FAILED: &str = "fixtures/server-error-500/trace.pcap";
const HEALTHY: &str = "fixtures/healthy-basic-call/trace.pcap";
const PASSWORD: &str = "fixtures/auth-wrong-password-invite/trace.pcap";

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("sipexplain-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn bytes(trace: &str) -> Vec<u8> {
    std::fs::read(root().join(trace)).unwrap()
}

fn calls(ran: &Ran) -> Vec<Value> {
    ran.json()["calls"].as_array().unwrap().clone()
}

fn ids(ran: &Ran) -> Vec<u64> {
    let all = calls(ran);
    all.iter()
        .map(|call| call["id"].as_u64().unwrap())
        .collect()
}

fn assert_fine(ran: &Ran) {
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", ran.out);
}

/// Compares with a file of tests/snapshots; UPDATE_EXPECTED=1 writes it anew.
fn assert_snapshot(name: &str, text: &str) {
    let path = format!("tests/snapshots/{name}");
    let text: String = text
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(root().join(path), text).unwrap();
    } else {
        assert_eq!(
            text.trim(),
            read(&path).trim(),
            "UPDATE_EXPECTED=1 rewrites {path}"
        );
    }
}

// Help
