use super::testing::{Bench, Chance};
use super::{Transport, link_name};
use etherparse::{PacketBuilder, SlicedPacket, TransportSlice};

const SIP: &[u8] = b"OPTIONS sip:a@example.net SIP/2.0\r\nCall-ID: 1\r\n\r\n";

fn udp_v4(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    builder.udp(5060, 5070).write(&mut frame, payload).unwrap();
    frame
}

fn udp_v6(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv6([1; 16], [2; 16], 64);
    builder.udp(5060, 5070).write(&mut frame, payload).unwrap();
    frame
}

/// The IP packet of an Ethernet frame.
fn ip_of(frame: &[u8]) -> &[u8] {
    &frame[14..]
}

fn with_header(header: &[u8], packet: &[u8]) -> Vec<u8> {
    [header, packet].concat()
}

#[track_caller]
fn assert_one_sip(bench: Bench) {
    let sink = bench.end();
    assert!(sink.not_decoded.is_empty(), "{:?}", sink.not_decoded);
    let [(_, flow, payload, cut)] = &sink.datagrams[..] else {
        panic!("{:?}", sink.other)
    };
    assert_eq!((payload.as_slice(), *cut), (SIP, false));
    assert_eq!((flow.source.port(), flow.destination.port()), (5060, 5070));
    assert_eq!(flow.transport, Transport::Udp);
}

#[track_caller]
fn assert_refused(link: u32, bytes: &[u8], wire_len: usize, reason: &str) {
    let mut bench = Bench::default();
    bench.frame(link, bytes, wire_len);
    let sink = bench.end();
    assert_eq!(
        sink.reasons(),
        [reason],
        "{:?} {:?}",
        sink.not_decoded,
        sink.other
    );
}

#[test]
fn every_link_type_reaches_the_datagram() {
    let (v4, v6) = (udp_v4(SIP), udp_v6(SIP));
    let sll = |protocol: [u8; 2]| [&[0; 14][..], &protocol].concat();
    let sll2 = |protocol: [u8; 2]| [&protocol[..], &[0; 18]].concat();
    let cases: Vec<(u32, Vec<u8>)> = vec![
        (1, v4.clone()),
        (1, v6.clone()),
        (113, with_header(&sll([8, 0]), ip_of(&v4))),
        (113, with_header(&sll([0x86, 0xdd]), ip_of(&v6))),
        (276, with_header(&sll2([8, 0]), ip_of(&v4))),
        (276, with_header(&sll2([0x86, 0xdd]), ip_of(&v6))),
        (0, with_header(&[2, 0, 0, 0], ip_of(&v4))),
        (0, with_header(&[0, 0, 0, 2], ip_of(&v4))),
        (0, with_header(&[10, 0, 0, 0], ip_of(&v6))),
        (0, with_header(&[0, 0, 0, 24], ip_of(&v6))),
        (0, with_header(&[28, 0, 0, 0], ip_of(&v6))),
        (108, with_header(&[0, 0, 0, 30], ip_of(&v6))),
        (12, ip_of(&v4).to_vec()),
        (14, ip_of(&v6).to_vec()),
        (101, ip_of(&v6).to_vec()),
        (228, ip_of(&v4).to_vec()),
        (229, ip_of(&v6).to_vec()),
    ];
    for (link, frame) in cases {
        let mut bench = Bench::default();
        bench.frame(link, &frame, frame.len());
        assert_one_sip(bench);
        assert!(link_name(link).is_some());
    }
    assert_eq!(link_name(113), Some("Linux cooked v1"));
    assert_eq!(link_name(195), None);
}

#[test]
fn an_unknown_link_type_is_named() {
    let mut bench = Bench::default();
    bench.frame(195, b"anything", 8);
    let sink = bench.end();
    assert_eq!(
        sink.not_decoded,
        [(1, 1, "link-type", "LINKTYPE 195".to_owned())]
    );
}

#[test]
fn tags_and_padding_are_taken_off() {
    let plain = udp_v4(SIP);
    let mut frame = plain[..12].to_vec();
    frame.extend([0x88, 0xa8, 0, 5, 0x91, 0, 0, 6, 0x81, 0, 0, 7]);
    frame.extend(&plain[12..]);
    frame.extend([0; 9]);
    let mut bench = Bench::default();
    bench.ethernet(&frame);
    assert_one_sip(bench);
    let tags = [&plain[..12], &[0x81, 0, 0, 1].repeat(9), &plain[12..]].concat();
    assert_refused(1, &tags, tags.len(), "broken-link");
}

