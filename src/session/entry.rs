//! A live entry: the messages of one call, registration, ... and what decides when it is over.

use super::aside::Aside;
use super::clock::SECOND;
use super::keys::Keys;
use super::messages::Messages;
use super::series::Series;
use crate::message::stamp::Stamp;
use crate::message::uri::Uri;
use crate::message::{Head, Message, Method};

/// 64*T1, the life of a transaction (RFC 3261 §17, T1 = 500 ms), in seconds.
pub const TRANSACTION: i64 = 32;
/// T4: nothing is repeated later than this, because T2 is 4 s (RFC 3261 §17.1.2.2), in seconds.
const SETTLED: i64 = 5;
/// Timer C is more than 3 minutes (RFC 3261 §16.6 item 11), in seconds.
const RINGING: i64 = 200;
/// A challenge is held this long: a person may have to type a password, in seconds.
const CHALLENGE: i64 = 180;
/// Who dials digit by digit thinks about the next one no longer than this (Q.764 timer T10 is 4 to
/// 6 s, a person may take twice as long), in seconds.
const NEXT_DIGIT: i64 = 15;
/// A dialog without SIP is held this long, in seconds.
const DIALOG: i64 = 2 * 3600;

/// A message as a call keeps it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Where, when, which hop.
    pub stamp: Stamp,
    /// What correlation needs.
    pub head: Head,
    /// The bytes.
    pub raw: Vec<u8>,
    /// Hashes of what is compared often.
    pub keys: Keys,
    /// The earlier message that this one repeats.
    pub copy: Option<CopyOf>,
}

/// Which message is repeated, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyOf {
    /// Index of the first of the equal messages.
    pub first: u32,
    /// How.
    pub kind: CopyKind,
}

/// How a message repeats an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyKind {
    /// Sent again.
    Retransmission,
    /// The same packet, recorded again.
    Duplicate,
}

impl Stored {
    /// The message.
    pub fn message(&self) -> Message<'_> {
        Message {
            raw: &self.raw,
            head: &self.head,
        }
    }

    /// Sequence number, 0 where it cannot be read.
    pub fn cseq(&self) -> u32 {
        self.head.cseq.unwrap_or(0)
    }

    /// When, in nanoseconds; see [`Stamp::instant`]. A date is in the stamp only.
    pub fn time(&self) -> Option<i64> {
        self.stamp.instant()
    }

    /// Something of each cache line that it takes up, so that all of them come.
    pub(super) fn touch(&self) -> u64 {
        let (stamp, sent) = (u64::from(self.stamp.part), self.time().unwrap_or(0) as u64);
        let (vias, cseq) = (u64::from(self.head.vias), u64::from(self.cseq()));
        let (keys, raw) = (self.keys.repeat ^ self.keys.from_tag, self.raw.len() as u64);
        stamp ^ sent ^ vias ^ cseq ^ keys ^ raw
    }

    /// Is it a request that may begin something: no To-tag, and a method that begins?
    pub fn is_initial(&self) -> bool {
        is_initial(&self.head)
    }
}

/// Is it a request outside a dialog? A REGISTER always is, also with a To-tag.
pub fn is_initial(head: &Head) -> bool {
    head.is_request()
        && head.method.begins()
        && (head.to_tag.is_empty() || head.method == Method::Register)
}

/// A live entry.
#[derive(Debug)]
pub struct Entry {
    /// Unique over the run, by first message.
    pub id: u64,
    /// The released entry that this one continues.
    pub continues: Option<u64>,
    /// The answered and ended call whose Call-ID and From-tag it has again.
    pub reuses: Option<u64>,
    /// Key in the map of Call-IDs.
    pub key: u64,
    /// Tag of the side that began, as far as seen.
    pub caller_tag: u64,
    /// Its tag in the attempt before, where a challenge was answered under another one.
    pub former_tag: u64,
    /// Method of the first message.
    pub method: Method,
    /// Sequence numbers of the request that began it and of those that answered a step.
    pub cseqs: Series,
    /// The messages in the order in which they were seen.
    pub messages: Messages,
    /// What was seen beside its messages.
    pub asides: Vec<Aside>,
    /// The entry that holds the first leg, where this is a leg of a call with several.
    pub first_leg: Option<u64>,
    /// A final response waits for a further request: a challenge, a redirection, ...
    pub step_open: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    provisional: bool,
    answered: bool,
    rejected: bool,
    incomplete: bool,
    challenged: bool,
    acked: bool,
    bye: bool,
    over: bool,
}

impl Entry {
    /// An entry begun by a message with these keys; its messages go into the empty `messages`.
    pub fn new(id: u64, head: &Head, keys: Keys, messages: Messages) -> Entry {
        Entry {
            id,
            continues: None,
            reuses: None,
            key: keys.call_id,
            caller_tag: keys.from_tag,
            former_tag: keys.from_tag,
            method: head.method,
            cseqs: Series::new(head.cseq),
            messages,
            asides: Vec::new(),
            first_leg: None,
            step_open: false,
            state: State::default(),
        }
    }

