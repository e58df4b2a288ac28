use super::{MAX_CONNECTIONS, MAX_HELD_BYTES, MAX_IDLE};
use crate::layers::testing::{Bench, Chance, Recorder};
use crate::layers::{Segment, StreamId};
use etherparse::PacketBuilder;

/// A segment from A (port 5060) to B, or the other way.
#[derive(Clone)]
struct Seg {
    from_b: bool,
    seq: u32,
    ack: Option<u32>,
    flags: &'static str,
    payload: Vec<u8>,
}

fn data(seq: u32, payload: &[u8]) -> Seg {
    Seg {
        from_b: false,
        seq,
        ack: None,
        flags: "",
        payload: payload.to_vec(),
    }
}

fn flags(flags: &'static str, seq: u32) -> Seg {
    Seg {
        flags,
        ..data(seq, b"")
    }
}

fn from_b(seg: Seg, ack: u32) -> Seg {
    Seg {
        from_b: true,
        ack: Some(ack),
        ..seg
    }
}

fn frame_of_port(seg: &Seg, port: u16) -> Vec<u8> {
    let (a, b) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let (source, destination) = if seg.from_b { (b, a) } else { (a, b) };
    let (from, to) = if seg.from_b {
        (5070, port)
    } else {
        (port, 5070)
    };
    let mut builder = PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4(source, destination, 64)
        .tcp(from, to, seg.seq, 1000);
    if let Some(ack) = seg.ack {
        builder = builder.ack(ack);
    }
    if seg.flags.contains('S') {
        builder = builder.syn();
    }
    if seg.flags.contains('F') {
        builder = builder.fin();
    }
    if seg.flags.contains('R') {
        builder = builder.rst();
    }
    let mut frame = Vec::new();
    builder.write(&mut frame, &seg.payload).unwrap();
    frame
}

fn bench(segments: &[Seg]) -> Bench {
    let mut bench = Bench::default();
    for seg in segments {
        bench.ethernet(&frame_of_port(seg, 5060));
    }
    bench
}

fn run(segments: &[Seg]) -> Recorder {
    bench(segments).end()
}

fn whats(recorder: &Recorder) -> Vec<Segment> {
    recorder.segments.iter().map(|(_, _, what)| *what).collect()
}

use Segment::{Early, InOrder, Resent};

#[test]
fn a_connection_from_syn_to_fin_is_two_streams() {
    let sink = run(&[
        flags("S", 99),
        from_b(flags("S", 499), 100),
        data(100, b"INVITE"),
        from_b(data(500, b"SIP/2.0"), 106),
        flags("F", 106),
        from_b(flags("F", 507), 107),
    ]);
    assert_eq!(sink.stream(0), b"INVITE");
    assert_eq!(sink.stream(1), b"SIP/2.0");
    assert_eq!(sink.closed, [StreamId(0), StreamId(1)]);
    assert_eq!(StreamId(0).reverse(), StreamId(1));
    assert_eq!(sink.other, ["tcp"; 4]);
    assert!(sink.gaps.is_empty());
}

#[test]
fn a_swap_is_put_right_by_the_frame_that_fills_the_hole() {
    let sink = run(&[
        flags("S", 99),
        data(103, b"def"),
        data(100, b"abc"),
        data(106, b"g"),
    ]);
    assert_eq!(sink.stream(0), b"abcdefg");
    assert_eq!(whats(&sink), [Early, InOrder, InOrder]);
    let stream = StreamId(0);
    assert_eq!(
        sink.completed_by,
        [(3, stream, 3), (3, stream, 3), (4, stream, 1)]
    );
}

#[test]
fn bytes_sent_again_are_delivered_once_and_the_first_seen_win() {
    let sink = run(&[
        data(100, b"abcd"),
        data(100, b"abcd"),
        data(102, b"XXef"),
        data(110, b"klm"),
        data(106, b"ghijXX"),
        data(112, b"no"),
    ]);
    assert_eq!(sink.stream(0), b"abcdefghijklmo");
    assert_eq!(
        whats(&sink),
        [InOrder, Resent, InOrder, Early, InOrder, InOrder]
    );
}

#[test]
fn held_pieces_win_over_later_ones_that_span_them() {
    let sink = run(&[
        flags("S", 99),
        data(104, b"ef"),
        data(110, b"kl"),
        data(102, b"cdEFghijKLmn"),
        data(100, b"abCD"),
    ]);
    assert_eq!(sink.stream(0), b"abcdefghijklmn");
    assert_eq!(whats(&sink), [Early, Early, Early, InOrder]);
}

