//! What is refused, handed on or named; that each tunnel is read is seen in `tests/wrappings.rs`.

use super::super::testing::Bench;
use super::{By, TUNNELS, may_be};
use etherparse::PacketBuilder;

const SIP: &[u8] = b"OPTIONS sip:a@example.net SIP/2.0\r\nCall-ID: 1\r\n\r\n";

/// An Ethernet frame with a UDP payload.
fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let base = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    let udp = base.udp(ports.0, ports.1);
    udp.write(&mut frame, payload).unwrap();
    frame
}

/// An Ethernet frame with an IP payload of this protocol.
fn ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let base = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    base.write(&mut frame, protocol.into(), payload).unwrap();
    frame
}

/// An IPv4 packet with SIP over UDP.
fn packet() -> Vec<u8> {
    udp((5060, 5070), SIP).split_off(14)
}

fn read(frame: &[u8]) -> super::super::testing::Recorder {
    let mut bench = Bench::default();
    bench.ethernet(frame);
    bench.end()
}

#[track_caller]
fn assert_sip(frame: &[u8]) {
    let sink = read(frame);
    let payloads: Vec<_> = sink.datagrams.iter().map(|(_, _, it, _)| &it[..]).collect();
    assert_eq!(payloads, [SIP], "{:?} {:?}", sink.not_decoded, sink.other);
}

#[track_caller]
fn assert_refused(frame: &[u8], reason: &str) {
    let sink = read(frame);
    assert_eq!(sink.reasons(), [reason], "{:?}", sink.other);
}

#[track_caller]
fn assert_other(frame: &[u8], name: &str) {
    let sink = read(frame);
    assert_eq!(sink.other, [name], "{:?}", sink.not_decoded);
}

/// The payload is handed on as it is.
#[track_caller]
fn assert_left_alone(ports: (u16, u16), payload: &[u8]) {
    let sink = read(&udp(ports, payload));
    assert_eq!(
        sink.datagrams.len(),
        1,
        "{:?} {:?}",
        sink.not_decoded,
        sink.other
    );
    assert_eq!(sink.datagrams[0].2, payload);
}

/// The ports that any tunnel has.
fn ports() -> Vec<u16> {
    let by = TUNNELS.iter().flat_map(|tunnel| tunnel.by);
    by.filter_map(|by| match by {
        By::UdpPort(port) => Some(*port),
        _ => None,
    })
    .collect()
}

#[test]
fn the_quick_check_lets_every_port_of_a_tunnel_through() {
    assert_eq!(ports().len(), 11);
    for port in ports() {
        assert!(may_be((port, 9)) && may_be((9, port)), "{port}");
    }
    assert!(!may_be((5060, 5060)) && !may_be((5060, 5061)));
}

#[test]
fn no_two_tunnels_are_announced_alike() {
    for (at, tunnel) in TUNNELS.iter().enumerate() {
        for other in &TUNNELS[at + 1..] {
            let shared = tunnel.by.iter().any(|by| other.by.contains(by));
            assert!(!shared, "{} and {}", tunnel.name, other.name);
        }
    }
}

#[test]
fn what_is_no_tunnel_stays_a_datagram_on_the_port_of_one() {
    let mut rtp = vec![0x80, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4];
    rtp.resize(172, 0xd5);
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    let dns =
        b"\x08\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03net\x00\x00\x01\x00\x01";
    for port in ports() {
        for text in [
            SIP,
            b"\r\n\r\n",
            b"SIP/2.0 200 OK\r\n\r\n",
            b"PRACK sip:a@b SIP/2.0\r\n\r\n",
        ] {
            assert_left_alone((5060, port), text);
            assert_left_alone((port, 5060), text);
        }
        assert_left_alone((5060, port), &stun);
        // Encrypted bytes look like anything: 4500 is for ESP.
        if port != 4500 {
            assert_left_alone((port, port), &rtp);
            assert_left_alone((port, 53), dns);
            assert_left_alone((port, 5060), &[0; 3]);
        }
    }
}

