//! Legs of one call through back-to-back user agents: entries with Call-IDs of their own that
//! belong together (rules.md, "B2BUA leg join score").

use super::call::Call;
use super::clock::SECOND;
use super::entry::{Stored, TRANSACTION};
use super::keys::KeyMap;
use super::outcome::Outcome;
use crate::layers::ip_bits;
use crate::message::field::Field;
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Message, header, params};
use foldhash::fast::RandomState;
use std::collections::VecDeque;
use std::hash::BuildHasher;

/// A second leg begins this soon after the first one, nanoseconds.
const WINDOW: i64 = 5 * SECOND;
/// What both legs do is seen this close together, nanoseconds.
const TOGETHER: i64 = SECOND / 4;
/// Earlier legs compared with a new one, for each way of finding them.
const MOST_COMPARED: usize = 4;
/// Legs that may wait for their first one; beyond that no more are joined.
const MOST_GROUPS: usize = 65_536;
/// Bytes of legs that wait; beyond that a leg is released on its own.
const MOST_HELD: usize = 64 * 1024 * 1024;
/// Legs of one call.
const MOST_LEGS: usize = 16;
/// Digits at the end of a number that stay the same when prefixes are added or cut.
const DIGITS: usize = 7;
/// Letters at the end of a name that are compared.
const LONGEST: usize = 32;
/// A Call-ID or identifier shorter than this may be anywhere by chance.
const LEAST_ID: usize = 8;

/// How sure a join is, as words of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sure {
    /// One leg names the other.
    Certain,
    /// Numbers, times and ends agree.
    Likely,
}

impl Sure {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Sure::Certain => "certain",
            Sure::Likely => "likely",
        }
    }
}

/// Why a leg belongs to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join {
    /// What both have in common.
    pub by: &'static str,
    /// How sure that is.
    pub sure: Sure,
}

/// Headers that carry the same identifier on all legs of a call.
const CORRELATORS: [&str; 12] = [
    "Session-ID",
    "P-Charging-Vector",
    "Cisco-Guid",
    "X-CID",
    "X-Call-ID",
    "X-CallID",
    "X-Correlation-ID",
    "X-Twilio-CallSid",
    "X-Telnyx-Session-ID",
    "X-Genesys-CallUUID",
    "Av-Global-Session-ID",
    "User-to-User",
];

/// An INVITE that a later leg may belong to, under one of its keys.
#[derive(Clone, Copy, Debug)]
struct Earlier {
    time: i64,
    key: u64,
    slot: u32,
    id: u64,
    /// The first bytes of its Call-ID.
    call_id: [u8; LEAST_ID],
    /// Hash of its origin line; 0 where it has none.
    origin: u64,
    /// Where it went; 0 where that is unknown.
    host: u64,
    /// The one before it with the same key, counted from the first ever noted.
    before: Option<u64>,
}

/// The INVITEs of the last seconds, by where they went and by the number they asked for.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// The newest with each key, counted from the first ever noted.
    newest: KeyMap<u64>,
    queue: VecDeque<Earlier>,
    /// How many have left the queue.
    gone: u64,
    hash: RandomState,
}

impl Begun {
    /// The earlier legs that a new INVITE may continue, the newest first; what they say themselves is
    /// looked at only where they may have something in common. Takes note of it as well.
    pub(super) fn candidates(&mut self, stored: &Stored, slot: u32, id: u64) -> Vec<(u32, u64)> {
        let Some(time) = stored.time() else {
            return Vec::new();
        };
        self.forget(time);
        let message = stored.message();
        let dialled = Some(stored.keys.dialled).filter(|key| *key != 0);
        let host = |a: std::net::SocketAddr| self.hash.hash_one(ip_bits(a.ip())) | 1;
        let from = stored.stamp.source.map(host);
        let to = stored.stamp.destination.map(host);
        let origin = stored.keys.origin;
        let call_id = message.head.call_id.of(message.raw);
        let named = may_name_another(message);
        let plausible = |known: &Earlier| {
            named
                || (known.origin == origin && origin != 0)
                || (Some(known.host) == from)
                || call_id.windows(LEAST_ID).any(|part| part == known.call_id)
        };
        let mut found: Vec<(u32, u64)> = Vec::new();
        for key in from.into_iter().chain(dialled) {
            let mut next = self.newest.get(&key).copied();
            for _ in 0..MOST_COMPARED {
                let Some(known) = next.and_then(|number| self.noted(number)) else {
                    break;
                };
                next = known.before;
                if plausible(known) && !found.contains(&(known.slot, known.id)) {
                    found.push((known.slot, known.id));
                }
            }
        }
        let first = call_id.first_chunk().copied().unwrap_or_default();
        for key in to.into_iter().chain(dialled) {
            let number = self.gone + self.queue.len() as u64;
            let before = self.newest.insert(key, number);
            self.queue.push_back(Earlier {
                time,
                key,
                slot,
                id,
                call_id: first,
                origin,
                host: to.unwrap_or(0),
                before,
            });
        }
        found
    }

