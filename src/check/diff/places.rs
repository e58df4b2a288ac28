//! The systems on the way of a call, by position: what a difference in addresses means does not
//! depend on the addresses themselves.

use crate::diagnose::address::{self, Host};
use crate::lang::words::Words;
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
    pub(super) fn name(&self, position: usize) -> Words {
        let handing = |until: usize| {
            let some = self.hands_on.iter().take(until).skip(1);
            some.filter(|hands_on| **hands_on).count()
        };
        let on = self.hands_on.get(position).copied().unwrap_or(false);
        match (position, on, self.is_call) {
            (0, _, true) => Words::label("the caller"),
            (0, _, false) => Words::label("the client"),
            (2.., false, _) if !self.sends(position) => {
                Words::label("an address that sends nothing")
            }
            (_, true, _) => {
                let number = handing(position + 1).to_string();
                Words::label("proxy {number}").with("number", number)
            }
            (_, false, is_call) => {
                let others =
                    (1..position).filter(|p| !self.hands_on.get(*p).copied().unwrap_or(false));
                match (others.count(), is_call) {
                    (0, true) => Words::label("the callee"),
                    (0, false) => Words::label("the server"),
                    (more, true) => {
                        Words::label("the callee {number}").with("number", (more + 1).to_string())
                    }
                    (more, false) => {
                        Words::label("the server {number}").with("number", (more + 1).to_string())
                    }
                }
            }
        }
    }

    /// What a host is: for comparison, and for a person.
    pub(super) fn host(&self, host: &[u8]) -> (String, Words) {
        let Some(host) = Host::of(host) else {
            return ("none".to_owned(), Words::label("none"));
        };
        let ip = match host {
            Host::Name(name) => {
                let name = crate::message::lossy(name).to_ascii_lowercase();
                let shown = Words::label("the name {name}").with("name", name.as_str());
                return (format!("the name {name}"), shown);
            }
            Host::Ip(ip) => ip,
        };
        let class = address::class(ip).name();
        let own = self.known.iter().position(|known| known.ip() == ip);
        let shown = |what: &'static str| {
            let of_class = Words::label(what).with("ip", ip.to_string());
            of_class.with("class", Words::Said(class))
        };
        match own {
            Some(_) if self.by_port => (class.to_owned(), shown("{ip}, {class}")),
            Some(at) if at <= 1 || self.sends(at) => {
                let name = self.name(at);
                let shown = shown("{ip}, {class}, of {name}").with("name", name);
                (format!("{class} of {at}"), shown)
            }
            _ => (
                format!("{class} of nobody"),
                shown("{ip}, {class}, from which nothing is sent"),
            ),
        }
    }

    /// The systems in order, for names in values.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.known.iter().copied()
    }
}