#[test]
fn what_holds_no_sip_has_a_name() {
    let ethernet = |ether_type: [u8; 2], rest: &[u8]| [&[0; 12][..], &ether_type, rest].concat();
    let mut icmp = udp_v4(SIP);
    icmp[14 + 9] = 1;
    let mut unknown = icmp.clone();
    unknown[14 + 9] = 253;
    let cases = [
        (ethernet([8, 6], &[0; 28]), "arp"),
        (ethernet([0x88, 0xcc], &[0; 28]), "lldp"),
        (ethernet([0x88, 0x8e], &[0; 28]), "eapol"),
        (ethernet([0, 38], &[0x42, 0x42, 3, 0, 0]), "stp"),
        (ethernet([0, 38], &[0x10, 0x10, 3, 0, 0]), "llc"),
        (ethernet([0x12, 0x34], &[0; 28]), "unrecognised"),
        (icmp, "icmp"),
        (unknown, "unrecognised"),
    ];
    for (frame, name) in cases {
        let mut bench = Bench::default();
        bench.ethernet(&frame);
        assert_eq!(bench.end().other, [name]);
    }
}

#[test]
fn encapsulations_that_are_not_read_are_said() {
    let frame = [&[0; 12][..], &[0x88, 0xe5, 0x2c], SIP].concat();
    assert_refused(1, &frame, frame.len(), "macsec");
}

#[test]
fn a_broken_header_is_told_from_a_cut_one() {
    let frame = udp_v4(SIP);
    assert_refused(1, &frame[..10], 10, "broken-link");
    assert_refused(1, &frame[..10], frame.len(), "cut-header");
    assert_refused(1, &frame[..20], 20, "broken-ip");
    assert_refused(1, &frame[..20], frame.len(), "cut-header");
    assert_refused(1, &frame[..38], frame.len(), "cut-header");
    let mut short_udp = frame.clone();
    short_udp[14 + 3] = 24;
    assert_refused(1, &short_udp, frame.len(), "broken-udp");
    let mut small_length = frame.clone();
    small_length[34 + 4..34 + 6].copy_from_slice(&[0, 7]);
    assert_refused(1, &small_length, frame.len(), "broken-udp");
    let mut version = frame.clone();
    version[14] = 0x55;
    assert_refused(1, &version, frame.len(), "broken-ip");
    let mut options = frame.clone();
    options[14] = 0x44;
    assert_refused(1, &options, frame.len(), "broken-ip");
}

#[test]
fn a_cut_datagram_is_delivered_as_far_as_it_goes() {
    let frame = udp_v4(SIP);
    let mut bench = Bench::default();
    bench.frame(1, &frame[..frame.len() - 5], frame.len());
    let sink = bench.end();
    assert_eq!(sink.datagrams[0].2, SIP[..SIP.len() - 5]);
    assert!(sink.datagrams[0].3);
}

#[test]
fn an_ip_length_that_contradicts_that_of_udp_is_no_cut() {
    let mut frame = udp_v4(SIP);
    let total = u16::from_be_bytes([frame[16], frame[17]]) - 5;
    frame[16..18].copy_from_slice(&total.to_be_bytes());
    for (checksum, cut) in [(0x1234_u16, false), (0, true)] {
        frame[40..42].copy_from_slice(&checksum.to_be_bytes());
        let mut bench = Bench::default();
        bench.ethernet(&frame);
        let sink = bench.end();
        assert_eq!(sink.datagrams[0].2, SIP[..SIP.len() - 5]);
        assert_eq!(sink.datagrams[0].3, cut);
    }
}

#[test]
fn lengths_left_to_the_network_card_are_those_captured() {
    let mut frame = udp_v4(SIP);
    frame[16..18].fill(0);
    frame[38..40].fill(0);
    let mut bench = Bench::default();
    bench.ethernet(&frame);
    assert_one_sip(bench);
}

