//! Names for payloads that are not SIP. Content decides; a port only confirms.

use super::{Flow, be16, be32};

type Recognise = fn(&Flow, &[u8]) -> bool;

/// What a UDP payload can be, the surest signs first; the first that fits names it.
static PROTOCOLS: &[(&str, Recognise)] = &[
    ("rtcp", is_rtcp),
    ("rtp", is_rtp),
    ("stun", is_stun),
    ("dtls", is_dtls),
    ("hep", is_hep),
    ("zrtp", |_, payload| be32(payload, 4) == Some(0x5a52_5450)),
    ("mdns", |flow, payload| on(flow, &[5353]) && is_dns(payload)),
    ("dns", |flow, payload| {
        on(flow, &[53, 5355]) && is_dns(payload)
    }),
    ("dhcp", is_dhcp),
    ("ntp", is_ntp),
    ("snmp", is_snmp),
    ("ssdp", is_ssdp),
    ("syslog", is_syslog),
    ("quic", is_quic),
];

/// Names what a UDP payload that is not SIP holds; `unrecognised` where nothing fits.
pub fn name_payload(flow: &Flow, payload: &[u8]) -> &'static str {
    let found = PROTOCOLS.iter().find(|(_, fits)| fits(flow, payload));
    found.map_or("unrecognised", |(name, _)| name)
}

/// Whether a byte stream begins as TLS does: a record header (RFC 8446 §5.1) with a known type,
/// version and a possible length.
pub fn looks_like_tls(bytes: &[u8]) -> bool {
    let [kind, 3, 0..=4, high, low, rest @ ..] = bytes else {
        return false;
    };
    let length = u16::from_be_bytes([*high, *low]);
    match kind {
        20 => length == 1,
        21 => (2..=512).contains(&length),
        22 => (4..=MAX_TLS_RECORD).contains(&length) && rest.first().is_none_or(|it| *it <= 24),
        23 => (1..=MAX_TLS_RECORD).contains(&length),
        _ => false,
    }
}

const MAX_TLS_RECORD: u16 = 16_384 + 2048;

fn on(flow: &Flow, ports: &[u16]) -> bool {
    ports.contains(&flow.destination.port()) || ports.contains(&flow.source.port())
}

/// RFC 3550 §6.4, packet types by RFC 5761 §4.
fn is_rtcp(_: &Flow, payload: &[u8]) -> bool {
    let [0x80..=0xbf, 192..=195 | 200..=213, high, low, ..] = payload else {
        return false;
    };
    let words = usize::from(u16::from_be_bytes([*high, *low])) + 1;
    payload.len() >= 8 && words * 4 <= payload.len()
}

/// RFC 3550 §5.1.
fn is_rtp(flow: &Flow, payload: &[u8]) -> bool {
    let [first @ 0x80..=0xbf, second, ..] = payload else {
        return false;
    };
    let header = 12 + usize::from(first & 15) * 4;
    let type_fits = matches!(second & 0x7f, 0..=34 | 96..=127);
    type_fits
        && payload.len() >= header
        && flow.source.port() >= 1024
        && flow.destination.port() >= 1024
        && !on(flow, &[5353])
}

/// RFC 8489 §5, without a cookie RFC 3489; and the data channels of TURN (RFC 8656 §12.4).
fn is_stun(flow: &Flow, payload: &[u8]) -> bool {
    let (Some(kind), Some(length)) = (be16(payload, 0), be16(payload, 2)) else {
        return false;
    };
    let length = usize::from(length);
    match kind {
        0..=0x3fff => {
            let has_cookie = be32(payload, 4) == Some(0x2112_a442);
            length % 4 == 0
                && payload.len() >= 20 + length
                && (has_cookie || (on(flow, &[3478, 3479]) && payload.len() == 20 + length))
        }
        0x4000..=0x4fff => on(flow, &[3478]) && payload.len() >= 4 + length,
        _ => false,
    }
}

/// RFC 9147 §4, RFC 6347 §4.1.
fn is_dtls(_: &Flow, payload: &[u8]) -> bool {
    let [20..=26, 0xfe, 0xfc..=0xff, ..] = payload else {
        return false;
    };
    be16(payload, 11).is_some_and(|length| payload.len() >= 13 + usize::from(length))
}

/// Homer encapsulation: HEP3 by its mark, HEP 1 and 2 by version, length, family and protocol.
fn is_hep(_: &Flow, payload: &[u8]) -> bool {
    super::stream::hep::looks_like_hep(payload)
}

/// RFC 1035 §4.1.1: no reserved bit, few questions, a known operation.
fn is_dns(payload: &[u8]) -> bool {
    let (Some(flags), Some(questions)) = (be16(payload, 2), be16(payload, 4)) else {
        return false;
    };
    payload.len() >= 12 && flags & 0x0040 == 0 && (flags >> 11) & 15 <= 6 && questions <= 256
}

/// RFC 2131 §3; for IPv6 RFC 8415 §8.
fn is_dhcp(flow: &Flow, payload: &[u8]) -> bool {
    let v4 = matches!(payload, [1 | 2, ..]) && be32(payload, 236) == Some(0x6382_5363);
    v4 || (on(flow, &[546, 547]) && matches!(payload, [1..=13, _, _, _, ..]))
}

/// RFC 5905 §7.3.
fn is_ntp(flow: &Flow, payload: &[u8]) -> bool {
    let Some(first) = payload.first() else {
        return false;
    };
    on(flow, &[123])
        && (payload.len() >= 48 || first & 7 >= 6)
        && matches!((first >> 3) & 7, 1..=4)
        && first & 7 != 0
}

