//! LINKTYPE_PPP_PPPD (166) and LINKTYPE_PPP_WITH_DIR (204): PPP behind a byte that says whether
//! the frame was received (0) or sent (1).

use super::{Link, ppp};
use crate::layers::inner::Inner;
use crate::layers::{Packet, Refusal};

pub(super) static LINK: Link = Link {
    numbers: &[166, 204],
    name: "PPP with direction",
    decode,
};

fn decode(packet: Packet<'_>) -> Result<Inner<'_>, Refusal> {
    match packet.bytes {
        // 166: the direction stands in place of the address; the control byte follows.
        [_, 3, rest @ ..] => ppp::decode(packet.with(rest)),
        [_, rest @ ..] => ppp::decode(packet.with(rest)),
        [] => Err(packet.too_short("broken-link", "PPP", 3)),
    }
}
