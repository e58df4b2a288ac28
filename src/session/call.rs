//! A released entry: its repeats marked, its final responses listed, its outcome decided.

use super::aside::Aside;
use super::entry::{CopyKind, CopyOf, Entry, Stored, is_initial};
use super::idle::Idle;
use super::keys::KeyMap;
use super::legs::Join;
use super::media::RtpStream;
use super::messages::{Iter, Messages};
use super::oddity::{self, Oddities};
use super::outcome::{self, Outcome};
use super::series::Series;
use super::steps::{self, Step};
use super::transaction::{self, Transaction};
use crate::message::field::{Field, Fields, Present};
use crate::message::header::unfold;
use crate::message::hints::Hints;
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Flaws, Method, StartLine, lossy, sdp};
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// No sender repeats a message as soon as this: T1 is 500 ms (RFC 3261 §17.1.1.1); nanoseconds.
const TOO_SOON: u64 = 20_000_000;
/// Copies of a message that a further one is compared with.
const COPIES: usize = 32;

/// A call, registration, ping, ...: everything about one Call-ID and From-tag.
#[derive(Clone, Debug)]
pub struct Call {
    /// Unique over the run, by first message; gaps allowed.
    pub id: u64,
    /// The released entry that this one continues.
    pub continues: Option<u64>,
    /// The answered and ended call whose Call-ID and From-tag it has again.
    pub reuses: Option<u64>,
    /// Method of the request that began it.
    pub method: Method,
    /// Sequence numbers of that request and of those that answered a step.
    pub cseqs: Series,
    /// All messages in the order in which they were seen; repeats are marked.
    pub messages: Messages,
    /// What was seen beside them: ICMP errors about them, answers of name servers that led to them.
    pub asides: Vec<Aside>,
    /// RTP between the addresses that its session descriptions name.
    pub media: Vec<RtpStream>,
    /// How long clients behind address translation had been silent before requests that nobody
    /// answered.
    pub idle: Vec<Idle>,
    /// Requests that clients behind address translation left unanswered though they sent packets
    /// afterwards, and when the last one came, nanoseconds.
    pub alive: Vec<(usize, i64)>,
    /// How many of its messages are a packet that was recorded before.
    pub duplicates: u32,
    /// The final responses, repeats folded in.
    pub finals: Vec<Final>,
    /// How it ended.
    pub outcome: Outcome,
    /// Index of the final response that decided it; `None` for silence.
    pub decided_by: Option<usize>,
    /// Capture time at its release, in nanoseconds; as [`Stored::time`].
    pub seen_until: Option<i64>,
    /// Further legs of it, behind back-to-back user agents, by first message.
    pub legs: Vec<Call>,
    /// Why each of them belongs to it.
    pub joins: Vec<Join>,
    /// Numbers of calls that may belong to it.
    pub related: Vec<u64>,
    /// The tags of the side that began, the last one first.
    began: [u64; 2],
    lens: Lens,
}

/// What is read of a call only where somebody asks.
#[derive(Clone, Debug, Default)]
struct Lens {
    present: OnceCell<Present>,
    transactions: OnceCell<Vec<Transaction>>,
    flaws: OnceCell<Flaws>,
    oddities: OnceCell<Oddities>,
}

/// A final response.
#[derive(Clone, Debug)]
pub struct Final {
    /// Index of its message.
    pub message: usize,
    /// Status code.
    pub code: u16,
    /// Messages that repeat it.
    pub repeats: Vec<usize>,
    /// Set where it was only a step on the way.
    pub step: Option<Step>,
    /// Index of the final response that it relays.
    pub step_of: Option<usize>,
}

