//! What is refused or named; that each link type is read is seen in `tests/wrappings.rs`.

use super::super::testing::{Bench, Recorder};
use super::link_name;
use std::net::SocketAddr;

fn read(link: u32, frame: &[u8]) -> Recorder {
    let mut bench = Bench::default();
    bench.frame(link, frame, frame.len());
    bench.end()
}

#[track_caller]
fn assert_refused(link: u32, frame: &[u8], reason: &str) {
    let sink = read(link, frame);
    assert_eq!(sink.reasons(), [reason], "{:?}", sink.other);
}

#[track_caller]
fn assert_other(link: u32, frame: &[u8], name: &str) {
    let sink = read(link, frame);
    assert_eq!(sink.other, [name], "{:?}", sink.not_decoded);
}

#[test]
fn user_link_types_are_said_by_number() {
    let sink = read(150, b"anything");
    assert_eq!(sink.not_decoded[0].3, "LINKTYPE_USER3 (150)");
    assert_eq!(read(162, b"").not_decoded[0].3, "LINKTYPE_USER15 (162)");
    assert_eq!(link_name(150), None);
}

#[test]
fn ppp_says_what_hides_the_packet() {
    assert_refused(9, &[0xff, 3, 0, 0xfd, 1, 2, 3], "ppp-compressed");
    assert_refused(9, &[0xff, 3, 0x2f, 1, 2, 3], "ppp-compressed");
    assert_refused(9, &[0xff, 3, 0, 0x53, 1, 2, 3], "ppp-encrypted");
    assert_refused(
        9,
        &[0xff, 3, 0, 0x3d, 0x80, 0, 0, 5, 0, 0x21],
        "ppp-multilink",
    );
    assert_refused(
        9,
        &[0, 0x3d, 0xc0, 0, 0, 5, 0, 0x3d, 0xc0, 0, 0, 5],
        "broken-link",
    );
    assert_refused(9, &[0xff, 3], "broken-link");
    assert_other(9, &[0xff, 3, 0xc0, 0x21, 1, 1, 0, 4], "ppp");
    assert_other(50, &[0x8f, 0, 0x80, 0x35, 0, 0, 0, 2], "slarp");
    assert_other(9, &[0xff, 3, 0x01, 0x01], "unrecognised");
}

#[test]
fn wireless_says_what_hides_the_packet() {
    let data = |flags: u8, sequence: u8| {
        let mut frame = vec![8, flags];
        frame.resize(24, 0);
        frame[22] = sequence;
        frame.extend([0xaa, 0xaa, 3, 0, 0, 0, 8, 6]);
        frame
    };
    assert_other(105, &data(1, 0x10), "arp");
    assert_refused(105, &data(0x41, 0), "wifi-encrypted");
    assert_refused(105, &data(5, 0), "wifi-fragment");
    assert_refused(105, &data(1, 1), "wifi-fragment");
    assert_refused(105, &data(1, 0)[..20], "broken-link");
    // A beacon, an acknowledgement, data without data.
    for control in [0x80, 0xd4, 0x48, 0xc8] {
        let mut frame = data(0, 0);
        frame[0] = control;
        assert_other(105, &frame, "wifi");
    }
    let empty = [&[0x88, 1][..], &[0; 22], &[0x80, 0], &[0; 8]].concat();
    assert_refused(105, &empty, "broken-link");
}

#[test]
fn per_packet_information_is_not_within_itself() {
    let header = |number: u8| [0, 0, 8, 0, number, 0, 0, 0];
    assert_refused(192, &header(192).repeat(1000), "link-type");
    assert_refused(192, &header(150), "link-type");
    assert_refused(192, &header(105), "broken-link");
}

#[test]
fn netfilter_log_is_read_in_either_byte_order() {
    let little = [
        2, 0, 0, 5, 5, 0, 10, 0, 0, 0, 0, 0, 8, 0, 9, 0, 0x45, 0, 0, 0,
    ];
    let big = [
        2, 0, 0, 5, 0, 5, 0, 10, 0, 0, 0, 0, 0, 8, 0, 9, 0x45, 0, 0, 0,
    ];
    for frame in [little, big] {
        // As far as the IP header that is too short.
        assert_refused(239, &frame, "broken-ip");
    }
    assert_other(239, &little[..12], "nflog");
    assert_other(239, &[0; 4], "nflog");
    assert_other(239, &[0; 4000], "nflog");
}

#[test]
fn an_exported_pdu_keeps_its_ends() {
    let mut frame = b"\0\x0c\0\x04sip\0".to_vec();
    frame.extend([0, 22, 0, 16]);
    frame.extend([0x20; 16]);
    frame.extend([0, 23, 0, 16]);
    frame.extend([0x30; 16]);
    frame.extend(*b"\0\x18\0\x04\0\0\0\x03\0\x19\0\x04\0\0\x13\xc4\0\x1a\0\x04\0\0\x13\xc5");
    frame.extend(*b"\0\0\0\0payload");
    let sink = read(252, &frame);
    let (_, flow, payload, cut) = &sink.datagrams[0];
    assert_eq!((payload.as_slice(), *cut), (&b"payload"[..], false));
    assert_eq!(flow.source, SocketAddr::from(([0x2020; 8], 5060)));
    assert_eq!(flow.destination, SocketAddr::from(([0x3030; 8], 5061)));
    assert_refused(252, &frame[..40], "broken-link");
    assert_refused(252, &[0, 1, 0, 0].repeat(65), "broken-link");
}

#[test]
fn what_stands_before_the_packet_may_be_missing() {
    for (link, frame) in [
        (104, &[0x0f, 0][..]),
        (107, &[0x18, 0x40, 0x18, 0x40]),
        (107, &[0x18, 0x41]),
        (119, &[0x44, 0, 0, 0, 144, 0]),
        (119, &[0x44, 0, 0, 0, 144, 0, 0, 0, 1]),
        (163, &[0x80, 0x21, 0x10, 1, 0, 0, 0, 64]),
        (163, &[0x80, 0x21, 0x10, 1, 0xff, 0xff, 0xff, 0xff]),
        (127, &[0, 0, 4, 0, 0, 0, 0, 0]),
        (127, &[0, 0, 0xff, 0xff, 0, 0, 0, 0]),
        (166, &[]),
        (204, &[1]),
        (51, &[0x11, 0]),
        (51, &[0x21, 0, 0, 0, 0, 0]),
    ] {
        assert_refused(link, frame, "broken-link");
    }
}
