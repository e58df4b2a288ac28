//! Datagrams and streams to whole messages (RFC 3261 §18.3), and the account of every frame.
//!
//! SIP is found by content: a start line and at least one header that every message carries. In a
//! datagram a start line that no other text resembles is enough.

use super::account::{Account, Unsettled};
use super::{Flaw, Head, StartLine};
use crate::input::{LogHop, Origin, Record, Time};
use crate::layers::{At, Flow, Segment, Sink, StreamId, Transport, payload};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

/// Longest header section and body of a message on a stream; more is no SIP that anyone sends.
const LONGEST_HEADERS: usize = 256 * 1024;
const LONGEST_BODY: usize = 1024 * 1024;
/// Bytes of unfinished messages held over all streams.
const MOST_HELD: usize = 64 * 1024 * 1024;
/// SIP flows remembered so that their keep-alives are known.
const MOST_FLOWS: usize = 65_536;

/// What is known of the time of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Date and time.
    At(Time),
    /// Nanoseconds since midnight, where a log gives no date.
    OfDay(u64),
    /// Nothing.
    Unknown,
}

/// Where and when a message was seen, and the hop it took. Small, because every live message has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Frame in which the message became complete, or line of its start line.
    pub origin: Origin,
    /// Which of the messages completed in that frame, from 0.
    pub part: u16,
    /// Lines that it takes up in a log; 0 in a capture.
    pub lines: u32,
    /// When.
    pub when: When,
    /// Sender.
    pub source: Option<SocketAddr>,
    /// Receiver.
    pub destination: Option<SocketAddr>,
    /// Transport.
    pub transport: Option<Transport>,
    /// Identifies the packet among copies of it; 0 where unknown.
    pub ident: u32,
}

impl Stamp {
    /// When; `None` where the source has no date.
    pub fn time(&self) -> Option<Time> {
        match self.when {
            When::At(time) => Some(time),
            _ => None,
        }
    }

    /// Nanoseconds since midnight, where a log gives that and no date.
    pub fn time_of_day(&self) -> Option<u64> {
        match self.when {
            When::OfDay(nanoseconds) => Some(nanoseconds),
            _ => None,
        }
    }

    /// Last line, for a log.
    pub fn last_line(&self) -> Option<u64> {
        let more = u64::from(self.lines).checked_sub(1)?;
        Some(self.origin.place + more)
    }

    /// The stamp of a message that a log holds.
    pub fn of_log(origin: Origin, last_line: u64, when: When, hop: LogHop) -> Stamp {
        let lines = last_line.saturating_sub(origin.place) + 1;
        Stamp {
            origin,
            part: 0,
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            when,
            source: hop.source,
            destination: hop.destination,
            transport: hop.transport.and_then(Transport::of),
            ident: 0,
        }
    }
}

impl When {
    /// From a time, or else a time of day.
    pub fn new(time: Option<Time>, time_of_day: Option<u64>) -> When {
        match (time, time_of_day) {
            (Some(time), _) => When::At(time),
            (None, Some(nanoseconds)) => When::OfDay(nanoseconds),
            (None, None) => When::Unknown,
        }
    }
}

/// Takes messages in the order in which they became complete.
pub trait Receive {
    /// One message.
    fn message(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]);
}

/// Cuts what the layers deliver into messages and keeps the accounts.
pub struct Framer<R> {
    receive: R,
    accounts: Vec<Account>,
    streams: HashMap<StreamId, Stream, RandomState>,
    flows: HashSet<(SocketAddr, SocketAddr), RandomState>,
    held: usize,
    last: Option<(Origin, u16)>,
}

