//! What is known of all calls to one address, and of one sender of requests: capped summaries.

use super::across::{LONG_RING, MOST_NAMES, MOST_SAMPLES, MOST_SHOWN};
use super::exhibit::Exhibit;
use super::{Acts, Diagnosis, Finding, Severity};
use crate::layers::Transport;
use crate::message::Method;
use crate::message::field::{Field, Fields};
use crate::message::uri::{Uri, addr_spec};
use crate::session::clock::{SECOND, widen};
use crate::session::{Call, Outcome, Side, Stored, Transaction};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;
use std::net::IpAddr;

/// A call as the summaries keep it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Number of the call.
    pub call: u64,
    /// When it began, nanoseconds.
    pub start: i64,
    /// When it ended; for an answered call the BYE.
    pub end: Option<i64>,
    /// From answer to BYE, nanoseconds.
    pub talked: Option<i64>,
    /// Who hung up.
    pub ended_by: Option<Side>,
    /// From the first ringing to the end of ringing, nanoseconds.
    pub rang: Option<i64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Status code that decided it; 0 for silence.
    pub code: u16,
    /// Its root cause.
    pub cause: Option<&'static str>,
}

/// What is known of all calls to one address.
#[derive(Debug, Default)]
pub struct Account {
    /// Calls (INVITE) sent to it.
    pub calls: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Those that failed or were refused, by status code (0: silence).
    pub failed: BTreeMap<u16, u64>,
    /// Root causes of those.
    pub causes: BTreeMap<&'static str, u64>,
    /// Those of them whose cause the calling side has to mend.
    pub by_caller: u64,
    /// Callers and numbers of those, as hashes: one of each where all have the same.
    parties: [Several; 2],
    /// What the 403 among those say, as hashes: one of them where all say the same.
    pub forbidden: HashSet<u64, RandomState>,
    /// REGISTER entries sent to it, and those of them that did not succeed.
    pub registrations: (u64, u64),
    /// Requests over UDP that it answered.
    pub exchanged: Exchanged,
    /// The first calls, as samples; bounded.
    pub samples: Vec<Sample>,
    /// How the first calls ended that rang long and were not answered; bounded.
    pub unanswered: Vec<Exhibit>,
    /// The first busy answer that says of itself why.
    pub told_busy: Option<Exhibit>,
    /// First failed call.
    pub first_failure: Option<Exhibit>,
    /// Last failed call.
    pub last_failure: Option<Exhibit>,
    /// REGISTERs by second, bounded.
    pub registered_at: BTreeMap<i64, u32>,
    /// The first and the last REGISTER that did not succeed: what it was answered.
    pub refused_registrations: [Option<Exhibit>; 2],
    /// Where all of its registrations came from; `None` where that differs.
    pub registers_from: Option<Option<IpAddr>>,
}

/// Requests over UDP that an address answered, and those of them that were sent more than once.
#[derive(Debug, Default)]
pub struct Exchanged {
    /// Answered.
    pub all: u64,
    /// Sent again, and then answered at once: the first copy was lost.
    pub lost: u64,
    /// Sent again, because the answer came late.
    pub slow: u64,
    /// Sent again after the answer was seen: that was lost.
    pub unheard: u64,
    /// The first of those that were sent again.
    pub first: Option<Exhibit>,
    /// The last of them.
    pub last: Option<Exhibit>,
}

/// What is known of one sender of requests.
#[derive(Debug, Default)]
pub struct Source {
    /// Entries begun by it, and those of them that were answered with 2xx.
    pub entries: u64,
    /// Those that ended with 2xx.
    pub succeeded: u64,
    /// Finals that it got, by code, while none of its requests succeeded.
    pub finals: BTreeMap<u16, u64>,
    /// Users it named in To of REGISTER and in Request-URIs, as hashes, while none of its requests
    /// succeeded; bounded.
    pub users: HashSet<u64, RandomState>,
    /// What it calls itself.
    pub agent: String,
    /// Its first request.
    pub first: Option<Exhibit>,
    /// Times of first and last entry.
    pub times: Option<(i64, i64)>,
}