impl Call {
    /// Looks at an entry as a whole; `now` is the capture time.
    pub fn conclude(entry: Entry, now: Option<i64>) -> Call {
        let Entry {
            id,
            continues,
            reuses,
            method,
            cseqs,
            mut messages,
            asides,
            caller_tag,
            former_tag,
            ..
        } = entry;
        let duplicates = mark_copies(&mut messages);
        let finals = list_finals(&messages);
        let mut call = Call {
            id,
            continues,
            reuses,
            method,
            cseqs,
            messages,
            asides,
            media: Vec::new(),
            idle: Vec::new(),
            alive: Vec::new(),
            duplicates,
            finals,
            outcome: Outcome::Unfinished,
            decided_by: None,
            seen_until: now,
            legs: Vec::new(),
            joins: Vec::new(),
            related: Vec::new(),
            began: [caller_tag, former_tag],
            lens: Lens::default(),
        };
        steps::mark(&mut call);
        (call.outcome, call.decided_by) = outcome::decide(&call);
        call
    }

    /// The same call, as if another of its final responses had decided it: for a diagnosis of what
    /// was hidden by the one that did.
    pub fn as_if_decided_by(&self, number: usize) -> Call {
        Call {
            decided_by: Some(number),
            ..self.clone()
        }
    }

    /// How it ended, as reports tell it: what was not recorded from its beginning is unfinished, whatever
    /// its end lets a diagnosis say.
    pub fn told(&self) -> Outcome {
        match self.has_beginning() {
            true => self.outcome,
            false => Outcome::Unfinished,
        }
    }

    /// Index of the final response that decided it, as reports tell it.
    pub fn told_by(&self) -> Option<usize> {
        self.decided_by
            .filter(|_| self.told() != Outcome::Unfinished)
    }

    /// The leg with this number: 0 is the call itself.
    pub fn leg(&self, number: usize) -> &Call {
        number
            .checked_sub(1)
            .and_then(|index| self.legs.get(index))
            .unwrap_or(self)
    }

    /// It and its further legs.
    pub fn all_legs(&self) -> impl Iterator<Item = &Call> {
        std::iter::once(self).chain(&self.legs)
    }

