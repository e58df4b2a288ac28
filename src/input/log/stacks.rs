//! reSIProcate (Bria, repro), sipsorcery and Yate: one line with the remote address, or both.

use std::net::SocketAddr;

use memchr::memmem;

use super::address::{of_parts, socket_address, transport_name};
use super::clock::{Date, Stamp};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, margin, one_line};

/// `... | RESIP:TRANSPORT | ... | incoming from: [ V4 192.0.2.1:5060 UDP ... ]`,
/// `... Transmitting to [ V4 192.0.2.1:5060 UDP ... ] ... via [ V4 198.51.100.2:5060 UDP ... ]`
pub(super) static RESIPROCATE: Format = Format {
    name: "resiprocate",
    signs: Signs {
        word: "[ V",
        ..Signs::ANY
    },
    bare: true,
    recognise: resiprocate,
    envelope: one_line,
    cut: cut_resiprocate,
};

/// `Request sent: udp:192.0.2.1:5060->udp:198.51.100.2:5060`; a received one has `local<-remote`.
pub(super) static SIPSORCERY: Format = Format {
    name: "sipsorcery",
    signs: Signs {
        first: b"R[0123456789",
        word: "Re",
        ..Signs::ANY
    },
    bare: true,
    recognise: sipsorcery,
    envelope: one_line,
    cut: cut_sipsorcery,
};

/// `<sip:INFO> 'udp:0.0.0.0:5060' received 500 bytes SIP message from 192.0.2.1:5060 [0x55]`,
/// `<sip:INFO> 'udp:0.0.0.0:5060' sending 'INVITE' 0x55 to 192.0.2.1:5060 [0x55]`, then `------`
pub(super) static YATE: Format = Format {
    name: "yate",
    signs: Signs {
        word: "<sip:",
        ..Signs::ANY
    },
    bare: true,
    recognise: yate,
    envelope: |line, _| line.text.trim_ascii() == b"------",
    cut: |line, _| match line.text.trim_ascii() {
        b"------" => Cut::End,
        _ => Cut::Text(0),
    },
};

fn resiprocate(line: &Line<'_>) -> Option<Opening> {
    let bracket = memmem::find(line.text, b"[ V")?;
    let (before, after) = line.text.split_at(bracket);
    let before = before.trim_ascii_end();
    let sent = before.ends_with(b"ransmitting to");
    if !sent && !before.ends_with(b"incoming from:") {
        return None;
    }
    let (remote, transport) = tuple(after)?;
    let via = memmem::find(after, b" via [ V").and_then(|at| tuple(after.get(at + 5..)?));
    // A socket that is bound to any address says nothing.
    let local = via.and_then(|(local, _)| local);
    let local = local.filter(|local| !local.ip().is_unspecified() && local.port() != 0);
    let mut opening = Opening {
        stamp: line.prefix.stamp.or_else(|| resip_time(line.text)),
        ..Opening::default()
    };
    opening.hop.transport = transport;
    opening.hop.sent = Some(sent);
    (opening.hop.source, opening.hop.destination) = match sent {
        true => (local, remote),
        false => (remote, local),
    };
    Some(opening)
}

/// `[ V4 192.0.2.1:5060 UDP`, `[ V6 2001:db8::1 port=5060 UDP`
fn tuple(text: &[u8]) -> Option<(Option<SocketAddr>, Option<&'static str>)> {
    let end = memchr::memchr(b']', text).unwrap_or(text.len());
    let text = std::str::from_utf8(text.get(..end)?).ok()?;
    let mut words = text.split_ascii_whitespace().skip(2);
    let (address, next) = (words.next()?, words.next()?);
    Some(match next.strip_prefix("port=") {
        Some(port) => (
            of_parts(address, port),
            words.next().and_then(transport_name),
        ),
        None => (socket_address(address), transport_name(next)),
    })
}

/// `INFO | 20080318-055856.022 | repro | ...`, `2024-03-01 10:00:00.250 | INFO | ...`
fn resip_time(text: &[u8]) -> Option<Stamp> {
    let mut fields = text
        .split(|byte| *byte == b'|')
        .take(2)
        .map(<[u8]>::trim_ascii);
    fields.find_map(|field| stamp_in(field).or_else(|| compact(field)))
}