/// An answered call that was ended by BYE.
#[derive(Clone, Debug)]
pub struct Ended {
    /// When it began, nanoseconds.
    pub start: i64,
    /// When it was answered, nanoseconds.
    pub answered: i64,
    /// Where it was sent to.
    pub peer: IpAddr,
    /// The BYE.
    pub bye: Exhibit,
}

impl Account {
    pub(super) fn add(&mut self, call: &Call, request: &Stored, diagnosis: &Diagnosis) {
        self.exchanged.add(call, request);
        let failed = call.outcome.is_negative();
        if call.method == Method::Register {
            self.registrations.0 += 1;
            self.registrations.1 += u64::from(failed);
            if let Some(start) = call
                .start()
                .filter(|_| self.registered_at.len() < MOST_SAMPLES)
            {
                *self.registered_at.entry(start / SECOND).or_default() += 1;
            }
            let source = request.stamp.source.map(|a| a.ip());
            let known = self.registers_from.get_or_insert(source);
            *known = known.filter(|known| Some(*known) == source);
            if failed {
                let shown = call.deciding().unwrap_or(request);
                let [first, last] = &mut self.refused_registrations;
                Exhibit::note(first, last, call, shown);
            }
        }
        if call.method != Method::Invite {
            return;
        }
        self.calls += 1;
        self.answered += u64::from(call.outcome == Outcome::Succeeded);
        let (code, cause) = (
            call.code().unwrap_or(0),
            diagnosis.cause().map(|f| f.rule.id),
        );
        let caller = diagnosis.cause().is_some_and(|f| f.acts == Acts::Caller);
        self.by_caller += u64::from(failed && caller);
        if failed {
            self.add_parties(call, request);
            *self.failed.entry(code).or_default() += 1;
            if let Some(cause) = cause {
                *self.causes.entry(cause).or_default() += 1;
            }
            if let Some(answer) = call.deciding().filter(|_| code == 403)
                && self.forbidden.len() < MOST_SHOWN
            {
                let says = says(answer);
                let hash = self.forbidden.hasher().hash_one(says);
                self.forbidden.insert(hash);
            }
            let told = |f: &&Finding| f.rule.id == "busy" && f.severity == Severity::Error;
            if self.told_busy.is_none() && diagnosis.cause().filter(told).is_some() {
                self.told_busy = call.deciding().map(|answer| Exhibit::of(call, answer));
            }
            let shown = call.deciding().unwrap_or(request);
            let (first, last) = (&mut self.first_failure, &mut self.last_failure);
            Exhibit::note(first, last, call, shown);
        }
        let Some(start) = call.start().filter(|_| self.samples.len() < MOST_SAMPLES) else {
            return;
        };
        let answered = call.answer().and_then(Stored::time);
        let bye = call.bye().and_then(Stored::time);
        let rang_until = answered.or_else(|| call.deciding().and_then(Stored::time));
        let rang = call
            .ringing()
            .and_then(Stored::time)
            .zip(rang_until)
            .map(|(from, until)| until - from);
        if answered.is_none()
            && rang.is_some_and(|rang| rang >= LONG_RING)
            && self.unanswered.len() < MOST_SHOWN
            && let Some(last) = call.deciding()
        {
            self.unanswered.push(Exhibit::of(call, last));
        }
        self.samples.push(Sample {
            call: call.id,
            start,
            end: call.end(),
            ended_by: call.bye().and_then(|bye| call.side(bye)),
            talked: answered.zip(bye).map(|(answered, bye)| bye - answered),
            rang,
            outcome: call.outcome,
            code,
            cause,
        });
    }
}

/// Whether there is more than one of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Several {
    #[default]
    None,
    One(u64),
    More,
}

impl Several {
    fn add(&mut self, key: u64) {
        *self = match *self {
            Several::None => Several::One(key),
            Several::One(known) if known == key => Several::One(key),
            _ => Several::More,
        };
    }
}

impl Account {
    /// Were calls that failed those of several callers, or to several numbers?
    pub fn is_varied(&self) -> bool {
        self.parties.contains(&Several::More)
    }

