//! However messages are cut into packets, ordered, repeated and overlapped, the same messages are
//! read. The model is the list of messages itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test, with functions of its own"
)]

mod harness;

use etherparse::{IpFragOffset, IpNumber, Ipv4Header, PacketBuilder};
use harness::chance::Chance;
use harness::reading::held_by_bytes;

/// The messages in a capture of these frames, and whether each frame was accounted for.
fn read(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut capture: Vec<u8> = [0xa1b2_c3d4u32, 0x0002_0004, 0, 0, 262_144, 1]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    capture[4..8].copy_from_slice(&[2, 0, 4, 0]);
    for (n, frame) in frames.iter().enumerate() {
        let length = u32::try_from(frame.len()).unwrap();
        for word in [
            1_767_258_000,
            u32::try_from(n).unwrap() * 100,
            length,
            length,
        ] {
            capture.extend(word.to_le_bytes());
        }
        capture.extend(frame);
    }
    let held = held_by_bytes(capture);
    let accounts = held.accounts;
    assert_eq!(accounts[0].total(), frames.len() as u64, "{accounts:?}");
    held.messages.into_iter().map(|m| m.raw).collect()
}

/// Messages of different lengths, as one side sends them.
fn messages(chance: &mut Chance, count: usize) -> Vec<Vec<u8>> {
    let message =
        |n: usize, body: usize| {
            format!(
            "MESSAGE sip:b@example.net SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK{n}\r\n\
             From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.net>\r\nCall-ID: {n}\r\n\
             CSeq: 1 MESSAGE\r\nContent-Length: {body}\r\n\r\n{}",
            "SIP/2.0 200 OK\r\n".repeat(body / 16 + 1).get(..body).unwrap()
        )
        .into_bytes()
        };
    (0..count).map(|n| message(n, chance.below(900))).collect()
}

/// One side of a connection: both addresses, its first number and that of the other side. Nothing
/// is ever acknowledged: what is, was received, and a hole before it is the capture's.
type Side = ([u8; 4], [u8; 4], u32, u32);

fn segment((from, to, _, peer): Side, seq: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
    let mut builder = PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4(from, to, 64)
        .tcp(5060, 5060, seq, 65_535)
        .ack(peer.wrapping_add(1));
    if syn {
        builder = builder.syn();
    }
    let mut frame = Vec::new();
    builder.write(&mut frame, payload).unwrap();
    frame
}

/// A stream in segments of any size, some twice, some overlapping, in any order.
fn segments(chance: &mut Chance, text: &[u8], side: Side) -> Vec<Vec<u8>> {
    let isn = side.2;
    let size = 1 + chance.below(1200);
    let (mut all, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let end = (at + 1 + chance.below(size)).min(text.len());
        let begin = at
            - if chance.below(4) == 0 {
                chance.below(at.min(200) + 1)
            } else {
                0
            };
        let seq = isn.wrapping_add(1 + u32::try_from(begin).unwrap());
        let frame = segment(side, seq, false, &text[begin..end]);
        all.extend(std::iter::repeat_n(
            frame,
            1 + usize::from(chance.below(6) == 0),
        ));
        at = end;
    }
    let reach = 1 + chance.below(25);
    chance.shuffle(&mut all, reach);
    all.insert(0, segment(side, isn, true, b""));
    all
}

#[test]
fn tcp_streams_give_the_same_messages_however_they_are_cut() {
    let mut chance = Chance(0x5eed);
    let (a, b) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    for round in 0..300 {
        let sides = [a, b].map(|_| {
            let count = 1 + chance.below(6);
            messages(&mut chance, count)
        });
        let isn = u32::MAX - u32::try_from(chance.below(3000)).unwrap();
        let mut streams = [
            segments(&mut chance, &sides[0].concat(), (a, b, isn, 77)),
            segments(&mut chance, &sides[1].concat(), (b, a, 77, isn)),
        ];
        // Both sides speak at once.
        let mut frames = Vec::new();
        streams.iter_mut().for_each(|stream| stream.reverse());
        while streams.iter().any(|stream| !stream.is_empty()) {
            frames.extend(streams[chance.below(2)].pop());
        }
        let mut read = read(&frames);
        let mut sent = sides.concat();
        read.sort();
        sent.sort();
        assert_eq!(read.len(), sent.len(), "round {round}");
        assert!(read == sent, "round {round}");
    }
}

#[test]
fn datagrams_give_the_same_messages_however_they_are_fragmented() {
    let mut chance = Chance(0xfade);
    for round in 0..300 {
        let sent = messages(&mut chance, 4);
        let mut frames = Vec::new();
        for (ident, message) in (1u16..).zip(&sent) {
            let mut udp = vec![0x13, 0xc4, 0x13, 0xc4];
            udp.extend(u16::try_from(message.len() + 8).unwrap().to_be_bytes());
            udp.extend([0, 0]);
            udp.extend(message);
            let size = 8 * (1 + chance.below(60));
            for (at, part) in (0u16..).zip(udp.chunks(size)) {
                let (from, to) = ([192, 0, 2, 1], [192, 0, 2, 2]);
                let length = u16::try_from(part.len()).unwrap();
                let mut ip = Ipv4Header::new(length, 64, IpNumber::UDP, from, to).unwrap();
                let offset = at * u16::try_from(size / 8).unwrap();
                ip.identification = ident;
                ip.dont_fragment = false;
                ip.fragment_offset = IpFragOffset::try_new(offset).unwrap();
                ip.more_fragments = usize::from(offset) * 8 + part.len() < udp.len();
                let mut frame = vec![0; 12];
                frame.extend([8, 0]);
                frame.extend(ip.to_bytes());
                frame.extend(part);
                frames.extend(std::iter::repeat_n(
                    frame,
                    1 + usize::from(chance.below(6) == 0),
                ));
            }
        }
        let all = frames.len();
        chance.shuffle(&mut frames, all);
        let (mut read, mut sent) = (read(&frames), sent);
        read.sort();
        read.dedup();
        sent.sort();
        assert!(
            read == sent,
            "round {round}: {} of {}",
            read.len(),
            sent.len()
        );
    }
}
