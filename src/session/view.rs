//! What the capture shows of the peers beside the call that is judged: who receives, what was
//! answered, who is registered.

use super::activity::Activity;
use super::call::Call;
use super::clock::SECOND;
use super::entry::Stored;
use super::nonces::Nonces;
use super::outcome::Outcome;
use super::registrations::{Registration, Registrations};
use super::sighting::Sighting;
use super::spot::Spot;
use super::transaction::Transaction;
use crate::layers::{Transport, ip_bits};
use crate::message::party::Party;
use crate::message::stamp::Stamp;
use crate::message::uri::Uri;
use crate::message::{Method, lossy, sdp};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};

/// Peers remembered; later ones are then unknown, which only makes rules more careful.
const MOST_PEERS: usize = 65_536;
/// Longest name of a codec or number that is remembered: names come from anyone.
const LONGEST_NAME: usize = 64;
/// Pinged users remembered.
const MOST_PINGED: usize = 4096;
/// Numbers remembered that an address took.
const MOST_NUMBERS: usize = 8;

/// What is remembered of an address.
#[derive(Debug, Default)]
pub struct Peer {
    /// Last SIP message on its way to it, nanoseconds.
    pub last_towards: Option<i64>,
    /// Last SIP message from it that has a time.
    pub latest: Option<Spot>,
    /// Audio codecs that it offered or took over plain RTP (`PCMU/8000`).
    pub codecs: Codecs,
    /// Profiles of the session descriptions that it sent (`RTP/AVP`).
    pub profiles: Vec<String>,
    /// The first of those session descriptions.
    pub described: Option<Spot>,
    /// Bytes of the largest request over UDP that it answered, in calls that are over.
    pub largest_answered: u32,
    /// Bytes of the smallest request over UDP that it never answered, in calls that are over.
    pub smallest_ignored: Option<u32>,
    /// User parts of Request-URIs of calls that it took, in calls that are over.
    pub numbers: Vec<Taken>,
    /// Hosts of the same Request-URIs, in small letters.
    pub hosts: Vec<Taken>,
    /// The first answer to each method that it answered over UDP, in calls that are over.
    answers: Vec<Spot>,
    sent: Activity,
}

/// Audio codecs of an address.
#[derive(Debug, Default)]
pub struct Codecs {
    /// Their names.
    pub names: Vec<String>,
    /// The first session description that named one.
    pub described: Option<Spot>,
}

/// A name in the Request-URI of a call that was taken.
#[derive(Debug)]
pub struct Taken {
    /// The name.
    pub name: String,
    /// The request.
    pub spot: Spot,
}

impl Peer {
    /// Is it known to have sent SIP between these times, nanoseconds? Only the last minutes are known.
    pub fn sent_between(&self, from: i64, until: i64) -> bool {
        self.sent.between(from, until)
    }

    /// Did it answer a request with this method over UDP, in a call that is over?
    pub fn answers(&self, method: Method) -> bool {
        self.answer_to(method).is_some()
    }

    /// The first answer to such a request.
    pub fn answer_to(&self, method: Method) -> Option<Spot> {
        self.answers.iter().copied().find(|of| of.method == method)
    }

    /// When it sent its last SIP message, nanoseconds.
    pub fn last_from(&self) -> Option<i64> {
        self.latest?.time
    }
}

/// How a peer is known: by address, or as the system that wrote an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Known {
    Address(u128),
    Wrote(u16),
}

impl Known {
    fn at(ip: IpAddr) -> Known {
        Known::Address(ip_bits(ip))
    }

    // The one that wrote a log may have an address as well.
    fn all(party: Party) -> impl Iterator<Item = Known> {
        let wrote = party.wrote().map(Known::Wrote);
        wrote.into_iter().chain(party.address().map(Known::at))
    }
}

/// The peers and registrations.
#[derive(Debug, Default)]
pub struct View {
    peers: HashMap<Known, Peer, RandomState>,
    registrations: Registrations,
    /// When one of several systems at one address sent its last message to another one there,
    /// nanoseconds.
    neighbours: HashMap<(IpAddr, u16), i64, RandomState>,
    /// By hash of a server and a user, where pings of the server for that user were answered.
    pinged: HashMap<u64, SocketAddr, RandomState>,
    /// Who gave out nonces and who answered them.
    pub nonces: Nonces,
}

