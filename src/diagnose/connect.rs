//! Connections that were never made, and what they would have carried: what the rules on TCP and TLS
//! have in common.

use super::finding::{Args, Evidence, Finding, Value, deciding, note};
use super::silence::{GAVE_UP, deciding_silences};
use super::{Acts, Confidence, Ledger, Role, Severity};
use crate::layers::{Transport, Wire};
use crate::message::Method;
use crate::session::aside::{Aside, Connection, What};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Side, Stored, wires};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// What only follows where a connection could not be had: ids of rules.
pub const EXPLAINED: &[&str] = &[
    "request-no-response",
    "reg-timeout",
    "next-hop-unresolvable",
    "generic-5xx-with-reason",
    "auth-no-credentials-sent",
    "auth-challenge-not-received",
    "dest-unavailable-480",
    "carrier-congestion",
    "408-origin",
    "trying-then-silence",
    "bye-unanswered",
    "half-dead-call",
];

/// What a connection was needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// To hand a request on; who had to says that it could not.
    HandedOn,
    /// To answer a challenge.
    Challenge,
    /// For a request that nobody answered.
    Silent,
    /// To get at a server again, after a request over an earlier connection that was not answered.
    Again,
    /// For something inside a call that was answered.
    Inside,
    /// For a request that then went over UDP.
    Switched,
    /// Not known.
    Other,
}

/// A connection that a call needed and that was never made.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// Index of the aside.
    pub aside: usize,
    /// The attempt.
    pub connection: &'a Connection,
    /// What it was needed for.
    pub why: Why,
    /// How sure that is.
    pub confidence: Confidence,
    /// The message that shows the need.
    message: usize,
    /// What whoever needed it answered in turn.
    gave_up: Option<(usize, &'a Stored)>,
}

/// The attempt that explains a call best, among those `wanted`.
pub fn failed(call: &Call, wanted: impl Fn(&Connection) -> bool) -> Option<Need<'_>> {
    let all = call.asides.iter().enumerate();
    let attempts = all.filter_map(|(aside, seen)| match &seen.what {
        What::Wire(connection) if connection.is_attempt() && wanted(connection) => {
            Need::of(call, aside, seen.began()?, connection)
        }
        _ => None,
    });
    attempts.min_by_key(|need| (need.why, need.confidence, need.aside))
}

