//! Twinkle's twinkle.log: an entry of several lines, the day first, ended by a ruler.

use super::address::{socket_address, transport_name};
use super::clock::{Date, Stamp};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs};

/// ```text
/// +++ 20-11-2026 23:37:34.392816 INFO SIP ::send_sip_udp
/// Send to: udp:192.0.2.1:5060
/// REGISTER ...
///
/// ---
/// ```
pub(super) static FORMAT: Format = Format {
    name: "twinkle",
    signs: Signs {
        first: b"+",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = line.text.strip_prefix(b"+++ ")?;
    let text = std::str::from_utf8(text).ok()?;
    let (date, time) = text.split_once(' ')?;
    let (_, what) = time.split_once(' ')?;
    if !what.contains(" SIP ") {
        return None;
    }
    Some(Opening {
        stamp: stamp(date, time),
        ..Opening::default()
    })
}

fn stamp(date: &str, time: &str) -> Option<Stamp> {
    let mut numbers = date.split('-').map(|number| number.parse::<u16>().ok());
    let (day, month, year) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let time = time.split(' ').next()?;
    let valid = (1..=31).contains(&day) && (1..=12).contains(&month);
    let stamp = stamp_in(time.as_bytes()).filter(|_| valid)?;
    Some(Stamp {
        date: Date::Full(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?),
        ..stamp
    })
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    let to = line.text.strip_prefix(b"Send to: ");
    let Some(remote) = to.or_else(|| line.text.strip_prefix(b"Received from: ")) else {
        return false;
    };
    opening.hop.sent = Some(to.is_some());
    let remote = std::str::from_utf8(remote).unwrap_or_default();
    let (transport, address) = remote.split_once(':').unwrap_or_default();
    opening.hop.transport = transport_name(transport);
    match to {
        Some(_) => opening.hop.destination = socket_address(address),
        None => opening.hop.source = socket_address(address),
    }
    true
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match line.text.trim_ascii() {
        b"---" => Cut::End,
        text if text.starts_with(b"+++ ") => Cut::End,
        _ => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::cut;

    #[test]
    fn an_entry_gives_time_and_remote_end() {
        let ok = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
        let text = format!(
            "+++ 01-03-2024 10:00:00.250000 INFO SIP ::process_sip_msg\nReceived from: udp:192.0.2.1:5060\n{ok}\n---\n\n\
             +++ 01-03-2024 10:00:00.251000 DEBUG NORMAL t_phone::x\nOut of dialog: x\n---\n"
        );
        let (messages, summary) = cut(&text);
        assert_eq!(
            (messages.len(), summary.format.as_str()),
            (1, "log:twinkle")
        );
        assert_eq!(messages[0].text, ok);
        assert_eq!(messages[0].time, Some(1_709_287_200_250_000_000));
        assert_eq!(messages[0].hop.source, "192.0.2.1:5060".parse().ok());
        assert_eq!(messages[0].hop.sent, Some(false));
    }
}
