//! Asterisk's `pjsip set logger on` (`res_pjsip_logger.c`): an envelope line, the message, no terminator.
//!
//! Only the remote address is written, and no time but that of the logger's prefix.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::address::{socket_address, transport_name};
use super::scan::Scan;
use super::{Cut, Format, Line, Opening, Signs, one_line};
use crate::input::LogHop;

/// `<--- Received SIP request (686 bytes) from UDP:192.0.2.1:5060 --->`
pub(super) static FORMAT: Format = Format {
    name: "asterisk-pjsip",
    signs: Signs {
        last: b">",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    Some(Opening {
        hop: hop(line.text)?,
        stamp: line.prefix.stamp,
        ..Opening::default()
    })
}

fn hop(text: &[u8]) -> Option<LogHop> {
    let text = text.trim_ascii().strip_prefix(b"<--- ")?;
    let mut scan = Scan {
        rest: text.strip_suffix(b" --->")?,
    };
    let received = scan.literal(b"Received SIP ");
    received.or_else(|| scan.literal(b"Transmitting SIP "))?;
    scan.literal(b"request (")
        .or_else(|| scan.literal(b"response ("))?;
    scan.number(19)?;
    scan.literal(b" bytes) ")?;
    scan.literal(if received.is_some() { b"from " } else { b"to " })?;
    let (transport, address) = std::str::from_utf8(scan.rest).ok()?.split_once(':')?;
    let remote = socket_address(address);
    Some(LogHop {
        source: remote.filter(|_| received.is_some()),
        destination: remote.filter(|_| received.is_none()),
        transport: transport_name(transport),
        sent: Some(received.is_none()),
        ..LogHop::default()
    })
}

fn cut(line: &Line<'_>, _opening: &Opening) -> Cut {
    if line.text.starts_with(b"<---") {
        return Cut::End;
    }
    if line.prefix.entry || is_console_line(line.text) {
        return Cut::Foreign;
    }
    Cut::Text(0)
}

static PROMPT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"*CLI>"));

/// Verbose lines and the prompt of the Asterisk console.
pub(super) fn is_console_line(text: &[u8]) -> bool {
    let bare = text.trim_ascii_start();
    let indented = bare.len() < text.len();
    let verbose = [&b"-- "[..], b"== ", b"> 0x"]
        .iter()
        .any(|mark| bare.starts_with(mark));
    (indented && verbose) || PROMPT.find(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn an_envelope_gives_the_remote_end_of_the_hop() {
        let received =
            hop(b"<--- Received SIP request (12 bytes) from UDP:[2001:db8::7]:5070 --->");
        let remote: SocketAddr = "[2001:db8::7]:5070".parse().unwrap();
        assert_eq!(
            received,
            Some(LogHop {
                source: Some(remote),
                destination: None,
                transport: Some("udp"),
                sent: Some(false),
                ..LogHop::default()
            })
        );
        let sent = hop(b"<--- Transmitting SIP response (9 bytes) to WSS:XX.XX.XX.1:80 --->");
        assert_eq!(
            sent,
            Some(LogHop {
                source: None,
                destination: None,
                transport: Some("wss"),
                sent: Some(true),
                ..LogHop::default()
            })
        );
        assert_eq!(hop(b"<--- SIP read from UDP:192.0.2.1:5060 --->"), None);
    }
}
