//! Every frame of `fixtures/wrappings/`, cut short at every byte and changed at random, ends in
//! exactly one account, without a panic.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, with functions of its own"
)]

mod harness;

use harness::chance::Chance;
use harness::root;
use sipexplain::input::{Origin, Time};
use sipexplain::layers::{At, Flow, IcmpError, Layers, Segment, Sink, StreamId};

/// Counts the frames accounted for.
#[derive(Default)]
struct Accounts {
    frames: u64,
}

impl Sink for Accounts {
    fn datagram(&mut self, at: At, _: &Flow, _: &[u8], _: bool) {
        self.frames += u64::from(at.frames);
    }
    fn message(&mut self, _: At, _: &Flow, _: &[u8], _: bool) -> Option<&'static str> {
        None
    }
    fn carried(&mut self, at: At) {
        self.frames += u64::from(at.frames);
    }
    fn segment(&mut self, at: At, _: StreamId, _: &Flow, _: Segment) {
        self.frames += u64::from(at.frames);
    }
    fn bytes(&mut self, _: At, _: StreamId, _: &Flow, _: &[u8]) {}
    fn gap(&mut self, _: At, _: StreamId, _: &Flow, _: u64) {}
    fn closed(&mut self, _: StreamId) {}
    fn icmp_error(&mut self, at: At, _: &IcmpError<'_>) {
        self.frames += u64::from(at.frames);
    }
    fn other(&mut self, at: At, _: &'static str) {
        self.frames += u64::from(at.frames);
    }
    fn not_decoded(&mut self, at: At, _: &'static str, _: &str) {
        self.frames += u64::from(at.frames);
    }
}

/// Decodes frames of one link type and counts them.
fn decode<'a>(name: &str, link: u32, frames: impl Iterator<Item = (&'a [u8], usize)>) {
    let (mut layers, mut accounts, mut count) = (Layers::new(), Accounts::default(), 0);
    for (frame, wire_len) in frames {
        count += 1;
        let origin = Origin {
            input: 0,
            place: count,
        };
        let time = Some(Time(i64::try_from(count).unwrap() * 1_000_000));
        let wire_len = u32::try_from(wire_len).unwrap();
        layers.frame(origin, time, link, frame, wire_len, &mut accounts);
    }
    layers.end(&mut accounts);
    assert_eq!(accounts.frames, count, "{name}: frames accounted for");
}

/// Link type and frames of a classic capture, little-endian and of microseconds as `base.py`
/// writes it; nothing of any other file.
fn capture(bytes: &[u8]) -> Option<(u32, Vec<&[u8]>)> {
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    if number(0)? != 0xa1b2_c3d4 {
        return None;
    }
    let (link, mut frames, mut at) = (number(20)?, Vec::new(), 24);
    while let Some(length) = number(at + 8) {
        let end = at + 16 + length as usize;
        frames.push(bytes.get(at + 16..end)?);
        at = end;
    }
    Some((link, frames))
}

/// Calls with name, link type and frames of each capture.
fn each_capture(mut call: impl FnMut(&str, u32, &[&[u8]])) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("fixtures/wrappings")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if let Some((link, frames)) = capture(&bytes) {
            call(&path.display().to_string(), link, &frames);
            count += 1;
        }
    }
    count
}

#[test]
fn a_frame_cut_anywhere_has_one_account() {
    let count = each_capture(|name, link, frames| {
        // The first two are as good as all nine.
        for frame in frames.iter().take(2) {
            let prefixes = || (0..=frame.len()).filter_map(|end| frame.get(..end));
            decode(name, link, prefixes().map(|it| (it, frame.len())));
            decode(name, link, prefixes().map(|it| (it, it.len())));
        }
    });
    assert!(count >= 100, "only {count} captures");
}

#[test]
fn a_frame_changed_anywhere_has_one_account() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    each_capture(|name, link, frames| {
        let mut changed = Vec::new();
        for frame in frames {
            for _ in 0..150 {
                let mut copy = frame.to_vec();
                for _ in 0..=chance.below(5) {
                    // Headers are in front.
                    let reach = if chance.below(3) == 0 {
                        copy.len()
                    } else {
                        120
                    };
                    let at = chance.below(reach.min(copy.len()));
                    copy[at] = match chance.below(3) {
                        0 => copy[at] ^ (1 << chance.below(8)),
                        1 => [0, 1, 0x7f, 0x80, 0xff][chance.below(5)],
                        _ => chance.below(256) as u8,
                    };
                }
                changed.push(copy);
            }
        }
        decode(name, link, changed.iter().map(|it| (&it[..], it.len())));
    });
}
