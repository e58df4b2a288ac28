//! Where, when and on which hop a message was seen.

use super::inferred::Inferred;
use crate::input::{LogHop, Origin, Time};
use crate::layers::{At, Flow, Transport};
use std::net::SocketAddr;

/// What is known of the time of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Date and time.
    At(Time),
    /// Nanoseconds since the first midnight of a log that gives no date.
    OfDay(u64),
    /// The same, where other messages of the run have another clock: not to be compared with theirs.
    Apart(u64),
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
    /// Whether the system that wrote the log sent it or received it, where the log says so.
    pub sent: Option<bool>,
    /// Which of source, destination and transport the message told, not the log.
    pub inferred: Inferred,
    /// How often it was sent before, where a log numbers what is sent again; else 0.
    pub repeat: u8,
}

impl Stamp {
    /// When; `None` where the source has no date.
    pub fn time(&self) -> Option<Time> {
        match self.when {
            When::At(time) => Some(time),
            _ => None,
        }
    }

    /// Nanoseconds since the first midnight of the log, where that gives no date.
    pub fn time_of_day(&self) -> Option<u64> {
        match self.when {
            When::OfDay(nanoseconds) | When::Apart(nanoseconds) => Some(nanoseconds),
            _ => None,
        }
    }

    /// Sender and receiver of the packet; `None` where the message itself had to tell one of them.
    pub fn observed(&self) -> Option<(SocketAddr, SocketAddr)> {
        let told = self.inferred.has_source() || self.inferred.has_destination();
        self.source.zip(self.destination).filter(|_| !told)
    }

    /// Nanoseconds from what all times of the run count from: 1970, or the first midnight of a log
    /// without dates. For what passed between two messages; not a date.
    pub fn instant(&self) -> Option<i64> {
        match self.when {
            When::At(time) => Some(time.0),
            When::OfDay(nanoseconds) => i64::try_from(nanoseconds).ok(),
            When::Apart(_) | When::Unknown => None,
        }
    }

    /// Last line, for a log.
    pub fn last_line(&self) -> Option<u64> {
        let more = u64::from(self.lines).checked_sub(1)?;
        Some(self.origin.place + more)
    }

    /// The stamp of a message that a frame completed.
    pub fn of_frame(at: &At, flow: &Flow, part: u16) -> Stamp {
        Stamp {
            origin: at.origin,
            part,
            lines: at.lines,
            when: When::new(at.time, at.time_of_day),
            source: Some(flow.source),
            destination: Some(flow.destination),
            transport: Some(flow.transport),
            ident: at.ident,
            sent: None,
            inferred: Inferred::default(),
            repeat: 0,
        }
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
            sent: hop.sent,
            inferred: Inferred::default(),
            repeat: hop.repeat,
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
