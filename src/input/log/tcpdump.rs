//! tcpdump: a line for each packet, and with `-A` its bytes as text, headers included; with `-v` the
//! message itself, behind a tab. The bytes in hex (`-x`, `-X`) are read as a capture is.

use super::address::of_parts;
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, start_line};
use crate::input::LogHop;

/// `09:00:00.000000 IP 192.0.2.10.5060 > 198.51.100.20.5060: SIP: INVITE sip:... SIP/2.0`
pub(super) static FORMAT: Format = Format {
    name: "tcpdump",
    signs: Signs {
        first: b"0123456789 I",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let timed = match line.text {
        // Without `-t`; with `-ttt` the time that passed, behind a blank.
        [b'0'..=b'9', b'0'..=b'9', b':' | b'0'..=b'9', ..] => true,
        [b' ', b'0'..=b'9', b'0'..=b'9', b':', ..] | [b'I', b'P', b' ' | b'6', ..] => false,
        _ => return None,
    };
    let at = find_ip(line.text)?;
    let rest = std::str::from_utf8(line.text.get(at..)?).ok()?;
    let hop = match hop(rest) {
        Some(hop) => hop,
        // `-v`: the ends are on the next line.
        None if rest.contains(" (tos ") || rest.contains(", proto ") => LogHop {
            transport: transport(rest),
            ..LogHop::default()
        },
        None => return None,
    };
    Some(Opening {
        hop,
        stamp: timed.then(|| stamp_in(line.text)).flatten(),
        packet: true,
        ..Opening::default()
    })
}

/// Where ` IP ` or ` IP6 ` begins, near the beginning: behind the time and the interface.
fn find_ip(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"IP") {
        return Some(0);
    }
    let near = text.get(..text.len().min(160)).unwrap_or_default();
    let at = memchr::memmem::find(near, b" IP ").or_else(|| memchr::memmem::find(near, b" IP6 "));
    // `-e`: `02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype IPv4 (0x0800), length 565: ...`
    at.or_else(|| memchr::memmem::find(near, b", ethertype IPv"))
}

fn transport(text: &str) -> Option<&'static str> {
    let holds = |names: &[&str]| names.iter().any(|name| text.contains(name));
    if holds(&[
        "proto UDP",
        "next-header UDP",
        ": UDP",
        "SIP",
        "[udp sum",
        "[bad udp",
    ]) {
        Some("udp")
    } else {
        holds(&["proto TCP", "next-header TCP", ": Flags ["]).then_some("tcp")
    }
}

/// The first `a.port > b.port: ` in it.
fn hop(text: &str) -> Option<LogHop> {
    let (source, destination) = text.match_indices(" > ").find_map(|(at, arrow)| {
        let source = text.get(..at)?.rsplit(' ').next()?;
        let destination = text.get(at + arrow.len()..)?;
        let (destination, _) = destination.split_once(": ")?;
        (is_end(source) && is_end(destination)).then_some((source, destination))
    })?;
    Some(LogHop {
        source: address(source),
        destination: address(destination),
        transport: match text.contains(": Flags [") {
            true => Some("tcp"),
            false => transport(text),
        },
        sent: None,
        ..LogHop::default()
    })
}

/// A host, a dot and a port or its name.
fn is_end(text: &str) -> bool {
    let named = |name: &str| !name.is_empty() && !name.contains([':', ',']);
    text.rsplit_once('.')
        .is_some_and(|(host, port)| !host.is_empty() && named(port) && !text.contains(' '))
}

fn address(text: &str) -> Option<std::net::SocketAddr> {
    let (host, port) = text.rsplit_once('.')?;
    let port = match port {
        "sip" => "5060",
        "sips" | "sip-tls" => "5061",
        _ => port,
    };
    of_parts(host, port)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    let wanted = opening.hop.source.is_none() && opening.hop.destination.is_none();
    if !wanted || !line.text.starts_with(b"    ") {
        return false;
    }
    let hop = std::str::from_utf8(line.text).ok().and_then(hop);
    if let Some(hop) = hop {
        let transport = opening.hop.transport.or(hop.transport);
        opening.hop = LogHop { transport, ..hop };
    }
    hop.is_some()
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    if !opening.begun {
        return match start_line::find_behind(line.text) {
            Some(at) => Cut::Text(at),
            None if line.text.is_empty() => Cut::End,
            None => Cut::Beside,
        };
    }
    match (opening.margin.as_slice(), line.text) {
        ([b'\t', ..], [b'\t', ..]) => Cut::Text(1),
        // The same once more, as text.
        ([b'\t', ..], _) => Cut::Beside,
        _ => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(text: &str) -> Option<Opening> {
        recognise(&Line {
            prefix: super::super::prefix::Prefix::default(),
            text: text.as_bytes(),
            end: b"\n",
        })
    }

    #[test]
    fn the_line_of_a_packet_in_many_spellings() {
        let (a, b) = (
            "192.0.2.10:5060".parse().ok(),
            "192.0.2.20:5070".parse().ok(),
        );
        for (text, transport, timed) in [
            (
                "09:00:00.5 IP 192.0.2.10.5060 > 192.0.2.20.5070: SIP: BYE sip:a SIP/2.0",
                "udp",
                true,
            ),
            (
                "2026-01-01 09:00:00.000000 IP 192.0.2.10.sip > 192.0.2.20.5070: UDP, length 7",
                "udp",
                true,
            ),
            (
                "09:00:00.5 eth0  In  IP 192.0.2.10.5060 > 192.0.2.20.5070: Flags [P.], seq 1",
                "tcp",
                true,
            ),
            (
                "IP 192.0.2.10.5060 > 192.0.2.20.5070: UDP, length 7",
                "udp",
                false,
            ),
            (
                " 00:00:00.002000 IP 192.0.2.10.5060 > 192.0.2.20.5070: SIP, length: 7",
                "udp",
                false,
            ),
            (
                "09:00:00.5 02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype IPv4 (0x0800), length 565: \
              192.0.2.10.5060 > 192.0.2.20.5070: SIP: BYE sip:a SIP/2.0",
                "udp",
                true,
            ),
        ] {
            let opening = opening(text).unwrap_or_else(|| panic!("{text}"));
            let hop = opening.hop;
            assert_eq!((hop.source, hop.destination), (a, b), "{text}");
            assert_eq!(hop.transport, Some(transport), "{text}");
            assert_eq!(opening.stamp.is_some(), timed, "{text}");
        }
        let six = "09:00:00.5 IP6 (flowlabel 0x1, hlim 64, next-header UDP (17) payload length: 9) \
                   2001:db8::1.5060 > 2001:db8::2.5060: [udp sum ok] SIP, length: 1";
        let source = opening(six).unwrap().hop.source;
        assert_eq!(source, "[2001:db8::1]:5060".parse().ok());
        let named = opening("09:00:00.5 IP a.example.org.sip > b.sip: UDP, length 7").unwrap();
        assert_eq!((named.hop.source, named.hop.transport), (None, Some("udp")));
    }

    #[test]
    fn other_lines_with_a_time_are_none() {
        for text in [
            "09:00:00.5 IP forwarding is on",
            "12:00 > 13:00",
            "09:00:00 ARP, Request who-has 192.0.2.1 tell 192.0.2.2, length 28",
        ] {
            assert!(opening(text).is_none(), "{text}");
        }
    }
}