    fn add_parties(&mut self, call: &Call, request: &Stored) {
        if self.is_varied() {
            return;
        }
        let uri = request.message().request_uri();
        let number = uri.and_then(|uri| Uri::parse(uri.of(&request.raw)));
        let number = number.map(|uri| uri.number());
        let hasher = self.forbidden.hasher();
        let keys = [hasher.hash_one(call.from()), hasher.hash_one(number)];
        for (known, key) in self.parties.iter_mut().zip(keys) {
            known.add(key);
        }
    }
}

// What a refusal gives as its reason: the phrase, and the headers that hold one.
fn says(answer: &Stored) -> Vec<String> {
    let message = answer.message();
    let phrase = message.reason().map(|span| message.slice(span));
    let headers = ["Reason", "Warning", "X-Twilio-Error"];
    let texts = headers.into_iter().filter_map(|name| message.text(name));
    phrase.into_iter().chain(texts).collect()
}

impl Exchanged {
    /// What is answered sooner than this after a copy is answered at once, nanoseconds.
    const AT_ONCE: i64 = SECOND / 4;

    pub(super) fn add(&mut self, call: &Call, first: &Stored) {
        let peer = first.stamp.receiver();
        for transaction in call.transactions().iter().filter(|t| t.is_answered()) {
            let request = transaction.request().and_then(|i| call.messages.get(i));
            let Some(request) = request.filter(|m| {
                m.stamp.transport == Some(Transport::Udp) && m.stamp.receiver().is(peer)
            }) else {
                continue;
            };
            self.all += 1;
            if transaction.sends.len() > 1 {
                self.add_repeated(call, request, transaction);
            }
        }
    }

    fn add_repeated(&mut self, call: &Call, request: &Stored, transaction: &Transaction) {
        let answers = transaction.provisionals.first().into_iter();
        let Some(&answer) = answers.chain(transaction.finals.first()).min() else {
            return;
        };
        let time = |index: usize| call.messages.get(index).and_then(Stored::time);
        let before = transaction.sends.iter().rfind(|&&index| index < answer);
        let waited = before
            .and_then(|&index| time(index))
            .zip(time(answer))
            .map(|(sent, answered)| answered - sent);
        match waited {
            _ if transaction.sends.iter().filter(|i| **i < answer).count() < 2 => {
                self.unheard += 1;
            }
            Some(waited) if waited <= Self::AT_ONCE => self.lost += 1,
            _ => self.slow += 1,
        }
        Exhibit::note(&mut self.first, &mut self.last, call, request);
    }
}

impl Source {
    // Whoever succeeds is no stranger who tries names.
    fn add_user(&mut self, call: &Call, request: &Stored) {
        if self.succeeded > 0 {
            self.users = HashSet::default();
            return;
        }
        let message = request.message();
        let uri = match call.method {
            Method::Register => Fields::of(Some(message)).value(Field::To).map(addr_spec),
            _ => message.request_uri().map(|uri| uri.of(&request.raw)),
        };
        let user = uri.and_then(Uri::parse).map(|uri| (uri.user, uri.host));
        if let Some(user) = user.filter(|_| self.users.len() < MOST_NAMES) {
            let hash = self.users.hasher().hash_one(user);
            self.users.insert(hash);
        }
    }

    pub(super) fn add(&mut self, call: &Call, request: &Stored) {
        self.entries += 1;
        self.succeeded += u64::from(call.outcome == Outcome::Succeeded);
        for answer in call.finals.iter().filter(|_| self.succeeded == 0) {
            if self.finals.len() < 64 || self.finals.contains_key(&answer.code) {
                *self.finals.entry(answer.code).or_default() += 1;
            }
        }
        if self.first.is_none() {
            self.first = Some(Exhibit::of(call, request));
            let agent = request.message().text("User-Agent").unwrap_or_default();
            self.agent = agent.chars().take(80).collect();
        }
        self.add_user(call, request);
        if let Some(start) = call.start().filter(|_| call.is_dated()) {
            widen(&mut self.times, start);
        }
    }
}
