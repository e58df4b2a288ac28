//! What a stream carries, once it is out of TLS: WebSocket, HEP, or bytes for the sink.

use super::frames::{Frames, Mark};
use super::websocket::{Web, upgrade};
use super::{Way, hep};
use crate::layers::{At, Segment, Sink, Transport};

/// The longest request or answer of HTTP that may begin a WebSocket.
const LONGEST_HTTP: usize = 16 * 1024;
/// The longest message that may show that a WebSocket was begun before the capture.
const LONGEST_FIRST: usize = 64 * 1024;

/// The content of a connection, by direction.
#[derive(Debug, Default)]
pub(super) struct Content {
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    kind: Kind,
    buffer: Vec<u8>,
    frames: Frames,
    /// Where the next frame of a WebSocket begins is not known: perhaps with the next segment.
    seeking: bool,
}

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Undecided,
    /// Bytes for the sink.
    Plain,
    Web(Box<Web>),
    Hep,
    /// Nothing more will be read of it.
    GivenUp,
}

/// Whether a stream that begins so may be anything but bytes for the sink: TLS, HTTP, HEP or a frame of
/// WebSocket. No SIP begins so, a method that begins with G or H excepted.
pub(super) fn may_be_wrapped(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [20..=23 | b'G' | b'H' | 0x81 | 0x82 | 0xc1 | 0xc2, ..]
    )
}

/// What the first bytes say.
enum First {
    Plain,
    More,
    Hep,
    /// The HTTP of an upgrade, up to here.
    Upgrade(usize),
    /// Perhaps a frame in the middle of a WebSocket.
    Frame,
}

fn first(bytes: &[u8]) -> First {
    let begins = |with: &[u8]| with.iter().zip(bytes).all(|(a, b)| a == b);
    match bytes {
        [] => First::More,
        _ if begins(b"HEP3") => match bytes.len() < 4 {
            true => First::More,
            false => First::Hep,
        },
        _ if begins(b"GET ") || begins(b"HTTP/1.1 101") => {
            match memchr::memmem::find(bytes, b"\r\n\r\n") {
                Some(end) if upgrade(bytes.get(..end).unwrap_or_default()) => {
                    First::Upgrade(end + 4)
                }
                None if bytes.len() <= LONGEST_HTTP => First::More,
                _ => First::Plain,
            }
        }
        [0x81 | 0x82 | 0xc1 | 0xc2, ..] => First::Frame,
        _ => First::Plain,
    }
}

impl Content {
    pub(super) fn is_undecided(&self, direction: usize) -> bool {
        matches!(self.sides[direction & 1].kind, Kind::Undecided)
    }

    /// Whether nothing came of this direction yet.
    pub(super) fn is_fresh(&self, direction: usize) -> bool {
        self.is_undecided(direction) && self.sides[direction & 1].buffer.is_empty()
    }

