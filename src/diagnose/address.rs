//! Classes of addresses and names, as far as they say who can be reached from where.

use std::net::IpAddr;

/// What kind of address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reachable from anywhere. Documentation addresses (RFC 5737, RFC 3849) count as such: they
    /// stand for public ones.
    Public,
    /// RFC 1918.
    Private,
    /// 172.17.0.0/16, the first bridge of Docker; private as well.
    Docker,
    /// Shared between carrier and customers (RFC 6598).
    Shared,
    /// RFC 3927, RFC 4291 §2.5.6.
    LinkLocal,
    /// RFC 1122 §3.2.1.3, RFC 4291 §2.5.3.
    Loopback,
    /// 0.0.0.0/8 (RFC 1122 §3.2.1.3) and ::.
    Unspecified,
    /// 192.0.0.0/24, met behind DS-Lite and 464XLAT (RFC 6890, RFC 7335).
    Translated,
    /// RFC 4193.
    UniqueLocal,
}

impl Class {
    /// What a person would call it.
    pub fn name(self) -> &'static str {
        match self {
            Class::Public => "public",
            Class::Private => "private (RFC 1918)",
            Class::Docker => "private, the usual network of Docker",
            Class::Shared => "shared by a carrier (RFC 6598)",
            Class::LinkLocal => "link-local",
            Class::Loopback => "loopback",
            Class::Unspecified => "unspecified",
            Class::Translated => "internal to address translation (192.0.0.0/24)",
            Class::UniqueLocal => "unique local (RFC 4193)",
        }
    }

    /// Is it one that means nothing outside the machine or container that uses it?
    pub fn is_of_machine(self) -> bool {
        matches!(self, Class::Docker | Class::Loopback | Class::Unspecified)
    }
}

/// What a name is that means nothing outside.
pub const INTERNAL_NAME: &str = "a name that only its own side knows";

/// What can be said of an address or name: what the languages have to translate.
pub fn phrases() -> impl Iterator<Item = &'static str> {
    let classes = [
        Class::Public,
        Class::Private,
        Class::Docker,
        Class::Shared,
        Class::LinkLocal,
        Class::Loopback,
        Class::Unspecified,
        Class::Translated,
        Class::UniqueLocal,
    ];
    classes.into_iter().map(Class::name).chain([INTERNAL_NAME])
}

/// The class of an address.
pub fn class(ip: IpAddr) -> Class {
    match ip.to_canonical() {
        IpAddr::V4(v4) => match v4.octets() {
            [0, ..] => Class::Unspecified,
            _ if v4.is_loopback() => Class::Loopback,
            _ if v4.is_link_local() => Class::LinkLocal,
            [172, 17, ..] => Class::Docker,
            _ if v4.is_private() => Class::Private,
            [100, 64..=127, ..] => Class::Shared,
            [192, 0, 0, _] => Class::Translated,
            _ => Class::Public,
        },
        IpAddr::V6(v6) => match () {
            () if v6.is_unspecified() => Class::Unspecified,
            () if v6.is_loopback() => Class::Loopback,
            () if v6.is_unicast_link_local() => Class::LinkLocal,
            () if v6.is_unique_local() => Class::UniqueLocal,
            () => Class::Public,
        },
    }
}

/// Is the address one that only its own network can reach?
pub fn is_private(ip: IpAddr) -> bool {
    class(ip) != Class::Public
}

/// May the two be in one network, so that either reaches the other without translation? Private
/// addresses are as far as anyone outside can tell: sites route them among each other.
pub fn are_neighbours(a: IpAddr, b: IpAddr) -> bool {
    match (class(a), class(b)) {
        (Class::Loopback, Class::Loopback) => true,
        (Class::Loopback | Class::Unspecified, _) | (_, Class::Loopback | Class::Unspecified) => {
            false
        }
        (a, b) => (a == Class::Public) == (b == Class::Public),
    }
}

/// The host of a URI or Via.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// An address.
    Ip(IpAddr),
    /// A name.
    Name(&'a [u8]),
}

