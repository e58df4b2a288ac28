//! `sipsak -vvv`: the request as it was prepared, the request again as it is sent, where to, and what
//! was received from where.

use super::address::{socket_address, transport_name};
use super::{Cut, Format, Line, Opening, Signs};

/// ```text
/// request:
/// OPTIONS ...
///
/// send to: UDP:192.0.2.1:5060
///
/// message received
/// received from: UDP:192.0.2.1:5060
/// SIP/2.0 ...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "sipsak",
    signs: Signs {
        first: b"rNm*",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let mut opening = Opening::default();
    match line.text {
        b"request:" => opening.hop.sent = Some(true),
        // What follows is printed again when it is sent.
        b"New message with Via-Line:" => opening.prepared = true,
        // A summary: what was received, told again.
        text if text.starts_with(b"** reply received") => opening.prepared = true,
        b"message received" => opening.hop.sent = Some(false),
        text => {
            let from = text.strip_prefix(b"received from: ")?;
            opening.hop.sent = Some(false);
            (opening.hop.transport, opening.hop.source) = remote(from)?;
        }
    }
    Some(opening)
}

fn envelope(_: &Line<'_>, _: &mut Opening) -> bool {
    false
}

fn remote(text: &[u8]) -> Option<(Option<&'static str>, Option<std::net::SocketAddr>)> {
    let (transport, address) = std::str::from_utf8(text).ok()?.split_once(':')?;
    Some((transport_name(transport), socket_address(address)))
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    if let Some(to) = line.text.strip_prefix(b"send to: ") {
        let mut hop = opening.hop;
        if let Some(remote) = remote(to) {
            (hop.transport, hop.destination) = remote;
        }
        return Cut::EndOf(hop);
    }
    if line.text.starts_with(b"** ") {
        return Cut::End;
    }
    Cut::Text(0)
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::cut;

    #[test]
    fn the_request_is_read_once_and_with_where_it_went() {
        let request = "OPTIONS sip:b@192.0.2.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n";
        let text = format!(
            "New message with Via-Line:\n{request}\n\nrequest:\n{request}\nsend to: UDP:192.0.2.1:5060\n\n\
             message received\nreceived from: UDP:192.0.2.1:5060\nSIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n\n\
             ** reply received after 17.034 ms **\n   SIP/2.0 200 OK\n   final received\n"
        );
        let (messages, _) = cut(&text);
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0].text, request);
        assert_eq!(messages[0].hop.destination, "192.0.2.1:5060".parse().ok());
        assert_eq!(messages[1].hop.source, "192.0.2.1:5060".parse().ok());
    }
}
