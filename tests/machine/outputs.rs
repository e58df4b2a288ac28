//! `--output`: further reports beside the one on standard output.

use crate::harness::run;
use crate::{FAILED, FORMATS, HEALTHY};
use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn each_report_is_what_it_is_alone() {
    let folder = folder("outputs");
    let mut args = vec![FAILED.to_owned(), HEALTHY.to_owned()];
    let all = FORMATS.iter().chain(&["json", "ndjson", "text"]);
    for format in all.clone() {
        let path = folder.join(format);
        args.extend([
            "--output".to_owned(),
            format!("{format}={}", path.display()),
        ]);
    }
    let ran = run(&args);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, run([FAILED, HEALTHY]).out);
    for format in all {
        let alone = run(["--format", format, FAILED, HEALTHY]).out;
        let beside = std::fs::read_to_string(folder.join(format)).unwrap();
        assert_eq!(beside, alone, "{format}");
    }
}

#[test]
fn one_may_take_the_place_of_the_report_on_standard_output() {
    let ran = run(["--output", "markdown=-", FAILED]);
    assert_eq!(ran.out, run(["--format", "markdown", FAILED]).out);
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is() {
    let folder = folder("outputs-refused");
    let capture = folder.join("trace.pcap");
    std::fs::copy(FAILED, &capture).unwrap();
    let capture = capture.to_str().unwrap();
    let own = format!("csv={capture}");
    // Another name of the same file.
    let linked = folder.join("linked.csv");
    let _ = std::fs::remove_file(&linked);
    std::fs::hard_link(capture, &linked).unwrap();
    let linked = format!("csv={}", linked.display());
    let twice = format!("junit={}", folder.join("r.xml").display());
    for (args, said) in [
        (&["--output", &own, capture][..], "this is an input"),
        (&["--output", &linked, capture], "this is an input"),
        (
            &["--output", "junit=-", "--format", "json", capture],
            "both json and junit",
        ),
        (
            &["--output", "junit=-", "--output", "tap=-", capture],
            "both junit and tap",
        ),
        (
            &["--output", &twice, "--output", &twice, capture],
            "two reports in one file",
        ),
        (&["--output", "junit", capture], "junit=report.xml"),
        (&["--output", "junit=", capture], "junit=report.xml"),
        (
            &["--output", "word=a.doc", capture],
            "no format word; there is text, json",
        ),
        (
            &["--output", "junit=no/such/folder/a.xml", capture],
            "no/such/folder/a.xml: ",
        ),
    ] {
        let ran = run(args);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
    let whole = std::fs::read(FAILED).unwrap();
    assert_eq!(
        std::fs::read(capture).unwrap(),
        whole,
        "the input was written to"
    );
}

#[test]
fn the_command_line_goes_before_the_format_of_the_file() {
    let config = folder("outputs-config").join("sipexplain.toml");
    std::fs::write(&config, "format = \"json\"\n").unwrap();
    let config = config.to_str().unwrap();
    let ran = run(["--config", config, "--output", "tap=-", FAILED]);
    assert!(ran.out.starts_with("TAP version 13\n"), "{ran:?}");
    let ran = run(["--config", config, FAILED]);
    assert!(ran.out.starts_with('{'), "{ran:?}");
}

#[test]
fn a_policy_of_rules_and_codes_is_that_of_the_cases() {
    let busy = "fixtures/busy-486/trace.pcap";
    for (what, fails) in [("486", true), ("busy", true), ("4xx", true), ("5xx", false)] {
        let ran = run(["--format", "tap", "--fail-on", what, busy]);
        assert_eq!(ran.status, i32::from(fails), "{what}");
        assert_eq!(
            ran.out.contains("\nnot ok 1 "),
            fails,
            "{what}: {}",
            ran.out
        );
    }
}
