//! What is seen beside SIP, and which message it is about.

use super::aside::{Aside, Icmp, MOST_ASIDES, What};
use super::media::RtpStream;
use super::recent::Seen;
use super::{Session, Stored, clock};
use crate::input::Time;
use crate::layers::Transport;
use crate::message::Method;
use std::net::SocketAddr;

impl Session {
    /// Takes what was seen beside SIP: an answer of a name server is remembered, an ICMP error is
    /// noted where the message is that it quotes. One that quotes none is no news of a call.
    pub fn aside(&mut self, aside: Aside) {
        let icmp = match &aside.what {
            What::Icmp(icmp) => icmp,
            What::Dns(_) => return self.names.add(aside),
            What::Wire(_) => {
                let asked = self.asked(&aside);
                return self.wires.add(aside, asked);
            }
        };
        let Some(seen) = self.quoted(icmp, aside.time) else {
            return;
        };
        if let Some(live) = self.live(seen.slot, seen.id)
            && live.entry.asides.len() < MOST_ASIDES
        {
            live.entry.asides.push(aside.about(seen.message));
        }
    }

    /// Takes note of a packet that only keeps a way open.
    pub fn keep_alive(&mut self, source: SocketAddr, time: Time) {
        self.lines.alive(source, time.0);
    }

    /// Takes what is new about a stream of RTP.
    pub fn media(&mut self, stream: RtpStream) {
        self.heard.update(stream);
    }

    // The latest message that an ICMP error can be about: of the Call-ID that it quotes, else one
    // on that hop that begins with the bytes quoted.
    fn quoted(&self, icmp: &Icmp, time: Option<Time>) -> Option<Seen> {
        const NEWEST: usize = 64;
        // Whoever cannot deliver a packet says so at once, or gives up on its neighbour first.
        const LATEST: i64 = 60 * clock::SECOND;
        let in_time = |m: &Stored| match (m.time(), time) {
            (Some(sent), Some(time)) => (0..=LATEST).contains(&(time.0 - sent)),
            _ => true,
        };
        // Of TCP the number is that of the segment, of UDP that of the packet.
        let same_packet = |m: &Stored| {
            let told = icmp.flow.transport == Transport::Udp && icmp.ident != 0;
            !told || m.stamp.ident == 0 || m.stamp.ident == icmp.ident
        };
        let on_hop = |m: &Stored| {
            m.stamp.source == Some(icmp.flow.source)
                && m.stamp.destination == Some(icmp.flow.destination)
                && in_time(m)
                && same_packet(m)
        };
        let entry_in = |slot: u32| {
            let live = self.slots.get(slot as usize).and_then(Option::as_ref);
            live.map(|live| &live.entry)
        };
        let slots = icmp
            .keys
            .and_then(|keys| self.by_call_id.get(&keys.call_id));
        let of_call = slots.and_then(|slots| {
            slots.newest_first().take(NEWEST).find_map(|slot| {
                let entry = entry_in(slot)?;
                let same = |m: &Stored| {
                    icmp.keys
                        .is_some_and(|keys| m.keys.transaction == keys.transaction)
                        && on_hop(m)
                };
                let message = entry.messages.iter().rposition(same)?;
                let id = entry.id;
                Some(Seen { slot, id, message })
            })
        });
        if of_call.is_some() {
            return of_call;
        }
        self.recent.newest_first().find(|seen| {
            let entry = entry_in(seen.slot).filter(|entry| entry.id == seen.id);
            let message = entry.and_then(|entry| entry.messages.get(seen.message));
            message.is_some_and(|m| on_hop(m) && m.raw.starts_with(&icmp.quoted))
        })
    }

    // The entry with the latest request that whoever asks for a connection had got just before.
    fn asked(&self, aside: &Aside) -> Option<u64> {
        const NEWEST: usize = 256;
        const LATEST: i64 = 2 * clock::SECOND;
        let What::Wire(connection) = &aside.what else {
            return None;
        };
        if !connection.is_attempt() {
            return None;
        }
        let (source, began) = (connection.flow.source.ip(), aside.began()?);
        let mut newest = self.recent.newest_first().take(NEWEST);
        let asked = newest.find(|seen| {
            let live = self.slots.get(seen.slot as usize).and_then(Option::as_ref);
            let entry = live.map(|l| &l.entry).filter(|entry| entry.id == seen.id);
            let message = entry.and_then(|entry| entry.messages.get(seen.message));
            message.is_some_and(|m| {
                let received = m.stamp.destination.is_some_and(|to| to.ip() == source);
                let before = m.time().is_some_and(|t| (0..LATEST).contains(&(began - t)));
                m.head.is_request() && received && before && m.head.method != Method::Ack
            })
        });
        asked.map(|seen| seen.id)
    }
}
