//! What the capture shows of who receives: the ground on which an absence can be proved.

use super::clock::SECOND;
use crate::message::stamp::Stamp;
use crate::message::{Head, sdp};
use foldhash::fast::RandomState;
use std::collections::HashMap;
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
    towards: HashMap<IpAddr, i64, RandomState>,
    codecs: HashMap<IpAddr, (u8, Vec<String>), RandomState>,
}

impl View {
    /// Notes a message.
    pub fn saw(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]) {
        let body = raw.get(head.body as usize..).unwrap_or_default();
        if !body.is_empty() {
            self.sample(stamp, body);
        }
        let (Some(time), Some(address)) = (stamp.time(), stamp.destination) else {
            return;
        };
        if let Some(last) = self.towards.get_mut(&address.ip()) {
            *last = time.0.max(*last);
        } else if self.towards.len() < MOST_ADDRESSES {
            self.towards.insert(address.ip(), time.0);
        }
    }

    fn sample(&mut self, stamp: &Stamp, body: &[u8]) {
        let Some(ip) = stamp.source.map(|address| address.ip()) else {
            return;
        };
        let known = self.codecs.get(&ip).map_or(0, |(samples, _)| *samples);
        if known >= SAMPLES || (known == 0 && self.codecs.len() >= MOST_ADDRESSES) {
            return;
        }
        let audio = sdp::media(body)
            .into_iter()
            .filter(|m| m.kind == "audio" && m.profile == "RTP/AVP");
        let names = audio
            .flat_map(|m| m.codecs)
            .filter(|codec| !codec.is_auxiliary())
            .map(|codec| codec.name)
            .filter(|name| name.len() <= LONGEST_NAME);
        let (samples, list) = self.codecs.entry(ip).or_default();
        *samples += 1;
        for name in names.take(64) {
            if !list.contains(&name) {
                list.push(name);
            }
        }
    }

    /// The audio codecs that an address was seen to offer or take.
    pub fn codecs(&self, ip: IpAddr) -> Option<&Vec<String>> {
        self.codecs
            .get(&ip)
            .map(|(_, list)| list)
            .filter(|list| !list.is_empty())
    }

    /// Was anything seen on its way to `ip` at or after `since`, a minute of grace given?
    pub fn towards(&self, ip: IpAddr, since: i64) -> bool {
        self.towards
            .get(&ip)
            .is_some_and(|last| *last >= since - 60 * SECOND)
    }
}
