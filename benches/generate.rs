//! Writes the captures that `compare.sh` measures with.
//!
//!     generate sip-heavy FILE [--calls 250000]
//!     generate rtp-heavy FILE [--calls 1750]
//!     generate pjsip-log FILE [--calls 132000]
//!
//! The same arguments always give the same bytes: every random choice comes from a fixed seed, and
//! no floating point is used. Only the calls in progress are held in memory.
//!
//! The first two are classic pcap files (microseconds, little-endian, Ethernet, IPv4, UDP without checksum).
//! 200 callers in 192.0.2.0/24 and 203.0.113.0/24 call through 40 gateways in 198.51.100.0/24.
//!
//! `sip-heavy` starts about 1 000 calls a second. With the default of 250 000 calls it holds
//! exactly 1 475 000 messages, because these shares are dealt out exactly:
//!
//! | kind             | share  | messages | what happens                                             |
//! |------------------|--------|----------|----------------------------------------------------------|
//! | answered         | 50 %   | 7        | INVITE 100 180 200 ACK BYE 200                           |
//! | wrong-password   | 5.95 % | 6        | INVITE 401 or 407 ACK, INVITE with credentials 403 ACK   |
//! | not-found        | 5.95 % | 3        | INVITE 404 ACK                                           |
//! | busy             | 5.95 % | 5        | INVITE 100 180 486 ACK                                   |
//! | cancelled        | 5.95 % | 7        | INVITE 100 180 CANCEL 200 487 ACK                        |
//! | codec            | 5.95 % | 3        | INVITE with G.729 only, 488 with Warning 304 or 305, ACK |
//! | overloaded       | 5.95 % | 3        | INVITE 503 with Retry-After and Reason cause 34, ACK     |
//! | unwanted         | 5.95 % | 4        | INVITE with Identity, 100 607 ACK                        |
//! | unavailable      | 5.95 % | 5        | INVITE 100 180 or 183, 480 ACK                           |
//! | silent           | 1.40 % | 7        | INVITE and its six retransmissions, nothing else         |
//! | unacknowledged   | 1 %    | 16       | INVITE 100 180 200, ten copies of it, BYE 200            |
//!
//! The last two are fewer than the others so that the total stays what it is. In the last one the
//! 200 carries a private Contact, to which the ACK is lost. Nothing else is ever retransmitted.
//!
//! `rtp-heavy` holds answered calls only, each with 10 to 20 seconds of G.711 in both directions,
//! 50 packets a second each, without loss and with up to 2 ms of jitter.
//!
//! `pjsip-log` holds the calls of `sip-heavy` as Asterisk logs them (`pjsip set logger on`, with dates
//! and milliseconds): the gateways are the Asterisk, and nearly every line is one of a message.

#![allow(
    clippy::print_stdout,
    reason = "a program of its own, whose summary is meant for the terminal"
)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};

const USAGE: &str = "usage: generate sip-heavy FILE [--calls 250000]
       generate rtp-heavy FILE [--calls 1750]
       generate pjsip-log FILE [--calls 132000]";

const MILLISECOND: u64 = 1_000;
const SECOND: u64 = 1_000 * MILLISECOND;
/// 2026-03-16 12:00:00 UTC, when the first call may begin.
const CAPTURE_START: u64 = 1_773_662_400 * SECOND;
const SEED: u64 = 0x5349_5045_5850_4C4E;
const GATEWAYS: usize = 40;
const CALLERS: usize = 200;
/// What fits into one Ethernet frame after the IPv4 and UDP headers.
const MOST_PAYLOAD: usize = 1_472;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds `--bench` to whatever the user wrote.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (kind, path, calls) = match words[..] {
        [] => {
            println!("{USAGE}");
            return Ok(());
        }
        [kind, path] => (kind, path, None),
        [kind, path, "--calls", calls] => (kind, path, Some(calls.parse::<u64>()?)),
        _ => return Err(USAGE.into()),
    };
    let plan = match kind {
        "sip-heavy" => Plan::sip_heavy(calls.unwrap_or(250_000)),
        "rtp-heavy" => Plan::rtp_heavy(calls.unwrap_or(1_750)),
        "pjsip-log" => Plan {
            form: Form::PjsipLog,
            ..Plan::sip_heavy(calls.unwrap_or(132_000))
        },
        _ => return Err(USAGE.into()),
    };
    let summary = generate(
        &plan,
        BufWriter::with_capacity(1 << 20, File::create(path)?),
    )?;
    println!(
        "{} bytes, {} frames, {} SIP messages",
        summary.bytes, summary.frames, summary.messages
    );
    for (kind, count) in KINDS
        .iter()
        .zip(summary.calls)
        .filter(|(_, count)| *count > 0)
    {
        println!("{count:>8} calls {}", kind.name);
    }
    Ok(())
}

// ---------------------------------------------------------------------------------------------
// What is to be generated

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answered,
    WrongPassword,
    NotFound,
    Busy,
    Cancelled,
    Codec,
    Overloaded,
    Unwanted,
    Unavailable,
    Silent,
    Unacknowledged,
}

