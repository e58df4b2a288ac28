use super::harness::{self, Ran, fixtures, flows, read, root, run, write};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const CASES: &str = "tests/check/cases";

struct Case {
    /// Path of the file of expectations, in the project.
    path: String,
    text: String,
}

impl Case {
    fn captures(&self) -> Vec<&str> {
        let lines = self.text.lines();
        lines
            .filter_map(|line| line.strip_prefix("# capture: "))
            .collect()
    }

    fn run(&self) -> Ran {
        let mut arguments = vec!["check", &self.path];
        arguments.extend(self.captures());
        run(arguments)
    }

    /// Its entries by name.
    fn entries(&self) -> Vec<(String, toml::Table)> {
        let table: toml::Table = self.text.parse().unwrap();
        let entries = table["call"].as_array().unwrap().iter();
        let named = entries.map(|entry| {
            let entry = entry.as_table().unwrap();
            (entry["name"].as_str().unwrap().to_owned(), entry.clone())
        });
        named.collect()
    }
}

fn cases() -> Vec<Case> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(root().join(CASES))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "toml"))
        .collect();
    names.sort();
    let case = |name: &PathBuf| {
        let path = format!("{CASES}/{}", name.file_name().unwrap().to_str().unwrap());
        Case {
            text: read(&path),
            path,
        }
    };
    names.iter().map(case).collect()
}

fn folder(name: &str) -> PathBuf {
    harness::folder("expect", name)
}

/// Of each case what fails is named so, and what is said of it was read.
#[test]
fn every_case_fails_where_it_says_so_and_says_what_was_expected_and_found() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    for case in cases() {
        let ran = case.run();
        assert_eq!((ran.status, ran.err.as_str()), (1, ""), "{}", case.path);
        for (name, _) in case.entries() {
            let failed = ran.out.contains(&format!("failed {name} ({}:", case.path));
            let passes = name.starts_with("passes: ");
            assert!(passes || name.starts_with("fails: "), "{name}");
            assert_eq!(failed, !passes, "{}: {name}\n{}", case.path, ran.out);
        }
        let expected = case.path.replace(".toml", ".txt");
        if update {
            std::fs::write(root().join(&expected), &ran.out).unwrap();
        }
        assert_eq!(ran.out, read(&expected), "{expected}");
    }
}

fn keys(table: &toml::Table, into: &mut BTreeSet<String>) {
    for (key, value) in table {
        into.insert(key.clone());
        match value {
            toml::Value::Table(inner) if key != "headers" => keys(inner, into),
            toml::Value::Array(all) => all
                .iter()
                .filter_map(toml::Value::as_table)
                .for_each(|inner| keys(inner, into)),
            _ => {}
        }
    }
}

#[test]
fn every_key_has_a_case_that_passes_and_one_that_fails() {
    let (mut passing, mut failing) = (BTreeSet::new(), BTreeSet::new());
    for case in cases() {
        for (name, entry) in case.entries() {
            let into = match name.starts_with("passes: ") {
                true => &mut passing,
                false => &mut failing,
            };
            keys(&entry, into);
        }
    }
    let tables = sipexplain::check::expect::read::TABLES;
    for key in tables
        .iter()
        .flat_map(|table| table.keys)
        // These stand beside the entries.
        .filter(|key| !["call", "others"].contains(*key))
    {
        assert!(passing.contains(*key), "no case with {key} passes");
        assert!(failing.contains(*key), "no case with {key} fails");
    }
}

