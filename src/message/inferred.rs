//! What a log leaves out of a hop, taken from the message where it says so: the topmost Via names
//! the sender of a request and the receiver of its response (RFC 3261 §18.1.1, §18.2.2).

use super::stamp::Stamp;
use super::{Head, Message, params, start_line};
use crate::layers::Transport;
use std::net::{IpAddr, SocketAddr};

/// Which fields of a stamp were inferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inferred(u8);

impl Inferred {
    const SOURCE: u8 = 1;
    const DESTINATION: u8 = 2;
    const TRANSPORT: u8 = 4;

    /// Was the sender taken from the message?
    pub fn has_source(self) -> bool {
        self.0 & Inferred::SOURCE != 0
    }

    /// Was the receiver taken from the message?
    pub fn has_destination(self) -> bool {
        self.0 & Inferred::DESTINATION != 0
    }

    /// Their names.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (Inferred::SOURCE, "source"),
            (Inferred::DESTINATION, "destination"),
            (Inferred::TRANSPORT, "transport"),
        ];
        let these = all.iter().filter(|(bit, _)| self.0 & bit != 0);
        these.map(|(_, name)| *name).collect()
    }
}

/// Fills in what is missing and the message tells.
pub(super) fn complete(stamp: &mut Stamp, head: &Head, raw: &[u8]) {
    let whole = stamp.transport.is_some() && stamp.source.is_some() && stamp.destination.is_some();
    if whole {
        return;
    }
    let Some(via) = (Message { raw, head }).header("Via") else {
        return;
    };
    let via = via.value.of(raw);
    if stamp.transport.is_none() {
        stamp.transport = transport(via);
        stamp.inferred.0 |= if stamp.transport.is_some() {
            Inferred::TRANSPORT
        } else {
            0
        };
    }
    // Behind a NAT the sender knows itself by another address than the receiver sees.
    let own = match (head.is_request(), stamp.sent) {
        (true, sent) => sent == Some(true),
        (false, sent) => sent == Some(false),
    };
    let end = address(head, raw, via, own, stamp.transport);
    let (field, bit) = match head.is_request() {
        true => (&mut stamp.source, Inferred::SOURCE),
        false => (&mut stamp.destination, Inferred::DESTINATION),
    };
    if field.is_none() && end.is_some() {
        *field = end;
        stamp.inferred.0 |= bit;
    }
}

// `SIP/2.0/UDP host`
fn transport(via: &[u8]) -> Option<Transport> {
    let name = via
        .splitn(3, |byte| *byte == b'/')
        .nth(2)?
        .trim_ascii_start();
    let end = name
        .iter()
        .take_while(|b| start_line::is_token(**b))
        .count();
    Transport::of(std::str::from_utf8(name.get(..end)?).ok()?)
}

// The address in the topmost Via: as its sender wrote it, or as the receiver of the request saw it.
fn address(
    head: &Head,
    raw: &[u8],
    via: &[u8],
    own: bool,
    transport: Option<Transport>,
) -> Option<SocketAddr> {
    let first = via.split(|byte| *byte == b',').next().unwrap_or(via);
    let parameter = |name| {
        let span = params::value_after(first, 0, name).filter(|_| !own)?;
        std::str::from_utf8(span.of(first)).ok()
    };
    let sent_by = std::str::from_utf8(head.sent_by.of(raw)).ok()?;
    let (host, port) = match sent_by.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.trim().parse().ok()),
        _ => (sent_by, None),
    };
    let host = parameter("received").unwrap_or(host).trim();
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    let default = match transport {
        Some(Transport::Tls | Transport::Wss) => 5061,
        _ => 5060,
    };
    let rport = parameter("rport").and_then(|port| port.parse().ok());
    Some(SocketAddr::new(ip, rport.or(port).unwrap_or(default)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{LogHop, Origin};
    use crate::message::stamp::When;

    fn inferred(text: &str, sent: Option<bool>) -> (Option<String>, Option<String>, Vec<&str>) {
        let origin = Origin { input: 0, place: 1 };
        let hop = LogHop {
            sent,
            ..LogHop::default()
        };
        let mut stamp = Stamp::of_log(origin, 1, When::Unknown, hop);
        let head = Head::read(text.as_bytes()).unwrap();
        complete(&mut stamp, &head, text.as_bytes());
        let shown = |address: Option<SocketAddr>| address.map(|a| a.to_string());
        (
            shown(stamp.source),
            shown(stamp.destination),
            stamp.inferred.names(),
        )
    }

    #[test]
    fn the_topmost_via_names_the_sender_of_a_request_and_the_receiver_of_its_response() {
        let request = "BYE sip:a SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.2;branch=z9hG4bK1\r\n\r\n";
        let source = Some("10.0.0.2:5060".to_owned());
        assert_eq!(
            inferred(request, Some(true)),
            (source, None, vec!["source", "transport"])
        );
        let response = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5070;rport=1234;\
                        received=203.0.113.9;branch=z9hG4bK1, SIP/2.0/UDP 192.0.2.1\r\n\r\n";
        let seen = Some("203.0.113.9:1234".to_owned());
        let own = Some("10.0.0.2:5070".to_owned());
        let fields = vec!["destination", "transport"];
        assert_eq!(
            inferred(response, Some(true)),
            (None, seen.clone(), fields.clone())
        );
        assert_eq!(inferred(response, None), (None, seen, fields.clone()));
        assert_eq!(inferred(response, Some(false)), (None, own, fields));
    }

    #[test]
    fn a_name_is_no_address_and_nothing_is_guessed() {
        let named = "BYE sip:a@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/WSS x1.invalid\r\n\r\n";
        assert_eq!(inferred(named, None), (None, None, vec!["transport"]));
        assert_eq!(
            inferred("BYE sip:a SIP/2.0\r\n\r\n", None),
            (None, None, vec![])
        );
    }
}
