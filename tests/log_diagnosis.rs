//! A call has the same root cause in a capture and in a log of it, where the log shows what the rule
//! says that it needs; where it does not, the call is undetermined, and the report says what is missing.
//!
//! The logs are written here, from the captures of the fixtures: by somebody who sees the wire, and
//! by each host for itself.

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
use harness::{fixtures, run_with_input};
use serde_json::Value;
use sipexplain::diagnose::{Need, rules};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What the report says of each call: Call-ID, outcome, root cause.
fn told(report: &Value) -> Vec<(String, String, Option<String>)> {
    let calls = report["calls"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let told = calls.map(|call| {
        (
            text(&call["call_ids"][0]).unwrap_or_default(),
            text(&call["outcome"]).unwrap(),
            text(&call["root_cause"]),
        )
    });
    told.collect()
}

#[test]
fn x() {
    for fixture in fixtures().iter().filter(|f| f.trace.ends_with("pcap")) {
        let held = held_by_files(&[&fixture.trace]);
        let hosts: BTreeSet<IpAddr> = held
            .messages
            .iter()
            .flat_map(|m| {
                [
                    m.stamp.source.unwrap().ip(),
                    m.stamp.destination.unwrap().ip(),
                ]
            })
            .collect();
        for host in &hosts {
            let json = |shape: &Shape| {
                let log = log_of(shape, &held.messages, Some(*host));
                run_with_input(&["--format", "json", "-"], log.as_bytes()).json()
            };
            let reference = json(&SHAPES[0]);
            let n = reference["inputs"][0]["sip_messages"].as_u64().unwrap();
            let reference = told(&reference);
            if hosts.len() == 2 && reference != told(fixture.json()) {
                println!("{}: REF", fixture.name);
            }
            for shape in SHAPES {
                if !shape.by_an_end {
                    continue;
                }
                let report = json(shape);
                let read = report["inputs"][0]["sip_messages"].as_u64().unwrap();
                if read != n {
                    println!("{} {}: {} of {}", fixture.name, shape.name, read, n);
                }
                let t = told(&report);
                if t != reference {
                    println!("{} {} by {host}:", fixture.name, shape.name);
                    for r in &reference {
                        if !t.contains(r) {
                            println!("   - {r:?}");
                        }
                    }
                    for r in &t {
                        if !reference.contains(r) {
                            println!("   + {r:?}");
                        }
                    }
                    if t.len() == reference.len() && t.iter().all(|x| reference.contains(x)) {
                        println!("  order");
                    }
                }
            }
        }
    }
    panic!("x");
}
