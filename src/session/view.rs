//! What the capture shows of the peers beside the call that is judged: who receives, what was
//! answered, who is registered.

use super::call::Call;
use super::clock::SECOND;
use super::nonces::Nonces;
use super::outcome::Outcome;
use super::registrations::{Registration, Registrations};
use super::transaction::Transaction;
use crate::layers::{Transport, ip_bits};
use crate::message::stamp::Stamp;
use crate::message::uri::Uri;
use crate::message::{Head, Method, lossy, sdp};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

/// Addresses remembered; later ones are then unknown, which only makes rules more careful.
const MOST_ADDRESSES: usize = 65_536;
/// Longest name of a codec or number that is remembered: names come from anyone.
const LONGEST_NAME: usize = 64;
/// Session descriptions read of each address: its lists hardly change.
const SAMPLES: u8 = 4;
/// Numbers remembered that an address took.
const MOST_NUMBERS: usize = 8;

/// What is remembered of an address.
#[derive(Debug, Default)]
pub struct Peer {
    /// Last SIP message on its way to it, nanoseconds.
    pub last_towards: Option<i64>,
    /// Last SIP message from it, nanoseconds.
    pub last_from: Option<i64>,
    /// Audio codecs that it offered or took over plain RTP (`PCMU/8000`).
    pub codecs: Vec<String>,
    /// Profiles of the session descriptions that it sent (`RTP/AVP`).
    pub profiles: Vec<String>,
    /// Bytes of the largest request over UDP that it answered, in calls that are over.
    pub largest_answered: u32,
    /// Bytes of the smallest request over UDP that it never answered, in calls that are over.
    pub smallest_ignored: Option<u32>,
    /// User parts of Request-URIs of calls that it took, in calls that are over.
    pub numbers: Vec<String>,
    samples: u8,
}

/// The peers and registrations.
#[derive(Debug, Default)]
pub struct View {
    addresses: HashMap<u128, Peer, RandomState>,
    registrations: Registrations,
    /// Who gave out nonces and who answered them.
    pub nonces: Nonces,
}

impl View {
    /// Notes a message.
    pub fn saw(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]) {
        let time = stamp.time().map(|time| time.0);
        if let Some(source) = stamp.source {
            let body = raw.get(head.body as usize..).unwrap_or_default();
            if let Some(peer) = self.entry(source.ip()) {
                peer.last_from = peer.last_from.max(time);
                if !body.is_empty() && peer.samples < SAMPLES {
                    sample(peer, body);
                }
            }
        }
        if let (Some(time), Some(to)) = (time, stamp.destination)
            && let Some(peer) = self.entry(to.ip())
        {
            peer.last_towards = peer.last_towards.max(Some(time));
        }
    }

    fn entry(&mut self, ip: IpAddr) -> Option<&mut Peer> {
        let room = self.addresses.len() < MOST_ADDRESSES;
        match self.addresses.entry(ip_bits(ip)) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) if room => Some(new.insert(Peer::default())),
            Entry::Vacant(_) => None,
        }
    }

    /// Remembers what a call that is over shows of its peers.
    pub(super) fn learn(&mut self, call: &Call) {
        if call.method == Method::Register {
            self.registrations.learn(call);
        }
        for transaction in call.transactions() {
            let request = transaction
                .request()
                .and_then(|index| call.messages.get(index));
            let Some(request) = request else { continue };
            if !request.head.credentials.is_empty() && succeeded(call, transaction) {
                self.nonces.accept(request);
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
            let Some(peer) = self.addresses.get_mut(&ip_bits(to.ip())) else {
                continue;
            };
            if transaction.is_answered() {
                peer.largest_answered = peer.largest_answered.max(size);
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
                if !user.is_empty() && user.len() <= LONGEST_NAME && !peer.numbers.contains(&user) {
                    peer.numbers.push(user);
                }
            }
        }
    }

    /// The audio codecs that an address was seen to offer or take.
    pub fn codecs(&self, ip: IpAddr) -> Option<&Vec<String>> {
        let codecs = &self.peer(ip)?.codecs;
        Some(codecs).filter(|list| !list.is_empty())
    }

    /// What is remembered of an address.
    pub fn peer(&self, ip: IpAddr) -> Option<&Peer> {
        self.addresses.get(&ip_bits(ip))
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

    /// Was anything seen on its way to `ip` at or after `since`, a minute of grace given?
    pub fn towards(&self, ip: IpAddr, since: i64) -> bool {
        let last = self.peer(ip).and_then(|peer| peer.last_towards);
        last.is_some_and(|last| last >= since - 60 * SECOND)
    }
}

fn succeeded(call: &Call, transaction: &Transaction) -> bool {
    let code = |index: &usize| call.messages.get(*index).and_then(|m| m.head.code());
    let mut codes = transaction.finals.iter().filter_map(code);
    codes.any(|code| (200..300).contains(&code))
}

fn sample(peer: &mut Peer, body: &[u8]) {
    peer.samples += 1;
    let mut add = |list: fn(&mut Peer) -> &mut Vec<String>, name: String| {
        let list = list(peer);
        if name.len() <= LONGEST_NAME && list.len() < 64 && !list.contains(&name) {
            list.push(name);
        }
    };
    for media in sdp::media(body).into_iter().filter(|m| m.kind == "audio") {
        if media.profile == "RTP/AVP" {
            let codecs = media
                .codecs
                .into_iter()
                .filter(|codec| !codec.is_auxiliary());
            codecs.for_each(|codec| add(|peer| &mut peer.codecs, codec.name));
        }
        add(|peer| &mut peer.profiles, media.profile);
    }
}
