use crate::layers::testing::{Bench, Chance, Recorder};
use etherparse::{IpNumber, PacketBuilder};

fn data(tsn: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut chunk = vec![0, flags];
    chunk.extend((16 + payload.len() as u16).to_be_bytes());
    chunk.extend(tsn.to_be_bytes());
    chunk.extend([0; 8]);
    chunk.extend(payload);
    chunk.resize(chunk.len().next_multiple_of(4), 0);
    chunk
}

fn i_data(tsn: u32, message: u32, fragment: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut chunk = vec![64, flags];
    chunk.extend((20 + payload.len() as u16).to_be_bytes());
    chunk.extend(tsn.to_be_bytes());
    chunk.extend([0; 4]);
    chunk.extend(message.to_be_bytes());
    chunk.extend(fragment.to_be_bytes());
    chunk.extend(payload);
    chunk.resize(chunk.len().next_multiple_of(4), 0);
    chunk
}

fn frame(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut packet = vec![0x13, 0xc4, 0x13, 0xc4, 1, 2, 3, 4, 0, 0, 0, 0];
    packet.extend(chunks.concat());
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .write(&mut frame, IpNumber::SCTP, &packet)
        .unwrap();
    frame
}

fn read(frames: &[Vec<u8>]) -> Recorder {
    let mut bench = Bench::default();
    frames.iter().for_each(|frame| bench.ethernet(frame));
    bench.end()
}

fn texts(seen: &Recorder) -> Vec<String> {
    let texts = seen.datagrams.iter();
    texts
        .map(|(_, _, bytes, _)| String::from_utf8_lossy(bytes).into_owned())
        .collect()
}

const WHOLE: u8 = 3;
const FIRST: u8 = 2;
const MIDDLE: u8 = 0;
const LAST: u8 = 1;

#[test]
fn bundled_messages_and_control_chunks() {
    let sack = vec![3, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let seen = read(&[
        frame(&[sack.clone(), data(1, WHOLE, b"one"), data(2, WHOLE, b"two")]),
        frame(&[sack]),
    ]);
    assert_eq!(texts(&seen), ["one", "two"]);
    let frames: Vec<u32> = seen.datagrams.iter().map(|(at, ..)| at.frames).collect();
    assert_eq!((frames, seen.other.as_slice()), (vec![1, 0], &["sctp"][..]));
}

#[test]
fn fragments_in_any_order_across_the_wrap_of_numbers() {
    let mut frames: Vec<Vec<u8>> = [
        (u32::MAX - 1, FIRST, "a"),
        (u32::MAX, MIDDLE, "b"),
        (0, MIDDLE, "c"),
        (1, LAST, "d"),
        (2, FIRST, "x"),
        (3, LAST, "y"),
    ]
    .map(|(tsn, flags, text)| frame(&[data(tsn, flags, text.as_bytes())]))
    .into();
    let mut chance = Chance(7);
    for _ in 0..50 {
        chance.shuffle(&mut frames);
        let seen = read(&frames);
        let mut whole = texts(&seen);
        whole.sort();
        assert_eq!(whole, ["abcd", "xy"]);
    }
}

#[test]
fn a_fragment_sent_again_changes_nothing() {
    let first = frame(&[data(1, FIRST, b"a")]);
    let seen = read(&[first.clone(), first, frame(&[data(2, LAST, b"b")])]);
    assert_eq!(texts(&seen), ["ab"]);
    assert_eq!(seen.datagrams[0].0.frames, 3);
}

#[test]
fn interleaved_messages_are_put_together_each() {
    let seen = read(&[
        frame(&[i_data(1, 5, 0, FIRST, b"a"), i_data(2, 6, 0, FIRST, b"x")]),
        frame(&[i_data(3, 5, 1, LAST, b"b"), i_data(4, 6, 1, LAST, b"y")]),
    ]);
    assert_eq!(texts(&seen), ["ab", "xy"]);
}

#[test]
fn what_never_becomes_whole_is_said() {
    let seen = read(&[
        frame(&[data(1, FIRST, b"a")]),
        frame(&[data(3, LAST, b"c")]),
    ]);
    assert_eq!(seen.reasons(), ["sctp-fragment-missing"]);
    let broken = read(&[frame(&[vec![0, 3, 0, 1]])]);
    assert_eq!(broken.reasons(), ["broken-sctp"]);
}

#[test]
fn no_beginning_of_a_packet_is_read_beyond_its_end() {
    let whole = frame(&[data(1, FIRST, b"abc"), data(2, LAST, b"def")]);
    for end in 0..whole.len() {
        let mut bench = Bench::default();
        bench.frame(1, &whole[..end], whole.len());
        bench.end();
    }
}
