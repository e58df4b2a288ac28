//! One direction of a connection: what was delivered, and what waits behind a hole.
//!
//! Sequence numbers become offsets of 64 bits whose low half is the sequence number, so that
//! nothing here has to think of wrapping.

use super::TcpSegment;
use crate::layers::stream::{Shared, Way, Wrap};
use crate::layers::{At, Segment, Sink, Time};
use std::collections::BTreeMap;

/// Captures put packets of the two directions out of order by less than this; nanoseconds.
const OUT_OF_ORDER: i64 = 1_500_000;
/// Memory held behind a hole before it is given up.
const MAX_HELD_BYTES: usize = 256 << 10;
/// Pieces held behind a hole before it is given up.
const MAX_HELD_PIECES: usize = 64;
/// What a piece costs beside its bytes: its place in the map and its allocation.
const PIECE_COST: usize = 128;
/// Further away than this, a segment belongs to another connection.
const WINDOW: u64 = 16 << 20;

/// A frame, with its place in the order of all segments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) at: At,
    pub(super) order: u64,
}

/// Where the bytes of a direction go.
pub(super) struct Out<'a, S> {
    pub(super) way: Way<'a, S>,
    pub(super) wrap: &'a mut Wrap,
    pub(super) shared: &'a mut Shared,
}

#[derive(Debug, Default)]
pub(super) struct Direction {
    /// Offset of the first byte; `None` until a SYN or a payload was seen.
    start: Option<u64>,
    /// Offset of the next byte to deliver.
    next: u64,
    /// Pieces beyond `next`, disjoint, by offset.
    held: BTreeMap<u64, Held>,
    /// Memory that they take.
    held_bytes: usize,
    /// When the hole was last seen to open or to shrink.
    hole_since: Option<Time>,
    /// Segments that arrived ahead of the hole since then.
    early: u32,
    /// Offset behind the last byte, once a FIN was seen.
    end: Option<u64>,
    /// What the peer acknowledged last.
    acked: Option<u32>,
    /// The sink knows of this stream.
    announced: bool,
    closed: bool,
    /// The sink knows that too.
    closed_told: bool,
}

#[derive(Debug)]
struct Held {
    arrival: Arrival,
    bytes: Vec<u8>,
    /// Bytes after these that the capture cut off.
    missing: u64,
}

/// Part of a stream as one segment brings it.
#[derive(Clone, Copy)]
struct Span<'a> {
    start: u64,
    end: u64,
    /// Fewer than `end - start` where the capture cut the frame.
    bytes: &'a [u8],
}

impl<'a> Span<'a> {
    fn between(&self, from: u64, to: u64) -> Self {
        let index = |offset: u64| self.bytes.len().min((offset - self.start) as usize);
        Span {
            start: from,
            end: to,
            bytes: &self.bytes[index(from)..index(to)],
        }
    }

    fn missing(&self) -> u64 {
        self.end - self.start - self.bytes.len() as u64
    }
}

impl Direction {
    /// Sequence number of the first byte.
    pub(super) fn start(&self) -> Option<u32> {
        self.start.map(|start| start as u32)
    }

