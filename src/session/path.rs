//! The way a request took from hop to hop, as far as it was recorded (RFC 3261 §16, §18.2.2).

use super::call::Call;
use super::entry::Stored;
use super::transaction::Transaction;
use crate::message::field::Field;
use std::net::{IpAddr, SocketAddr};

/// One sighting of the request that began a call.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    /// Index of the message.
    pub message: usize,
    /// Who sent it.
    pub from: SocketAddr,
    /// Who was to get it.
    pub to: SocketAddr,
    /// How many Vias it carried: 1 where its author sent it.
    pub vias: u16,
}

/// What the trace shows of where a final response was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// Its sender had handed the request on, and got no such response from there.
    BySender,
    /// Its sender never handed the request on, though what it sends can be seen.
    AtSender,
    /// Nothing is recorded behind its sender: made there or further on.
    AtOrBeyond,
}

impl Call {
    /// Every sighting of the requests that began it, nearest the caller first; repeats and records
    /// without addresses left out.
    pub fn hops(&self) -> Vec<Hop> {
        let sightings = self
            .originals()
            .filter(|(_, m)| m.head.is_request() && self.is_of_beginning(m));
        let mut hops: Vec<Hop> = sightings
            .filter_map(|(message, m)| {
                let (from, to) = (m.stamp.source?, m.stamp.destination?);
                Some(Hop {
                    message,
                    from,
                    to,
                    vias: m.head.vias,
                })
            })
            .collect();
        hops.sort_by_key(|hop| (hop.vias, hop.message));
        hops
    }

    /// The response from which this final one was copied, and so on to the first: where a proxy
    /// only relayed it, its original.
    pub fn original_of(&self, index: usize) -> usize {
        let mut at = index;
        // A relay is always listed behind its original, so this ends.
        while let Some(before) = self
            .finals
            .get(at)
            .and_then(|f| f.step_of)
            .filter(|before| *before < at)
        {
            at = before;
        }
        at
    }

    /// The request that a response answers, as it was sent on that hop.
    pub fn asked(&self, response: &Stored) -> Option<(usize, &Stored)> {
        let on_hop = |m: &Stored| {
            m.head.is_request()
                && m.head.method == response.head.method
                && m.keys.transaction == response.keys.transaction
        };
        self.originals().find(|(_, m)| on_hop(m))
    }

    /// The first 180 on the hop of a response, which says that a phone rings; else the first 181 to
    /// 189, which only says that the call goes on (RFC 3261 §21.1).
    pub fn rang(&self, response: &Stored) -> Option<(usize, &Stored)> {
        let on_hop = |m: &Stored| m.keys.transaction == response.keys.transaction;
        self.first_sign(on_hop)
    }

    /// The same among the messages that are meant.
    pub fn first_sign(&self, meant: impl Fn(&Stored) -> bool) -> Option<(usize, &Stored)> {
        let mut signs = self.originals().filter(|(_, m)| {
            m.head.code().is_some_and(|code| (180..190).contains(&code)) && meant(m)
        });
        let first = signs.next()?;
        let rings = |(_, m): &(usize, &Stored)| m.head.rings();
        match rings(&first) {
            true => Some(first),
            false => signs.find(rings).or(Some(first)),
        }
    }

    /// Was the sender of this message seen to send or receive anything on the side away from the
    /// receiver: another peer than the receiver?
    pub fn seen_behind(&self, stored: &Stored) -> bool {
        let (Some(sender), Some(receiver)) = (stored.stamp.source, stored.stamp.destination) else {
            return false;
        };
        let other = |m: &Stored| {
            let ends = (
                m.stamp.source.map(|a| a.ip()),
                m.stamp.destination.map(|a| a.ip()),
            );
            match ends {
                (Some(from), Some(to)) if from == sender.ip() => to != receiver.ip(),
                (Some(from), Some(to)) if to == sender.ip() => from != receiver.ip(),
                _ => false,
            }
        };
        self.messages.iter().any(other)
    }

    /// Where a final response, itself no relay, was made.
    pub fn made(&self, stored: &Stored) -> Made {
        if self.handed_on(stored).next().is_some() {
            return Made::BySender;
        }
        if self.seen_behind(stored) {
            Made::AtSender
        } else {
            Made::AtOrBeyond
        }
    }

    /// The transactions in which the sender of a response handed on the request that it answers.
    pub fn handed_on<'a>(&'a self, response: &'a Stored) -> impl Iterator<Item = &'a Transaction> {
        let sender: Option<IpAddr> = response.stamp.source.map(|a| a.ip());
        // The answer itself may have the wrong number of Vias.
        let asked = self.asked(response).map_or(response, |(_, m)| m).head.vias;
        self.transactions().iter().filter(move |t| {
            let request = t.request().and_then(|index| self.messages.get(index));
            request.is_some_and(|m| {
                m.head.method == response.head.method
                    && m.cseq() == response.cseq()
                    && m.keys.transaction != response.keys.transaction
                    && m.head.vias > asked
                    && sender.is_some()
                    && m.stamp.source.map(|a| a.ip()) == sender
            })
        })
    }

    /// What an address calls itself in User-Agent or Server, in a message that it wrote.
    pub fn agent_at(&self, address: IpAddr) -> Option<String> {
        let from_there = |m: &Stored| m.stamp.source.is_some_and(|a| a.ip() == address);
        // A request with one Via is of its sender; of a response, the one who made it is unsure
        // where relays were seen, but then there is another sighting.
        let wrote = |m: &Stored| from_there(m) && (!m.head.is_request() || m.head.vias <= 1);
        self.originals()
            .filter(|(_, m)| wrote(m) && !self.is_relay(m))
            .find_map(|(index, m)| {
                let fields = self.fields(index);
                let own = if m.head.is_request() {
                    Field::UserAgent
                } else {
                    Field::Server
                };
                fields.text(own).or_else(|| fields.text(Field::UserAgent))
            })
    }

    // Was the same response seen with more Vias before?
    fn is_relay(&self, stored: &Stored) -> bool {
        !stored.head.is_request()
            && self.messages.iter().any(|m| {
                m.head.code() == stored.head.code()
                    && m.head.method == stored.head.method
                    && m.cseq() == stored.cseq()
                    && m.keys.to_tag == stored.keys.to_tag
                    && m.head.vias > stored.head.vias
                    && m.stamp.destination.map(|a| a.ip()) == stored.stamp.source.map(|a| a.ip())
            })
    }
}
