//! Wireshark's packet details as text (`tshark -V`, `-O sip`, "Export as plain text"): the protocols of a
//! frame at the margin, headers behind eight blanks, and bodies in words, of which SDP is written back.

use std::net::{IpAddr, SocketAddr};

use super::clock::{Date, Stamp};
use super::{Cut, Format, Further, Line, Opening, Signs};

/// ```text
/// Frame 1: 565 bytes on wire (4520 bits), 565 bytes captured (4520 bits)
///     Epoch Time: 1767258000.000000000 seconds
/// Internet Protocol Version 4, Src: 192.0.2.10, Dst: 198.51.100.20
/// User Datagram Protocol, Src Port: 5060, Dst Port: 5060
/// Session Initiation Protocol (INVITE)
///     Request-Line: INVITE ...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "wireshark-text",
    signs: Signs {
        first: b"FS",
        ..Signs::ANY
    },
    bare: false,
    recognise,
    envelope,
    cut,
};

const SIP: &[u8] = b"Session Initiation Protocol";

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let further = match line.text {
        [b'F', ..] if is_frame(line.text) => Further::No,
        [b'S', ..] if line.text.starts_with(SIP) => Further::Packet,
        _ => return None,
    };
    Some(Opening {
        further,
        packet: true,
        ..Opening::default()
    })
}

/// `Frame 1: 565 bytes on wire`, `Frame 1 (565 bytes on wire, 565 bytes captured)`
fn is_frame(text: &[u8]) -> bool {
    let Some(number) = text.strip_prefix(b"Frame ") else {
        return false;
    };
    let rest = number.iter().take_while(|byte| byte.is_ascii_digit());
    let rest = number.get(rest.count()..).unwrap_or_default();
    rest.len() < number.len() && (rest.starts_with(b": ") || rest.starts_with(b" ("))
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    match line.text.first() {
        Some(b' ') => time(line.text, opening) || is_detail(line.text),
        Some(b'I') => addresses(line.text, opening),
        Some(b'S') if line.text.starts_with(SIP) => true,
        Some(b'U' | b'T' | b'S') => ports(line.text, opening),
        _ => false,
    }
}

/// A detail of a protocol around SIP; a packet has dozens of them.
fn is_detail(text: &[u8]) -> bool {
    text.starts_with(b"    ") && !super::start_line::mentions(text)
}

/// `    Epoch Time: 1767258000.000000000 seconds`
fn time(text: &[u8], opening: &mut Opening) -> bool {
    let seconds = text
        .trim_ascii_start()
        .strip_prefix(b"Epoch Time: ")
        .or_else(|| {
            text.trim_ascii_start()
                .strip_prefix(b"Epoch Arrival Time: ")
        });
    let Some(seconds) = seconds.and_then(|text| std::str::from_utf8(text).ok()) else {
        return false;
    };
    let number = seconds.split(' ').next().unwrap_or_default();
    opening.stamp = of_epoch(number).or(opening.stamp);
    true
}

fn of_epoch(number: &str) -> Option<Stamp> {
    let (seconds, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let seconds: u64 = seconds.parse().ok()?;
    let nine = format!("{fraction:0<9}");
    let fraction: u64 = nine.get(..9)?.parse().ok()?;
    let (year, month, day) = crate::input::civil(i64::try_from(seconds / 86_400).ok()?);
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    Some(Stamp {
        date: Date::Full(u16::try_from(year).ok()?, month, day),
        nanoseconds: seconds % 86_400 * 1_000_000_000 + fraction,
        zone: Some(0),
    })
}

/// `Internet Protocol Version 4, Src: 192.0.2.10, Dst: 198.51.100.20`; older: `Src: name (192.0.2.10)`
fn addresses(text: &[u8], opening: &mut Opening) -> bool {
    if !text.starts_with(b"Internet Protocol") {
        return false;
    }
    if let Some((source, destination)) = ends(text, "Src: ", "Dst: ") {
        // The ports come with the next line.
        let end = |text: &str| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 0));
        opening.hop.source = end(source);
        opening.hop.destination = end(destination);
    }
    true
}

