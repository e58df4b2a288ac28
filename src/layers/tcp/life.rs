//! What becomes of a connection: asked for and not answered, refused, closed, reset, unheard.

use super::TcpSegment;
use crate::input::{Origin, Time};
use crate::layers::{At, TlsFailure};

/// Copies closer together than this are the same packet recorded twice: nobody waits for an answer
/// less than 200 ms (RFC 6298 §2.4 asks for a second; systems take less). Nanoseconds.
const RECORDED_TWICE: i64 = 150_000_000;
/// Copies of one segment that show that nobody hears the sender: two may be lost one after the other.
const UNHEARD: u16 = 4;
/// Copies told one by one; no system sends more (RFC 9293 §3.8.3).
const MOST_COPIES: u16 = 32;

/// Something that happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// A SYN was repeated: nothing answered it so far.
    Unanswered {
        /// How often it was sent.
        copies: u16,
        /// The first of them.
        first: Sight,
    },
    /// What was told as unanswered was answered after all.
    Opened,
    /// A SYN was answered with RST.
    Refused {
        /// How often it was sent.
        copies: u16,
        /// The first of them.
        first: Sight,
    },
    /// The sender closed the connection (FIN).
    Closed {
        /// How long nobody had sent anything before the last bytes, nanoseconds; 0 where bytes went
        /// on and on.
        quiet: i64,
        /// The other end was seen to send something.
        heard: bool,
    },
    /// The sender tore the connection down (RST).
    Reset {
        /// As above.
        quiet: i64,
        /// As above.
        heard: bool,
    },
    /// The sender repeats bytes that nobody acknowledges.
    Unheard {
        /// How often they were sent.
        copies: u16,
        /// The first time.
        first: Sight,
        /// As above.
        quiet: i64,
    },
    /// A TLS handshake did not come to its end. The flow goes from client to server.
    Tls(Box<TlsFailure>),
    /// TLS records with data that no key opens: the first of a connection. The flow goes from client
    /// to server.
    Sealed {
        /// Connections so far, where they are counted together.
        connections: u64,
    },
}

impl Wire {
    /// The name in kebab-case.
    pub fn name(&self) -> &'static str {
        match self {
            Wire::Unanswered { .. } => "connection-unanswered",
            Wire::Opened => "connection-opened",
            Wire::Refused { .. } => "connection-refused",
            Wire::Closed { .. } => "connection-closed",
            Wire::Reset { .. } => "connection-reset",
            Wire::Unheard { .. } => "data-unacknowledged",
            Wire::Tls(_) => "handshake-failed",
            Wire::Sealed { .. } => "data-encrypted",
        }
    }
}

/// A frame, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The frame.
    pub origin: Origin,
    /// When.
    pub time: Option<Time>,
}

impl From<At> for Sight {
    fn from(at: At) -> Sight {
        Sight {
            origin: at.origin,
            time: at.time,
        }
    }
}

/// What is remembered of a connection to tell what becomes of it.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// The direction of the SYN, and its copies.
    syn: Option<(usize, Copies)>,
    /// Somebody was told of the copies.
    told: bool,
    /// More than a SYN went over it.
    open: bool,
    /// It was closed or reset.
    over: bool,
    /// Directions that brought something.
    seen: [bool; 2],
    quiet: i64,
    last: Option<Time>,
    /// Bytes repeated without an acknowledgement, by direction.
    repeats: [Option<Copies>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Copies {
    first: Sight,
    last: Option<Time>,
    count: u16,
}

impl Copies {
    fn new(at: At) -> Copies {
        Copies {
            first: at.into(),
            last: at.time,
            count: 1,
        }
    }

    /// Counts another one; whether it is one and not too many were counted.
    fn add(&mut self, time: Option<Time>) -> bool {
        let apart = self.last.zip(time).map(|(last, now)| now.0 - last.0);
        let counts = apart.is_some_and(|apart| apart >= RECORDED_TWICE) && self.count < MOST_COPIES;
        if counts {
            self.count += 1;
            self.last = time;
        }
        counts
    }
}

/// What the directions know of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighted {
    /// It brings bytes that were sent before and were not acknowledged.
    pub(super) again: bool,
    /// It brings new bytes.
    pub(super) new: bool,
    /// Its sequence number can be one of this connection.
    pub(super) near: bool,
}

