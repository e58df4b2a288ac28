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
    let twice = format!("junit={}", folder.join("r.xml").display());
    for (args, said) in [
        (&["--output", &own, capture][..], "this is an input"),
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
