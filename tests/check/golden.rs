use super::harness::{self, Ran, fixtures, flows, read, run};
use std::path::{Path, PathBuf};

const LOG: &str = "fixtures/pasted-text-607/trace.log";

/// A folder that is not there yet.
fn folder(name: &str) -> PathBuf {
    harness::folder("golden", name)
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
    let name = "trace.log-INVITE-+12125550100-+12125550123.flow.txt";
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
    let name = "foreign_trace.log-INVITE-+12125550100-+12125550123.flow.txt";
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

/// Calls written as text, as a capture in this folder.
fn record(path: &Path, lines: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = format!(
        "title: Calls\nparty alice 192.0.2.10:5060\nparty bob 198.51.100.20:5060\n\n{lines}"
    );
    std::fs::write(path, super::harness::flow::compile(&text).pcap).unwrap();
}

/// A call that ends with this code, begun in this second; `#name` keeps it apart from others.
fn call(second: u32, name: &str, code: u16, special: &str) -> String {
    let special = match special {
        "" => String::new(),
        special => format!(" | {special}"),
    };
    format!(
        "{second}.0 alice > bob INVITE #{name}{special}\n{second}.1 bob > alice {code} #{name}\n\
         {second}.2 alice > bob ACK #{name}\n"
    )
}

/// What is said of each file, without the lines that differ.
fn told(ran: &Ran) -> Vec<String> {
    let lines = ran.out.lines().filter(|line| line.starts_with("differs "));
    let lines = lines.map(|line| line.rsplit_once('/').unwrap().1.to_owned());
    lines.collect()
}

#[test]
fn a_call_more_or_less_or_in_another_order_concerns_no_other_file() {
    let folder = folder("order");
    let (golden, capture) = (folder.join("golden"), folder.join("calls.pcap"));
    let path = capture.to_str().unwrap();
    let ping = |second: u32| {
        format!(
            "{second}.5 alice > bob OPTIONS #ping{second}\n{second}.6 bob > alice 200 #ping{second}\n"
        )
    };
    let calls = [
        call(0, "a", 486, ""),
        call(10, "b", 603, ""),
        call(20, "c", 480, ""),
    ];
    record(&capture, &format!("{}{}", ping(1), calls.concat()));
    assert_eq!(check(&golden, &[path, "--bless"]).status, 0);
    assert_eq!(names(&golden).len(), 4);

    let [_, busy, gone] = [
        call(0, "b", 603, ""),
        call(5, "a", 486, ""),
        call(20, "c", 480, ""),
    ];
    let swapped = format!("{}{busy}{gone}{}", call(0, "b", 603, ""), ping(1));
    record(&capture, &swapped);
    assert_eq!(check(&golden, &[path]).status, 0);

    record(&capture, &format!("{swapped}{}", ping(40)));
    let more = check(&golden, &[path]);
    assert_eq!(
        told(&more),
        ["calls.pcap-OPTIONS-alice-bob--2.flow.txt: a call that has no golden file"]
    );
    assert!(more.out.contains("5 calls, 4 as before"), "{}", more.out);

    record(&capture, &format!("{busy}{gone}{}", ping(1)));
    let less = check(&golden, &[path]);
    assert_eq!(
        told(&less),
        ["calls.pcap-INVITE-alice-bob--2.flow.txt: no such call was recorded"]
    );
    assert!(less.out.contains("3 calls, 3 as before"), "{}", less.out);

    // Another caller is a difference of one line, not a call gone and a call new.
    let other = busy.replace(
        "INVITE #a",
        "INVITE #a | From: <sip:carol@192.0.2.10>;tag=7",
    );
    record(
        &capture,
        &format!("{}{other}{gone}{}", call(0, "b", 603, ""), ping(1)),
    );
    let moved = check(&golden, &[path]);
    assert_eq!(told(&moved).len(), 1, "{}", moved.out);
    for line in [
        "    - calls.pcap-INVITE-alice-bob.flow.txt",
        "    + from: sip:carol@A",
    ] {
        assert!(
            moved.out.lines().any(|l| l == line),
            "{line}\n{}",
            moved.out
        );
    }
    let blessed = check(&golden, &[path, "--bless"]);
    assert!(
        blessed.out.contains("written 1, removed 1, as they were 3"),
        "{}",
        blessed.out
    );
    assert_eq!(check(&golden, &[path]).status, 0);
}

#[test]
fn filters_and_foreign_files_take_nothing_away() {
    let folder = folder("filters");
    let (golden, capture) = (folder.join("golden"), folder.join("calls.pcap"));
    let path = capture.to_str().unwrap();
    record(
        &capture,
        &[call(0, "a", 486, ""), call(10, "b", 603, "")].concat(),
    );
    assert_eq!(check(&golden, &[path, "--bless"]).status, 0);
    std::fs::write(golden.join("calls.pcap-NOTES-a-b.flow.txt"), "notes\n").unwrap();
    let before = names(&golden);
    assert_eq!(check(&golden, &[path, "--call", "2"]).status, 0);
    let blessed = check(&golden, &[path, "--call", "2", "--bless"]);
    assert!(
        blessed.out.contains("written 0, removed 0, as they were 1"),
        "{}",
        blessed.out
    );
    assert_eq!(check(&golden, &[path, "--bless"]).status, 0);
    assert_eq!(names(&golden), before);
    assert_eq!(check(&golden, &[path, "--number", "nobody"]).status, 2);
}

#[test]
fn each_input_has_files_of_its_own_whatever_is_named_beside_it() {
    let folder = folder("inputs");
    let golden = folder.join("golden");
    let mut inputs = Vec::new();
    for (name, code) in [
        ("d1/good.pcap", 486),
        ("d2/good.pcap", 603),
        ("d2/good_2.pcap", 480),
        ("d2/ok.trunk.pcap", 404),
        ("d2/ok.peer.pcap", 410),
    ] {
        let path = folder.join(name);
        record(
            &path,
            &call(code, &code.to_string(), code.try_into().unwrap(), ""),
        );
        inputs.push(path.to_str().unwrap().to_owned());
    }
    let mut inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let blessed = check(&golden, &[&inputs[..], &["--bless"]].concat());
    assert!(blessed.out.contains("written 5"), "{}", blessed.out);
    inputs.reverse();
    assert_eq!(check(&golden, &inputs).status, 0);
    for input in &inputs {
        let one = check(&golden, &[input]);
        assert_eq!(one.status, 0, "{}", one.out);
        assert!(
            one.out
                .contains("4 golden files of recordings that were not read"),
            "{}",
            one.out
        );
    }
    // A recording that is missing.
    let rest = &inputs[1..];
    assert_eq!(check(&golden, rest).status, 0);
    let missing = check(&golden, &[rest, &["--complete"]].concat());
    assert_eq!(missing.status, 1);
    assert_eq!(
        told(&missing),
        ["d2_ok.peer.pcap-INVITE-alice-bob.flow.txt: no such call was recorded"]
    );
    // Elsewhere only the name tells an input: two alike are refused.
    let far = folder.join("far/away/golden");
    let same = [inputs[4], inputs[3]];
    let refused = check(&far, &[&same[..], &["--bless"]].concat());
    assert_eq!(refused.status, 2);
    assert!(
        refused.err.contains("would have the same golden files"),
        "{}",
        refused.err
    );
}

#[test]
fn an_input_that_lost_its_calls_falls_short_and_is_not_blessed() {
    let folder = folder("lost");
    let golden = folder.join("golden");
    let [kept, lost] = ["kept.pcap", "lost.pcap"].map(|name| folder.join(name));
    record(&kept, &call(0, "a", 486, ""));
    record(&lost, &call(100, "b", 603, ""));
    let inputs = [kept.to_str().unwrap(), lost.to_str().unwrap()];
    assert_eq!(
        check(&golden, &[&inputs[..], &["--bless"]].concat()).status,
        0
    );
    record(&lost, "0.0 alice > bob rtp 3\n");
    let ran = check(&golden, &inputs);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("no SIP found in "), "{}", ran.err);
    assert!(ran.out.contains("no such call was recorded"), "{}", ran.out);
    assert_eq!(
        check(&golden, &[&inputs[..], &["--bless"]].concat()).status,
        2
    );
    assert_eq!(names(&golden).len(), 2);
}

