//! Captures that are cut, flipped or broken anywhere.

use super::*;

#[test]
fn a_cut_capture_holds_what_was_complete_before_the_cut() {
    let mut random = Random(1);
    let mut cuts_made = 0;
    for trace in fixtures(&["pcap", "pcapng"]) {
        let (frames, ends) = frames(&trace.bytes);
        let whole = messages_in(&trace.bytes);
        let mut cuts: Vec<usize> = ends.iter().flat_map(|&n| [n - 1, n, n + 1]).collect();
        cuts.extend((0..12).map(|_| random.below(trace.bytes.len())));
        // In long captures most frames are media; some of their ends are enough.
        while cuts.len() > 120 {
            cuts.swap_remove(random.below(cuts.len()));
        }
        for n in cuts {
            let n = n.min(trace.bytes.len());
            let expected = complete_before(&whole, &frames, n);
            let cut = trace.bytes[..n].to_vec();
            let what = || format!("{}, cut at {n}", trace.name);
            let seen = naming(what, || match random.below(8) {
                0 => messages(Drips(Cursor::new(cut), Random(n as u64))),
                1 => messages_in(&gzip(&cut)),
                _ => messages_in(&cut),
            });
            assert_eq!(seen, expected, "{}", what());
            cuts_made += 1;
        }
    }
    println!("{cuts_made} cuts");
}

#[test]
fn a_cut_gzip_file_holds_what_can_be_decompressed() {
    let mut random = Random(2);
    for trace in fixtures(&["pcap", "pcapng"]) {
        let (frames, _) = frames(&trace.bytes);
        let whole = messages_in(&trace.bytes);
        let packed = gzip(&trace.bytes);
        for _ in 0..4 {
            let n = 18 + random.below(packed.len() - 18);
            let plain = gunzip_as_far_as_possible(&packed[..n]);
            let expected = complete_before(&whole, &frames, plain.len());
            let what = || format!("{}, compressed, cut at {n}", trace.name);
            let seen = naming(what, || messages_in(&packed[..n]));
            assert_eq!(seen, expected, "{}", what());
        }
    }
}

#[test]
fn a_pipe_gives_the_same_as_a_file() {
    let mut random = Random(3);
    for trace in fixtures(&["pcap", "pcapng"]).iter().step_by(4) {
        let (frames, _) = frames(&trace.bytes);
        let n = random.below(trace.bytes.len() + 1);
        let expected = complete_before(&messages_in(&trace.bytes), &frames, n);
        let (status, out, err) = run_piped(&["--format", "json", "-"], &trace.bytes[..n]);
        let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let messages = report["totals"]["messages"].as_u64().unwrap();
        let copies = report["inputs"][0]["sip_messages"].as_u64().unwrap();
        assert_eq!(copies, expected.len() as u64, "{}, {n}", trace.name);
        assert!(messages <= copies, "{}, {n}", trace.name);
        let right = if expected.is_empty() { 2 } else { 0 };
        let complaint = String::from_utf8_lossy(&err);
        assert_eq!(status, Some(right), "{}, {n}: {complaint}", trace.name);
    }
}

#[test]
fn a_flipped_byte_in_a_datagram_changes_no_other_message() {
    let mut random = Random(4);
    let mut flips = 0;
    for trace in fixtures(&["pcap", "pcapng"]) {
        let (frames, _) = frames(&trace.bytes);
        let whole = messages_in(&trace.bytes);
        let datagrams: Vec<(u64, std::ops::Range<usize>)> = (1..)
            .zip(&frames)
            .filter_map(|(number, frame)| Some((number, udp_payload(&trace.bytes, frame)?)))
            .collect();
        let step = datagrams.len().div_ceil(30).max(1);
        for (number, payload) in datagrams.into_iter().step_by(step) {
            // The start line decides most, so it is met more often.
            let length = payload.len();
            for end in [length.min(20), length.min(400), length] {
                let at = payload.start + random.below(end);
                let mut flipped = trace.bytes.clone();
                flipped[at] ^= random.flip();
                let what = || format!("{}, frame {number}, offset {at}", trace.name);
                let seen = naming(what, || messages_in(&flipped));
                let here = seen.iter().filter(|seen| seen.frame == number).count();
                assert!(here <= 1, "{}: {here} messages", what());
                let elsewhere = |all: &[Seen]| -> Vec<Seen> {
                    let others = all.iter().filter(|seen| seen.frame != number);
                    others.cloned().collect()
                };
                assert_eq!(elsewhere(&seen), elsewhere(&whole), "{}", what());
                flips += 1;
            }
        }
    }
    println!("{flips} bytes flipped in datagrams");
}

/// Damage of a random kind.
fn damaged(trace: &Trace, random: &mut Random) -> Vec<u8> {
    let mut bytes = trace.bytes.clone();
    let at = random.below(bytes.len());
    let garbage = |random: &mut Random| -> Vec<u8> {
        (0..1 + random.below(300)).map(|_| random.byte()).collect()
    };
    match random.below(12) {
        0 => bytes.truncate(at),
        1 => {
            let insert = garbage(random);
            bytes.splice(at..at, insert);
        }
        2 => {
            let end = (at + random.below(300)).min(bytes.len());
            bytes.drain(at..end);
        }
        3 => {
            let end = (at + random.below(300)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        4 => bytes = garbage(random),
        5 => {
            // The headers of files and records stand at the beginning.
            for _ in 0..3 {
                let at = random.below(bytes.len().min(128));
                bytes[at] ^= random.flip();
            }
        }
        many => {
            for _ in 0..many - 5 {
                let at = random.below(bytes.len());
                bytes[at] ^= random.flip();
            }
        }
    }
    bytes
}

#[test]
fn damage_anywhere_gives_a_report() {
    let mut random = Random(5);
    let traces = fixtures(&["pcap", "pcapng", "log"]);
    let (mut with_sip, mut unread) = (0, 0);
    for round in 0..ROUNDS {
        let trace = &traces[random.below(traces.len())];
        let bytes = damaged(trace, &mut random);
        let what = || format!("{}, round {round}", trace.name);
        let collect = naming(what, || report_in_every_format(&bytes));
        with_sip += usize::from(!collect.seen.is_empty());
        unread += usize::from(collect.unread);
    }
    println!("{ROUNDS} damaged inputs: {with_sip} with SIP, {unread} unreadable");
    assert!(with_sip > ROUNDS / 2);
}

const ROUNDS: usize = 3000;

#[test]
fn damage_gives_an_exit_status() {
    let mut random = Random(6);
    let traces = fixtures(&["pcap", "pcapng", "log"]);
    for round in 0..40 {
        let bytes = damaged(&traces[random.below(traces.len())], &mut random);
        let (status, out, err) = run_piped(&["--fail-on", "failed", "-"], &bytes);
        assert!(matches!(status, Some(0..=2)), "round {round}: {status:?}");
        assert_harmless(&out);
        assert_harmless(&err);
        assert!(!out.is_empty() || !err.is_empty(), "round {round}: silence");
    }
}
