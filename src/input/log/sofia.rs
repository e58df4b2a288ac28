//! The transport log of sofia-sip (`tport_log_msg`): FreeSWITCH's `siptrace`, drachtio, jambonz, flexisip.

use super::address::{hop, of_parts};
use super::pattern::fields;
use super::prefix::{after_stamp, stamp_in};
use super::{Cut, Format, Line, Opening, Signs, margin};
use crate::input::LogHop;

/// `recv 282 bytes from udp/[192.0.2.7]:5060 at 15:46:48.570890:`, then mostly a line of 72 dashes;
/// old versions indent the message and close it with dashes.
pub(super) static FORMAT: Format = Format {
    name: "sofia",
    signs: Signs {
        first: b"rs0123456789/> \t",
        last: b":",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = unquoted(line.text);
    let text = match text.first()? {
        b'r' | b's' => text,
        // A date (drachtio), or what an author put before: `1-> `
        b'0'..=b'9' => after_stamp(text)
            .or_else(|| counted(text))?
            .trim_ascii_start(),
        _ => return None,
    };
    let (sent, address, clock) = said(text)?;
    let mut stamp = stamp_in(clock.as_bytes());
    if let (Some(stamp), Some(dated)) = (&mut stamp, line.prefix.stamp) {
        stamp.zone = dated.zone;
    }
    Some(Opening {
        hop: remote(address, sent),
        stamp,
        ..Opening::default()
    })
}

fn unquoted(text: &[u8]) -> &[u8] {
    let quote = |byte: &u8| matches!(byte, b'/' | b'>' | b' ' | b'\t');
    text.get(text.iter().take_while(|byte| quote(byte)).count()..)
        .unwrap_or_default()
}

fn counted(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits..)?.trim_ascii_start().strip_prefix(b"-> ")
}

fn said(text: &[u8]) -> Option<(bool, &str, &str)> {
    let (sent, [count, address, clock]) = match fields(text, "recv {} bytes from {} at {}:") {
        Some(found) => (false, found),
        None => (true, fields(text, "send {} bytes to {} at {}:")?),
    };
    count.parse::<u32>().ok()?;
    Some((sent, address, clock))
}

// `udp/[192.0.2.7]:5060`, `tls/[2001:db8::7]:5061/1234;comp=sigcomp`
fn remote(text: &str, sent: bool) -> LogHop {
    let (transport, address) = text.split_once('/').unwrap_or((text, ""));
    let address = address
        .split_once(';')
        .map_or(address, |(address, _)| address);
    let (host, port) = address.rsplit_once("]:").unwrap_or((address, ""));
    let port = port.split_once('/').map_or(port, |(port, _)| port);
    hop(None, of_parts(host, port), transport, sent)
}

fn envelope(line: &Line<'_>, _: &mut Opening) -> bool {
    is_dashes(unquoted(line.text))
}

fn is_dashes(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.len() > 60 && text.iter().all(|byte| *byte == b'-')
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    let from = margin(line, opening);
    let text = line.text.get(from..).unwrap_or_default();
    if is_dashes(text) {
        return Cut::End;
    }
    // FreeSWITCH puts a date or the identifier of a channel before its own lines only.
    if line.prefix.entry || line.prefix.dated || line.prefix.channel {
        return Cut::Foreign;
    }
    match numbered(text, opening) {
        Some(at) => Cut::Text(from + at),
        None => Cut::Text(from),
    }
}

/// Where an author numbered the lines, and the start line too.
fn numbered(text: &[u8], opening: &Opening) -> Option<usize> {
    let digits = |text: &[u8]| matches!(text, [b'0'..=b'9', b'0'..=b'9', b' ', ..]);
    (opening.margin.is_empty() && digits(text) && !text.starts_with(b"00 ")).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_with_and_without_ports() {
        let found = remote("tls/[2001:db8::7]:5061/99;comp=sigcomp", true);
        assert_eq!(found.destination, "[2001:db8::7]:5061".parse().ok());
        assert_eq!(found.transport, Some("tls"));
        assert_eq!(remote("udp/[192.0.2.7]", false).source, None);
        assert_eq!(remote("udp/[BW_SBC]:5060", false).transport, Some("udp"));
    }

    #[test]
    fn envelopes_stand_behind_dates_quotes_and_counters() {
        for text in [
            "recv 1 bytes from udp/[192.0.2.7]:5060 at 15:46:48.570890:",
            "// recv 1 bytes from udp/[192.0.2.7]:5060 at 15:46:48:",
            "1-> recv 1 bytes from udp/[192.0.2.7]:5060 at 15:46:48:",
            "2021-09-07 07:36:14.784843 recv 1 bytes from udp/[192.0.2.7]:5060 at 07:36:14.784706:",
        ] {
            let line = Line {
                prefix: super::super::prefix::of(text.as_bytes()),
                text: text.as_bytes(),
                end: b"\n",
            };
            let opening = recognise(&line).unwrap();
            assert_eq!(opening.hop.source, "192.0.2.7:5060".parse().ok(), "{text}");
            assert!(opening.stamp.is_some(), "{text}");
        }
        assert_eq!(said(b"recv a lot of bytes from x at y:"), None);
    }
}
