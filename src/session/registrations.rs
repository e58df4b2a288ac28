//! Who is registered where, as far as the capture shows it (RFC 3261 §10).

use super::call::Call;
use super::clock::SECOND;
use super::entry::Stored;
use super::spot::Spot;
use crate::message::Method;
use crate::message::typed::{self, Binding};
use crate::message::uri::Uri;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};

/// Addresses of record remembered; later ones are unknown.
const MOST: usize = 65_536;
/// Attempts remembered of each: the latest.
const MOST_ATTEMPTS: usize = 6;
/// Longest address of record or Contact that is remembered: they come from anyone.
const LONGEST: usize = 256;
/// What holds where neither side says how long (RFC 3261 §10.2.1.1), seconds.
const DEFAULT: u32 = 3600;

/// What is remembered of an address of record.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The address of record, `sip:user@host`.
    pub aor: String,
    /// Status code of the last final answer to a REGISTER; 0 where none came.
    pub code: u16,
    /// When that was, nanoseconds.
    pub at: i64,
    /// Until when a binding holds, nanoseconds; not behind `at` where there is none.
    pub until: i64,
    /// From where the last REGISTER came.
    pub source: Option<SocketAddr>,
    /// To whom it went.
    pub registrar: Option<SocketAddr>,
    /// URI of its first Contact.
    pub contact: String,
    /// The latest attempts, the last one included, in the order of their ends.
    pub attempts: Vec<Attempt>,
}

/// One REGISTER, its challenges and repeats included.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Final status code; 0 where none came.
    pub code: u16,
    /// When it was answered, nanoseconds; the last request where it was not.
    pub at: i64,
    /// Until when a binding holds since then, nanoseconds; a refusal changes nothing.
    pub until: i64,
    /// Seconds that were asked for.
    pub asked: Option<u32>,
    /// Seconds that were granted.
    pub granted: u32,
    /// Hash of the Call-ID.
    pub call_id: u64,
    /// From where.
    pub source: Option<SocketAddr>,
    /// What shows it: the request that leaves no binding, else the answer where there is one.
    pub spot: Spot,
}

impl Attempt {
    /// Was it accepted?
    pub fn is_accepted(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Did it remove the binding?
    pub fn is_removal(&self) -> bool {
        self.is_accepted() && self.asked == Some(0)
    }
}

impl Registration {
    /// The last attempt that was over at this time, nanoseconds.
    pub fn before(&self, time: i64) -> Option<&Attempt> {
        self.attempts
            .iter()
            .rev()
            .find(|attempt| attempt.at <= time)
    }
}

/// What came of REGISTER for a user at a registrar, also where nothing says when.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The code that it was accepted with, else the one that it was refused with last.
    pub code: u16,
    /// What shows it.
    pub spot: Spot,
}

