//! The handshake messages that matter to somebody who only listens (RFC 5246 §7.4, RFC 8446 §4).

use crate::layers::be16;

pub(super) const HELLO_REQUEST: u8 = 0;
pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const CERTIFICATE: u8 = 11;
pub(super) const CERTIFICATE_REQUEST: u8 = 13;
pub(super) const CLIENT_KEY_EXCHANGE: u8 = 16;
pub(super) const FINISHED: u8 = 20;
pub(super) const KEY_UPDATE: u8 = 24;

/// Longest message put together; certificates may be long.
const LONGEST: usize = 128 * 1024;
/// Versions kept; there are five.
const MOST_VERSIONS: usize = 8;
/// Longest server name kept (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 255;

/// The random value that makes a ServerHello a HelloRetryRequest (RFC 8446 §4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a client asks for.
#[derive(Clone, Debug)]
pub(super) struct ClientHello {
    pub(super) random: [u8; 32],
    pub(super) server_name: Option<String>,
    /// It announces data before the handshake is over (RFC 8446 §4.2.10).
    pub(super) early_data: bool,
    /// The versions that it offers, at most [`MOST_VERSIONS`].
    pub(super) versions: Vec<u16>,
}

/// What a server chose.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerHello {
    pub(super) random: [u8; 32],
    pub(super) version: u16,
    pub(super) suite: u16,
    /// RFC 7627.
    pub(super) extended_master_secret: bool,
    /// RFC 7366.
    pub(super) encrypt_then_mac: bool,
}

impl ServerHello {
    pub(super) fn is_retry(&self) -> bool {
        self.random == RETRY
    }
}

/// Messages of one direction, put together from records.
#[derive(Debug, Default)]
pub(super) struct Messages {
    bytes: Vec<u8>,
    start: usize,
}

impl Messages {
    /// Adds the content of a record.
    pub(super) fn add(&mut self, content: &[u8]) {
        self.bytes.drain(..self.start.min(self.bytes.len()));
        self.start = 0;
        if self.bytes.len() + content.len() > LONGEST {
            self.bytes.clear();
            return;
        }
        self.bytes.extend_from_slice(content);
    }

    /// Takes the next whole message: its type, its body, and all its bytes.
    pub(super) fn next(&mut self) -> Option<(u8, &[u8], &[u8])> {
        let header = self.bytes.get(self.start..)?.first_chunk::<4>()?;
        let length = (u32::from_be_bytes(*header) & 0xff_ffff) as usize;
        if length > LONGEST {
            self.clear();
            return None;
        }
        let all = self.bytes.get(self.start..)?.get(..4 + length)?;
        self.start += all.len();
        let (header, body) = all.split_first_chunk::<4>()?;
        Some((header[0], body, all))
    }

    pub(super) fn clear(&mut self) {
        (self.bytes, self.start) = (Vec::new(), 0);
    }

    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }
}

