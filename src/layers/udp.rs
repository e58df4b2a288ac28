//! User Datagram Protocol (RFC 768).

use super::Refusal;
use super::ip::IpPacket;

/// A UDP datagram.
#[derive(Clone, Copy)]
pub(super) struct Udp<'a> {
    /// Source and destination.
    pub(super) ports: (u16, u16),
    pub(super) payload: &'a [u8],
    /// The checksum over addresses, header and payload; 0 where there is none to compare with.
    pub(super) checksum: u16,
    /// The capture holds less than the length field says. Where the IP packet is there to its end, its
    /// length contradicts that of UDP: then the checksum tells, if there is one.
    pub(super) cut: bool,
}

#[inline]
pub(super) fn decode<'a>(ip: &IpPacket<'a>, cut: bool) -> Result<Udp<'a>, Refusal> {
    let Some((header, rest)) = ip.payload.split_first_chunk::<8>() else {
        return Err(Refusal::too_short(
            cut,
            "broken-udp",
            "UDP",
            8,
            ip.payload.len(),
        ));
    };
    let ports = (
        u16::from_be_bytes([header[0], header[1]]),
        u16::from_be_bytes([header[2], header[3]]),
    );
    let length = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        // Left for the network card to fill in, or a jumbogram (RFC 2675 §4).
        0 => rest.len() + ip.missing,
        length @ 1..8 => {
            return Err(Refusal::new(
                "broken-udp",
                format!("UDP length {length} is below 8"),
            ));
        }
        length => length - 8,
    };
    let payload = rest.get(..length).unwrap_or(rest);
    let told = u16::from_be_bytes([header[6], header[7]]);
    // What the network card had still to fill in says nothing.
    let checksum = if header[4..6] == [0, 0] { 0 } else { told };
    let ends_early = cut || ip.missing > 0 || checksum == 0;
    Ok(Udp {
        ports,
        payload,
        checksum,
        cut: payload.len() < length && ends_early,
    })
}