#[derive(Debug, Default)]
struct Stream {
    verdict: Verdict,
    buffer: Vec<u8>,
    /// Bytes of the buffer already searched for the end of the headers.
    searched: usize,
    /// Length that the buffer must have before it is worth looking again.
    need: usize,
    /// Frames whose bytes are in the buffer, or were not yet judged.
    open: Unsettled,
    /// Frames held by the layers behind a hole.
    early: Unsettled,
    /// Framing was lost: look for the next start line.
    resync: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Verdict {
    #[default]
    Unknown,
    Sip,
    Other(&'static str),
    Closed(&'static str),
}

/// What stands at the beginning of the bytes at hand.
enum Next {
    /// A whole message of this length.
    Message(Box<Head>, usize),
    /// More bytes are needed, at least up to this length.
    More(usize),
    /// No message begins here.
    Not,
}

impl<R: Receive> Framer<R> {
    /// A framer that gives its messages to `receive`.
    pub fn new(receive: R) -> Framer<R> {
        Framer {
            receive,
            accounts: Vec::new(),
            streams: HashMap::default(),
            flows: HashSet::default(),
            held: 0,
            last: None,
        }
    }

    /// Notes the time of a record that is about to be decoded, and makes room for its input.
    pub fn begin(&mut self, record: &Record<'_>) {
        let account = self.account(record.origin.input);
        if let Some(time) = record.time {
            account.saw(time);
        }
    }

    /// Takes a message that a log holds.
    pub fn text(&mut self, stamp: Stamp, bytes: &[u8]) {
        if let Some(head) = read_message(bytes, false) {
            self.account(stamp.origin.input).sip_messages += 1;
            self.receive.message(&stamp, &head, bytes);
        }
    }

    /// The receiver of the messages.
    pub fn receiver(&mut self) -> &mut R {
        &mut self.receive
    }

    /// The accounts by input, and the receiver.
    pub fn finish(mut self) -> (Vec<Account>, R) {
        // A late copy of a segment may follow the end of its stream and open it again.
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            self.closed(id);
        }
        (self.accounts, self.receive)
    }

    fn account(&mut self, input: u16) -> &mut Account {
        let index = usize::from(input);
        if self.accounts.len() <= index {
            self.accounts.resize_with(index + 1, Account::default);
        }
        &mut self.accounts[index]
    }

    fn emit(&mut self, at: At, flow: &Flow, head: &Head, raw: &[u8]) {
        let part = match self.last {
            Some((origin, part)) if origin == at.origin => part.saturating_add(1),
            _ => 0,
        };
        self.last = Some((at.origin, part));
        self.account(at.origin.input).sip_messages += 1;
        let stamp = Stamp {
            origin: at.origin,
            part,
            lines: 0,
            when: When::new(at.time, None),
            source: Some(flow.source),
            destination: Some(flow.destination),
            transport: Some(flow.transport),
            ident: at.ident,
        };
        self.receive.message(&stamp, head, raw);
    }

    fn remember(&mut self, flow: &Flow) {
        if self.flows.len() < MOST_FLOWS {
            self.flows.insert((
                flow.source.min(flow.destination),
                flow.source.max(flow.destination),
            ));
        }
    }

    /// Cuts `data` into messages; gives how many bytes are done with.
    fn cut(&mut self, at: At, flow: &Flow, stream: &mut Stream, data: &[u8]) -> usize {
        let mut done = 0;
        loop {
            let rest = data.get(done..).unwrap_or_default();
            let blank = rest
                .iter()
                .take_while(|b| matches!(b, b'\r' | b'\n'))
                .count();
            if blank > 0 {
                done += blank;
                stream.searched = 0;
                continue;
            }
            if rest.is_empty() {
                if stream.verdict == Verdict::Sip {
                    self.settle_as_sip(stream);
                }
                return done;
            }
            if stream.resync {
                match find_start(rest) {
                    Some(start) => {
                        done += start;
                        stream.resync = false;
                        stream.verdict = Verdict::Sip;
                        continue;
                    }
                    // The last line may be the beginning of a start line.
                    None => return done + memchr::memrchr(b'\n', rest).map_or(0, |at| at + 1),
                }
            }
            match next_message(rest, &mut stream.searched) {
                Next::Message(head, length) => {
                    stream.verdict = Verdict::Sip;
                    let raw = rest.get(..length).unwrap_or(rest);
                    self.emit(at, flow, &head, raw);
                    self.settle_as_sip(stream);
                    stream.searched = 0;
                    done += length;
                }
                Next::More(need) => {
                    stream.need = need;
                    return done;
                }
                Next::Not if stream.verdict == Verdict::Sip => {
                    self.give_up(
                        stream,
                        "framing-lost",
                        "bytes between messages that begin no message",
                    );
                    stream.resync = true;
                }
                Next::Not => {
                    self.judge(stream, rest);
                    return data.len();
                }
            }
        }
    }

    /// Says what a stream is that does not begin with SIP.
    fn judge(&mut self, stream: &mut Stream, first: &[u8]) {
        let head = first.get(..4096).unwrap_or(first);
        let is_http = head.starts_with(b"GET ") || head.starts_with(b"HTTP/1.1 101");
        let says_sip = contains(head, b"Protocol: sip") || contains(head, b"protocol: sip");
        stream.verdict = if payload::looks_like_tls(head) {
            Verdict::Closed("tls-no-key")
        } else if is_http && says_sip {
            Verdict::Closed("websocket")
        } else if head.starts_with(b"HEP3") {
            Verdict::Closed("hep")
        } else {
            Verdict::Other("tcp")
        };
        self.settle_as(stream);
    }

    fn settle_as(&mut self, stream: &mut Stream) {
        let verdict = stream.verdict;
        for open in [&mut stream.open, &mut stream.early] {
            open.settle(&mut self.accounts, |account, frames, first| match verdict {
                Verdict::Closed(reason) => {
                    account.add_not_decoded(reason, frames, first, closed_detail(reason))
                }
                Verdict::Other(protocol) => account.add_other(protocol, frames),
                Verdict::Unknown => account.add_other("tcp", frames),
                Verdict::Sip => account.sip_frames += u64::from(frames),
            });
        }
    }

    fn settle_as_sip(&mut self, stream: &mut Stream) {
        for open in [&mut stream.open, &mut stream.early] {
            open.settle(&mut self.accounts, |account, frames, _| {
                account.sip_frames += u64::from(frames)
            });
        }
    }

    fn give_up(&mut self, stream: &mut Stream, reason: &'static str, detail: &str) {
        stream
            .open
            .settle(&mut self.accounts, |account, frames, first| {
                account.add_not_decoded(reason, frames, first, detail);
            });
        stream.searched = 0;
        stream.need = 0;
    }

    fn hold(&mut self, stream: &mut Stream, bytes: &[u8]) {
        if self.held + bytes.len() > MOST_HELD {
            self.give_up(
                stream,
                "stream-limit",
                "too many unfinished messages at once",
            );
            self.held -= stream.buffer.len();
            stream.buffer = Vec::new();
            stream.resync = true;
            return;
        }
        self.held += bytes.len();
        stream.buffer.extend_from_slice(bytes);
    }
}

fn closed_detail(reason: &str) -> &'static str {
    match reason {
        "tls-no-key" => "TLS records; a key log would open them",
        "websocket" => "WebSocket carrying SIP",
        _ => "HEP packets",
    }
}

impl<R: Receive> Sink for Framer<R> {
    fn datagram(&mut self, at: At, flow: &Flow, bytes: &[u8], cut: bool) {
        let start = bytes
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let sip = bytes.get(start..).unwrap_or_default();
        if let Some(mut head) = read_message(sip, true) {
            if cut {
                head.flaws.add(Flaw::CutByCapture);
            }
            self.remember(flow);
            self.account(at.origin.input).sip_frames += u64::from(at.frames);
            self.emit(at, flow, &head, sip);
            return;
        }
        let key = (
            flow.source.min(flow.destination),
            flow.source.max(flow.destination),
        );
        let keep_alive = bytes.len() <= 4 && bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0));
        if keep_alive && self.flows.contains(&key) {
            self.account(at.origin.input).sip_frames += u64::from(at.frames);
            return;
        }
        match payload::name_payload(flow, bytes) {
            "hep" => self.not_decoded(at, "hep", closed_detail("hep")),
            protocol => self.account(at.origin.input).add_other(protocol, at.frames),
        }
    }

    fn segment(&mut self, at: At, id: StreamId, _: &Flow, what: Segment) {
        let stream = self.streams.entry(id).or_default();
        match (stream.verdict, what) {
            (Verdict::Other(protocol), _) => {
                self.account(at.origin.input).add_other(protocol, at.frames)
            }
            (Verdict::Closed(reason), _) => self.not_decoded(at, reason, closed_detail(reason)),
            (Verdict::Sip, Segment::Resent) => {
                self.account(at.origin.input).sip_frames += u64::from(at.frames)
            }
            (_, Segment::Early) => stream.early.add(at),
            _ => stream.open.add(at),
        }
    }

    fn bytes(&mut self, at: At, id: StreamId, flow: &Flow, bytes: &[u8]) {
        let Some(mut stream) = self.streams.remove(&id) else {
            return;
        };
        match stream.verdict {
            Verdict::Closed(_) => {}
            // A capture begun in the middle of a message: the next one begins with a segment.
            Verdict::Other(_) => {
                if matches!(next_message(bytes, &mut 0), Next::Message(..)) {
                    stream.verdict = Verdict::Sip;
                    self.deliver(at, flow, &mut stream, bytes);
                }
            }
            Verdict::Unknown | Verdict::Sip => self.deliver(at, flow, &mut stream, bytes),
        }
        self.streams.insert(id, stream);
    }

    fn gap(&mut self, _: At, id: StreamId, _: &Flow, missing: u64) {
        let Some(mut stream) = self.streams.remove(&id) else {
            return;
        };
        if !stream.buffer.is_empty() {
            self.give_up(
                &mut stream,
                "tcp-gap",
                &format!("{missing} bytes of the stream were not captured"),
            );
            self.held -= stream.buffer.len();
            stream.buffer.clear();
        }
        stream.resync = stream.verdict == Verdict::Sip;
        self.streams.insert(id, stream);
    }

    fn closed(&mut self, id: StreamId) {
        let Some(mut stream) = self.streams.remove(&id) else {
            return;
        };
        self.held -= stream.buffer.len();
        if stream.verdict == Verdict::Sip {
            let reason = if stream.resync {
                "framing-lost"
            } else {
                "message-incomplete"
            };
            self.give_up(
                &mut stream,
                reason,
                "the stream or the capture ends inside a message",
            );
        }
        self.settle_as(&mut stream);
    }

    fn other(&mut self, at: At, protocol: &'static str) {
        self.account(at.origin.input).add_other(protocol, at.frames);
    }

    fn not_decoded(&mut self, at: At, reason: &'static str, detail: &str) {
        self.account(at.origin.input)
            .add_not_decoded(reason, at.frames, at.origin.place, detail);
    }
}