impl<'a> Need<'a> {
    fn of(
        call: &'a Call,
        aside: usize,
        began: i64,
        connection: &'a Connection,
    ) -> Option<Need<'a>> {
        let need = |why, confidence, message| Need {
            aside,
            connection,
            why,
            confidence,
            message,
            gave_up: None,
        };
        let (source, target) = (
            connection.flow.source.ip(),
            connection.flow.destination.ip(),
        );
        if call.start().is_some_and(|start| began < start) {
            return Some(need(Why::Switched, Confidence::Certain, 0));
        }
        let at = |ip: IpAddr, end: Option<SocketAddr>| end.is_some_and(|end| end.ip() == ip);
        let answered = deciding(call).filter(|_| call.outcome == Outcome::Failed);
        if let Some((index, answer)) = answered
            && let Some(time) = answer.time()
        {
            let code = call.code().unwrap_or(0);
            let by_source = at(source, answer.stamp.source) && began <= time;
            let away = !at(target, answer.stamp.destination);
            let asked = call.asked(answer).map(|(index, _)| index);
            // What the next element answered is not due to a connection.
            let behind = call.handed_on(answer).any(|t| t.is_answered());
            if GAVE_UP.contains(&code) && by_source && away && !behind {
                let sure = match wires::names(call, target) {
                    true => Confidence::Certain,
                    false => Confidence::Likely,
                };
                return Some(Need {
                    gave_up: Some((index, answer)),
                    ..need(Why::HandedOn, sure, asked?)
                });
            }
            let challenged =
                matches!(code, 401 | 407) && at(source, answer.stamp.destination) && began >= time;
            if challenged && at(target, answer.stamp.source) {
                let sure = match began - time {
                    ..=SOON => Confidence::Certain,
                    _ => Confidence::Likely,
                };
                return Some(need(Why::Challenge, sure, index));
            }
        }
        if call.outcome == Outcome::Succeeded {
            return Some(need(Why::Inside, Confidence::Likely, connection.message));
        }
        let on_hop = |m: &Stored| at(source, m.stamp.source) && at(target, m.stamp.destination);
        if let Some(silence) = deciding_silences(call)
            .into_iter()
            .find(|silence| on_hop(silence.request))
        {
            let why = match went_over_tcp(silence.request) {
                true => Why::Again,
                false => Why::Silent,
            };
            return Some(Need {
                gave_up: silence.gave_up,
                ..need(why, Confidence::Likely, silence.index)
            });
        }
        let open = matches!(
            call.outcome,
            Outcome::TimedOut | Outcome::Unfinished | Outcome::Cancelled
        );
        let waits = call.transactions().iter().find_map(|transaction| {
            let index = transaction.request()?;
            let request = call.messages.get(index)?;
            let waits = transaction.finals.is_empty() && call.is_of_beginning(request);
            let handed = at(source, request.stamp.destination) && !at(target, request.stamp.source);
            let again = on_hop(request) && went_over_tcp(request);
            let why = if again { Why::Again } else { Why::Other };
            (waits && (handed || on_hop(request))).then_some((index, why))
        });
        let (index, why) = waits.filter(|_| open)?;
        Some(need(why, Confidence::Likely, index))
    }

    /// Severity and role that a finding on it has.
    pub fn weight(&self, call: &Call) -> (Severity, Role) {
        let decides = match self.why {
            Why::HandedOn | Why::Challenge | Why::Silent => true,
            Why::Other => call.outcome == Outcome::TimedOut,
            Why::Inside | Why::Switched | Why::Again => false,
        };
        match decides {
            true => (Severity::Error, Role::Cause),
            false => (Severity::Warning, Role::Contributing),
        }
    }

    /// What had to go over it.
    pub fn what(&self, call: &Call) -> Value {
        let message = call.messages.get(self.message);
        match (self.why, message.filter(|m| m.head.is_request())) {
            (Why::Challenge, _) => "the request with credentials".into(),
            (Why::Inside, _) | (_, None) => "a request".into(),
            (_, Some(m)) => {
                let method = m.message().method_name();
                ("the {message}", Args::new().text("message", method)).into()
            }
        }
    }

    /// Adds the proof; `ids` are the notes on the message, the attempt and the answer.
    pub fn prove(
        &self,
        call: &Call,
        ids: (&'static str, &'static str, &'static str),
        finding: &mut Finding,
    ) {
        if let Some(message) = call.messages.get(self.message) {
            finding.proof(Evidence::start_line(self.message, message, note(ids.0)));
        }
        finding.proof(Evidence::Beside {
            message: self.message,
            aside: self.aside,
            note: note(ids.1),
        });
        if let Some((index, answer)) = self.gave_up {
            finding.proof(Evidence::start_line(index, answer, note(ids.2)));
        }
    }
}

fn went_over_tcp(request: &Stored) -> bool {
    request.stamp.transport.is_some_and(Transport::is_reliable)
}

/// Who answers a challenge does so at once, nanoseconds.
const SOON: i64 = 5 * SECOND;

/// Whoever runs the system at an address.
pub fn owner(call: &Call, ip: IpAddr) -> Acts {
    let at = |m: &Stored| m.stamp.source.is_some_and(|from| from.ip() == ip);
    let sent = call.messages.iter().find(|m| at(m));
    match (sent.and_then(|m| call.side(m)), call.method) {
        (Some(Side::Caller), _) => Acts::Caller,
        (_, Method::Register) => Acts::Registrar,
        _ => Acts::Callee,
    }
}

/// Ports that are told of, those with the most attempts first: each is a finding.
const MOST_GROUPS: usize = 64;

