//! TLS handshakes that failed, recorded from real ones (`fixtures/record/handshakes.sh`): who ended each
//! and why; and look-alikes that did not fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::run;
use serde_json::Value;

fn findings(args: &[&str], rule: &str) -> Vec<Value> {
    let report = run([&["--format", "json"], args].concat()).json();
    let all = report["findings"].as_array().unwrap().iter();
    all.filter(|finding| finding["rule"] == rule)
        .cloned()
        .collect()
}

#[test]
fn handshakes_that_fail_are_explained() {
    let cases = [
        (
            "unknown-ca-1.2",
            "certain",
            "192.0.2.10 does not trust whoever signed the certificate of 198.51.100.20:5061",
        ),
        (
            "unknown-ca-1.3",
            "certain",
            "192.0.2.10 does not trust whoever signed the certificate of 198.51.100.20:5061",
        ),
        (
            "expired-1.2",
            "certain",
            "192.0.2.10 does not accept the certificate of 198.51.100.20:5061 (alert certificate_expired): it has expired",
        ),
        (
            "client-certificate-1.2",
            "certain",
            "198.51.100.20:5061 asked 192.0.2.10 for a certificate, got none",
        ),
        (
            "client-certificate-1.3",
            "possible",
            "198.51.100.20:5061 closed the connection right after the handshake",
        ),
        (
            "client-unknown-ca-1.2",
            "certain",
            "198.51.100.20:5061 does not trust whoever signed the certificate of 192.0.2.10",
        ),
        (
            "no-cipher-1.2",
            "certain",
            "198.51.100.20:5061 found nothing that both sides accept",
        ),
        (
            "old-version",
            "certain",
            "198.51.100.20:5061 accepts none of the TLS versions of the other side (alert protocol_version): 192.0.2.10 offers TLS 1.1",
        ),
        (
            "hung-up",
            "likely",
            "198.51.100.20:5061 closed the connection after 192.0.2.10 had asked for TLS, without an alert",
        ),
        (
            "no-answer",
            "likely",
            "198.51.100.20:5061 took the connection and never answered the TLS handshake",
        ),
        (
            "not-tls",
            "likely",
            "198.51.100.20:5061 answered the TLS handshake of 192.0.2.10 with something that is no TLS",
        ),
    ];
    for (name, confidence, why) in cases {
        let found = findings(
            &[&format!("fixtures/handshakes/{name}.pcap")],
            "tls-handshake-failed",
        );
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        let said = found[0]["why"].as_str().unwrap();
        assert!(said.starts_with(why), "{name}: {said}");
        assert_eq!(found[0]["confidence"], confidence, "{name}");
        assert_eq!(found[0]["element"], "198.51.100.20:5061", "{name}");
        let evidence = &found[0]["evidence"][0];
        assert_eq!(evidence["kind"], "beside", "{name}");
        assert!(evidence["frame"].as_u64().is_some(), "{name}");
    }
}

#[test]
fn a_handshake_that_succeeds_is_no_failure_though_nothing_is_opened() {
    let mut healthy: Vec<String> = [
        "healthy-1.2",
        "healthy-1.3",
        "healthy-client-certificate-1.3",
    ]
    .map(|name| format!("fixtures/handshakes/{name}.pcap"))
    .to_vec();
    for entry in std::fs::read_dir(harness::root().join("fixtures/wrappings")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if (name.starts_with("tls1") || name.starts_with("wss")) && name.ends_with(".pcap") {
            healthy.push(format!("fixtures/wrappings/{name}"));
        }
    }
    assert!(healthy.len() > 20);
    for file in healthy {
        let none = Vec::<Value>::new();
        assert_eq!(findings(&[&file], "tls-handshake-failed"), none, "{file}");
        let closed = findings(&[&file], "signalling-encrypted");
        assert_eq!(closed.len(), 1, "{file}");
        assert_eq!(closed[0]["element"], "198.51.100.20:5061", "{file}");
        assert_eq!(closed[0]["severity"], "info", "{file}");
    }
}

#[test]
fn what_a_key_opens_is_not_encrypted() {
    for name in ["tls13-aes128", "tls12-aes128-gcm", "wss-tls13"] {
        let (keys, file) = (
            format!("fixtures/wrappings/{name}.keys"),
            format!("fixtures/wrappings/{name}.pcap"),
        );
        let found = findings(&["--keylog", &keys, &file], "signalling-encrypted");
        assert_eq!(found, Vec::<Value>::new(), "{name}");
    }
}
