//! The systems on the way of a call, by position: what a difference in addresses means does not
//! depend on the addresses themselves.

use crate::diagnose::address::{self, Host};
use crate::message::Method;
use crate::session::{Call, Stored};
use std::net::SocketAddr;

/// Systems told apart; further ones are nobody.
const MOST: usize = 32;

/// Who sends and receives in a call, the caller first, in the order of the way.
#[derive(Debug, Default)]
pub(super) struct Places {
    known: Vec<SocketAddr>,
    hands_on: Vec<bool>,
    sends: Vec<bool>,
    /// All on one address: ports tell them apart.
    by_port: bool,
    is_call: bool,
}

impl Places {
    /// Those of a call and its further legs.
    pub(super) fn of(call: &Call) -> Places {
        let mut places = Places {
            is_call: call.method == Method::Invite,
            ..Places::default()
        };
        let ends = |m: &Stored| [m.stamp.source, m.stamp.destination];
        let mut all = call
            .messages
            .iter()
            .flat_map(ends)
            .flatten()
            .map(|a| a.ip());
        let first = all.next();
        places.by_port = all.all(|ip| Some(ip) == first);
        for leg in call.all_legs() {
            for hop in leg.hops() {
                let from = places.add(hop.from);
                places.add(hop.to);
                if let Some(hands_on) = from.and_then(|from| places.hands_on.get_mut(from)) {
                    *hands_on = true;
                }
            }
        }
        for stored in call.all_legs().flat_map(|leg| leg.messages.iter()) {
            let from = stored.stamp.source.and_then(|from| places.add(from));
            stored.stamp.destination.and_then(|to| places.add(to));
            if let Some(sends) = from.and_then(|from| places.sends.get_mut(from)) {
                *sends = true;
            }
        }
        places
    }

    fn add(&mut self, address: SocketAddr) -> Option<usize> {
        self.position(address).or_else(|| {
            let room = self.known.len() < MOST;
            room.then(|| {
                self.known.push(address);
                self.hands_on.push(false);
                self.sends.push(false);
                self.known.len() - 1
            })
        })
    }

    /// The position of a system on the way; 0 is who began.
    pub(super) fn position(&self, address: SocketAddr) -> Option<usize> {
        let same = |known: &SocketAddr| match self.by_port {
            true => *known == address,
            false => known.ip() == address.ip(),
        };
        self.known.iter().position(same)
    }

    /// Positions of sender and receiver; what a log without addresses leaves open follows from who
    /// began.
    pub(super) fn ends(&self, call: &Call, stored: &Stored) -> [usize; 2] {
        let at = |end: Option<SocketAddr>| end.and_then(|end| self.position(end));
        if let (Some(from), Some(to)) = (at(stored.stamp.source), at(stored.stamp.destination)) {
            return [from, to];
        }
        let began = call.first().map(|first| first.keys.from_tag);
        match (Some(stored.keys.from_tag) == began) == stored.head.is_request() {
            true => [0, 1],
            false => [1, 0],
        }
    }

    fn sends(&self, position: usize) -> bool {
        self.sends.get(position).copied().unwrap_or(true)
    }

    /// What a position is called.
    pub(super) fn name(&self, position: usize) -> String {
        let handing = |until: usize| {
            let some = self.hands_on.iter().take(until).skip(1);
            some.filter(|hands_on| **hands_on).count()
        };
        let on = self.hands_on.get(position).copied().unwrap_or(false);
        match (position, on, self.is_call) {
            (0, _, true) => "the caller".to_owned(),
            (0, _, false) => "the client".to_owned(),
            (2.., false, _) if !self.sends(position) => "an address that sends nothing".to_owned(),
            (_, true, _) => format!("proxy {}", handing(position + 1)),
            (_, false, is_call) => {
                let others =
                    (1..position).filter(|p| !self.hands_on.get(*p).copied().unwrap_or(false));
                let word = if is_call { "the callee" } else { "the server" };
                match others.count() {
                    0 => word.to_owned(),
                    more => format!("{word} {}", more + 1),
                }
            }
        }
    }

    /// What a host is: for comparison, and for a person.
    pub(super) fn host(&self, host: &[u8]) -> (String, String) {
        let Some(host) = Host::of(host) else {
            return ("none".to_owned(), "none".to_owned());
        };
        let ip = match host {
            Host::Name(name) => {
                let name = crate::message::lossy(name).to_ascii_lowercase();
                return (format!("the name {name}"), format!("the name {name}"));
            }
            Host::Ip(ip) => ip,
        };
        let class = address::class(ip).name();
        let own = self.known.iter().position(|known| known.ip() == ip);
        match own {
            Some(_) if self.by_port => (class.to_owned(), format!("{ip}, {class}")),
            Some(at) if at <= 1 || self.sends(at) => {
                let name = self.name(at);
                (
                    format!("{class} of {at}"),
                    format!("{ip}, {class}, of {name}"),
                )
            }
            _ => (
                format!("{class} of nobody"),
                format!("{ip}, {class}, from which nothing is sent"),
            ),
        }
    }

    /// The systems in order, for names in values.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.known.iter().copied()
    }
}
