//! What all calls leave behind, for rules on a peer or the capture as a whole: capped summaries, so
//! that no rule sees all calls.

use super::backoff::Backoffs;
use super::quality::Quality;
use super::{Acts, Args, Confidence, Diagnosis, Finding, Role, Rule, Template, asides};
use crate::input::Origin;
use crate::layers::Transport;
use crate::message::account::Account as FrameAccount;
use crate::message::field::{Field, Fields};
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Flaw, Method};
use crate::session::aside::Aside;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Side, Stored, Transaction, View};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;
use std::net::IpAddr;

/// Peers, and lists of each, that are kept; what does not fit is not judged.
const MOST_PEERS: usize = 4096;
const MOST_SAMPLES: usize = 4096;
const MOST_NAMES: usize = 1024;
/// Ends of unanswered calls kept of a peer.
const MOST_SHOWN: usize = 16;
/// The rules that explain a call by a connection that was never made.
pub const CONNECT_FAILED: &str = "tcp-connect-failed";
/// The same for TLS.
pub const HANDSHAKE_FAILED: &str = "tls-handshake-failed";
/// Shorter rings are ended by people, nanoseconds.
pub const LONG_RING: i64 = 10 * SECOND;

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
            beside: Some(said),
        }
    }

    /// The start line of a message.
    pub fn of(call: &Call, stored: &Stored) -> Exhibit {
        Exhibit::into(call, stored, Vec::new())
    }

    fn into(call: &Call, stored: &Stored, mut text: Vec<u8>) -> Exhibit {
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
            beside: None,
        }
    }

    // The first one stays, and the last one changes with every message.
    fn note(first: &mut Option<Exhibit>, last: &mut Option<Exhibit>, call: &Call, stored: &Stored) {
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
    /// First failed call.
    pub first_failure: Option<Exhibit>,
    /// Last failed call.
    pub last_failure: Option<Exhibit>,
    /// REGISTERs by second, bounded.
    pub registered_at: BTreeMap<i64, u32>,
    /// One of its registrations.
    pub first_registration: Option<Exhibit>,
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

/// What all calls leave behind.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By the address that the first request went to.
    pub accounts: HashMap<IpAddr, Account, RandomState>,
    /// By the address that the first request came from.
    pub sources: HashMap<IpAddr, Source, RandomState>,
    /// Answered calls that ended, by the second of their BYE; bounded.
    pub ended_at: BTreeMap<i64, Vec<Ended>>,
    /// Connections that were never made and that explain no call, in the order of their frames.
    pub attempts: Vec<Aside>,
    /// Frames of those that do; bounded.
    explained: HashSet<Origin, RandomState>,
    /// Frames of ESP that stay closed, and the first of them.
    pub esp: Option<(u64, Origin)>,
    /// What all calls show of the recording.
    pub quality: Quality,
    /// Servers that asked to be left alone for a while.
    pub backoffs: Backoffs,
    /// Calls that a server refused at once, for a name without registration; by name and server.
    unreached: HashMap<u64, Unreached, RandomState>,
    ended: usize,
}

/// A call that a server refused at once and had no registration for, as far as was recorded.
#[derive(Debug)]
pub struct Unreached {
    /// The refusal.
    pub answer: Exhibit,
    /// When it came, nanoseconds.
    pub at: i64,
    /// Its code.
    pub code: u16,
    /// The server.
    pub server: IpAddr,
    /// The REGISTER that this server accepted for that name afterwards, and when.
    pub registered: Option<(Exhibit, i64)>,
    /// Who was called, and then registered.
    pub aor: String,
}

impl Ledger {
    /// Adds a call that was judged.
    pub fn add(&mut self, call: &Call, diagnosis: &Diagnosis, view: &View) {
        self.add_explained(call, diagnosis);
        self.add_unreached(call, view);
        self.quality.add(call);
        self.backoffs.add(call);
        // What a damaged message comes to says nothing of who sent it.
        if call.flaws().has(Flaw::Damaged) {
            return;
        }
        let Some(request) = call.request() else {
            return;
        };
        let (source, destination) = (request.stamp.source, request.stamp.destination);
        if let Some(source) = source.map(|a| a.ip())
            && (self.sources.len() < MOST_PEERS || self.sources.contains_key(&source))
        {
            self.sources.entry(source).or_default().add(call, request);
        }
        let Some(destination) = destination.map(|a| a.ip()) else {
            return;
        };
        if self.accounts.len() >= MOST_PEERS && !self.accounts.contains_key(&destination) {
            return;
        }
        let account = self.accounts.entry(destination).or_default();
        account.add(call, request, diagnosis);
        self.add_end(call, destination);
    }

