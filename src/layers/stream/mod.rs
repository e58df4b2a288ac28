//! What a TCP stream may be wrapped in: TLS, WebSocket, HEP. A stream that is none of these passes
//! through untouched.
//!
//! TCP → (TLS →) (WebSocket | HEP →) the sink. The first bytes of each direction decide.

mod content;
mod frames;
/// HEP packets.
pub(super) mod hep;
mod tls;
mod websocket;

#[cfg(test)]
mod tests;

pub use tls::{ClosedTls, Keys, TlsFailure, TlsReport};

use super::{At, Flow, Segment, Sink, StreamId, Transport, Wire, payload};
use content::Content;
use frames::{Frames, Mark};
use tls::{Brought, Tls};

/// Bytes held over all wrapped streams.
const MOST_HELD: usize = 64 * 1024 * 1024;
/// Segments of a stream that wait for its first bytes; further ones are counted together.
const MOST_WAITING: usize = 128;

/// What all wrapped streams share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) keys: Keys,
    /// By input.
    pub(super) reports: Vec<TlsReport>,
    held: usize,
    /// Streams given up because too much was held.
    pub(super) given_up: u64,
}

/// Where a stream leads: which one it is, and what takes its bytes.
pub(super) struct Way<'a, S> {
    pub(super) stream: StreamId,
    pub(super) flow: Flow,
    pub(super) sink: &'a mut S,
}

impl<S: Sink> Way<'_, S> {
    fn direction(&self) -> usize {
        (self.stream.0 & 1) as usize
    }

    /// The other direction.
    fn back(&mut self) -> Way<'_, S> {
        let Flow {
            source,
            destination,
            transport,
        } = self.flow;
        Way {
            stream: self.stream.reverse(),
            flow: Flow {
                source: destination,
                destination: source,
                transport,
            },
            sink: self.sink,
        }
    }

    /// The same way, with what the bytes are carried in.
    fn over(&mut self, transport: Transport) -> Way<'_, S> {
        Way {
            stream: self.stream,
            flow: Flow {
                transport,
                ..self.flow
            },
            sink: self.sink,
        }
    }
}

/// What a connection is wrapped in, if anything.
#[derive(Debug, Default)]
pub(super) struct Wrap {
    /// Directions whose bytes need nothing done.
    plain: [bool; 2],
    /// Directions that are over.
    over: [bool; 2],
    wrapped: Option<Box<Wrapped>>,
}

#[derive(Debug, Default)]
struct Wrapped {
    input: u16,
    tls: Option<Box<Tls>>,
    content: Content,
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    /// Segments whose bytes did not come yet.
    waiting: Vec<(At, Segment)>,
    /// The first bytes, until they say what the stream is.
    first: Vec<u8>,
    /// Frames with bytes of TLS records that are not judged yet.
    frames: Frames,
}

impl Side {
    /// The frames whose bytes come now: those in order, or else the next that waited behind a
    /// hole, one for each piece that is released.
    fn frames_of(&mut self, at: At) -> Vec<At> {
        let early = |what: Segment| what == Segment::Early;
        let mut frames: Vec<At> = Vec::new();
        self.waiting.retain(|(at, what)| {
            if !early(*what) {
                frames.push(*at);
            }
            early(*what)
        });
        if frames.is_empty() && !self.waiting.is_empty() {
            let own = |(known, _): &(At, Segment)| known.origin == at.origin;
            let index = self.waiting.iter().position(own).unwrap_or(0);
            frames.push(self.waiting.remove(index).0);
        }
        frames
    }

    /// Leaves the frames that wait to the sink.
    fn tell_waiting<S: Sink>(&mut self, way: &mut Way<'_, S>) {
        for (at, what) in self.waiting.drain(..) {
            way.sink.segment(at, way.stream, &way.flow, what);
        }
    }
}

