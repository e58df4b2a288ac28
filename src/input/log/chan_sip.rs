//! Asterisk's `sip set debug on` (`chan_sip.c`): what was received between two arrows, what was sent
//! up to a line of dashes. No transport where it was sent, and no local address.

use super::address::{hop, socket_address};
use super::asterisk_pjsip::is_console_line;
use super::pattern::fields;
use super::{Cut, Format, Line, Opening, Signs, one_line};
use crate::input::LogHop;

/// ```text
/// <--- SIP read from UDP:192.0.2.7:5060 --->
/// INVITE ...
/// <------------->
/// --- (9 headers 0 lines) ---
/// Retransmitting #3 (NAT) to 192.0.2.7:5060:
/// ```
pub(super) static FORMAT: Format = Format {
    name: "asterisk-chan-sip",
    signs: Signs {
        first: b"<TR",
        last: b">:",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let hop = match line.text.first()? {
        b'<' => bracketed(line.text)?,
        b'T' | b'R' => sent(line.text, ":")?,
        _ => return None,
    };
    Some(Opening {
        hop,
        stamp: line.prefix.stamp,
        ..Opening::default()
    })
}

// A response, or what was received.
fn bracketed(text: &[u8]) -> Option<LogHop> {
    if let Some([from]) = fields(text, "<--- SIP read from {} --->") {
        // Old versions write no transport.
        let (transport, address) = match from.split_once(':') {
            Some((name, address)) if name.bytes().all(|b| b.is_ascii_uppercase()) => {
                (name, address)
            }
            _ => ("", from),
        };
        return Some(hop(None, socket_address(address), transport, false));
    }
    sent(text.strip_prefix(b"<--- ")?, " --->")
}

// `Reliably Transmitting (NAT) to 192.0.2.7:5060:`
fn sent(text: &[u8], end: &str) -> Option<LogHop> {
    let transmitting = text.strip_prefix(b"Reliably ").unwrap_or(text);
    let (repeat, way, to) = match fields(transmitting, "Transmitting ({}) to {}") {
        Some([way, to]) => (0, way, to),
        None => {
            let [number, way, to] = fields(text, "Retransmitting #{} ({}) to {}")?;
            (number.parse().unwrap_or(1), way, to)
        }
    };
    let address = to.strip_suffix(end)?;
    let hop = LogHop {
        repeat,
        ..hop(None, socket_address(address), "", true)
    };
    way.ends_with("NAT").then_some(hop)
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let text = line.text.trim_ascii_end();
    let ruler = text == b"---" || text.starts_with(b"<---") || text.starts_with(b"--- (");
    if ruler {
        return Cut::End;
    }
    if line.prefix.entry || is_console_line(line.text) {
        return Cut::Foreign;
    }
    Cut::Text(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_the_envelope() {
        let remote = "192.0.2.7:5062".parse().ok();
        for text in [
            "<--- SIP read from UDP:192.0.2.7:5062 --->",
            "<--- SIP read from 192.0.2.7:5062 --->",
        ] {
            let hop = bracketed(text.as_bytes()).unwrap();
            assert_eq!((hop.source, hop.sent), (remote, Some(false)), "{text}");
        }
        for text in [
            "<--- Transmitting (no NAT) to 192.0.2.7:5062 --->",
            "<--- Reliably Transmitting (NAT) to 192.0.2.7:5062 --->",
        ] {
            let hop = bracketed(text.as_bytes()).unwrap();
            assert_eq!((hop.destination, hop.sent), (remote, Some(true)), "{text}");
        }
        for text in [
            "Reliably Transmitting (NAT) to 192.0.2.7:5062:",
            "Retransmitting #3 (no NAT) to 192.0.2.7:5062:",
        ] {
            let hop = sent(text.as_bytes(), ":").unwrap();
            assert_eq!((hop.destination, hop.sent), (remote, Some(true)), "{text}");
            assert_eq!(hop.repeat, if text.contains('#') { 3 } else { 0 }, "{text}");
        }
        assert_eq!(sent(b"Transmitting to nobody:", ":"), None);
        assert_eq!(bracketed(b"<--- Received SIP request"), None);
    }
}
