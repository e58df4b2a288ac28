//! One file per tunnel; where it is announced, name and decoder stand together in its `TUNNEL`.
//!
//! A port alone proves nothing: a tunnel over UDP says by its `fits` whether a payload on its
//! port is its own, and what does not fit stays a datagram.

mod capwap;
mod cisco_metadata;
mod e_tag;
mod erspan;
mod esp;
mod esp_in_udp;
mod ether_ip;
mod geneve;
mod gre;
mod gtp_u;
mod ip_in_ip;
mod l2tp;
mod l2tp_v3;
mod macsec;
mod mpls;
mod mpls_in_udp;
mod nsh;
mod plausible;
mod pppoe_session;
mod provider_backbone;
mod six_in_four;
mod teredo;
mod tzsp;
mod vn_tag;
mod vxlan;
mod vxlan_gpe;

use super::inner::Inner;
use super::link::{ethernet, ppp};
use super::{Packet, Refusal, be16};

/// Every tunnel that is read. A new file needs its `mod` line above too.
static TUNNELS: &[&Tunnel] = &[
    &ip_in_ip::TUNNEL,
    &six_in_four::TUNNEL,
    &gre::TUNNEL,
    &esp::TUNNEL,
    &ether_ip::TUNNEL,
    &l2tp_v3::TUNNEL,
    &mpls::TUNNEL,
    &pppoe_session::TUNNEL,
    &vn_tag::TUNNEL,
    &e_tag::TUNNEL,
    &cisco_metadata::TUNNEL,
    &provider_backbone::TUNNEL,
    &nsh::TUNNEL,
    &macsec::TUNNEL,
    &vxlan::TUNNEL,
    &vxlan_gpe::TUNNEL,
    &geneve::TUNNEL,
    &gtp_u::TUNNEL,
    &l2tp::TUNNEL,
    &esp_in_udp::TUNNEL,
    &tzsp::TUNNEL,
    &mpls_in_udp::TUNNEL,
    &teredo::TUNNEL,
    &capwap::TUNNEL,
];

/// A tunnel: everything about it.
pub(super) struct Tunnel {
    /// Where it is announced.
    by: &'static [By],
    /// As a user would call it.
    pub(super) name: &'static str,
    /// Whether a UDP payload on its port is this tunnel; not asked where an IP protocol or an
    /// EtherType announces it.
    fits: fn(&Packet<'_>) -> bool,
    /// Reads the tunnel header.
    pub(super) decode: fn(Packet<'_>) -> Result<Inner<'_>, Refusal>,
}

/// What announces a tunnel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    IpProtocol(u8),
    EtherType(u16),
    /// At either end.
    UdpPort(u16),
}

/// `fits` of a tunnel that is not announced by a port.
fn by_number_alone(_: &Packet<'_>) -> bool {
    false
}

fn find(by: By) -> Option<&'static Tunnel> {
    TUNNELS.iter().copied().find(|it| it.by.contains(&by))
}

pub(super) fn by_ip_protocol(protocol: u8) -> Option<&'static Tunnel> {
    find(By::IpProtocol(protocol))
}

pub(super) fn by_ether_type(ether_type: u16) -> Option<&'static Tunnel> {
    find(By::EtherType(ether_type))
}

/// Bit n is set if a tunnel has a port that is n modulo 64: the quick check for the many
/// datagrams that are on no such port.
const PORTS: u64 = ports();

const fn ports() -> u64 {
    let (mut bits, mut index) = (0, 0);
    while index < TUNNELS.len() {
        let mut nth = 0;
        while nth < TUNNELS[index].by.len() {
            if let By::UdpPort(port) = TUNNELS[index].by[nth] {
                bits |= 1 << (port % 64);
            }
            nth += 1;
        }
        index += 1;
    }
    bits
}

/// May a datagram between these ports be a tunnel?
#[inline]
pub(super) fn may_be((source, destination): (u16, u16)) -> bool {
    ((PORTS >> (source % 64)) | (PORTS >> (destination % 64))) & 1 != 0
}

/// The tunnel that a UDP payload is.
pub(super) fn by_udp_port(
    (source, destination): (u16, u16),
    packet: &Packet<'_>,
) -> Option<&'static Tunnel> {
    if is_text(packet.bytes) {
        return None;
    }
    let on = |tunnel: &Tunnel, port| tunnel.by.contains(&By::UdpPort(port));
    let here = |tunnel: &&Tunnel| on(tunnel, destination) || on(tunnel, source);
    let candidates = TUNNELS.iter().copied().filter(here);
    candidates.into_iter().find(|it| (it.fits)(packet))
}

/// Begins as text does. No tunnel header does, and so no message is lost to one.
fn is_text(bytes: &[u8]) -> bool {
    let start = bytes.get(..8).unwrap_or(bytes);
    start
        .iter()
        .all(|it| matches!(it, b'\r' | b'\n' | b'\t' | b' '..=b'~'))
}

const BRIDGED: u16 = 0x6558;
const PPP: u16 = 0x880b;

/// What the protocol type of GRE or GENEVE says: an EtherType, a whole frame or PPP.
fn past_protocol_type(protocol_type: u16, packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    match protocol_type {
        BRIDGED => ethernet::decode(packet),
        PPP => ppp::decode(packet),
        ether_type => Ok(Inner::Network {
            ether_type,
            payload: packet.bytes,
        }),
    }
}

/// The packet behind a tag of so many bytes, which ends in an EtherType.
fn past_tag<'a>(
    packet: Packet<'a>,
    name: &'static str,
    length: usize,
) -> Result<Inner<'a>, Refusal> {
    let inside = packet.past(name, length + 2)?;
    Ok(Inner::Network {
        ether_type: be16(packet.bytes, length).unwrap_or(0),
        payload: inside.bytes,
    })
}

impl<'a> Packet<'a> {
    /// The packet behind the first `length` bytes, the header of a tunnel.
    fn past(self, header: &'static str, length: usize) -> Result<Packet<'a>, Refusal> {
        match self.bytes.get(length..) {
            Some(rest) => Ok(self.with(rest)),
            None => Err(self.too_short("broken-tunnel", header, length)),
        }
    }
}

#[cfg(test)]
mod tests;
