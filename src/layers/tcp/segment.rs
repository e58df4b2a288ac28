//! The TCP header (RFC 9293 §3.1).

use crate::layers::Refusal;
use crate::layers::ip::IpPacket;

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub(in crate::layers) struct TcpSegment<'a> {
    /// Source and destination.
    pub(in crate::layers) ports: (u16, u16),
    pub(super) seq: u32,
    pub(super) ack: Option<u32>,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) payload: &'a [u8],
    /// Bytes of the payload that the capture lacks.
    pub(super) missing: u64,
}

impl TcpSegment<'_> {
    /// Whether it brings bytes of the stream. What stands in a RST is a remark (RFC 9293 §3.5.3).
    pub(super) fn has_payload(&self) -> bool {
        !self.rst && (!self.payload.is_empty() || self.missing > 0)
    }

    /// Sequence number of the first byte of the payload.
    pub(super) fn payload_seq(&self) -> u32 {
        self.seq.wrapping_add(self.syn.into())
    }
}

#[inline]
pub(in crate::layers) fn decode<'a>(
    ip: &IpPacket<'a>,
    cut: bool,
) -> Result<TcpSegment<'a>, Refusal> {
    let too_short = |needs| Refusal::too_short(cut, "broken-tcp", "TCP", needs, ip.payload.len());
    let Some(header) = ip.payload.first_chunk::<20>() else {
        return Err(too_short(20));
    };
    let header_len = usize::from(header[12] >> 4) * 4;
    if header_len < 20 {
        return Err(Refusal::new(
            "broken-tcp",
            format!("TCP data offset {header_len} is below 20"),
        ));
    }
    let Some(payload) = ip.payload.get(header_len..) else {
        return Err(too_short(header_len));
    };
    let (fin, syn, rst, ack) = (1, 2, 4, 16);
    let flags = header[13];
    Ok(TcpSegment {
        ports: (
            u16::from_be_bytes([header[0], header[1]]),
            u16::from_be_bytes([header[2], header[3]]),
        ),
        seq: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        ack: (flags & ack != 0)
            .then(|| u32::from_be_bytes([header[8], header[9], header[10], header[11]])),
        syn: flags & syn != 0,
        fin: flags & fin != 0,
        rst: flags & rst != 0,
        payload,
        missing: ip.missing as u64,
    })
}