impl View {
    /// Notes a message; takes what it says.
    pub fn saw(&mut self, sighting: &mut Sighting) {
        let (spot, said) = (sighting.spot, sighting.said.take());
        let time = spot.time;
        for sender in Known::all(sighting.sender) {
            if let Some(peer) = self.entry(sender) {
                if time > peer.last_from() {
                    peer.latest = Some(spot);
                }
                if let Some(time) = time {
                    peer.sent.note(time);
                }
                if let Some(said) = said.as_ref().filter(|said| !said.body.is_empty()) {
                    sample(peer, &said.body, spot);
                }
            }
        }
        for receiver in Known::all(sighting.receiver).filter(|_| time.is_some()) {
            if let Some(peer) = self.entry(receiver) {
                peer.last_towards = peer.last_towards.max(time);
            }
        }
        if let (Some(ip), Some(port), Some(time)) = (sighting.sender.address(), sighting.port, time)
        {
            self.saw_within((ip, port), time);
        }
        for shown in said.into_iter().flat_map(|said| said.nonces) {
            self.nonces.saw(shown);
        }
    }

    fn saw_within(&mut self, sender: (IpAddr, u16), time: i64) {
        if self.neighbours.len() < MOST_PEERS || self.neighbours.contains_key(&sender) {
            let last = self.neighbours.entry(sender).or_insert(time);
            *last = time.max(*last);
        }
    }