    fn noted(&self, number: u64) -> Option<&Earlier> {
        let index = number.checked_sub(self.gone)?;
        self.queue.get(usize::try_from(index).ok()?)
    }

    fn forget(&mut self, now: i64) {
        while let Some(oldest) = self.queue.front() {
            if (0..WINDOW).contains(&(now - oldest.time)) && self.queue.len() < MOST_GROUPS {
                return;
            }
            if self.newest.get(&oldest.key) == Some(&self.gone) {
                self.newest.remove(&oldest.key);
            }
            self.queue.pop_front();
            self.gone += 1;
        }
    }
}

/// The end of a number or name, and how long it is.
pub(super) type Tail = ([u8; LONGEST], usize);

/// The last digits of the number asked for; the user where it is none.
pub(super) fn number_of(message: Message<'_>) -> Tail {
    let uri = message
        .request_uri()
        .and_then(|span| Uri::parse(span.of(message.raw)));
    tail(uri.map_or(&[], |uri| uri.user))
}

fn tail(user: &[u8]) -> Tail {
    let letters = user.iter().filter(|byte| byte.is_ascii_alphabetic());
    let named = letters.count() > 2;
    let (mut tail, mut length) = ([0; LONGEST], 0);
    // From the end, for what is compared is the end of it.
    for byte in user.iter().rev() {
        let counts = named || byte.is_ascii_digit();
        let most = if named { LONGEST } else { DIGITS };
        if let Some(place) = tail.get_mut(length).filter(|_| counts && length < most) {
            (*place, length) = (byte.to_ascii_lowercase(), length + 1);
        }
    }
    (tail, length)
}

fn user_in(message: Message<'_>, name: &'static str) -> Tail {
    let value = message
        .header(name)
        .map(|header| header.value.of(message.raw));
    let uri = value.map(addr_spec).and_then(Uri::parse);
    tail(uri.map_or(&[], |uri| uri.user))
}

/// What two legs have in common when the later one begins; `None` where that is not enough even
/// to look at how they end.
pub(super) fn in_common(first: &Stored, own: &Later<'_>) -> Option<Join> {
    let Later {
        stored: later,
        correlates,
        ..
    } = *own;
    let (a, b) = (first.message(), later.message());
    let same_host = match (first.stamp.destination, later.stamp.source) {
        (Some(to), Some(from)) => to.ip() == from.ip(),
        _ => false,
    };
    // A call that a proxy sends back to where it came from is no second leg of itself.
    if first.stamp.source == later.stamp.source
        && first.stamp.destination == later.stamp.destination
    {
        return None;
    }
    let certain = |by| {
        Some(Join {
            by,
            sure: Sure::Certain,
        })
    };
    if names_the_other(a, b) {
        return certain("one leg names the Call-ID of the other");
    }
    if let Some(by) = CORRELATORS
        .into_iter()
        .filter(|_| correlates)
        .find(|name| same_identifier(a, b, name))
    {
        return certain(by);
    }
    // What follows walks the headers: not for calls that cannot be joined by it.
    let origin = own.origin.filter(|own| origin_line(a) == Some(*own));
    if !same_host && origin.is_none() {
        return None;
    }
    let dialled = |message| {
        let number = number_of(message);
        if number.1 == 0 {
            user_in(message, "To")
        } else {
            number
        }
    };
    let same = |a: Tail, b: Tail| a.1 >= 3 && a == b;
    let to = same(dialled(a), dialled(b)) || same(user_in(a, "To"), user_in(b, "To"));
    let caller = |message: Message<'_>| {
        let asserted = user_in(message, "P-Asserted-Identity");
        if asserted.1 == 0 {
            user_in(message, "From")
        } else {
            asserted
        }
    };
    let from = same(caller(a), caller(b)) || same(user_in(a, "From"), user_in(b, "From"));
    if origin.is_some() && (to || from) {
        return certain("the same origin line in SDP");
    }
    (same_host && to && from).then_some(Join {
        by: "the same numbers through the same host, answered or ended together",
        sure: Sure::Likely,
    })
}

