//! How long nothing came from a client behind address translation: the translator forgets where
//! packets for the client have to go once it has seen none from it for a while (RFC 4787 §4.3).

use super::call::Call;
use super::clock::SECOND;
use super::entry::Stored;
use crate::layers::{Transport, address_bits};
use crate::message::stamp::Stamp;
use crate::message::uri::host_port;
use crate::message::{Head, Method};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr};

/// Clients remembered; later ones are unknown.
const MOST: usize = 65_536;
/// Pauses remembered of each: the latest.
const MOST_PAUSES: usize = 4;
/// Requests of a call for which they are told.
const MOST_OF_CALL: usize = 8;
/// No translator forgets sooner than this, nanoseconds.
pub const PAUSE: i64 = 25 * SECOND;

/// When packets came from one address and port.
#[derive(Clone, Copy, Debug)]
struct Line {
    last: i64,
    /// The latest pauses of at least [`PAUSE`], from when until when; the newest last.
    pauses: [(i64, i64); MOST_PAUSES],
    /// The longest pause that it ended with an answer: a request had reached it all the same.
    survived: i64,
}

/// How long nothing had come from a client when a request was sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Index of the request as it was first sent.
    pub message: usize,
    /// When the last packet had come, nanoseconds.
    pub since: i64,
    /// When the next one came, where one did.
    pub until: Option<i64>,
}

/// The clients that registered over UDP from another address than the one they call their own.
#[derive(Debug, Default)]
pub(super) struct Lines {
    by_end: HashMap<(u128, u16), Line, RandomState>,
}

impl Lines {
    pub(super) fn is_empty(&self) -> bool {
        self.by_end.is_empty()
    }

    /// Notes a message.
    pub(super) fn saw(&mut self, stored: &Stored) {
        let Stored {
            stamp, head, raw, ..
        } = stored;
        let registers = head.method == Method::Register && head.is_request();
        if self.by_end.is_empty() && !registers {
            return;
        }
        let (Some(source), Some(time)) = (stamp.source, stamp.instant()) else {
            return;
        };
        if registers && stamp.transport == Some(Transport::Udp) && is_translated(stamp, head, raw) {
            let room = self.by_end.len() < MOST;
            match self.by_end.entry(address_bits(source)) {
                Entry::Occupied(mut known) => known.get_mut().note(time, false),
                Entry::Vacant(new) if room => drop(new.insert(Line::new(time))),
                Entry::Vacant(_) => {}
            }
            return;
        }
        self.note(source, time, !head.is_request());
    }

    /// Notes a packet that is no message.
    pub(super) fn alive(&mut self, source: SocketAddr, time: i64) {
        self.note(source, time, false);
    }

    fn note(&mut self, source: SocketAddr, time: i64, answers: bool) {
        if let Some(line) = self.by_end.get_mut(&address_bits(source)) {
            line.note(time, answers);
        }
    }

    /// The pauses before requests over UDP that nobody answered.
    pub(super) fn before(&self, call: &Call) -> Vec<Idle> {
        let silent = call.transactions().iter().filter(|t| !t.is_answered());
        let idle = silent.filter_map(|t| {
            let message = t.request()?;
            let request = call.messages.get(message)?;
            let (_, client) = request.stamp.observed()?;
            let (since, until) = self.pause_at(client, request.time()?)?;
            Some(Idle {
                message,
                since,
                until,
            })
        });
        idle.take(MOST_OF_CALL).collect()
    }

    /// When the last packet came from where a request over UDP went that nobody answered, where that was
    /// after the request, nanoseconds; by the index of the request.
    pub(super) fn alive_since(&self, call: &Call) -> Vec<(usize, i64)> {
        let silent = call.transactions().iter().filter(|t| !t.is_answered());
        let alive = silent.filter_map(|t| {
            let message = t.request()?;
            let request = call.messages.get(message)?;
            let (_, client) = request.stamp.observed()?;
            let last = self.by_end.get(&address_bits(client))?.last;
            (last > request.time()?).then_some((message, last))
        });
        alive.take(MOST_OF_CALL).collect()
    }

    // Since when nothing had come from there at `time`, where that was a pause that may have closed
    // the way; the second is when something came again.
    fn pause_at(&self, end: SocketAddr, time: i64) -> Option<(i64, Option<i64>)> {
        let line = self.by_end.get(&address_bits(end))?;
        let around = |(from, until): &&(i64, i64)| *from < time && time <= *until;
        let (from, until) = match line.last < time {
            true => (line.last, None),
            false => {
                let (from, until) = line.pauses.iter().find(around)?;
                (*from, Some(*until))
            }
        };
        let long = time - from >= PAUSE && time - from > line.survived;
        long.then_some((from, until))
    }
}

impl Line {
    fn new(time: i64) -> Line {
        Line {
            last: time,
            pauses: [(0, 0); MOST_PAUSES],
            survived: 0,
        }
    }

    fn note(&mut self, time: i64, answers: bool) {
        if time - self.last >= PAUSE {
            if answers {
                self.survived = self.survived.max(time - self.last);
            }
            self.pauses.rotate_left(1);
            self.pauses[MOST_PAUSES - 1] = (self.last, time);
        }
        self.last = self.last.max(time);
    }
}

// Does the only Via name another address than the packet? A proxy in front of the client is no
// translator.
fn is_translated(stamp: &Stamp, head: &Head, raw: &[u8]) -> bool {
    let Some((source, _)) = stamp.observed().filter(|_| head.vias == 1) else {
        return false;
    };
    let (host, _) = host_port(head.sent_by.of(raw));
    let own: Option<IpAddr> = std::str::from_utf8(host).ok().and_then(|t| t.parse().ok());
    own.is_some_and(|own| own != source.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_known_also_after_it_is_over_and_a_short_one_is_none() {
        let end: SocketAddr = "198.51.100.40:31000".parse().unwrap();
        let mut lines = Lines::default();
        lines.by_end.insert(address_bits(end), Line::new(0));
        for second in [20, 90, 100] {
            lines.alive(end, second * SECOND);
        }
        let at = |lines: &Lines, second: i64| lines.pause_at(end, second * SECOND);
        assert_eq!(
            (at(&lines, 10), at(&lines, 30), at(&lines, 95)),
            (None, None, None)
        );
        assert_eq!(at(&lines, 60), Some((20 * SECOND, Some(90 * SECOND))));
        assert_eq!(
            (at(&lines, 101), at(&lines, 200)),
            (None, Some((100 * SECOND, None)))
        );
        lines.note(end, 150 * SECOND, true);
        assert_eq!(
            at(&lines, 149),
            None,
            "it was reached after 50 s of silence"
        );
        assert_eq!(at(&lines, 201), Some((150 * SECOND, None)));
        let other = "198.51.100.40:31001".parse().unwrap();
        assert_eq!(lines.pause_at(other, 60 * SECOND), None);
    }
}