impl<R: Receive> Framer<R> {
    fn deliver(&mut self, at: At, flow: &Flow, stream: &mut Stream, bytes: &[u8]) {
        if stream.buffer.is_empty() {
            let done = self.cut(at, flow, stream, bytes);
            self.hold(stream, bytes.get(done..).unwrap_or_default());
            return;
        }
        self.hold(stream, bytes);
        if stream.buffer.len() < stream.need {
            return;
        }
        let buffer = std::mem::take(&mut stream.buffer);
        let done = self.cut(at, flow, stream, &buffer);
        stream.buffer = buffer;
        stream.buffer.drain(..done.min(stream.buffer.len()));
        self.held -= done;
    }
}

/// Reads a message that fills `bytes`; `whole` says that nothing may follow (a datagram).
fn read_message(bytes: &[u8], whole: bool) -> Option<Head> {
    let mut head = Head::read(bytes)?;
    if head.essentials.count() == 0 && !(whole && is_unmistakable(&head, bytes)) {
        return None;
    }
    let there = bytes.len() - (head.body as usize).min(bytes.len());
    match head.content_length.map(|length| length as usize) {
        Some(length) if length > there => head.flaws.add(Flaw::BodyCut),
        Some(length) if length < there && whole => head.flaws.add(Flaw::BodyExcess),
        _ => {}
    }
    Some(head)
}

