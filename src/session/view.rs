//! What the capture shows of who receives: the ground on which an absence can be proved.

use super::clock::SECOND;
use crate::layers::ip_bits;
use crate::message::stamp::Stamp;
use crate::message::{Head, sdp};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

/// Addresses remembered; later ones are then unknown, which only makes rules more careful.
const MOST_ADDRESSES: usize = 65_536;

/// Longest name of a codec that is remembered: names come from anyone.
const LONGEST_NAME: usize = 64;

/// Session descriptions read of each address: its lists hardly change.
const SAMPLES: u8 = 4;

/// Last time at which a SIP message towards each address was seen, and the codecs it sent of itself.
#[derive(Debug, Default)]
pub struct View {
    addresses: HashMap<u128, Seen, RandomState>,
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
        if let Some(source) = stamp.source.filter(|_| raw.len() > head.body as usize) {
            self.sample(
                source.ip(),
                raw.get(head.body as usize..).unwrap_or_default(),
            );
        }
        if let (Some(time), Some(to)) = (stamp.instant(), stamp.destination)
            && let Some(seen) = self.seen(to.ip())
        {
            seen.last_towards = seen.last_towards.max(Some(time));
        }
    }

    fn seen(&mut self, ip: IpAddr) -> Option<&mut Seen> {
        let room = self.addresses.len() < MOST_ADDRESSES;
        match self.addresses.entry(ip_bits(ip)) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) if room => Some(new.insert(Seen::default())),
            Entry::Vacant(_) => None,
        }
    }

    fn sample(&mut self, ip: IpAddr, body: &[u8]) {
        let Some(seen) = self.seen(ip).filter(|seen| seen.samples < SAMPLES) else {
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

    /// The audio codecs that an address was seen to offer or take.
    pub fn codecs(&self, ip: IpAddr) -> Option<&Vec<String>> {
        let codecs = &self.addresses.get(&ip_bits(ip))?.codecs;
        Some(codecs).filter(|list| !list.is_empty())
    }

    /// Was anything seen on its way to `ip` at or after `since`, a minute of grace given?
    pub fn towards(&self, ip: IpAddr, since: i64) -> bool {
        let seen = self.addresses.get(&ip_bits(ip));
        let last = seen.and_then(|seen| seen.last_towards);
        last.is_some_and(|last| last >= since - 60 * SECOND)
    }
}
