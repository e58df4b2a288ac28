//! What is seen beside SIP is tied to its call: ICMP errors by what they quote, answers of name
//! servers by the hosts that the requests name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::run;
use serde_json::Value;

/// Frame, kind, frame of the message that it is about.
fn asides(file: &str) -> Vec<(u64, String, Option<u64>)> {
    let report = run(["--format", "json", &format!("fixtures/wrappings/{file}")]).json();
    let calls = report["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 1, "{file}");
    let asides = calls[0]["asides"].as_array().unwrap().iter();
    let shown = asides.map(|aside: &Value| {
        (
            aside["frame"].as_u64().unwrap(),
            aside["kind"].as_str().unwrap().to_owned(),
            aside["about"].as_u64(),
        )
    });
    shown.collect()
}

#[test]
fn icmp_errors_belong_to_the_message_that_they_quote() {
    assert_eq!(
        asides("icmp.pcap"),
        [
            (2, "port-unreachable".to_owned(), Some(1)),
            (4, "port-unreachable".to_owned(), Some(3)),
            (6, "too-big".to_owned(), Some(5)),
        ]
    );
    assert_eq!(
        asides("icmpv6.pcap"),
        [(2, "prohibited".to_owned(), Some(1))]
    );
    let shown = run(["fixtures/wrappings/icmp.pcap"]).out;
    let said = "ICMP: #2: 198.51.100.20 reports that nothing listens on 198.51.100.20:5060 \
                (#1 INVITE); 2 such reports";
    assert!(shown.contains(said), "{shown}");
}

#[test]
fn answers_of_name_servers_belong_to_the_call_that_they_led_to() {
    let found: Vec<_> = asides("dns.pcap")
        .into_iter()
        .map(|(f, k, _)| (f, k))
        .collect();
    let expected = [(2, "NAPTR"), (3, "SRV"), (4, "A"), (5, "SRV")];
    assert_eq!(
        found,
        expected.map(|(frame, kind)| (frame, kind.to_owned()))
    );
    let shown = run(["fixtures/wrappings/dns.pcap"]).out;
    assert!(shown.contains("SRV of _sip._udp.example.net: 10 60 5060 sip1.example.net"));
    assert!(shown.contains("SRV of _sips._tcp.example.net: NXDOMAIN"));
}

#[test]
fn the_identification_of_a_packet_tells_which_call_an_error_is_about() {
    let report = run(["--format", "json", "fixtures/wrappings/icmp-which.pcap"]).json();
    let calls = report["calls"].as_array().unwrap();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call["call_ids"][0].clone(), call["asides"].is_array()))
        .collect();
    let id = |n: u8| Value::from(format!("wrapped-{n}@192.0.2.10"));
    assert_eq!(told, [(id(1), true), (id(2), false)]);
}