/// `User Datagram Protocol, Src Port: 5060, Dst Port: 5060`; older: `Src Port: sip (5060)`
fn ports(text: &[u8], opening: &mut Opening) -> bool {
    let transport = match text {
        _ if text.starts_with(b"User Datagram Protocol, ") => Some("udp"),
        _ if text.starts_with(b"Transmission Control Protocol, ") => Some("tcp"),
        _ if text.starts_with(b"Stream Control Transmission Protocol, ") => Some("sctp"),
        _ if text.starts_with(b"Transport Layer Security") => Some("tls"),
        _ => return false,
    };
    opening.hop.transport = transport;
    if let Some((source, destination)) = ends(text, "Src Port: ", "Dst Port: ") {
        let with = |end: Option<SocketAddr>, port: &str| {
            Some(SocketAddr::new(end?.ip(), port.parse().ok()?))
        };
        opening.hop.source = with(opening.hop.source, source);
        opening.hop.destination = with(opening.hop.destination, destination);
    }
    true
}

/// What is named so, each up to a comma, and in brackets where a name stands before them.
fn ends<'a>(text: &'a [u8], source: &str, destination: &str) -> Option<(&'a str, &'a str)> {
    let text = std::str::from_utf8(text).ok()?;
    let value = |name: &str| {
        let (_, value) = text.split_once(name)?;
        let value = value.split(", ").next()?.trim();
        let inner = value.rsplit_once('(').map(|(_, inner)| inner);
        Some(inner.map_or(value, |inner| inner.trim_end_matches(')')))
    };
    Some((value(source)?, value(destination)?))
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    let blanks = line.text.iter().take_while(|byte| **byte == b' ').count();
    let bare = line.text.get(blanks..).unwrap_or_default();
    // Older versions show the line end.
    let bare = bare.strip_suffix(b"\\r\\n").unwrap_or(bare);
    if !opening.begun {
        let start = bare
            .strip_prefix(b"Request-Line: ")
            .or_else(|| bare.strip_prefix(b"Status-Line: "));
        return start.map_or(Cut::Beside, |start| Cut::Rewritten(start.to_vec()));
    }
    match (blanks, bare) {
        (4, b"Message Body") => Cut::Rewritten(Vec::new()),
        // Headers that are long are cut; some versions set a blank before the remark.
        (8 | 9, [b'[', ..]) => match bare.strip_prefix(b"[truncated]") {
            Some(header) => Cut::Rewritten(header.to_vec()),
            None => Cut::Beside,
        },
        (8, _) if is_header(bare) && !is_of_start_line(bare) => Cut::Rewritten(bare.to_vec()),
        (8, _) => marked(bare).map_or(Cut::Beside, Cut::Rewritten),
        (9.., _) => of_sdp(bare).map_or(Cut::Beside, Cut::Rewritten),
        _ => Cut::Beside,
    }
}

/// A long header as versions from 4 on mark it: `Authorization […]: Digest ...`
fn marked(text: &[u8]) -> Option<Vec<u8>> {
    const MARKS: [&str; 2] = [" […]:", " [...]:"];
    let found = |mark: &&str| memchr::memmem::find(text, mark.as_bytes());
    let (at, mark) = MARKS.iter().find_map(|mark| Some((found(mark)?, mark)))?;
    let (name, rest) = (text.get(..at)?, text.get(at + mark.len()..)?);
    let header = [name, b":", rest].concat();
    (is_header(&header) && !name.contains(&b':')).then_some(header)
}

/// The parts of the start line are written as far in as headers.
fn is_of_start_line(text: &[u8]) -> bool {
    const PARTS: [&[u8]; 3] = [b"Method: ", b"Request-URI: ", b"Status-Code: "];
    PARTS.iter().any(|part| text.starts_with(part))
}

