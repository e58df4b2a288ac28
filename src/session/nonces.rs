//! Nonces of digest authentication: who gave them out, and who answered them, over all calls
//! (RFC 7616 §3.3, §3.4). Calls are known by the hash of their Call-ID.

use super::call::Call;
use super::entry::Stored;
use super::spot::Spot;
use crate::message::{Method, params};
use foldhash::fast::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::net::SocketAddr;

/// Nonces remembered; the oldest go first.
const MOST_NONCES: usize = 16_384;
/// Uses remembered of each: the first one and the latest.
const MOST_USES: usize = 4;
/// Challenges noted of one message.
const MOST_SHOWN: usize = 16;
/// Pairs of name and realm remembered; further ones are unknown.
const MOST_NAMES: usize = 65_536;

/// What is remembered of a nonce.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nonce {
    /// Where it was given out first.
    pub minted: Option<Minted>,
    uses: [Option<Use>; MOST_USES],
}

/// A challenge that gave a nonce out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minted {
    /// When, nanoseconds.
    pub at: Option<i64>,
    /// By whom.
    pub by: Option<SocketAddr>,
    /// In which call.
    pub call_id: u64,
    /// In which message.
    pub spot: Spot,
}

/// A request that answered a nonce; the same one on a further hop is no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// When, nanoseconds.
    pub at: Option<i64>,
    /// In which call.
    pub call_id: u64,
    /// Its sequence number.
    pub cseq: u32,
    /// Its nc; 0 where it has none.
    pub nc: u32,
}

impl Nonce {
    /// The first request that answered it, and the latest ones, in the order in which they came.
    pub fn uses(&self) -> impl Iterator<Item = Use> + '_ {
        self.uses.iter().flatten().copied()
    }

    fn add(&mut self, new: Use) {
        let same = |known: &Use| (known.call_id, known.cseq) == (new.call_id, new.cseq);
        if self.uses().any(|known| same(&known)) {
            return;
        }
        match self.uses.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(new),
            None => {
                if let Some(latest) = self.uses.get_mut(1..) {
                    latest.rotate_left(1);
                    latest.last_mut().map(|last| last.replace(new));
                }
            }
        }
    }
}

/// The nonces seen last.
#[derive(Debug, Default)]
pub struct Nonces {
    known: HashMap<u64, Nonce, RandomState>,
    order: VecDeque<u64>,
    accepted: HashMap<u64, Accepted, RandomState>,
    refused: HashMap<u64, Refused, RandomState>,
    /// By realm, how old a nonce was at most that was taken, nanoseconds, and the answer that took it.
    ages: HashMap<u64, (i64, Spot), RandomState>,
    hash: RandomState,
}

/// Credentials that were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// When they were sent, nanoseconds.
    pub at: i64,
    /// The answer.
    pub spot: Spot,
}

/// A refusal of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was asked with them.
    pub method: Method,
    /// The refusal.
    pub spot: Spot,
}

/// A nonce that stands in a message.
#[derive(Debug)]
pub struct Shown {
    nonce: Vec<u8>,
    what: What,
}

#[derive(Debug)]
enum What {
    GivenOut(Minted),
    Answered(Use),
}

/// The nonces of a challenge or of a request with credentials.
pub(super) fn shown(stored: &Stored) -> Vec<Shown> {
    let credentials = stored.head.credentials;
    if stored.head.is_request() && !credentials.is_empty() {
        // A request to several realms answers several nonces; of those the first one is enough.
        answered(stored, credentials.of(&stored.raw))
            .into_iter()
            .collect()
    } else if matches!(stored.head.code(), Some(401 | 407)) {
        let message = stored.message();
        let fields = ["WWW-Authenticate", "Proxy-Authenticate"];
        let all = fields.into_iter().flat_map(|name| message.all(name));
        let shown = all.filter_map(|header| given_out(stored, header.value.of(&stored.raw)));
        shown.take(MOST_SHOWN).collect()
    } else {
        Vec::new()
    }
}

fn answered(stored: &Stored, value: &[u8]) -> Option<Shown> {
    let text = |name| params::auth_value(value, name).map(|span| span.of(value));
    let nc = text("nc").and_then(|nc| std::str::from_utf8(nc).ok());
    let new = Use {
        at: stored.time(),
        call_id: stored.keys.call_id,
        cseq: stored.cseq(),
        nc: nc
            .and_then(|nc| u32::from_str_radix(nc, 16).ok())
            .unwrap_or(0),
    };
    let nonce = text("nonce")?.to_vec();
    let what = What::Answered(new);
    Some(Shown { nonce, what })
}

fn given_out(stored: &Stored, value: &[u8]) -> Option<Shown> {
    let nonce = params::auth_value(value, "nonce")?.of(value).to_vec();
    let what = What::GivenOut(Minted {
        at: stored.time(),
        by: stored.stamp.source,
        call_id: stored.keys.call_id,
        spot: Spot::of(stored),
    });
    Some(Shown { nonce, what })
}