/// RFC 3416: a SEQUENCE that begins with the version.
fn is_snmp(flow: &Flow, payload: &[u8]) -> bool {
    let rest = match payload {
        [0x30, 0x82, _, _, rest @ ..] | [0x30, 0x81, _, rest @ ..] => rest,
        [0x30, 0..=0x7f, rest @ ..] => rest,
        _ => return false,
    };
    on(flow, &[161, 162]) && matches!(rest, [2, 1, 0 | 1 | 3, ..])
}

fn is_ssdp(flow: &Flow, payload: &[u8]) -> bool {
    payload.starts_with(b"M-SEARCH * HTTP/1.")
        || payload.starts_with(b"NOTIFY * HTTP/1.")
        || (on(flow, &[1900]) && payload.starts_with(b"HTTP/1."))
}

/// RFC 5424 §6, RFC 3164 §4.1: a priority in angle brackets.
fn is_syslog(flow: &Flow, payload: &[u8]) -> bool {
    let [b'<', b'0'..=b'9', rest @ ..] = payload else {
        return false;
    };
    on(flow, &[514]) && rest.iter().take(3).any(|byte| *byte == b'>')
}

/// RFC 9000 §17.2: a long header of version 1, 2 or a draft.
fn is_quic(_: &Flow, payload: &[u8]) -> bool {
    let long = payload.first().is_some_and(|first| first & 0xc0 == 0xc0);
    long && matches!(
        be32(payload, 1),
        Some(1 | 0x6b33_43cf | 0xff00_0000..=0xff00_00ff)
    )
}

#[cfg(test)]
mod tests {
    use super::{looks_like_tls, name_payload};
    use crate::layers::{Flow, Transport};
    use std::net::{Ipv4Addr, SocketAddr};

    fn flow(from: u16, to: u16) -> Flow {
        let end = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        Flow {
            source: end(from),
            destination: end(to),
            transport: Transport::Udp,
        }
    }

    #[test]
    fn payloads_have_names() {
        let with = |start: &[u8], length: usize| {
            let mut payload = start.to_vec();
            payload.resize(length, 0);
            payload
        };
        let mut dhcp = with(&[1, 1, 6, 0], 236);
        dhcp.extend([0x63, 0x82, 0x53, 0x63]);
        let stun = with(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42], 20);
        let cases: [(&str, u16, u16, Vec<u8>); 19] = [
            ("rtp", 16000, 17000, with(&[0x80, 8], 172)),
            ("rtp", 16000, 17000, with(&[0x80, 0xe5], 16)),
            ("rtcp", 16001, 17001, with(&[0x81, 200, 0, 6], 28)),
            ("stun", 40000, 50000, stun),
            ("stun", 40000, 3478, with(&[0x40, 0, 0, 4], 8)),
            (
                "dtls",
                40000,
                50000,
                with(&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], 15),
            ),
            ("hep", 40000, 9060, b"HEP3\0\x06".to_vec()),
            ("hep", 40000, 9060, with(&[1, 16, 2, 17], 40)),
            ("hep", 40000, 9060, with(&[2, 16, 2, 17], 40)),
            ("zrtp", 16000, 17000, with(b"\x10\0\0\x01ZRTP", 40)),
            ("dns", 40000, 53, with(&[0x80, 0x08, 1, 0, 0, 1], 30)),
            ("mdns", 5353, 5353, with(&[0, 0, 0x84, 0, 0, 0, 0, 1], 30)),
            ("dhcp", 68, 67, dhcp),
            ("ntp", 123, 123, with(&[0x23], 48)),
            ("snmp", 40000, 161, with(&[0x30, 20, 2, 1, 1, 4], 22)),
            ("ssdp", 40000, 1900, b"M-SEARCH * HTTP/1.1\r\n\r\n".to_vec()),
            (
                "syslog",
                40000,
                514,
                b"<134>Oct 11 22:14:15 host app: text".to_vec(),
            ),
            ("quic", 40000, 443, with(&[0xc3, 0, 0, 0, 1], 1200)),
            ("unrecognised", 40000, 5060, b"\r\n\r\n".to_vec()),
        ];
        for (name, from, to, payload) in cases {
            assert_eq!(name_payload(&flow(from, to), &payload), name, "{payload:?}");
            // No beginning of it may be read beyond its end.
            for end in 0..payload.len() {
                name_payload(&flow(from, to), &payload[..end]);
            }
        }
    }

    #[test]
    fn sip_is_given_no_name() {
        let texts = [
            "INVITE sip:a@b SIP/2.0\r\n",
            "SIP/2.0 200 OK\r\n",
            "NOTIFY sip:a@b SIP/2.0\r\n",
        ];
        for text in texts {
            assert_eq!(
                name_payload(&flow(5060, 5060), text.as_bytes()),
                "unrecognised"
            );
        }
    }

    #[test]
    fn tls_is_told_by_its_record_header() {
        assert!(looks_like_tls(b"\x16\x03\x01\x02\x00\x01\x00"));
        assert!(looks_like_tls(b"\x17\x03\x03\x00\x20\x99"));
        assert!(looks_like_tls(b"\x15\x03\x03\x00\x02\x01\x00"));
        assert!(looks_like_tls(b"\x14\x03\x03\x00\x01\x01"));
        assert!(!looks_like_tls(b"\x16\x03\x01"));
        assert!(!looks_like_tls(b"\x16\x04\x01\x02\x00\x01"));
        assert!(!looks_like_tls(b"\x17\x03\x03\xff\xff\x99"));
        assert!(!looks_like_tls(b"INVITE sip:a@b SIP/2.0\r\n"));
        assert!(!looks_like_tls(b"\r\n\r\n"));
    }
}