impl Wrap {
    /// A segment with payload arrived; its account is given here or later.
    pub(super) fn segment<S: Sink>(&mut self, at: At, what: Segment, way: &mut Way<'_, S>) {
        let direction = way.direction();
        if self.plain[direction] {
            return way.sink.segment(at, way.stream, &way.flow, what);
        }
        if self.over[direction] {
            return self.late(at, way);
        }
        let wrapped = self.wrapped.get_or_insert_with(|| {
            Box::new(Wrapped {
                input: at.origin.input,
                ..Wrapped::default()
            })
        });
        let waiting = &mut wrapped.sides[direction].waiting;
        let full = waiting.len() >= MOST_WAITING;
        match waiting.last_mut() {
            // So many without a byte: only their number matters.
            Some((last, same)) if full && *same == what && last.origin.input == at.origin.input => {
                last.frames = last.frames.saturating_add(at.frames)
            }
            _ => waiting.push((at, what)),
        }
    }

    /// A copy of a segment after the end.
    fn late<S: Sink>(&self, at: At, way: &mut Way<'_, S>) {
        let Some(wrapped) = &self.wrapped else {
            return way.sink.other(at, "tcp");
        };
        match &wrapped.tls {
            None => way.sink.other(at, wrapped.content.name(way.direction())),
            Some(tls) => match tls.reason().filter(|_| !tls.was_decrypted()) {
                None => way.sink.other(at, "tls"),
                Some(reason) => way.sink.not_decoded(at, reason, "a TLS segment sent again"),
            },
        }
    }

    /// The next bytes.
    pub(super) fn bytes<S: Sink>(
        &mut self,
        at: At,
        bytes: &[u8],
        way: &mut Way<'_, S>,
        shared: &mut Shared,
    ) {
        let direction = way.direction();
        if self.plain[direction] {
            return way.sink.bytes(at, way.stream, &way.flow, bytes);
        }
        let Some(wrapped) = &mut self.wrapped else {
            return way.sink.bytes(at, way.stream, &way.flow, bytes);
        };
        let before = wrapped.held();
        let is_plain = wrapped.bytes(at, bytes, way, shared);
        shared.held = shared.held + wrapped.held() - before;
        if is_plain {
            self.plain[direction] = true;
            if self.plain == [true; 2] {
                self.wrapped = None;
            }
        } else if shared.held > MOST_HELD {
            shared.held -= wrapped.held();
            wrapped.give_up(way.sink);
            shared.given_up += 1;
            shared.held += wrapped.held();
        }
    }

    /// Bytes were not captured.
    pub(super) fn gap<S: Sink>(
        &mut self,
        at: At,
        missing: u64,
        way: &mut Way<'_, S>,
        shared: &mut Shared,
    ) {
        let direction = way.direction();
        let Some(wrapped) = self.wrapped.as_mut().filter(|_| !self.plain[direction]) else {
            return way.sink.gap(at, way.stream, &way.flow, missing);
        };
        shared.held -= wrapped.held();
        wrapped.gap(at, missing, way);
        shared.held += wrapped.held();
    }

    /// No more bytes will come in this direction.
    pub(super) fn closed<S: Sink>(&mut self, way: &mut Way<'_, S>, shared: &mut Shared) {
        let direction = way.direction();
        if let Some(wrapped) = self.wrapped.as_mut().filter(|_| !self.plain[direction]) {
            shared.held -= wrapped.held();
            wrapped.closed(way);
            shared.held += wrapped.held();
            self.plain[direction] = wrapped.tls.is_none() && wrapped.content.is_plain(direction);
        }
        self.over[direction] = true;
        way.sink.closed(way.stream);
    }

    /// The connection was closed or reset in this direction.
    pub(super) fn ended<S: Sink>(&mut self, at: At, way: &mut Way<'_, S>) {
        let wrapped = self.wrapped.as_mut();
        if let Some(tls) = wrapped.and_then(|wrapped| wrapped.tls.as_mut()) {
            let failure = tls.failure(Some(way.direction()));
            tell_failure(failure, at, way);
        }
    }