    /// The known headers of the message with this index.
    pub fn fields(&self, index: usize) -> Fields<'_> {
        Fields::of(self.messages.get(index).map(Stored::message))
    }

    /// Does any of its messages have this header?
    pub fn has(&self, field: Field) -> bool {
        let all = || self.messages.iter().map(|m| m.head.present);
        let of_all = || all().fold(Present::default(), Present::and);
        self.lens.present.get_or_init(of_all).has(field)
    }

    /// What any of its messages may hold.
    pub fn hints(&self) -> Hints {
        let all = self.messages.iter().map(|m| m.head.hints);
        all.fold(Hints::default(), Hints::and)
    }

    /// The flaws of all its messages together.
    pub fn flaws(&self) -> Flaws {
        let all = || self.messages.iter().map(|m| m.head.flaws);
        let of_all = || all().fold(Flaws::default(), Flaws::and);
        *self.lens.flaws.get_or_init(of_all)
    }

    /// What looks odd between its messages.
    pub fn oddities(&self) -> Oddities {
        *self.lens.oddities.get_or_init(|| oddity::find(self))
    }

    /// Its transactions on every hop, by their first message.
    pub fn transactions(&self) -> &[Transaction] {
        let list = || transaction::list(&self.messages);
        self.lens.transactions.get_or_init(list)
    }

    /// The transaction that a message belongs to.
    pub fn transaction_of(&self, index: usize) -> Option<&Transaction> {
        let holds = |t: &&Transaction| {
            [&t.sends, &t.provisionals, &t.finals, &t.acks]
                .iter()
                .any(|list| list.contains(&index))
        };
        self.transactions().iter().find(holds)
    }

    /// The message that began it.
    pub fn first(&self) -> Option<&Stored> {
        self.messages.first()
    }

    /// The request that began it, where the capture has it.
    pub fn request(&self) -> Option<&Stored> {
        self.messages
            .iter()
            .find(|m| is_initial(&m.head) && m.head.method == self.method)
    }

    /// Was its beginning recorded?
    pub fn has_beginning(&self) -> bool {
        let begins = |m: &Stored| m.is_initial() || self.came_before_its_request(m);
        self.continues.is_none() && self.first().is_some_and(begins)
    }

    // An answer that was stamped before its request, or to a copy that was not recorded.
    fn came_before_its_request(&self, answer: &Stored) -> bool {
        const NEXT: usize = 8;
        let asks = |m: &Stored| m.is_initial() && m.keys.transaction == answer.keys.transaction;
        !answer.head.is_request() && self.messages.iter().take(NEXT).any(asks)
    }

    /// The messages that are no repeats, with their index.
    pub fn originals(&self) -> impl Iterator<Item = (usize, &Stored)> {
        self.messages
            .iter()
            .enumerate()
            .filter(|(_, m)| m.copy.is_none())
    }

    /// Requests with this method that are no repeats.
    pub fn requests(&self, method: Method) -> impl Iterator<Item = (usize, &Stored)> {
        self.originals()
            .filter(move |(_, m)| m.head.is_request() && m.head.method == method)
    }

    /// The message of a final response.
    pub fn message_of(&self, index: usize) -> Option<&Stored> {
        self.messages.get(self.finals.get(index)?.message)
    }

    /// The final response that decided it.
    pub fn deciding(&self) -> Option<&Stored> {
        self.message_of(self.decided_by?)
    }

    /// Status code of the final response that decided it.
    pub fn code(&self) -> Option<u16> {
        self.finals.get(self.decided_by?).map(|f| f.code)
    }

    /// Is the message part of what began the call: its method, one of its sequence numbers, and not
    /// a transaction of the callee, who counts for himself?
    pub fn is_of_beginning(&self, stored: &Stored) -> bool {
        let keys = &stored.keys;
        let by_callee = keys.to_tag != 0
            && self.began.contains(&keys.to_tag)
            && !self.began.contains(&keys.from_tag);
        stored.head.method == self.method
            && !by_callee
            && stored
                .head
                .cseq
                .is_none_or(|cseq| self.cseqs.contains(cseq))
    }

    /// Did the side that began the call send this message?
    pub fn is_by_caller(&self, stored: &Stored) -> bool {
        self.began.contains(&stored.keys.from_tag) == stored.head.is_request()
    }

    /// The first answer to the request that began it which is a 2xx.
    pub fn answer(&self) -> Option<&Stored> {
        let of_beginning = |f: &&Final| (200..300).contains(&f.code);
        let messages = self
            .finals
            .iter()
            .filter(of_beginning)
            .filter_map(|f| self.messages.get(f.message));
        messages.into_iter().find(|m| self.is_of_beginning(m))
    }

    /// The first 18x of the request that began it.
    pub fn ringing(&self) -> Option<&Stored> {
        self.messages.iter().find(|m| {
            m.head.code().is_some_and(|code| (101..200).contains(&code)) && self.is_of_beginning(m)
        })
    }

    /// The first BYE.
    pub fn bye(&self) -> Option<&Stored> {
        self.requests(Method::Bye).map(|(_, m)| m).next()
    }

    /// The Call-ID.
    pub fn call_id(&self) -> Option<String> {
        let first = self.first()?;
        Some(first.head.call_id)
            .filter(|span| !span.is_empty())
            .map(|span| first.message().slice(span))
    }

    /// URI of From without parameters.
    pub fn from(&self) -> Option<String> {
        self.first().and_then(|first| bare_uri(first, "From"))
    }

    /// URI of To without parameters.
    pub fn to(&self) -> Option<String> {
        self.first().and_then(|first| bare_uri(first, "To"))
    }

    /// Request-URI of the request that began it, without parameters.
    pub fn request_uri(&self) -> Option<String> {
        let request = self.request()?;
        let uri = request.message().request_uri()?;
        Some(
            Uri::parse(uri.of(&request.raw))
                .map_or_else(|| request.message().slice(uri), |uri| uri.bare()),
        )
    }

    /// What its session descriptions call a payload type.
    pub fn codec_of(&self, payload_type: u8) -> Option<String> {
        let bodies = self.originals().map(|(_, m)| m.message().body());
        let mut codecs = bodies.flat_map(sdp::media).flat_map(|media| media.codecs);
        let named = codecs.find(|codec| codec.payload == payload_type && !codec.name.is_empty());
        named.map(|codec| codec.name)
    }

    /// The hosts that its requests were to go to: of the Request-URI, and of the first Route.
    pub fn hosts(&self) -> Vec<String> {
        const MOST: usize = 8;
        let mut hosts: Vec<String> = Vec::new();
        let mut add = |uri: &[u8]| {
            let host = Uri::parse(uri).map(|uri| lossy(uri.host).to_ascii_lowercase());
            let new = host.filter(|host| !host.is_empty() && !hosts.contains(host));
            hosts.extend(new.filter(|_| hosts.len() < MOST));
        };
        for (_, request) in self.originals().filter(|(_, m)| m.head.is_request()) {
            let message = request.message();
            message
                .request_uri()
                .into_iter()
                .for_each(|uri| add(uri.of(&request.raw)));
            if let Some(route) = message.header("Route") {
                add(addr_spec(route.value.of(&request.raw)));
            }
        }
        hosts
    }

    /// Do its times have a date? Else they count from the first midnight of the log.
    pub fn is_dated(&self) -> bool {
        self.first()
            .is_some_and(|first| first.stamp.time().is_some())
    }

    /// Time of the first message, in nanoseconds.
    pub fn start(&self) -> Option<i64> {
        self.first().and_then(Stored::time)
    }

    /// When it ended: the BYE of an answered call, else the last message; `None` while it is not over.
    pub fn end(&self) -> Option<i64> {
        match (self.outcome, self.method) {
            (Outcome::Unfinished, _) => None,
            (Outcome::Succeeded, Method::Invite) => self.bye().and_then(Stored::time),
            _ => self.originals().filter_map(|(_, m)| m.time()).last(),
        }
    }
}