impl Life {
    /// Takes a segment of the direction `index`; what it tells.
    pub(super) fn note(
        &mut self,
        index: usize,
        at: At,
        segment: &TcpSegment<'_>,
        sighted: Sighted,
    ) -> Option<Wire> {
        if segment.syn && segment.ack.is_none() {
            return self.asked(index, at);
        }
        if segment.rst {
            return self.reset(index, sighted);
        }
        self.seen[index] = true;
        let opened = !std::mem::replace(&mut self.open, true) && self.told;
        if sighted.again {
            return self.repeated(index, at);
        }
        if sighted.new {
            self.repeats[index] = Some(Copies::new(at));
            let gap = self.last.zip(at.time).map(|(last, now)| now.0 - last.0);
            self.quiet = gap.unwrap_or(0);
        }
        self.last = at.time.or(self.last);
        if segment.fin && !std::mem::replace(&mut self.over, true) {
            return Some(Wire::Closed {
                quiet: self.quiet,
                heard: self.seen[1 - index],
            });
        }
        opened.then_some(Wire::Opened)
    }

    fn asked(&mut self, index: usize, at: At) -> Option<Wire> {
        let Some((by, copies)) = &mut self.syn else {
            self.syn = Some((index, Copies::new(at)));
            return None;
        };
        if self.open || *by != index || !copies.add(at.time) {
            return None;
        }
        self.told = true;
        Some(Wire::Unanswered {
            copies: copies.count,
            first: copies.first,
        })
    }

    fn reset(&mut self, index: usize, sighted: Sighted) -> Option<Wire> {
        match self.syn {
            Some((by, copies)) if !self.open => (by != index).then_some(Wire::Refused {
                copies: copies.count,
                first: copies.first,
            }),
            _ if sighted.near && !std::mem::replace(&mut self.over, true) => Some(Wire::Reset {
                quiet: self.quiet,
                heard: self.seen[1 - index],
            }),
            _ => None,
        }
    }

    fn repeated(&mut self, index: usize, at: At) -> Option<Wire> {
        let copies = self.repeats[index].get_or_insert(Copies::new(at));
        let counts = copies.add(at.time) && copies.count >= UNHEARD && !self.over;
        counts.then_some(Wire::Unheard {
            copies: copies.count,
            first: copies.first,
            quiet: self.quiet,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Sighted = Sighted {
        again: false,
        new: true,
        near: true,
    };
    const AGAIN: Sighted = Sighted {
        again: true,
        new: false,
        near: true,
    };

    fn at(milliseconds: i64) -> At {
        let place = milliseconds.unsigned_abs() + 1;
        At::new(
            Origin { input: 0, place },
            Some(Time(milliseconds * 1_000_000)),
        )
    }

    fn segment(flags: &str) -> TcpSegment<'static> {
        TcpSegment {
            ports: (40001, 5060),
            seq: 1,
            ack: (flags != "S").then_some(1),
            syn: flags.contains('S'),
            fin: flags.contains('F'),
            rst: flags.contains('R'),
            payload: &[],
            missing: 0,
        }
    }

    fn copies(wire: Option<Wire>) -> Option<u16> {
        match wire? {
            Wire::Unanswered { copies, .. }
            | Wire::Refused { copies, .. }
            | Wire::Unheard { copies, .. } => Some(copies),
            _ => Some(0),
        }
    }

    #[test]
    fn a_syn_is_told_of_once_it_is_repeated_and_taken_back_once_it_is_answered() {
        let mut life = Life::default();
        let syn = |life: &mut Life, time| copies(life.note(0, at(time), &segment("S"), NEW));
        // The second one is the same packet, recorded twice.
        let told = [0, 1, 1000, 3000].map(|time| syn(&mut life, time));
        assert_eq!(told, [None, None, Some(2), Some(3)]);
        let answer = life.note(1, at(3010), &segment("SA"), NEW);
        assert_eq!(answer, Some(Wire::Opened));
        assert_eq!(life.note(0, at(3011), &segment("A"), NEW), None);
        let end = life.note(1, at(3020), &segment("R"), NEW);
        assert!(matches!(end, Some(Wire::Reset { heard: true, .. })));
        assert_eq!(life.note(0, at(3030), &segment("F"), NEW), None);
    }

    #[test]
    fn a_reset_in_place_of_an_answer_is_a_refusal_and_one_by_who_asked_is_none() {
        let mut life = Life::default();
        life.note(0, at(0), &segment("S"), NEW);
        assert_eq!(life.note(0, at(5), &segment("R"), NEW), None);
        assert_eq!(copies(life.note(1, at(9), &segment("R"), NEW)), Some(1));
    }

    #[test]
    fn bytes_repeated_without_an_end_are_counted_up_to_a_cap() {
        let mut life = Life::default();
        life.note(0, at(0), &segment("A"), NEW);
        let told = (1..100).map(|n| copies(life.note(0, at(n * 400), &segment("A"), AGAIN)));
        let told: Vec<u16> = told.flatten().collect();
        assert_eq!((told.first(), told.last()), (Some(&4), Some(&32)));
        assert_eq!(told.len(), 29);
    }
}
