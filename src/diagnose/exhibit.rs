//! Messages that prove something about many calls.

use super::{Template, asides};
use crate::input::Origin;
use crate::message::Method;
use crate::session::aside::Aside;
use crate::session::{Call, Stored};

/// A message that proves something about many calls, with what is shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    /// Its frame or line.
    pub origin: Origin,
    /// Which of the messages completed in that frame, from 0.
    pub part: u16,
    /// Is it a line of a log?
    pub of_log: bool,
    /// When, nanoseconds since 1970; none in a log without dates.
    pub time: Option<i64>,
    /// Its start line, at most 256 bytes.
    pub text: Vec<u8>,
    /// The call it belongs to; 0 where it belongs to none.
    pub call: u64,
    /// Method of the first request of that.
    pub of: Method,
    /// What it says, where it is no message.
    pub beside: Option<Template>,
}

impl Exhibit {
    /// What happened to a connection.
    pub fn of_wire(aside: &Aside) -> Exhibit {
        Exhibit {
            origin: aside.origin,
            part: 0,
            of_log: false,
            time: aside.time.map(|time| time.0),
            text: Vec::new(),
            call: 0,
            of: Method::Invite,
            beside: Some(asides::wire(aside, String::new())),
        }
    }

    /// A frame, and what it says.
    pub fn of_frame(origin: Origin, said: Template) -> Exhibit {
        Exhibit {
            origin,
            part: 0,
            of_log: false,
            time: None,
            text: Vec::new(),
            call: 0,
            of: Method::Invite,
            beside: Some(said),
        }
    }

    /// The start line of a message.
    pub fn of(call: &Call, stored: &Stored) -> Exhibit {
        Exhibit::into(call, stored, Vec::new())
    }

    pub(super) fn into(call: &Call, stored: &Stored, mut text: Vec<u8>) -> Exhibit {
        const LONGEST: usize = 256;
        let line = stored.message().start_line().of(&stored.raw);
        text.clear();
        text.extend_from_slice(line.get(..LONGEST).unwrap_or(line));
        Exhibit {
            origin: stored.stamp.origin,
            part: stored.stamp.part,
            of_log: stored.stamp.lines > 0,
            time: stored.stamp.time().map(|time| time.0),
            text,
            call: call.id,
            of: call.method,
            beside: None,
        }
    }

    // The first one stays, and the last one changes with every message.
    pub(super) fn note(
        first: &mut Option<Exhibit>,
        last: &mut Option<Exhibit>,
        call: &Call,
        stored: &Stored,
    ) {
        match last {
            Some(last) => {
                let text = std::mem::take(&mut last.text);
                *last = Exhibit::into(call, stored, text);
            }
            None => *last = Some(Exhibit::of(call, stored)),
        }
        if first.is_none() {
            first.clone_from(last);
        }
    }
}
