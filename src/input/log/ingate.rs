//! Ingate and Intertex firewalls: each line of a message is a line of the syslog, indented.

use super::address::{hop, socket_address};
use super::pattern::fields;
use super::{Cut, Format, Line, Opening, Signs, margin, one_line};
use crate::input::LogHop;

/// `sipfw: recv from 192.0.2.7:5060 via 192.0.2.10:5060 UDP connection 3:`
pub(super) static FORMAT: Format = Format {
    name: "ingate",
    signs: Signs {
        first: b"sr",
        ..Signs::ANY
    },
    bare: false,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = unnamed(line.text);
    if !matches!(text.first(), Some(b's' | b'r')) {
        return None;
    }
    Some(Opening {
        hop: said(text)?,
        stamp: line.prefix.stamp,
        ..Opening::default()
    })
}

/// The text behind the name of the program, where the prefix of the syslog did not take it.
fn unnamed(text: &[u8]) -> &[u8] {
    let name = text.get(..8).unwrap_or_default();
    text.strip_prefix(b"sipfw: ")
        .filter(|_| name == b"sipfw: r" || name == b"sipfw: s")
        .unwrap_or(text)
}

fn said(text: &[u8]) -> Option<LogHop> {
    let (sent, [remote, local, transport, _]) =
        match fields(text, "recv from {} via {} {} connection {}") {
            Some(found) => (false, found),
            None => {
                let [_, remote, local, transport, number] =
                    fields(text, "send {} to {} via {} {} connection {}")?;
                (true, [remote, local, transport, number])
            }
        };
    Some(hop(
        socket_address(local),
        socket_address(remote),
        transport,
        sent,
    ))
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    let text = line.text.strip_prefix(b"sipfw: ").unwrap_or(line.text);
    let skipped = line.text.len() - text.len();
    let inner = Line {
        prefix: line.prefix,
        text,
        end: line.end,
    };
    let shared = margin(&inner, opening);
    match shared < opening.margin.len() && !text.trim_ascii().is_empty() {
        true => Cut::Foreign,
        false => Cut::Text(skipped + shared),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_name_both_ends() {
        let (local, remote) = (
            "192.0.2.10:5060".parse().ok(),
            "192.0.2.7:5060".parse().ok(),
        );
        let found =
            said(b"recv from 192.0.2.7:5060 via 192.0.2.10:5060 UDP connection 3:").unwrap();
        assert_eq!((found.source, found.destination), (remote, local));
        let found =
            said(b"send sf (0x81f2) to 192.0.2.7:5060 via 192.0.2.10:5060 TLS connection 3:")
                .unwrap();
        assert_eq!((found.destination, found.transport), (remote, Some("tls")));
    }
}