impl Nonces {
    /// Notes a nonce.
    pub(super) fn saw(&mut self, shown: Shown) {
        let Some(nonce) = self.entry(&shown.nonce) else {
            return;
        };
        match shown.what {
            What::GivenOut(minted) => {
                nonce.minted.get_or_insert(minted);
            }
            What::Answered(new) => nonce.add(new),
        }
    }

    fn entry(&mut self, nonce: &[u8]) -> Option<&mut Nonce> {
        if nonce.is_empty() {
            return None;
        }
        let key = self.hash.hash_one(nonce);
        if !self.known.contains_key(&key) {
            if self.order.len() >= MOST_NONCES
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            self.order.push_back(key);
        }
        Some(self.known.entry(key).or_default())
    }

    /// Notes that the credentials of a request were accepted by this answer.
    pub(super) fn accept(&mut self, call: &Call, request: &Stored, answer: &Stored) {
        if let Some((key, at)) = self.account(request).zip(request.time())
            && (self.accepted.len() < MOST_NAMES || self.accepted.contains_key(&key))
        {
            let spot = Spot::within(call, answer);
            self.accepted.insert(key, Accepted { at, spot });
        }
    }

    /// Notes that a request with credentials was answered 403.
    pub(super) fn refuse(&mut self, call: &Call, request: &Stored, answer: &Stored) {
        if let Some(key) = self.account(request)
            && (self.refused.len() < MOST_NAMES || self.refused.contains_key(&key))
        {
            let (method, spot) = (request.head.method, Spot::within(call, answer));
            self.refused.insert(key, Refused { method, spot });
        }
    }

    /// Notes how old the nonce was with which a request was accepted.
    pub(super) fn note_age(&mut self, call: &Call, request: &Stored, answer: &Stored) {
        let value = request.head.credentials.of(&request.raw);
        let text = |name| params::auth_value(value, name).map(|span| span.of(value));
        let (Some(realm), Some(nonce), Some(at)) = (text("realm"), text("nonce"), request.time())
        else {
            return;
        };
        let minted = self.known.get(&self.hash.hash_one(nonce));
        let Some(minted) = minted.and_then(|nonce| nonce.minted?.at) else {
            return;
        };
        let key = self.hash.hash_one(realm);
        if self.ages.len() < MOST_NAMES || self.ages.contains_key(&key) {
            let taken = (at - minted, Spot::within(call, answer));
            let oldest = self.ages.entry(key).or_insert(taken);
            if taken.0 > oldest.0 {
                *oldest = taken;
            }
        }
    }

    /// How old a nonce of this realm was at most with which a request was accepted, in calls that are
    /// over, nanoseconds; and the answer.
    pub fn oldest_taken(&self, realm: &str) -> Option<(i64, Spot)> {
        self.ages
            .get(&self.hash.hash_one(realm.as_bytes()))
            .copied()
    }

    // Whose credentials a request carries, and for which realm.
    fn account(&self, stored: &Stored) -> Option<u64> {
        let value = stored.head.credentials.of(&stored.raw);
        let text = |name| params::auth_value(value, name).map(|span| span.of(value));
        Some(self.hash.hash_one((text("username")?, text("realm")?)))
    }

    /// The last request with credentials of this name for this realm that was answered 403, in calls
    /// that are over.
    pub fn refused(&self, name: &str, realm: &str) -> Option<Refused> {
        let key = self.hash.hash_one((name.as_bytes(), realm.as_bytes()));
        self.refused.get(&key).copied()
    }

    /// The last credentials of this name for this realm that were accepted, in calls that are over.
    pub fn accepted(&self, name: &str, realm: &str) -> Option<Accepted> {
        let key = self.hash.hash_one((name.as_bytes(), realm.as_bytes()));
        self.accepted.get(&key).copied()
    }

    /// What is remembered of a nonce.
    pub fn of(&self, nonce: &str) -> Option<&Nonce> {
        self.known.get(&self.hash.hash_one(nonce.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_use_and_the_latest_ones_are_kept() {
        let mut nonce = Nonce::default();
        for cseq in [1, 1, 2, 3, 4, 5, 6] {
            let (at, call_id, nc) = (None, 7, cseq);
            nonce.add(Use {
                at,
                call_id,
                cseq,
                nc,
            });
        }
        let kept: Vec<u32> = nonce.uses().map(|of| of.cseq).collect();
        assert_eq!(kept, [1, 4, 5, 6]);
    }

    #[test]
    fn the_oldest_nonce_goes_first() {
        let mut nonces = Nonces::default();
        for number in 0..=MOST_NONCES {
            assert!(nonces.entry(format!("n{number}").as_bytes()).is_some());
        }
        assert!(nonces.of("n0").is_none());
        assert!(nonces.of("n1").is_some());
        assert_eq!(nonces.known.len(), MOST_NONCES);
        assert!(nonces.entry(b"").is_none());
    }
}
