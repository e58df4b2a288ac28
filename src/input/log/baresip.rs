//! baresip's SIP trace (`-s`): both addresses and the transport; the time only in newer versions, and
//! there the direction too.

use super::address::{socket_address, transport_name};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs};
use crate::input::LogHop;

/// ```text
/// 09:00:00.000#
/// UDP 192.0.2.1:5060 -> 198.51.100.2:5060
/// ```
pub(super) static FORMAT: Format = Format {
    name: "baresip",
    signs: Signs::ANY,
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    if let Some(hop) = hop(line.text) {
        return Some(Opening {
            hop,
            stamp: line.prefix.stamp,
            ..Opening::default()
        });
    }
    let text = line.text.trim_ascii_end();
    let (time, sent) = match text {
        [time @ .., b'|', b'T', b'X'] => (time, Some(true)),
        [time @ .., b'|', b'R', b'X'] => (time, Some(false)),
        [time @ .., b'#'] => (time, None),
        _ => return None,
    };
    if !(8..=26).contains(&time.len()) {
        return None;
    }
    let mut opening = Opening {
        stamp: Some(stamp_in(time)?),
        ..Opening::default()
    };
    opening.hop.sent = sent;
    Some(opening)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    let Some(hop) = hop(line.text) else {
        return false;
    };
    let sent = opening.hop.sent;
    opening.hop = LogHop { sent, ..hop };
    true
}

fn hop(text: &[u8]) -> Option<LogHop> {
    if !matches!(text.first(), Some(b'U' | b'T' | b'W')) {
        return None;
    }
    let text = std::str::from_utf8(text.get(..text.len().min(200))?).ok()?;
    let (transport, ends) = text.trim_end().split_once(' ')?;
    let transport = transport_name(transport)?;
    let (source, destination) = ends.split_once(" -> ")?;
    Some(LogHop {
        source: socket_address(source),
        destination: socket_address(destination),
        transport: Some(transport),
        sent: None,
        ..LogHop::default()
    })
}

fn cut(_: &Line<'_>, _: &Opening) -> Cut {
    Cut::Text(0)
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::cut;

    #[test]
    fn old_and_new_traces() {
        let ok = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
        for (head, time, sent) in [
            ("\x1b[36;1m#\n", None, None),
            ("\x1b[36;1m01:00:00.500#\n", Some(3_600_500_000_000), None),
            (
                "\x1b[36;1m01:00:00.500|TX\n",
                Some(3_600_500_000_000),
                Some(true),
            ),
        ] {
            let text =
                format!("{head}TLS 192.0.2.1:5060 -> [2001:db8::1]:5061\n{ok}\x1b[;m\nua: stop\n");
            let (messages, summary) = cut(&text);
            assert_eq!(summary.format, "log:baresip");
            assert_eq!(
                (messages[0].text.as_str(), messages[0].time_of_day),
                (ok, time)
            );
            assert_eq!(
                (messages[0].hop.sent, messages[0].hop.transport),
                (sent, Some("tls"))
            );
            assert_eq!(
                messages[0].hop.destination,
                "[2001:db8::1]:5061".parse().ok()
            );
        }
    }
}
