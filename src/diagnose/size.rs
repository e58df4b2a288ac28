//! How large a message is, and what makes it so.

use crate::message::Flaw;
use crate::message::header::canonical;
use crate::session::Stored;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What fits into one packet on Ethernet.
pub const ETHERNET: usize = 1500;
/// The largest request that may go over UDP where the MTU of the path is not known (RFC 3261 §18.1.1).
pub const UDP_LIMIT: usize = 1300;

/// Bytes of a message on the wire, as far as they can be told: a capture may hold less.
pub fn bytes(stored: &Stored) -> usize {
    let promised = stored.head.content_length.unwrap_or(0) as usize + stored.head.body as usize;
    match stored.head.flaws.has(Flaw::CutByCapture) {
        true => promised.max(stored.raw.len()),
        false => stored.raw.len(),
    }
}

/// Bytes of the IP packet that carries it over UDP.
pub fn packet(stored: &Stored) -> usize {
    let ip = match stored.stamp.destination {
        Some(SocketAddr::V6(_)) => 40,
        _ => 20,
    };
    bytes(stored) + 8 + ip
}

/// The parts that take most room, the largest first: `body 1043, Identity 812, Via 310 bytes`.
pub fn largest_parts(stored: &Stored) -> String {
    const SHOWN: usize = 4;
    const MOST_NAMES: usize = 128;
    let message = stored.message();
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for header in message.headers() {
        let name = canonical(header.name.of(&stored.raw));
        let length = (header.value.end - header.name.start) as usize + 2;
        if sizes.len() < MOST_NAMES || sizes.contains_key(&name) {
            *sizes.entry(name).or_default() += length;
        }
    }
    let body = message.body().len();
    sizes.insert("body".to_owned(), body);
    let mut parts: Vec<(usize, String)> = sizes.into_iter().map(|(n, size)| (size, n)).collect();
    parts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let shown = parts.iter().filter(|(size, _)| *size > 0).take(SHOWN);
    let shown: Vec<String> = shown.map(|(size, name)| format!("{name} {size}")).collect();
    format!("{} bytes", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{LogHop, Origin};
    use crate::message::Head;
    use crate::message::stamp::{Stamp, When};
    use crate::session::keys::Keys;

    #[test]
    fn the_largest_parts_come_first_and_equal_headers_count_together() {
        let raw = b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP a;branch=1\r\nVia: SIP/2.0/UDP b\r\n\
            Call-ID: 1\r\nContent-Length: 90\r\n\r\n0123456789"
            .to_vec();
        let origin = Origin { input: 0, place: 1 };
        let mut stored = Stored {
            stamp: Stamp::of_log(origin, 1, When::Unknown, LogHop::default()),
            head: Head::read(&raw).unwrap(),
            raw,
            keys: Keys::default(),
            copy: None,
        };
        assert_eq!(
            largest_parts(&stored),
            "Via 47, Content-Length 20, Call-ID 12, body 10 bytes"
        );
        assert_eq!(bytes(&stored), stored.raw.len());
        stored.head.flaws.add(Flaw::CutByCapture);
        assert_eq!(bytes(&stored), stored.raw.len() + 80);
    }
}
