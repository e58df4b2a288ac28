//! TAP, read by `prove` where there is one.

use crate::harness::{fixtures, hostile, run};
use crate::{FAILED, HEALTHY, hostile_report};
use std::process::Command;

/// Cases and failures, as `prove` counts them; `None` where there is no `prove`.
pub(crate) fn proved(name: &str, tap: &str) -> Option<(usize, usize)> {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{name}.tap"));
    std::fs::write(&file, tap).unwrap();
    let output = Command::new("prove").arg("--verbose").arg(&file).output();
    let Ok(output) = output else {
        eprintln!("no prove on this machine: TAP was not read back");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!said.contains("Parse errors"), "{said}");
    assert!(!said.contains("Dubious"), "{said}");
    let tests = said.split("Tests=").nth(1).expect(&said);
    let tests = tests.split(',').next().unwrap().parse().unwrap();
    let failed = said
        .split("Failed ")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    Some((tests, failed.map_or(0, |count| count.parse().unwrap())))
}

fn count(tap: &str, begin: &str) -> usize {
    tap.lines().filter(|line| line.starts_with(begin)).count()
}

#[test]
fn every_fixture_is_read_back_with_as_many_failures() {
    let traces: Vec<&str> = fixtures().iter().map(|f| f.trace.as_str()).collect();
    let tap = run(["--format", "tap"].iter().chain(&traces)).out;
    let (passed, failed) = (count(&tap, "ok "), count(&tap, "not ok "));
    assert!(passed > 20 && failed > 10, "{passed} and {failed}");
    if let Some(proved) = proved("fixtures", &tap) {
        assert_eq!(proved, (passed + failed, failed));
    }
}

#[test]
fn hostile_values_add_no_case_and_no_directive() {
    let tap = hostile_report("tap").out;
    // What is said of the peer is no failure here.
    assert_eq!(count(&tap, "ok "), 1);
    assert_eq!(count(&tap, "not ok "), hostile::IDS.len());
    assert!(tap.contains("\\#SKIP"));
    if let Some(proved) = proved("hostile", &tap) {
        assert_eq!(proved, (hostile::IDS.len() + 1, hostile::IDS.len()));
    }
}

#[test]
fn what_cannot_be_judged_is_said() {
    let tap = run(["--format", "tap", HEALTHY, "no/such.pcap"]).out;
    assert!(tap.contains("not ok 2 - no/such.pcap: read\n"), "{tap}");
    let tap = run(["--format", "tap", "fixtures/ends-while-ringing/trace.pcap"]).out;
    assert!(
        tap.contains(" # SKIP not finished in this capture\n"),
        "{tap}"
    );
    let tap = run(["--format", "tap", "--call-id", "nobody", FAILED]).out;
    assert_eq!(tap, "TAP version 13\n1..0 # SKIP nothing to judge\n");
}
