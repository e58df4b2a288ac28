//! What the tests of this stage share: a sink that records, frames, and reproducible chance.

use super::{At, Flow, IcmpError, IcmpKind, Layers, Segment, Sink, StreamId};
use crate::input::{Origin, Time};
use std::collections::BTreeMap;

/// Records what it is told, and counts the frames accounted for.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) accounted: u64,
    pub(super) datagrams: Vec<(At, Flow, Vec<u8>, bool)>,
    pub(super) messages: Vec<(At, Flow, Vec<u8>)>,
    pub(super) carried: u64,
    pub(super) segments: Vec<(u64, StreamId, Segment)>,
    pub(super) streams: BTreeMap<StreamId, Vec<u8>>,
    /// Frame that completed each run of bytes.
    pub(super) completed_by: Vec<(u64, StreamId, usize)>,
    pub(super) gaps: Vec<(u64, StreamId, u64)>,
    pub(super) closed: Vec<StreamId>,
    pub(super) icmp: Vec<(IcmpKind, Flow, Vec<u8>)>,
    pub(super) other: Vec<&'static str>,
    pub(super) not_decoded: Vec<(u64, u32, &'static str, String)>,
}

impl Sink for Recorder {
    fn datagram(&mut self, at: At, flow: &Flow, payload: &[u8], cut: bool) {
        self.accounted += u64::from(at.frames);
        self.datagrams.push((at, *flow, payload.to_vec(), cut));
    }
    fn message(&mut self, at: At, flow: &Flow, payload: &[u8], _: bool) -> Option<&'static str> {
        let taken = payload.starts_with(b"SIP/2.0") || payload.starts_with(b"INVITE");
        if !taken {
            return Some("text");
        }
        self.messages.push((at, *flow, payload.to_vec()));
        None
    }
    fn carried(&mut self, at: At) {
        self.accounted += u64::from(at.frames);
        self.carried += u64::from(at.frames);
    }
    fn segment(&mut self, at: At, stream: StreamId, _: &Flow, what: Segment) {
        self.accounted += u64::from(at.frames);
        self.segments.push((at.origin.place, stream, what));
    }
    fn bytes(&mut self, at: At, stream: StreamId, _: &Flow, bytes: &[u8]) {
        assert!(!self.closed.contains(&stream), "bytes on a closed stream");
        self.streams
            .entry(stream)
            .or_default()
            .extend_from_slice(bytes);
        self.completed_by
            .push((at.origin.place, stream, bytes.len()));
    }
    fn gap(&mut self, at: At, stream: StreamId, _: &Flow, missing: u64) {
        assert!(!self.closed.contains(&stream), "a gap on a closed stream");
        assert!(missing > 0);
        self.gaps.push((at.origin.place, stream, missing));
    }
    fn closed(&mut self, stream: StreamId) {
        assert!(!self.closed.contains(&stream), "closed twice");
        self.closed.push(stream);
    }
    fn icmp_error(&mut self, at: At, error: &IcmpError<'_>) {
        self.icmp
            .push((error.kind, error.flow, error.quoted.to_vec()));
        self.other(at, error.protocol);
    }
    fn other(&mut self, at: At, protocol: &'static str) {
        self.accounted += u64::from(at.frames);
        self.other.push(protocol);
    }
    fn not_decoded(&mut self, at: At, reason: &'static str, detail: &str) {
        self.accounted += u64::from(at.frames);
        self.not_decoded
            .push((at.origin.place, at.frames, reason, detail.to_owned()));
    }
}

impl Recorder {
    pub(super) fn reasons(&self) -> Vec<&'static str> {
        self.not_decoded
            .iter()
            .map(|(_, _, reason, _)| *reason)
            .collect()
    }

    pub(super) fn stream(&self, id: u64) -> &[u8] {
        self.streams.get(&StreamId(id)).map_or(&[], Vec::as_slice)
    }
}

/// The layers with a recorder behind them, and a count of what went in.
#[derive(Default)]
pub(super) struct Bench {
    pub(super) layers: Layers,
    pub(super) sink: Recorder,
    pub(super) frames: u64,
    pub(super) input: u16,
    /// Nanoseconds; each frame comes a millisecond after the last.
    pub(super) now: i64,
}

impl Bench {
    pub(super) fn ethernet(&mut self, frame: &[u8]) {
        self.frame(1, frame, frame.len());
    }

    pub(super) fn frame(&mut self, link: u32, bytes: &[u8], wire_len: usize) {
        self.frames += 1;
        self.now += 1_000_000;
        let origin = Origin {
            input: self.input,
            place: self.frames,
        };
        let wire_len = wire_len as u32;
        self.layers.frame(
            origin,
            Some(Time(self.now)),
            link,
            bytes,
            wire_len,
            &mut self.sink,
        );
    }

    /// Ends the run and checks that each frame was accounted for exactly once.
    pub(super) fn end(mut self) -> Recorder {
        self.layers.end(&mut self.sink);
        assert_eq!(self.sink.accounted, self.frames, "frames accounted for");
        self.sink
    }
}

/// xorshift64*: the same chance in every run.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit.max(1)
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            list.swap(index, self.below(index + 1));
        }
    }
}
