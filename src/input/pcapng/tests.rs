use super::*;
use crate::input::samples::{Order, block, interface, packet, read, reasons, section};

const LE: Order = Order(false);
const BE: Order = Order(true);

#[test]
fn sections_have_their_own_order_and_interfaces_and_frames_count_on() {
    let mut file = section(LE);
    file.extend(interface(LE, 1, &[]));
    file.extend(interface(LE, 113, &[(9, &[9])]));
    file.extend(packet(LE, 0, 5_000_000, b"abc"));
    file.extend(packet(LE, 1, 6_000_000_001, b"defg"));
    file.extend(section(BE));
    file.extend(interface(BE, 276, &[]));
    file.extend(packet(BE, 0, 7_000_000, b"h"));
    let (seen, summary) = read(&file);
    let brief: Vec<_> = seen
        .iter()
        .map(|r| (r.place, r.link, r.time.unwrap()))
        .collect();
    assert_eq!(
        brief,
        [
            (1, 1, 5_000_000_000),
            (2, 113, 6_000_000_001),
            (3, 276, 7_000_000_000)
        ]
    );
    assert_eq!(seen[0].bytes, b"abc", "without padding");
    assert_eq!(
        (summary.format.as_str(), summary.links),
        ("pcapng", vec![1, 113, 276])
    );
    assert!(summary.damage.is_empty());
}

#[test]
fn time_stamps_of_every_resolution_become_nanoseconds() {
    for order in [LE, BE] {
        for (resolution, stamp, time) in [
            (0, 3, 3_000_000_000),
            (6, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
            (12, 1_700_000_000_123_456_789, 1_700_000_000_123_456),
            (0x80 | 20, 3 << 19, 1_500_000_000),
            (0xa0, (9 << 32) + (1 << 31), 9_500_000_000),
            (0x7f, u64::MAX, 0),
            (0xff, u64::MAX, 0),
        ] {
            let offset = order.i64(-1);
            let mut file = section(order);
            file.extend(interface(order, 1, &[(9, &[resolution]), (14, &offset)]));
            file.extend(packet(order, 0, stamp, b"x"));
            assert_eq!(
                read(&file).0[0].time,
                Some(time - 1_000_000_000),
                "{resolution:#x}"
            );
        }
    }
    let mut file = section(LE);
    file.extend(interface(LE, 1, &[(9, &[0])]));
    file.extend(packet(LE, 0, u64::MAX, b"x"));
    assert_eq!(
        read(&file).0[0].time,
        None,
        "beyond what nanoseconds can tell"
    );
}

#[test]
fn simple_and_old_packets_are_frames_and_other_blocks_are_not() {
    for order in [LE, BE] {
        let mut file = section(order);
        file.extend(interface(order, 1, &[]));
        let mut simple = order.u32(3).to_vec();
        simple.extend(b"abc");
        file.extend(block(order, SIMPLE_PACKET, &simple));
        file.extend(block(order, 0x0bad, b"anything"));
        let mut old = [order.u16(0), order.u16(9)].concat();
        for field in [0, 4_000_000, 2, 2] {
            old.extend(order.u32(field));
        }
        old.extend(b"de");
        file.extend(block(order, PACKET, &old));
        let (seen, summary) = read(&file);
        let brief: Vec<_> = seen.iter().map(|r| (r.bytes.as_slice(), r.time)).collect();
        assert_eq!(
            brief,
            [(&b"abc"[..], None), (&b"de"[..], Some(4_000_000_000))]
        );
        assert!(summary.damage.is_empty());
    }
}

#[test]
fn a_packet_of_an_unknown_interface_is_still_a_frame() {
    let mut file = section(LE);
    file.extend(packet(LE, 3, 1, b"a"));
    file.extend(packet(LE, 3, 2, b"b"));
    let (seen, summary) = read(&file);
    assert_eq!(
        (seen.len(), seen[0].link, seen[0].time),
        (2, UNKNOWN_LINK, None)
    );
    assert_eq!(reasons(&summary), ["unknown-interface"]);
}

#[test]
fn a_wrong_block_length_costs_one_block() {
    let mut file = section(LE);
    file.extend(interface(LE, 1, &[]));
    let at = file.len();
    for n in 0..4 {
        file.extend(packet(LE, 0, n, b"payload"));
    }
    for wrong in [0u32, 13, 0x7fff_ffff, 200] {
        let mut file = file.clone();
        file[at + 4..at + 8].copy_from_slice(&wrong.to_le_bytes());
        let (seen, summary) = read(&file);
        assert_eq!(
            (seen.len(), reasons(&summary)),
            (3, vec!["block-length"]),
            "{wrong}"
        );
        assert_eq!(summary.damage[0].offset, at as u64);
    }
}

#[test]
fn a_cut_block_is_damage_and_the_rest_is_kept() {
    let mut file = section(LE);
    file.extend(interface(LE, 1, &[]));
    file.extend(packet(LE, 0, 1, b"whole"));
    let at = file.len();
    file.extend(packet(LE, 0, 2, b"cut"));
    for end in at + 1..file.len() {
        let (seen, summary) = read(&file[..end]);
        assert_eq!(
            (seen.len(), reasons(&summary)),
            (1, vec!["cut-record"]),
            "{end}"
        );
        assert_eq!(summary.damage[0].offset, at as u64);
    }
}

#[test]
fn tls_keys_come_before_the_frames_and_are_no_frames() {
    for order in [Order(false), Order(true)] {
        let secrets = |kind: u32, text: &[u8]| {
            let mut content = order.u32(kind).to_vec();
            content.extend(order.u32(text.len() as u32));
            content.extend(text);
            block(order, 10, &content)
        };
        let mut file = section(order);
        file.extend(secrets(0x544c_534b, b"CLIENT_RANDOM a b"));
        file.extend(secrets(0x5747_4b4c, b"other"));
        file.extend(interface(order, 1, &[]));
        file.extend(packet(order, 0, 7_000_000, b"abc"));
        file.extend(secrets(0x544c_534b, b"more"));
        file.extend(packet(order, 0, 8_000_000, b"def"));
        let (seen, summary) = read(&file);
        let bytes: Vec<_> = seen.iter().map(|record| record.bytes.as_slice()).collect();
        assert_eq!(bytes, [&b"CLIENT_RANDOM a b"[..], b"abc", b"more", b"def"]);
        let places: Vec<_> = seen.iter().map(|record| record.place).collect();
        assert_eq!(places, [0, 1, 1, 2]);
        assert_eq!(summary.frames, 2);
        assert_eq!(reasons(&summary), ["unknown-secrets"]);

        // A length beyond the block.
        let mut content = order.u32(0x544c_534b).to_vec();
        content.extend(order.u32(500));
        let mut file = section(order);
        file.extend(block(order, 10, &content));
        file.extend(block(order, 10, b"abc"));
        let (seen, summary) = read(&file);
        assert_eq!((seen.len(), reasons(&summary)), (0, vec!["bad-block"; 2]));
    }
}
