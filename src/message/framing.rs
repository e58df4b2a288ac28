//! Datagrams and streams to whole messages (RFC 3261 §18.3), and the account of every frame.
//!
//! SIP is found by content: a start line and at least one header that every message carries. In a
//! datagram a start line that no other text resembles is enough.

use super::account::{Account, Accounts, Unsettled};
use super::boundary::{Next, find_start, next_message, read_message};
use super::stamp::Stamp;
use super::{Flaw, Head, inferred, start_line};
use crate::input::Origin;
use crate::layers::dns::{self, DnsAnswer};
use crate::layers::rtp::{self, RtpHeader};
use crate::layers::{
    At, Flow, IcmpError, Segment, Sink, StreamId, Wire, address_bits, checksum, payload,
};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::net::SocketAddr;

/// Bytes of unfinished messages held over all streams.
const MOST_HELD: usize = 64 * 1024 * 1024;
/// Holes remembered of a stream of which it is not known what it is.
const MOST_HOLES: usize = 16;
/// SIP flows remembered so that their keep-alives, and what becomes of their connections, are known.
const MOST_FLOWS: usize = 65_536;
/// Ports of SIP over TCP and TLS (RFC 3261 §19.1.2), and those that servers take beside them.
pub const SIP_PORTS: [u16; 4] = [5060, 5061, 5080, 5081];
/// Ports of WebSocket over TLS, which may carry SIP or anything else.
const WEB_PORTS: [u16; 4] = [443, 7443, 8089, 8443];
/// Those that are found without a look at all of them.
const LAST_FLOWS: usize = 4096;

/// Takes messages in the order in which they became complete.
pub trait Receive {
    /// One message.
    fn message(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]);
    /// Something that is no message and may say what became of one.
    fn beside(&mut self, at: &At, beside: Beside<'_>);
}