impl Told {
    /// Was it accepted?
    pub fn is_accepted(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

/// The addresses of record seen, and where to find them by other names.
#[derive(Debug, Default)]
pub struct Registrations {
    by_aor: HashMap<String, Registration, RandomState>,
    /// By hash of user and registrar, and by hash of the Contact.
    aliases: HashMap<u64, String, RandomState>,
    /// Who accepted a REGISTER, and the first of those.
    registrars: HashMap<IpAddr, Spot, RandomState>,
    /// By hash of user and registrar.
    told: HashMap<u64, Told, RandomState>,
    hash: RandomState,
}

impl Registrations {
    /// Is none known?
    pub fn is_empty(&self) -> bool {
        self.by_aor.is_empty()
    }

    /// Remembers a REGISTER that is over.
    pub(super) fn learn(&mut self, call: &Call) {
        self.note_told(call);
        let Some((request, mut attempt)) = attempt(call) else {
            return;
        };
        let Some(aor) = call.to().map(|aor| key(&aor)) else {
            return;
        };
        let room = self.by_aor.len() < MOST || self.by_aor.contains_key(&aor);
        if aor.len() > LONGEST || !room {
            return;
        }
        let contact = typed::contacts(request.message()).into_iter().next();
        let contact: String = contact.unwrap_or_default().chars().take(LONGEST).collect();
        let registrar = request.stamp.destination;
        self.name(&aor, &contact, registrar);
        if let Some(registrar) = registrar.filter(|_| attempt.is_accepted())
            && self.registrars.len() < MOST
        {
            self.registrars
                .entry(registrar.ip())
                .or_insert(attempt.spot);
        }
        let known = self
            .by_aor
            .entry(aor)
            .or_insert_with_key(|aor| Registration {
                aor: aor.clone(),
                code: 0,
                at: i64::MIN,
                until: i64::MIN,
                source: None,
                registrar: None,
                contact: String::new(),
                attempts: Vec::new(),
            });
        if !attempt.is_accepted() {
            attempt.until = known.until.max(attempt.until);
        }
        // Entries may be released in another order than that in which they ended.
        let place = known
            .attempts
            .partition_point(|earlier| earlier.at <= attempt.at);
        known.attempts.insert(place, attempt);
        if known.attempts.len() > MOST_ATTEMPTS {
            known.attempts.remove(0);
        }
        if attempt.at >= known.at {
            known.code = attempt.code;
            known.at = attempt.at;
            known.until = attempt.until;
            known.source = attempt.source;
            known.registrar = registrar;
            known.contact = contact;
        }
    }

    // In the order in which entries are over: it needs no times.
    fn note_told(&mut self, call: &Call) {
        let (Some(request), Some(answer)) = (last_request(call), call.deciding()) else {
            return;
        };
        let aor = call.to();
        let user = aor.and_then(|aor| Uri::parse(aor.as_bytes()).map(|uri| uri.number()));
        let (Some(user), Some(registrar)) = (user, request.stamp.destination) else {
            return;
        };
        let user_at = self.hash.hash_one((user, registrar.ip()));
        let known = self.told.get(&user_at);
        let room = known.is_some() || self.told.len() < MOST;
        if room && !known.is_some_and(Told::is_accepted) {
            let (code, spot) = (call.code().unwrap_or(0), Spot::within(call, answer));
            self.told.insert(user_at, Told { code, spot });
        }
    }

    fn name(&mut self, aor: &str, contact: &str, registrar: Option<SocketAddr>) {
        let user = Uri::parse(aor.as_bytes()).map(|uri| uri.number());
        let by_user = user
            .zip(registrar)
            .map(|(user, registrar)| self.hash.hash_one((user, registrar.ip())));
        let by_contact = (!contact.is_empty()).then(|| self.hash.hash_one(contact));
        for name in by_user.into_iter().chain(by_contact) {
            if self.aliases.len() < 2 * MOST || self.aliases.contains_key(&name) {
                self.aliases.insert(name, aor.to_owned());
            }
        }
    }

    /// The first REGISTER that this address accepted.
    pub fn registrar(&self, address: IpAddr) -> Option<Spot> {
        self.registrars.get(&address).copied()
    }

    /// What is known of an address of record.
    pub fn of(&self, aor: &str) -> Option<&Registration> {
        self.by_aor.get(&key(aor))
    }

    /// The address of record with this user at this registrar, whatever its domain is called.
    pub fn of_user(&self, user: &str, registrar: IpAddr) -> Option<&Registration> {
        let name = self.hash.hash_one((user, registrar));
        self.by_aor.get(self.aliases.get(&name)?)
    }

    /// What came of REGISTER for this user at this registrar.
    pub fn told(&self, user: &str, registrar: IpAddr) -> Option<&Told> {
        self.told.get(&self.hash.hash_one((user, registrar)))
    }

    /// The address of record that was registered last with this URI as Contact, `sip:user@host:port`.
    pub fn with_contact(&self, contact: &str) -> Option<&Registration> {
        let name = self.hash.hash_one(contact);
        let found = self.by_aor.get(self.aliases.get(&name)?)?;
        Some(found).filter(|found| found.contact == contact)
    }
}

// Scheme, user and host: a port, and `sips` for `sip`, do not make another person.
fn key(aor: &str) -> String {
    let Some(uri) = Uri::parse(aor.as_bytes()) else {
        return aor.to_owned();
    };
    let host = crate::message::lossy(uri.host).to_ascii_lowercase();
    format!("sip:{}@{host}", uri.number())
}

// Of the requests of a call on the hop nearest its sender: an earlier one may have asked for less time
// than the registrar grants.
fn last_request(call: &Call) -> Option<&Stored> {
    let nearest = call
        .requests(Method::Register)
        .map(|(_, m)| m.head.vias)
        .min()?;
    let on_first_hop = |m: &&Stored| m.head.vias == nearest;
    let requests = call.requests(Method::Register).map(|(_, m)| m);
    requests.filter(on_first_hop).last()
}

/// The last REGISTER of a call on the hop nearest its sender, and what came of it; `None` where
/// nothing says when.
pub fn attempt(call: &Call) -> Option<(&Stored, Attempt)> {
    let request = last_request(call)?;
    let answer = call.deciding();
    let code = call.code().unwrap_or(0);
    let at = answer.and_then(Stored::time).or_else(|| request.time())?;
    let (asked, granted) = durations(request, answer.filter(|_| (200..300).contains(&code)));
    // What a REGISTER took away, its request shows; what is left, the answer.
    let removes = asked == Some(0) && granted == 0;
    let shown = answer.filter(|_| !removes).unwrap_or(request);
    let attempt = Attempt {
        code,
        spot: Spot::within(call, shown),
        at,
        until: at.saturating_add(i64::from(granted) * SECOND),
        asked,
        granted,
        call_id: request.keys.call_id,
        source: request.stamp.source,
    };
    Some((request, attempt))
}

/// Seconds that a REGISTER asks for its bindings: the parameter of the first Contact, else Expires
/// (RFC 3261 §10.2.1.1).
pub fn asked(request: &Stored) -> Option<u32> {
    let message = request.message();
    let first = typed::bindings(message).into_iter().next();
    first
        .and_then(|binding| binding.expires)
        .or_else(|| expires(request))
}

fn expires(stored: &Stored) -> Option<u32> {
    stored.message().text("Expires")?.trim().parse().ok()
}

/// Seconds for which an answer says that one of its bindings holds (RFC 3261 §10.3 item 8).
pub fn granted(request: &Stored, answer: &Stored, binding: &Binding) -> u32 {
    let said = binding.expires.or_else(|| expires(answer));
    said.or_else(|| asked(request)).unwrap_or(DEFAULT)
}

// Seconds asked for, and the longest that is granted to any binding.
fn durations(request: &Stored, accepted: Option<&Stored>) -> (Option<u32>, u32) {
    let asked = asked(request);
    let Some(answer) = accepted else {
        return (asked, 0);
    };
    let listed = typed::bindings(answer.message());
    let longest = listed.iter().map(|of| granted(request, answer, of)).max();
    let unlisted = || match asked {
        Some(0) => 0,
        _ => expires(answer).or(asked).unwrap_or(DEFAULT),
    };
    (asked, longest.unwrap_or_else(unlisted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_or_another_spelling_is_the_same_address_of_record() {
        for aor in [
            "sip:bob@Example.net:5060",
            "sips:bob@example.net",
            "sip:bob@EXAMPLE.NET;x=1",
        ] {
            assert_eq!(key(aor), "sip:bob@example.net", "{aor}");
        }
        assert_eq!(key("nothing"), "nothing");
    }
}
