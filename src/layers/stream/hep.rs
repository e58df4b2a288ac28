//! Homer Encapsulation Protocol, versions 1 to 3: a copy of a message, with the addresses and the
//! time at which it was seen.

use super::frames::Mark;
use crate::input::Time;
use crate::layers::{At, Flow, Sink, Transport, be16, be32};
use flate2::bufread::{GzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest payload that is inflated.
const LONGEST: u64 = 1024 * 1024;

/// What a packet carries.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::layers) struct Inner<'a> {
    flow: Flow,
    time: Option<Time>,
    /// Type of the payload (chunk 11); 1 is SIP.
    kind: u8,
    payload: Cow<'a, [u8]>,
    /// The payload is shorter than it was.
    cut: bool,
}

type Broken = (&'static str, &'static str);

const CUT: Broken = ("broken-hep", "a HEP packet whose parts do not fit into it");
const PLAIN: Broken = ("broken-hep", "a HEP packet without payload");
const DEFLATE: Broken = ("broken-hep", "a HEP packet whose payload does not inflate");

/// What version 3 begins with.
pub(super) const MARK: &[u8] = b"HEP3";

/// Whether a datagram begins as HEP does.
pub(in crate::layers) fn looks_like_hep(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [b'H', b'E', b'P', b'3', ..]
            | [1 | 2, 16 | 28, 2, 6 | 17 | 132, ..]
            | [1 | 2, 40 | 52, 10, 6 | 17 | 132, ..]
    )
}

/// Length of the HEP3 packet that stands at the beginning of a stream; only version 3 says it.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.strip_prefix(MARK).and_then(|rest| be16(rest, 0))?;
    (length >= 6).then_some(usize::from(length))
}

/// Reads a packet; what it does not say of the hop is that of the packet itself.
pub(in crate::layers) fn decode<'a>(bytes: &'a [u8], outer: &Flow) -> Result<Inner<'a>, Broken> {
    match bytes.strip_prefix(MARK) {
        Some(rest) => version_3(rest, outer),
        None => version_1_or_2(bytes).ok_or(CUT),
    }
}

/// Hands on what a packet carries, and says what became of it.
pub(super) fn deliver<S: Sink>(at: At, inner: &Inner<'_>, cut: bool, sink: &mut S) -> Mark {
    // The identification is that of the packet around it, not of the one that it tells of.
    let at = At {
        time: inner.time.or(at.time),
        ident: 0,
        checksum: 0,
        ..at
    };
    match inner.kind {
        0 | 1 => match sink.message(at, &inner.flow, &inner.payload, cut || inner.cut) {
            None => Mark::Taken,
            Some(_) => Mark::Other("hep"),
        },
        kind => Mark::Other(name(kind)),
    }
}

/// Gives the account of a datagram that is a HEP packet; whether it was one.
pub(in crate::layers) fn datagram<S: Sink>(
    at: At,
    flow: &Flow,
    payload: &[u8],
    cut: bool,
    sink: &mut S,
) -> bool {
    let Ok(inner) = decode(payload, flow) else {
        return false;
    };
    match deliver(at, &inner, cut, sink) {
        Mark::Taken => sink.carried(at),
        Mark::Other(protocol) => sink.other(at, protocol),
        _ => return false,
    }
    true
}

/// What is no SIP, by the type of its payload.
fn name(kind: u8) -> &'static str {
    match kind {
        4 => "hep-rtp",
        5 | 34 | 35 => "hep-rtcp",
        6 => "hep-mgcp",
        7 => "hep-megaco",
        100 => "hep-log",
        _ => "hep",
    }
}

fn transport(protocol: u8) -> Transport {
    match protocol {
        6 => Transport::Tcp,
        132 => Transport::Sctp,
        _ => Transport::Udp,
    }
}

fn v4(bytes: &[u8]) -> Option<IpAddr> {
    let bytes: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    Some(Ipv4Addr::from(bytes).into())
}

fn v6(bytes: &[u8]) -> Option<IpAddr> {
    let bytes: [u8; 16] = bytes.get(..16)?.try_into().ok()?;
    Some(Ipv6Addr::from(bytes).into())
}

