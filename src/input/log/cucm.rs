//! SDL traces of Cisco Unified Communications Manager. TLS appears as TCP; no local address, no date.

use super::address::{hop, of_parts};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs};
use crate::input::LogHop;

/// ```text
/// 00455394.002 |18:33:30.036 |AppInfo  |SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from 192.0.2.7 on port 55522 index 16 with 1182 bytes:
/// [14599,NET]
/// INVITE ...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "cucm-sdl",
    signs: Signs::NUMBER,
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    line.text.first().filter(|byte| byte.is_ascii_digit())?;
    let at = memchr::memmem::find(line.text, b" SIP ")?;
    let before = line.text.get(..at)?;
    let sent = match before {
        _ if before.ends_with(b": Incoming") => false,
        _ if before.ends_with(b": Outgoing") => true,
        _ => return None,
    };
    let sdl =
        memchr::memmem::find(before, b"SIPTcp").or_else(|| memchr::memmem::find(before, b"SIPUdp"));
    sdl?;
    let text = std::str::from_utf8(line.text.get(at + 5..)?).ok()?;
    Some(Opening {
        hop: said(text, sent)?,
        stamp: clock(line.text),
        ..Opening::default()
    })
}

// `TCP message from 192.0.2.7 on port 55522 index 16 ...`, `UDP message size 9 from 192.0.2.7:[5060]:`
fn said(text: &str, sent: bool) -> Option<LogHop> {
    let (transport, rest) = text.split_once(" message ")?;
    let mut words = rest
        .split(' ')
        .skip_while(|word| !matches!(*word, "from" | "to"));
    words.next()?;
    let host = words.next()?;
    let (host, port) = match host.split_once(":[") {
        Some((host, port)) => (host, port.trim_end().trim_end_matches("]:")),
        None => {
            let mut words = words.skip_while(|word| *word != "port");
            words.next()?;
            (host, words.next()?)
        }
    };
    Some(hop(None, of_parts(host, port), transport, sent))
}

fn clock(text: &[u8]) -> Option<super::clock::Stamp> {
    let bar = memchr::memchr(b'|', text)?;
    stamp_in(text.get(bar + 1..)?)
}

fn envelope(line: &Line<'_>, _: &mut Opening) -> bool {
    let text = line.text.trim_ascii();
    text.starts_with(b"[") && text.ends_with(b",NET]")
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let text = line.text;
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text.get(digits..).unwrap_or_default();
    let entry = digits >= 8 && matches!(rest, [b'.', _, _, _, b' ', b'|', ..]);
    match entry || text.starts_with(b"|") {
        true => Cut::Foreign,
        false => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_and_udp_write_the_remote_end_differently() {
        let remote = "192.0.2.7:5060".parse().ok();
        for text in [
            "TCP message from 192.0.2.7 on port 5060 index 16 with 1182 bytes:",
            "TCP message to 192.0.2.7 on port 5060 index 16 ",
            "UDP message size 737 from 192.0.2.7:[5060]:",
            "UDP message to 192.0.2.7:[5060]:",
        ] {
            let hop = said(text, false).unwrap();
            assert_eq!((hop.source, hop.sent), (remote, Some(false)), "{text}");
            assert!(hop.transport.is_some(), "{text}");
        }
        assert_eq!(said("TCP message from", true), None);
    }
}
