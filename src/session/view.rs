//! What the capture shows of who receives: the ground on which an absence can be proved.

use super::clock::SECOND;
use crate::layers::ip_bits;
use crate::message::party::Party;
use crate::message::stamp::Stamp;
use crate::message::{Head, sdp};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Systems remembered; later ones are then unknown, which only makes rules more careful.
const MOST_SYSTEMS: usize = 65_536;

/// Longest name of a codec that is remembered: names come from anyone.
const LONGEST_NAME: usize = 64;

/// Session descriptions read of each system: its lists hardly change.
const SAMPLES: u8 = 4;

/// Last time at which a SIP message towards each system was seen, and the codecs it sent of itself.
#[derive(Debug, Default)]
pub struct View {
    systems: HashMap<Known, Seen, RandomState>,
}

/// How a system is known: by address, or as the one that wrote an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Known {
    Address(u128),
    Wrote(u16),
}

/// As what a system is known; the one that wrote a log may have an address as well.
fn known_as(party: Party) -> [Option<Known>; 2] {
    [
        party.wrote().map(Known::Wrote),
        party.address().map(|ip| Known::Address(ip_bits(ip))),
    ]
}

#[derive(Debug, Default)]
struct Seen {
    last_towards: Option<i64>,
    samples: u8,
    codecs: Vec<String>,
}

impl View {
    /// Notes a message.
    pub fn saw(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]) {
        if let Some(body) = raw
            .get(head.body as usize..)
            .filter(|body| !body.is_empty())
        {
            for sender in known_as(stamp.sender()).into_iter().flatten() {
                self.sample(sender, body);
            }
        }
        let Some(time) = stamp.instant() else { return };
        for receiver in known_as(stamp.receiver()).into_iter().flatten() {
            if let Some(seen) = self.seen(receiver) {
                seen.last_towards = seen.last_towards.max(Some(time));
            }
        }
    }

    fn seen(&mut self, system: Known) -> Option<&mut Seen> {
        let room = self.systems.len() < MOST_SYSTEMS;
        match self.systems.entry(system) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) if room => Some(new.insert(Seen::default())),
            Entry::Vacant(_) => None,
        }
    }

    fn sample(&mut self, system: Known, body: &[u8]) {
        let Some(seen) = self.seen(system).filter(|seen| seen.samples < SAMPLES) else {
            return;
        };
        seen.samples += 1;
        let audio = sdp::media(body)
            .into_iter()
            .filter(|m| m.kind == "audio" && m.profile == "RTP/AVP");
        let names = audio
            .flat_map(|m| m.codecs)
            .filter(|codec| !codec.is_auxiliary())
            .map(|codec| codec.name)
            .filter(|name| name.len() <= LONGEST_NAME);
        for name in names.take(64) {
            if !seen.codecs.contains(&name) {
                seen.codecs.push(name);
            }
        }
    }

    /// The audio codecs that a system was seen to offer or take.
    pub fn codecs(&self, system: Party) -> Option<&Vec<String>> {
        let lists = self.of(system).map(|seen| &seen.codecs);
        lists.into_iter().find(|list| !list.is_empty())
    }

    /// Was anything seen on its way to the system at or after `since`, a minute of grace given?
    pub fn towards(&self, system: Party, since: i64) -> bool {
        let mut last = self.of(system).filter_map(|seen| seen.last_towards);
        last.any(|last| last >= since - 60 * SECOND)
    }

    fn of(&self, system: Party) -> impl Iterator<Item = &Seen> {
        let known = known_as(system).into_iter().flatten();
        known.filter_map(|system| self.systems.get(&system))
    }
}