/// `20080318-055856.022`, and Yate's `20210523200757.808015`
fn compact(text: &[u8]) -> Option<Stamp> {
    let text = std::str::from_utf8(text.get(..text.len().min(26))?).ok()?;
    let (date, time) = (text.get(..8)?, text.get(8..)?);
    let time = time.strip_prefix('-').unwrap_or(time);
    let clock = format!("{}:{}:{}", time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    let stamp = stamp_in(clock.as_bytes())?;
    let (month, day) = (date.get(4..6)?.parse().ok()?, date.get(6..)?.parse().ok()?);
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
    valid.then_some(Stamp {
        date: Date::Full(date.get(..4)?.parse().ok()?, month, day),
        ..stamp
    })
}

fn cut_resiprocate(line: &Line<'_>, opening: &Opening) -> Cut {
    match memmem::find(line.text, b" | RESIP").is_some()
        || memmem::find(line.text, b"| repro |").is_some()
    {
        true => Cut::Foreign,
        false => Cut::Text(margin(line, opening)),
    }
}

fn sipsorcery(line: &Line<'_>) -> Option<Opening> {
    let at = match line.text.first()? {
        b'R' => 0,
        // A logger's level and time.
        b'[' | b'0'..=b'9' => memmem::find(line.text, b" Re")? + 1,
        _ => return None,
    };
    let text = line.text.get(at..)?;
    let rest = text
        .strip_prefix(b"Request ")
        .or_else(|| text.strip_prefix(b"Response "))?;
    let rest = std::str::from_utf8(rest).ok()?.trim_end();
    let (sent, ends) = match rest.strip_prefix("sent: ") {
        Some(ends) => (true, ends.split_once("->")?),
        None => (false, rest.strip_prefix("received: ")?.split_once("<-")?),
    };
    let (transport, local) = ends.0.split_once(':')?;
    let (_, remote) = ends.1.split_once(':')?;
    let (local, remote) = (socket_address(local), socket_address(remote));
    let mut opening = Opening {
        stamp: line.prefix.stamp.or_else(|| stamp_in(line.text)),
        ..Opening::default()
    };
    opening.hop.transport = transport_name(transport);
    opening.hop.sent = Some(sent);
    (opening.hop.source, opening.hop.destination) = match sent {
        true => (local, remote),
        false => (remote, local),
    };
    Some(opening)
}

fn cut_sipsorcery(line: &Line<'_>, opening: &Opening) -> Cut {
    match line.prefix.entry || line.text.starts_with(b"[") {
        true => Cut::Foreign,
        false => Cut::Text(margin(line, opening)),
    }
}

fn yate(line: &Line<'_>) -> Option<Opening> {
    let at = memmem::find(line.text, b"<sip:")?;
    if at > 40 {
        return None;
    }
    let (before, text) = line.text.split_at(at);
    let received = memmem::find(text, b" bytes SIP message from ");
    let (sent, remote) = match received {
        Some(at) => (false, text.get(at + 24..)?),
        None => {
            let sending =
                memmem::find(text, b" sending ").or_else(|| memmem::find(text, b" Sending "))?;
            let to = memmem::rfind(text, b" to ").filter(|to| *to > sending)?;
            (true, text.get(to + 4..)?)
        }
    };
    let remote = std::str::from_utf8(remote).ok()?;
    let remote = socket_address(remote.split(' ').next()?);
    let mut opening = Opening {
        stamp: compact(before).or(line.prefix.stamp),
        ..Opening::default()
    };
    opening.hop.sent = Some(sent);
    match sent {
        true => opening.hop.destination = remote,
        false => opening.hop.source = remote,
    }
    Some(opening)
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::cut;

    #[test]
    fn envelopes_of_all_stacks() {
        let ok = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
        let (remote, local) = (
            "192.0.2.1:5060".parse().ok(),
            "198.51.100.2:5060".parse().ok(),
        );
        for (head, format, sent, both, timed) in [
            (
                "DEBUG | 20240301-100000.250 | repro | RESIP:TRANSPORT | 7 | UdpTransport.cxx:1 | incoming from: [ V4 192.0.2.1:5060 UDP target domain=unspecified ]\n\n",
                "resiprocate",
                false,
                false,
                true,
            ),
            (
                "2024-03-01 10:00:00.250 | INFO |  RESIP:TRANSPORT | x | Transmitting to [ V4 192.0.2.1:5060 UDP ] tlsDomain= via [ V4 198.51.100.2:5060 UDP ]\n\n",
                "resiprocate",
                true,
                true,
                true,
            ),
            (
                "Response received: udp:198.51.100.2:5060<-udp:192.0.2.1:5060\n",
                "sipsorcery",
                false,
                true,
                false,
            ),
            (
                "Response sent: udp:198.51.100.2:5060->udp:192.0.2.1:5060\n",
                "sipsorcery",
                true,
                true,
                false,
            ),
            (
                "20240301100000.250000 <sip:INFO> 'udp:0.0.0.0:5060' received 46 bytes SIP message from 192.0.2.1:5060 [0x5]\r\n------\r\n",
                "yate",
                false,
                false,
                true,
            ),
            (
                "20240301100000.250000 <sip:INFO> 'udp:0.0.0.0:5060' sending code 200 0x5 to 192.0.2.1:5060 [0x5]\r\n------\r\n",
                "yate",
                true,
                false,
                true,
            ),
        ] {
            let (messages, summary) = cut(&format!("{head}{ok}\n------\nelse\n"));
            assert_eq!(
                (messages.len(), summary.format),
                (1, format!("log:{format}")),
                "{head}"
            );
            let message = &messages[0];
            assert_eq!(message.text, ok, "{head}");
            let ends = (message.hop.source, message.hop.destination);
            let local = if both { local } else { None };
            assert_eq!(
                ends,
                if sent {
                    (local, remote)
                } else {
                    (remote, local)
                },
                "{head}"
            );
            assert_eq!(
                message.time,
                timed.then_some(1_709_287_200_250_000_000),
                "{head}"
            );
        }
    }
}
