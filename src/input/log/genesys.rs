//! Genesys SIP Server: a line with time, transport, size and the remote end, then the message.

use super::address::{hop, socket_address};
use super::pattern::fields;
use super::prefix::{after_stamp, stamp_in};
use super::{Cut, Format, Line, Opening, Signs, one_line};
use crate::input::LogHop;

/// `13:39:18.897: SIPTR: Received [0,UDP] 502 bytes from 192.0.2.7:5060 <<<<<`
pub(super) static FORMAT: Format = Format {
    name: "genesys",
    signs: Signs {
        last: b"<>",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = line.text.trim_ascii_end();
    if !(text.ends_with(b"<<<<<") || text.ends_with(b">>>>>")) {
        return None;
    }
    let rest = after_stamp(text)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii();
    Some(Opening {
        hop: said(rest.strip_prefix(b"SIPTR: ").unwrap_or(rest))?,
        stamp: stamp_in(text),
        ..Opening::default()
    })
}

fn said(text: &[u8]) -> Option<LogHop> {
    let (sent, [_, transport, _, remote]) =
        match fields(text, "Received [{},{}] {} bytes from {} <<<<<") {
            Some(found) => (false, found),
            None => {
                let text = text.strip_prefix(b"Sending")?.trim_ascii_start();
                (true, fields(text, "[{},{}] {} bytes to {} >>>>>")?)
            }
        };
    Some(hop(None, socket_address(remote), transport, sent))
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let text = line.text.trim_ascii_end();
    if text.len() > 2 && text.iter().all(|byte| *byte == b'-') {
        return Cut::End;
    }
    let clock = matches!(text, [b'0'..=b'2', b'0'..=b'9', b':', ..]) && after_stamp(text).is_some();
    match clock || line.prefix.dated {
        true => Cut::Foreign,
        false => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions() {
        let remote = "192.0.2.7:5060".parse().ok();
        let received = said(b"Received [0,UDP] 502 bytes from 192.0.2.7:5060 <<<<<").unwrap();
        assert_eq!((received.source, received.transport), (remote, Some("udp")));
        let sent = said(b"Sending  [0,TLS] 462 bytes to 192.0.2.7:5060 >>>>>").unwrap();
        assert_eq!((sent.destination, sent.sent), (remote, Some(true)));
    }
}
