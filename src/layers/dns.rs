//! DNS answers (RFC 1035 §4), as far as SIP asks for them: NAPTR, SRV, A, AAAA (RFC 3263).

use super::{be16, be32};
use std::net::{Ipv4Addr, Ipv6Addr};

/// An answer of a name server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// The name asked for, in lower case without the final dot.
    pub name: String,
    /// The type asked for: `A`, `AAAA`, `SRV` or `NAPTR`.
    pub kind: &'static str,
    /// `None` for success, else `NXDOMAIN`, `SERVFAIL`, ...
    pub failure: Option<&'static str>,
    /// The records of the answer, at most [`MOST_RECORDS`].
    pub records: Vec<DnsRecord>,
}

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// The name it belongs to.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, `SRV` or `NAPTR`.
    pub kind: &'static str,
    /// Seconds for which it holds.
    pub ttl: u32,
    /// The name it leads to, or its address.
    pub target: String,
    /// What it says, as a zone file has it.
    pub text: String,
}

/// Records kept of an answer.
pub const MOST_RECORDS: usize = 16;
/// Records looked at: a message of 64 KiB holds some thousands at most.
const MOST_READ: usize = 64;

const TYPES: [(u16, &str); 5] = [
    (1, "A"),
    (28, "AAAA"),
    (33, "SRV"),
    (35, "NAPTR"),
    (5, "CNAME"),
];

/// Reads an answer to one question; `None` for anything else.
pub fn answer(message: &[u8]) -> Option<DnsAnswer> {
    let (flags, questions) = (be16(message, 2)?, be16(message, 4)?);
    let answers = be16(message, 6)?;
    if flags & 0x8000 == 0 || questions != 1 {
        return None;
    }
    let (name, at) = name(message, 12)?;
    let kind = type_name(be16(message, at)?).filter(|kind| *kind != "CNAME")?;
    let mut at = at + 4;
    let mut records = Vec::new();
    for _ in 0..usize::from(answers).min(MOST_READ) {
        let Some((record, next)) = record(message, at) else {
            break;
        };
        at = next;
        if records.len() < MOST_RECORDS {
            records.extend(record);
        }
    }
    Some(DnsAnswer {
        name,
        kind,
        failure: failure(flags & 15),
        records,
    })
}

fn type_name(number: u16) -> Option<&'static str> {
    let known = TYPES.iter().find(|(known, _)| *known == number);
    known.map(|(_, name)| *name)
}

fn failure(code: u16) -> Option<&'static str> {
    match code {
        0 => None,
        2 => Some("SERVFAIL"),
        3 => Some("NXDOMAIN"),
        5 => Some("REFUSED"),
        _ => Some("an error"),
    }
}

// A record, `None` inside where its type says nothing here; and where the next one begins.
fn record(message: &[u8], at: usize) -> Option<(Option<DnsRecord>, usize)> {
    let (owner, at) = name(message, at)?;
    let (number, ttl) = (be16(message, at)?, be32(message, at + 4)?);
    let length = usize::from(be16(message, at + 8)?);
    let from = at + 10;
    let data = message.get(from..from + length)?;
    let read = type_name(number).and_then(|kind| {
        let (target, text) = contents(message, kind, from, data)?;
        Some(DnsRecord {
            name: owner,
            kind,
            ttl,
            target,
            text,
        })
    });
    Some((read, from + length))
}

// Target and text of a record.
fn contents(message: &[u8], kind: &str, from: usize, data: &[u8]) -> Option<(String, String)> {
    match kind {
        "A" => {
            let address = Ipv4Addr::from(*data.first_chunk::<4>()?).to_string();
            Some((address.clone(), address))
        }
        "AAAA" => {
            let address = Ipv6Addr::from(*data.first_chunk::<16>()?).to_string();
            Some((address.clone(), address))
        }
        "CNAME" => {
            let target = name(message, from)?.0;
            Some((target.clone(), target))
        }
        "SRV" => {
            let numbers = (be16(data, 0)?, be16(data, 2)?, be16(data, 4)?);
            let target = name(message, from + 6)?.0;
            let (priority, weight, port) = numbers;
            let text = format!("{priority} {weight} {port} {target}");
            Some((target, text))
        }
        _ => {
            let (order, preference) = (be16(data, 0)?, be16(data, 2)?);
            let (flags, at) = string(data, 4)?;
            let (service, at) = string(data, at)?;
            let (pattern, at) = string(data, at)?;
            let target = name(message, from + at)?.0;
            let text =
                format!("{order} {preference} \"{flags}\" \"{service}\" \"{pattern}\" {target}");
            Some((target, text))
        }
    }
}

