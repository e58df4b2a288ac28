//! The text export of Homer: transport, time and both addresses, an empty line, the message.

use super::address::{socket_address, transport_name};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line};
use crate::input::LogHop;

/// `proto:UDP 2026-01-01T09:00:00.000000Z  192.0.2.10:5060 ---> 198.51.100.20:5060`
pub(super) static FORMAT: Format = Format {
    name: "homer",
    signs: Signs {
        first: b"p",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut: |_, _| Cut::Text(0),
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = std::str::from_utf8(line.text.strip_prefix(b"proto:")?).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (transport, time) = (words.next()?, words.next()?);
    let (source, arrow, destination) = (words.next()?, words.next()?, words.next()?);
    if arrow != "--->" {
        return None;
    }
    Some(Opening {
        hop: LogHop {
            source: socket_address(source),
            destination: socket_address(destination),
            transport: transport_name(transport),
            sent: None,
            ..LogHop::default()
        },
        stamp: stamp_in(time.as_bytes()),
        ..Opening::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_six_has_no_brackets() {
        let opening = recognise(&Line {
            prefix: super::super::prefix::Prefix::default(),
            text: b"proto:TLS 2026-01-01T09:00:00.5Z  2001:db8::1:5061 ---> 192.0.2.1:5061",
            end: b"\r\n",
        });
        let opening = opening.unwrap();
        assert_eq!(opening.hop.source, "[2001:db8::1]:5061".parse().ok());
        assert_eq!(opening.hop.transport, Some("tls"));
        assert_eq!(opening.stamp.unwrap().zone, Some(0));
    }
}
