//! What rules ask of every message, read while its bytes are at hand: most calls are left without
//! another look at them.

use super::uri::{Uri, addr_spec};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What a message may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Hint {
    /// Its first Contact names a host that may be known only inside a network.
    InnerContact,
    /// It has several Contacts.
    SeveralContacts,
    /// Its session description names an address that may be known only inside a network.
    InnerMedia,
    /// Its session description speaks of SRTP.
    SecureMedia,
    /// Its topmost Via names an address that may be known only inside a network.
    InnerVia,
    /// It may come from a program that looks for open servers.
    Scanner,
}

/// A set of hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints(u8);

impl Hints {
    /// Is it there?
    pub fn has(self, hint: Hint) -> bool {
        self.0 & (1 << hint as u8) != 0
    }

    /// Is nothing there?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    pub fn and(self, other: Hints) -> Hints {
        Hints(self.0 | other.0)
    }

    pub(super) fn add_if(&mut self, met: bool, hint: Hint) {
        self.0 |= u8::from(met) << hint as u8;
    }

    /// The value of the first Contact.
    pub(super) fn take_contact(&mut self, value: &[u8]) {
        self.add_if(memchr::memchr(b',', value).is_some(), Hint::SeveralContacts);
        let inner = Uri::parse(addr_spec(value)).is_none_or(|uri| may_be_inner(uri.host));
        self.add_if(inner, Hint::InnerContact);
    }

    /// Host and port of the topmost Via.
    pub(super) fn take_via(&mut self, sent_by: &[u8]) {
        let colon = memchr::memchr(b':', sent_by).filter(|_| !sent_by.starts_with(b"["));
        let host = colon.and_then(|at| sent_by.get(..at)).unwrap_or(sent_by);
        self.add_if(may_be_inner(host), Hint::InnerVia);
    }

    /// The value of User-Agent.
    pub(super) fn take_agent(&mut self, value: &[u8]) {
        // A part of each name that is known.
        const PARTS: [&[u8; 4]; 5] = [b"scan", b"ipvi", b"unda", b"ipcl", b"plsi"];
        let told = |part: &[u8]| {
            let part: [u8; 4] = std::array::from_fn(|i| part.get(i).map_or(0, |b| b | 0x20));
            PARTS.contains(&&part)
        };
        self.add_if(value.windows(4).any(told), Hint::Scanner);
    }

    /// The value of From.
    pub(super) fn take_sender(&mut self, value: &[u8]) {
        static SENDERS: LazyLock<[Finder<'_>; 3]> =
            LazyLock::new(|| ["sipvicious", "sip:100@1.1.1.1", "sip:nm@nm"].map(Finder::new));
        let told = SENDERS.iter().any(|sender| sender.find(value).is_some());
        self.add_if(told, Hint::Scanner);
    }

    pub(super) fn take_body(&mut self, body: &[u8]) {
        static SECURE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("SAVP"));
        static CONNECTION: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("c=IN IP"));
        if body.is_empty() {
            return;
        }
        self.add_if(SECURE.find(body).is_some(), Hint::SecureMedia);
        let inner = CONNECTION.find_iter(body).any(|at| {
            let address = body.get(at + "c=IN IP4 ".len()..).unwrap_or_default();
            let end = memchr::memchr3(b'\r', b'\n', b'/', address).unwrap_or(address.len());
            may_be_inner(address.get(..end).unwrap_or_default())
        });
        self.add_if(inner, Hint::InnerMedia);
    }
}

// Whether it is one decides whoever looks at it; what is surely none is public, or a name that
// others can look up.
fn may_be_inner(host: &[u8]) -> bool {
    const LABELS: [&[u8]; 5] = [
        b"invalid",
        b"local",
        b"localdomain",
        b"internal",
        b"localhost",
    ];
    if !host.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
        let name = host.strip_suffix(b".").unwrap_or(host);
        let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
        let inner = LABELS.iter().any(|label| last.eq_ignore_ascii_case(label));
        return inner || host.contains(&b':');
    }
    if host.iter().filter(|b| **b == b'.').count() != 3 {
        return true;
    }
    let mut parts = host.split(|byte| *byte == b'.');
    let digit = |number: Option<u8>, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        number?.checked_mul(10)?.checked_add(digit)
    };
    let number = |part: &[u8]| part.iter().fold((!part.is_empty()).then_some(0), digit);
    let mut octet = || parts.next().and_then(number);
    match octet() {
        Some(0 | 10 | 127) | None => true,
        Some(100) => octet().is_none_or(|second| (64..=127).contains(&second)),
        Some(169) => octet().is_none_or(|second| second == 254),
        Some(172) => octet().is_none_or(|second| (16..=31).contains(&second)),
        Some(192) => match octet() {
            Some(168) | None => true,
            Some(0) => octet().is_none_or(|third| third == 0),
            Some(_) => false,
        },
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::address::{Host, is_private};

    #[test]
    fn no_inner_host_is_missed() {
        for host in [
            "10.1.2.3",
            "172.16.0.1",
            "172.17.0.2",
            "192.168.0.1",
            "100.64.0.1",
            "169.254.1.1",
            "127.0.0.1",
            "0.0.0.0",
            "192.0.0.4",
            "[fd00::1]",
            "[::1]",
            "::ffff:10.0.0.1",
            "a.invalid",
            "PBX.LOCAL.",
            "localhost",
            "1",
            "",
        ] {
            assert!(may_be_inner(host.as_bytes()), "{host}");
        }
        for host in [
            "203.0.113.5",
            "192.0.2.5",
            "172.32.0.1",
            "100.128.0.1",
            "example.net",
        ] {
            assert!(!may_be_inner(host.as_bytes()), "{host}");
            let host = Host::of(host.as_bytes());
            assert!(!host.is_some_and(Host::is_internal_name));
            assert!(!host.and_then(Host::ip).is_some_and(is_private));
        }
    }
}
