//! Help and exit status.

use super::*;

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
        let told = format!("sipexplain: --fail-on {}: 1\n", args[1]);
        assert_eq!((ran.status, ran.err), (1, told), "{args:?}");
        assert!(!ran.out.is_empty(), "{args:?}");
    }
    // Only what was selected counts.
    let ping = "fixtures/healthy-options-ping/trace.pcap";
    let options = ["--fail-on", "failed", "--method", "OPTIONS", FAILED];
    let ran = run(options.iter().chain(&[ping]));
    assert_eq!(ran.status, 0, "{ran:?}");
    // Where nothing was, nothing is judged.
    assert_eq!(run(options).status, 2);
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
