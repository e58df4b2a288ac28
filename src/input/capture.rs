//! What both capture formats have in common: the walk from frame to frame.

use super::buffer::Buffer;
use super::pcap::Pcap;
use super::pcapng::PcapNg;
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
}

/// The link type of a frame whose interface is not described.
pub(crate) const UNKNOWN_LINK: u32 = u32::MAX;

/// The most link types that are listed for one capture.
const MOST_LINKS: usize = 32;

/// A capture that is being read; one frame is current at a time.
pub(crate) struct Capture {
    buffer: Buffer,
    walk: Walk,
    head: Head,
    pub(crate) frames: u64,
    pub(crate) links: Vec<u32>,
    pub(crate) damages: Damages,
}

enum Walk {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl Capture {
    /// A classic capture; `None` where the source ends inside the file header.
    pub(crate) fn pcap(mut buffer: Buffer) -> Option<Self> {
        let walk = Pcap::begin(&mut buffer)?;
        let mut capture = Self::new(buffer, Walk::Pcap(walk));
        // A capture without frames still says of which link it is.
        if let Walk::Pcap(pcap) = &capture.walk {
            capture.links.push(pcap.link());
        }
        Some(capture)
    }

    /// A pcapng capture.
    pub(crate) fn pcapng(buffer: Buffer) -> Self {
        Self::new(buffer, Walk::PcapNg(PcapNg::default()))
    }

    fn new(buffer: Buffer, walk: Walk) -> Self {
        Self {
            buffer,
            walk,
            head: Head::default(),
            frames: 0,
            links: Vec::new(),
            damages: Damages::default(),
        }
    }

    /// The name of the format.
    pub(crate) fn format(&self) -> &'static str {
        match self.walk {
            Walk::Pcap(_) => "pcap",
            Walk::PcapNg(_) => "pcapng",
        }
    }

    /// Makes the next frame current; false at the end.
    #[inline]
    pub(crate) fn advance(&mut self) -> bool {
        self.buffer.consume(self.head.total);
        let head = match &mut self.walk {
            Walk::Pcap(walk) => walk.step(&mut self.buffer, &mut self.damages),
            Walk::PcapNg(walk) => walk.step(&mut self.buffer, &mut self.damages),
        };
        match head {
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
        Body::Frame {
            link: self.head.link,
            bytes: self
                .buffer
                .available()
                .get(skip..skip + len)
                .unwrap_or_default(),
            wire_len: self.head.wire_len,
        }
    }
}