/// An INVITE that may continue an earlier one, with what all comparisons need of it.
pub(super) struct Later<'a> {
    stored: &'a Stored,
    origin: Option<&'a [u8]>,
    /// Does it carry an identifier that other legs may share?
    correlates: bool,
}

impl<'a> Later<'a> {
    pub(super) fn of(stored: &'a Stored) -> Later<'a> {
        let message = stored.message();
        Later {
            stored,
            origin: origin_line(message),
            correlates: correlates(message),
        }
    }
}

// May a header of it hold an identifier of another leg? Those that every INVITE has do not.
fn may_name_another(message: Message<'_>) -> bool {
    const NAMING: [Field; 4] = [
        Field::SessionId,
        Field::PChargingVector,
        Field::Replaces,
        Field::CallInfo,
    ];
    let present = message.head.present;
    present.others() || NAMING.into_iter().any(|field| present.has(field))
}

fn correlates(message: Message<'_>) -> bool {
    let known = |name: &[u8]| {
        CORRELATORS
            .iter()
            .any(|known| known.as_bytes().eq_ignore_ascii_case(name))
    };
    let mut headers = message.headers();
    may_name_another(message) && headers.any(|header| known(header.name.of(message.raw)))
}

/// The surest of the joins that were found; two that are equally likely decide nothing.
pub(super) fn only_one(found: impl Iterator<Item = (u32, u64, Join)>) -> Option<(u32, u64, Join)> {
    let (mut best, mut several): (Option<(u32, u64, Join)>, bool) = (None, false);
    for one in found {
        match best {
            Some((_, first, known)) if known.sure == one.2.sure => several |= first != one.1,
            Some((_, _, known)) if known.sure < one.2.sure => {}
            _ => (best, several) = (Some(one), false),
        }
    }
    best.filter(|(_, _, join)| !several || join.sure == Sure::Certain)
}

// The later leg names the earlier one, or its Call-ID is made of that one's.
fn names_the_other(a: Message<'_>, b: Message<'_>) -> bool {
    let (own, other) = (a.head.call_id.of(a.raw), b.head.call_id.of(b.raw));
    let hay = match may_name_another(b) {
        true => b.header_section(),
        false => other,
    };
    own.len() >= LEAST_ID && own != other && memchr::memmem::find(hay, own).is_some()
}

fn same_identifier(a: Message<'_>, b: Message<'_>, name: &'static str) -> bool {
    let identifier = |message: Message<'_>| -> Option<Vec<u8>> {
        let value = message.header(name)?.value.of(message.raw);
        let value = match name {
            // RFC 7989 §5: the UUID of the one who began comes first.
            "Session-ID" => value.split(|byte| *byte == b';').next()?,
            // RFC 7315 §5.6: the first parameter, in front of which there is no semicolon.
            "P-Charging-Vector" => {
                let params = params::semicolon_list(value);
                let id = params::find(&params, "icid-value")?.as_bytes().to_vec();
                return (id.len() >= LEAST_ID).then_some(id);
            }
            _ => value,
        };
        let value = header::elements(value).next().unwrap_or(value).trim_ascii();
        let nil = value.iter().all(|byte| *byte == b'0');
        (value.len() >= LEAST_ID && !nil).then(|| value.to_ascii_lowercase())
    };
    let own = identifier(a);
    own.is_some() && own == identifier(b)
}

/// User, session id and address of `o=`; one that every device writes alike tells nothing.
pub(super) fn origin_line(message: Message<'_>) -> Option<&[u8]> {
    let body = message.body();
    // Nearly always the second line.
    let second = memchr::memchr(b'\n', body)? + 1;
    let start = match body.get(second..)?.starts_with(b"o=") {
        true => second + 2,
        false => memchr::memmem::find(body, b"\no=")? + 3,
    };
    let line = body
        .get(start..)?
        .split(|byte| *byte == b'\r' || *byte == b'\n')
        .next()?;
    let mut words = line.split(|byte| *byte == b' ');
    let (_, session) = (words.next()?, words.next()?);
    (session.len() >= 6).then_some(line)
}