    /// What frames are that repeat what was read before.
    pub(super) fn name(&self, direction: usize) -> &'static str {
        self.sides[direction & 1].name()
    }

    pub(super) fn is_plain(&self, direction: usize) -> bool {
        matches!(self.sides[direction & 1].kind, Kind::Plain)
    }

    pub(super) fn held(&self) -> usize {
        let held = |side: &Side| {
            side.buffer.len()
                + match &side.kind {
                    Kind::Web(web) => web.held(),
                    _ => 0,
                }
        };
        self.sides.iter().map(held).sum()
    }

    /// Takes the next bytes, and the frames that came with them.
    pub(super) fn bytes<S: Sink>(
        &mut self,
        at: At,
        frames: Vec<At>,
        bytes: &[u8],
        way: &mut Way<'_, S>,
    ) {
        let side = &mut self.sides[way.direction()];
        if let Kind::Plain = side.kind {
            for frame in frames {
                way.sink
                    .segment(frame, way.stream, &way.flow, Segment::InOrder);
            }
            return way.sink.bytes(at, way.stream, &way.flow, bytes);
        }
        frames.into_iter().for_each(|frame| side.frames.add(frame));
        if side.seeking && Web::begins_whole(bytes) {
            side.buffer.clear();
        }
        side.buffer.extend_from_slice(bytes);
        if let Kind::Undecided = side.kind {
            side.decide(at, way);
        }
        side.messages(at, way);
    }

    /// Bytes are missing.
    pub(super) fn gap<S: Sink>(
        &mut self,
        at: At,
        frames: Vec<At>,
        missing: u64,
        way: &mut Way<'_, S>,
    ) {
        let side = &mut self.sides[way.direction()];
        match &mut side.kind {
            Kind::Plain => return way.sink.gap(at, way.stream, &way.flow, missing),
            // What follows may still show what it is.
            Kind::Undecided if side.buffer.is_empty() => {
                frames.into_iter().for_each(|frame| side.frames.add(frame));
                return way.sink.gap(at, way.stream, &way.flow, missing);
            }
            Kind::Undecided => {
                frames.into_iter().for_each(|frame| side.frames.add(frame));
                side.become_plain(at, way);
                return way.sink.gap(at, way.stream, &way.flow, missing);
            }
            Kind::Web(web) => {
                web.gap();
                side.seeking = true;
            }
            Kind::Hep | Kind::GivenUp => {}
        }
        frames.into_iter().for_each(|frame| side.frames.add(frame));
        if !side.buffer.is_empty() {
            side.buffer.clear();
            let detail = format!("{missing} bytes of the stream were not captured");
            side.frames.mark(Mark::Closed("tcp-gap", detail.into()));
            side.frames.settle(false, way.sink);
        }
    }

    /// No more bytes will come.
    pub(super) fn closed<S: Sink>(&mut self, frames: Vec<At>, way: &mut Way<'_, S>) {
        let side = &mut self.sides[way.direction()];
        let last = frames.last().copied();
        frames.into_iter().for_each(|frame| side.frames.add(frame));
        if let Kind::Undecided = side.kind {
            if let Some(at) = last.or_else(|| side.frames.last()) {
                side.become_plain(at, way);
            }
            side.kind = Kind::Plain;
            return;
        }
        let mark = match side.buffer.is_empty() {
            true => Mark::Other(side.name()),
            false => Mark::Closed(
                "message-incomplete",
                "the stream or the capture ends inside a message".into(),
            ),
        };
        side.frames.mark(mark);
        side.frames.settle(false, way.sink);
        side.buffer = Vec::new();
    }

    pub(super) fn give_up(&mut self, direction: usize, sink: &mut impl Sink) {
        let side = &mut self.sides[direction & 1];
        if matches!(side.kind, Kind::Plain) {
            return;
        }
        side.give_up("stream-limit", "too much is held of unfinished messages");
        side.frames.settle(false, sink);
    }
}