/// The URI of a From or To header without parameters.
fn bare_uri(stored: &Stored, header: &'static str) -> Option<String> {
    let value = stored.message().header(header)?.value.of(&stored.raw);
    let value = unfold(value);
    let spec = addr_spec(&value);
    Some(Uri::parse(spec).map_or_else(|| lossy(spec), |uri| uri.bare()))
        .filter(|uri| !uri.is_empty())
}

// Equal keys are found in a scan while the call is short, in a map when it is long. Gives how many
// are the same packet again.
fn mark_copies(messages: &mut Messages) -> u32 {
    const SHORT: usize = 32;
    let mut duplicates = 0;
    let mut seen: KeyMap<usize> = KeyMap::default();
    let inputs = |m: &Stored| m.stamp.origin.input;
    let next = messages.iter().skip(1);
    let several = messages
        .iter()
        .zip(next)
        .any(|(a, b)| inputs(a) != inputs(b));
    for index in 0..messages.len() {
        let Some(current) = messages.get(index) else {
            return duplicates;
        };
        let mut earlier = messages.before(index);
        let key = current.keys.repeat;
        let first = if index < SHORT {
            earlier.position(|m| m.copy.is_none() && m.keys.repeat == key)
        } else {
            let early = || messages.before(SHORT).position(|m| m.keys.repeat == key);
            seen.get(&key).copied().or_else(early)
        };
        let first = first.or_else(|| bare_copy(messages, index, current));
        match first {
            Some(first) if is_repeat(messages.get(first), current) => {
                let kind = copy_kind(messages.before(index), first, current, several);
                let first = u32::try_from(first).unwrap_or(u32::MAX);
                duplicates += u32::from(kind == CopyKind::Duplicate);
                if let Some(current) = messages.get_mut(index) {
                    current.copy = Some(CopyOf { first, kind });
                }
            }
            _ if index >= SHORT => {
                seen.insert(key, index);
            }
            _ => {}
        }
    }
    duplicates
}

