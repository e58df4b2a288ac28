//! Two captures of the same traffic give one report: what both hold is folded and marked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::{flow, run};
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

/// A call written as text, as a file; a test tool names each of its calls alike.
fn recorded(name: &str, lines: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("merged");
    std::fs::create_dir_all(&folder).unwrap();
    let head = "title: A call of a test tool\nparty alice 192.0.2.10:5060\nparty bob 198.51.100.20:5060\n\n";
    let path = folder.join(format!("{name}.pcap"));
    std::fs::write(&path, flow::compile(&format!("{head}{lines}")).pcap).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_later_call_with_the_names_of_an_earlier_one_is_another_call() {
    let good = recorded(
        "good",
        "0.0 alice > bob INVITE\n0.1 bob > alice 200\n0.2 alice > bob ACK\n\
         1.0 alice > bob BYE\n1.1 bob > alice 200\n",
    );
    let silent = recorded(
        "silent",
        "0.0 alice > bob INVITE\n0.5 alice > bob again INVITE\n",
    );
    for begin in [40, 69, 7200, 90_000] {
        let bad = recorded(
            &format!("bad-{begin}"),
            &format!(
                "{begin}.0 alice > bob INVITE\n{begin}.5 alice > bob again INVITE\n\
                 {begin}.6 bob > alice 486\n{begin}.7 alice > bob ACK\n"
            ),
        );
        for (first, outcome) in [(&good, "succeeded"), (&silent, "unfinished")] {
            let report = run(["--format", "json", first, &bad]).json();
            let outcomes = report["calls"].as_array().unwrap().iter();
            let outcomes: Vec<&str> = outcomes.map(|c| c["outcome"].as_str().unwrap()).collect();
            let timed_out = ["timed-out", "refused"];
            assert!(
                outcomes == [outcome, "refused"] || outcomes == timed_out,
                "{begin}: {outcomes:?}"
            );
        }
    }
    // Sent again in time it is the same call, whichever capture holds it.
    let again = recorded("again", "15.5 alice > bob INVITE\n16.0 bob > alice 486\n");
    let report = run(["--format", "json", &silent, &again]).json();
    assert_eq!(report["calls"].as_array().unwrap().len(), 1);
}