    /// Takes the account of an input.
    pub fn add_account(&mut self, input: u16, account: &FrameAccount) {
        let esp = account.not_decoded.iter().find(|not| not.reason == "esp");
        let Some(esp) = esp else { return };
        let first = Origin {
            input,
            place: esp.first_frame,
        };
        let (frames, first) = self.esp.unwrap_or((0, first));
        self.esp = Some((frames + esp.frames, first));
    }

    /// Takes all connections that were never made.
    pub fn add_attempts(&mut self, attempts: Vec<Aside>) {
        self.attempts = attempts;
        self.attempts
            .retain(|aside| !self.explained.contains(&aside.origin));
    }

    fn add_explained(&mut self, call: &Call, diagnosis: &Diagnosis) {
        if call.all_legs().all(|leg| leg.asides.is_empty()) {
            return;
        }
        let explains = |f: &Finding| matches!(f.rule.id, CONNECT_FAILED | HANDSHAKE_FAILED);
        if diagnosis.findings.iter().any(explains) && self.explained.len() < MOST_PEERS * 4 {
            let asides = call.all_legs().flat_map(|leg| &leg.asides);
            self.explained.extend(asides.map(|aside| aside.origin));
        }
    }

    // A refusal at once of a name that is not registered there; or its first REGISTER after that.
    fn add_unreached(&mut self, call: &Call, view: &View) {
        const AT_ONCE: i64 = 3 * SECOND / 2;
        let registers = call.method == Method::Register && call.outcome == Outcome::Succeeded;
        let code = call.code().unwrap_or(0);
        let refused = call.method == Method::Invite && matches!(code, 404 | 480 | 603);
        if (!registers || self.unreached.is_empty()) && !refused {
            return;
        }
        let (Some(request), Some(answer)) = (call.request(), call.deciding()) else {
            return;
        };
        let (Some(asked), Some(at)) = (request.time(), answer.time()) else {
            return;
        };
        let name = if refused {
            call.request_uri()
        } else {
            call.to()
        };
        let (Some(name), Some(server)) = (name, answer.stamp.source.map(|a| a.ip())) else {
            return;
        };
        let Some(user) = Uri::parse(name.as_bytes()).map(|uri| uri.number()) else {
            return;
        };
        let key = self.unreached.hasher().hash_one((&user, server));
        if registers {
            let open = |of: &&mut Unreached| of.registered.is_none() && of.at < asked;
            if let Some(known) = self.unreached.get_mut(&key).filter(open) {
                known.registered = Some((Exhibit::of(call, request), at));
                known.aor = name;
            }
            return;
        }
        let known = view.registrations().of_user(&user, server).is_some();
        let room = self.unreached.len() < MOST_NAMES;
        if user.is_empty() || known || at - asked > AT_ONCE || call.ringing().is_some() || !room {
            return;
        }
        self.unreached.entry(key).or_insert_with(|| Unreached {
            answer: Exhibit::of(call, answer),
            at,
            code,
            server,
            registered: None,
            aor: name,
        });
    }

    /// The names that registered only after a call for them had been refused, in the order of the calls.
    pub fn registered_later(&self) -> Vec<(&Unreached, &Exhibit, i64)> {
        let all = self.unreached.values();
        let mut later: Vec<_> = all
            .filter_map(|of| {
                let (exhibit, at) = of.registered.as_ref()?;
                Some((of, exhibit, at - of.at))
            })
            .collect();
        later.sort_by_key(|(of, ..)| of.answer.call);
        later
    }

    fn add_end(&mut self, call: &Call, peer: IpAddr) {
        let (bye, answered) = (call.bye(), call.answer().and_then(Stored::time));
        let (Some(bye), Some(answered), Some(start)) = (bye, answered, call.start()) else {
            return;
        };
        let Some(at) = bye.time().filter(|_| call.method == Method::Invite) else {
            return;
        };
        if self.ended < MOST_SAMPLES * 4 {
            self.ended += 1;
            let bye = Exhibit::of(call, bye);
            let ended = Ended {
                start,
                answered,
                peer,
                bye,
            };
            self.ended_at.entry(at / SECOND).or_default().push(ended);
        }
    }

