use super::MOST_HELD;
use crate::layers::testing::{Bench, Chance};
use etherparse::PacketBuilder;

/// A segment of a connection between two hosts, told apart by the number.
fn segment(connection: u32, from_client: bool, seq: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = connection.to_be_bytes();
    let (client, server) = ([10, a, b, c], [192, 0, 2, 1]);
    let (from, to) = match from_client {
        true => ((client, 40000), (server, 5061)),
        false => ((server, 5061), (client, 40000)),
    };
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4(from.0, to.0, 64)
        .tcp(from.1, to.1, seq, 1000)
        .write(&mut frame, payload)
        .unwrap();
    frame
}

#[test]
fn what_is_held_of_all_streams_together_is_bounded() {
    let mut bench = Bench::default();
    let mut record = vec![0x17, 3, 3, 0x40, 0];
    record.resize(16_000, 0x55);
    let connections = (MOST_HELD / record.len()) as u32 + 50;
    for connection in 0..connections {
        bench.ethernet(&segment(connection, true, 1, &record));
    }
    assert!(bench.layers.streams.shared.held <= MOST_HELD);
    assert!(bench.layers.limit_hits().wrapped_given_up > 0);
    bench.layers.end(&mut bench.sink);
    assert_eq!(bench.layers.streams.shared.held, 0);
    let reasons = bench.end().reasons();
    assert!(reasons.contains(&"stream-limit"));
}

#[test]
fn no_beginning_of_a_stream_makes_it_panic_or_lose_count() {
    const BEGINNINGS: [&[u8]; 9] = [
        b"\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03",
        b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03",
        b"\x17\x03\x03\x00\x20",
        b"\x14\x03\x03\x00\x01\x01",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x85",
        b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n\xc1\x05",
        b"HEP3\x00\x20\x00\x00\x00\x0f\x00\x10SIP/2.0 2",
        b"\x81\x09SIP/2.0 2",
        b"SIP/2.0 200 OK\r\n",
    ];
    let mut chance = Chance(0x57ea);
    let mut bench = Bench::default();
    for connection in 0..400 {
        let mut next = [1u32, 1];
        for _ in 0..chance.below(8) + 1 {
            let mut payload = BEGINNINGS[chance.below(BEGINNINGS.len())].to_vec();
            payload.extend((0..chance.below(80)).map(|_| chance.next() as u8));
            let cut = chance.below(payload.len()) + 1;
            let side = chance.below(2);
            // Sometimes a hole, a copy or a segment out of order.
            let seq = match chance.below(8) {
                0 => next[side].wrapping_add(chance.below(200) as u32),
                1 => next[side].saturating_sub(chance.below(60) as u32),
                _ => next[side],
            };
            let frame = segment(connection, side == 0, seq, &payload[..cut]);
            let captured = frame.len() - chance.below(12).saturating_sub(9);
            bench.frame(1, &frame[..captured], frame.len());
            next[side] = next[side].max(seq + cut as u32);
        }
    }
    bench.layers.end(&mut bench.sink);
    assert_eq!(bench.layers.streams.shared.held, 0);
    bench.end();
}