fn string(data: &[u8], at: usize) -> Option<(String, usize)> {
    let length = usize::from(*data.get(at)?);
    let text = data.get(at + 1..at + 1 + length)?;
    Some((String::from_utf8_lossy(text).into_owned(), at + 1 + length))
}

// A name at `at`, pointers followed (RFC 1035 §4.1.4), and what follows it. A name has at most 255
// bytes, and each pointer leads back, so that it ends.
fn name(message: &[u8], at: usize) -> Option<(String, usize)> {
    let (mut at, mut limit, mut end, mut text) = (at, at, None, String::new());
    loop {
        match usize::from(*message.get(at)?) {
            0 => {
                text.pop();
                return Some((text, end.unwrap_or(at + 1)));
            }
            length @ 1..=63 => {
                let label = message.get(at + 1..at + 1 + length)?;
                text.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
                text.push('.');
                if text.len() > 1024 {
                    return None;
                }
                at += 1 + length;
            }
            0xc0.. => {
                let target = usize::from(be16(message, at)? & 0x3fff);
                end.get_or_insert(at + 2);
                if target >= limit {
                    return None;
                }
                (at, limit) = (target, target);
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(name: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for label in name.split('.') {
            out.push(label.len() as u8);
            out.extend(label.as_bytes());
        }
        out.push(0);
        out
    }

    fn srv_answer() -> Vec<u8> {
        let mut message = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        message.extend(labels("_sip._udp.Example.net"));
        message.extend([0, 33, 0, 1]);
        // The owner by a pointer; the target ends with one to "example.net".
        message.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 1, 44, 0, 13]);
        message.extend([0, 10, 0, 60, 0x13, 0xc4, 4]);
        message.extend(b"sip1");
        message.extend([0xc0, 22]);
        message
    }

    #[test]
    fn an_srv_answer_with_pointers_is_read() {
        let read = answer(&srv_answer()).unwrap();
        assert_eq!(
            (read.name.as_str(), read.kind),
            ("_sip._udp.example.net", "SRV")
        );
        let [record] = read.records.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(
            (record.text.as_str(), record.ttl),
            ("10 60 5060 sip1.example.net", 300)
        );
        assert_eq!(record.target, "sip1.example.net");
    }

    #[test]
    fn naptr_addresses_and_failures_are_read() {
        let mut message = vec![0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
        message.extend(labels("example.net"));
        message.extend([0, 35, 0, 1]);
        let mut data = vec![0, 50, 0, 50, 1, b's', 7];
        data.extend(b"SIP+D2U");
        data.push(0);
        data.extend(labels("_sip._udp.example.net"));
        message.extend([0xc0, 12, 0, 35, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
        message.extend(&data);
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
        let read = answer(&message).unwrap();
        let texts: Vec<_> = read.records.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "50 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.net",
                "192.0.2.1"
            ]
        );
        let mut missing = srv_answer();
        missing[3] = 0x83;
        assert_eq!(answer(&missing).unwrap().failure, Some("NXDOMAIN"));
    }

    #[test]
    fn pointers_in_a_circle_and_cut_messages_end() {
        let whole = srv_answer();
        for end in 0..whole.len() {
            answer(&whole[..end]);
        }
        let mut circle = vec![0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0];
        circle.extend([0xc0, 12, 0, 33, 0, 1]);
        assert_eq!(answer(&circle), None);
    }
}
