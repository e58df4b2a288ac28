//! What rules ask of every message, read while its bytes are at hand: most calls are left without
//! another look at them.

use super::uri::{Uri, addr_spec};
use crate::short;
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
        self.add_if(short::find(value, 0, b',').is_some(), Hint::SeveralContacts);
        let inner = Uri::parse(addr_spec(value)).is_none_or(|uri| may_be_inner(uri.host));
        self.add_if(inner, Hint::InnerContact);
    }

    /// Host and port of the topmost Via.
    pub(super) fn take_via(&mut self, sent_by: &[u8]) {
        let colon = short::find(sent_by, 0, b':').filter(|_| !sent_by.starts_with(b"["));
        let host = colon.and_then(|at| sent_by.get(..at)).unwrap_or(sent_by);
        self.add_if(may_be_inner(host), Hint::InnerVia);
    }

    /// The value of User-Agent.
    pub(super) fn take_agent(&mut self, value: &[u8]) {
        // A part of each name that is known.
        const PARTS: [u32; 5] = [
            u32::from_be_bytes(*b"scan"),
            u32::from_be_bytes(*b"ipvi"),
            u32::from_be_bytes(*b"unda"),
            u32::from_be_bytes(*b"ipcl"),
            u32::from_be_bytes(*b"plsi"),
        ];
        let mut last = 0_u32;
        let told = value.iter().any(|byte| {
            last = last << 8 | u32::from(byte | 0x20);
            PARTS.contains(&last)
        });
        self.add_if(told, Hint::Scanner);
    }

    /// The value of From.
    pub(super) fn take_sender(&mut self, value: &[u8]) {
        const SENDERS: [&[u8]; 3] = [b"\"sipvicious\"", b"<sip:100@1.1.1.1>", b"<sip:nm@nm>"];
        let mut at = 0;
        while let Some(begin) = short::find_any(value, at, *b"\"<") {
            let rest = value.get(begin..).unwrap_or_default();
            let told = SENDERS.iter().any(|sender| rest.starts_with(sender));
            self.add_if(told, Hint::Scanner);
            at = begin + 1;
        }
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
    let Some(octets) = octets(host) else {
        let name = host.strip_suffix(b".").unwrap_or(host);
        let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
        let label = LABELS.iter().any(|label| last.eq_ignore_ascii_case(label));
        let number = last.last().is_none_or(u8::is_ascii_digit);
        return label || number || host.contains(&b':');
    };
    match octets {
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] | [192, 0, 0, _] => true,
        [100, second, ..] => (64..=127).contains(&second),
        [172, second, ..] => (16..=31).contains(&second),
        _ => false,
    }
}

// An IPv4 address.
fn octets(host: &[u8]) -> Option<[u8; 4]> {
    let (mut octets, mut octet, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for byte in host {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            octet = octet * 10 + u32::from(digit);
            digits += 1;
        } else if *byte == b'.' && digits > 0 {
            octets = octets << 8 | octet;
            (octet, digits, dots) = (0, 0, dots + 1);
        } else {
            return None;
        }
        if octet > 255 {
            return None;
        }
    }
    (dots == 3 && digits > 0).then_some((octets << 8 | octet).to_be_bytes())
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
            "203.0.113.local",
            "203.0.113",
            "203.0.113.300",
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
