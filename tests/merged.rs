//! Two captures of the same traffic give one report: what both hold is folded and marked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::run;
use serde_json::Value;

fn merged(name: &str) -> Value {
    let file = |side| format!("fixtures/wrappings/{name}-{side}.pcap");
    run(["--format", "json", &file("a"), &file("b")]).json()
}

fn alone(name: &str) -> Value {
    let file = format!("fixtures/wrappings/{name}-a.pcap");
    run(["--format", "json", &file]).json()
}

#[test]
fn what_two_captures_hold_is_one_call() {
    for name in [
        "same",
        "same-no-ident",
        "same-clocks",
        "same-ipv6",
        "same-tcp",
    ] {
        let (both, one) = (merged(name), alone(name));
        assert_eq!(both["totals"], one["totals"], "{name}");
        let (both, one) = (&both["calls"], &one["calls"]);
        assert_eq!(both.as_array().unwrap().len(), 1, "{name}");
        assert_eq!(both[0]["outcome"], one[0]["outcome"], "{name}");
        assert_eq!(both[0]["root_cause"], one[0]["root_cause"], "{name}");
    }
}

#[test]
fn copies_of_the_other_capture_are_marked() {
    for name in ["same", "same-no-ident", "same-clocks", "same-ipv6"] {
        let report = merged(name);
        for answer in report["calls"][0]["final_responses"].as_array().unwrap() {
            let repeats = answer["repeats"].as_array().unwrap();
            assert_eq!(repeats.len(), 1, "{name}: {answer}");
            assert_eq!(repeats[0]["kind"], "duplicate", "{name}");
            assert_ne!(repeats[0]["input"], answer["input"], "{name}");
        }
        let shown = run([
            "--all",
            "--ladder",
            &format!("fixtures/wrappings/{name}-a.pcap"),
            &format!("fixtures/wrappings/{name}-b.pcap"),
        ]);
        let ladder = || shown.out.lines().filter(|line| line.starts_with("  |"));
        let lines = |word| ladder().filter(|line| line.contains(word)).count();
        // Each of ten messages twice; the INVITE really was sent again.
        assert_eq!(
            (lines(" duplicate"), lines(" again")),
            (10, 1),
            "{name}: {}",
            shown.out
        );
    }
}