    /// The connection is forgotten.
    pub(super) fn forget(self, shared: &mut Shared) {
        let Some(wrapped) = self.wrapped else { return };
        shared.held -= wrapped.held();
        let Some(tls) = &wrapped.tls else { return };
        let input = usize::from(wrapped.input);
        if shared.reports.len() <= input {
            shared.reports.resize_with(input + 1, TlsReport::default);
        }
        tls.report(&mut shared.reports[input]);
    }
}

fn tell_failure<S: Sink>(failure: Option<(usize, TlsFailure)>, at: At, way: &mut Way<'_, S>) {
    let Some((client, failure)) = failure else {
        return;
    };
    let flow = of_client(Some(client), way);
    way.sink.wire(at, &flow, Wire::Tls(Box::new(failure)));
}

// The flow from client to server; where no hello shows who is who, a server has the lower port.
fn of_client<S: Sink>(client: Option<usize>, way: &Way<'_, S>) -> Flow {
    let by_port = way.flow.destination.port() <= way.flow.source.port();
    let flow = match client.map_or(by_port, |client| client == way.direction()) {
        true => way.flow,
        false => way.flow.back(),
    };
    Flow {
        transport: Transport::Tls,
        ..flow
    }
}

impl Wrapped {
    fn held(&self) -> usize {
        let first: usize = self.sides.iter().map(|side| side.first.len()).sum();
        let tls = self.tls.as_ref().map_or(0, |tls| tls.held());
        first + tls + self.content.held()
    }

    /// Takes bytes; whether the direction turned out to be plain.
    fn bytes<S: Sink>(
        &mut self,
        at: At,
        bytes: &[u8],
        way: &mut Way<'_, S>,
        shared: &mut Shared,
    ) -> bool {
        let direction = way.direction();
        let side = &mut self.sides[direction];
        let fresh = self.tls.is_none() && self.content.is_fresh(direction);
        if fresh && side.first.is_empty() && !content::may_be_wrapped(bytes) {
            side.tell_waiting(way);
            way.sink.bytes(at, way.stream, &way.flow, bytes);
            return true;
        }
        if fresh {
            side.first.extend_from_slice(bytes);
            if side.first.len() < 6 && matches!(side.first.first(), Some(20..=23)) {
                return false;
            }
            let first = std::mem::take(&mut side.first);
            if payload::looks_like_tls(&first) {
                self.tls = Some(Box::default());
            }
            return self.judged(at, &first, way, shared);
        }
        self.judged(at, bytes, way, shared)
    }

    fn judged<S: Sink>(
        &mut self,
        at: At,
        bytes: &[u8],
        way: &mut Way<'_, S>,
        shared: &mut Shared,
    ) -> bool {
        let direction = way.direction();
        let side = &mut self.sides[direction];
        let Some(tls) = &mut self.tls else {
            let frames = side.frames_of(at);
            self.content.bytes(at, frames, bytes, way);
            let is_plain = self.content.is_plain(direction);
            if is_plain {
                self.sides[direction].tell_waiting(way);
            }
            return is_plain;
        };
        for at in side.frames_of(at) {
            side.frames.add(at);
        }
        tls.add(direction, bytes);
        self.records(at, way, shared);
        // What the client sent before this answer was captured.
        let mut back = way.back();
        let is_answer = self
            .tls
            .as_ref()
            .is_some_and(|tls| tls.has_rest(1 - direction));
        if is_answer {
            self.records(at, &mut back, shared);
        }
        false
    }