    /// The accounts in a fixed order.
    pub fn by_address(&self) -> Vec<(IpAddr, &Account)> {
        let mut all: Vec<_> = self
            .accounts
            .iter()
            .map(|(ip, account)| (*ip, account))
            .collect();
        all.sort_by_key(|(ip, _)| *ip);
        all
    }

    /// The sources in a fixed order.
    pub fn by_source(&self) -> Vec<(IpAddr, &Source)> {
        let mut all: Vec<_> = self
            .sources
            .iter()
            .map(|(ip, source)| (*ip, source))
            .collect();
        all.sort_by_key(|(ip, _)| *ip);
        all
    }
}

impl Account {
    fn add(&mut self, call: &Call, request: &Stored, diagnosis: &Diagnosis) {
        self.exchanged.add(call, request);
        let failed = call.outcome.is_failure() || call.outcome == Outcome::Refused;
        if call.method == Method::Register {
            self.registrations.0 += 1;
            self.registrations.1 += u64::from(failed);
            if let Some(start) = call
                .start()
                .filter(|_| self.registered_at.len() < MOST_SAMPLES)
            {
                *self.registered_at.entry(start / SECOND).or_default() += 1;
            }
            if self.first_registration.is_none() {
                self.first_registration = Some(Exhibit::of(call, request));
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

    fn add(&mut self, call: &Call, first: &Stored) {
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

    fn add(&mut self, call: &Call, request: &Stored) {
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
            let (first, last) = self.times.unwrap_or((start, start));
            self.times = Some((first.min(start), last.max(start)));
        }
    }
}

/// A finding about a peer or the capture as a whole.
#[derive(Debug)]
pub struct CaptureFinding {
    /// Rule, confidence, sentences; without evidence of its own.
    pub finding: Finding,
    /// Messages that prove it, with the remark on each.
    pub exhibits: Vec<(Exhibit, Template)>,
    /// How many calls, registrations, ... it concerns.
    pub count: u64,
    /// When it was seen first and last, nanoseconds.
    pub times: Option<(i64, i64)>,
    /// The entries that it explains, whatever they look like one by one.
    pub members: Option<Members>,
}

/// Which entries belong to a finding across calls.
#[derive(Clone, Copy, Debug)]
pub struct Members {
    /// From where their first request came; `None`: from anywhere.
    pub source: Option<IpAddr>,
    /// Where it went; `None`: anywhere.
    pub destination: Option<IpAddr>,
    /// Codes with which they failed; empty: any.
    pub codes: &'static [u16],
}

impl Members {
    /// Does an entry belong to them?
    pub fn hold(&self, source: Option<IpAddr>, destination: Option<IpAddr>, code: u16) -> bool {
        let fits = |wanted: Option<IpAddr>, own: Option<IpAddr>| wanted.is_none() || wanted == own;
        fits(self.source, source)
            && fits(self.destination, destination)
            && (self.codes.is_empty() || self.codes.contains(&code))
    }
}

/// Collects findings across calls.
#[derive(Debug, Default)]
pub struct Across {
    rule: Option<&'static Rule>,
    all: Vec<CaptureFinding>,
}

impl Across {
    /// Adds a finding of the rule that is run; gives it to be filled in.
    pub fn add(&mut self, confidence: Confidence, acts: Acts) -> Option<&mut CaptureFinding> {
        let finding = Finding {
            rule: self.rule?,
            leg: 0,
            severity: self.rule?.severity,
            confidence,
            role: Role::Contributing,
            explains: true,
            element: None,
            acts,
            why: "why",
            fix: "fix",
            args: Args::default(),
            product: None,
            alone: false,
            evidence: Vec::new(),
        };
        self.all.push(CaptureFinding {
            finding,
            exhibits: Vec::new(),
            count: 0,
            times: None,
            members: None,
        });
        self.all.last_mut()
    }
}

/// Runs the rules that look across calls.
pub fn judge(ledger: &Ledger) -> Vec<CaptureFinding> {
    let mut across = Across::default();
    for rule in super::rules::RULES {
        across.rule = Some(rule);
        (rule.across)(ledger, &mut across);
    }
    across.all
}