    pub(super) fn acked(&self) -> Option<u32> {
        self.acked
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    pub(super) fn has_hole(&self) -> bool {
        !self.held.is_empty()
    }

    pub(super) fn hole_since(&self) -> Option<Time> {
        self.hole_since
    }

    /// Whether the payload of a segment can be of this stream.
    pub(super) fn may_take(&self, segment: &TcpSegment<'_>) -> bool {
        if self.start.is_none() {
            return !self.closed;
        }
        let span = self.span(segment);
        if self.closed {
            span.end <= self.next
        } else {
            span.start.abs_diff(self.next) <= WINDOW
        }
    }

    /// Whether all bytes of a segment were delivered before.
    pub(super) fn has_had(&self, segment: &TcpSegment<'_>) -> bool {
        self.start.is_some() && segment.has_payload() && self.span(segment).end <= self.next
    }

    /// Whether a segment brings bytes once more that the peer did not acknowledge.
    pub(super) fn has_again(&self, segment: &TcpSegment<'_>) -> bool {
        let unheard = |end: u64| match self.acked {
            Some(acked) => (end as u32).wrapping_sub(acked) as i32 > 0,
            None => true,
        };
        self.has_had(segment) && unheard(self.span(segment).end)
    }

    /// Whether the sequence number of a segment can be one of this stream.
    pub(super) fn is_near(&self, segment: &TcpSegment<'_>) -> bool {
        self.start.is_none() || self.span(segment).start.abs_diff(self.next) <= WINDOW
    }

    /// Notes what the peer has acknowledged.
    pub(super) fn acknowledge(&mut self, ack: u32) {
        let ahead = ack.wrapping_sub(self.next as u32);
        let is_stray = self.start.is_some() && u64::from(ahead.min(ahead.wrapping_neg())) > WINDOW;
        let is_newer = |old: u32| ack.wrapping_sub(old) as i32 > 0;
        if !is_stray && self.acked.is_none_or(is_newer) {
            self.acked = Some(ack);
        }
    }

    /// Takes a segment and gives the account of its frame; whether a cap forced a hole to be given up.
    pub(super) fn take<S: Sink>(
        &mut self,
        arrival: Arrival,
        segment: &TcpSegment<'_>,
        out: &mut Out<'_, S>,
    ) -> bool {
        if self.start.is_none() && (segment.syn || segment.fin || segment.has_payload()) {
            self.begin(segment);
        }
        let mut gave_up_early = false;
        if segment.has_payload() {
            gave_up_early = self.take_payload(arrival, self.span(segment), out);
        } else {
            out.way.sink.other(arrival.at, "tcp");
        }
        if segment.fin {
            let end = self.span(segment).end;
            if end >= self.next && end - self.next <= WINDOW {
                self.end = Some(self.end.map_or(end, |known| known.min(end)));
            }
        }
        let is_reset = segment.rst && self.is_near(segment);
        if is_reset || self.end.is_some_and(|end| self.next >= end) {
            self.close(out);
        }
        gave_up_early
    }

    /// Delivers everything held, and says that no more will come.
    pub(super) fn close<S: Sink>(&mut self, out: &mut Out<'_, S>) {
        self.give_up_holes(out);
        self.closed = true;
        if self.announced && !self.closed_told {
            self.closed_told = true;
            out.wrap.closed(&mut out.way, out.shared);
        }
    }

    /// Delivers everything held.
    pub(super) fn give_up_holes<S: Sink>(&mut self, out: &mut Out<'_, S>) {
        while self.has_hole() {
            self.give_up_hole(out);
        }
        self.rest_hole(None);
    }

    fn begin(&mut self, segment: &TcpSegment<'_>) {
        // Room below for segments that turn out to be older.
        let mut start = (1 << 32) | u64::from(segment.payload_seq());
        // A lone byte that the peer has acknowledged before is a keep-alive probe.
        let probe = segment.payload.len() == 1 && segment.missing == 0 && !segment.syn;
        if probe && self.acked == Some(segment.seq.wrapping_add(1)) {
            start += 1;
        }
        (self.start, self.next) = (Some(start), start);
    }

    /// Where a segment stands, seen from the next byte.
    fn span<'a>(&self, segment: &TcpSegment<'a>) -> Span<'a> {
        let ahead = segment.payload_seq().wrapping_sub(self.next as u32) as i32;
        let start = self.next.saturating_add_signed(ahead.into());
        let bytes = if segment.rst { &[] } else { segment.payload };
        let missing = if segment.rst { 0 } else { segment.missing };
        Span {
            start,
            end: start + bytes.len() as u64 + missing,
            bytes,
        }
    }

    fn take_payload<S: Sink>(
        &mut self,
        arrival: Arrival,
        span: Span<'_>,
        out: &mut Out<'_, S>,
    ) -> bool {
        self.announced = true;
        let what = match () {
            () if span.end <= self.next => Segment::Resent,
            () if span.start > self.next => Segment::Early,
            () => Segment::InOrder,
        };
        out.wrap.segment(arrival.at, what, &mut out.way);
        match what {
            Segment::Resent => false,
            Segment::InOrder => {
                self.deliver(arrival, span, out);
                self.rest_hole(arrival.at.time);
                false
            }
            Segment::Early => {
                self.hold(arrival, span);
                self.give_up_if_hopeless(out)
            }
        }
    }

    /// Delivers what is new of a span that begins at or before `next`, and what it releases.
    fn deliver<S: Sink>(&mut self, arrival: Arrival, span: Span<'_>, out: &mut Out<'_, S>) {
        loop {
            self.release(arrival, out);
            if self.next >= span.end {
                return;
            }
            let until = self
                .held
                .first_key_value()
                .map_or(span.end, |(held, _)| span.end.min(*held));
            let part = span.between(self.next, until);
            self.emit(arrival.at, part.bytes, part.missing(), out);
        }
    }

    /// Delivers held pieces that are next. Each is complete with the latest frame of those before it.
    fn release<S: Sink>(&mut self, mut latest: Arrival, out: &mut Out<'_, S>) {
        while let Some(entry) = self.held.first_entry()
            && *entry.key() <= self.next
        {
            let held = entry.remove();
            self.held_bytes -= held.bytes.len() + PIECE_COST;
            if held.arrival.order > latest.order {
                latest = held.arrival;
            }
            self.emit(latest.at, &held.bytes, held.missing, out);
        }
    }

    fn emit<S: Sink>(&mut self, at: At, bytes: &[u8], missing: u64, out: &mut Out<'_, S>) {
        if !bytes.is_empty() {
            out.wrap.bytes(at, bytes, &mut out.way, out.shared);
            self.next += bytes.len() as u64;
        }
        if missing > 0 {
            out.wrap.gap(at, missing, &mut out.way, out.shared);
            self.next += missing;
        }
    }

    /// Keeps what is new of a span that begins beyond `next`.
    fn hold(&mut self, arrival: Arrival, span: Span<'_>) {
        if self.held.is_empty() {
            (self.hole_since, self.early) = (arrival.at.time, 0);
        }
        self.early += 1;
        let mut cursor = match self.held.range(..=span.start).next_back() {
            Some((start, held)) => span.start.max(start + held.length()),
            None => span.start,
        };
        while cursor < span.end {
            let there = self.held.range(cursor..span.end).next();
            let there = there.map(|(start, held)| (*start, start + held.length()));
            let until = there.map_or(span.end, |(start, _)| start);
            if cursor < until {
                let part = span.between(cursor, until);
                self.held_bytes += part.bytes.len() + PIECE_COST;
                let missing = part.missing();
                self.held.insert(
                    cursor,
                    Held {
                        arrival,
                        bytes: part.bytes.to_vec(),
                        missing,
                    },
                );
            }
            cursor = there.map_or(span.end, |(_, end)| end);
        }
    }

    /// Gives up holes that nothing will fill; whether a cap was the reason.
    fn give_up_if_hopeless<S: Sink>(&mut self, out: &mut Out<'_, S>) -> bool {
        // The receiver has what we miss: the capture lost it. One more segment is waited for, as
        // captures put packets of the two directions out of order.
        while self.early > 1 && self.has_hole() && self.is_hole_acknowledged() {
            self.give_up_hole(out);
        }
        let mut capped = false;
        while self.held_bytes > MAX_HELD_BYTES || self.held.len() > MAX_HELD_PIECES {
            self.give_up_hole(out);
            capped = true;
        }
        if !self.has_hole() {
            self.rest_hole(None);
        }
        capped
    }

    /// Gives up holes whose bytes the receiver has had for a while: nobody will send them again.
    pub(super) fn give_up_received<S: Sink>(&mut self, now: Option<Time>, out: &mut Out<'_, S>) {
        let waited = |since: Option<Time>| {
            let both = since.zip(now);
            both.is_some_and(|(since, now)| now.0.saturating_sub(since.0) >= OUT_OF_ORDER)
        };
        while self.has_hole() && waited(self.hole_since) && self.is_hole_acknowledged() {
            self.give_up_hole(out);
        }
        if !self.has_hole() {
            self.rest_hole(None);
        }
    }

    fn is_hole_acknowledged(&self) -> bool {
        let (Some(acked), Some((start, _))) = (self.acked, self.held.first_key_value()) else {
            return false;
        };
        let ahead = acked.wrapping_sub(self.next as u32) as i32;
        self.next.saturating_add_signed(ahead.into()) >= *start
    }

    fn give_up_hole<S: Sink>(&mut self, out: &mut Out<'_, S>) {
        let Some((&start, held)) = self.held.first_key_value() else {
            return;
        };
        let arrival = held.arrival;
        self.emit(arrival.at, &[], start.saturating_sub(self.next), out);
        self.release(arrival, out);
    }

    /// A hole that shrinks is given time again.
    fn rest_hole(&mut self, now: Option<Time>) {
        self.early = u32::from(self.has_hole());
        self.hole_since = now.filter(|_| self.has_hole());
    }
}

impl Held {
    fn length(&self) -> u64 {
        self.bytes.len() as u64 + self.missing
    }
}
