//! TLS, WebSocket and HEP beyond the files that are read whole: what stays closed and how that is
//! said, keys that come late, lost, cut, reordered and damaged frames.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::chance::Chance;
use harness::{Ran, read, root, run};
use serde_json::Value;
use sipexplain::input::{Origin, Time};
use sipexplain::layers::{At, Keys, Layers, TlsReport};
use sipexplain::message::Head;
use sipexplain::message::account::Account;
use sipexplain::message::framing::{Beside, Framer, Receive};
use sipexplain::message::stamp::Stamp;

const FOLDER: &str = "fixtures/wrappings";

/// One of each way to protect a record, and each way to keep messages apart.
const FILES: [&str; 13] = [
    "tls13-aes256",
    "tls13-chacha20",
    "tls13-key-update",
    "tls13-early-data",
    "tls12-aes128-gcm",
    "tls12-cbc-sha256",
    "tls12-cbc-sha1-mte",
    "tls12-renegotiated",
    "wss-tls13",
    "ws-deflate",
    "ws-fragmented",
    "ws-split",
    "hep3-tcp-split",
];

fn file(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

fn keys(name: &str) -> Vec<u8> {
    std::fs::read(root().join(file(&format!("{name}.keys")))).unwrap_or_default()
}

/// The frames of a capture as the scripts write them: little-endian, Ethernet.
fn frames(name: &str) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(root().join(file(&format!("{name}.pcap")))).unwrap();
    let (mut rest, mut all) = (&bytes[24..], Vec::new());
    while let Some((header, after)) = rest.split_first_chunk::<16>() {
        let length = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
        all.push(after[..length].to_vec());
        rest = &after[length..];
    }
    all
}

/// Offset of the payload of a TCP segment in an IPv4 frame, where it has any.
fn payload(frame: &[u8]) -> Option<usize> {
    let tcp = 14 + usize::from(frame[14] & 15) * 4;
    let start = tcp + usize::from(frame[tcp + 12] >> 4) * 4;
    (start < frame.len()).then_some(start)
}

#[derive(Default)]
struct Messages(Vec<Vec<u8>>);

impl Receive for Messages {
    fn message(&mut self, _: &Stamp, _: &Head, raw: &[u8]) {
        self.0.push(raw.to_vec());
    }