    /// Does the message belong to one of the two sides?
    pub fn has_side(&self, keys: &Keys) -> bool {
        let called_back = keys.to_tag == self.caller_tag || keys.to_tag == self.former_tag;
        self.is_by_caller(keys) || (keys.to_tag != 0 && called_back)
    }

    /// Does the side that began say so?
    pub fn is_by_caller(&self, keys: &Keys) -> bool {
        keys.from_tag == self.caller_tag || keys.from_tag == self.former_tag
    }

    /// Does it carry a tag of this dialog, in whatever place? A request with a wrong or missing tag
    /// still belongs to the call that its sender means.
    pub fn knows_a_tag(&self, keys: &Keys) -> bool {
        const FIRST: usize = 32;
        let known = |tag: u64| {
            let in_message = |m: &Stored| m.keys.from_tag == tag || m.keys.to_tag == tag;
            tag != 0 && self.messages.iter().take(FIRST).any(in_message)
        };
        self.forms_dialog() && (known(keys.from_tag) || known(keys.to_tag))
    }

    /// Does the message belong here? See design: one entry per Call-ID and From-tag.
    pub fn takes(&self, head: &Head, keys: &Keys) -> bool {
        let cseq = head.cseq.unwrap_or(0);
        let of_series = self.cseqs.contains(cseq) || self.cseqs.is_empty();
        if is_initial(head) {
            let same_side = self.is_by_caller(keys);
            return head.method == self.method
                && ((same_side && of_series) || (self.step_open && self.cseqs.precede(cseq)));
        }
        if !self.has_side(keys) {
            return false;
        }
        match head.method {
            Method::Ack | Method::Cancel => of_series || self.forms_dialog(),
            method if method == self.method && of_series => true,
            _ => self.forms_dialog() || head.method == Method::Bye,
        }
    }

