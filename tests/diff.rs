//! Every pair under fixtures/flows/pairs/ is a test: what `sipexplain diff` has to name first, and a
//! snapshot of all that it says. `UPDATE_EXPECTED=1 cargo test --test diff` writes the snapshots anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a pair with a mistake must stop the test

mod harness;

use harness::{Ran, flow};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("diff")
        .join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Compiles both flows of a pair into a folder of their own; gives the folder and the head.
fn pair(name: &str) -> (PathBuf, String) {
    let text = harness::read(&format!("fixtures/flows/pairs/{name}.flow"));
    let (head, flows) = text.split_once("\n== good\n").unwrap();
    let (good, bad) = flows.split_once("\n== bad\n").unwrap();
    let folder = folder(name);
    for (file, flow) in [("good.pcap", good), ("bad.pcap", bad)] {
        // Another test reads the same file at the same time.
        let fresh = folder.join(format!("{file}.{:?}", std::thread::current().id()));
        std::fs::write(&fresh, flow::compile(flow).pcap).unwrap();
        std::fs::rename(&fresh, folder.join(file)).unwrap();
    }
    (folder, head.to_owned())
}

fn said(head: &str, key: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix(key));
    line.unwrap_or_default().trim().to_owned()
}

fn diff(folder: &Path, arguments: &[&str]) -> Ran {
    let mut program = harness::program();
    program.current_dir(folder).arg("diff").args(arguments);
    Ran::of(program.output().unwrap())
}