    fn beside(&mut self, _: &At, _: Beside<'_>) {}
}

/// What reading frames came to.
struct Came {
    messages: Vec<Vec<u8>>,
    account: Account,
    tls: TlsReport,
}

/// Reads frames, given as bytes and length on the wire; `late` are secrets that come before the
/// frame with that index.
fn read_frames(keys: &[u8], frames: &[(Vec<u8>, usize)], late: Option<(usize, &[u8])>) -> Came {
    let mut known = Keys::new();
    if !keys.is_empty() {
        known.key_log(keys);
    }
    let (mut layers, mut framer) = (Layers::with_keys(known), Framer::new(Messages::default()));
    for (index, (frame, wire)) in frames.iter().enumerate() {
        if let Some((_, secrets)) = late.filter(|(at, _)| *at == index) {
            layers.secrets(secrets);
        }
        let place = index as u64 + 1;
        let time = Some(Time(index as i64 * 1_000_000));
        let origin = Origin { input: 0, place };
        layers.frame(origin, time, 1, frame, *wire as u32, &mut framer);
    }
    layers.end(&mut framer);
    let (mut accounts, messages) = framer.finish();
    let account = accounts.remove(0);
    assert_eq!(account.total(), frames.len() as u64, "{account:?}");
    Came {
        messages: messages.0,
        account,
        tls: layers.tls_reports().pop().unwrap_or_default(),
    }
}

fn whole(frames: Vec<Vec<u8>>) -> Vec<(Vec<u8>, usize)> {
    let with_length = |frame: Vec<u8>| {
        let length = frame.len();
        (frame, length)
    };
    frames.into_iter().map(with_length).collect()
}

#[test]
fn one_lost_frame_costs_the_messages_in_it_only() {
    for name in FILES {
        let (keys, all) = (keys(name), frames(name));
        let messages = read_frames(&keys, &whole(all.clone()), None).messages;
        assert_eq!(messages.len(), 9, "{name}");
        for lost in 0..all.len() {
            let mut some = all.clone();
            let frame = some.remove(lost);
            let came = read_frames(&keys, &whole(some), None);
            // A hello, the rest of a handshake or the window of a compression is more than itself.
            let vital = came.messages.len() < 7;
            let start = payload(&frame).unwrap_or(frame.len());
            let handshake = matches!(frame.get(start), Some(20..=22 | b'G' | b'H'));
            assert!(
                !vital || handshake || name == "ws-deflate",
                "{name}: without frame {}: {} messages, {:?}",
                lost + 1,
                came.messages.len(),
                came.account
            );
            assert!(came.messages.iter().all(|m| messages.contains(m)), "{name}");
        }
    }
}

#[test]
fn frames_that_the_capture_cut_cost_what_was_cut() {
    for name in FILES {
        let (keys, all) = (keys(name), frames(name));
        let messages = read_frames(&keys, &whole(all.clone()), None).messages;
        for cut in 0..all.len() {
            let Some(start) = payload(&all[cut]) else {
                continue;
            };
            for kept in [start, start + 3, start + 40, all[cut].len() - 1] {
                let mut some = whole(all.clone());
                some[cut].0.truncate(kept);
                let came = read_frames(&keys, &some, None);
                assert!(came.messages.iter().all(|m| messages.contains(m)), "{name}");
            }
        }
    }
}

#[test]
fn flipped_bytes_neither_panic_nor_yield_what_was_not_sent() {
    let mut chance = Chance(0x715);
    for name in FILES {
        let (keys, all) = (keys(name), frames(name));
        let messages = read_frames(&keys, &whole(all.clone()), None).messages;
        for _ in 0..60 {
            let mut some = whole(all.clone());
            for _ in 0..=chance.below(4) {
                let at = chance.below(some.len());
                let Some(start) = payload(&some[at].0) else {
                    continue;
                };
                let at_byte = start + chance.below((some[at].0.len() - start).min(200));
                some[at].0[at_byte] ^= 1 << chance.below(8);
            }
            let came = read_frames(&keys, &some, None);
            if name.starts_with("tls") {
                assert!(came.messages.iter().all(|m| messages.contains(m)), "{name}");
            }
        }
    }
}

/// The segment as two, the first with so many bytes.
fn split(frame: &[u8], first: usize) -> Vec<Vec<u8>> {
    let Some(start) = payload(frame).filter(|start| start + first < frame.len()) else {
        return vec![frame.to_vec()];
    };
    let tcp = 14 + usize::from(frame[14] & 15) * 4;
    let with_length = |mut frame: Vec<u8>| {
        let length = (frame.len() - 14) as u16;
        frame[16..18].copy_from_slice(&length.to_be_bytes());
        frame
    };
    let one = with_length(frame[..start + first].to_vec());
    let mut two = [&frame[..start], &frame[start + first..]].concat();
    let seq = u32::from_be_bytes(two[tcp + 4..tcp + 8].try_into().unwrap());
    two[tcp + 4..tcp + 8].copy_from_slice(&seq.wrapping_add(first as u32).to_be_bytes());
    vec![one, with_length(two)]
}

#[test]
fn records_and_frames_may_be_cut_into_any_segments() {
    for name in FILES {
        let (keys, all) = (keys(name), frames(name));
        let messages = read_frames(&keys, &whole(all.clone()), None).messages;
        for first in [1, 2, 3, 4, 5, 6, 7, 13, 40, 100] {
            let some: Vec<_> = all.iter().flat_map(|frame| split(frame, first)).collect();
            let came = read_frames(&keys, &whole(some), None);
            assert_eq!(came.messages, messages, "{name} cut at {first}");
            assert_eq!(came.account.not_decoded, [], "{name} cut at {first}");
        }
    }
}

#[test]
fn neighbouring_frames_may_be_captured_in_the_wrong_order() {
    for name in FILES {
        let (keys, all) = (keys(name), frames(name));
        for at in 1..all.len() {
            let mut some = all.clone();
            some.swap(at - 1, at);
            let came = read_frames(&keys, &whole(some), None);
            assert_eq!(
                came.messages.len(),
                9,
                "{name}: {at} and {} swapped",
                at + 1
            );
        }
    }
}

#[test]
fn keys_that_come_late_open_what_comes_after_them() {
    for name in [
        "tls13-aes256",
        "tls13-ccm",
        "tls12-aes256-gcm",
        "tls12-cbc-sha384",
    ] {
        let (keys, all) = (keys(name), frames(name));
        let messages = read_frames(&keys, &whole(all.clone()), None).messages;
        // Secrets of the handshake and of others do not matter then.
        let late: Vec<u8> = String::from_utf8(keys.clone())
            .unwrap()
            .lines()
            .filter(|line| !line.contains("HANDSHAKE"))
            .flat_map(|line| format!("{line}\n").into_bytes())
            .collect();
        for at in 0..all.len() {
            let came = read_frames(&[], &whole(all.clone()), Some((at, &late)));
            let expected = messages.len().saturating_sub(at.saturating_sub(6));
            assert!(
                came.messages.len() >= expected.min(9) && messages.ends_with(&came.messages),
                "{name}: keys before frame {}: {}, {:?}",
                at + 1,
                came.messages.len(),
                came.account
            );
        }
        let came = read_frames(&[], &whole(all.clone()), Some((all.len() - 1, &late)));
        assert_eq!((came.tls.connections, came.tls.decrypted), (1, 0));
    }
}

fn json(args: &[&str]) -> Ran {
    let mut all = vec!["--format", "json"];
    all.extend(args);
    run(all)
}

/// Reason and detail of the first input, with its statement on TLS.
fn closed(report: &Value) -> (String, String, Value) {
    let input = &report["inputs"][0];
    let entry = &input["not_decoded"][0];
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    (text("reason"), text("detail"), input["tls"].clone())
}

/// A key log of this text, in a file that is removed with the value.
struct KeyLog(std::path::PathBuf);

impl KeyLog {
    fn new(name: &str, text: &str) -> KeyLog {
        let path = std::env::temp_dir().join(format!("sipexplain-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        KeyLog(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for KeyLog {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn what_stays_closed_says_whether_the_key_log_is_missing_or_wrong() {
    for name in ["tls13-aes128", "tls12-chacha20", "tls12-cbc-sha384-mte"] {
        let capture = file(&format!("{name}.pcap"));
        let other = file("tls12-ccm8.keys");
        // The last digit of each secret is another one.
        let wrong: String = read(&file(&format!("{name}.keys")))
            .lines()
            .map(|line| {
                let (rest, last) = line.split_at(line.len() - 1);
                format!("{rest}{}\n", if last == "0" { "1" } else { "0" })
            })
            .collect();
        let wrong = KeyLog::new(name, &wrong);
        let cases = [
            (vec![&*capture], "tls-no-key", "no key log was given"),
            (
                vec!["--keylog", &other, &capture],
                "tls-key-missing",
                "the key log has no key for this connection",
            ),
            (
                vec!["--keylog", wrong.path(), &capture],
                "tls-key-wrong",
                "the key in the key log does not fit",
            ),
        ];
        for (args, reason, sentence) in cases {
            let ran = json(&args);
            assert_eq!(ran.status, 2, "no SIP was read");
            let (found, detail, tls) = closed(&ran.json());
            assert_eq!(found, reason, "{name}");
            assert!(detail.contains(sentence), "{name}: {detail}");
            assert_eq!(
                (&tls["connections"], &tls["decrypted"]),
                (&1.into(), &0.into())
            );
            let group = &tls["closed"][0];
            assert_eq!(
                (&group["reason"], &group["handshake"]),
                (&reason.into(), &"complete".into())
            );
            assert_eq!(group["server_name"], "sip.example.net");
            let text = run(args).out;
            assert!(text.contains(sentence), "{text}");
            assert!(
                text.contains("handshake complete, to sip.example.net"),
                "{text}"
            );
        }
    }
}

#[test]
fn handshakes_that_fail_are_named() {
    for (name, handshake) in [
        ("tls-alert", "alert protocol_version"),
        ("tls-no-answer", "no-answer"),
    ] {
        let (_, _, tls) = closed(&json(&[&file(&format!("{name}.pcap"))]).json());
        let group = &tls["closed"][0];
        assert_eq!(group["handshake"], handshake, "{name}: {tls}");
        assert_eq!(group["reason"], "no-data", "{name}: {tls}");
        assert_eq!(tls["undecrypted"], 0);
    }
}

#[test]
fn a_key_file_that_cannot_be_used_is_bad_usage() {
    let capture = file("tls13-aes128.pcap");
    for (option, path, wanted) in [
        ("--keylog", "no/such/file", "--keylog no/such/file"),
        ("--tls-key", "no/such/file", "--tls-key no/such/file"),
        (
            "--tls-key",
            "Cargo.toml",
            "there is no private key in PEM in it",
        ),
    ] {
        let ran = run([option, path, &capture]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{option} {path}");
        assert!(ran.err.contains(wanted), "{}", ran.err);
    }
    let ran = run(["--keylog", "Cargo.toml", &capture]);
    assert!(ran.err.contains("no line in it holds a key"), "{}", ran.err);
}

#[test]
fn the_hop_is_that_of_the_message_and_not_that_of_its_wrapping() {
    let first = |name: &str, more: &[&str]| {
        let capture = file(name);
        let mut args = more.to_vec();
        args.push(&capture);
        json(&args).json()["calls"][0]["final_responses"][0].clone()
    };
    let keys = file("wss-tls13.keys");
    for (name, more, transport) in [
        ("wss-tls13.pcap", &["--keylog", &keys][..], "wss"),
        ("ws.pcap", &[], "ws"),
        ("hep1.pcap", &[], "udp"),
        ("hep3-tcp.pcap", &[], "tcp"),
    ] {
        assert_eq!(first(name, more)["transport"], transport, "{name}");
    }
    for name in ["hep2.pcap", "hep3.pcap", "hep3-tcp.pcap", "hep2-ipv6.pcap"] {
        let answer = first(name, &[]);
        // As it was seen, not as the copy came in.
        assert_eq!(answer["time"], "2026-01-01T09:00:00.005000Z", "{name}");
        let source = if name.contains("ipv6") {
            "[2001:db8::20]:5060"
        } else {
            "198.51.100.20:5060"
        };
        assert_eq!(answer["source"], source, "{name}");
    }
}

#[test]
fn a_private_key_may_be_pkcs_1_and_not_encrypted() {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    let pem = read(&file("tls-server.pem"));
    let body: String = pem.lines().filter(|line| !line.contains("-----")).collect();
    let der = base64.decode(body).unwrap();
    // PKCS#8 holds PKCS#1 at its end: the outermost SEQUENCE after the first.
    let inner = (4..der.len())
        .find(|at| der[*at..].starts_with(&[0x30, 0x82]))
        .unwrap();
    let text = |kind: &str| {
        let body = base64.encode(&der[inner..]);
        format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
    };
    let capture = file("tls12-rsa-aes128-gcm.pcap");
    let key = KeyLog::new("pkcs1", &text("RSA PRIVATE KEY"));
    let report = json(&["--tls-key", key.path(), &capture]).json();
    assert_eq!(report["inputs"][0]["sip_messages"], 9);
    let key = KeyLog::new("encrypted", &text("ENCRYPTED PRIVATE KEY"));
    let ran = run(["--tls-key", key.path(), &capture]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("encrypted with a password"), "{}", ran.err);
}

#[test]
fn a_private_key_that_is_not_the_servers_is_said_to_be_missing() {
    let ran = json(&[
        "--tls-key",
        &file("tls-server.pem"),
        &file("tls12-aes128-gcm.pcap"),
    ]);
    let (reason, detail, _) = closed(&ran.json());
    assert_eq!(reason, "tls-key-missing");
    assert!(detail.contains("no private key given opens"), "{detail}");
}
