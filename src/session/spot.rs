//! A message of another entry, remembered in a few bytes: enough to find it again.

use super::call::Call;
use super::entry::Stored;
use crate::input::Origin;
use crate::message::Method;

/// Where a message stands, and what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Its frame or line.
    pub origin: Origin,
    /// When, nanoseconds; see [`Stored::time`].
    pub time: Option<i64>,
    /// The entry that it belongs to; 0 where that was not known when it was seen.
    pub call: u64,
    /// Which of the messages completed in that frame, from 0.
    pub part: u16,
    /// Its status code; 0 for a request.
    pub code: u16,
    /// Its method.
    pub method: Method,
    /// Method of the first request of the entry.
    pub of: Method,
    /// Is it a line of a log?
    pub of_log: bool,
    /// Does its time have a date?
    pub is_dated: bool,
}

impl Spot {
    /// A message whose entry is not known yet.
    pub fn of(stored: &Stored) -> Spot {
        let (stamp, head) = (&stored.stamp, &stored.head);
        Spot {
            origin: stamp.origin,
            time: stamp.instant(),
            call: 0,
            part: stamp.part,
            code: head.code().unwrap_or(0),
            method: head.method,
            of: head.method,
            of_log: stamp.lines > 0,
            is_dated: stamp.time().is_some(),
        }
    }

    /// A message of an entry that is over.
    pub fn within(call: &Call, stored: &Stored) -> Spot {
        Spot {
            call: call.id,
            of: call.method,
            ..Spot::of(stored)
        }
    }

    /// Is it one of the messages of this call?
    pub fn is_in(&self, call: &Call) -> bool {
        let own = |m: &Stored| (m.stamp.origin, m.stamp.part) == (self.origin, self.part);
        call.all_legs().any(|leg| leg.messages.iter().any(own))
    }
}