#[test]
fn signalling_of_tunnels_has_a_name() {
    assert_other(
        &udp((2152, 2152), &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 7, 0, 0]),
        "gtp",
    );
    assert_other(&udp((2152, 2152), &[0x30, 254, 0, 0, 0, 0, 0, 9]), "gtp");
    assert_other(
        &udp((1701, 1701), &[0xc8, 2, 0, 12, 0, 1, 0, 0, 0, 1, 0, 1]),
        "l2tp",
    );
    assert_other(&udp((4500, 4500), &[0, 0, 0, 0, 1, 2, 3, 4, 5, 6]), "ike");
    assert_other(&udp((4500, 4500), &[0xff]), "ike");
    assert_other(
        &udp((5247, 5247), &[0, 0x10, 2, 8, 0, 0, 0, 0, 0, 0]),
        "capwap",
    );
    assert_other(&udp((50000, 37008), &[1, 4, 0, 0, 1]), "tzsp");
    assert_other(&ip(47, &[0, 0, 0, 0]), "gre");
    assert_other(
        &ip(47, &[0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 9, 0, 0, 0, 1]),
        "gre",
    );
    assert_other(&ip(115, &[0, 0, 0, 0, 0xc8, 3, 0, 12]), "l2tp");
    let lcp = [0x11, 0, 0, 7, 0, 6, 0xc0, 0x21, 9, 1, 0, 4];
    let ethernet = |kind: [u8; 2], rest: &[u8]| [&[0; 12][..], &kind, rest].concat();
    assert_other(&ethernet([0x88, 0x64], &lcp), "ppp");
    assert_other(
        &ethernet([0x88, 0x64], &[0x11, 0xa7, 0, 7, 0, 0]),
        "pppoe-discovery",
    );
    assert_other(
        &ethernet([0x88, 0x47], &[0, 0, 0x11, 64, 0x10, 0, 0, 7]),
        "mpls-oam",
    );
}

#[test]
fn a_tunnel_that_is_broken_inside_says_so() {
    let ethernet = |kind: [u8; 2], rest: &[u8]| [&[0; 12][..], &kind, rest].concat();
    assert_refused(&ip(47, &[0, 2, 8, 0, 1, 1]), "broken-tunnel");
    assert_refused(&ip(47, &[0x20]), "broken-tunnel");
    assert_refused(
        &ip(47, &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x30, 0]),
        "broken-tunnel",
    );
    assert_refused(&ip(4, &[0x75; 40]), "broken-ip");
    assert_refused(&ip(115, &[0, 0, 0, 9, 1, 2, 3, 4, 5]), "l2tp");
    assert_refused(
        &ethernet([0x88, 0x47], &[0, 0, 0, 64].repeat(17)),
        "broken-tunnel",
    );
    assert_refused(
        &ethernet([0x88, 0x47], &[0, 0, 1, 64, 0x80, 1, 2, 3]),
        "mpls",
    );
    assert_refused(&ethernet([0x88, 0x64], SIP), "broken-link");
    assert_refused(
        &udp((9, 5247), &[0, 0x10, 2, 0x80, 0, 0, 0, 0, 9, 9]),
        "capwap-fragment",
    );
    assert_refused(
        &udp((9, 5247), &[1, 0, 0, 0, 23, 0xfe, 0xfd, 0, 1]),
        "capwap-encrypted",
    );
    assert_refused(&ethernet([0x88, 0xe5], &[0x2c, 0, 0, 0, 0, 1]), "macsec");
    assert_refused(
        &ethernet([0x88, 0xe5], &[0x20, 0, 0, 0, 0, 1]),
        "broken-tunnel",
    );
    assert_other(&ethernet([0x89, 0x4f], &[0, 2, 1, 4, 0, 0, 1, 255]), "nsh");
    let no_end = [&[1, 0, 0, 1][..], &[0; 65]].concat();
    assert_refused(&udp((9, 37008), &no_end), "broken-tunnel");
    let in_itself = [
        &[0x34, 255, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0x85][..],
        &[0, 0, 0, 0],
    ]
    .concat();
    assert_refused(&udp((9, 2152), &in_itself), "broken-tunnel");
    assert_refused(
        &udp((9, 2152), &[0x30, 255, 0, 2, 0, 0, 0, 0, 0x90, 1]),
        "gtp-u",
    );
    assert_refused(
        &udp((9, 4789), &[8, 0, 0, 0, 0, 0, 1, 0, 1, 2]),
        "broken-link",
    );
}

