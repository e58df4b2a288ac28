//! Messages to packets: addresses, TCP segments, ICMP, RTP.

use super::line::Line;
use super::packet;
use super::script::{Script, flag, setting};
use std::net::SocketAddr;

impl Script {
    pub(super) fn icmp(&mut self, line: &Line) {
        let back = (
            line.to.clone(),
            line.words.get(1).unwrap_or(&line.from).clone(),
        );
        let quoted = self
            .last
            .get(&back)
            .unwrap_or_else(|| panic!("nothing to quote: {line:?}"))
            .clone();
        let (from, to) = (self.party(&line.from).at.ip(), self.party(&line.to).at.ip());
        let mtu = line.words.get(2).map_or(0, |mtu| mtu.parse().unwrap());
        let (protocol, error) = packet::icmp(&line.words[0], from, to, mtu, &quoted);
        let packet = packet::ip(from, to, protocol, 0, &error);
        self.capture.ip(line.at, &packet, None);
    }

    // `2.0 alice > bob rtp 500 | pt=0 | sport=40000 | dport=50000 | ssrc=1 | every=20`
    pub(super) fn rtp(&mut self, line: &Line) {
        let set =
            |name: &str, or: u32| setting(line, name).map_or(or, |value| value.parse().unwrap());
        let (mut source, mut destination) = (self.party(&line.from).at, self.party(&line.to).at);
        source.set_port(u16::try_from(set("sport", 40000)).unwrap());
        destination.set_port(u16::try_from(set("dport", 40000)).unwrap());
        if let Some(ip) = setting(line, "dip") {
            destination.set_ip(ip.parse().unwrap());
        }
        let (every, ssrc, payload) = (
            set("every", 20),
            set("ssrc", u32::from(source.port())),
            set("pt", 0),
        );
        let first = set("seq", 1000);
        for number in 0..line
            .words
            .first()
            .map_or(50, |count| count.parse::<u32>().unwrap())
        {
            let mut bytes = vec![0x80, u8::try_from(payload).unwrap()];
            bytes.extend(
                u16::try_from((first + number) & 0xFFFF)
                    .unwrap()
                    .to_be_bytes(),
            );
            bytes.extend((number * every * 8).to_be_bytes());
            bytes.extend(ssrc.to_be_bytes());
            bytes.extend([0xD5; 160]);
            let packet = self.udp(source, destination, &bytes);
            self.capture
                .ip(line.at + u64::from(number * every) * 1000, &packet, None);
        }
    }

    pub(super) fn udp(
        &mut self,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) -> Vec<u8> {
        self.ident = self.ident.wrapping_add(1).max(1);
        packet::ip(
            source.ip(),
            destination.ip(),
            17,
            self.ident,
            &packet::udp(source, destination, bytes),
        )
    }

    pub(super) fn ends(&self, line: &Line) -> (SocketAddr, SocketAddr) {
        let (mut source, mut destination) = (self.party(&line.from).at, self.party(&line.to).at);
        if let Some(port) = setting(line, "sport") {
            source.set_port(port.parse().unwrap());
        }
        if let Some(port) = setting(line, "dport") {
            destination.set_port(port.parse().unwrap());
        }
        if let Some(ip) = setting(line, "sip") {
            source.set_ip(ip.parse().unwrap());
        }
        if let Some(ip) = setting(line, "dip") {
            destination.set_ip(ip.parse().unwrap());
        }
        (source, destination)
    }

    pub(super) fn send(&mut self, line: &Line, bytes: &[u8]) {
        let (source, destination) = self.ends(line);
        let tcp = self.party(&line.from).tcp && self.party(&line.to).tcp || flag(line, "tcp");
        let packet = if tcp {
            let length = u32::try_from(bytes.len()).unwrap();
            let mut own = *self.streams.entry((source, destination)).or_insert(1000);
            let other = *self.streams.entry((destination, source)).or_insert(1000);
            if flag(line, "copy") {
                own -= length;
            }
            self.streams.insert((source, destination), own + length);
            self.ident = self.ident.wrapping_add(1).max(1);
            let segment = packet::tcp(
                source,
                destination,
                (own, other),
                packet::PUSH | packet::ACK,
                bytes,
            );
            packet::ip(source.ip(), destination.ip(), 6, self.ident, &segment)
        } else {
            self.udp(source, destination, bytes)
        };
        self.last
            .insert((line.from.clone(), line.to.clone()), packet.clone());
        if flag(line, "unseen") {
            return;
        }
        let cut = setting(line, "cut").map(|cut| cut.parse().unwrap());
        self.capture.ip(line.at, &packet, cut);
        if flag(line, "twice") {
            self.capture.ip(line.at + 40, &packet, cut);
        }
    }

    pub(super) fn segment(&mut self, line: &Line) {
        let (source, destination) = self.ends(line);
        let flags = match line.what.as_str() {
            "syn" => packet::SYN,
            "synack" => packet::SYN | packet::ACK,
            "rst" => packet::RST | packet::ACK,
            "fin" => packet::FIN | packet::ACK,
            _ => packet::ACK,
        };
        let mut own = *self.streams.entry((source, destination)).or_insert(999);
        let other = *self.streams.entry((destination, source)).or_insert(999);
        if flags & (packet::SYN | packet::FIN) != 0 {
            if flag(line, "copy") {
                own -= 1;
            }
            self.streams.insert((source, destination), own + 1);
        }
        let segment = packet::tcp(source, destination, (own, other), flags, &[]);
        self.ident = self.ident.wrapping_add(1).max(1);
        let packet = packet::ip(source.ip(), destination.ip(), 6, self.ident, &segment);
        self.last
            .insert((line.from.clone(), line.to.clone()), packet.clone());
        self.capture.ip(line.at, &packet, None);
    }
}
