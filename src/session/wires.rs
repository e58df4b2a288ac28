//! What became of connections, remembered for the calls that went over them or should have.

use super::aside::{Aside, Connection, What};
use super::clock::SECOND;
use super::entry::TRANSACTION;
use super::outcome::Outcome;
use super::{Call, Stored};
use crate::layers::{Transport, Wire};
use foldhash::fast::RandomState;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

/// Failed attempts remembered, and connections that ended; the oldest go first.
const MOST_ATTEMPTS: usize = 16_384;
const MOST_ENDED: usize = 16_384;
/// Servers of TLS that stays closed.
const MOST_SEALED: usize = 1024;
/// Ends of one pair of ports that are remembered: those of the connections used last.
const MOST_OF_PAIR: usize = 8;
/// Attempts, addresses, connections and messages looked at for one call.
const MOST_OF_CALL: usize = 16;
const MOST_MESSAGES: usize = 256;
/// A request larger than this goes over TCP, though UDP was asked for (RFC 3261 §18.1.1).
pub const SWITCHED: usize = 1300;
/// Nobody waits longer for a connection than for an answer.
const PATIENCE: i64 = TRANSACTION * SECOND;
/// An element that goes on waiting after a provisional response (Timer C) gives up by then.
const RINGING: i64 = 200 * SECOND;

type Ends = (SocketAddr, SocketAddr);

/// Attempts and ends of connections.
#[derive(Debug, Default)]
pub(super) struct Wires {
    /// By the address that asked for a connection, in the order in which they were told.
    attempts: HashMap<IpAddr, VecDeque<Attempt>, RandomState>,
    told: VecDeque<IpAddr>,
    ended: HashMap<Ends, VecDeque<Aside>, RandomState>,
    closed: VecDeque<Ends>,
    /// Data that no key opens, by server: the first of it.
    sealed: HashMap<SocketAddr, Aside, RandomState>,
}

#[derive(Debug)]
struct Attempt {
    aside: Aside,
    /// The entry with the request that its maker had got just before.
    asked: Option<u64>,
}

impl Attempt {
    fn connection(&self) -> Option<&Connection> {
        connection(&self.aside)
    }
}

fn connection(aside: &Aside) -> Option<&Connection> {
    match &aside.what {
        What::Wire(connection) => Some(connection),
        _ => None,
    }
}

fn ends(a: SocketAddr, b: SocketAddr) -> Ends {
    (a.min(b), a.max(b))
}

impl Wires {
    /// Remembers it; `asked`: the entry with the request that the sender had got just before.
    pub(super) fn add(&mut self, aside: Aside, asked: Option<u64>) {
        let Some(new) = connection(&aside) else {
            return;
        };
        let source = new.flow.source.ip();
        match new.wire {
            Wire::Opened => self.forget(new),
            Wire::Unanswered { .. } | Wire::Refused { .. } | Wire::Tls(_) => {
                let known = self.attempts.entry(source).or_default();
                let same = |attempt: &&mut Attempt| {
                    let known = attempt.connection();
                    known.is_some_and(|known| {
                        known.flow == new.flow
                            && known.first().is_some()
                            && known.first() == new.first()
                    })
                };
                if let Some(attempt) = known.iter_mut().rev().take(MOST_OF_CALL).find(same) {
                    attempt.aside = aside;
                    return;
                }
                known.push_back(Attempt { aside, asked });
                self.told.push_back(source);
                self.keep_bounds();
            }
            Wire::Closed { .. } | Wire::Reset { .. } | Wire::Unheard { .. } => self.end(aside),
            Wire::Sealed { .. } => self.seal(aside),
        }
    }

    fn end(&mut self, aside: Aside) {
        let Some(new) = connection(&aside) else {
            return;
        };
        let pair = ends(new.flow.source, new.flow.destination);
        let of_pair = self.ended.entry(pair).or_default();
        let same = |known: &&mut Aside| {
            let known = connection(known).and_then(Connection::first);
            known.is_some() && known == new.first()
        };
        if let Some(known) = of_pair.iter_mut().find(same) {
            *known = aside;
            return;
        }
        if of_pair.is_empty() {
            self.closed.push_back(pair);
        }
        of_pair.push_back(aside);
        if of_pair.len() > MOST_OF_PAIR {
            of_pair.pop_front();
        }
        if self.closed.len() > MOST_ENDED
            && let Some(oldest) = self.closed.pop_front()
        {
            self.ended.remove(&oldest);
        }
    }