/// A fixed header: version, length, family, protocol, ports, addresses; version 2 adds a time.
fn version_1_or_2(bytes: &[u8]) -> Option<Inner<'_>> {
    let (header, _) = bytes.split_first_chunk::<8>()?;
    let [version, length, family, protocol, ..] = *header;
    let rest = bytes.get(8..)?;
    let (source, destination, addresses) = match family {
        2 => (v4(rest)?, v4(rest.get(4..)?)?, 8),
        10 => (v6(rest)?, v6(rest.get(16..)?)?, 32),
        _ => return None,
    };
    let end = 8 + addresses;
    let mut start = usize::from(length).max(end);
    let mut time = None;
    if version == 2 {
        // Some senders count the time as header, some do not.
        let has_time = start > end || !begins_text(bytes.get(end..)?);
        if has_time {
            time = timestamp(bytes.get(end..)?);
            start = start.max(end + 12);
        }
    }
    Some(Inner {
        flow: Flow {
            source: SocketAddr::new(source, be16(bytes, 4)?),
            destination: SocketAddr::new(destination, be16(bytes, 6)?),
            transport: transport(protocol),
        },
        time,
        kind: 1,
        payload: Cow::Borrowed(bytes.get(start..)?),
        cut: false,
    })
}

/// No time has letters in all of its first four bytes, and every message has.
fn begins_text(bytes: &[u8]) -> bool {
    matches!(bytes.first_chunk::<4>(), Some(four) if four.iter().all(u8::is_ascii_graphic))
}

/// Seconds and microseconds, in the byte order of whoever wrote them: the one in which the
/// microseconds are less than a million and the year is none before 2000.
fn timestamp(bytes: &[u8]) -> Option<Time> {
    let (seconds, micros) = (be32(bytes, 0)?, be32(bytes, 4)?);
    let swapped = (seconds.swap_bytes(), micros.swap_bytes());
    let fits = |(seconds, micros): &(u32, u32)| *seconds > 946_684_800 && *micros < 1_000_000;
    [swapped, (seconds, micros)]
        .into_iter()
        .find(fits)
        .map(|(seconds, micros)| time(seconds, micros))
}

fn time(seconds: u32, micros: u32) -> Time {
    Time(i64::from(seconds) * 1_000_000_000 + i64::from(micros) * 1000)
}

/// A list of chunks: vendor, type, length, content.
fn version_3<'a>(bytes: &'a [u8], outer: &Flow) -> Result<Inner<'a>, Broken> {
    let length = usize::from(be16(bytes, 0).ok_or(CUT)?);
    let end = length.saturating_sub(4).min(bytes.len());
    let mut rest = bytes.get(2..end).ok_or(CUT)?;
    let mut chunks = Chunks {
        cut: length > bytes.len() + 4,
        ..Chunks::default()
    };
    while !rest.is_empty() {
        let header = (be16(rest, 0), be16(rest, 2), be16(rest, 4));
        let (Some(vendor), Some(kind), Some(length)) = header else {
            break;
        };
        let length = usize::from(length);
        if length < 6 {
            return Err(CUT);
        }
        let content = rest.get(6..length.min(rest.len())).unwrap_or_default();
        chunks.cut |= length > rest.len();
        if vendor == 0 {
            chunks.take(kind, content);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    chunks.inner(outer)
}

/// The chunks of vendor 0 that matter.
#[derive(Default)]
struct Chunks<'a> {
    protocol: u8,
    addresses: [Option<IpAddr>; 2],
    ports: [Option<u16>; 2],
    seconds: Option<u32>,
    micros: Option<u32>,
    kind: u8,
    payload: Option<Cow<'a, [u8]>>,
    cut: bool,
    deflated: bool,
}

impl<'a> Chunks<'a> {
    fn take(&mut self, kind: u16, content: &'a [u8]) {
        match kind {
            2 => self.protocol = content.first().copied().unwrap_or(0),
            3 => self.addresses[0] = v4(content),
            4 => self.addresses[1] = v4(content),
            5 => self.addresses[0] = v6(content),
            6 => self.addresses[1] = v6(content),
            7 => self.ports[0] = be16(content, 0),
            8 => self.ports[1] = be16(content, 0),
            9 => self.seconds = be32(content, 0),
            10 => self.micros = be32(content, 0),
            11 => self.kind = content.first().copied().unwrap_or(0),
            15 => self.payload = Some(Cow::Borrowed(content)),
            16 => {
                self.payload = inflate(content).map(Cow::Owned);
                self.deflated = true;
            }
            _ => {}
        }
    }

