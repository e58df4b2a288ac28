//! Servers that answered 503 with Retry-After, and who went on asking them (RFC 3261 §21.5.4).

use super::across::Exhibit;
use crate::message::Method;
use crate::message::field::Field;
use crate::message::typed;
use crate::message::uri::Uri;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// Pairs of client and server that are remembered.
const MOST_PAIRS: usize = 1024;
/// Times of each: later ones take the place of the earliest.
const MOST_TIMES: usize = 16;
/// Longer ones are no answer to an overload but an error, seconds.
const LONGEST: u64 = 24 * 3600;

/// A server that asked to be left alone, and what it got.
#[derive(Debug)]
pub struct Backoff {
    /// From when until when, nanoseconds: the latest times.
    times: Vec<(i64, i64)>,
    /// Seconds asked for in the first answer.
    pub seconds: u64,
    /// The first answer.
    pub answer: Exhibit,
    /// Calls, registrations, ... that were sent there all the same, for nothing.
    pub ignored: u64,
    /// The first and the last of those.
    pub shown: Option<[Exhibit; 2]>,
}

/// A client and a server. The client with its port: behind one address may be many that do not know
/// of each other.
pub type Pair = (SocketAddr, IpAddr);

/// All of them.
#[derive(Debug, Default)]
pub struct Backoffs {
    pairs: HashMap<Pair, Backoff, RandomState>,
}

impl Backoffs {
    /// Looks at a call.
    pub(super) fn add(&mut self, call: &Call) {
        for leg in call.all_legs() {
            if leg.has(Field::RetryAfter) {
                self.learn(leg);
            }
            if !self.pairs.is_empty() {
                self.count(leg);
            }
        }
    }

    /// Did this server ask anybody to be left alone for a while?
    pub fn has_asked(&self, server: IpAddr) -> bool {
        self.pairs.keys().any(|(_, asked)| *asked == server)
    }

    /// Those who did not do as asked, in a fixed order.
    pub fn ignored(&self) -> Vec<(Pair, &Backoff)> {
        let all = self.pairs.iter().filter(|(_, of)| of.ignored > 0);
        let mut all: Vec<_> = all.map(|(pair, of)| (*pair, of)).collect();
        all.sort_by_key(|(pair, _)| *pair);
        all
    }

    fn learn(&mut self, call: &Call) {
        for answer in call.finals.iter().filter(|f| f.code == 503) {
            let Some(stored) = call.messages.get(answer.message) else {
                continue;
            };
            let seconds = typed::retry_after(stored.message());
            let Some(seconds) = seconds.filter(|s| (1..=LONGEST).contains(s)) else {
                continue;
            };
            let (Some((server, client)), Some(from)) = (stored.stamp.observed(), stored.time())
            else {
                continue;
            };
            let pair = (client, server.ip());
            if self.pairs.len() >= MOST_PAIRS && !self.pairs.contains_key(&pair) {
                continue;
            }
            let known = self.pairs.entry(pair).or_insert_with(|| Backoff {
                times: Vec::new(),
                seconds,
                answer: Exhibit::of(call, stored),
                ignored: 0,
                shown: None,
            });
            let length = i64::try_from(seconds).unwrap_or(0) * SECOND;
            if known.times.len() >= MOST_TIMES {
                known.times.remove(0);
            }
            known.times.push((from, from.saturating_add(length)));
        }
    }

    // The first request of the call that was sent in such a time: its repeats, and what it consists
    // of beside, are no requests of their own.
    fn count(&mut self, call: &Call) {
        // Where the server takes requests again nobody minds; and whoever only asks whether it is back
        // has to be told so.
        let for_nothing = call.code() == Some(503) || call.outcome == Outcome::TimedOut;
        if !for_nothing || call.method == Method::Options || is_emergency(call) {
            return;
        }
        let requests = call.originals().filter(|(_, m)| m.is_initial());
        for (_, request) in requests.take(MOST_TIMES) {
            let (Some((client, server)), Some(time)) = (request.stamp.observed(), request.time())
            else {
                continue;
            };
            let Some(known) = self.pairs.get_mut(&(client, server.ip())) else {
                continue;
            };
            if !known.holds(time) {
                continue;
            }
            known.ignored += 1;
            let exhibit = Exhibit::of(call, request);
            match &mut known.shown {
                Some([_, last]) => *last = exhibit,
                None => known.shown = Some([exhibit.clone(), exhibit]),
            }
            return;
        }
    }
}

impl Backoff {
    // What was on its way when the answer came is no disobedience.
    fn holds(&self, time: i64) -> bool {
        const UNDER_WAY: i64 = SECOND / 2;
        let mut times = self.times.iter();
        times.any(|(from, until)| (*from + UNDER_WAY..*until).contains(&time))
    }
}

// Such calls are tried whatever a server asks for (RFC 5031, RFC 3261 §20.26).
fn is_emergency(call: &Call) -> bool {
    let Some(request) = call.request() else {
        return false;
    };
    let number = |stored: &Stored| {
        let uri = stored.message().request_uri()?.of(&stored.raw);
        let service = uri.len() >= 15 && uri[..15].eq_ignore_ascii_case(b"urn:service:sos");
        let number = Uri::parse(uri).map(|uri| uri.number()).unwrap_or_default();
        Some(service || matches!(number.as_str(), "112" | "911" | "999"))
    };
    let priority = request.message().text("Priority").unwrap_or_default();
    number(request).unwrap_or(false) || priority.eq_ignore_ascii_case("emergency")
}