#[test]
fn the_difference_that_explains_the_failure_stands_first() {
    let mut names: Vec<String> = std::fs::read_dir(harness::root().join("fixtures/flows/pairs"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "flow"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 12, "{names:?}");
    let mut wrong = Vec::new();
    for name in &names {
        let (folder, head) = pair(name);
        let json = diff(&folder, &["good.pcap", "bad.pcap", "--format", "json"]);
        assert_eq!(json.status, 1, "{name}: {json:?}");
        let document = json.json();
        let first = &document["differences"][0];
        let (topic, text) = (first["topic"].as_str(), first["text"].as_str().unwrap());
        let fits = topic == Some(&said(&head, "first:")) && text.contains(&said(&head, "says:"));
        if !fits || first["group"] != "likely" || said(&head, "says:").is_empty() {
            wrong.push(format!("{name}: {first:#}"));
        }
        let text = diff(&folder, &["good.pcap", "bad.pcap"]);
        assert_eq!((text.status, text.err.as_str()), (1, ""), "{name}");
        let path = harness::root().join(format!("fixtures/flows/pairs/{name}.txt"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&path, &text.out).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != text.out {
            wrong.push(format!(
                "{name}: another text than in {}:\n{}",
                path.display(),
                text.out
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const NOISE: [&str; 2] = [
    "title: One\nparty alice 192.0.2.10:5060 ua=\"Phone 1.0\"\nparty bob 198.51.100.20:5060\n\n\
     0.0 alice > bob INVITE | sdp port=40000\n0.1 bob > alice 180\n2.0 bob > alice 200 | sdp\n2.02 alice > bob ACK\n\
     9.0 alice > bob BYE\n9.02 bob > alice 200\n50.0 tick\n",
    "title: Two\nparty alice 192.0.2.66:5077 ua=\"Phone 1.1\"\nparty bob 198.51.100.9:5061\n\n\
     0.0 alice > bob INVITE | sdp port=51234\n0.13 bob > alice 180\n5.0 bob > alice 200 | sdp\n5.03 alice > bob ACK\n\
     19.0 alice > bob BYE\n19.04 bob > alice 200\n70.0 tick\n",
];

#[test]
fn another_run_of_the_same_call_differs_in_nothing_that_matters() {
    let folder = folder("noise");
    for (file, flow) in ["a.pcap", "b.pcap"].iter().zip(NOISE) {
        std::fs::write(folder.join(file), flow::compile(flow).pcap).unwrap();
    }
    let ran = diff(&folder, &["a.pcap", "b.pcap", "--bad", "1"]);
    assert!(
        ran.out.ends_with("No difference that matters.\n"),
        "{ran:?}"
    );
    assert_eq!(ran.status, 0);
}

#[test]
fn one_file_may_hold_both_and_what_cannot_be_judged_is_said() {
    let folder = folder("one-file");
    let both = "title: Both\nparty alice 192.0.2.10:5060\nparty bob 198.51.100.20:5060\n\n\
         0.0 alice > bob INVITE #one | sdp\n1.0 bob > alice 200 #one | sdp\n1.02 alice > bob ACK #one\n\
         5.0 alice > bob BYE #one\n5.02 bob > alice 200 #one\n\
         20.0 alice > bob INVITE #two | sdp codecs=18\n20.02 bob > alice 488 #two\n20.04 alice > bob ACK #two\n70.0 tick\n";
    std::fs::write(folder.join("both.pcap"), flow::compile(both).pcap).unwrap();
    let alone = diff(&folder, &["both.pcap", "--format", "json"]).json();
    let named = diff(
        &folder,
        &["both.pcap", "--good", "1", "--bad", "2", "--format", "json"],
    );
    let ids = |document: &Value| {
        [
            document["good"]["call"].clone(),
            document["bad"]["call"].clone(),
        ]
    };
    assert_eq!(ids(&alone), ids(&named.json()));
    assert_eq!(alone["differences"][0]["topic"], "codec");
    let whys: Vec<_> = alone["differences"].as_array().unwrap().iter().collect();
    assert!(whys[0]["why"].is_string() && whys.last().unwrap()["why"].is_null());
    let swapped = diff(&folder, &["both.pcap", "--good", "2", "--bad", "1"]).out;
    for remark in ["This call did not succeed.", "This call succeeded."] {
        assert!(swapped.contains(remark), "{swapped}");
    }
    for (arguments, why) in [
        (
            &["both.pcap", "--bad", "99"][..],
            "both.pcap has no call 99",
        ),
        (&["nowhere.pcap", "both.pcap"], "nowhere.pcap"),
        (&["-"], "read only once"),
    ] {
        let ran = diff(&folder, arguments);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(ran.err.contains(why), "{ran:?}");
    }
    std::fs::write(folder.join("good.pcap"), flow::compile(NOISE[0]).pcap).unwrap();
    let ran = diff(&folder, &["both.pcap", "good.pcap"]);
    assert!(
        ran.status == 2
            && ran
                .err
                .contains("no call in it went wrong (the good file comes first"),
        "{ran:?}"
    );
}

#[test]
fn what_comes_from_the_wire_steers_no_terminal_and_a_long_call_is_compared_in_time() {
    let folder = folder("hostile");
    let lines: String = (0..400)
        .map(|n| {
            format!(
                "{}.0 alice > bob INFO | X-Odd: \u{1b}[31m{n}\n{0}.1 bob > alice 200 INFO\n",
                n + 3
            )
        })
        .collect();
    let call = |code: &str, more: &str| {
        format!(
            "title: Long\nparty alice 192.0.2.10:5060\nparty bob 198.51.100.20:5060\n\n\
             0.0 alice > bob INVITE | X-Bad: \u{1b}]0;title\u{7} | sdp\n1.0 bob > alice {code}\n1.02 alice > bob ACK\n{more}5000.0 tick\n"
        )
    };
    std::fs::write(
        folder.join("good.pcap"),
        flow::compile(&call("200", &lines)).pcap,
    )
    .unwrap();
    std::fs::write(
        folder.join("bad.pcap"),
        flow::compile(&call("503", "").replace("X-Bad", "X-\u{9b}")).pcap,
    )
    .unwrap();
    let ran = diff(&folder, &["good.pcap", "bad.pcap"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(
        !ran.out.replace('\n', "").contains(char::is_control),
        "{ran:?}"
    );
    assert!(ran.out.contains("more than are compared"), "{ran:?}");
}

/// Every line is there in each language, and nothing of the program is English in it but titles of rules.
#[test]
fn what_is_said_is_said_in_each_language() {
    let english = [
        " bad call",
        " good one",
        "The ",
        "First ",
        " same in",
        " more",
        "explain",
        "failure",
        "Follows",
        "matters",
        " frame ",
        "last message",
        "not in:",
        "diagnosis",
        "the caller",
        "the callee",
        "in the ",
        "sent",
        "public",
    ];
    for name in [
        "profile",
        "route",
        "number",
        "attestation",
        "auth-user",
        "size",
        "timing",
    ] {
        let (folder, _) = pair(name);
        let files = ["good.pcap", "bad.pcap"];
        let plain = diff(&folder, &files).out;
        for tag in ["fr", "ru", "zh", "es", "pt", "de"] {
            let told = diff(&folder, &[&files[..], &["--lang", tag]].concat());
            assert_eq!((told.status, told.err.as_str()), (1, ""), "{name} {tag}");
            assert_eq!(told.out.lines().count(), plain.lines().count(), "{told:?}");
            // Quoted from the trace, and what the rule says.
            let own = |line: &&str| !line.contains(".pcap frame") && !line.starts_with("     ");
            for line in told.out.lines().filter(own) {
                for word in english {
                    let is_proof = line.contains("sip:") || line.contains("SIP/2.0");
                    assert!(
                        is_proof || !line.contains(word),
                        "{name} {tag}: {word:?} in {line}"
                    );
                }
            }
            let json = [&files[..], &["--lang", tag, "--format", "json"]].concat();
            let json = diff(&folder, &json).json();
            let first = &json["differences"][0];
            let text = first["text"].as_str().unwrap();
            assert!(told.out.contains(text), "{name} {tag}: {text}");
            // The words for machines are the same everywhere.
            let same = diff(&folder, &[&files[..], &["--format", "json"]].concat()).json();
            assert_eq!(first["what"], same["differences"][0]["what"]);
            assert_ne!(json["verdict"], same["verdict"]);
        }
    }
}

#[test]
fn the_calls_are_not_called_alike_where_something_differs() {
    let folder = folder("own-header");
    let head = "title: One\nparty alice 192.0.2.10:5060\nparty bob 198.51.100.20:5060\n\n";
    let write = |name: &str, account: u32, rest: &str| {
        let text =
            format!("{head}0.0 alice > bob INVITE | sdp | X-Account: {account}\n{rest}40.0 tick\n");
        std::fs::write(folder.join(name), flow::compile(&text).pcap).unwrap();
    };
    let answered = "0.1 bob > alice 200 | sdp\n0.2 alice > bob ACK\n3.0 alice > bob BYE\n3.1 bob > alice 200\n";
    let refused = "0.1 bob > alice 486\n0.2 alice > bob ACK\n";
    write("good.pcap", 77, answered);
    for (account, verdict) in [
        (77, "Up to the failure the calls are alike"),
        (
            78,
            "Up to the failure the calls differ only in what rarely matters",
        ),
    ] {
        write("bad.pcap", account, refused);
        let ran = diff(&folder, &["good.pcap", "bad.pcap"]);
        assert!(ran.out.contains(verdict), "{}", ran.out);
    }
}