    fn inner(self, outer: &Flow) -> Result<Inner<'a>, Broken> {
        let wrong = if self.deflated { DEFLATE } else { PLAIN };
        let payload = self.payload.ok_or(wrong)?;
        let end = |index: usize, outer: SocketAddr| {
            let address = self.addresses[index].unwrap_or(outer.ip());
            SocketAddr::new(address, self.ports[index].unwrap_or(outer.port()))
        };
        Ok(Inner {
            flow: Flow {
                source: end(0, outer.source),
                destination: end(1, outer.destination),
                transport: transport(self.protocol),
            },
            time: self
                .seconds
                .map(|seconds| time(seconds, self.micros.unwrap_or(0))),
            kind: self.kind,
            payload,
            cut: self.cut,
        })
    }
}

/// zlib (RFC 1950) or gzip (RFC 1952), as it begins; of a damaged one what can be read.
fn inflate(content: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let result = match content {
        [0x1f, 0x8b, ..] => GzDecoder::new(content).take(LONGEST).read_to_end(&mut out),
        _ => ZlibDecoder::new(content)
            .take(LONGEST)
            .read_to_end(&mut out),
    };
    (result.is_ok() || !out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outer() -> Flow {
        Flow {
            source: "192.0.2.1:9060".parse().unwrap(),
            destination: "192.0.2.2:9060".parse().unwrap(),
            transport: Transport::Udp,
        }
    }

    fn chunk(vendor: u16, kind: u16, content: &[u8]) -> Vec<u8> {
        let mut bytes = [vendor.to_be_bytes(), kind.to_be_bytes()].concat();
        bytes.extend((6 + content.len() as u16).to_be_bytes());
        bytes.extend(content);
        bytes
    }

    fn packet(chunks: &[Vec<u8>]) -> Vec<u8> {
        let body = chunks.concat();
        let length = (6 + body.len() as u16).to_be_bytes();
        [&b"HEP3"[..], &length, &body].concat()
    }

    #[test]
    fn version_3_gives_the_inner_hop_and_time() {
        let bytes = packet(&[
            chunk(0, 1, &[10]),
            chunk(0, 2, &[6]),
            chunk(0, 5, &[0x20; 16]),
            chunk(0, 6, &[0x21; 16]),
            chunk(0, 7, &[0x13, 0xc4]),
            chunk(0, 8, &[0x13, 0xc5]),
            chunk(0, 9, &[0, 0, 0, 5]),
            chunk(0, 10, &[0, 0, 0, 7]),
            chunk(9, 11, &[77]),
            chunk(0, 11, &[1]),
            chunk(0, 99, b"unknown"),
            chunk(0, 15, b"text"),
        ]);
        let inner = decode(&bytes, &outer()).unwrap();
        assert_eq!(inner.flow.transport, Transport::Tcp);
        assert_eq!(inner.flow.source.port(), 5060);
        assert_eq!(inner.time, Some(Time(5_000_007_000)));
        assert_eq!((&*inner.payload, inner.kind), (&b"text"[..], 1));
        for end in 0..bytes.len() {
            if let Ok(inner) = decode(&bytes[..end], &outer()) {
                assert!(inner.cut);
            }
        }
    }

    #[test]
    fn versions_1_and_2_have_a_fixed_header() {
        let mut bytes = vec![1, 16, 2, 17, 0x13, 0xc4, 0x13, 0xc5, 1, 2, 3, 4, 5, 6, 7, 8];
        bytes.extend(b"text");
        let inner = decode(&bytes, &outer()).unwrap();
        assert_eq!(inner.flow.source.to_string(), "1.2.3.4:5060");
        assert_eq!((inner.time, &*inner.payload), (None, &b"text"[..]));
        for order in [u32::to_le_bytes, u32::to_be_bytes] {
            for counted in [16, 28] {
                let mut bytes = bytes[..16].to_vec();
                (bytes[0], bytes[1]) = (2, counted);
                bytes.extend(order(1_767_258_000));
                bytes.extend(order(5));
                bytes.extend([0; 4]);
                bytes.extend(b"text");
                let inner = decode(&bytes, &outer()).unwrap();
                assert_eq!(inner.time, Some(Time(1_767_258_000_000_005_000)));
                assert_eq!(&*inner.payload, b"text");
                for end in 0..bytes.len() {
                    let _ = decode(&bytes[..end], &outer());
                }
            }
        }
    }

    #[test]
    fn a_payload_that_inflates_without_end_is_cut() {
        use std::io::Write;
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(&vec![0; 4 << 20]).unwrap();
        let bytes = packet(&[chunk(0, 16, &zlib.finish().unwrap())]);
        let inner = decode(&bytes, &outer()).unwrap();
        assert_eq!(inner.payload.len() as u64, LONGEST);
    }
}