    fn entry(&mut self, known: Known) -> Option<&mut Peer> {
        let room = self.peers.len() < MOST_PEERS;
        match self.peers.entry(known) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) if room => Some(new.insert(Peer::default())),
            Entry::Vacant(_) => None,
        }
    }

    /// Remembers what a call that is over shows of its peers.
    pub fn learn(&mut self, call: &Call) {
        for leg in call.all_legs() {
            self.learn_leg(call, leg);
        }
    }

    // `whole` is what reports count.
    fn learn_leg(&mut self, whole: &Call, call: &Call) {
        if call.method == Method::Register {
            self.registrations.learn(call);
        }
        for transaction in call.transactions() {
            let request = transaction
                .request()
                .and_then(|index| call.messages.get(index));
            let Some(request) = request else { continue };
            if transaction.method == Method::Options && transaction.is_answered() {
                self.note_ping(request);
            }
            if !request.head.credentials.is_empty() {
                match verdict(call, transaction) {
                    Some((200..300, answer)) => {
                        self.nonces.note_age(whole, request, answer);
                        self.nonces.accept(whole, request, answer);
                    }
                    Some((403, answer)) => self.nonces.refuse(whole, request, answer),
                    _ => {}
                }
            }
            if request.stamp.transport != Some(Transport::Udp) {
                continue;
            }
            let (size, over) = (
                u32::try_from(request.raw.len()).unwrap_or(u32::MAX),
                transaction.sends.len() > 3,
            );
            let Some(to) = request.stamp.destination else {
                continue;
            };
            let Some(peer) = self.peers.get_mut(&Known::at(to.ip())) else {
                continue;
            };
            if transaction.is_answered() {
                peer.largest_answered = peer.largest_answered.max(size);
                if !peer.answers(transaction.method) {
                    let mut answers = transaction.provisionals.iter().chain(&transaction.finals);
                    let answer = answers.find_map(|index| call.messages.get(*index));
                    peer.answers
                        .extend(answer.map(|answer| Spot::within(whole, answer)));
                }
            } else if over {
                peer.smallest_ignored =
                    Some(peer.smallest_ignored.map_or(size, |least| least.min(size)));
            }
            let taken = call.method == Method::Invite
                && transaction.method == Method::Invite
                && call.outcome == Outcome::Succeeded
                && peer.numbers.len() < MOST_NUMBERS;
            if taken {
                let uri = request
                    .message()
                    .request_uri()
                    .and_then(|uri| Uri::parse(uri.of(&request.raw)));
                let user = uri.map(|uri| lossy(uri.user)).unwrap_or_default();
                let taken = |name| Taken {
                    name,
                    spot: Spot::within(whole, request),
                };
                let is_new = peer.numbers.iter().all(|known| known.name != user);
                if !user.is_empty() && user.len() <= LONGEST_NAME && is_new {
                    peer.numbers.push(taken(user));
                }
                let host = uri.map(|uri| lossy(uri.host).to_ascii_lowercase());
                let new = |host: &String| {
                    host.len() <= LONGEST_NAME
                        && peer.hosts.len() < MOST_NUMBERS
                        && peer.hosts.iter().all(|known| known.name != *host)
                };
                let host = host.filter(new);
                peer.hosts.extend(host.map(taken));
            }
        }
    }

    fn note_ping(&mut self, request: &Stored) {
        let user = request.message().request_uri();
        let user = user.and_then(|uri| Uri::parse(uri.of(&request.raw)));
        let user = user.map(|uri| uri.user).unwrap_or_default();
        let Some((server, at)) = request.stamp.observed() else {
            return;
        };
        if user.is_empty() || user.len() > LONGEST_NAME {
            return;
        }
        let key = self.pinged.hasher().hash_one((server.ip(), user));
        if self.pinged.len() < MOST_PINGED || self.pinged.contains_key(&key) {
            self.pinged.insert(key, at);
        }
    }

    /// Where a server had an answer to a ping for this user, in calls that are over.
    pub fn pinged(&self, server: IpAddr, user: &str) -> Option<SocketAddr> {
        let key = self.pinged.hasher().hash_one((server, user.as_bytes()));
        self.pinged.get(&key).copied()
    }

    /// The audio codecs that a system was seen to offer or take.
    pub fn codecs(&self, system: Party) -> Option<&Codecs> {
        let mut lists = self.of(system).map(|peer| &peer.codecs);
        lists.find(|list| !list.names.is_empty())
    }

    fn of(&self, system: Party) -> impl Iterator<Item = &Peer> {
        Known::all(system).filter_map(|known| self.peers.get(&known))
    }

    /// What is remembered of an address.
    pub fn peer(&self, ip: IpAddr) -> Option<&Peer> {
        self.peers.get(&Known::at(ip))
    }

    /// The registrations of an address of record, `sip:user@host`; parameters and port do not
    /// count.
    pub fn registration(&self, aor: &str) -> Option<&Registration> {
        self.registrations.of(aor)
    }

    /// All registrations.
    pub fn registrations(&self) -> &Registrations {
        &self.registrations
    }

    /// Was anything seen on its way to a system at or after `since`, a minute of grace given?
    pub fn towards(&self, system: Party, since: i64) -> bool {
        let mut last = self.of(system).filter_map(|peer| peer.last_towards);
        last.any(|last| last >= since - 60 * SECOND)
    }

    /// Did the receiver of a message send anything at or after `since`, a minute of grace given?
    /// Where the sender has the same address, only the port tells whether it was the receiver.
    pub fn receiver_spoke(&self, stamp: &Stamp, since: i64) -> bool {
        let is_since = |last: i64| last >= since - 60 * SECOND;
        if let Some((_, to)) = stamp.within_host() {
            let last = self.neighbours.get(&(to.ip(), to.port()));
            return last.is_some_and(|last| is_since(*last));
        }
        let mut last = self.of(stamp.receiver()).filter_map(Peer::last_from);
        last.any(is_since)
    }
}

// The final answer to a transaction: the 2xx where there is one, else the first.
fn verdict<'a>(call: &'a Call, transaction: &Transaction) -> Option<(u16, &'a Stored)> {
    let code = |index: &usize| {
        let answer = call.messages.get(*index)?;
        Some((answer.head.code()?, answer))
    };
    let codes = || transaction.finals.iter().filter_map(code);
    let success = codes().find(|(code, _)| (200..300).contains(code));
    success.or_else(|| codes().next())
}

fn sample(peer: &mut Peer, body: &[u8], spot: Spot) {
    let add = |list: &mut Vec<String>, first: &mut Option<Spot>, name: String| {
        if name.len() <= LONGEST_NAME && list.len() < 64 && !list.contains(&name) {
            first.get_or_insert(spot);
            list.push(name);
        }
    };
    for media in sdp::media(body).into_iter().filter(|m| m.kind == "audio") {
        if media.profile == "RTP/AVP" {
            let codecs = media
                .codecs
                .into_iter()
                .filter(|codec| !codec.is_auxiliary());
            let known = &mut peer.codecs;
            codecs.for_each(|codec| add(&mut known.names, &mut known.described, codec.name));
        }
        add(&mut peer.profiles, &mut peer.described, media.profile);
    }
}