struct KindInfo {
    kind: Kind,
    name: &'static str,
    /// Of 10 000 calls.
    share: u64,
}

const fn kind(kind: Kind, name: &'static str, share: u64) -> KindInfo {
    KindInfo { kind, name, share }
}

const KINDS: [KindInfo; 11] = [
    kind(Kind::Answered, "answered", 5_000),
    kind(Kind::WrongPassword, "wrong-password", 595),
    kind(Kind::NotFound, "not-found", 595),
    kind(Kind::Busy, "busy", 595),
    kind(Kind::Cancelled, "cancelled", 595),
    kind(Kind::Codec, "codec", 595),
    kind(Kind::Overloaded, "overloaded", 595),
    kind(Kind::Unwanted, "unwanted", 595),
    kind(Kind::Unavailable, "unavailable", 595),
    kind(Kind::Silent, "silent", 140),
    kind(Kind::Unacknowledged, "unacknowledged", 100),
];

struct Plan {
    /// How many calls of each of [`KINDS`].
    calls: [u64; KINDS.len()],
    /// Mean microseconds from one new call to the next.
    interarrival: u64,
    media: bool,
    form: Form,
}

/// What the messages are written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Pcap,
    PjsipLog,
}

impl Plan {
    fn sip_heavy(calls: u64) -> Self {
        let mut each = [0; KINDS.len()];
        for (count, kind) in each.iter_mut().zip(&KINDS) {
            *count = calls * kind.share / 10_000;
        }
        // What rounding left over is answered.
        each[0] += calls - each.iter().sum::<u64>();
        Self {
            calls: each,
            interarrival: MILLISECOND,
            media: false,
            form: Form::Pcap,
        }
    }

    fn rtp_heavy(calls: u64) -> Self {
        let mut each = [0; KINDS.len()];
        each[0] = calls;
        Self {
            calls: each,
            interarrival: 40 * MILLISECOND,
            media: true,
            form: Form::Pcap,
        }
    }
}

// ---------------------------------------------------------------------------------------------
// The clock: the next event of every call in progress, the earliest first

struct Summary {
    bytes: u64,
    frames: u64,
    messages: u64,
    calls: [u64; KINDS.len()],
}

/// What is due for a call in progress: its next message, or the next packet of one of its two streams.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Message,
    Media(usize),
}

struct Live {
    call: Call,
    script: Vec<Step>,
    next: usize,
    streams: [Stream; 2],
    /// Entries in the heap that point here.
    pending: u32,
}

fn generate<W: Write>(plan: &Plan, output: W) -> io::Result<Summary> {
    let mut random = Random(SEED);
    let mut capture = Capture::new(output, plan.form)?;
    let mut noise = vec![0_u8; 1 << 16];
    noise.fill_with(|| random.next() as u8);

    let mut left = plan.calls;
    let mut arrival = CAPTURE_START;
    let mut live: Vec<Option<Live>> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    // Time, then the order of entry, so that ties are deterministic.
    let mut events: BinaryHeap<Reverse<(u64, u64, usize, Due)>> = BinaryHeap::new();
    let mut order = 0_u64;
    let mut messages = 0;
    let mut payload = Vec::with_capacity(2 * MOST_PAYLOAD);

    loop {
        let remaining: u64 = left.iter().sum();
        let earliest = events.peek().map(|Reverse(event)| event.0);
        if remaining > 0 && earliest.is_none_or(|time| arrival <= time) {
            // Drawn without replacement, so that the shares come out exactly.
            let mut draw = random.below(remaining);
            let mut chosen = 0;
            while draw >= left[chosen] {
                draw -= left[chosen];
                chosen += 1;
            }
            left[chosen] -= 1;
            let call = Call::new(KINDS[chosen].kind, arrival, &mut random);
            let (script, streams) = call.script(plan.media, &mut random);
            let slot = free.pop().unwrap_or(live.len());
            if slot == live.len() {
                live.push(None);
            }
            order += 1;
            events.push(Reverse((arrival, order, slot, Due::Message)));
            let mut pending = 1;
            if plan.media {
                for (lane, stream) in streams.iter().enumerate() {
                    order += 1;
                    pending += 1;
                    events.push(Reverse((stream.start, order, slot, Due::Media(lane))));
                }
            }
            live[slot] = Some(Live {
                call,
                script,
                next: 0,
                streams,
                pending,
            });
            arrival += random.exponential(plan.interarrival);
            continue;
        }

        let Some(Reverse((time, _, slot, due))) = events.pop() else {
            break;
        };
        let Some(entry) = live[slot].as_mut() else {
            continue;
        };
        payload.clear();
        let again = match due {
            Due::Message => {
                let message = entry.script[entry.next].message;
                entry.next += 1;
                entry.call.write(message, &mut payload)?;
                let (from, to) = entry.call.direction(message);
                capture.frame(time, (from, 5060), (to, 5060), &payload)?;
                messages += 1;
                entry.script.get(entry.next).map(|step| step.at)
            }
            Due::Media(lane) => {
                let ends = [entry.call.caller_media(), entry.call.gateway_media()];
                let stream = &mut entry.streams[lane];
                stream.packet(&noise, &mut random, &mut payload);
                capture.frame(time, ends[lane], ends[1 - lane], &payload)?;
                stream.next_time(&mut random)
            }
        };
        match again {
            Some(at) => {
                order += 1;
                events.push(Reverse((at, order, slot, due)));
            }
            None => {
                entry.pending -= 1;
                if entry.pending == 0 {
                    live[slot] = None;
                    free.push(slot);
                }
            }
        }
    }
    capture.output.flush()?;
    Ok(Summary {
        bytes: capture.bytes,
        frames: capture.frames,
        messages,
        calls: plan.calls,
    })
}

