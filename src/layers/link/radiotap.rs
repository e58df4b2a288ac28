//! LINKTYPE_IEEE802_11_RADIOTAP (127): <https://www.radiotap.org>, then 802.11.

use super::{Link, ieee80211};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[127],
    name: "IEEE 802.11 with radiotap",
    decode,
};

const MAX_WORDS: usize = 32;

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    let [0, _, low, high, ..] = *packet.bytes else {
        return Err(packet.too_short("broken-link", "radiotap", 8));
    };
    let length = usize::from(u16::from_le_bytes([low, high]));
    let (Some((header, frame)), true) = (packet.bytes.split_at_checked(length), length >= 8) else {
        return Err(packet.too_short("broken-link", "radiotap", length.max(8)));
    };
    ieee80211::past_header(packet.with(frame), is_padded(header))
}

/// Whether the field "flags" says that the 802.11 header is padded to 4 bytes.
fn is_padded(header: &[u8]) -> bool {
    const TIME: u8 = 0x01;
    const FLAGS: u8 = 0x02;
    const MORE: u8 = 0x80;
    const PADDED: u8 = 0x20;
    let words = header.get(4..).unwrap_or_default().chunks_exact(4);
    let more = |word: &&[u8]| word.last().is_some_and(|it| it & MORE != 0);
    let present = 4 + 4 * (1 + words.take(MAX_WORDS).take_while(more).count());
    let fields = header.get(4).copied().unwrap_or(0);
    if fields & FLAGS == 0 {
        return false;
    }
    let at = match fields & TIME {
        0 => present,
        _ => present.next_multiple_of(8) + 8,
    };
    header.get(at).is_some_and(|it| it & PADDED != 0)
}
