//! Addresses, ports and transports as logs write them.

use std::net::{IpAddr, SocketAddr};

use super::scan::Scan;
use crate::input::LogHop;

/// `192.0.2.1:5060`, `[2001:db8::1]:5060`, `2001:db8::1:5060`; none where a name or a redaction
/// stands in its place.
pub(super) fn socket_address(text: &str) -> Option<SocketAddr> {
    if let Some(address) = plain(text.as_bytes()) {
        return Some(address);
    }
    let (host, port) = text.trim().rsplit_once(':')?;
    of_parts(host, port)
}

/// The first of those, which is what most logs hold.
fn plain(text: &[u8]) -> Option<SocketAddr> {
    let mut scan = Scan { rest: text };
    let mut octets = [0; 4];
    for (n, octet) in octets.iter_mut().enumerate() {
        if n > 0 {
            scan.byte(b'.')?;
        }
        // A zero before other digits is not for everybody the same.
        if matches!(scan.rest, [b'0', b'0'..=b'9', ..]) {
            return None;
        }
        *octet = u8::try_from(scan.number(4)?).ok()?;
    }
    scan.byte(b':')?;
    let port = u16::try_from(scan.number(6)?).ok()?;
    scan.rest
        .is_empty()
        .then(|| SocketAddr::from((octets, port)))
}

/// The same, host and port apart.
pub(super) fn of_parts(host: &str, port: &str) -> Option<SocketAddr> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = host.split_once('%').map_or(host, |(host, _scope)| host);
    Some(SocketAddr::new(
        host.parse::<IpAddr>().ok()?,
        port.parse().ok()?,
    ))
}

/// The transport with this name, in any case.
pub(super) fn transport_name(text: &str) -> Option<&'static str> {
    const NAMES: [&str; 6] = ["udp", "tcp", "tls", "ws", "wss", "sctp"];
    NAMES
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(text))
}

/// The hop of a message between whoever wrote the log and the remote end.
pub(super) fn hop(
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    transport: &str,
    sent: bool,
) -> LogHop {
    let (source, destination) = if sent {
        (local, remote)
    } else {
        (remote, local)
    };
    LogHop {
        source,
        destination,
        transport: transport_name(transport.trim()),
        sent: Some(sent),
        ..LogHop::default()
    }
}
