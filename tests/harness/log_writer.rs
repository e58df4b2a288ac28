//! Text logs of messages, as several programs write them.

use super::reading::Message;
use sipexplain::input::Time;
use std::net::{IpAddr, SocketAddr};

/// What a format tells of a message beside the message.
pub(crate) struct Shape {
    /// As in `log:<name>`.
    pub(crate) name: &'static str,
    /// Whether it has times.
    pub(crate) times: bool,
    /// Whether it has dates.
    pub(crate) dates: bool,
    /// Whether it names both ends of a hop, or the one that the topmost Via does not.
    pub(crate) addresses: bool,
    /// Whether one of the two ends wrote it.
    pub(crate) by_an_end: bool,
    write: fn(&Entry<'_>) -> String,
}

/// A message on its way into a log.
struct Entry<'a> {
    text: &'a str,
    time: Time,
    source: SocketAddr,
    destination: SocketAddr,
    transport: String,
    /// Whether whoever writes sent it.
    sent: bool,
    request: bool,
}

impl Entry<'_> {
    /// `2026-01-01`
    fn date(&self) -> String {
        self.written()[..10].to_owned()
    }

    /// `09:00:00.000000`, cut to so many places of a second.
    fn clock(&self, places: usize) -> String {
        self.written()[11..20 + places].to_owned()
    }

    fn written(&self) -> String {
        self.time.to_string()
    }

    fn remote(&self) -> SocketAddr {
        match self.sent {
            true => self.destination,
            false => self.source,
        }
    }

    fn either<'a>(&self, sent: &'a str, received: &'a str) -> &'a str {
        match self.sent {
            true => sent,
            false => received,
        }
    }
}

/// Ends in exactly one line end.
fn closed(text: &str) -> String {
    format!("{}\n", text.trim_end_matches(['\r', '\n']))
}