#[test]
fn what_a_reviewer_has_to_see_stands_in_the_file() {
    let folder = folder("shown");
    let (golden, capture) = (folder.join("golden"), folder.join("call.pcap"));
    let path = capture.to_str().unwrap();
    let passport = |attest: &str| {
        let part = |json: &str| base64(json.as_bytes());
        let claims = format!(
            "{{\"attest\":\"{attest}\",\"dest\":{{\"tn\":[\"1\"]}},\"iat\":1767258000,\"orig\":{{\"tn\":\"2\"}},\"origid\":\"x\"}}"
        );
        let head = part(
            "{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\",\"x5u\":\"https://example.org/c\"}",
        );
        format!(
            "{head}.{}.c2ln;info=<https://example.org/c>;ppt=shaken",
            part(&claims)
        )
    };
    let write = |contact: &str, attest: &str, packets: u32| {
        let rtp = match packets {
            0 => String::new(),
            some => format!("1.0 bob > alice rtp {some}\n"),
        };
        let text = format!(
            "0.0 alice > bob INVITE | sdp | Identity: {}\n\
             0.1 bob > alice 200 | sdp | Contact: <sip:bob@{contact}>\n0.2 alice > bob ACK\n\
             0.3 alice > bob rtp 60\n{rtp}3.0 alice > bob BYE\n3.1 bob > alice 200\n",
            passport(attest)
        );
        record(&capture, &text);
    };
    write("203.0.113.9", "A", 60);
    assert_eq!(check(&golden, &[path, "--bless"]).status, 0);
    assert_eq!(check(&golden, &[path]).status, 0);
    for (contact, attest, packets, lines) in [
        ("203.0.113.77", "A", 60, &[][..]),
        (
            "10.0.0.5",
            "A",
            60,
            &["Contact: <sip:bob@<private-host-1>>"],
        ),
        (
            "203.0.113.9",
            "C",
            60,
            &["Identity: <identity-1> (attest C)"],
        ),
        ("203.0.113.9", "A", 0, &["+ rtp: to-callee"]),
        ("203.0.113.9", "A", 1, &["+ rtp: to-callee"]),
    ] {
        write(contact, attest, packets);
        let ran = check(&golden, &[path]);
        assert_eq!(
            ran.status,
            i32::from(!lines.is_empty()),
            "{contact} {attest} {packets}: {}",
            ran.out
        );
        for line in lines {
            assert!(ran.out.contains(line), "{line}\n{}", ran.out);
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
