//! What a message shows of the peers, whatever becomes of the call that it belongs to.

use super::entry::Stored;
use super::keys::KeyMap;
use super::nonces::{self, Shown};
use super::spot::Spot;
use crate::message::party::Party;
use foldhash::fast::RandomState;
use std::hash::BuildHasher;

/// Session descriptions looked at of each sender: its codecs hardly change.
const SAMPLES: u8 = 4;
/// Senders whose session descriptions are looked at.
const MOST_SENDERS: usize = 65_536;

/// A message as the peers are judged by it.
#[derive(Debug)]
pub struct Sighting {
    pub(super) sender: Party,
    pub(super) receiver: Party,
    /// Port of the sender, where the receiver has the same address.
    pub(super) port: Option<u16>,
    pub(super) spot: Spot,
    /// What few messages have.
    pub(super) said: Option<Box<Said>>,
}

/// What a message says of its sender beside that it is there.
#[derive(Debug)]
pub(super) struct Said {
    /// A session description, of the first few of its sender.
    pub(super) body: Vec<u8>,
    pub(super) nonces: Vec<Shown>,
}

/// Makes sightings.
#[derive(Debug, Default)]
pub(super) struct Sights {
    bodies: KeyMap<u8>,
    hash: RandomState,
}

impl Sights {
    pub(super) fn of(&mut self, stored: &Stored) -> Sighting {
        let sender = stored.stamp.sender();
        let said = Said {
            body: self.sample(sender, stored.message().body()).to_vec(),
            nonces: nonces::shown(stored),
        };
        let is_any = !said.body.is_empty() || !said.nonces.is_empty();
        Sighting {
            sender,
            receiver: stored.stamp.receiver(),
            port: stored.stamp.within_host().map(|(from, _)| from.port()),
            spot: Spot::of(stored),
            said: is_any.then(|| Box::new(said)),
        }
    }

    fn sample<'a>(&mut self, sender: Party, body: &'a [u8]) -> &'a [u8] {
        if body.is_empty() {
            return body;
        }
        let key = self.hash.hash_one(sender);
        if self.bodies.len() >= MOST_SENDERS && !self.bodies.contains_key(&key) {
            return &[];
        }
        let count = self.bodies.entry(key).or_default();
        *count = count.saturating_add(1);
        if *count <= SAMPLES { body } else { &[] }
    }
}
