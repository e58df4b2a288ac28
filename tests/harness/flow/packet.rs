//! Bytes of packets and captures.

use std::net::{IpAddr, SocketAddr};

/// The Internet checksum (RFC 1071).
fn checksum(data: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in data.chunks(2) {
        sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low));
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// An IP packet.
pub(super) fn ip(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    ident: u16,
    payload: &[u8],
) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut packet = Vec::new();
    if source.is_ipv6() {
        packet.extend([0x60, 0, 0, 0]);
        packet.extend(length.to_be_bytes());
        packet.extend([protocol, 64]);
        packet.extend(octets(source));
        packet.extend(octets(destination));
    } else {
        packet.extend([0x45, 0]);
        packet.extend((length + 20).to_be_bytes());
        packet.extend(ident.to_be_bytes());
        packet.extend([0x40, 0, 64, protocol, 0, 0]);
        packet.extend(octets(source));
        packet.extend(octets(destination));
        let sum = checksum(&packet);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    packet.extend(payload);
    packet
}

fn with_sum(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    mut segment: Vec<u8>,
    at: usize,
) -> Vec<u8> {
    let mut pseudo = octets(source);
    pseudo.extend(octets(destination));
    pseudo.extend([0, protocol]);
    pseudo.extend(u16::try_from(segment.len()).unwrap().to_be_bytes());
    pseudo.extend(&segment);
    let sum = checksum(&pseudo).to_be_bytes();
    segment[at..at + 2].copy_from_slice(&sum);
    segment
}

/// A UDP datagram.
pub(super) fn udp(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(source.port().to_be_bytes());
    datagram.extend(destination.port().to_be_bytes());
    datagram.extend(u16::try_from(payload.len() + 8).unwrap().to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    with_sum(source.ip(), destination.ip(), 17, datagram, 6)
}

/// Flags of TCP (RFC 9293 §3.1).
pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const PUSH: u8 = 8;
pub(super) const ACK: u8 = 16;

/// A TCP segment.
pub(super) fn tcp(
    source: SocketAddr,
    destination: SocketAddr,
    numbers: (u32, u32),
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(source.port().to_be_bytes());
    segment.extend(destination.port().to_be_bytes());
    segment.extend(numbers.0.to_be_bytes());
    segment.extend(if flags & ACK != 0 { numbers.1 } else { 0 }.to_be_bytes());
    segment.extend([0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
    segment.extend(payload);
    with_sum(source.ip(), destination.ip(), 6, segment, 16)
}

/// An ICMP error (version 4 or 6) that quotes a packet; `mtu` where the packet was too big.
pub(super) fn icmp(kind: &str, from: IpAddr, to: IpAddr, mtu: u16, quoted: &[u8]) -> (u8, Vec<u8>) {
    let six = from.is_ipv6();
    let (kind, code) = match (kind, six) {
        ("net-unreachable", false) => (3, 0),
        ("host-unreachable", false) => (3, 1),
        ("port-unreachable", false) => (3, 3),
        ("too-big", false) => (3, 4),
        ("prohibited", false) => (3, 13),
        ("ttl-exceeded", false) => (11, 0),
        ("reassembly-exceeded", false) => (11, 1),
        ("net-unreachable", true) => (1, 0),
        ("prohibited", true) => (1, 1),
        ("host-unreachable", true) => (1, 3),
        ("port-unreachable", true) => (1, 4),
        ("too-big", true) => (2, 0),
        (other, _) => panic!("no such ICMP error: {other}"),
    };
    let mut error = vec![kind, code, 0, 0, 0, 0];
    error.extend(mtu.to_be_bytes());
    error.extend(&quoted[..quoted.len().min(if six { 1200 } else { 548 })]);
    if six {
        return (58, with_sum(from, to, 58, error, 2));
    }
    let sum = checksum(&error);
    error[2..4].copy_from_slice(&sum.to_be_bytes());
    (1, error)
}

/// A capture in the making: Ethernet, times in microseconds.
pub(super) struct Capture {
    packets: Vec<(u64, Vec<u8>, usize)>,
}

/// 2026-01-01T09:00:00Z, in microseconds.
const START: u64 = 1_767_258_000_000_000;

impl Capture {
    pub(super) fn new() -> Capture {
        Capture {
            packets: Vec::new(),
        }
    }

    /// Adds an IP packet, `at` microseconds after the start, of which `cut` bytes are captured.
    pub(super) fn ip(&mut self, at: u64, packet: &[u8], cut: Option<usize>) {
        let version = packet[0] >> 4;
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        frame.extend(if version == 6 {
            [0x86, 0xDD]
        } else {
            [0x08, 0x00]
        });
        frame.extend(packet);
        let kept = cut.unwrap_or(frame.len()).min(frame.len());
        self.packets.push((START + at, frame, kept));
    }

    /// Changes bytes of the last packet and leaves its checksum as it is.
    pub(super) fn damage(&mut self, old: &str, new: &str) {
        assert_eq!(old.len(), new.len(), "damage keeps the length");
        let (_, frame, _) = self.packets.last_mut().unwrap();
        let found = frame.windows(old.len()).position(|at| at == old.as_bytes());
        let at = found.unwrap_or_else(|| panic!("nothing to damage: {old}"));
        frame[at..at + old.len()].copy_from_slice(new.as_bytes());
    }

    /// Adds a frame that holds no IP: time goes on.
    pub(super) fn tick(&mut self, at: u64) {
        let mut frame = vec![0xFF; 6];
        frame.extend([2, 0, 0, 0, 0, 1, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
        frame.resize(42, 0);
        let kept = frame.len();
        self.packets.push((START + at, frame, kept));
    }

    /// The file.
    pub(super) fn pcap(mut self) -> Vec<u8> {
        self.packets.sort_by_key(|(at, _, _)| *at);
        let mut file = Vec::new();
        file.extend(0xA1B2_C3D4u32.to_le_bytes());
        file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file.extend(262_144u32.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        for (at, frame, kept) in self.packets {
            let word = |number: u64| u32::try_from(number).unwrap().to_le_bytes();
            file.extend(word(at / 1_000_000));
            file.extend(word(at % 1_000_000));
            file.extend(word(kept as u64));
            file.extend(word(frame.len() as u64));
            file.extend(&frame[..kept]);
        }
        file
    }
}