#[test]
fn a_keep_alive_probe_brings_nothing() {
    let sink = run(&[data(100, b"abc"), data(102, b"\0"), data(103, b"d")]);
    assert_eq!(sink.stream(0), b"abcd");
    assert_eq!(whats(&sink), [InOrder, Resent, InOrder]);
}

#[test]
fn a_keep_alive_probe_that_comes_first_is_told_by_the_acknowledgement() {
    let sink = run(&[
        from_b(data(500, b"x"), 100),
        data(99, b"\0"),
        from_b(flags("", 501), 100),
        data(100, b"abc"),
    ]);
    assert_eq!(sink.stream(1), b"abc");
}

#[test]
fn sequence_numbers_wrap() {
    let seq = u32::MAX - 2;
    let sink = run(&[
        flags("S", seq.wrapping_sub(1)),
        data(seq.wrapping_add(4), b"efgh"),
        data(seq, b"abcd"),
        data(seq.wrapping_add(8), b"i"),
        flags("F", seq.wrapping_add(9)),
    ]);
    assert_eq!(sink.stream(0), b"abcdefghi");
    assert_eq!(sink.closed, [StreamId(0)]);
}

#[test]
fn a_capture_that_begins_mid_stream_begins_with_its_first_payload() {
    let sink = run(&[data(1000, b"def"), data(997, b"abc"), data(1003, b"ghi")]);
    assert_eq!(sink.stream(0), b"defghi");
    assert_eq!(whats(&sink), [InOrder, Resent, InOrder]);
}

#[test]
fn a_syn_that_was_captured_late_opens_nothing() {
    let late = [data(100, b"abc"), flags("S", 99), data(103, b"d")];
    assert_eq!(run(&late).stream(0), b"abcd");
    let after_its_answer = [
        from_b(flags("S", 499), 100),
        flags("S", 99),
        data(100, b"a"),
        from_b(data(500, b"b"), 101),
    ];
    let sink = run(&after_its_answer);
    assert_eq!((sink.stream(0), sink.stream(1)), (&b"b"[..], &b"a"[..]));
}

#[test]
fn ports_used_again_open_a_new_connection() {
    let sink = run(&[
        flags("S", 99),
        data(100, b"old"),
        data(110, b"held"),
        flags("S", 5000),
        from_b(flags("S", 7000), 5001),
        data(5001, b"new"),
        flags("S", 5000),
        from_b(data(7001, b"answer"), 5004),
    ]);
    assert_eq!(sink.stream(0), b"oldheld");
    assert_eq!(sink.gaps, [(3, StreamId(0), 7)]);
    assert_eq!(
        (sink.stream(2), sink.stream(3)),
        (&b"new"[..], &b"answer"[..])
    );
    assert_eq!(sink.closed, [StreamId(0), StreamId(2), StreamId(3)]);
}

#[test]
fn ports_used_again_without_a_syn_in_view_open_a_new_connection() {
    let far = [data(100, b"old"), data(0x4000_0000, b"new")];
    assert_eq!(run(&far).stream(2), b"new");
    let closed = [data(100, b"old"), flags("F", 103), data(2000, b"new")];
    assert_eq!(run(&closed).stream(2), b"new");
}

#[test]
fn a_reset_closes_its_direction_and_its_remark_is_no_data() {
    let reset = Seg {
        payload: b"remark".to_vec(),
        ..flags("R", 103)
    };
    let sink = bench(&[data(100, b"abc"), from_b(data(500, b"x"), 103), reset]);
    assert_eq!(sink.sink.closed, [StreamId(0)]);
    let sink = sink.end();
    assert_eq!(sink.stream(0), b"abc");
    assert_eq!(sink.other, ["tcp"]);
    // Far out of the window it is not believed.
    let sink = bench(&[data(100, b"abc"), flags("R", 0x7000_0000)]);
    assert!(sink.sink.closed.is_empty());
}

#[test]
fn a_fin_before_its_data_waits_for_it() {
    let sink = bench(&[data(100, b"ab"), flags("F", 104), data(102, b"cd")]);
    assert_eq!(sink.sink.closed, [StreamId(0)]);
    assert_eq!(sink.end().stream(0), b"abcd");
}

#[test]
fn a_hole_that_the_receiver_has_filled_is_given_up_with_the_next_segment() {
    let mut bench = bench(&[
        data(100, b"abc"),
        data(110, b"jkl"),
        from_b(flags("", 500), 113),
        data(113, b"mno"),
    ]);
    assert_eq!(bench.sink.stream(0), b"abcjklmno");
    assert_eq!(bench.sink.gaps, [(2, StreamId(0), 7)]);
    // Each piece is complete with its own frame: nothing filled the hole.
    let stream = StreamId(0);
    assert_eq!(
        bench.sink.completed_by,
        [(1, stream, 3), (2, stream, 3), (4, stream, 3)]
    );
    bench.ethernet(&frame_of_port(&data(103, b"late"), 5060));
    assert_eq!(whats(&bench.end()), [InOrder, Early, Early, Resent]);
}

