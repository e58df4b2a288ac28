//! Wireshark's Follow Stream as tshark writes it (`-z follow`): the two ends, then what each sent, under
//! the number of its bytes. A tab before the number says that the second end sent them. No time.

use super::address::socket_address;
use super::{Cut, Format, Further, Line, Opening, Signs};
use crate::input::LogHop;

/// ```text
/// Follow: udp,ascii
/// Filter: udp.stream eq 0
/// Node 0: 192.0.2.10:5060
/// Node 1: 198.51.100.20:5060
/// 523
/// INVITE ...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "wireshark-follow",
    signs: Signs {
        first: b"F0123456789\t",
        ..Signs::ANY
    },
    bare: false,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let further = match line.text {
        [b'F', ..] => Further::No,
        [b'0'..=b'9', ..] if is_count(line.text) => Further::Stream { answer: false },
        [b'\t', count @ ..] if is_count(count) => Further::Stream { answer: true },
        _ => return None,
    };
    let mut hop = LogHop::default();
    if further == Further::No {
        let (transport, form) = split(line.text.strip_prefix(b"Follow: ")?)?;
        hop.transport = match transport {
            b"udp" => Some("udp"),
            b"tcp" => Some("tcp"),
            b"tls" => Some("tls"),
            b"websocket" => Some("ws"),
            _ => None,
        };
        if !form.starts_with(b"ascii") && !form.starts_with(b"utf-8") {
            return None;
        }
    }
    Some(Opening {
        hop,
        further,
        ..Opening::default()
    })
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let comma = memchr::memchr(b',', text)?;
    Some((text.get(..comma)?, text.get(comma + 1..)?))
}

fn is_count(text: &[u8]) -> bool {
    (1..=7).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    let Ok(text) = std::str::from_utf8(line.text) else {
        return false;
    };
    if let Some(source) = text.strip_prefix("Node 0: ") {
        opening.hop.source = socket_address(source);
        return true;
    }
    if let Some(destination) = text.strip_prefix("Node 1: ") {
        opening.hop.destination = socket_address(destination);
        return true;
    }
    text.starts_with("Filter: ")
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    // tshark ends what was sent at once with a line end of its own.
    let added = opening.crlf && line.text.is_empty() && line.end == b"\n";
    let rule = line.text.len() > 20 && line.text.iter().all(|byte| *byte == b'=');
    match line.text.strip_prefix(b"\t").unwrap_or(line.text) {
        _ if rule => Cut::End,
        text if added || is_count(text) => Cut::Beside,
        _ => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_say_who_sent() {
        let line = |text| Line {
            prefix: super::super::prefix::Prefix::default(),
            text,
            end: b"\n",
        };
        let further = |text| recognise(&line(text)).map(|opening| opening.further);
        assert_eq!(further(b"426"), Some(Further::Stream { answer: false }));
        assert_eq!(further(b"\t426"), Some(Further::Stream { answer: true }));
        assert_eq!(further(b"Follow: tcp,ascii"), Some(Further::No));
        for other in [
            &b"Follow: me"[..],
            b"Follow: tcp,hex",
            b"\t",
            b"4 2",
            b"12345678",
        ] {
            assert_eq!(further(other), None);
        }
    }
}
