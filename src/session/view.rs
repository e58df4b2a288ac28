//! What the capture shows of who receives: the ground on which an absence can be proved.

use super::clock::SECOND;
use crate::message::framing::Stamp;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::net::IpAddr;

/// Addresses remembered; later ones are then unknown, which only makes rules more careful.
const MOST_ADDRESSES: usize = 65_536;

/// Last time at which a SIP message towards each address was seen, and the span of the run.
#[derive(Debug, Default)]
pub struct View {
    towards: HashMap<IpAddr, i64, RandomState>,
    first: Option<i64>,
    last: Option<i64>,
}

impl View {
    /// Notes a message.
    pub fn saw(&mut self, stamp: &Stamp) {
        let Some(time) = stamp.time.map(|time| time.0) else { return };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        let Some(ip) = stamp.destination.map(|address| address.ip()) else { return };
        match self.towards.get_mut(&ip) {
            Some(last) => *last = time.max(*last),
            None if self.towards.len() < MOST_ADDRESSES => {
                self.towards.insert(ip, time);
            }
            None => {}
        }
    }

    /// Was anything seen on its way to `ip` at or after `since`, a minute of grace given?
    pub fn towards(&self, ip: IpAddr, since: i64) -> bool {
        self.towards.get(&ip).is_some_and(|last| *last >= since - 60 * SECOND)
    }

    /// Time of the first message of the run.
    pub fn first(&self) -> Option<i64> {
        self.first
    }
}