#[test]
fn a_hole_is_given_up_after_three_seconds_even_if_its_connection_falls_silent() {
    let mut bench = bench(&[data(100, b"abc"), data(110, b"jkl")]);
    bench.now += 2_900_000_000;
    bench.ethernet(&frame_of_port(&data(1, b"x"), 6000));
    assert!(bench.sink.gaps.is_empty());
    bench.now += 200_000_000;
    bench.ethernet(&frame_of_port(&data(2, b"y"), 6000));
    assert_eq!(bench.sink.gaps, [(2, StreamId(0), 7)]);
    assert_eq!(bench.end().stream(0), b"abcjkl");
}

#[test]
fn a_hole_is_given_up_when_too_much_is_held() {
    let mut segments = vec![data(100, b"a")];
    segments.extend((0..65).map(|n| data(200 + 2 * n, b"b")));
    let bench = bench(&segments);
    assert_eq!(bench.layers.limit_hits().holes_given_up_early, 1);
    assert_eq!(bench.sink.gaps.len(), 1);
    let sink = bench.end();
    assert_eq!((sink.stream(0).len(), sink.gaps.len()), (66, 65));
    let big = vec![b'x'; 60_000];
    let mut segments = vec![data(100, b"a")];
    segments.extend((0..5).map(|n| data(200 + 60_000 * n, &big)));
    assert_eq!(self::bench(&segments).sink.gaps, [(2, StreamId(0), 99)]);
}

#[test]
fn what_the_capture_cut_off_a_segment_is_a_gap() {
    let mut bench = Bench::default();
    let frame = frame_of_port(&data(100, b"abcdefgh"), 5060);
    bench.frame(1, &frame[..frame.len() - 3], frame.len());
    bench.ethernet(&frame_of_port(&data(108, b"ij"), 5060));
    let frame = frame_of_port(&data(112, b"mnop"), 5060);
    bench.frame(1, &frame[..frame.len() - 4], frame.len());
    bench.ethernet(&frame_of_port(&data(110, b"kl"), 5060));
    bench.ethernet(&frame_of_port(&data(116, b"q"), 5060));
    let sink = bench.end();
    assert_eq!(sink.stream(0), b"abcdeijklq");
    let gaps: Vec<_> = sink.gaps.iter().map(|(_, _, missing)| *missing).collect();
    assert_eq!(gaps, [3, 4]);
}

#[test]
fn the_longest_unused_connection_is_evicted() {
    let mut bench = Bench::default();
    for port in 0..=u16::MAX {
        bench.ethernet(&frame_of_port(&data(100, b"x"), port));
        if port == 9 {
            bench.ethernet(&frame_of_port(&data(101, b"y"), 0));
        }
    }
    assert_eq!(usize::from(u16::MAX) + 1, MAX_CONNECTIONS);
    let mut other = frame_of_port(&data(100, b"x"), 1);
    other[29] = 77;
    bench.ethernet(&other);
    assert_eq!(bench.layers.limit_hits().connections_evicted, 1);
    assert_eq!(bench.sink.closed, [StreamId(2)]);
    bench.now += MAX_IDLE;
    other[29] = 78;
    bench.ethernet(&other);
    assert!(bench.sink.closed.len() > 2);
    assert_eq!(bench.layers.limit_hits().connections_evicted, 1);
}

#[test]
fn what_all_connections_hold_together_is_capped() {
    let mut bench = Bench::default();
    let big = vec![b'x'; 60_000];
    for port in 1..300 {
        // Time stands still, so that no hole grows old.
        bench.now = 0;
        bench.ethernet(&frame_of_port(&data(100, b"a"), port));
        for n in 0..4 {
            bench.now = 0;
            bench.ethernet(&frame_of_port(&data(200 + 60_000 * n, &big), port));
        }
        assert!(bench.layers.streams.held_bytes <= MAX_HELD_BYTES);
    }
    assert!(bench.layers.streams.held_bytes > MAX_HELD_BYTES / 2);
    // The oldest holes went first.
    assert_eq!(bench.sink.gaps[0], (2, StreamId(0), 99));
    assert!(bench.layers.limit_hits().holes_given_up_early > 0);
    bench.layers.end(&mut bench.sink);
    assert_eq!(bench.layers.streams.held_bytes, 0);
    assert_eq!(bench.sink.accounted, bench.frames);
    assert_eq!(bench.sink.gaps.len(), 299);
}