/// Attempts to reach the same port that failed in the same way and explain no call.
#[derive(Debug)]
pub struct Group<'a> {
    /// The port.
    pub to: SocketAddr,
    /// In the order of their frames; at least one.
    pub all: Vec<&'a Aside>,
}

/// The groups of the attempts `wanted`, by address. Whoever tried `scan` hosts or more looks for
/// one; a stranger who tries once does so as well, where others speak SIP. Those with the most attempts
/// come first, and only so many.
pub fn groups<'a>(
    ledger: &'a Ledger,
    wanted: impl Fn(&&'a Aside) -> bool,
    scan: usize,
) -> Vec<Group<'a>> {
    let attempts = || {
        let all = ledger.attempts.iter().filter(|aside| wanted(aside));
        all.filter_map(|aside| match &aside.what {
            What::Wire(connection) => Some((aside, connection)),
            _ => None,
        })
    };
    let mut hosts: BTreeMap<IpAddr, BTreeSet<IpAddr>> = BTreeMap::new();
    let mut tries: BTreeMap<(IpAddr, SocketAddr), usize> = BTreeMap::new();
    for (_, connection) in attempts() {
        let (source, to) = (connection.flow.source.ip(), connection.flow.destination);
        hosts.entry(source).or_default().insert(to.ip());
        *tries.entry((source, to)).or_default() += 1;
    }
    let counts = |connection: &Connection| {
        let (source, to) = (connection.flow.source.ip(), connection.flow.destination);
        let scans = hosts.get(&source).is_some_and(|hosts| hosts.len() >= scan);
        let known = ledger.accounts.is_empty()
            || ledger.sources.contains_key(&source)
            || ledger.accounts.contains_key(&source);
        !scans && (known || tries.get(&(source, to)).is_some_and(|tries| *tries > 1))
    };
    let mut groups: BTreeMap<(SocketAddr, &str), Group<'a>> = BTreeMap::new();
    for (aside, connection) in attempts().filter(|(_, connection)| counts(connection)) {
        let to = connection.flow.destination;
        let kind = match &connection.wire {
            Wire::Tls(failure) => failure.alert.unwrap_or("closed"),
            wire => wire.name(),
        };
        let group = groups.entry((to, kind));
        let group = group.or_insert(Group {
            to,
            all: Vec::new(),
        });
        group.all.push(aside);
    }
    let mut groups: Vec<Group<'a>> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.all.len()));
    groups.truncate(MOST_GROUPS);
    groups
}

impl<'a> Group<'a> {
    /// The first of them.
    pub fn first(&self) -> Option<&'a Aside> {
        self.all.first().copied()
    }

    /// The last, where there are several.
    pub fn last(&self) -> Option<&'a Aside> {
        self.all.last().copied().filter(|_| self.all.len() > 1)
    }

    /// First and last time, nanoseconds.
    pub fn times(&self) -> Option<(i64, i64)> {
        let mut times = self.all.iter().filter_map(|aside| aside.time);
        let first = times.next()?;
        Some((first.0, times.next_back().unwrap_or(first).0))
    }

    /// Who tried, at most three.
    pub fn sources(&self) -> String {
        const MOST: usize = 3;
        let sources = self.all.iter().filter_map(|aside| match &aside.what {
            What::Wire(connection) => Some(connection.flow.source.ip()),
            _ => None,
        });
        let sources: BTreeSet<IpAddr> = sources.collect();
        let mut names: Vec<String> = sources.iter().take(MOST).map(IpAddr::to_string).collect();
        if sources.len() > MOST {
            names.push("others".to_owned());
        }
        names.join(", ")
    }

    /// Did nothing come back at all?
    pub fn is_silent(&self) -> bool {
        let silent = |aside: &Aside| match &aside.what {
            What::Wire(connection) => matches!(connection.wire, Wire::Unanswered { .. }),
            _ => false,
        };
        self.first().is_some_and(silent)
    }

    /// Where calls got through in other ways it is no more than a warning.
    pub fn severity(&self, ledger: &Ledger) -> Severity {
        match ledger.accounts.is_empty() {
            true => Severity::Error,
            false => Severity::Warning,
        }
    }
}