    fn seal(&mut self, aside: Aside) {
        let Some(new) = connection(&aside) else {
            return;
        };
        let server = new.flow.destination;
        if let Some(known) = self.sealed.get_mut(&server) {
            if let What::Wire(known) = &mut known.what
                && let Wire::Sealed { connections } = &mut known.wire
            {
                *connections += 1;
            }
        } else if self.sealed.len() < MOST_SEALED {
            self.sealed.insert(server, aside);
        }
    }

    // It was answered after all.
    fn forget(&mut self, new: &Connection) {
        let known = self.attempts.get_mut(&new.flow.source.ip());
        let unanswered = |attempt: &Attempt| {
            attempt.connection().is_some_and(|known| {
                known.flow == new.flow && matches!(known.wire, Wire::Unanswered { .. })
            })
        };
        if let Some(known) = known
            && let Some(at) = known.iter().rposition(unanswered)
        {
            known.remove(at);
        }
    }

    fn keep_bounds(&mut self) {
        if self.told.len() > MOST_ATTEMPTS
            && let Some(source) = self.told.pop_front()
            && let Some(known) = self.attempts.get_mut(&source)
        {
            known.pop_front();
            if known.is_empty() {
                self.attempts.remove(&source);
            }
        }
    }

    /// Did nothing happen to a connection?
    pub(super) fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.ended.is_empty()
    }

    /// What happened to the connections of a call while it needed them.
    pub(super) fn about(&self, call: &Call) -> Vec<Aside> {
        let mut found = self.ended_under(call);
        if !self.attempts.is_empty() {
            found.extend(self.attempts_for(call));
        }
        found.sort_by_key(|aside| (aside.time, aside.origin));
        found
    }

    /// All attempts that failed, and the first data of each server that no key opens, in the order
    /// of their frames.
    pub(super) fn into_attempts(self) -> Vec<Aside> {
        let all = self.attempts.into_values().flatten();
        let mut all: Vec<Aside> = all.map(|attempt| attempt.aside).collect();
        all.extend(self.sealed.into_values());
        all.sort_by_key(|aside| (aside.time, aside.origin));
        all
    }

    // Ends of connections on which a transaction of the call waited for its final response.
    fn ended_under(&self, call: &Call) -> Vec<Aside> {
        let mut found = Vec::new();
        if self.ended.is_empty() || !call.messages.iter().take(MOST_OF_CALL).any(is_reliable) {
            return found;
        }
        let time = |index: usize| call.messages.get(index).and_then(Stored::time);
        for transaction in call.transactions().iter().take(MOST_MESSAGES) {
            let Some(&index) = transaction.sends.last() else {
                continue;
            };
            let request = call.messages.get(index).filter(|m| is_reliable(m));
            let Some((from, to)) = request.and_then(|m| m.stamp.observed()) else {
                continue;
            };
            let Some(events) = self.ended.get(&ends(from, to)) else {
                continue;
            };
            let patience = match transaction.provisionals.is_empty() {
                true => PATIENCE,
                false => RINGING,
            };
            let first = transaction.finals.iter().find_map(|&index| time(index));
            for aside in events.iter().take(MOST_OF_PAIR) {
                let (Some(sent), Some(ended)) = (time(index), aside.time) else {
                    continue;
                };
                let waited = (0..patience).contains(&(ended.0 - sent));
                if waited && first.is_none_or(|first| first > ended.0) && found.len() < MOST_OF_CALL
                {
                    found.push(aside.clone().about(index));
                }
            }
        }
        found
    }

    // Attempts to make a connection that the call needed.
    fn attempts_for(&self, call: &Call) -> Vec<Aside> {
        let mut found = Vec::new();
        let (Some(start), Some(last)) = (call.start(), last(call)) else {
            return found;
        };
        // A call that goes on may need one at any time.
        let until = match call.outcome {
            Outcome::Succeeded => call.seen_until.unwrap_or(last),
            _ => last + PATIENCE,
        };
        let known = addresses(call);
        let mut wanted: Option<Vec<String>> = None;
        for ip in &known {
            let Some(attempts) = self.attempts.get(ip) else {
                continue;
            };
            let hosts = wanted.get_or_insert_with(|| hosts(call));
            let began = |attempt: &Attempt| attempt.aside.began().unwrap_or(i64::MIN);
            // What is told of later may have begun earlier, but not by much.
            let first = attempts
                .partition_point(|a| a.aside.time.map_or(i64::MIN, |t| t.0) < start - PATIENCE);
            let in_time = attempts
                .iter()
                .skip(first)
                .take_while(|attempt| began(attempt) <= until);
            for attempt in in_time.take(MOST_OF_CALL * 4) {
                if let Some(index) = belongs(call, attempt, (start, &known, hosts))
                    && found.len() < MOST_OF_CALL
                {
                    found.push(attempt.aside.clone().about(index));
                }
            }
        }
        found
    }
}

