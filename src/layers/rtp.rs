//! The fixed header of RTP (RFC 3550 §5.1), as far as streams are told apart and counted.

use super::{be16, be32};

/// What the header of a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    /// Payload type.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Synchronisation source: names the stream.
    pub ssrc: u32,
}

/// Reads the header of a packet that was recognised as RTP.
pub fn header(packet: &[u8]) -> Option<RtpHeader> {
    Some(RtpHeader {
        payload_type: packet.get(1)? & 0x7f,
        sequence: be16(packet, 2)?,
        ssrc: be32(packet, 8)?,
    })
}