#[test]
fn what_init_makes_of_a_capture_holds_for_it_and_not_for_another_answer() {
    let folder = folder("init");
    let all = fixtures().iter().chain(flows());
    let healthy: Vec<_> = all.filter(|f| f.name.starts_with("healthy-")).collect();
    assert!(healthy.len() > 50);
    for fixture in healthy {
        let made = run(["check", "--init", &fixture.trace]);
        assert_eq!(
            (made.status, made.err.as_str()),
            (0, ""),
            "{}",
            fixture.name
        );
        let name = format!("{}.toml", fixture.name);
        let file = write(&folder, &name, &made.out);
        let held = run(["check", &file, &fixture.trace]);
        assert_eq!(held.status, 0, "{}: {}{}", fixture.name, held.out, held.err);
        assert!(
            held.out.ends_with(" 0 without an expectation\n"),
            "{}",
            held.out
        );
    }
    let made = folder.join("healthy-basic-call.toml");
    let busy = run([
        "check",
        made.to_str().unwrap(),
        "fixtures/busy-486/trace.pcap",
    ]);
    assert_eq!(busy.status, 1);
    assert!(busy.out.contains("found     486 Busy Here"), "{}", busy.out);
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line() {
    let folder = folder("wrong");
    let capture = "fixtures/busy-486/trace.pcap";
    for (text, line, told) in [
        ("[[call]\n", 1, ""),
        (
            "[[calls]]\n",
            1,
            "unknown key \"calls\" in the file; did you mean \"call\"?",
        ),
        (
            "\n[[call]]\nmethd = \"INVITE\"\ncount = 1\n",
            3,
            "unknown key \"methd\" in [[call]]; did you mean \"method\"?",
        ),
        (
            "[[call]]\n[call.expect]\nfinaly = 200\n",
            3,
            "did you mean \"final\"?",
        ),
        (
            "[[call]]\n[call.expect.times]\nrining = \"3s\"\n",
            3,
            "did you mean \"ringing\"?",
        ),
        ("[[call]]\n", 1, "nothing is expected of these calls"),
        (
            "[[call]]\nfrom = \"/(/\"\ncount = 1\n",
            2,
            "is no regular expression",
        ),
        (
            "[[call]]\nfrom = \"/a{999}{999}/\"\ncount = 1\n",
            2,
            "too large",
        ),
        (
            "[[call]]\nmethod = \"invite\"\ncount = 1\n",
            2,
            "methods are written in capitals",
        ),
        ("[[call]]\ncount = \"5..2\"\n", 2, "is no count"),
        (
            "[[call]]\n[call.expect]\nfinal = 100\n",
            3,
            "is no final response",
        ),
        ("[[call]]\n[call.expect]\nfinal = []\n", 3, "nothing in it"),
        (
            "[[call]]\n[call.expect]\noutcome = \"suceeded\"\n",
            3,
            "there is succeeded, refused",
        ),
        (
            "[[call]]\n[call.expect]\ncause = \"bussy\"\n",
            3,
            "did you mean \"busy\"?",
        ),
        (
            "[[call]]\n[call.expect]\nsequence = [\n  \"INVITE\",\n  \"180 180\",\n]\n",
            5,
            "names no message",
        ),
        ("[[call]]\n[call.expect]\ntalk = \"3s\"\n", 3, "is no range"),
        (
            "[[call]]\n[[call.expect.hop]]\nsequence = []\n",
            2,
            "\"between\" is missing",
        ),
        (
            "[[call]]\n[[call.expect.message]]\nname = \"INVITE\"\nheaders = { To = 3 }\n",
            4,
            "To: a number is compared as a text; write \"3\"",
        ),
        (
            "[[call]]\nmethod = \"INVTE\"\ncount = 0\n",
            2,
            "did you mean INVITE?",
        ),
        ("[[call]]\nto = \"bob\"\ncount = 0\n", 2, "fits no URI"),
        (
            "[[call]]\nto = \"<sip:bob@*>\"\ncount = 0\n",
            2,
            "fits no URI",
        ),
        (
            "[[call]]\nrequest-uri = \"sip:*;user=phone\"\ncount = 0\n",
            2,
            "fits no URI",
        ),
        (
            "[[call]]\nfrom = \"/ALICE/i\"\ncount = 0\n",
            2,
            "write \"/(?i)ALICE/\"",
        ),
        (
            "[[call]]\ncount = 0\n[call.expect]\nfinal = 200\n",
            1,
            "no call is expected here",
        ),
        ("[[call]]\n[call.expect]\n", 2, "nothing in it"),
        ("[[call]]\n[call.expect.times]\n", 2, "nothing in it"),
        (
            "[[call]]\nheaders = {}\ncount = 1\n",
            2,
            "headers: nothing in it",
        ),
        (
            "[[call]]\n[call.expect]\nfinal = 180\n",
            3,
            "is no final response",
        ),
        (
            "[[call]]\n[call.expect]\ncodec = \"G.711\"\n",
            3,
            "PCMU, PCMA (both G.711)",
        ),
        (
            "[[call]]\n[call.expect]\nsequence = [\"INVITE\", \"180 RINGING?\"]\n",
            3,
            "behind a code stands the method",
        ),
        (
            "[[call]]\n[[call.expect.message]]\nname = \"200 OK\"\n",
            3,
            "behind a code stands the method",
        ),
        (
            "[[call]]\n[[call.expect.message]]\nname = \"INVITE\"\nheaders = { \"From:\" = false }\n",
            4,
            "is no name of a header",
        ),
        (
            "[[call]]\n[[call.expect.message]]\nname = \"INVITE\"\nsdp = {}\n",
            4,
            "nothing in it",
        ),
        (
            "[[call]]\n[[call.expect.message]]\nname = \"INVITE\"\nsdp = { direction = \"sendrcv\" }\n",
            4,
            "there is sendrecv",
        ),
        (
            "[[call]]\n[[call.expect.message]]\nname = \"INVITE\"\nsdp = { codecs = \"PCMU, PCMA\" }\n",
            4,
            "several are written as a list",
        ),
    ] {
        let file = write(&folder, "flows.toml", text);
        let ran = run(["check", &file, capture]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{text}");
        let place = format!("flows.toml:{line}: ");
        assert!(
            ran.err.contains(&place) && ran.err.contains(told),
            "{text}\n{}",
            ran.err
        );
    }
    let empty = write(&folder, "empty.toml", "");
    let file = write(&folder, "good.toml", "[[call]]\ncount = 1\n");
    for (arguments, told) in [
        (vec!["check", capture], "no FILE ends in .toml"),
        (vec!["check", &file], "name the captures"),
        (vec!["check", &empty, capture], "there is no [[call]] in it"),
        (vec!["check", "none.toml", capture], "none.toml: "),
        (vec!["check", &file, "none.pcap"], "none.pcap"),
    ] {
        let ran = run(arguments);
        assert_eq!(ran.status, 2, "{told}");
        assert!(ran.err.contains(told), "{}", ran.err);
    }
}

/// A team's day: a good run is written down, the callee answers otherwise, and answers well again.
#[test]
fn an_answer_that_changes_is_found_and_one_that_is_mended_passes() {
    let folder = folder("day");
    let log = read("fixtures/pasted-text-607/trace.log");
    let good = write(
        &folder,
        "good.log",
        &log.replace("607 Unwanted", "486 Busy Here"),
    );
    let made = run(["check", "--init", &good]);
    let file = write(&folder, "flows.toml", &made.out);
    let bad = write(&folder, "bad.log", &log);
    let (before, changed) = (run(["check", &file, &good]), run(["check", &file, &bad]));
    assert_eq!((before.status, changed.status), (0, 1), "{}", before.out);
    assert!(
        changed
            .out
            .contains("expected  486\n      found     607 Unwanted"),
        "{}",
        changed.out
    );
    assert!(changed.out.contains("| line "), "{}", changed.out);
}

#[test]
fn nothing_from_the_wire_or_the_file_steers_the_terminal() {
    let folder = folder("hostile");
    let log = read("fixtures/pasted-text-607/trace.log")
        .replace("607 Unwanted", "607 \u{1b}[31mx\u{202e}");
    let log = write(&folder, "hostile.log", &log);
    let text = "[[call]]\nname = \"a\\u001b[1m\"\n[call.expect]\nfinal = 200\n\n[[call.expect.message]]\nname = \"INVITE\"\nheaders = { X = \"\\u0007\" }\n";
    let file = write(&folder, "hostile.toml", text);
    let ran = run(["check", &file, &log]);
    assert_eq!(ran.status, 1);
    let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!ran.out.contains(steers), "{:?}", ran.out);
    let made = run(["check", "--init", &log]);
    assert!(!made.out.contains(steers), "{:?}", made.out);
}

/// Labels, and what was expected and found; names, quoted lines and words of the file stay as they are.
#[test]
fn failures_are_told_in_each_language() {
    let english = [
        "expected", "found", "failed", "passed", "call ", "calls", " or ", "after ", "between",
        "nothing", "header", "line ", "packets", "at most", "at least", "there", "value",
        "another", "known", "recorded", "answered", "without",
    ];
    // Each case in two languages is each language in several cases.
    let tags = [["fr", "ru"], ["zh", "es"], ["pt", "de"]];
    for (case, tags) in cases().iter().zip(tags.iter().cycle()) {
        let plain = case.run().out;
        for tag in tags {
            let captures = case.captures();
            let mut arguments = vec!["check", "--lang", tag, &case.path];
            arguments.extend(&captures);
            let told = run(arguments);
            assert_eq!(told.status, 1, "{told:?}");
            assert_eq!(told.out.lines().count(), plain.lines().count(), "{told:?}");
            let quoted = |line: &&str| {
                let line = line.trim_start();
                // Kamailio's 100 says a little more than others.
                let phrase = line.contains(" -- ");
                line.starts_with('|') || line.contains(&case.path) || phrase
            };
            // Keys of the file stand in lines of their own.
            let key = |line: &&str| !line.contains("  ") && !line.trim().contains(' ');
            for line in told
                .out
                .lines()
                .filter(|l| !quoted(l) && !key(&l.trim_start()))
            {
                let spoken = line.split('"').step_by(2).collect::<String>();
                for word in english {
                    assert!(
                        !spoken.contains(word),
                        "{tag}: {word:?} in {line}\n{}",
                        case.path
                    );
                }
            }
        }
    }
}

/// Calls written as text, as a capture.
fn recorded(folder: &Path, name: &str, lines: &str) -> String {
    let head = "title: Calls\nparty alice 192.0.2.10:5060\nparty bob 198.51.100.20:5060\n\n";
    let path = folder.join(name);
    std::fs::write(
        &path,
        super::harness::flow::compile(&format!("{head}{lines}")).pcap,
    )
    .unwrap();
    path.to_str().unwrap().to_owned()
}

const REFUSED: &str = "0.0 alice > bob INVITE\n0.1 bob > alice 486\n0.2 alice > bob ACK\n";

#[test]
fn calls_that_no_entry_is_about_are_named_and_fail_where_the_file_says_so() {
    let folder = folder("others");
    let more = "5.0 alice > bob INVITE #eve | To: <sip:eve@example.net>\n5.1 bob > alice 500 #eve\n5.2 alice > bob ACK #eve\n";
    let capture = recorded(&folder, "more.pcap", &format!("{REFUSED}{more}"));
    let entry = "[[call]]\nto = \"sip:bob@*\"\n[call.expect]\nfinal = 486\n";
    let ran = run(["check", &write(&folder, "some.toml", entry), &capture]);
    assert_eq!(ran.status, 0, "{}", ran.out);
    let named = "  call 2: INVITE sip:alice@example.org -> sip:eve@example.net\n";
    assert!(ran.out.ends_with(named), "{}", ran.out);
    let none = write(&folder, "none.toml", &format!("others = 0\n{entry}"));
    let ran = run(["check", &none, &capture]);
    assert_eq!(ran.status, 1);
    for line in [
        "failed calls without an expectation (",
        "found     1 call fits",
        "INVITE sip:",
    ] {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
    assert_eq!(
        run(["check", &none, &recorded(&folder, "one.pcap", REFUSED)]).status,
        0
    );
}

#[test]
fn where_no_call_fits_the_nearest_is_shown() {
    let folder = folder("near");
    let capture = recorded(&folder, "near.pcap", REFUSED);
    for (entry, found) in [
        (
            "to = \"sip:bob@example.com\"",
            "of call 1 to is \"sip:bob@example.net\"",
        ),
        ("method = \"MESSAGE\"", "of call 1 method is INVITE"),
        (
            "headers = { Subject = \"x\" }",
            "of call 1 Subject is not \"x\"",
        ),
    ] {
        let file = write(
            &folder,
            "near.toml",
            &format!("[[call]]\n{entry}\n[call.expect]\nfinal = 486\n"),
        );
        let ran = run(["check", &file, &capture]);
        assert_eq!(ran.status, 1);
        assert!(
            ran.out
                .contains(&format!("found     no call fits; {found}\n")),
            "{}",
            ran.out
        );
        assert!(ran.out.contains("| #1  "), "{}", ran.out);
    }
}

#[test]
fn one_stray_packet_is_no_way_of_rtp() {
    let folder = folder("stray");
    let talk = |back: u32| {
        let capture = format!(
            "0.0 alice > bob INVITE | sdp\n0.1 bob > alice 200 | sdp\n0.2 alice > bob ACK\n\
             0.3 alice > bob rtp 60\n0.4 bob > alice rtp {back}\n3.0 alice > bob BYE\n3.1 bob > alice 200\n"
        );
        recorded(&folder, "talk.pcap", &capture)
    };
    let both = write(
        &folder,
        "both.toml",
        "[[call]]\n[call.expect]\nrtp = \"both-ways\"\n",
    );
    assert_eq!(run(["check", &both, &talk(60)]).status, 0);
    let ran = run(["check", &both, &talk(1)]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.out
            .contains("to-callee (1 packets to the caller, 60 to the callee)"),
        "{}",
        ran.out
    );
}

#[test]
fn what_init_makes_says_where_it_is_loose() {
    let folder = folder("loose");
    let ping = |second: u32| {
        format!(
            "{second}.5 alice > bob OPTIONS #p{second}\n{second}.6 bob > alice 200 #p{second}\n"
        )
    };
    let other = "9.0 alice > bob INVITE #two\n9.1 bob > alice 603 #two\n9.2 alice > bob ACK #two\n";
    let lines = |pings: u32| {
        let pings: String = (1..=pings).map(ping).collect();
        format!("{REFUSED}{pings}{other}")
    };
    let capture = recorded(&folder, "two.pcap", &lines(2));
    let made = run(["check", "--init", &capture]).out;
    assert!(
        made.contains("# WARNING: these calls end in different ways"),
        "{made}"
    );
    assert!(made.contains("\nothers = 0\n"), "{made}");
    let file = write(&folder, "loose.toml", &made);
    let longer = recorded(&folder, "three.pcap", &lines(3));
    for capture in [&capture, &longer] {
        let ran = run(["check", &file, capture]);
        assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    }
    let made = run(["check", "--init", "fixtures/codec-488/trace.pcap"]).out;
    assert!(
        made.contains("# An error is allowed here: codec-no-common\n"),
        "{made}"
    );
}

#[test]
fn a_capture_that_ends_early_is_said_beside_the_verdict() {
    let folder = folder("cut");
    let whole = std::fs::read("fixtures/healthy-basic-call/trace.pcap").unwrap();
    let cut = folder.join("cut.pcap");
    std::fs::write(&cut, &whole[..whole.len() - 5]).unwrap();
    let file = write(&folder, "cut.toml", "[[call]]\ncount = 1\n");
    let ran = run(["check", &file, cut.to_str().unwrap()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("damaged at byte "), "{}", ran.err);
}
