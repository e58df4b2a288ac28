//! sngrep's "save as text" and its raw view (`capture_packet_info` of sngrep): time and both addresses,
//! the message, two empty lines. No transport.

use super::address::socket_address;
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line};
use crate::input::LogHop;

/// `2026/01/01 09:00:00.000000 192.0.2.10:5060 -> 198.51.100.20:5060`
pub(super) static FORMAT: Format = Format {
    name: "sngrep",
    signs: Signs::NUMBER,
    bare: true,
    recognise,
    envelope: one_line,
    cut: |_, _| Cut::Text(0),
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    if line.text.get(4) != Some(&b'/') || line.text.get(7) != Some(&b'/') {
        return None;
    }
    let text = std::str::from_utf8(line.text).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (_date, time) = (words.next()?, words.next()?);
    let (source, arrow, destination) = (words.next()?, words.next()?, words.next()?);
    if arrow != "->" || words.next().is_some() || !time.contains(':') {
        return None;
    }
    Some(Opening {
        hop: LogHop {
            source: socket_address(source),
            destination: socket_address(destination),
            transport: None,
            sent: None,
            ..LogHop::default()
        },
        stamp: Some(stamp_in(line.text)?),
        ..Opening::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_may_stand_for_an_address() {
        let opening = recognise(&Line {
            prefix: super::super::prefix::Prefix::default(),
            text: b"2026/01/01 09:00:00.000000 proxy:5060 -> [2001:db8::1]:5070",
            end: b"\n",
        });
        let opening = opening.unwrap();
        assert_eq!(opening.hop.source, None);
        assert_eq!(opening.hop.destination, "[2001:db8::1]:5070".parse().ok());
        assert!(opening.stamp.is_some());
    }
}