fn is_header(text: &[u8]) -> bool {
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.!%*+`'~".contains(*byte);
    let name = text.iter().take_while(belongs).count();
    name > 0
        && matches!(text.get(name), Some(b':' | b' '))
        && text
            .get(name..)
            .unwrap_or_default()
            .trim_ascii_start()
            .starts_with(b":")
}

/// The SDP line that is told as `Media Attribute (a): sendrecv`.
fn of_sdp(text: &[u8]) -> Option<Vec<u8>> {
    const NAMES: [&[u8]; 17] = [
        b"Session Description Protocol Version",
        b"Owner/Creator, Session Id",
        b"Session Name",
        b"Session Information",
        b"URI of Description",
        b"E-mail Address",
        b"Phone Number",
        b"Connection Information",
        b"Bandwidth Information",
        b"Time Description, active time",
        b"Repeat Time",
        b"Time Zones",
        b"Encryption Key",
        b"Session Attribute",
        b"Media Description, name and address",
        b"Media Title",
        b"Media Attribute",
    ];
    let rest = NAMES.iter().find_map(|name| text.strip_prefix(*name))?;
    let (letter, value) = match rest {
        [b' ', b'(', letter @ b'a'..=b'z', b')', b':', value @ ..] => (*letter, value),
        _ => return None,
    };
    let value = value.strip_prefix(b" ").unwrap_or(value);
    Some([&[letter, b'='], value].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::LogHop;

    fn envelope_of(lines: &[&str]) -> (LogHop, Option<Stamp>) {
        let mut opening = Opening::default();
        for text in lines {
            let line = Line {
                prefix: super::super::prefix::Prefix::default(),
                text: text.as_bytes(),
                end: b"\n",
            };
            assert!(envelope(&line, &mut opening), "{text}");
        }
        (opening.hop, opening.stamp)
    }

    #[test]
    fn the_protocols_of_a_frame_give_the_hop_in_old_and_new_versions() {
        let new = [
            "    Epoch Time: 1767258000.250000000 seconds",
            "Internet Protocol Version 4, Src: 192.0.2.10, Dst: 192.0.2.20",
            "User Datagram Protocol, Src Port: 5060, Dst Port: 5070",
            "Session Initiation Protocol (INVITE)",
        ];
        let old = [
            "Internet Protocol, Src: a.example (192.0.2.10), Dst: 192.0.2.20 (192.0.2.20)",
            "User Datagram Protocol, Src Port: sip (5060), Dst Port: vtsas (5070)",
        ];
        let (hop, stamp) = envelope_of(&new);
        assert_eq!(hop, envelope_of(&old).0);
        assert_eq!(hop.source, "192.0.2.10:5060".parse().ok());
        assert_eq!(hop.destination, "192.0.2.20:5070".parse().ok());
        let stamp = stamp.unwrap();
        assert_eq!(stamp.date, Date::Full(2026, 1, 1));
        assert_eq!(stamp.nanoseconds, 32_400_250_000_000);
        assert_eq!(of_epoch("x"), None);
    }

    #[test]
    fn a_header_that_was_cut_is_read_with_a_blank_before_the_remark_or_without() {
        let opening = Opening {
            begun: true,
            ..Opening::default()
        };
        for header in [
            "        [truncated]Authorization: Digest realm=\"a\"",
            "         [truncated]Authorization: Digest realm=\"a\"",
            "        Authorization […]: Digest realm=\"a\"",
        ] {
            let text = header.to_owned();
            let line = Line {
                prefix: super::super::prefix::Prefix::default(),
                text: text.as_bytes(),
                end: b"\n",
            };
            let Cut::Rewritten(header) = cut(&line, &opening) else {
                panic!("{text}");
            };
            assert!(header.starts_with(b"Authorization: "));
        }
    }

    #[test]
    fn sdp_in_words_becomes_sdp_again() {
        let line = of_sdp(b"Time Description, active time (t): 0 0");
        assert_eq!(line.as_deref(), Some(&b"t=0 0"[..]));
        assert_eq!(of_sdp(b"Media Type: audio"), None);
        assert_eq!(of_sdp(b"Session Name (s):").as_deref(), Some(&b"s="[..]));
    }
}
