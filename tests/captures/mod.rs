//! Captures for the tests: the fixtures, a reader of their records that shares nothing with the
//! one under test, and a writer.

use std::fs;
use std::ops::Range;
use std::path::Path;

/// A file that a test reads.
#[derive(Clone)]
pub(crate) struct Trace {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// A frame of a capture: where its record ends in the file, and where its bytes stand.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) end: usize,
    pub(crate) bytes: Range<usize>,
    pub(crate) link: u32,
}

/// All fixtures with one of these extensions, by name.
pub(crate) fn fixtures(extensions: &[&str]) -> Vec<Trace> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        for extension in extensions {
            let path = folder.join(format!("trace.{extension}"));
            if let Ok(bytes) = fs::read(path) {
                let name = folder.file_name().unwrap().to_string_lossy().into_owned();
                found.push(Trace { name, bytes });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "no fixtures");
    found
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(field).into())
}

fn u32_at(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let field: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(match big {
        true => u32::from_be_bytes(field),
        false => u32::from_le_bytes(field),
    })
}

/// The frames of a capture, and every offset at which a record or block ends.
pub(crate) fn frames(file: &[u8]) -> (Vec<Frame>, Vec<usize>) {
    if file.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        pcapng(file)
    } else {
        pcap(file)
    }
}

fn pcap(file: &[u8]) -> (Vec<Frame>, Vec<usize>) {
    let big = matches!(file, [0xa1, ..]);
    let link = u32_at(file, 20, big).unwrap();
    let (mut frames, mut ends, mut at) = (Vec::new(), vec![24], 24);
    while let Some(captured) = u32_at(file, at + 8, big) {
        let bytes = at + 16..at + 16 + captured as usize;
        at = bytes.end;
        frames.push(Frame {
            end: at,
            bytes,
            link,
        });
        ends.push(at);
    }
    assert_eq!(at, file.len());
    (frames, ends)
}

// One section, little-endian, as all fixtures are.
fn pcapng(file: &[u8]) -> (Vec<Frame>, Vec<usize>) {
    assert_eq!(file.get(8..12), Some(&[0x4d, 0x3c, 0x2b, 0x1a][..]));
    let (mut frames, mut ends, mut links, mut at) = (Vec::new(), Vec::new(), Vec::new(), 0);
    while let (Some(kind), Some(length)) = (u32_at(file, at, false), u32_at(file, at + 4, false)) {
        let end = at + length as usize;
        match kind {
            1 => links.push(u32_at(file, at + 8, false).unwrap() & 0xffff),
            6 => {
                let interface = u32_at(file, at + 8, false).unwrap() as usize;
                let captured = u32_at(file, at + 20, false).unwrap() as usize;
                frames.push(Frame {
                    end,
                    bytes: at + 28..at + 28 + captured,
                    link: links[interface],
                });
            }
            3 => panic!("no fixture has simple packet blocks"),
            _ => {}
        }
        at = end;
        ends.push(at);
    }
    assert_eq!(at, file.len());
    (frames, ends)
}

/// Where the UDP payload of a frame stands in the file; `None` where there is none, or a fragment.
pub(crate) fn udp_payload(file: &[u8], frame: &Frame) -> Option<Range<usize>> {
    let bytes = file.get(frame.bytes.clone())?;
    let (type_at, network) = match frame.link {
        1 => (12, 14),
        113 => (14, 16),
        276 => (0, 20),
        _ => return None,
    };
    let ip = bytes.get(network..)?;
    let (udp, end) = match u16_at(bytes, type_at)? {
        0x0800 => {
            let fragment = u16_at(ip, 6)? & 0x3fff;
            let is_whole_udp = fragment == 0 && *ip.get(9)? == 17;
            let header = usize::from(ip.first()? & 15) * 4;
            (is_whole_udp.then_some(header)?, u16_at(ip, 2)?)
        }
        0x86dd => ((*ip.get(6)? == 17).then_some(40)?, 40 + u16_at(ip, 4)?),
        _ => return None,
    };
    let payload = network + udp + 8..(network + end).min(bytes.len());
    let start = frame.bytes.start;
    (payload.start < payload.end).then_some(start + payload.start..start + payload.end)
}

/// A capture in the making: classic pcap, Ethernet, IPv4.
pub(crate) struct Writer {
    pub(crate) file: Vec<u8>,
    millis: u32,
    sequence: [u32; 2],
}

impl Writer {
    pub(crate) fn new() -> Writer {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        file.extend([0; 8]);
        file.extend(0x4_0000u32.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        Writer {
            file,
            millis: 0,
            sequence: [1000, 2000],
        }
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, millis: u32) {
        self.millis += millis;
    }

    /// A datagram from the caller, or from the callee.
    pub(crate) fn udp(&mut self, from_caller: bool, payload: &[u8]) {
        let mut udp = ports(from_caller);
        let length = u16::try_from(payload.len() + 8).unwrap();
        udp.extend(length.to_be_bytes());
        udp.extend([0; 2]);
        udp.extend(payload);
        self.ip(from_caller, 17, &udp);
    }

    /// Bytes of a connection, in segments.
    pub(crate) fn tcp(&mut self, from_caller: bool, bytes: &[u8]) {
        for part in bytes.chunks(1400) {
            let mut tcp = ports(from_caller);
            let [mine, its] = match from_caller {
                true => [0, 1],
                false => [1, 0],
            };
            tcp.extend(self.sequence[mine].to_be_bytes());
            tcp.extend(self.sequence[its].to_be_bytes());
            tcp.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
            tcp.extend(part);
            self.sequence[mine] += u32::try_from(part.len()).unwrap();
            self.ip(from_caller, 6, &tcp);
        }
    }

    fn ip(&mut self, from_caller: bool, protocol: u8, payload: &[u8]) {
        self.millis += 1;
        let (caller, callee) = ([192, 0, 2, 10], [198, 51, 100, 7]);
        let (source, destination) = match from_caller {
            true => (caller, callee),
            false => (callee, caller),
        };
        let mut frame = vec![2; 12];
        frame.extend([8, 0, 0x45, 0]);
        frame.extend(u16::try_from(payload.len() + 20).unwrap().to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        frame.extend(source);
        frame.extend(destination);
        frame.extend(payload);
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        self.file
            .extend((1_700_000_000 + self.millis / 1000).to_le_bytes());
        self.file.extend((self.millis % 1000 * 1000).to_le_bytes());
        self.file.extend(length);
        self.file.extend(length);
        self.file.extend(frame);
    }
}

fn ports(from_caller: bool) -> Vec<u8> {
    let (caller, callee) = (5060u16.to_be_bytes(), 5080u16.to_be_bytes());
    match from_caller {
        true => [caller, callee].concat(),
        false => [callee, caller].concat(),
    }
}

/// Numbers that look random and are the same in every run (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Below `end`, which is above 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Not 0.
    pub(crate) fn flip(&mut self) -> u8 {
        self.byte().max(1)
    }
}