// A line of a log that quotes a start line has further words before it.
fn is_unmistakable(head: &Head, bytes: &[u8]) -> bool {
    match head.start {
        StartLine::Response { .. } => true,
        StartLine::Request { uri, .. } => !uri.of(bytes).iter().any(u8::is_ascii_whitespace),
    }
}

fn next_message(rest: &[u8], searched: &mut usize) -> Next {
    if super::start_line::parse(rest).is_none() {
        let unfinished =
            memchr::memchr(b'\n', rest).is_none() && super::start_line::may_begin(rest);
        return if unfinished {
            Next::More(rest.len() + 1)
        } else {
            Next::Not
        };
    }
    if !header_end(rest, searched) {
        return if rest.len() > LONGEST_HEADERS {
            Next::Not
        } else {
            Next::More(rest.len() + 1)
        };
    }
    let Some(head) = Head::read(rest).filter(|head| head.essentials.count() > 0) else {
        return Next::Not;
    };
    // RFC 3261 §18.3: on a stream Content-Length ends the message; without it there is no body.
    let length = head.content_length.map_or(0, |length| length as usize);
    let end = head.body as usize + length;
    match length {
        _ if length > LONGEST_BODY => Next::Not,
        _ if end > rest.len() => Next::More(end),
        _ => Next::Message(Box::new(head), end),
    }
}

