//! SCTP packets and their chunks (RFC 9260 §3; I-DATA: RFC 8260 §2.1).

use crate::layers::ip::IpPacket;
use crate::layers::{Refusal, be16, be32};

/// The common header.
pub(in crate::layers) struct SctpPacket<'a> {
    /// Source and destination.
    pub(in crate::layers) ports: (u16, u16),
    /// Verification tag: names the association, one for each direction.
    pub(super) tag: u32,
    pub(super) chunks: &'a [u8],
    /// The capture holds less than was on the wire.
    pub(super) cut: bool,
}

/// User data: a message, or a fragment of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data<'a> {
    /// Transmission sequence number.
    pub(super) tsn: u32,
    /// Which fragments belong together, and the place of this one among them.
    pub(super) group: Group,
    pub(super) index: u32,
    pub(super) begins: bool,
    pub(super) ends: bool,
    pub(super) bytes: &'a [u8],
    pub(super) cut: bool,
}

/// Fragments of DATA are numbered through by TSN; those of I-DATA within their message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Tsn,
    Message {
        stream: u16,
        unordered: bool,
        message: u32,
    },
}

pub(in crate::layers) fn decode<'a>(
    ip: &IpPacket<'a>,
    cut: bool,
) -> Result<SctpPacket<'a>, Refusal> {
    let Some((header, chunks)) = ip.payload.split_first_chunk::<12>() else {
        let has = ip.payload.len();
        return Err(Refusal::too_short(cut, "broken-sctp", "SCTP", 12, has));
    };
    Ok(SctpPacket {
        ports: (
            u16::from_be_bytes([header[0], header[1]]),
            u16::from_be_bytes([header[2], header[3]]),
        ),
        tag: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        chunks,
        cut,
    })
}

impl<'a> SctpPacket<'a> {
    /// The user data in it, and whether the chunks end as they should.
    pub(super) fn data(&self) -> (Vec<Data<'a>>, bool) {
        let (mut rest, mut all) = (self.chunks, Vec::new());
        while let [kind, flags, high, low, ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length < 4 {
                return (all, false);
            }
            let chunk = rest.get(..length).unwrap_or(rest);
            let cut = chunk.len() < length;
            if cut && !self.cut {
                return (all, false);
            }
            all.extend(read(*kind, *flags, chunk, cut));
            // Chunks are padded to four bytes; the last one may lack that.
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        (all, rest.is_empty() || self.cut)
    }
}

fn read(kind: u8, flags: u8, chunk: &[u8], cut: bool) -> Option<Data<'_>> {
    const DATA: u8 = 0;
    const I_DATA: u8 = 64;
    let (begins, ends, unordered) = (flags & 2 != 0, flags & 1 != 0, flags & 4 != 0);
    let (group, index, header) = match kind {
        DATA => (Group::Tsn, be32(chunk, 4)?, 16),
        I_DATA => {
            let group = Group::Message {
                stream: be16(chunk, 8)?,
                unordered,
                message: be32(chunk, 12)?,
            };
            // The first fragment has the protocol identifier where the others have their number.
            let index = if begins { 0 } else { be32(chunk, 16)? };
            (group, index, 20)
        }
        _ => return None,
    };
    Some(Data {
        tsn: be32(chunk, 4)?,
        group,
        index,
        begins,
        ends,
        bytes: chunk.get(header..)?,
        cut,
    })
}
