//! The SIP trace of Blink and all of SIP SIMPLE client (`sip_trace.txt`): both addresses, the
//! transport, the direction and the time.

use super::address::{socket_address, transport_name};
use super::{Cut, Format, Line, Opening, Signs};

/// ```text
/// 2020-02-17 22:39:44.956646 [blink 7700]: SENDING: Packet 170, +0:00:17.414861
/// 192.0.2.1:5060 -(SIP over TLS)-> 198.51.100.2:443
/// INVITE ...
/// --
/// ```
pub(super) static FORMAT: Format = Format {
    name: "blink",
    signs: Signs {
        first: b"SR",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let sent = line.text.starts_with(b"SENDING: Packet ");
    if !sent && !line.text.starts_with(b"RECEIVED: Packet ") {
        return None;
    }
    let mut opening = Opening {
        stamp: line.prefix.stamp,
        prefix: line.prefix.len,
        ..Opening::default()
    };
    opening.hop.sent = Some(sent);
    Some(opening)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    let text = std::str::from_utf8(line.text).unwrap_or_default();
    let Some((source, rest)) = text.split_once(" -(SIP over ") else {
        return false;
    };
    let Some((transport, destination)) = rest.split_once(")-> ") else {
        return false;
    };
    opening.hop.source = socket_address(source);
    opening.hop.destination = socket_address(destination);
    opening.hop.transport = transport_name(transport);
    true
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    if line.text.trim_ascii_end() == b"--" {
        return Cut::End;
    }
    // Other entries have the prefix that this one has.
    match line.prefix.len >= opening.prefix && opening.prefix > 0 {
        true => Cut::Foreign,
        false => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::cut;

    #[test]
    fn a_packet_gives_the_whole_hop() {
        let ok = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
        let entry = "2024-03-01 10:00:00.250000 [blink 7]: DNS lookup A x. succeeded\r\n";
        let text = format!(
            "2024-03-01 10:00:00.250000 [blink 7]: RECEIVED: Packet 3, +0:00:01.0\n\
             192.0.2.1:443 -(SIP over TLS)-> 198.51.100.2:4444\n{}\n--\n",
            ok.replace("Content", &format!("{entry}Content"))
        );
        let (messages, summary) = cut(&text);
        assert_eq!(summary.format, "log:blink");
        let message = &messages[0];
        assert_eq!(
            (message.text.as_str(), message.time),
            (ok, Some(1_709_287_200_250_000_000))
        );
        assert_eq!(message.hop.destination, "198.51.100.2:4444".parse().ok());
        assert_eq!(
            (message.hop.transport, message.hop.sent),
            (Some("tls"), Some(false))
        );
    }
}