#[test]
fn encrypted_esp_is_said() {
    // Bytes without a pattern, a multiple of 4.
    let bytes: Vec<u8> = (0..240u32).map(|it| (it * it * 7 + 131) as u8).collect();
    let sink = read(&ip(50, &bytes));
    let [(_, _, "esp", detail)] = &sink.not_decoded[..] else {
        panic!("{:?}", sink.not_decoded)
    };
    assert_eq!(detail, "SPI 0x838a9fc2, encrypted");
    assert_refused(&udp((4500, 4500), &bytes), "esp");
    assert_refused(&ip(50, &[1; 5]), "broken-tunnel");
}

#[test]
fn no_chance_bytes_are_taken_for_clear_text_in_esp() {
    let mut chance = super::super::testing::Chance(9);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..8 + 4 * chance.below(60))
            .map(|_| chance.next() as u8)
            .collect();
        let sink = read(&ip(50, &bytes));
        assert_eq!(sink.not_decoded.len(), 1, "{bytes:?}");
    }
}

#[test]
fn tunnels_within_tunnels_have_an_end() {
    let nest = |depth: usize| {
        let mut inside = packet();
        for _ in 0..depth {
            inside = ip(4, &inside).split_off(14);
        }
        [&[0; 12][..], &[8, 0], &inside].concat()
    };
    assert_sip(&nest(8));
    assert_refused(&nest(9), "nested-too-deep");
    // ESP within UDP goes on between the same addresses, and has the same end.
    let nest = |depth: usize| {
        let mut datagram = packet().split_off(20);
        for _ in 0..depth {
            let mut esp = [&[0xc0, 0, 0, 9, 0, 0, 0, 1], &datagram[..]].concat();
            let padding = (1..).take((4 - (datagram.len() + 2) % 4) % 4);
            esp.extend(padding);
            let padded = esp.len() - 8 - datagram.len();
            esp.extend([padded as u8, 17]);
            esp.extend([0xee; 12]);
            datagram = udp((4500, 4500), &esp).split_off(34);
        }
        ip(17, &datagram)
    };
    assert_sip(&nest(8));
    assert_refused(&nest(9), "nested-too-deep");
}

#[test]
fn fragments_of_the_tunnel_and_within_it_are_put_together() {
    let fragments = |packet: &[u8]| -> Vec<Vec<u8>> {
        let (head, payload) = packet.split_at(20);
        let mut pieces = Vec::new();
        for (at, piece) in payload.chunks(24).enumerate() {
            let last = (at + 1) * 24 >= payload.len();
            let mut head = head.to_vec();
            head[2..4].copy_from_slice(&(20 + piece.len() as u16).to_be_bytes());
            head[6] = if last { 0 } else { 0x20 };
            head[7] = (at * 3) as u8;
            pieces.push([&head[..], piece].concat());
        }
        pieces
    };
    let gre = |inside: &[u8]| ip(47, &[&[0, 0, 8, 0], inside].concat()).split_off(14);
    let outer = fragments(&gre(&packet()));
    let inner: Vec<_> = fragments(&packet()).iter().map(|it| gre(it)).collect();
    for pieces in [outer, inner] {
        let mut bench = Bench::default();
        for piece in pieces.iter().rev() {
            bench.ethernet(&[&[0; 12][..], &[8, 0], piece].concat());
        }
        let sink = bench.end();
        assert_eq!(sink.datagrams.len(), 1, "{:?}", sink.not_decoded);
        assert_eq!(sink.datagrams[0].0.frames as usize, pieces.len());
        assert_eq!(sink.datagrams[0].2, SIP);
    }
}