/// What is seen beside messages.
#[derive(Debug)]
pub enum Beside<'a> {
    /// An ICMP error, which quotes the beginning of a packet.
    Icmp(&'a IcmpError<'a>),
    /// The answer of a name server.
    Dns(DnsAnswer),
    /// A packet of media.
    Rtp(&'a Flow, RtpHeader),
    /// Something happened to a TCP connection that carries SIP, or would.
    Wire(&'a Flow, Wire),
    /// A datagram between two ends of SIP that is none: as a rule it keeps the way open
    /// (RFC 5626 §4.4).
    KeepAlive(&'a Flow),
}

/// Cuts what the layers deliver into messages and keeps the accounts.
pub struct Framer<R> {
    receive: R,
    accounts: Accounts,
    streams: HashMap<StreamId, Stream, RandomState>,
    /// Hashes of the two ends of SIP flows.
    flows: HashSet<u64, RandomState>,
    /// The last of them.
    last_flows: Box<[u64; LAST_FLOWS]>,
    hash: RandomState,
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
    /// A message was read from it.
    carried: bool,
    /// Holes before it was known what the stream is: bytes, the frame behind.
    holes: Vec<(u64, Origin)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Verdict {
    #[default]
    Unknown,
    Sip,
    Other(&'static str),
}

impl<R: Receive> Framer<R> {
    /// A framer that gives its messages to `receive`.
    pub fn new(receive: R) -> Framer<R> {
        Framer {
            receive,
            accounts: Accounts::default(),
            streams: HashMap::default(),
            flows: HashSet::default(),
            last_flows: Box::new([0; LAST_FLOWS]),
            hash: RandomState::default(),
            held: 0,
            last: None,
        }
    }

    /// Takes a message that a log holds.
    pub fn text(&mut self, mut stamp: Stamp, bytes: &[u8]) {
        if let Some(head) = read_message(bytes, false) {
            inferred::complete(&mut stamp, &head, bytes);
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
        (self.accounts.0, self.receive)
    }

    fn account(&mut self, input: u16) -> &mut Account {
        self.accounts.of(input)
    }

    fn emit(&mut self, at: At, flow: &Flow, head: &Head, raw: &[u8]) {
        let part = match self.last {
            Some((origin, part)) if origin == at.origin => part.saturating_add(1),
            _ => 0,
        };
        self.last = Some((at.origin, part));
        self.account(at.origin.input).sip_messages += 1;
        let stamp = Stamp::of_frame(&at, flow, part);
        self.receive.message(&stamp, head, raw);
    }

    fn remember(&mut self, flow: &Flow) {
        let ends = self.ends(flow);
        let place = self.last_flows.get_mut(ends as usize % LAST_FLOWS);
        if place.is_some_and(|known| std::mem::replace(known, ends) == ends) {
            return;
        }
        if self.flows.len() < MOST_FLOWS {
            self.flows.insert(ends);
        }
    }

    // A connection, and the two ends that SIP was seen at: one may be asked for a further one.
    fn remember_connection(&mut self, flow: &Flow) {
        self.remember(flow);
        for end in [flow.source, flow.destination] {
            if self.flows.len() < MOST_FLOWS {
                self.flows.insert(self.end(end));
            }
        }
    }

    fn end(&self, end: SocketAddr) -> u64 {
        self.hash.hash_one(address_bits(end))
    }

    fn carries_sip(&self, flow: &Flow, wire: &Wire) -> bool {
        let known = |end: SocketAddr| {
            SIP_PORTS.contains(&end.port()) || self.flows.contains(&self.end(end))
        };
        match wire {
            // Where it leads to counts: who asks may do so from any port.
            Wire::Unanswered { .. } | Wire::Opened | Wire::Refused { .. } | Wire::Tls(_) => {
                known(flow.destination)
            }
            Wire::Sealed { .. } => {
                known(flow.destination) || WEB_PORTS.contains(&flow.destination.port())
            }
            _ => self.flows.contains(&self.ends(flow)),
        }
    }

    // The same for both directions.
    fn ends(&self, flow: &Flow) -> u64 {
        let (a, b) = (address_bits(flow.source), address_bits(flow.destination));
        self.hash.hash_one((a.min(b), a.max(b)))
    }

    /// Cuts `data` into messages; gives how many bytes are done with.
    fn cut(&mut self, at: At, flow: &Flow, stream: &mut Stream, data: &[u8]) -> usize {
        let mut done = 0;
        loop {
            let rest = data.get(done..).unwrap_or_default();
            let blank = blank(rest);
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
                    Ok(start) => {
                        done += start;
                        stream.resync = false;
                        stream.verdict = Verdict::Sip;
                        continue;
                    }
                    // The rest of a message whose beginning is lost.
                    Err(skip) => {
                        self.give_up(
                            stream,
                            "framing-lost",
                            "the rest of a message of which a part is lost",
                        );
                        return done + skip;
                    }
                }
            }
            match next_message(rest, &mut stream.searched) {
                Next::Message(head, length) => {
                    if !std::mem::replace(&mut stream.carried, true) {
                        self.remember_connection(flow);
                    }
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
                Next::Skip(length) if stream.verdict == Verdict::Sip => {
                    self.give_up(
                        stream,
                        "framing-lost",
                        "bytes between messages that begin no message",
                    );
                    stream.resync = true;
                    done += length;
                }
                // A capture begun, or a connection whose beginning is lost, inside a message.
                Next::Skip(_) if is_inside(rest) => {
                    let detail = "the capture begins inside a message";
                    self.give_up(stream, "begun-inside", detail);
                    stream.verdict = Verdict::Sip;
                    stream.resync = true;
                }
                Next::Skip(_) => {
                    stream.verdict = Verdict::Other(flow.transport.name());
                    self.settle_as(stream);
                    return data.len();
                }
            }
        }
    }

    fn settle_as(&mut self, stream: &mut Stream) {
        let verdict = stream.verdict;
        for open in [&mut stream.open, &mut stream.early] {
            open.settle(&mut self.accounts, |account, frames, _| match verdict {
                Verdict::Other(protocol) => account.add_other(protocol, frames),
                Verdict::Unknown => account.add_other("tcp", frames),
                Verdict::Sip => account.sip_frames += u64::from(frames),
            });
        }
    }

    fn count_holes(&mut self, stream: &mut Stream) {
        for (missing, origin) in stream.holes.drain(..) {
            self.account(origin.input).add_gap(missing, origin.place);
        }
    }

    fn settle_as_sip(&mut self, stream: &mut Stream) {
        if !stream.holes.is_empty() {
            self.count_holes(stream);
        }
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

// Are these lines of a SIP message without its start line? Other protocols may carry SIP as text,
// but not from their first line on.
fn is_inside(bytes: &[u8]) -> bool {
    const HEADERS: [&[u8]; 3] = [b"\nCSeq:", b"\nCall-ID:", b"\nVia: SIP/2.0/"];
    const OTHERS: [&[u8]; 5] = [b"HTTP/", b"GET ", b"POST ", b"PUT ", b"HEP3"];
    let head = bytes.get(..2048).unwrap_or(bytes);
    !OTHERS.iter().any(|other| head.starts_with(other))
        && HEADERS
            .iter()
            .any(|header| memchr::memmem::find(head, header).is_some())
}

/// Line ends at the beginning.
fn blank(bytes: &[u8]) -> usize {
    let ends = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    ends.count()
}

impl<R: Receive> Sink for Framer<R> {
    fn datagram(&mut self, at: At, flow: &Flow, bytes: &[u8], cut: bool) {
        let start = blank(bytes);
        let sip = bytes.get(start..).unwrap_or_default();
        if let Some(mut head) = read_message(sip, true) {
            if cut {
                head.flaws.add(Flaw::CutByCapture);
                self.account(at.origin.input).cut_messages += 1;
            } else if !head.flaws.is_empty() {
                let damaged = !checksum::may_fit(at.checksum, flow, bytes);
                head.flaws.add_if(damaged, Flaw::Damaged);
            }
            self.remember(flow);
            self.account(at.origin.input).sip_frames += u64::from(at.frames);
            self.emit(at, flow, &head, sip);
            return;
        }
        let keep_alive = bytes.len() <= 4 && bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0));
        if keep_alive && self.flows.contains(&self.ends(flow)) {
            self.account(at.origin.input).sip_frames += u64::from(at.frames);
            self.receive.beside(&at, Beside::KeepAlive(flow));
            return;
        }
        match payload::name_payload(flow, bytes) {
            "hep" => self.not_decoded(at, "hep", "a HEP packet that cannot be read"),
            "rtp" => {
                self.account(at.origin.input).add_other("rtp", at.frames);
                if let Some(header) = rtp::header(bytes) {
                    self.receive.beside(&at, Beside::Rtp(flow, header));
                }
            }
            protocol @ ("dns" | "mdns") => {
                self.account(at.origin.input).add_other(protocol, at.frames);
                if let Some(answer) = dns::answer(bytes) {
                    self.receive.beside(&at, Beside::Dns(answer));
                }
            }
            protocol => {
                self.account(at.origin.input).add_other(protocol, at.frames);
                if self.flows.contains(&self.ends(flow)) {
                    self.receive.beside(&at, Beside::KeepAlive(flow));
                }
            }
        }
    }

    fn message(&mut self, at: At, flow: &Flow, bytes: &[u8], cut: bool) -> Option<&'static str> {
        let start = blank(bytes);
        let sip = bytes.get(start..).unwrap_or_default();
        let Some(mut head) = read_message(sip, true) else {
            return Some(payload::name_payload(flow, bytes));
        };
        if cut {
            head.flaws.add(Flaw::CutByCapture);
            self.account(at.origin.input).cut_messages += 1;
        }
        if flow.transport.is_reliable() {
            self.remember_connection(flow);
        }
        self.emit(at, flow, &head, sip);
        None
    }

    fn wire(&mut self, at: At, flow: &Flow, wire: Wire) {
        if self.carries_sip(flow, &wire) {
            self.receive.beside(&at, Beside::Wire(flow, wire));
        }
    }

    fn carried(&mut self, at: At) {
        self.account(at.origin.input).sip_frames += u64::from(at.frames);
    }

    fn segment(&mut self, at: At, id: StreamId, _: &Flow, what: Segment) {
        let stream = self.streams.entry(id).or_default();
        match (stream.verdict, what) {
            (Verdict::Other(protocol), _) => {
                self.account(at.origin.input).add_other(protocol, at.frames)
            }
            (Verdict::Sip, Segment::Resent) => {
                self.account(at.origin.input).sip_frames += u64::from(at.frames)
            }
            (_, Segment::Early) => stream.early.add(at),
            _ => stream.open.add(at),
        }
    }

    fn bytes(&mut self, at: At, id: StreamId, flow: &Flow, bytes: &[u8]) {
        // Wrapped bytes may come after the account of their frames.
        let mut stream = self.streams.remove(&id).unwrap_or_default();
        match stream.verdict {
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

    fn gap(&mut self, at: At, id: StreamId, _: &Flow, missing: u64) {
        // The account of its first frames may still be open in the layers.
        let mut stream = self.streams.remove(&id).unwrap_or_default();
        if stream.holes.len() < MOST_HOLES {
            stream.holes.push((missing, at.origin));
        }
        if stream.verdict == Verdict::Sip || start_line::parse(&stream.buffer).is_some() {
            self.count_holes(&mut stream);
        }
        if !stream.buffer.is_empty() {
            self.give_up(
                &mut stream,
                "tcp-gap",
                &format!("{missing} bytes of the stream were not captured"),
            );
            if start_line::parse(&stream.buffer).is_some() {
                stream.verdict = Verdict::Sip;
            }
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
        let begins = start_line::parse(&stream.buffer).is_some();
        if stream.verdict == Verdict::Sip || (stream.verdict == Verdict::Unknown && begins) {
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

    fn icmp_error(&mut self, at: At, error: &IcmpError<'_>) {
        self.account(at.origin.input)
            .add_other(error.protocol, at.frames);
        self.receive.beside(&at, Beside::Icmp(error));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Origin;

    struct Count(usize);

    impl Receive for Count {
        fn message(&mut self, _: &Stamp, _: &Head, _: &[u8]) {
            self.0 += 1;
        }
        fn beside(&mut self, _: &At, _: Beside<'_>) {}
    }

    const OPTIONS: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
        Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

    /// Messages read, and the account, of a stream that brings these segments.
    fn stream(segments: &[&[u8]]) -> (usize, Account) {
        let mut framer = Framer::new(Count(0));
        let address: std::net::SocketAddr = "192.0.2.1:5060".parse().unwrap();
        let flow = Flow {
            source: address,
            destination: address,
            transport: crate::layers::Transport::Tcp,
        };
        for (place, bytes) in (1..).zip(segments) {
            let origin = Origin { input: 0, place };
            let at = At::new(origin, None);
            framer.segment(at, StreamId(0), &flow, Segment::InOrder);
            framer.bytes(at, StreamId(0), &flow, bytes);
        }
        let (mut accounts, count) = framer.finish();
        (count.0, accounts.remove(0))
    }

    #[test]
    fn after_lost_framing_the_next_message_is_found() {
        for junk in [
            &b"nothing of SIP\r\n"[..],
            b"INVITE sip:a SIP/2.0\r\nVia: x\r\nContent-Length: 99999999\r\n\r\n",
            b"A b SIP/2.0\nA b SIP/2.0\nno header\n",
            b"INVITE sip:a SIP/2.0\r\nSubject: none that matters\r\n\r\n",
        ] {
            let (messages, account) = stream(&[OPTIONS, junk, OPTIONS]);
            assert_eq!(
                (messages, account.total()),
                (2, 3),
                "{}",
                String::from_utf8_lossy(junk)
            );
        }
    }

    #[test]
    fn a_message_is_put_together_from_single_bytes() {
        let bytes: Vec<&[u8]> = OPTIONS.chunks(1).collect();
        let (messages, account) = stream(&bytes);
        assert_eq!((messages, account.sip_frames), (1, OPTIONS.len() as u64));
    }

    #[test]
    fn hostile_streams_cost_time_in_proportion_to_their_length() {
        let lines = b"A b SIP/2.0\n".repeat(100);
        let one_line = b"SIP/2.0 ".repeat(150);
        let folds = b"INVITE sip:a SIP/2.0\r\n x\n x\n".repeat(50);
        for segment in [&lines[..], &one_line, &folds, b"x"] {
            let mut segments = vec![OPTIONS];
            segments.extend(std::iter::repeat_n(segment, 3000));
            let (messages, account) = stream(&segments);
            assert_eq!((messages, account.total()), (1, 3001));
        }
    }
}
