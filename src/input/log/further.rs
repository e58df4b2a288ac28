//! Openings that refer to what was read before them.

use super::{Cut, Cutter, Format, Line, Opening, start_line};

/// What an opening takes from the last envelope of the same format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Further {
    /// Nothing: it is an envelope of its own.
    #[default]
    No,
    /// All, if there is one: a message in the same packet.
    Packet,
    /// All, and it opens nothing without one: the next bytes of the same stream, from either end.
    Stream { answer: bool },
}

impl Cutter {
    /// Whether a start line is that of the current message once more, behind the bytes of its packet,
    /// where the format writes it twice.
    pub(super) fn repeats(&self, line: &Line<'_>, opening: &Opening) -> bool {
        let Some((format, open)) = self.open.as_ref().filter(|(_, open)| open.begun) else {
            return false;
        };
        opening.starts_at.is_some()
            && matches!((format.cut)(line, open), Cut::Beside)
            && start_line::find_behind(line.text)
                .and_then(|at| line.text.split_at_checked(at))
                .filter(|(before, _)| are_packet_bytes(before))
                .is_some_and(|(_, start)| self.draft.bytes.starts_with(start))
    }

    /// Completes an opening that takes from the last envelope; false if it opens nothing.
    pub(super) fn refer(&mut self, format: &Format, opening: &mut Opening) -> bool {
        let base = self.base.filter(|(name, ..)| *name == format.name);
        let ((_, hop, stamp), answer) = match (opening.further, base) {
            (Further::No, _) => {
                // A bare start line may come in the middle of anything.
                if opening.starts_at.is_none() {
                    self.base = None;
                }
                return true;
            }
            (Further::Packet, None) => return true,
            (Further::Stream { .. }, None) => return false,
            (Further::Packet, Some(base)) => (base, false),
            (Further::Stream { answer }, Some(base)) => (base, answer),
        };
        opening.hop = hop;
        opening.stamp = stamp;
        if answer {
            (opening.hop.source, opening.hop.destination) = (hop.destination, hop.source);
        }
        // More bytes of the message that is not yet complete.
        let goes_on = |(_, open): &(_, Opening)| open.hop == opening.hop;
        let stream = matches!(opening.further, Further::Stream { .. });
        !(stream && self.open.as_ref().is_some_and(goes_on) && self.draft.is_wanting())
    }
}

// The headers of a packet as text: mostly dots. What a logger writes before a message is words.
fn are_packet_bytes(text: &[u8]) -> bool {
    let dots = text.iter().filter(|byte| **byte == b'.').count();
    dots >= 3 && dots * 4 >= text.len()
}
