//! The command line: options, inputs, exit status, and what goes to which stream.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

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

#[test]
fn the_help_is_as_it_was() {
    let ran = run(["--help"]);
    assert_fine(&ran);
    assert_snapshot("help.txt", &ran.out);
    let ran = run(["code", "--help"]);
    assert_fine(&ran);
    assert_snapshot("help-code.txt", &ran.out);
}

#[test]
fn the_help_names_every_exit_status_and_format() {
    let help = run(["--help"]).out;
    for wanted in ["  0  ", "  1  ", "  2  ", "text, json, ndjson"] {
        assert!(help.contains(wanted), "{wanted}");
    }
    let version = run(["--version"]);
    assert_eq!(
        version.out.trim(),
        concat!("sipexplain ", env!("CARGO_PKG_VERSION"))
    );
}

// Exit status

#[test]
fn status_0_judged_and_nothing_asked_for_fell_short() {
    for args in [
        &[HEALTHY][..],
        &[FAILED],
        &["--fail-on", "failed", HEALTHY],
        // Refused by a person is no failure, and busy no error.
        &["--fail-on", "failed", REFUSED],
        &["--fail-on", "error", BUSY],
        &["--fail-on", "warning", HEALTHY],
    ] {
        let ran = run(args);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn status_1_judged_and_what_was_asked_for_fell_short() {
    for args in [
        ["--fail-on", "failed", FAILED],
        [
            "--fail-on",
            "failed",
            "fixtures/no-answer-at-all/trace.pcap",
        ],
        [
            "--fail-on",
            "failed",
            "fixtures/redirect-302-not-followed/trace.pcap",
        ],
        ["--fail-on", "error", REFUSED],
        ["--fail-on", "warning", REFUSED],
    ] {
        let ran = run(args);
        assert_eq!((ran.status, ran.err.as_str()), (1, ""), "{args:?}");
        assert!(!ran.out.is_empty(), "{args:?}");
    }
    // Only what was selected counts.
    let ran = run(["--fail-on", "failed", "--method", "OPTIONS", FAILED]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn status_2_an_input_is_missing_and_the_others_are_reported() {
    let ran = run(["--fail-on", "failed", "no/such.pcap", FAILED]);
    assert_eq!(ran.status, 2, "2 beats 1");
    assert!(ran.out.contains("500 Server Internal Error"), "{}", ran.out);
    assert!(ran.out.contains("no/such.pcap · not read: "), "{}", ran.out);
    assert!(
        ran.err.starts_with("sipexplain: no/such.pcap: "),
        "{}",
        ran.err
    );
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);

    let ran = run(["--format", "json", FAILED, "no/such.pcap"]);
    assert_eq!(ran.status, 2);
    assert_eq!(calls(&ran).len(), 1);
    let document = ran.json();
    assert_eq!(document["inputs"][1]["path"], "no/such.pcap");
    assert!(document["inputs"][1]["error"].is_string());
    assert!(document["inputs"][0]["error"].is_null());
}

#[test]
fn status_2_no_sip_and_what_there_was_instead() {
    let folder = Folder::new("no-sip");
    // A capture whose packets are all ARP: the first two of a fixture.
    let whole = bytes(BUSY);
    let mut at = 24;
    let mut arp = whole[..24].to_vec();
    while at < whole.len() {
        let length = u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap()) as usize;
        let record = &whole[at..at + 16 + length];
        if record[16 + 12..16 + 14] == [0x08, 0x06] {
            arp.extend_from_slice(record);
        }
        at += 16 + length;
    }
    assert!(arp.len() > 24 && arp.len() < whole.len());
    let path = folder.file("arp.pcap", &arp);
    let ran = run([path.as_str()]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("no SIP found in ") && ran.err.contains("arp"),
        "{}",
        ran.err
    );

    let path = folder.file("notes.txt", b"bread\nmilk\n");
    let ran = run([path.as_str()]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("text without a SIP start line"),
        "{}",
        ran.err
    );

    let path = folder.file("empty.pcap", b"");
    let ran = run(["--format", "json", &path]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("empty"), "{}", ran.err);
    assert_eq!(calls(&ran).len(), 0);
}

#[test]
fn status_2_bad_usage() {
    for (args, said) in [
        (&[][..], "required"),
        (&["--lsit", BUSY], "--list"),
        (&["--format", "xml", BUSY], "json"),
        (
            &["--log-format", "asterisk-pjsp", BUSY],
            "a similar value exists: 'asterisk-pjsip'",
        ),
        (&["--color", "sometimes", BUSY], "always"),
        (&["--fail-on", "anything", BUSY], "failed"),
        (&["--tz", "Nowhere/At-All", BUSY], "Europe/Paris"),
        (&["--lang", "tlh", BUSY], "en"),
        (&["--ip", "example.com", BUSY], "--ip"),
        (&["--call", "one", BUSY], "--call"),
        (&["--code", "4x", BUSY], "4xx"),
        (&["--all", "--list", BUSY], "--list"),
    ] {
        let ran = run(args);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_cut_last_record_is_damage_and_not_status_2() {
    let folder = Folder::new("cut");
    let whole = bytes(REFUSED);
    let path = folder.file("cut.pcap", &whole[..whole.len() - 5]);
    let ran = run([path.as_str()]);
    assert_fine(&ran);
    assert!(ran.out.contains("damaged at byte"), "{}", ran.out);
    assert!(ran.out.contains("607 Unwanted"), "{}", ran.out);
}

// Reference pages

#[test]
fn a_code_that_is_no_code_is_a_suggestion_and_status_2() {
    for (args, said) in [
        (["code", "999"], "from 100 to 699"),
        (["code", "701"], "pjsip"),
        (["code", "700"], "did you mean 600"),
        (["code", "99"], "from 100 to 699"),
        (["code", "abc"], "sipexplain code 607"),
        (["code", "-1"], "-1"),
        (["code", "q850:999"], "q850"),
        (["code", "isup:1"], "stir"),
        (
            ["code", "not aceptable"],
            "did you mean 406 Not Acceptable?",
        ),
        (["code", "690-699"], "no registered code"),
        (["method", "INVTE"], "did you mean INVITE?"),
        (["option", "100rell"], "did you mean 100rel?"),
        (["rule", "nope"], "`sipexplain rules` lists all"),
        (["rule", "bussy"], "did you mean busy?"),
        (["rule", "auth-wrong-credential"], "auth-wrong-credentials"),
    ] {
        let ran = run(args);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
}

#[test]
fn codes_are_found_by_class_range_and_phrase_and_terms_by_name() {
    let titles = |args: &[&str]| -> Vec<String> {
        let ran = run(args.iter().chain(&["--format", "json"]));
        assert_fine(&ran);
        let pages = ran.json();
        let title = |page: &serde_json::Value| page["title"].as_str().unwrap().to_owned();
        pages.as_array().unwrap().iter().map(title).collect()
    };
    assert_eq!(titles(&["code", "6xx"]), ["SIP 6xx global failure"]);
    let class = run(["code", "6xx"]).out;
    for code in [
        "600  ", "603  ", "604  ", "606  ", "607  ", "608  ", "687  ",
    ] {
        assert!(class.contains(code), "{code}: {class}");
    }
    assert_eq!(titles(&["code", "486-488"]).len(), 3);
    assert_eq!(
        titles(&["code", "not acceptable"]),
        [
            "SIP 406 Not Acceptable",
            "SIP 606 Not Acceptable",
            "SIP 488 Not Acceptable Here"
        ]
    );
    assert_eq!(titles(&["code", "607", "q850:21"]).len(), 2);
    assert_eq!(titles(&["code", "user not found"]), ["SIP 404 Not Found"]);
    assert_eq!(titles(&["code", "release_cause:2"]).len(), 1);
    assert_eq!(titles(&["code", "reason:q.850"]), ["Q.850"]);
    assert_eq!(
        titles(&["header", "v", "Retry-After"]),
        ["Via", "Retry-After"]
    );
    assert_eq!(titles(&["timer", "b"]), ["B"]);
    assert_eq!(titles(&["option", "timer"]), ["timer"]);
}

#[test]
fn any_two_are_compared() {
    for (a, b, said) in [
        (
            "200",
            "607",
            "They are of different classes: 200 is success, 607 is global failure.",
        ),
        ("486", "480", "What sets them apart is who decides"),
        (
            "busy here",
            "600",
            "They are of different classes: 486 is client failure, 600 is global failure.",
        ),
        ("607", "607", "Both are the same code."),
        (
            "607",
            "677",
            "677 is not registered; its class is global failure.",
        ),
        ("q850:17", "q850:19", "Q.850 17 User busy and Q.850 19"),
        ("method:INFO", "method:MESSAGE", "INFO and MESSAGE"),
    ] {
        let ran = run(["compare", a, b]);
        assert_fine(&ran);
        assert!(ran.out.contains(said), "{a} {b}: {}", ran.out);
        assert!(!ran.out.contains(['{', '}']), "{}", ran.out);
    }
    let markdown = run(["compare", "200", "607", "--format", "markdown"]);
    assert!(
        markdown
            .out
            .contains("| Class | 2xx, success | 6xx, global failure |"),
        "{}",
        markdown.out
    );
    assert_eq!(run(["compare", "200", "4xx"]).status, 2);
}

#[test]
fn an_unregistered_code_shows_its_class_and_near_ones() {
    let ran = run(["code", "677"]);
    assert_fine(&ran);
    for said in ["677", "not registered", "global failure", "607"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    for code in (100..700).step_by(7) {
        assert_fine(&run(["code", &code.to_string()]));
    }
}

#[test]
fn several_codes_and_causes_in_one_go() {
    let ran = run(["code", "200", "q850:34", "warning:304", "stir:438"]);
    assert_fine(&ran);
    for head in ["SIP 200 OK", "Q.850 34 ", "warning 304 ", "STIR 438 "] {
        assert!(ran.out.lines().any(|line| line.starts_with(head)), "{head}");
    }
    let ran = run(["code", "200", "nonsense", "607"]);
    assert_eq!(ran.status, 2);
    assert!(ran.out.contains("SIP 200 OK") && ran.out.contains("SIP 607 Unwanted"));
}

#[test]
fn the_method_chooses_the_text_of_a_code() {
    let plain = run(["code", "404"]).out;
    let register = run(["code", "404", "--method", "register"]);
    assert_fine(&register);
    assert_ne!(plain, register.out);
}

// Streams and colour

#[test]
fn a_reader_that_goes_away_is_no_error() {
    // Longer than a pipe holds (64 KiB), so that writing goes on after the reader has gone.
    let mut args = vec!["--all", "--ladder"];
    args.extend(fixtures().iter().map(|fixture| fixture.trace.as_str()));
    for format in ["text", "json", "ndjson"] {
        let mut child = program()
            .args(&args)
            .args(["--format", format, "--fail-on", "failed"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        drop(out);
        assert!(!line.is_empty());
        let status = child.wait().unwrap();
        let mut err = String::new();
        child.stderr.unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(
            (status.code(), err.as_str()),
            (Some(1), ""),
            "{format}: it judges on"
        );
    }
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let coloured = |args: &[&str], no_color: Option<&str>| {
        let mut command = program();
        command.args(args);
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        command.output().unwrap().stdout.contains(&0x1b)
    };
    for command in [
        &[REFUSED][..],
        &["code", "607"],
        &["rule", "busy"],
        &["rules"],
    ] {
        let with = |when: &'static str| [command, &["--color", when][..]].concat();
        assert!(!coloured(command, None), "{command:?} in a pipe");
        assert!(coloured(&with("always"), None), "{command:?}");
        assert!(
            coloured(&with("always"), Some("1")),
            "{command:?}: asked for"
        );
        assert!(!coloured(&with("never"), None), "{command:?}");
        assert!(!coloured(&with("auto"), Some("1")), "{command:?}");
    }
    for format in ["json", "ndjson"] {
        let args = ["--color", "always", "--format", format, REFUSED];
        assert!(!coloured(&args, None), "{format}");
    }
}

#[test]
fn nothing_but_tabs_and_line_ends_controls_the_terminal() {
    for fixture in fixtures() {
        for args in [&["--all", "--ladder"][..], &["--list"]] {
            let out = run(args.iter().chain(&[fixture.trace.as_str()])).out;
            let control = out.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "{}", fixture.name);
        }
    }
}

// Inputs

#[test]
fn a_dash_is_standard_input() {
    for trace in [
        REFUSED,
        "fixtures/pasted-text-607/trace.log",
        "fixtures/ends-right-after-call/trace.pcapng",
    ] {
        let ran = run_with_input(&["--format", "json", "-"], &bytes(trace));
        assert_fine(&ran);
        let (mut piped, mut named) = (ran.json(), run(["--format", "json", trace]).json());
        assert_eq!(piped["inputs"][0]["path"], "-");
        for document in [&mut piped, &mut named] {
            document["inputs"][0]["path"] = Value::Null;
        }
        assert_eq!(piped, named, "{trace}");
    }
    let ran = run_with_input(&["-"], b"");
    assert_eq!(ran.status, 2);
    assert!(ran.err.starts_with("sipexplain: -: "), "{}", ran.err);
}

#[test]
fn gzip_is_seen_by_its_content() {
    let folder = Folder::new("gzip");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&bytes(REFUSED)).unwrap();
    let packed = packed.finish().unwrap();
    for name in ["trace.pcap.gz", "trace.pcap"] {
        let path = folder.file(name, &packed);
        let ran = run(["--format", "json", &path]);
        assert_fine(&ran);
        let document = ran.json();
        let plain = run(["--format", "json", REFUSED]).json();
        assert_eq!(document["calls"], plain["calls"]);
        assert_eq!(document["inputs"][0]["format"], "pcap");
        assert!(run([path.as_str()]).out.contains("gzip"));
    }
}

#[test]
fn several_inputs_are_merged_by_time() {
    let start = |trace: &str| calls(&run(["--format", "json", trace]))[0]["start"].clone();
    let (mut first, mut second) = (BUSY, REFUSED);
    if start(first).as_str() > start(second).as_str() {
        (first, second) = (second, first);
    }
    let ran = run(["--format", "json", second, first]);
    assert_fine(&ran);
    let starts: Vec<Value> = calls(&ran)
        .iter()
        .map(|call| call["start"].clone())
        .collect();
    assert_eq!(starts, [start(first), start(second)]);
    assert_eq!(ids(&ran), [1, 2], "numbered by first message");
    let document = ran.json();
    let paths = |index: usize| document["inputs"][index]["path"].clone();
    assert_eq!(
        (paths(0), paths(1)),
        (second.into(), first.into()),
        "in the order of the command line"
    );
    let input = |call: usize| document["calls"][call]["final_responses"][0]["input"].clone();
    assert_eq!((input(0), input(1)), (1.into(), 0.into()));
}

#[test]
fn a_capture_given_twice_is_a_capture_with_duplicates() {
    let once = run(["--format", "json", REFUSED]);
    let twice = run(["--format", "json", REFUSED, REFUSED]);
    assert_fine(&twice);
    assert_eq!(once.json()["totals"], twice.json()["totals"]);
    let repeats = &calls(&twice)[0]["final_responses"][0]["repeats"];
    assert_eq!(repeats.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&repeats[0]["kind"], &repeats[0]["input"]),
        (&"duplicate".into(), &1.into())
    );
}

#[test]
fn a_folder_means_the_captures_and_logs_in_it() {
    let folder = Folder::new("folder");
    folder.file("b.pcap", &bytes(REFUSED));
    folder.file(
        "a.pcapng",
        &bytes("fixtures/ends-right-after-call/trace.pcapng"),
    );
    folder.file("c.log", &bytes("fixtures/pasted-text-607/trace.log"));
    folder.file("notes.txt", b"nothing to see\n");
    folder.file("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\0");
    let ran = run(["--format", "json", folder.path()]);
    assert_eq!(
        ran.status, 0,
        "unrecognised files inside a folder are counted, not status 2"
    );
    assert!(
        ran.err.contains("neither captures nor logs with SIP: 2"),
        "{}",
        ran.err
    );
    let document = ran.json();
    let inputs = document["inputs"].as_array().unwrap();
    let names: Vec<&str> = inputs
        .iter()
        .map(|input| input["path"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["a.pcapng", "b.pcap", "c.log"], "by name");
    assert_eq!(document["totals"]["final_responses"]["607"], 2);

    let empty = Folder::new("empty-folder");
    let ran = run([empty.path()]);
    assert_eq!(ran.status, 2, "no SIP in all inputs together");
    assert!(ran.err.contains(empty.path()), "nothing was said: {ran:?}");
}

// Filters

#[test]
fn a_log_format_that_is_named_is_the_only_one_read() {
    let folder = Folder::new("log-format");
    let jssip = std::fs::read(root().join("fixtures/logs/jssip-console.txt")).unwrap();
    let pasted = std::fs::read(root().join("fixtures/logs/pasted.txt")).unwrap();
    folder.file("console.txt", &jssip);
    folder.file("both.txt", &[pasted.clone(), jssip].concat());
    folder.file("pasted.txt", &pasted);
    folder.file("trace.pcap", &bytes(BUSY));
    let ran = run(["--log-format", "jssip", "--format", "json", folder.path()]);
    let inputs = ran.json()["inputs"].as_array().unwrap().clone();
    let read = inputs.iter().map(|input| {
        let path = input["path"].as_str().unwrap();
        let name = path.rsplit('/').next().unwrap();
        (
            name,
            input["format"].as_str().unwrap(),
            input["sip_messages"].as_u64().unwrap(),
        )
    });
    let mut read: Vec<_> = read.collect();
    read.sort();
    let expected = [
        ("both.txt", "log:jssip", 9),
        ("console.txt", "log:jssip", 9),
        ("trace.pcap", "pcap", 4),
    ];
    assert_eq!(read[..], expected);
    // The file without such messages is said to be passed over.
    assert!(
        ran.err
            .contains("files in it that are neither captures nor logs with SIP: 1")
    );
}

#[test]
fn filters_select_calls() {
    let trace = PASSWORD;
    assert_eq!(
        ids(&run(["--format", "json", trace])),
        [1, 2],
        "a call and a ping"
    );
    let call_id = calls(&run(["--format", "json", trace]))[0]["call_ids"][0].clone();
    let call_id = call_id.as_str().unwrap();
    for (filter, wanted) in [
        (&["--call", "2"][..], &[2][..]),
        (&["--call", "1", "--call", "2"], &[1, 2]),
        (&["--call-id", call_id], &[1]),
        (&["--number", "alice"], &[1]),
        (&["--number", "+1 (212) 555-0123"], &[1, 2]),
        (&["--number", "0012125550100"], &[2]),
        (&["--ip", "203.0.113.5"], &[1, 2]),
        (&["--ip", "198.51.100.99"], &[]),
        (&["--method", "options"], &[2]),
        (&["--method", "INVITE", "--method", "OPTIONS"], &[1, 2]),
        (&["--code", "407"], &[1]),
        (&["--code", "4xx"], &[1]),
        (&["--code", "4XX", "--code", "200"], &[1, 2]),
        (&["--code", "407", "--method", "OPTIONS"], &[]),
    ] {
        let args = [&["--format", "json"], filter, &[trace]].concat();
        let ran = run(&args);
        assert_eq!(
            (ran.status, ids(&ran).as_slice()),
            (0, wanted),
            "{filter:?}"
        );
        let entries = ran.json()["totals"]["entries"].clone();
        assert_eq!(
            entries,
            wanted.len(),
            "{filter:?}: totals are of what was selected"
        );
        let nothing = ran.err.contains("no call fits the filters");
        assert_eq!(nothing, wanted.is_empty(), "{filter:?}: {}", ran.err);
        let text = run([filter, &[trace]].concat()).out;
        let said = format!("{} of 2 entries selected by --", wanted.len());
        assert!(text.contains(&said), "{filter:?}: {text}");
    }
}

// What the text shows

#[test]
fn a_failure_reads_like_an_error_of_a_compiler() {
    let out = run([REFUSED]).out;
    for wanted in [
        "error[unwanted-607] call 1: ",
        "SIP/2.0 607 Unwanted",
        "^^^",
        "  = meaning: ",
        "  = cause (certain): ",
        "  = acts: ",
        "  = fix: ",
        "  = more: sipexplain rule unwanted-607, sipexplain code 607",
        "  = in Wireshark: sip.Call-ID == ",
        "Final responses\n  607 Unwanted ",
    ] {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
    let out = run([FAILED]).out;
    assert!(out.contains("failed[500]"), "no rule explains it: {out}");
}

#[test]
fn every_final_response_is_in_the_text() {
    for fixture in fixtures() {
        let out = run([fixture.trace.as_str()]).out;
        let (_, table) = out.split_once("\nFinal responses\n").unwrap_or_default();
        let counts = &fixture.json()["totals"]["final_responses"];
        for (code, count) in counts.as_object().unwrap() {
            let line = table
                .lines()
                .find(|line| line.trim_start().starts_with(code));
            let mut words = line.unwrap_or_default().split_whitespace();
            let count = count.to_string();
            assert!(
                words.any(|word| word == count),
                "{}: {count} times {code} in {table:?}",
                fixture.name
            );
        }
    }
}

#[test]
fn the_list_has_a_line_for_each_call() {
    for fixture in fixtures() {
        let ran = run(["--list", &fixture.trace]);
        assert_eq!(ran.status, 0, "{}", fixture.name);
        let numbers: Vec<u64> = ran
            .out
            .lines()
            .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
            .collect();
        let wanted: Vec<u64> = fixture.json()["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["id"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, wanted, "{}", fixture.name);
    }
}

#[test]
fn the_ladder_has_a_rung_for_each_message() {
    let frames = |out: &str| -> Vec<String> {
        let rungs = out
            .lines()
            .filter(|line| line.contains("->|") || line.contains("|<"));
        rungs
            .map(|line| line.split_whitespace().nth(1).unwrap().to_owned())
            .collect()
    };
    let out = run(["--all", "--ladder", HEALTHY]).out;
    let wanted = run(["--format", "json", HEALTHY]).json()["totals"]["messages"].clone();
    assert_eq!(frames(&out).len(), wanted, "{out}");
    assert!(out.contains("INVITE") && out.contains("ACK") && out.contains("BYE"));
    assert!(frames(&out).is_sorted_by_key(|frame| frame[1..].parse::<u64>().unwrap()));
}

#[test]
fn times_are_shown_in_the_zone_asked_for() {
    let hour = |args: &[&str]| -> u32 {
        let out = run(args.iter().chain(&["--list", REFUSED])).out;
        out.split_whitespace().nth(1).unwrap()[..2].parse().unwrap()
    };
    let utc = hour(&[]);
    let start = calls(&run(["--format", "json", REFUSED]))[0]["start"].clone();
    let said: u32 = start.as_str().unwrap()[11..13].parse().unwrap();
    assert_eq!(utc, said);
    assert_eq!(hour(&["--tz", "UTC"]), utc);
    assert_eq!(
        hour(&["--tz", "Asia/Tokyo"]),
        (utc + 9) % 24,
        "Tokyo has no summer time"
    );
    let json = |args: &[&str]| run(args.iter().chain(&["--format", "json", REFUSED])).out;
    assert_eq!(
        json(&["--tz", "Asia/Tokyo"]),
        json(&[]),
        "formats for machines are always UTC"
    );
}

// Secrets

/// What stands between `response="` and `"` in these bytes.
fn digests(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let found = text.split("response=\"").skip(1);
    found
        .filter_map(|after| Some(after.split_once('"')?.0.to_owned()))
        .collect()
}

#[test]
fn no_report_shows_a_digest_response() {
    let mut seen = 0;
    for fixture in fixtures() {
        for secret in digests(&bytes(&fixture.trace)) {
            seen += 1;
            assert!(secret.len() >= 32, "{}: {secret:?}", fixture.name);
            for args in [
                &["--all", "--ladder"][..],
                &["--list"],
                &["--format", "json"],
                &["--format", "ndjson"],
            ] {
                let out = run(args.iter().chain(&[fixture.trace.as_str()])).out;
                assert!(!out.contains(&secret), "{} {args:?}", fixture.name);
            }
        }
    }
    assert!(seen >= 5, "only {seen} digest responses in the fixtures");
}