    /// Is it the next INVITE of a caller who dials digit by digit: the same number with more digits
    /// behind it (RFC 3578 §3.2)? The one before may still wait for its answer, a 484.
    pub fn dials_on(&self, head: &Head, keys: &Keys, raw: &[u8]) -> bool {
        let invites = head.method == Method::Invite && self.method == Method::Invite;
        if !invites || !is_initial(head) || !self.is_by_caller(keys) {
            return false;
        }
        let before = self.messages.iter().rev().find(|m| is_initial(&m.head));
        let (Some(before), Some(cseq)) = (before, head.cseq) else {
            return false;
        };
        let digits = |message: Message<'_>| {
            let uri = Uri::parse(message.request_uri()?.of(message.raw))?;
            let digits = uri.number();
            let number = digits.strip_prefix('+').unwrap_or(&digits);
            let only = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            only.then_some(digits)
        };
        let more = || Some((digits(before.message())?, digits(Message { raw, head })?));
        self.cseqs.precede(cseq)
            && more()
                .is_some_and(|(before, now)| now.len() > before.len() && now.starts_with(&before))
    }

    /// Is it the same INVITE sent anew while the one before is open: from another port, or to the
    /// next server? What answers each of them decides the one call that the caller wants.
    pub fn is_sent_anew(&self, head: &Head, keys: &Keys, raw: &[u8]) -> bool {
        let invites = head.method == Method::Invite && self.method == Method::Invite;
        let open = !(self.state.rejected || self.state.acked || self.state.bye || self.state.over);
        if !invites || !open || !is_initial(head) || !self.is_by_caller(keys) {
            return false;
        }
        let uri = |message: Message<'_>| Some(message.request_uri()?.of(message.raw).to_vec());
        let before = self.messages.iter().rev().find(|m| is_initial(&m.head));
        let same = before.is_some_and(|m| uri(m.message()) == uri(Message { raw, head }));
        same && head.cseq.is_some_and(|cseq| self.cseqs.precede(cseq))
    }

    /// Is it the request that began the entry, so late that nobody sends it again (RFC 3261 §17.1.1.2)? Then
    /// its names are used anew: a test tool in a fresh container counts its calls from 1. While a dialog
    /// lasts it may be the same request in another capture, whose clock is late.
    pub fn is_named_anew(&self, stored: &Stored) -> bool {
        if !stored.is_initial() {
            return false;
        }
        let last = self.messages.last().and_then(Stored::time);
        let (Some(time), Some(last)) = (stored.time(), last) else {
            return false;
        };
        let silent = time.saturating_sub(last);
        if silent <= TRANSACTION * SECOND {
            return false;
        }
        let state = self.state;
        let lasts = state.answered && self.forms_dialog() && !(state.bye || state.over);
        let mut requests = self.messages.iter().filter(|m| m.head.is_request());
        let before = requests.rfind(|m| m.keys.transaction == stored.keys.transaction);
        before.is_some_and(|m| {
            let here = m.stamp.origin.input == stored.stamp.origin.input;
            here || !lasts || silent > DIALOG * SECOND
        })
    }

    fn forms_dialog(&self) -> bool {
        !matches!(
            self.method,
            Method::Register | Method::Options | Method::Publish
        )
    }

    /// Is it a response to the request that began the entry, or to one that answered a step?
    pub fn answers_beginning(&self, head: &Head) -> bool {
        head.method == self.method && head.cseq.is_none_or(|cseq| self.cseqs.contains(cseq))
    }

    /// Takes a message and notes what it changes; gives the bytes by which the entry grew.
    pub fn push(&mut self, stored: Box<Stored>) -> usize {
        self.note(&stored.head, &stored.keys, &stored.raw);
        let (before, raw) = (self.messages.capacity(), stored.raw.len());
        self.messages.push(stored);
        raw + size_of::<Stored>() + (self.messages.capacity() - before) * size_of::<Box<Stored>>()
    }

    fn note(&mut self, head: &Head, keys: &Keys, raw: &[u8]) {
        if head.method == self.method && (is_initial(head) || self.is_tagged_retry(head, keys)) {
            if let Some(cseq) = head.cseq.filter(|cseq| !self.cseqs.contains(*cseq)) {
                self.cseqs.push(cseq);
                if self.caller_tag != keys.from_tag {
                    self.former_tag = self.caller_tag;
                    self.caller_tag = keys.from_tag;
                }
                (self.step_open, self.state.rejected, self.state.acked) = (false, false, false);
            }
            return;
        }
        match (head.code(), head.method) {
            (None, Method::Ack) => {
                self.state.acked |= head.cseq.is_none_or(|cseq| self.cseqs.contains(cseq))
            }
            (None, Method::Bye) => self.state.bye = true,
            (None, Method::Notify) => {
                let state = Message { raw, head }
                    .text("Subscription-State")
                    .unwrap_or_default();
                self.state.over |= self.method != Method::Invite && state.starts_with("terminated");
            }
            (Some(200..), Method::Bye) => self.state.over = true,
            (Some(code), _) if self.answers_beginning(head) => self.note_answer(code),
            _ => {}
        }
    }

    // Some stacks keep the To-tag of a challenge in the request that answers it.
    fn is_tagged_retry(&self, head: &Head, keys: &Keys) -> bool {
        head.is_request()
            && self.step_open
            && self.state.challenged
            && !self.state.answered
            && self.is_by_caller(keys)
            && !head.credentials.is_empty()
    }

    fn note_answer(&mut self, code: u16) {
        match code {
            ..200 => self.state.provisional = true,
            200..=299 => self.state.answered = true,
            _ => {
                self.state.rejected = true;
                self.state.incomplete = code == 484;
                self.state.challenged = matches!(code, 401 | 407);
                self.step_open = matches!(
                    code,
                    300..=399 | 401 | 407 | 420 | 421 | 422 | 423 | 428 | 433 | 491 | 494 | 503
                );
            }
        }
    }

    /// Is it a call that was answered and ended?
    pub fn is_ended_call(&self) -> bool {
        let ended = self.state.over || self.state.bye;
        self.method == Method::Invite && self.state.answered && ended
    }

    /// How long after its last message the entry is held, in nanoseconds.
    pub fn linger(&self) -> i64 {
        let state = self.state;
        let invite = self.method == Method::Invite;
        let dialog = matches!(
            self.method,
            Method::Invite | Method::Subscribe | Method::Refer
        );
        let seconds = match () {
            () if state.answered && dialog && state.over && (state.acked || !invite) => SETTLED,
            () if state.answered && dialog && (state.over || state.bye) => TRANSACTION,
            () if state.answered && dialog => DIALOG,
            () if state.answered => SETTLED,
            () if self.step_open && state.challenged => CHALLENGE,
            () if self.step_open => TRANSACTION,
            () if state.rejected && state.incomplete => NEXT_DIGIT,
            () if state.rejected && (state.acked || !invite) => SETTLED,
            () if state.rejected => TRANSACTION,
            () if state.over => SETTLED,
            () if state.provisional && invite => RINGING,
            () => TRANSACTION,
        };
        seconds * SECOND
    }

    /// Bytes that the entry holds, roughly.
    pub fn weight(&self) -> usize {
        let weight = |m: &Stored| m.raw.len() + size_of::<Stored>();
        let messages: usize = self.messages.iter().map(weight).sum();
        messages + self.messages.capacity() * size_of::<Box<Stored>>() + size_of::<Entry>()
    }
}