/// The formats that are written.
pub(crate) static SHAPES: &[Shape] = &[
    Shape {
        name: "sngrep",
        times: true,
        dates: true,
        addresses: true,
        by_an_end: false,
        write: |m| {
            let date = m.date().replace('-', "/");
            let ends = format!("{} -> {}", m.source, m.destination);
            format!("{date} {} {ends}\n{}\n\n", m.clock(6), m.text)
        },
    },
    Shape {
        name: "ngrep",
        times: true,
        dates: true,
        addresses: true,
        by_an_end: false,
        write: |m| {
            let kind = if m.transport == "udp" { "U" } else { "T" };
            let date = m.date().replace('-', "/");
            let ends = format!("{} -> {}", m.source, m.destination);
            let text = closed(m.text).replace("\r\n", ".\n");
            format!("{kind} {date} {} {ends} #1\n{text}\n", m.clock(6))
        },
    },
    Shape {
        name: "tcpdump",
        times: true,
        dates: false,
        addresses: true,
        by_an_end: false,
        write: |m| {
            let port = |end: SocketAddr| format!("{}.{}", end.ip(), end.port());
            let family = if m.source.is_ipv6() { "IP6" } else { "IP" };
            let ends = format!("{} > {}", port(m.source), port(m.destination));
            let what = format!("UDP, length {}", m.text.len());
            let junk = "E..'..@.@.Ls...\n.3d........_";
            let text = closed(m.text);
            format!("{} {family} {ends}: {what}\n{junk}{text}\n", m.clock(6))
        },
    },
    Shape {
        name: "asterisk-pjsip",
        times: true,
        dates: true,
        addresses: true,
        by_an_end: true,
        write: |m| {
            let way = m.either("Transmitting", "Received");
            let kind = if m.request { "request" } else { "response" };
            let toward = m.either("to", "from");
            let transport = m.transport.to_uppercase();
            format!(
                "[{} {}] VERBOSE[812] res_pjsip_logger.c: <--- {way} SIP {kind} ({} bytes) {toward} {transport}:{} --->\n{}\n",
                m.date(),
                m.clock(3),
                m.text.len(),
                m.remote(),
                m.text
            )
        },
    },
    Shape {
        name: "asterisk-chan-sip",
        times: true,
        dates: true,
        addresses: true,
        by_an_end: true,
        write: |m| {
            let (remote, text) = (m.remote(), closed(m.text));
            let entry = format!("[{} {}] VERBOSE[812] chan_sip.c: ", m.date(), m.clock(3));
            match m.sent {
                true => format!("{entry}Reliably Transmitting (NAT) to {remote}:\n{text}\n---\n"),
                false => format!(
                    "{entry}\n<--- SIP read from {}:{remote} --->\n{text}<------------->\n",
                    m.transport.to_uppercase()
                ),
            }
        },
    },
    Shape {
        name: "sofia",
        times: true,
        dates: false,
        addresses: true,
        by_an_end: true,
        write: |m| {
            format!(
                "{} {} bytes {} {}/[{}]:{} at {}:\n{}\n{}\n",
                m.either("send", "recv"),
                m.text.len(),
                m.either("to", "from"),
                m.transport,
                m.remote().ip(),
                m.remote().port(),
                m.clock(6),
                "-".repeat(72),
                m.text.replace("\r\n", "\n")
            )
        },
    },
    Shape {
        name: "pjsip",
        times: true,
        dates: false,
        addresses: true,
        by_an_end: true,
        write: |m| {
            format!(
                "{}           pjsua_core.c  .{} {} bytes {} msg X/cseq=1 ({}0x55d0c0de) {} {} {}:\n{}\n--end msg--\n",
                m.clock(3),
                m.either("TX", "RX"),
                m.text.len(),
                if m.request { "Request" } else { "Response" },
                m.either("tdta", "rdata"),
                m.either("to", "from"),
                m.transport.to_uppercase(),
                m.remote(),
                m.text
            )
        },
    },
    Shape {
        name: "cisco-ios",
        times: true,
        dates: false,
        addresses: false,
        by_an_end: true,
        write: |m| {
            format!(
                "001234: *Jan  1 {}: //-1/8A2C5D0E800B/SIP/Msg/ccsipDisplayMsg:\n{}: \n{}\n",
                m.clock(3),
                m.either("Sent", "Received"),
                m.text
            )
        },
    },
    Shape {
        name: "sipp",
        times: true,
        dates: true,
        addresses: false,
        by_an_end: true,
        write: |m| {
            format!(
                "{} {} {}\n{} message {} [{}] bytes:\n\n{}\n",
                "-".repeat(47),
                m.date(),
                m.clock(6),
                m.transport.to_uppercase(),
                m.either("sent", "received"),
                m.text.len(),
                m.text
            )
        },
    },
    Shape {
        name: "jssip",
        times: false,
        dates: false,
        addresses: false,
        by_an_end: true,
        write: |m| {
            let what = m.either("sending message", "received text message");
            let text = m.text.replace("\r\n", "\n");
            format!("JsSIP:Transport {what}:\n\n{text}\n +2ms\n")
        },
    },
    Shape {
        name: "raw",
        times: false,
        dates: false,
        addresses: false,
        by_an_end: false,
        write: |m| format!("{}\n", m.text.replace("\r\n", "\n")),
    },
];

/// The log that the owner of an address writes of the messages, or somebody who sees all of them.
pub(crate) fn log_of(shape: &Shape, messages: &[Message], owner: Option<IpAddr>) -> String {
    let mut log = String::new();
    for message in messages {
        let stamp = &message.stamp;
        let (Some(source), Some(destination)) = (stamp.source, stamp.destination) else {
            panic!("a message of a capture without addresses");
        };
        let sent = owner == Some(source.ip());
        if owner.is_some_and(|owner| owner != source.ip() && owner != destination.ip()) {
            continue;
        }
        log.push_str(&(shape.write)(&Entry {
            text: &String::from_utf8_lossy(&message.raw),
            time: stamp.time().expect("a capture has times"),
            source,
            destination,
            transport: stamp.transport.map_or("udp", |t| t.name()).to_owned(),
            sent,
            request: message.code.is_none(),
        }));
    }
    log
}