#[test]
fn extension_headers_are_walked() {
    let plain = udp_v6(SIP);
    // Hop-by-hop, routing, authentication, destination options, an atomic fragment.
    let chain: [(u8, &[u8]); 5] = [
        (43, &[0, 1, 4, 0, 0, 0, 0]),
        (51, &[0, 0, 0, 0, 0, 0, 0]),
        (60, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (44, &[0, 0, 0, 0, 0, 0, 0]),
        (17, &[0, 0, 0, 0, 0, 0, 9]),
    ];
    let mut extensions = Vec::new();
    for (next, rest) in chain {
        extensions.push(next);
        extensions.extend(rest);
    }
    let mut frame = [&plain[..54], &extensions, &plain[54..]].concat();
    frame[14 + 6] = 0;
    let length = (frame.len() - 54) as u16;
    frame[18..20].copy_from_slice(&length.to_be_bytes());
    let mut bench = Bench::default();
    bench.ethernet(&frame);
    assert_eq!(bench.sink.datagrams[0].0.ident, 9);
    assert_one_sip(bench);
}

/// What etherparse makes of a frame: addresses, ports and payload of UDP.
fn oracle(frame: &[u8]) -> Option<(String, u16, u16, Vec<u8>)> {
    let sliced = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(TransportSlice::Udp(udp)) = &sliced.transport else {
        return None;
    };
    let source = match sliced.net.as_ref()? {
        etherparse::NetSlice::Ipv4(ip) => ip.header().source_addr().to_string(),
        etherparse::NetSlice::Ipv6(ip) => ip.header().source_addr().to_string(),
        _ => return None,
    };
    Some((
        source,
        udp.source_port(),
        udp.destination_port(),
        udp.payload().to_vec(),
    ))
}

#[test]
fn plain_packets_read_as_etherparse_reads_them() {
    let mut chance = Chance(77);
    for _ in 0..3000 {
        let payload: Vec<u8> = (0..chance.below(300))
            .map(|_| chance.next() as u8)
            .collect();
        let ends = [chance.next() as u8, 2, 3, chance.next() as u8];
        let mut frame = Vec::new();
        let base = PacketBuilder::ethernet2([1; 6], [2; 6]);
        let (from, to) = (chance.next() as u16, chance.next() as u16);
        match chance.below(4) {
            0 => base
                .ipv4(ends, [9; 4], 9)
                .udp(from, to)
                .write(&mut frame, &payload),
            1 => base
                .ipv6([ends[0]; 16], [9; 16], 9)
                .udp(from, to)
                .write(&mut frame, &payload),
            2 => {
                let tag = etherparse::VlanId::try_new(9).unwrap();
                base.single_vlan(tag)
                    .ipv4(ends, [9; 4], 9)
                    .udp(from, to)
                    .write(&mut frame, &payload)
            }
            _ => base
                .ipv4(ends, [9; 4], 9)
                .tcp(from, to, 1, 1)
                .write(&mut frame, &payload),
        }
        .unwrap();
        let mut bench = Bench::default();
        bench.ethernet(&frame);
        let sink = bench.end();
        let ours = sink.datagrams.first().map(|(_, flow, payload, _)| {
            let source = flow.source.ip().to_string();
            (
                source,
                flow.source.port(),
                flow.destination.port(),
                payload.clone(),
            )
        });
        assert_eq!(ours, oracle(&frame));
    }
}

/// Frames of every kind that the layers treat differently.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![udp_v4(SIP), udp_v6(SIP)];
    for index in 0..4u32 {
        let mut frame = Vec::new();
        let base =
            PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
        let tcp = base.tcp(5060, 5060, 100 + 50 * index, 1000).ack(7);
        let tcp = if index == 3 { tcp.fin() } else { tcp };
        tcp.write(&mut frame, SIP).unwrap();
        seeds.push(frame);
    }
    for index in 0..3u8 {
        let mut frame = udp_v4(SIP);
        frame[20] = if index < 2 { 0x20 } else { 0 };
        frame[21] = index * 7;
        seeds.push(frame);
        let mut frame = udp_v6(SIP);
        frame[20] = 44;
        let fragment = [17, 0, 0, (index * 56) | u8::from(index < 2), 0, 0, 0, 1];
        frame.splice(54..54, fragment);
        seeds.push(frame);
    }
    seeds
}