    fn records<S: Sink>(&mut self, at: At, way: &mut Way<'_, S>, shared: &mut Shared) {
        let direction = way.direction();
        let Some(tls) = &mut self.tls else { return };
        let frames = &mut self.sides[direction].frames;
        while let Some(brought) = tls.next(direction, &shared.keys) {
            frames.mark(brought.mark());
            if let Brought::Data(bytes) = brought {
                let mut way = way.over(Transport::Tls);
                self.content.bytes(at, frames.take(), &bytes, &mut way);
            }
        }
        tls.compact(direction);
        frames.settle(tls.has_rest(direction), way.sink);
        let (sealed, client) = (tls.begins_sealed(), tls.client());
        tell_failure(tls.failure(None), at, way);
        if sealed {
            let flow = of_client(client, way);
            way.sink.wire(at, &flow, Wire::Sealed { connections: 1 });
        }
    }

    fn gap<S: Sink>(&mut self, at: At, missing: u64, way: &mut Way<'_, S>) {
        let direction = way.direction();
        let side = &mut self.sides[direction];
        let first = std::mem::take(&mut side.first);
        if self.tls.is_none() && self.content.is_fresh(direction) && first.is_empty() {
            // The beginning is lost; what follows may still show what it is.
            return way.sink.gap(at, way.stream, &way.flow, missing);
        }
        let Some(tls) = &mut self.tls else {
            let frames: Vec<At> = side.waiting.drain(..).map(|(at, _)| at).collect();
            self.content.bytes(at, frames, &first, way);
            self.content.gap(at, Vec::new(), missing, way);
            return;
        };
        if tls.has_rest(direction) {
            let reason = match tls.was_decrypted() {
                true => "tcp-gap",
                false => tls.reason().unwrap_or("tcp-gap"),
            };
            let detail = format!("{missing} bytes within TLS records were not captured");
            side.frames.mark(Mark::Closed(reason, detail.into()));
            side.frames.settle(false, way.sink);
        }
        tls.gap(direction, missing);
        let mut way = way.over(Transport::Tls);
        self.content.gap(at, Vec::new(), missing, &mut way);
    }

    fn closed<S: Sink>(&mut self, way: &mut Way<'_, S>) {
        let direction = way.direction();
        if self.tls.is_some() {
            let side = &mut self.sides[direction];
            side.waiting
                .drain(..)
                .for_each(|(at, _)| side.frames.add(at));
            let rest = self.tls.as_ref().is_some_and(|tls| tls.has_rest(direction));
            let mark = match rest {
                true => Mark::Closed(
                    "tls-cut",
                    "the stream or the capture ends inside a TLS record".into(),
                ),
                false => Mark::Other("tls"),
            };
            side.frames.mark(mark);
            side.frames.settle(false, way.sink);
            if let Some(tls) = &mut self.tls {
                tls.closed(direction);
            }
            let mut way = way.over(Transport::Tls);
            self.content.closed(Vec::new(), &mut way);
            return;
        }
        let side = &mut self.sides[direction];
        let waiting: Vec<(At, Segment)> = side.waiting.drain(..).collect();
        let first = std::mem::take(&mut side.first);
        if self.content.is_fresh(direction) {
            let last = waiting.last().map(|(at, _)| *at);
            for (at, what) in waiting {
                way.sink.segment(at, way.stream, &way.flow, what);
            }
            if let Some(at) = last.filter(|_| !first.is_empty()) {
                way.sink.bytes(at, way.stream, &way.flow, &first);
            }
            return self.content.closed(Vec::new(), way);
        }
        let frames = waiting.into_iter().map(|(at, _)| at).collect();
        self.content.closed(frames, way);
    }

    fn give_up(&mut self, sink: &mut impl Sink) {
        for (direction, side) in self.sides.iter_mut().enumerate() {
            side.first = Vec::new();
            for (at, _) in side.waiting.drain(..) {
                side.frames.add(at);
            }
            let detail = "too much is held of unfinished records and messages";
            side.frames
                .mark(Mark::Closed("stream-limit", detail.into()));
            side.frames.settle(false, sink);
            self.content.give_up(direction, sink);
            if let Some(tls) = &mut self.tls {
                tls.closed(direction);
            }
        }
    }
}
