//! What all calls leave behind, for rules on a peer or the capture as a whole: capped summaries, so
//! that no rule sees all calls.

pub use super::account::{Account, Ended, Exchanged, Sample, Source};
pub use super::exhibit::Exhibit;

use super::backoff::Backoffs;
use super::guesses::AllGuesses;
use super::quality::Quality;
use super::unwatched::AllUnwatched;
use super::{Acts, Args, Confidence, Diagnosis, Finding, Role, Rule, Template};
use crate::input::Origin;
use crate::message::account::Account as FrameAccount;
use crate::message::uri::Uri;
use crate::message::{Flaw, Method};
use crate::session::aside::Aside;
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored, View};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;
use std::net::IpAddr;

/// Peers, and lists of each, that are kept; what does not fit is not judged.
const MOST_PEERS: usize = 4096;
pub(super) const MOST_SAMPLES: usize = 4096;
pub(super) const MOST_NAMES: usize = 1024;
/// Ends of unanswered calls kept of a peer.
pub(super) const MOST_SHOWN: usize = 16;
/// The rules that explain a call by a connection that was never made.
pub const CONNECT_FAILED: &str = "tcp-connect-failed";
/// The same for TLS.
pub const HANDSHAKE_FAILED: &str = "tls-handshake-failed";
/// Shorter rings are ended by people, nanoseconds.
pub const LONG_RING: i64 = 10 * SECOND;

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
    /// Passwords that scanners tried.
    pub guesses: AllGuesses,
    /// Addresses that could not be watched.
    pub unwatched: AllUnwatched,
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
        self.guesses.add(call, diagnosis);
        self.unwatched.add(call, diagnosis);
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
pub fn judge(ledger: &Ledger, left_out: &[&str]) -> Vec<CaptureFinding> {
    let mut across = Across::default();
    let asked = super::rules::RULES.iter();
    for rule in asked.filter(|rule| !left_out.contains(&rule.id)) {
        across.rule = Some(rule);
        (rule.across)(ledger, &mut across);
    }
    across.all.sort_by_key(|found| found.finding.severity);
    across.all
}