#[test]
fn no_bytes_make_it_panic_or_lose_count() {
    const LINKS: [u32; 8] = [1, 113, 276, 0, 108, 101, 229, 7];
    let seeds = seeds();
    let mut chance = Chance(0xbad);
    let mut bench = Bench::default();
    for round in 0..200_000 {
        let mut frame = seeds[chance.below(seeds.len())].clone();
        let link = if chance.below(3) > 0 {
            1
        } else {
            LINKS[chance.below(LINKS.len())]
        };
        if link != 1 && chance.below(2) == 0 {
            frame.drain(..14);
        }
        for _ in 0..chance.below(6) {
            let at = chance.below(frame.len());
            frame[at] = match chance.below(3) {
                0 => frame[at] ^ (1 << chance.below(8)),
                1 => [0, 1, 0x7f, 0x80, 0xff][chance.below(5)],
                _ => chance.next() as u8,
            };
        }
        let wire_len = frame.len();
        if chance.below(4) == 0 {
            frame.truncate(chance.below(frame.len() + 1));
        }
        let wire_len = if chance.below(2) == 0 {
            wire_len
        } else {
            frame.len()
        };
        bench.now += if chance.below(1000) == 0 {
            40_000_000_000
        } else {
            0
        };
        bench.frame(link, &frame, wire_len);
        if round % 20_000 == 0 {
            std::mem::take(&mut bench).end();
        }
    }
    bench.end();
}

/// `cargo test --release --lib speed -- --ignored --nocapture`
#[test]
#[ignore = "measures"]
fn speed() {
    use crate::input::{Origin, Time};
    struct Count(u64);
    impl super::Sink for Count {
        fn icmp_error(&mut self, at: super::At, _: &super::IcmpError<'_>) {
            self.other(at, "icmp");
        }
        fn datagram(&mut self, _: super::At, flow: &super::Flow, payload: &[u8], _: bool) {
            self.0 += payload.len() as u64 + u64::from(flow.source.port());
        }
        fn message(
            &mut self,
            _: super::At,
            _: &super::Flow,
            _: &[u8],
            _: bool,
        ) -> Option<&'static str> {
            None
        }
        fn carried(&mut self, _: super::At) {}
        fn segment(
            &mut self,
            _: super::At,
            _: super::StreamId,
            _: &super::Flow,
            _: super::Segment,
        ) {
        }
        fn bytes(&mut self, _: super::At, _: super::StreamId, _: &super::Flow, bytes: &[u8]) {
            self.0 += bytes.len() as u64;
        }
        fn gap(&mut self, _: super::At, _: super::StreamId, _: &super::Flow, _: u64) {}
        fn closed(&mut self, _: super::StreamId) {}
        fn other(&mut self, _: super::At, _: &'static str) {}
        fn not_decoded(&mut self, _: super::At, _: &'static str, _: &str) {}
    }
    let mut tcp = Vec::new();
    let base = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    base.tcp(5060, 5070, 0, 1000)
        .ack(7)
        .write(&mut tcp, SIP)
        .unwrap();
    let cases = [
        ("IPv4 UDP", udp_v4(SIP)),
        ("IPv6 UDP", udp_v6(SIP)),
        ("IPv4 TCP", tcp),
    ];
    for (name, mut frame) in cases {
        let (mut layers, mut sink) = (super::Layers::new(), Count(0));
        let begun = std::time::Instant::now();
        const ROUNDS: u32 = 20_000_000;
        let mut seq = 0u32;
        for place in 0..ROUNDS {
            let origin = Origin {
                input: 0,
                place: place.into(),
            };
            let time = Some(Time(i64::from(place) * 1000));
            if name == "IPv4 TCP" {
                frame[38..42].copy_from_slice(&seq.to_be_bytes());
                seq = seq.wrapping_add(SIP.len() as u32);
            }
            let bytes = std::hint::black_box(frame.as_slice());
            layers.frame(origin, time, 1, bytes, bytes.len() as u32, &mut sink);
        }
        let each = begun.elapsed().as_nanos() as f64 / f64::from(ROUNDS);
        println!("{name}: {each:.1} ns a packet ({})", sink.0);
    }
}
