//! Captures built for tests, and a run of a whole input over them.

use std::io::Cursor;

use super::{Body, InputSummary, Inputs};

/// A record as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) input: u16,
    pub(crate) place: u64,
    pub(crate) time: Option<i64>,
    pub(crate) link: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Reads one input through everything that a user's file goes through.
pub(crate) fn read(bytes: &[u8]) -> (Vec<Seen>, InputSummary) {
    let source = Cursor::new(bytes.to_vec());
    let (seen, mut summaries) = drain(Inputs::from_readers(vec![("x".into(), Box::new(source))]));
    (seen, summaries.remove(0))
}

pub(crate) fn drain(mut inputs: Inputs) -> (Vec<Seen>, Vec<InputSummary>) {
    let mut seen = Vec::new();
    while let Some(record) = inputs.next() {
        let (link, bytes) = match record.body {
            Body::Frame { link, bytes, .. } | Body::Dump { link, bytes, .. } => (link, bytes),
            Body::Text { bytes, .. } | Body::Secrets { bytes } => (0, bytes),
        };
        seen.push(Seen {
            input: record.origin.input,
            place: record.origin.place,
            time: record.time.map(|time| time.0),
            link,
            bytes: bytes.to_vec(),
        });
    }
    assert!(inputs.next().is_none(), "the end stays the end");
    (seen, inputs.summaries())
}

pub(crate) fn reasons(summary: &InputSummary) -> Vec<&'static str> {
    summary.damage.iter().map(|damage| damage.reason).collect()
}

/// Writes numbers in either byte order.
#[derive(Clone, Copy)]
pub(crate) struct Order(pub(crate) bool);

impl Order {
    pub(crate) fn u32(self, n: u32) -> [u8; 4] {
        if self.0 {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    }

    pub(crate) fn u16(self, n: u16) -> [u8; 2] {
        if self.0 {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    }

    pub(crate) fn i64(self, n: i64) -> [u8; 8] {
        if self.0 {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    }
}

/// A classic capture with the magic given, of records of (seconds, fraction, bytes).
pub(crate) fn pcap(order: Order, magic: u32, link: u32, records: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let mut file = order.u32(magic).to_vec();
    file.extend(order.u16(2));
    file.extend(order.u16(4));
    for field in [0, 0, 65_535, link] {
        file.extend(order.u32(field));
    }
    for (seconds, fraction, bytes) in records {
        let len = bytes.len() as u32;
        for field in [*seconds, *fraction, len, len] {
            file.extend(order.u32(field));
        }
        if magic == 0xa1b2_cd34 {
            file.extend([0; 8]);
        }
        file.extend(*bytes);
    }
    file
}

/// A pcapng block of any type.
pub(crate) fn block(order: Order, kind: u32, content: &[u8]) -> Vec<u8> {
    let padding = content.len().next_multiple_of(4) - content.len();
    let total = (content.len() + padding + 12) as u32;
    let mut block = order.u32(kind).to_vec();
    block.extend(order.u32(total));
    block.extend(content);
    block.extend(vec![0; padding]);
    block.extend(order.u32(total));
    block
}

pub(crate) fn section(order: Order) -> Vec<u8> {
    let mut content = order.u32(0x1a2b_3c4d).to_vec();
    content.extend(order.u16(1));
    content.extend(order.u16(0));
    content.extend(order.i64(-1));
    block(order, 0x0a0d_0d0a, &content)
}

/// An interface with its options of (code, value).
pub(crate) fn interface(order: Order, link: u16, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut content = order.u16(link).to_vec();
    content.extend(order.u16(0));
    content.extend(order.u32(0));
    for (code, value) in options {
        content.extend(order.u16(*code));
        content.extend(order.u16(value.len() as u16));
        content.extend(*value);
        content.extend(vec![0; value.len().next_multiple_of(4) - value.len()]);
    }
    block(order, 1, &content)
}

pub(crate) fn packet(order: Order, interface: u32, stamp: u64, bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u32;
    let mut content = Vec::new();
    for field in [interface, (stamp >> 32) as u32, stamp as u32, len, len] {
        content.extend(order.u32(field));
    }
    content.extend(bytes);
    block(order, 6, &content)
}