// Looks only at bytes not searched before, so that a header section that comes in drips costs
// no more than one that comes at once.
fn header_end(rest: &[u8], searched: &mut usize) -> bool {
    let mut at = searched.saturating_sub(3);
    while let Some(found) = rest.get(at..).and_then(|tail| memchr::memchr(b'\n', tail)) {
        at += found + 1;
        if matches!(rest.get(at..), Some([b'\n', ..] | [b'\r', b'\n', ..])) {
            return true;
        }
    }
    *searched = rest.len();
    false
}

/// The next offset at which a line is a start line followed by a header.
fn find_start(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memmem::find(rest, b"SIP/2.0"))
    {
        let hit = at + found;
        let line = bytes
            .get(..hit)
            .and_then(|before| memchr::memrchr(b'\n', before))
            .map_or(0, |n| n + 1);
        let candidate = bytes.get(line..).unwrap_or_default();
        if begins_message(candidate) {
            return Some(line);
        }
        at = hit + 1;
    }
    None
}

// Reads two lines at most: this runs on bytes that an attacker may have filled with start lines.
fn begins_message(bytes: &[u8]) -> bool {
    let Some((_, next)) = super::start_line::parse(bytes) else {
        return false;
    };
    match super::header::line(bytes, next) {
        Some((super::header::Line::Header(_), _)) => true,
        Some(_) => false,
        None => true,
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::read_message;

    #[test]
    fn a_datagram_needs_no_header_and_a_text_does() {
        for (bytes, datagram, text) in [
            (&b"SIP/2.0 200 OK\r\nSeq: 0\r\n\r\n"[..], true, false),
            (b"OPTIONS sip:a SIP/2.0\r\n\r\n", true, false),
            (b"Jul 1 gw: OPTIONS sip:a SIP/2.0\n", false, false),
            (b"OPTIONS sip:a SIP/2.0\r\nTo: sip:a\r\n\r\n", true, true),
            (b"OPTIONS sip:a b SIP/2.0\r\nTo: sip:a\r\n\r\n", true, true),
        ] {
            let shown = String::from_utf8_lossy(bytes);
            assert_eq!(read_message(bytes, true).is_some(), datagram, "{shown}");
            assert_eq!(read_message(bytes, false).is_some(), text, "{shown}");
        }
    }
}