/// A vector with a length of `N` bytes before it, and what follows it.
fn vector<const N: usize>(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<N>()?;
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// Calls back with type and content of each extension.
fn extensions<'a>(bytes: &'a [u8], mut take: impl FnMut(u16, &'a [u8])) {
    let Some((mut list, _)) = vector::<2>(bytes) else {
        return;
    };
    while let (Some(kind), Some((content, rest))) =
        (be16(list, 0), list.get(2..).and_then(vector::<2>))
    {
        take(kind, content);
        list = rest;
    }
}

pub(super) fn client_hello(body: &[u8]) -> Option<ClientHello> {
    let (random, rest) = body.get(2..)?.split_first_chunk::<32>()?;
    let (_, rest) = vector::<1>(rest)?;
    let (_, rest) = vector::<2>(rest)?;
    let (_, rest) = vector::<1>(rest)?;
    let mut hello = ClientHello {
        random: *random,
        server_name: None,
        early_data: false,
        versions: Vec::new(),
    };
    extensions(rest, |kind, content| match kind {
        0 => hello.server_name = server_name(content),
        42 => hello.early_data = true,
        43 => hello.versions = versions(content),
        _ => {}
    });
    if hello.versions.is_empty() {
        hello.versions.extend(be16(body, 0));
    }
    Some(hello)
}

// RFC 8446 §4.2.1, without the values that mean nothing (RFC 8701).
fn versions(content: &[u8]) -> Vec<u16> {
    let (list, _) = vector::<1>(content).unwrap_or_default();
    let all = list.chunks_exact(2).filter_map(|pair| be16(pair, 0));
    all.filter(|version| (0x0300..=0x0304).contains(version))
        .take(MOST_VERSIONS)
        .collect()
}

// RFC 6066 §3: the first entry, if it is a host name.
fn server_name(content: &[u8]) -> Option<String> {
    let (list, _) = vector::<2>(content)?;
    let (0, rest) = list.split_first()? else {
        return None;
    };
    let (name, _) = vector::<2>(rest)?;
    let name = name.get(..LONGEST_NAME).unwrap_or(name);
    Some(String::from_utf8_lossy(name).into_owned())
}

pub(super) fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let (random, rest) = body.get(2..)?.split_first_chunk::<32>()?;
    let (_, rest) = vector::<1>(rest)?;
    let mut hello = ServerHello {
        random: *random,
        version: be16(body, 0)?,
        suite: be16(rest, 0)?,
        extended_master_secret: false,
        encrypt_then_mac: false,
    };
    extensions(rest.get(3..)?, |kind, content| match kind {
        22 => hello.encrypt_then_mac = true,
        23 => hello.extended_master_secret = true,
        43 => hello.version = be16(content, 0).unwrap_or(hello.version),
        _ => {}
    });
    Some(hello)
}

/// The encrypted premaster secret of the RSA key exchange.
pub(super) fn encrypted_premaster(body: &[u8]) -> Option<&[u8]> {
    vector::<2>(body).map(|(secret, _)| secret)
}

/// The name of an alert (RFC 8446 §6, RFC 5246 §7.2).
pub(super) fn alert(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(extensions: &[u8], server: bool) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.push(0);
        if server {
            body.extend([0x13, 0x01, 0]);
        } else {
            body.extend([0, 2, 0x13, 0x01, 1, 0]);
        }
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
        body
    }

    #[test]
    fn hellos_are_read_and_no_beginning_of_one_is_read_beyond_its_end() {
        let name = [0, 0, 0, 8, 0, 6, 0, 0, 3, b'a', b'.', b'b', 0, 42, 0, 0];
        let client = hello(&name, false);
        let read = client_hello(&client).unwrap();
        assert_eq!(read.server_name.as_deref(), Some("a.b"));
        assert!(read.early_data && read.random == [7; 32]);
        let chosen = [0, 43, 0, 2, 3, 4, 0, 22, 0, 0, 0, 23, 0, 0];
        let server = hello(&chosen, true);
        let read = server_hello(&server).unwrap();
        assert_eq!((read.version, read.suite), (0x0304, 0x1301));
        assert!(read.encrypt_then_mac && read.extended_master_secret && !read.is_retry());
        for bytes in [&client, &server] {
            for end in 0..bytes.len() {
                client_hello(&bytes[..end]);
                server_hello(&bytes[..end]);
            }
        }
    }

    #[test]
    fn messages_come_whole_from_any_cut() {
        let bytes = [
            &[14, 0, 0, 0][..],
            &[20, 0, 0, 3, 1, 2, 3],
            &[4, 0, 0, 1, 9],
        ]
        .concat();
        for cut in 0..bytes.len() {
            let (mut messages, mut seen) = (Messages::default(), Vec::new());
            for part in [&bytes[..cut], &bytes[cut..]] {
                messages.add(part);
                while let Some((kind, body, _)) = messages.next() {
                    seen.push((kind, body.len()));
                }
            }
            assert_eq!(seen, [(14, 0), (20, 3), (4, 1)]);
        }
    }
}