impl<'a> Host<'a> {
    /// Reads a host, IPv6 with or without brackets; `None` where it is empty.
    pub fn of(host: &'a [u8]) -> Option<Host<'a>> {
        let bare = host.strip_prefix(b"[").unwrap_or(host);
        let bare = bare.strip_suffix(b"]").unwrap_or(bare);
        let first = bare.first()?;
        let may_be_address = first.is_ascii_digit() || bare.contains(&b':');
        let ip = std::str::from_utf8(bare)
            .ok()
            .filter(|_| may_be_address)
            .and_then(|text| text.parse().ok());
        Some(ip.map_or(Host::Name(bare), Host::Ip))
    }

    /// The address.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Host::Ip(ip) => Some(ip),
            Host::Name(_) => None,
        }
    }

    /// Is it a name that no name server outside can know: `.invalid` (RFC 2606 §2),
    /// `.local` (RFC 6762 §3), `.internal`, localhost?
    pub fn is_internal_name(self) -> bool {
        const ENDS: [&[u8]; 6] = [
            b"localhost",
            b".invalid",
            b".local",
            b".localdomain",
            b".internal",
            b".localhost",
        ];
        let Host::Name(name) = self else {
            return false;
        };
        let name = name.strip_suffix(b".").unwrap_or(name);
        let tail = |end: &[u8]| {
            name.len()
                .checked_sub(end.len())
                .and_then(|at| name.get(at..))
        };
        ENDS.iter().any(|end| match end.starts_with(b".") {
            true => tail(end).is_some_and(|tail| tail.eq_ignore_ascii_case(end)),
            false => name.eq_ignore_ascii_case(end),
        })
    }
}

/// Is one name of a domain most likely the other one misspelt: a letter too many or too few inside a long
/// label, or two that changed places? Digits, plurals and short labels tell real domains apart.
pub fn is_misspelt(a: &str, b: &str) -> bool {
    const LONG: usize = 6;
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let mut differ = a.split('.').zip(b.split('.')).filter(|(a, b)| a != b);
    let (Some((a_label, b_label)), None) = (differ.next(), differ.next()) else {
        return false;
    };
    let plain = |label: &str| label.len() >= LONG && label.bytes().all(|c| c.is_ascii_lowercase());
    if a.split('.').count() != b.split('.').count() || !plain(a_label) || !plain(b_label) {
        return false;
    }
    let same = |(a, b): &(u8, u8)| a == b;
    let front = a_label
        .bytes()
        .zip(b_label.bytes())
        .take_while(same)
        .count();
    let back = a_label.bytes().rev().zip(b_label.bytes().rev());
    let back = back.take_while(same).count();
    let (short, long) = match a_label.len() < b_label.len() {
        true => (a_label, b_label),
        false => (b_label, a_label),
    };
    match long.len() - short.len() {
        0 if front + back + 2 == long.len() => {
            let (a, b) = (a_label.as_bytes(), b_label.as_bytes());
            a.get(front) == b.get(front + 1) && a.get(front + 1) == b.get(front)
        }
        1 => front > 0 && back > 0 && front + back >= short.len(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class() {
        for (ip, of) in [
            ("10.1.2.3", Class::Private),
            ("172.16.0.1", Class::Private),
            ("172.17.0.2", Class::Docker),
            ("172.32.0.1", Class::Public),
            ("192.168.0.1", Class::Private),
            ("100.64.0.1", Class::Shared),
            ("100.128.0.1", Class::Public),
            ("169.254.1.1", Class::LinkLocal),
            ("127.0.0.1", Class::Loopback),
            ("0.0.0.0", Class::Unspecified),
            ("192.0.0.4", Class::Translated),
            ("192.0.2.1", Class::Public),
            ("fd00::1", Class::UniqueLocal),
            ("fe80::1", Class::LinkLocal),
            ("::1", Class::Loopback),
            ("::ffff:10.0.0.1", Class::Private),
            ("2001:db8::1", Class::Public),
        ] {
            assert_eq!(class(ip.parse().unwrap()), of, "{ip}");
        }
    }

    #[test]
    fn names_that_mean_nothing_outside() {
        for (host, internal) in [
            ("df7jal23ls0d.invalid", true),
            ("PBX.LOCAL.", true),
            ("localhost", true),
            ("notlocalhost", false),
            ("local", false),
            ("example.net", false),
            ("192.0.2.1", false),
        ] {
            let host = Host::of(host.as_bytes()).unwrap();
            assert_eq!(host.is_internal_name(), internal, "{host:?}");
        }
        assert_eq!(
            Host::of(b"[2001:db8::1]").and_then(Host::ip),
            "2001:db8::1".parse().ok()
        );
        assert_eq!(Host::of(b""), None);
    }

    #[test]
    fn a_misspelt_domain_is_told_from_another_one() {
        assert!(is_misspelt("voip.brurjula.net", "VoIP.brujula.net"));
        assert!(is_misspelt("sip.exmaple.net", "sip.example.net"));
        assert!(is_misspelt("sip.exampel.net", "sip.example.net"));
        for (a, b) in [
            ("sip.example.net", "sip.example.net"),
            ("customer.example.net", "customers.example.net"),
            ("pbxone.example.net", "pbxtwo.example.net"),
            ("a.example.net", "ab.example.net"),
            ("example.net", "sip.example.net"),
            ("site10a.example.net", "site1a.example.net"),
            ("198.51.100.10", "198.51.100.1"),
        ] {
            assert!(!is_misspelt(a, b), "{a} {b}");
        }
    }
}
