//! The checksum of UDP (RFC 768; over IPv6 RFC 8200 §8.1): what a sender sent has one that fits.

use super::Flow;
use std::net::IpAddr;

const UDP: u64 = 17;

/// May the payload be what was sent with this checksum? Yes also where there is none, and where it is
/// that of the pseudo header alone: the network card of the recording host had still to add the rest.
pub fn may_fit(checksum: u16, flow: &Flow, payload: &[u8]) -> bool {
    if checksum == 0 {
        return true;
    }
    let length = payload.len() as u64 + 8;
    let pseudo = address(flow.source.ip()) + address(flow.destination.ip()) + UDP + length;
    let ports = u64::from(flow.source.port()) + u64::from(flow.destination.port());
    let whole = pseudo + ports + length + words(payload) + u64::from(checksum);
    folded(pseudo) == checksum || folded(whole) == u16::MAX
}

fn address(ip: IpAddr) -> u64 {
    match ip {
        IpAddr::V4(ip) => words(&ip.octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    }
}

fn words(bytes: &[u8]) -> u64 {
    let pairs = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        [high] => u16::from_be_bytes([*high, 0]),
        _ => 0,
    });
    pairs.map(u64::from).sum()
}

// Sums of 16 bits with the carry added at the end.
fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Transport;

    #[test]
    fn changed_bytes_are_told_and_what_offload_leaves_is_not_held_against_anyone() {
        let end = |text: &str| text.parse().unwrap();
        let flow = Flow {
            source: end("192.0.2.10:5060"),
            destination: end("198.51.100.20:5060"),
            transport: Transport::Udp,
        };
        let payload = b"SIP/2.0 200 OK\r\n\r\n!";
        let (whole, partial) = (0xf966, 0xec7e);
        assert!(may_fit(whole, &flow, payload));
        assert!(may_fit(partial, &flow, payload));
        assert!(may_fit(0, &flow, payload));
        assert!(!may_fit(whole, &flow, b"SIP/2.0 200 OK\r\n\r\n?"));
        assert!(!may_fit(whole ^ 1, &flow, payload));
        let six = Flow {
            source: end("[2001:db8::10]:5060"),
            ..flow
        };
        assert!(!may_fit(whole, &six, payload));
    }
}