// The message that an attempt belongs to, if it belongs to the call at all.
fn belongs(
    call: &Call,
    attempt: &Attempt,
    (start, known, hosts): (i64, &[IpAddr], &[String]),
) -> Option<usize> {
    let (flow, began) = (attempt.connection()?.flow, attempt.aside.began()?);
    let (source, target) = (flow.source.ip(), flow.destination.ip());
    let named = known.contains(&target) || hosts.contains(&target.to_string());
    if began < start {
        // It was to go over TCP because of its size, and then went over UDP after all.
        let request = call.first().filter(|m| m.head.is_request())?;
        let (from, to) = request.stamp.observed()?;
        let switched = request.stamp.transport == Some(Transport::Udp)
            && request.raw.len() > SWITCHED
            && (from.ip(), to.ip()) == (source, target);
        return switched.then_some(0);
    }
    let answered = call.answer().and_then(Stored::time);
    let wanted = match call.outcome {
        // Over UDP nothing inside the call needs a connection.
        Outcome::Succeeded => {
            let open = answered.is_some_and(|answered| began > answered) && call.bye().is_none();
            named && open && call.messages.iter().any(is_reliable)
        }
        _ => named || attempt.asked == Some(call.id),
    };
    let touches = |m: &Stored| {
        let of = |end: Option<SocketAddr>| end.is_some_and(|end| end.ip() == source);
        (of(m.stamp.source) || of(m.stamp.destination)) && m.time().is_some_and(|t| t <= began)
    };
    let before = || call.messages.iter().rposition(touches);
    wanted.then(before).flatten()
}

fn is_reliable(stored: &Stored) -> bool {
    stored.stamp.transport.is_some_and(Transport::is_reliable)
}

fn last(call: &Call) -> Option<i64> {
    call.messages.iter().filter_map(Stored::time).max()
}

// The addresses of everybody who took part.
fn addresses(call: &Call) -> Vec<IpAddr> {
    let mut known: Vec<IpAddr> = Vec::new();
    let messages = call.messages.iter().take(MOST_MESSAGES);
    for end in messages.flat_map(|m| [m.stamp.source, m.stamp.destination]) {
        let ip = end.map(|end| end.ip());
        let new = ip.filter(|ip| !known.contains(ip) && known.len() < MOST_OF_CALL);
        known.extend(new);
    }
    known
}

/// Does a call name this address: as one of its ends, in a URI of its requests, or in what a name
/// server said of them?
pub fn names(call: &Call, ip: IpAddr) -> bool {
    addresses(call).contains(&ip) || hosts(call).contains(&ip.to_string())
}

// The hosts that its requests were to go to, and what name servers said of them.
fn hosts(call: &Call) -> Vec<String> {
    let mut hosts = call.hosts();
    for aside in &call.asides {
        if let What::Dns(answer) = &aside.what {
            hosts.extend(answer.records.iter().map(|record| record.target.clone()));
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Origin, Time};
    use crate::layers::{Flow, Sight};

    fn aside(number: u32, refused: bool) -> Aside {
        let source = SocketAddr::from((number.to_be_bytes(), 40_000));
        let time = Some(Time(i64::from(number) * SECOND));
        let place = u64::from(number) + 1;
        let origin = Origin { input: 0, place };
        let (copies, first) = (1, Sight { origin, time });
        let wire = match refused {
            true => Wire::Refused { copies, first },
            false => Wire::Closed {
                quiet: 0,
                heard: true,
            },
        };
        let flow = Flow {
            source,
            destination: SocketAddr::from(([198, 51, 100, 20], 5060)),
            transport: Transport::Tcp,
        };
        Aside {
            origin,
            time,
            what: What::Wire(Connection {
                flow,
                wire,
                message: 0,
            }),
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_go() {
        let mut wires = Wires::default();
        for number in 0..40_000 {
            wires.add(aside(number, true), None);
            wires.add(aside(number, false), None);
        }
        assert_eq!(wires.ended.len(), MOST_ENDED);
        let attempts = wires.into_attempts();
        assert_eq!(attempts.len(), MOST_ATTEMPTS);
        let first = attempts.first().and_then(|aside| aside.time);
        assert_eq!(first, Some(Time((40_000 - MOST_ATTEMPTS as i64) * SECOND)));
    }
}
