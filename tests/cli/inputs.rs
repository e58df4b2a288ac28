//! What is read: files, folders, archives, standard input; what is selected.

use super::*;

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
