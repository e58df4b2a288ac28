//! What all capture formats have in common: the walk from frame to frame.

use super::buffer::Buffer;
use super::netmon::NetMon;
use super::pcap::Pcap;
use super::pcapng::PcapNg;
use super::snoop::Snoop;
use super::summary::Damages;
use super::{Body, Time};

/// A frame found at the front of a buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head {
    /// Bytes before the captured ones.
    pub(crate) skip: usize,
    /// Number of captured bytes.
    pub(crate) len: usize,
    /// Bytes to consume to get behind the record.
    pub(crate) total: usize,
    pub(crate) time: Option<Time>,
    pub(crate) link: u32,
    pub(crate) wire_len: u32,
    /// Not a frame but keys, see [`Body::Secrets`].
    pub(crate) secrets: bool,
}

/// The link type of a frame whose interface is not described.
pub(crate) const UNKNOWN_LINK: u32 = u32::MAX;

/// The most link types that are listed for one capture.
const MOST_LINKS: usize = 32;

/// A capture that is being read; one frame is current at a time.
pub(crate) struct Capture {
    buffer: Buffer,
    format: &'static Format,
    walk: Walk,
    head: Head,
    pub(crate) frames: u64,
    pub(crate) links: Vec<u32>,
    pub(crate) damages: Damages,
}

/// A capture format. A new one is a file with its walk, and a line in [`FORMATS`].
pub(crate) struct Format {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether a file that begins so is one.
    recognises: fn(&[u8]) -> bool,
    /// Reads the file header; `None` where the source ends inside it.
    begin: fn(&mut Buffer) -> Option<Walk>,
}

/// The formats that are read.
static FORMATS: &[Format] = &[
    Format {
        name: "pcap",
        recognises: Pcap::recognises,
        begin: |buffer| Pcap::begin(buffer).map(Walk::Pcap),
    },
    Format {
        name: "pcapng",
        recognises: PcapNg::recognises,
        begin: |_| Some(Walk::PcapNg(PcapNg::default())),
    },
    Format {
        name: "netmon",
        recognises: NetMon::recognises,
        begin: |buffer| Some(Walk::Other(Box::new(NetMon::begin(buffer)?))),
    },
    Format {
        name: "snoop",
        recognises: Snoop::recognises,
        begin: |buffer| Some(Walk::Other(Box::new(Snoop::begin(buffer)?))),
    },
];

/// The format of a file that begins so.
pub(crate) fn format(head: &[u8]) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.recognises)(head))
}

/// The way from record to record. The two common formats are called directly: each frame counts.
enum Walk {
    Pcap(Pcap),
    PcapNg(PcapNg),
    Other(Box<dyn Steps>),
}

/// A walk over the records of a format.
pub(crate) trait Steps: Send {
    /// Finds the next record; its bytes stay at the front of the buffer.
    fn step(&mut self, buffer: &mut Buffer, damages: &mut Damages) -> Option<Head>;

    /// The link type that the file header names, if it does.
    fn link(&self) -> Option<u32>;
}

impl Capture {
    /// Begins to read a capture; `None` where the source ends inside the file header.
    pub(crate) fn begin(format: &'static Format, mut buffer: Buffer) -> Option<Self> {
        let walk = (format.begin)(&mut buffer)?;
        let link = match &walk {
            Walk::Pcap(pcap) => Some(pcap.link()),
            Walk::PcapNg(_) => None,
            Walk::Other(walk) => walk.link(),
        };
        Some(Self {
            buffer,
            format,
            walk,
            head: Head::default(),
            frames: 0,
            // A capture without frames still says of which link it is.
            links: link.into_iter().collect(),
            damages: Damages::default(),
        })
    }

    /// The name of the format.
    pub(crate) fn format(&self) -> &'static str {
        self.format.name
    }

    /// Makes the next frame current; false at the end.
    #[inline]
    pub(crate) fn advance(&mut self) -> bool {
        self.buffer.consume(self.head.total);
        let head = match &mut self.walk {
            Walk::Pcap(walk) => walk.step(&mut self.buffer, &mut self.damages),
            Walk::PcapNg(walk) => walk.step(&mut self.buffer, &mut self.damages),
            Walk::Other(walk) => walk.step(&mut self.buffer, &mut self.damages),
        };
        match head {
            Some(head) if head.secrets => {
                self.head = head;
                true
            }
            Some(head) => {
                if self.links.last() != Some(&head.link) {
                    self.note_link(head.link);
                }
                self.head = head;
                self.frames += 1;
                true
            }
            None => {
                self.head = Head::default();
                self.damages.end(self.buffer.failure());
                false
            }
        }
    }

    #[cold]
    fn note_link(&mut self, link: u32) {
        if self.links.len() < MOST_LINKS && !self.links.contains(&link) {
            self.links.push(link);
        }
    }

    /// When the current frame was captured.
    #[inline]
    pub(crate) fn time(&self) -> Option<Time> {
        self.head.time
    }

    /// The current frame.
    #[inline]
    pub(crate) fn body(&self) -> Body<'_> {
        let Head { skip, len, .. } = self.head;
        let held = self.buffer.available();
        let bytes = held.get(skip..skip + len).unwrap_or_default();
        if self.head.secrets {
            return Body::Secrets { bytes };
        }
        Body::Frame {
            link: self.head.link,
            bytes,
            wire_len: self.head.wire_len,
        }
    }
}