// A program may write a message twice: with the address it came from, and once more as bare text.
fn bare_copy(messages: &Messages, index: usize, current: &Stored) -> Option<usize> {
    const NEWEST: usize = 8;
    let is_bare = |m: &Stored| m.stamp.source.is_none() && m.stamp.sent.is_none();
    if current.stamp.lines == 0 || !is_bare(current) {
        return None;
    }
    let keys = |m: &Stored| (m.keys.transaction, m.keys.from_tag, m.keys.to_tag);
    fn lines(m: &Stored) -> impl Iterator<Item = &[u8]> {
        let lines = m.raw.split(|byte| *byte == b'\n');
        lines.map(<[u8]>::trim_ascii).filter(|l| !l.is_empty())
    }
    (index.saturating_sub(NEWEST)..index).find(|&at| {
        messages.get(at).is_some_and(|m| {
            let with_hop = m.stamp.lines > 0 && !is_bare(m);
            with_hop && keys(m) == keys(current) && lines(m).eq(lines(current))
        })
    })
}

// The hash decides fast; the start line confirms.
fn is_repeat(first: Option<&Stored>, current: &Stored) -> bool {
    first.is_some_and(|first| {
        first.message().start_line().of(&first.raw)
            == current.message().start_line().of(&current.raw)
    })
}

// The same packet has the same identification. Where packets have none, a copy is the same packet
// recorded again if it comes too soon for a retransmission, or if it is no later copy in its
// input than another input has: captures of the same traffic, whose clocks may differ.
fn copy_kind(earlier: Iter<'_>, first: usize, current: &Stored, several: bool) -> CopyKind {
    let ident = current.stamp.ident;
    let is_same = |m: &&Stored| {
        (m.stamp.ident == ident || m.stamp.ident == 0 || ident == 0)
            && m.keys.repeat == current.keys.repeat
            && m.raw == current.raw
    };
    let in_same_input = |m: &&Stored| m.stamp.origin.input == current.stamp.origin.input;
    // The latest first. A flood of copies must not cost more than a look at the last ones.
    let same = || {
        earlier
            .clone()
            .skip(first)
            .rev()
            .filter(is_same)
            .take(COPIES)
    };
    let too_soon = || {
        let gap = |m: &Stored| Some(current.time()?.abs_diff(m.time()?));
        let mut own = same().filter(in_same_input);
        own.any(|m| gap(m).is_some_and(|gap| gap < TOO_SOON))
    };
    let bare = earlier
        .clone()
        .nth(first)
        .is_some_and(|m| m.keys.repeat != current.keys.repeat);
    let recorded_again = match ident {
        _ if bare => true,
        0 => too_soon() || (several && is_known_elsewhere(same(), current)),
        _ => same().any(|m| m.stamp.ident == ident) || too_soon(),
    };
    match recorded_again {
        true => CopyKind::Duplicate,
        false => CopyKind::Retransmission,
    }
}

// Has another input as many of the copies as this one, the current one included?
fn is_known_elsewhere<'a>(same: impl Iterator<Item = &'a Stored>, current: &Stored) -> bool {
    let mut by_input: BTreeMap<u16, usize> = BTreeMap::new();
    for copy in same {
        *by_input.entry(copy.stamp.origin.input).or_default() += 1;
    }
    let input = current.stamp.origin.input;
    let here = by_input.remove(&input).unwrap_or(0) + 1;
    current.stamp.lines == 0 && by_input.values().any(|copies| *copies >= here)
}

fn list_finals(messages: &Messages) -> Vec<Final> {
    let mut finals: Vec<Final> = Vec::new();
    for (index, stored) in messages.iter().enumerate() {
        let StartLine::Response {
            code: code @ 200..=699,
            ..
        } = stored.head.start
        else {
            continue;
        };
        match stored.copy {
            Some(copy) => {
                if let Some(known) = finals.iter_mut().find(|f| f.message == copy.first as usize) {
                    known.repeats.push(index);
                }
            }
            None => finals.push(Final {
                message: index,
                code,
                repeats: Vec::new(),
                step: None,
                step_of: None,
            }),
        }
    }
    finals
}