impl Side {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Web(_) => "websocket",
            Kind::Hep => "hep",
            _ => "tcp",
        }
    }

    fn give_up(&mut self, reason: &'static str, detail: &'static str) {
        self.kind = Kind::GivenUp;
        self.buffer = Vec::new();
        self.frames.mark(Mark::Closed(reason, detail.into()));
    }

    fn decide<S: Sink>(&mut self, at: At, way: &mut Way<'_, S>) {
        match first(&self.buffer) {
            First::More => {}
            First::Plain => self.become_plain(at, way),
            First::Hep => self.kind = Kind::Hep,
            First::Upgrade(end) => {
                self.kind = Kind::Web(Box::default());
                self.buffer.drain(..end.min(self.buffer.len()));
                self.frames.mark(Mark::Other("websocket"));
            }
            First::Frame => self.decide_frame(at, way),
        }
    }

    /// A WebSocket begun before the capture shows by a first message that the sink takes.
    fn decide_frame<S: Sink>(&mut self, at: At, way: &mut Way<'_, S>) {
        if self.buffer.len() < LONGEST_FIRST && Web::needs_more(&self.buffer) {
            return;
        }
        let (mut web, mut buffer) = (Web::default(), self.buffer.clone());
        if let Ok(Some(message)) = web.next(&mut buffer) {
            let flow = way.over(over(way.flow.transport)).flow;
            if way.sink.message(at, &flow, &message, false).is_none() {
                self.frames.mark(Mark::Taken);
                (self.kind, self.buffer) = (Kind::Web(Box::new(web)), buffer);
                return;
            }
        }
        self.become_plain(at, way);
    }

    fn hand_over<S: Sink>(&mut self, way: &mut Way<'_, S>) {
        for frame in self.frames.take() {
            way.sink
                .segment(frame, way.stream, &way.flow, Segment::InOrder);
        }
    }

    fn become_plain<S: Sink>(&mut self, at: At, way: &mut Way<'_, S>) {
        self.kind = Kind::Plain;
        self.hand_over(way);
        let buffer = std::mem::take(&mut self.buffer);
        if !buffer.is_empty() {
            way.sink.bytes(at, way.stream, &way.flow, &buffer);
        }
    }

    /// Takes whole messages out of the buffer.
    fn messages<S: Sink>(&mut self, at: At, way: &mut Way<'_, S>) {
        match &mut self.kind {
            Kind::Undecided | Kind::Plain => return,
            Kind::GivenUp => {
                self.buffer = Vec::new();
                let detail = "what came before could not be read";
                self.frames
                    .mark(Mark::Closed("framing-lost", detail.into()));
            }
            Kind::Web(_) => self.web_messages(at, way),
            Kind::Hep => self.hep_packets(at, way),
        }
        self.frames.settle(!self.buffer.is_empty(), way.sink);
    }

    fn web_messages<S: Sink>(&mut self, at: At, way: &mut Way<'_, S>) {
        let Kind::Web(web) = &mut self.kind else {
            return;
        };
        let way = way.over(over(way.flow.transport));
        loop {
            match web.next(&mut self.buffer) {
                Ok(Some(message)) => {
                    let taken = way.sink.message(at, &way.flow, &message, false).is_none();
                    if self.seeking && !taken {
                        return self.lose(FRAMING_LOST);
                    }
                    self.seeking = false;
                    self.frames.mark(match taken {
                        true => Mark::Taken,
                        false => Mark::Other("websocket"),
                    });
                }
                Ok(None) if self.seeking && self.buffer.len() > LONGEST_FIRST => {
                    return self.lose(FRAMING_LOST);
                }
                Ok(None) => break,
                Err(broken) => return self.lose(broken),
            }
        }
        // Pings, pongs and the end.
        if self.buffer.is_empty() && !web.is_within() {
            self.frames.mark(Mark::Other("websocket"));
        }
    }

    /// What is held begins nothing; the next segment may.
    fn lose(&mut self, (reason, detail): (&'static str, &'static str)) {
        self.buffer.clear();
        self.seeking = true;
        if let Kind::Web(web) = &mut self.kind {
            web.gap();
        }
        self.frames.mark(Mark::Closed(reason, detail.into()));
    }

    fn hep_packets<S: Sink>(&mut self, at: At, way: &mut Way<'_, S>) {
        let mut done = 0;
        loop {
            let rest = self.buffer.get(done..).unwrap_or_default();
            match hep::length(rest) {
                Some(length) if length <= rest.len() => {
                    let packet = rest.get(..length).unwrap_or(rest);
                    self.frames.mark(hep_mark(at, packet, way));
                    done += length;
                }
                Some(_) => break,
                None if rest.len() < 6 && hep::MARK.iter().zip(rest).all(|(a, b)| a == b) => break,
                None => {
                    let (reason, detail) = FRAMING_LOST;
                    self.frames.mark(Mark::Closed(reason, detail.into()));
                    let next = memchr::memmem::find(rest.get(1..).unwrap_or_default(), hep::MARK);
                    // The mark may be cut in two by the end of the bytes.
                    done += next.map_or(rest.len().saturating_sub(3).max(1), |at| at + 1);
                }
            }
        }
        self.buffer.drain(..done.min(self.buffer.len()));
    }
}

/// What follows a hole, or no frame at all.
const FRAMING_LOST: (&str, &str) = (
    "framing-lost",
    "bytes between messages that begin none: WebSocket frames or HEP packets behind a hole",
);

fn hep_mark<S: Sink>(at: At, packet: &[u8], way: &mut Way<'_, S>) -> Mark {
    match hep::decode(packet, &way.flow) {
        Ok(inner) => hep::deliver(at, &inner, false, way.sink),
        Err((reason, detail)) => Mark::Closed(reason, detail.into()),
    }
}

fn over(transport: Transport) -> Transport {
    match transport {
        Transport::Tls | Transport::Wss => Transport::Wss,
        _ => Transport::Ws,
    }
}