// ---------------------------------------------------------------------------------------------
// One call: what is sent when

struct Step {
    at: u64,
    message: Message,
}

/// The attempt tells the first INVITE from the second, which has credentials.
#[derive(Clone, Copy)]
enum Message {
    Invite(u64),
    Trying,
    Ringing,
    Answer,
    Ack,
    Bye,
    ByeOk,
    Cancel,
    CancelOk,
    Refusal(u64),
    RefusalAck(u64),
}

/// Everything that is sent is a function of these, so that a retransmission has the same bytes.
struct Call {
    kind: Kind,
    seed: u64,
    start: u64,
    /// Indices of hosts.
    caller: usize,
    gateway: usize,
    callee_hangs_up: bool,
}

impl Call {
    fn new(kind: Kind, start: u64, random: &mut Random) -> Self {
        Self {
            kind,
            seed: random.next(),
            start,
            caller: GATEWAYS + random.below(CALLERS as u64) as usize,
            gateway: random.below(GATEWAYS as u64) as usize,
            callee_hangs_up: kind == Kind::Unacknowledged || random.below(3) == 0,
        }
    }

    fn script(&self, media: bool, random: &mut Random) -> (Vec<Step>, [Stream; 2]) {
        let mut script = Script {
            steps: Vec::with_capacity(8),
            time: self.start,
        };
        let mut streams = [Stream::default(), Stream::default()];
        let ring = (SECOND / 2, 6 * SECOND);
        script.send(Message::Invite(1));
        match self.kind {
            Kind::Answered => {
                script.trying_and_ringing(random);
                script.after(ring, random).send(Message::Answer);
                script.quickly(random).send(Message::Ack);
                let answered = script.time;
                let talk = if media {
                    (10 * SECOND, 20 * SECOND)
                } else if random.below(100) < 8 {
                    (60 * SECOND, 180 * SECOND)
                } else {
                    (SECOND, 20 * SECOND)
                };
                script.after(talk, random).send(Message::Bye);
                for stream in &mut streams {
                    *stream = Stream::new(answered, script.time, random);
                }
                script.quickly(random).send(Message::ByeOk);
            }
            Kind::WrongPassword => {
                script.quickly(random).send(Message::Refusal(1));
                script.quickly(random).send(Message::RefusalAck(1));
                script.quickly(random).send(Message::Invite(2));
                script.refuse(2, random);
            }
            Kind::NotFound | Kind::Codec | Kind::Overloaded => script.refuse(1, random),
            Kind::Busy => {
                script.trying_and_ringing(random);
                script.after(ring, random).refuse(1, random);
            }
            Kind::Cancelled => {
                script.trying_and_ringing(random);
                script
                    .after((2 * SECOND, 25 * SECOND), random)
                    .send(Message::Cancel);
                script.quickly(random).send(Message::CancelOk);
                script.refuse(1, random);
            }
            Kind::Unwanted => {
                script.quickly(random).send(Message::Trying);
                script.after((SECOND, 5 * SECOND), random).refuse(1, random);
            }
            Kind::Unavailable => {
                script.trying_and_ringing(random);
                script
                    .after((10 * SECOND, 30 * SECOND), random)
                    .refuse(1, random);
            }
            Kind::Silent => script.copies(
                Message::Invite(1),
                &[500, 1_500, 3_500, 7_500, 15_500, 31_500],
            ),
            Kind::Unacknowledged => {
                script.trying_and_ringing(random);
                script.after(ring, random).send(Message::Answer);
                let copies = [
                    500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
                ];
                script.copies(Message::Answer, &copies);
                script.time += SECOND / 2;
                script.send(Message::Bye);
                script.quickly(random).send(Message::ByeOk);
            }
        }
        (script.steps, streams)
    }

    fn direction(&self, message: Message) -> (usize, usize) {
        let from_caller = match message {
            Message::Invite(_) | Message::Ack | Message::Cancel | Message::RefusalAck(_) => true,
            Message::Bye => !self.callee_hangs_up,
            Message::ByeOk => self.callee_hangs_up,
            _ => false,
        };
        if from_caller {
            (self.caller, self.gateway)
        } else {
            (self.gateway, self.caller)
        }
    }

    fn caller_media(&self) -> (usize, u16) {
        (self.caller, media_port(self.token(20)))
    }

