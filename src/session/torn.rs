//! Where a message belongs whose Call-ID was cut off: it is found by what is left of it.

use super::Session;
use super::entry::Stored;
use super::recent::Seen;
use crate::message::Method;
use crate::message::lint::COOKIE;

/// So many of the messages seen last are looked at.
const NEWEST: usize = 512;

impl Session {
    /// The entry that holds the request with this branch (RFC 3261 §17.1.3), or a message with both of
    /// these tags (§12). What answers or acknowledges the request has its number and method, which
    /// may be cut off as well.
    pub(super) fn torn(&self, stored: &mut Stored) -> Option<u32> {
        let seen = |seen: Seen| {
            let live = self.slots.get(seen.slot as usize)?.as_ref()?;
            let entry = Some(&live.entry).filter(|entry| entry.id == seen.id)?;
            Some((seen.slot, entry.messages.get(seen.message)?))
        };
        let newest = || self.recent.newest_first().take(NEWEST).filter_map(seen);
        let branch = stored.head.branch.of(&stored.raw);
        let tells = branch.starts_with(COOKIE) && branch.len() > COOKIE.len();
        let is_meant = |m: &Stored| {
            let asks = m.head.is_request() && m.head.method != Method::Ack;
            tells && asks && m.keys.branch == stored.keys.branch
        };
        if let Some((slot, request)) = newest().find(|(_, m)| is_meant(m)) {
            adopt(stored, request);
            return Some(slot);
        }
        let (from, to) = (stored.keys.from_tag, stored.keys.to_tag);
        let of_dialog = |m: &Stored| {
            let tags = (m.keys.from_tag, m.keys.to_tag);
            tags == (from, to) || tags == (to, from)
        };
        let mut newest = newest().filter(|_| from != 0 && to != 0);
        newest.find_map(|(slot, m)| of_dialog(m).then_some(slot))
    }
}

// A CANCEL has the branch of its INVITE, so an answer to either may be to the other.
fn adopt(stored: &mut Stored, request: &Stored) {
    let answers = !stored.head.is_request() && request.head.method != Method::Cancel;
    let again = stored.head.is_request() && stored.head.method == request.head.method;
    let fits = answers || again || stored.head.method == Method::Ack;
    if !fits || stored.head.cseq.is_some() {
        return;
    }
    stored.head.cseq = request.head.cseq;
    stored.keys.transaction = request.keys.transaction;
    if answers {
        stored.head.method = request.head.method;
    }
}
