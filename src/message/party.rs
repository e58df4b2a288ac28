//! The system at one end of a hop, as far as it is known: by address, or because it wrote the log.

use super::stamp::Stamp;
use std::net::{IpAddr, SocketAddr};

/// A system that sent or received a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Party {
    address: Option<IpAddr>,
    /// The input that it wrote, where it is the system that logged the message.
    wrote: Option<u16>,
}

impl Party {
    fn new(address: Option<SocketAddr>, writes: bool, stamp: &Stamp) -> Party {
        Party {
            address: address.map(|address| address.ip()),
            wrote: writes.then_some(stamp.origin.input),
        }
    }

    /// Its address.
    pub fn address(self) -> Option<IpAddr> {
        self.address
    }

    /// Index of the input that it wrote.
    pub fn wrote(self) -> Option<u16> {
        self.wrote
    }

    /// Is anything known of it?
    pub fn is_known(self) -> bool {
        self.address.is_some() || self.wrote.is_some()
    }

    /// Are the two one system, for all that is known?
    pub fn is(self, other: Party) -> bool {
        match (self.wrote, other.wrote) {
            (Some(here), Some(there)) => here == there,
            _ => self.address.is_some() && self.address == other.address,
        }
    }
}

impl Stamp {
    /// Who sent the message.
    pub fn sender(&self) -> Party {
        Party::new(self.source, self.sent == Some(true), self)
    }

    /// Who was to receive it.
    pub fn receiver(&self) -> Party {
        Party::new(self.destination, self.sent == Some(false), self)
    }

    /// Sender and receiver where both have one address: only their ports tell them apart.
    pub fn within_host(&self) -> Option<(SocketAddr, SocketAddr)> {
        let ends = self.source.zip(self.destination);
        ends.filter(|(from, to)| from.ip() == to.ip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{LogHop, Origin};
    use crate::message::stamp::When;

    fn stamp(input: u16, source: Option<&str>, sent: Option<bool>) -> Stamp {
        let source = source.map(|address| address.parse().unwrap());
        let hop = LogHop {
            source,
            sent,
            ..LogHop::default()
        };
        Stamp::of_log(Origin { input, place: 1 }, 1, When::Unknown, hop)
    }

    #[test]
    fn who_wrote_the_log_is_one_system_at_whatever_address() {
        let own = |input| stamp(input, None, Some(true)).sender();
        let named = |address| stamp(0, Some(address), Some(true)).sender();
        assert!(own(0).is(named("192.0.2.1:5060")));
        assert!(named("192.0.2.1:5060").is(named("192.0.2.2:5060")));
        assert!(!own(0).is(own(1)));
        assert!(own(0).is(stamp(0, None, Some(false)).receiver()));
    }

    #[test]
    fn others_are_known_by_address() {
        let of = |address| stamp(0, address, None).sender();
        assert!(of(Some("192.0.2.1:5060")).is(of(Some("192.0.2.1:5070"))));
        assert!(!of(Some("192.0.2.1:5060")).is(of(Some("192.0.2.2:5060"))));
        assert!(!of(None).is(of(None)) && !of(None).is_known());
    }
}