    fn gateway_media(&self) -> (usize, u16) {
        (self.gateway, media_port(self.token(21)))
    }

    /// A number that belongs to this call and this purpose.
    fn token(&self, purpose: u64) -> u64 {
        Random(self.seed ^ (purpose << 56)).next()
    }
}

struct Script {
    steps: Vec<Step>,
    time: u64,
}

impl Script {
    fn send(&mut self, message: Message) {
        self.steps.push(Step {
            at: self.time,
            message,
        });
    }

    fn after(&mut self, (least, most): (u64, u64), random: &mut Random) -> &mut Self {
        self.time += least + random.below(most - least);
        self
    }

    /// A machine answers.
    fn quickly(&mut self, random: &mut Random) -> &mut Self {
        self.after((2 * MILLISECOND, 40 * MILLISECOND), random)
    }

    fn trying_and_ringing(&mut self, random: &mut Random) {
        self.quickly(random).send(Message::Trying);
        self.after((50 * MILLISECOND, 400 * MILLISECOND), random)
            .send(Message::Ringing);
    }

    fn refuse(&mut self, attempt: u64, random: &mut Random) {
        self.quickly(random).send(Message::Refusal(attempt));
        self.quickly(random).send(Message::RefusalAck(attempt));
    }

    /// Retransmissions, in milliseconds from now; leaves the time at the last.
    fn copies(&mut self, message: Message, milliseconds: &[u64]) {
        let first = self.time;
        for after in milliseconds {
            self.time = first + after * MILLISECOND;
            self.send(message);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// One call: the bytes of its messages

const NAMES: [&str; 12] = [
    "Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi", "Ivan", "Judy", "Mallory",
    "Niaj",
];
const USER_AGENTS: [&str; 5] = [
    "ExamplePhone/96.86.0.100",
    "Example Softphone 5.21.3",
    "ExampleDesk/6.3.14",
    "Example-ATA/1.4.4",
    "ExamplePBX 20.5.2",
];
const SERVERS: [&str; 4] = [
    "ExampleGW/7.40A.250",
    "Example SBC 9.2.0",
    "ExampleProxy (5.8.1)",
    "Example-MGW/15.6",
];
const ALLOW: &str = "INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO, UPDATE";

/// The request that a message is, or answers.
struct Transaction {
    from_caller: bool,
    branch: u64,
    cseq: u64,
    method: &'static str,
    to_tag: Option<u64>,
}

impl Call {
    fn write(&self, message: Message, out: &mut Vec<u8>) -> io::Result<()> {
        match message {
            Message::Invite(attempt) => self.invite(attempt, out),
            Message::Trying => self.respond(
                "100 Trying",
                &self.invite_transaction(1, false),
                out,
                "",
                None,
            ),
            Message::Ringing => self.ringing(out),
            Message::Answer => self.answer(out),
            Message::Ack => {
                let acknowledged = self.invite_transaction(1, true);
                let transaction = Transaction {
                    branch: self.token(3),
                    method: "ACK",
                    ..acknowledged
                };
                self.request(&transaction, out)?;
                finish(out, None)
            }
            Message::RefusalAck(attempt) => {
                let transaction = Transaction {
                    method: "ACK",
                    ..self.invite_transaction(attempt, true)
                };
                self.request(&transaction, out)?;
                finish(out, None)
            }
            Message::Bye => {
                self.request(&self.bye_transaction(), out)?;
                let (name, agent) = if self.callee_hangs_up {
                    ("Server", self.server())
                } else {
                    ("User-Agent", self.user_agent())
                };
                write!(out, "{name}: {agent}\r\n")?;
                finish(out, None)
            }
            Message::ByeOk => self.respond("200 OK", &self.bye_transaction(), out, "", None),
            Message::Cancel => {
                self.request(&self.cancel_transaction(false), out)?;
                write!(out, "User-Agent: {}\r\n", self.user_agent())?;
                finish(out, None)
            }
            Message::CancelOk => {
                self.respond("200 OK", &self.cancel_transaction(true), out, "", None)
            }
            Message::Refusal(attempt) => self.refusal(attempt, out),
        }
    }

    fn invite(&self, attempt: u64, out: &mut Vec<u8>) -> io::Result<()> {
        self.request(&self.invite_transaction(attempt, false), out)?;
        let (number, caller) = (Number(self.token(30)), Address(self.caller));
        write!(
            out,
            "Contact: <sip:{number}@{caller}:5060;transport=udp>\r\n"
        )?;
        write!(
            out,
            "User-Agent: {}\r\nAllow: {ALLOW}\r\n",
            self.user_agent()
        )?;
        write!(
            out,
            "Supported: timer, replaces\r\nSession-Expires: 1800\r\nMin-SE: 90\r\n"
        )?;
        write!(
            out,
            "P-Asserted-Identity: <sip:{number}@example.net;user=phone>\r\n"
        )?;
        if attempt == 2 {
            self.credentials(out)?;
        }
        if self.kind == Kind::Unwanted {
            self.identity(out)?;
        }
        let codecs: &[Codec] = if self.kind == Kind::Codec {
            &[G729]
        } else {
            &[PCMU, PCMA, EVENTS]
        };
        finish(
            out,
            Some(&sdp(self.token(22), self.caller_media(), codecs)?),
        )
    }

    fn ringing(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let transaction = self.invite_transaction(1, true);
        let contact = self.contact();
        if self.kind == Kind::Unavailable && self.seed & 1 == 1 {
            let body = sdp(self.token(23), self.gateway_media(), &[PCMU, EVENTS])?;
            self.respond(
                "183 Session Progress",
                &transaction,
                out,
                &contact,
                Some(&body),
            )
        } else {
            self.respond("180 Ringing", &transaction, out, &contact, None)
        }
    }

    fn answer(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let contact = if self.kind == Kind::Unacknowledged {
            format!(
                "Contact: <sip:{}@10.20.0.{}:5060>\r\n",
                Number(self.token(31)),
                self.gateway + 1
            )
        } else {
            self.contact()
        };
        let headers = format!(
            "{contact}Allow: {ALLOW}\r\nSupported: timer, replaces\r\nRequire: timer\r\nSession-Expires: 1800;refresher=uac\r\n"
        );
        let body = sdp(self.token(23), self.gateway_media(), &[PCMU, EVENTS])?;
        self.respond(
            "200 OK",
            &self.invite_transaction(1, true),
            out,
            &headers,
            Some(&body),
        )
    }

    fn refusal(&self, attempt: u64, out: &mut Vec<u8>) -> io::Result<()> {
        let odd = self.seed & 1 == 1;
        let allow = format!("Allow: {ALLOW}\r\n");
        let (status, headers) = match self.kind {
            Kind::WrongPassword if attempt == 1 => {
                let (status, name) = if odd {
                    ("407 Proxy Authentication Required", "Proxy-Authenticate")
                } else {
                    ("401 Unauthorized", "WWW-Authenticate")
                };
                let nonce = self.token(40);
                let challenge = format!(
                    "{name}: Digest realm=\"example.net\", nonce=\"{nonce:016x}\", algorithm=MD5, qop=\"auth\"\r\n"
                );
                (status, challenge)
            }
            Kind::WrongPassword => ("403 Forbidden", allow),
            Kind::NotFound => {
                let reason = "Reason: Q.850;cause=1;text=\"Unallocated (unassigned) number\"\r\n";
                ("404 Not Found", format!("{allow}{reason}"))
            }
            Kind::Busy => (
                "486 Busy Here",
                format!("{allow}Reason: Q.850;cause=17;text=\"User busy\"\r\n"),
            ),
            Kind::Cancelled => ("487 Request Terminated", allow),
            Kind::Codec => {
                let (code, text) = if odd {
                    (304, "Media type not available")
                } else {
                    (305, "Incompatible media format")
                };
                let warning = format!(
                    "Warning: {code} {}:5060 \"{text}\"\r\n",
                    Address(self.gateway)
                );
                (
                    "488 Not Acceptable Here",
                    format!("{allow}Accept: application/sdp\r\n{warning}"),
                )
            }
            Kind::Overloaded => {
                let reason = "Reason: Q.850;cause=34;text=\"No circuit/channel available\"\r\n";
                (
                    "503 Service Unavailable",
                    format!("Retry-After: {}\r\n{reason}", 10 + self.seed % 50),
                )
            }
            Kind::Unwanted => ("607 Unwanted", allow),
            Kind::Unavailable => {
                let reason = "Reason: Q.850;cause=19;text=\"User alerting, no answer\"\r\n";
                ("480 Temporarily Unavailable", format!("{allow}{reason}"))
            }
            Kind::Answered | Kind::Silent | Kind::Unacknowledged => {
                return Err(io::Error::other("a call of this kind is never refused"));
            }
        };
        self.respond(
            status,
            &self.invite_transaction(attempt, true),
            out,
            &headers,
            None,
        )
    }

    /// An answer to the challenge; being random, it is wrong.
    fn credentials(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let name = if self.seed & 1 == 1 {
            "Proxy-Authorization"
        } else {
            "Authorization"
        };
        let (number, nonce, client) = (Number(self.token(30)), self.token(40), self.token(41));
        let (first, second) = (self.token(42), self.token(43));
        write!(
            out,
            "{name}: Digest username=\"{number}\", realm=\"example.net\", nonce=\"{nonce:016x}\", "
        )?;
        write!(out, "uri=\"{}\", ", self.request_uri())?;
        write!(
            out,
            "response=\"{first:016x}{second:016x}\", algorithm=MD5, "
        )?;
        write!(out, "cnonce=\"{client:016x}\", qop=auth, nc=00000001\r\n")
    }

    /// A SHAKEN PASSporT whose signature is random.
    fn identity(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let attestation = ["A", "B", "C"][(self.seed % 3) as usize];
        let header = r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cert.example.net/s.pem"}"#;
        let (from, to) = (
            Number(self.token(30)).digits(),
            Number(self.token(31)).digits(),
        );
        let (first, second) = (self.token(50), self.token(51));
        let claims = format!(
            r#"{{"attest":"{attestation}","dest":{{"tn":["{to}"]}},"iat":{},"orig":{{"tn":"{from}"}},"origid":"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}"}}"#,
            self.start / SECOND,
            first >> 32,
            first >> 16 & 0xFFFF,
            first & 0xFFF,
            second >> 52,
            second & 0xFFFF_FFFF_FFFF
        );
        let mut signature = [0_u8; 64];
        let mut random = Random(self.token(52));
        signature.fill_with(|| random.next() as u8);
        write!(out, "Identity: ")?;
        base64url(header.as_bytes(), out);
        out.push(b'.');
        base64url(claims.as_bytes(), out);
        out.push(b'.');
        base64url(&signature, out);
        write!(
            out,
            ";info=<https://cert.example.net/s.pem>;alg=ES256;ppt=shaken\r\n"
        )
    }

    /// The start line and the headers that every request has.
    fn request(&self, transaction: &Transaction, out: &mut Vec<u8>) -> io::Result<()> {
        if transaction.from_caller {
            write!(
                out,
                "{} {} SIP/2.0\r\n",
                transaction.method,
                self.request_uri()
            )?;
        } else {
            let (number, caller) = (Number(self.token(30)), Address(self.caller));
            write!(
                out,
                "{} sip:{number}@{caller}:5060;transport=udp SIP/2.0\r\n",
                transaction.method
            )?;
        }
        let sender = Address(if transaction.from_caller {
            self.caller
        } else {
            self.gateway
        });
        write!(
            out,
            "Via: SIP/2.0/UDP {sender}:5060;rport;branch=z9hG4bK{:016x}\r\n",
            transaction.branch
        )?;
        write!(out, "Max-Forwards: 70\r\n")?;
        self.dialog(transaction, out)
    }

    fn respond(
        &self,
        status: &str,
        transaction: &Transaction,
        out: &mut Vec<u8>,
        headers: &str,
        body: Option<&[u8]>,
    ) -> io::Result<()> {
        write!(out, "SIP/2.0 {status}\r\n")?;
        let sender = Address(if transaction.from_caller {
            self.caller
        } else {
            self.gateway
        });
        let branch = transaction.branch;
        write!(
            out,
            "Via: SIP/2.0/UDP {sender}:5060;received={sender};rport=5060;branch=z9hG4bK{branch:016x}\r\n"
        )?;
        self.dialog(transaction, out)?;
        let (name, agent) = if transaction.from_caller {
            ("Server", self.server())
        } else {
            ("User-Agent", self.user_agent())
        };
        write!(out, "{name}: {agent}\r\n{headers}")?;
        finish(out, body)
    }

    fn dialog(&self, transaction: &Transaction, out: &mut Vec<u8>) -> io::Result<()> {
        let name = NAMES[(self.token(32) % NAMES.len() as u64) as usize];
        let (from, to) = (Number(self.token(30)), Number(self.token(31)));
        let from_tag = self.token(33) >> 32;
        if transaction.from_caller {
            write!(
                out,
                "From: \"{name}\" <sip:{from}@example.net>;tag={from_tag:08x}\r\nTo: <sip:{to}@example.net>"
            )?;
            if let Some(tag) = transaction.to_tag {
                write!(out, ";tag={tag:08x}")?;
            }
        } else {
            let tag = self.to_tag(1);
            write!(out, "From: <sip:{to}@example.net>;tag={tag:08x}\r\n")?;
            write!(
                out,
                "To: \"{name}\" <sip:{from}@example.net>;tag={from_tag:08x}"
            )?;
        }
        write!(
            out,
            "\r\nCall-ID: {:016x}@{}\r\n",
            self.token(34),
            Address(self.caller)
        )?;
        write!(out, "CSeq: {} {}\r\n", transaction.cseq, transaction.method)
    }

    fn invite_transaction(&self, attempt: u64, tagged: bool) -> Transaction {
        Transaction {
            from_caller: true,
            branch: self.token(attempt),
            cseq: self.first_cseq() + attempt - 1,
            method: "INVITE",
            to_tag: tagged.then(|| self.to_tag(attempt)),
        }
    }

    fn cancel_transaction(&self, tagged: bool) -> Transaction {
        Transaction {
            method: "CANCEL",
            ..self.invite_transaction(1, tagged)
        }
    }

    fn bye_transaction(&self) -> Transaction {
        Transaction {
            from_caller: !self.callee_hangs_up,
            branch: self.token(4),
            cseq: if self.callee_hangs_up {
                1
            } else {
                self.first_cseq() + 1
            },
            method: "BYE",
            to_tag: Some(self.to_tag(1)),
        }
    }

    fn first_cseq(&self) -> u64 {
        [1, 20, 102][self.caller % 3]
    }

    fn to_tag(&self, attempt: u64) -> u64 {
        self.token(10 + attempt) >> 32
    }

    fn request_uri(&self) -> String {
        format!(
            "sip:{}@{}:5060;user=phone",
            Number(self.token(31)),
            Address(self.gateway)
        )
    }

    fn contact(&self) -> String {
        let (number, gateway) = (Number(self.token(31)), Address(self.gateway));
        format!("Contact: <sip:{number}@{gateway}:5060;user=phone>\r\n")
    }

    fn user_agent(&self) -> &'static str {
        USER_AGENTS[self.caller % USER_AGENTS.len()]
    }

    fn server(&self) -> &'static str {
        SERVERS[self.gateway % SERVERS.len()]
    }
}

fn finish(out: &mut Vec<u8>, body: Option<&[u8]>) -> io::Result<()> {
    match body {
        Some(body) => {
            write!(
                out,
                "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
                body.len()
            )?;
            out.extend_from_slice(body);
            Ok(())
        }
        None => write!(out, "Content-Length: 0\r\n\r\n"),
    }
}

/// Payload type and its `a=` lines.
type Codec = (u8, &'static str);
const PCMU: Codec = (0, "a=rtpmap:0 PCMU/8000\r\n");
const PCMA: Codec = (8, "a=rtpmap:8 PCMA/8000\r\n");
const G729: Codec = (18, "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n");
const EVENTS: Codec = (
    101,
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n",
);

fn sdp(session: u64, (host, port): (usize, u16), codecs: &[Codec]) -> io::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(320);
    let (session, address) = (session >> 32, Address(host));
    write!(
        body,
        "v=0\r\no=- {session} {session} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    )?;
    write!(body, "m=audio {port} RTP/AVP")?;
    for (number, _) in codecs {
        write!(body, " {number}")?;
    }
    body.extend_from_slice(b"\r\n");
    for (_, lines) in codecs {
        body.extend_from_slice(lines.as_bytes());
    }
    write!(body, "a=ptime:20\r\na=sendrecv\r\n")?;
    Ok(body)
}

/// An even port from 10 000 up.
fn media_port(token: u64) -> u16 {
    10_000 + 2 * (token % 25_000) as u16
}

/// A North American number out of the range kept free for fiction.
struct Number(u64);

impl Number {
    fn digits(&self) -> String {
        format!("1{}55501{:02}", 201 + self.0 % 780, (self.0 >> 32) % 100)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "+{}", self.digits())
    }
}

/// A host by its index: the gateways first, then the callers.
struct Address(usize);

impl Address {
    fn octets(&self) -> [u8; 4] {
        match self.0 {
            gateway if gateway < GATEWAYS => [198, 51, 100, gateway as u8 + 1],
            caller if caller < GATEWAYS + CALLERS / 2 => [192, 0, 2, (caller - GATEWAYS) as u8 + 1],
            caller => [203, 0, 113, (caller - GATEWAYS - CALLERS / 2) as u8 + 1],
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d] = self.octets();
        write!(formatter, "{a}.{b}.{c}.{d}")
    }
}

fn base64url(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            out.push(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// RTP

/// One direction of a call's media.
#[derive(Default)]
struct Stream {
    start: u64,
    packets: u64,
    sent: u64,
    source: u32,
    first_sequence: u16,
    first_timestamp: u32,
}

impl Stream {
    const INTERVAL: u64 = 20 * MILLISECOND;

    fn new(answered: u64, end: u64, random: &mut Random) -> Self {
        let start = answered + random.below(Self::INTERVAL);
        Self {
            start,
            packets: (end.saturating_sub(start) / Self::INTERVAL).max(1),
            sent: 0,
            source: random.next() as u32,
            first_sequence: random.next() as u16,
            first_timestamp: random.next() as u32,
        }
    }

    fn packet(&mut self, noise: &[u8], random: &mut Random, out: &mut Vec<u8>) {
        let marker = if self.sent == 0 { 0x80 } else { 0 };
        out.extend_from_slice(&[0x80, marker]);
        out.extend_from_slice(
            &self
                .first_sequence
                .wrapping_add(self.sent as u16)
                .to_be_bytes(),
        );
        out.extend_from_slice(
            &self
                .first_timestamp
                .wrapping_add(160 * self.sent as u32)
                .to_be_bytes(),
        );
        out.extend_from_slice(&self.source.to_be_bytes());
        let at = random.below((noise.len() - 160) as u64) as usize;
        out.extend_from_slice(&noise[at..at + 160]);
        self.sent += 1;
    }

    fn next_time(&self, random: &mut Random) -> Option<u64> {
        let jitter = random.below(2 * MILLISECOND);
        (self.sent < self.packets).then(|| self.start + self.sent * Self::INTERVAL + jitter)
    }
}

// ---------------------------------------------------------------------------------------------
// The capture file

struct Capture<W> {
    output: W,
    form: Form,
    bytes: u64,
    frames: u64,
    /// The last IP identification of each host.
    identification: [u16; GATEWAYS + CALLERS],
}

impl<W: Write> Capture<W> {
    fn new(mut output: W, form: Form) -> io::Result<Self> {
        let mut header = Vec::with_capacity(24);
        header.extend_from_slice(&0xA1B2_C3D4_u32.to_le_bytes());
        header.extend_from_slice(&[2, 0, 4, 0]);
        header.extend_from_slice(&[0; 8]);
        header.extend_from_slice(&65_535_u32.to_le_bytes());
        header.extend_from_slice(&1_u32.to_le_bytes());
        if form == Form::PjsipLog {
            header.clear();
        }
        output.write_all(&header)?;
        Ok(Self {
            output,
            form,
            bytes: header.len() as u64,
            frames: 0,
            identification: [0; GATEWAYS + CALLERS],
        })
    }

    fn frame(
        &mut self,
        time: u64,
        from: (usize, u16),
        to: (usize, u16),
        payload: &[u8],
    ) -> io::Result<()> {
        if self.form == Form::PjsipLog {
            return self.entry(time, from.0, to.0, payload);
        }
        if payload.len() > MOST_PAYLOAD {
            return Err(io::Error::other(format!(
                "a message of {} bytes does not fit a frame",
                payload.len()
            )));
        }
        let udp_length = 8 + payload.len() as u16;
        let length = 14 + 20 + u32::from(udp_length);
        let mut head = [0_u8; 16 + 14 + 20 + 8];
        head[0..4].copy_from_slice(&((time / SECOND) as u32).to_le_bytes());
        head[4..8].copy_from_slice(&((time % SECOND) as u32).to_le_bytes());
        head[8..12].copy_from_slice(&length.to_le_bytes());
        head[12..16].copy_from_slice(&length.to_le_bytes());

        let (source, destination) = (Address(from.0).octets(), Address(to.0).octets());
        for (place, octets) in [(16, destination), (22, source)] {
            head[place..place + 2].copy_from_slice(&[2, 0]);
            head[place + 2..place + 6].copy_from_slice(&octets);
        }
        head[28..30].copy_from_slice(&[0x08, 0x00]);

        let last = &mut self.identification[from.0];
        *last = last.wrapping_add(1).max(1);
        let ip = &mut head[30..50];
        ip[0] = 0x45;
        ip[2..4].copy_from_slice(&(20 + udp_length).to_be_bytes());
        ip[4..6].copy_from_slice(&last.to_be_bytes());
        ip[8] = 64;
        ip[9] = 17;
        ip[12..16].copy_from_slice(&source);
        ip[16..20].copy_from_slice(&destination);
        let checksum = ip_checksum(ip);
        ip[10..12].copy_from_slice(&checksum.to_be_bytes());

        head[50..52].copy_from_slice(&from.1.to_be_bytes());
        head[52..54].copy_from_slice(&to.1.to_be_bytes());
        head[54..56].copy_from_slice(&udp_length.to_be_bytes());

        self.output.write_all(&head)?;
        self.output.write_all(payload)?;
        self.bytes += (head.len() + payload.len()) as u64;
        self.frames += 1;
        Ok(())
    }
}

impl<W: Write> Capture<W> {
    /// A message as res_pjsip_logger.c writes it, seen from the gateways.
    fn entry(&mut self, time: u64, from: usize, to: usize, payload: &[u8]) -> io::Result<()> {
        let clock = time / MILLISECOND % (24 * 3_600 * 1_000);
        let day = 16 + time / (24 * 3_600 * SECOND) - CAPTURE_START / (24 * 3_600 * SECOND);
        let (seconds, fraction) = (clock / 1_000, clock % 1_000);
        let kind = if payload.starts_with(b"SIP/2.0") {
            "response"
        } else {
            "request"
        };
        let received = to < GATEWAYS;
        let (way, word, remote) = match received {
            true => ("Received", "from", from),
            false => ("Transmitting", "to", to),
        };
        let mut entry = Vec::with_capacity(160 + payload.len());
        writeln!(
            entry,
            "[2026-03-{day:02} {:02}:{:02}:{:02}.{fraction:03}] VERBOSE[4321] res_pjsip_logger.c: \
             <--- {way} SIP {kind} ({} bytes) {word} UDP:{}:5060 --->",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60,
            payload.len(),
            Address(remote)
        )?;
        entry.extend_from_slice(payload);
        entry.push(b'\n');
        self.output.write_all(&entry)?;
        self.bytes += entry.len() as u64;
        self.frames += 1;
        Ok(())
    }
}

fn ip_checksum(header: &[u8]) -> u16 {
    let words = header
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let mut sum: u32 = words.sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

// ---------------------------------------------------------------------------------------------
// Chance

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// Exponential, but for a logarithm that is straight between powers of two: the same everywhere.
    fn exponential(&mut self, mean: u64) -> u64 {
        let draw = self.next() | 1;
        let zeros = draw.leading_zeros();
        let fraction = (draw << zeros) << 1 >> 32;
        // -log2 of the draw in 1/2^32; its mean is 1.5.
        let logarithm = ((u64::from(zeros) + 1) << 32) - fraction;
        ((u128::from(mean) * u128::from(logarithm) * 2 / 3) >> 32) as u64
    }
}