/// A byte string cut into segments, some of them twice or overlapping, in some order.
fn scramble(chance: &mut Chance, text: &[u8], isn: u32, reach: usize) -> Vec<Seg> {
    let mut segments = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let to = (from + 1 + chance.below(40)).min(text.len());
        let begin = from.saturating_sub(if chance.below(4) == 0 {
            chance.below(50)
        } else {
            0
        });
        let segment = data(isn.wrapping_add(begin as u32), &text[begin..to]);
        if chance.below(5) == 0 {
            segments.push(segment.clone());
        }
        segments.push(segment);
        from = to;
    }
    // Within `reach` of each other, so that no cap bites.
    for window in segments.chunks_mut(reach) {
        chance.shuffle(window);
    }
    segments
}

#[test]
fn however_a_text_is_split_and_ordered_it_comes_out_as_it_was() {
    let mut chance = Chance(0x5eed);
    for round in 0..400 {
        let text: Vec<u8> = (0..chance.below(2000) + 1)
            .map(|_| chance.next() as u8)
            .collect();
        let isn = if round % 2 == 0 {
            u32::MAX - 500
        } else {
            chance.next() as u32
        };
        let mut segments = vec![flags("S", isn.wrapping_sub(1))];
        segments.extend(scramble(&mut chance, &text, isn, 30));
        segments.push(flags("F", isn.wrapping_add(text.len() as u32)));
        let bench = bench(&segments);
        assert_eq!(bench.sink.closed, [StreamId(0)], "round {round}");
        let sink = bench.end();
        assert_eq!(sink.stream(0), text, "round {round}");
        assert!(sink.gaps.is_empty(), "round {round}");
    }
}

#[test]
fn whatever_is_lost_every_byte_of_a_text_is_delivered_or_a_gap() {
    let mut chance = Chance(0xfeed);
    for round in 0..400 {
        let text: Vec<u8> = (0..2000u32).map(|n| (n * 7 % 251) as u8).collect();
        let isn = chance.next() as u32;
        let mut segments = vec![flags("S", isn.wrapping_sub(1))];
        segments.extend(scramble(&mut chance, &text, isn, 20));
        segments.retain(|seg| !seg.payload.is_empty() && chance.below(6) != 0 || seg.flags == "S");
        segments.push(data(isn.wrapping_add(2000), b"!"));
        for index in (1..segments.len()).rev() {
            if chance.below(3) == 0 {
                let ack = isn.wrapping_add(chance.below(2000) as u32);
                segments.insert(index, from_b(flags("", 500), ack));
            }
        }
        let begun = segments.iter().any(|seg| seg.flags == "S");
        let sink = run(&segments);
        let missing: u64 = sink.gaps.iter().map(|(_, _, missing)| missing).sum();
        assert_eq!(
            sink.stream(0).len() as u64 + missing,
            2001,
            "round {round}, SYN {begun}"
        );
    }
}

#[test]
fn chaos_neither_panics_nor_loses_count() {
    const FLAGS: [&str; 9] = ["", "", "", "", "", "S", "F", "R", "SF"];
    let mut chance = Chance(0xc4a05);
    for _ in 0..8 {
        let mut bench = Bench::default();
        for _ in 0..3000 {
            let base = [0u32, u32::MAX - 50, 1 << 31][chance.below(3)];
            let mut seg = data(
                base.wrapping_add(chance.below(400) as u32),
                &vec![b'x'; chance.below(60)],
            );
            seg.flags = FLAGS[chance.below(FLAGS.len())];
            if chance.below(2) == 0 {
                seg = from_b(seg, base.wrapping_add(chance.below(500) as u32));
            }
            let frame = frame_of_port(&seg, chance.below(3) as u16);
            let captured = frame.len() - chance.below(20).saturating_sub(10);
            bench.frame(1, &frame[..captured], frame.len());
            bench.now += (chance.below(200) as i64 - 20) * 1_000_000;
        }
        bench.layers.end(&mut bench.sink);
        assert_eq!(bench.layers.streams.held_bytes, 0);
        let announced: std::collections::BTreeSet<_> = bench
            .sink
            .segments
            .iter()
            .map(|(_, stream, _)| *stream)
            .collect();
        let closed: std::collections::BTreeSet<_> = bench.sink.closed.iter().copied().collect();
        assert!(announced == closed, "each stream that was seen is closed");
        bench.end();
    }
}

#[test]
fn ports_used_again_and_again_leave_nothing_behind() {
    let mut bench = Bench::default();
    for isn in 0..3 * MAX_CONNECTIONS as u32 {
        bench.ethernet(&frame_of_port(&flags("S", isn * 7), 5060));
    }
    assert!(bench.layers.streams.idle.len() <= 2 * MAX_CONNECTIONS);
    bench.end();
}