/// Legs on their way to be one call.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_first: KeyMap<Group>,
    held: usize,
}

#[derive(Debug, Default)]
struct Group {
    joins: Vec<(u64, Join)>,
    live: usize,
    over: Vec<Call>,
}

impl Groups {
    /// May the entry `id` be joined to `first`? Takes note of it where there is room.
    pub(super) fn join(&mut self, first: u64, id: u64, join: Join) -> bool {
        if self.by_first.len() >= MOST_GROUPS && !self.by_first.contains_key(&first) {
            return false;
        }
        let group = self.by_first.entry(first).or_default();
        if group.joins.len() + 1 >= MOST_LEGS {
            return false;
        }
        group.live = if group.live == 0 { 2 } else { group.live + 1 };
        group.joins.push((id, join));
        true
    }

    /// Takes a leg that is over; gives the calls that this completes, each with its further legs.
    pub(super) fn over(&mut self, first: u64, call: Call) -> Vec<Call> {
        let Some(group) = self.by_first.get_mut(&first) else {
            return vec![call];
        };
        group.live = group.live.saturating_sub(1);
        let weight = weight_of(&call);
        let mut done = Vec::new();
        if self.held + weight > MOST_HELD {
            done.push(call);
        } else {
            self.held += weight;
            group.over.push(call);
        }
        if group.live == 0 {
            let group = self.by_first.remove(&first).unwrap_or_default();
            self.held -= group.over.iter().map(weight_of).sum::<usize>();
            done.extend(group.assemble());
        }
        done
    }
}

fn weight_of(call: &Call) -> usize {
    let messages = call
        .messages
        .iter()
        .map(|m| m.raw.len() + size_of::<Stored>());
    messages.sum()
}

impl Group {
    // What only begins alike must also end alike, else it is no more than related.
    fn assemble(mut self) -> Vec<Call> {
        self.over.sort_by_key(|call| call.id);
        let mut calls = self.over.into_iter();
        let Some(mut first) = calls.next() else {
            return Vec::new();
        };
        let mut apart = Vec::new();
        for mut leg in calls {
            let join = self
                .joins
                .iter()
                .find(|(id, _)| *id == leg.id)
                .map(|(_, join)| *join);
            match join {
                Some(join) if join.sure == Sure::Certain || end_together(&first, &leg) => {
                    first.joins.push(join);
                    first.legs.push(leg);
                }
                _ => {
                    first.related.push(leg.id);
                    leg.related.push(first.id);
                    apart.push(leg);
                }
            }
        }
        apart.insert(0, first);
        apart
    }
}

// Is the answer or the end of the second leg passed on to the first one, or the other way round?
fn end_together(first: &Call, leg: &Call) -> bool {
    let close =
        |a: Option<i64>, b: Option<i64>| a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= TOGETHER);
    let answered = |call: &Call| call.answer().and_then(Stored::time);
    let refused = |call: &Call| {
        let answer = call.deciding().filter(|m| m.head.code() >= Some(300))?;
        answer.time()
    };
    let rang = |call: &Call| call.ringing().and_then(Stored::time);
    let bye = |call: &Call| call.bye().and_then(Stored::time);
    let cancelled = |call: &Call| {
        let cancel = call.requests(crate::message::Method::Cancel).next();
        cancel.and_then(|(_, m)| m.time())
    };
    let silent = |call: &Call| call.outcome == Outcome::TimedOut;
    let late = first
        .start()
        .zip(refused(first))
        .map(|(from, until)| until - from);
    close(answered(first), answered(leg))
        || close(refused(first), refused(leg))
        || close(rang(first), rang(leg))
        || close(bye(first), bye(leg))
        || close(cancelled(first), cancelled(leg))
        || (silent(leg) && late.is_some_and(|late| late <= TRANSACTION * SECOND + SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_their_last_digits_and_names_whole() {
        assert_eq!(tail(b"+12125550123"), tail(b"0012125550123"));
        assert_eq!(tail(b"+1-212-555-0123"), tail(b"92125550123"));
        assert_eq!(tail(b"Alice"), tail(b"alice"));
        assert_ne!(tail(b"alice1"), tail(b"alice2"));
        assert_eq!(tail(b"12").1, 2);
        assert_eq!(tail(&[b'a'; 80]).1, LONGEST);
    }
}
