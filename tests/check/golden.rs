use super::harness::{Ran, fixtures, flows, read, run};
use std::path::{Path, PathBuf};

const LOG: &str = "fixtures/pasted-text-607/trace.log";

/// A folder that is not there yet.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("golden")
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn check(golden: &Path, more: &[&str]) -> Ran {
    let mut arguments = vec!["check", "--golden", golden.to_str().unwrap()];
    arguments.extend(more);
    run(arguments)
}

/// The log as another run of the same flow would have written it.
fn another_run() -> String {
    let mut text = read(LOG);
    for (before, after) in [
        ("192.0.2.10", "198.51.100.77"),
        ("z9hG4bK-26358-1-0", "z9hG4bKanother"),
        ("e960acd123", "7f"),
        ("b3d755b64cbbdc686f8b", "c0ffee"),
        ("3814502211 1 ", "42 7 "),
        ("audio 20000", "audio 31002"),
        ("CSeq: 1 ", "CSeq: 4711 "),
    ] {
        assert!(text.contains(before), "{before}");
        text = text.replace(before, after);
    }
    text
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_flow_is_blessed_and_then_any_run_of_it_fits_and_any_other_is_shown() {
    let folder = folder("day");
    let (golden, log) = (folder.join("golden"), folder.join("trace.log"));
    let write = |text: &str| std::fs::write(&log, text).unwrap();
    let look = |more: &[&str]| {
        let mut arguments = vec![log.to_str().unwrap()];
        arguments.extend(more);
        check(&golden, &arguments)
    };
    write(&read(LOG));
    let new = look(&[]);
    assert_eq!(new.status, 1);
    assert!(
        new.out.contains("a call that has no golden file"),
        "{}",
        new.out
    );
    assert!(!golden.exists());

    let blessed = look(&["--bless"]);
    assert_eq!((blessed.status, blessed.err.as_str()), (0, ""));
    assert!(
        blessed.out.contains("written 1, removed 0"),
        "{}",
        blessed.out
    );
    let name = "trace-001-INVITE-+12125550100-+12125550123.flow.txt";
    assert_eq!(names(&golden), [name]);

    write(&another_run());
    let same = look(&[]);
    assert_eq!(
        (same.status, same.out.as_str()),
        (0, "1 call, 1 as before\n")
    );

    write(&another_run().replace("607 Unwanted", "603 Decline"));
    let other = look(&[]);
    assert_eq!(other.status, 1);
    for line in [
        "    - outcome: refused 607",
        "    + outcome: refused 603",
        "    - ? -> A  SIP/2.0 607 Unwanted",
        "    + ? -> A  SIP/2.0 603 Decline",
    ] {
        assert!(other.out.contains(line), "{line}\n{}", other.out);
    }
    assert_eq!(look(&["--bless"]).status, 0);
    assert_eq!(look(&[]).status, 0);
}

#[test]
fn a_call_that_is_gone_falls_short_and_files_of_other_inputs_stay() {
    let folder = folder("gone");
    let golden = folder.join("golden");
    let two = "fixtures/healthy-busy-retry/trace.pcap";
    let copy = folder.join("trace.pcap");
    std::fs::copy(two, &copy).unwrap();
    assert_eq!(
        check(&golden, &[copy.to_str().unwrap(), "--bless"]).status,
        0
    );
    let before = names(&golden);
    std::fs::copy("fixtures/unwanted-607/trace.pcap", &copy).unwrap();
    let gone = check(&golden, &[copy.to_str().unwrap()]);
    assert_eq!(gone.status, 1);
    assert!(
        gone.out.contains("no such call was recorded"),
        "{}",
        gone.out
    );
    assert_eq!(names(&golden), before);

    // Another input has other files.
    let other = folder.join("other.pcap");
    std::fs::copy("fixtures/busy-486/trace.pcap", &other).unwrap();
    assert_eq!(
        check(&golden, &[other.to_str().unwrap(), "--bless"]).status,
        0
    );
    assert_eq!(names(&golden).len(), before.len() + 1);
}

#[test]
fn what_is_no_golden_file_is_not_written_over() {
    let folder = folder("foreign");
    let log = folder.join("trace.log");
    std::fs::write(&log, read(LOG)).unwrap();
    let name = "trace-001-INVITE-+12125550100-+12125550123.flow.txt";
    std::fs::write(folder.join(name), "my own notes\n").unwrap();
    let told = check(&folder, &[log.to_str().unwrap()]);
    assert_eq!(told.status, 1);
    assert!(told.out.contains("no golden flow"), "{}", told.out);
    assert_eq!(
        check(&folder, &[log.to_str().unwrap(), "--bless"]).status,
        2
    );
    assert_eq!(
        std::fs::read_to_string(folder.join(name)).unwrap(),
        "my own notes\n"
    );
}

#[test]
fn every_fixture_has_a_golden_form_without_addresses_and_secrets() {
    let folder = folder("all");
    let with_calls = |fixture: &&super::harness::Fixture| {
        fixture.json()["calls"]
            .as_array()
            .is_some_and(|c| !c.is_empty())
    };
    for fixture in fixtures()
        .iter()
        .chain(flows())
        .filter(with_calls)
        .step_by(7)
    {
        let golden = folder.join(&fixture.name);
        let trace = fixture.trace.as_str();
        let blessed = check(&golden, &[trace, "--bless"]);
        assert_eq!(blessed.status, 0, "{}: {}", fixture.name, blessed.err);
        assert_eq!(check(&golden, &[trace]).status, 0, "{}", fixture.name);
        for name in names(&golden) {
            let text = std::fs::read_to_string(golden.join(&name)).unwrap();
            for line in text.lines() {
                let masked = !line.contains("branch=z9hG4bK") && !line.contains("response=\"")
                    || line.contains("response=\"<response");
                assert!(masked, "{name}: {line}");
                assert!(!line.chars().any(char::is_control), "{name}: {line:?}");
            }
        }
    }
}

#[test]
fn inputs_of_one_name_have_files_of_their_own() {
    let folder = folder("namesakes");
    let golden = folder.join("golden");
    let mut inputs = Vec::new();
    for (name, trace) in [("a", "unwanted-607"), ("b", "busy-486")] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
        let path = folder.join(name).join("trace.pcap");
        std::fs::copy(format!("fixtures/{trace}/trace.pcap"), &path).unwrap();
        inputs.push(path.to_str().unwrap().to_owned());
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let blessed = check(&golden, &[&inputs[..], &["--bless"]].concat());
    assert!(blessed.out.contains("written 2"), "{}", blessed.out);
    assert_eq!(check(&golden, &inputs).status, 0);
}
