//! What the session descriptions agreed on, and where RTP went.

use super::Proof;
use super::facts::{proof, start_line};
use crate::lang::words::Words;
use crate::message::sdp::{self, Media};
use crate::session::{Call, Stored};
use std::net::SocketAddr;

/// Packets of a second, at 20 ms a packet: so many are heard, whatever went the other way.
const ENOUGH: u64 = 50;
/// Fewer than one for so many of the other way are a stray: a hole punched in a NAT, a last comfort noise.
const SHARE: u64 = 20;

/// Which ways RTP went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rtp {
    BothWays,
    ToCaller,
    ToCallee,
    None,
}

impl Rtp {
    /// All, as the file has them.
    pub(super) const ALL: [Rtp; 4] = [Rtp::BothWays, Rtp::ToCaller, Rtp::ToCallee, Rtp::None];

    pub(super) fn word(self) -> &'static str {
        match self {
            Rtp::BothWays => "both-ways",
            Rtp::ToCaller => "to-caller",
            Rtp::ToCallee => "to-callee",
            Rtp::None => "none",
        }
    }
}

/// Is `PCMA/8000` what the file calls `pcma`?
pub(super) fn is_codec(codec: &str, wanted: &str) -> bool {
    let name = codec.get(..wanted.len());
    let rest = codec.get(wanted.len()..).unwrap_or_default();
    name.is_some_and(|name| name.eq_ignore_ascii_case(wanted))
        && (rest.is_empty() || rest.starts_with('/'))
}

/// The first audio codec of the answer that the offer has as well (RFC 3264 §6.1), and the two
/// lines that show it. The offer stands in the INVITE, or else in its 2xx.
pub(super) fn agreed(call: &Call) -> (Option<String>, Vec<Proof>) {
    let audio = |stored: &Stored| -> Option<Media> {
        let mut media = sdp::media(stored.message().body()).into_iter();
        media.find(|media| media.kind == "audio")
    };
    let with_audio = |stored: &&Stored| audio(stored).is_some();
    let Some(answered) = call.answer() else {
        return (None, call.deciding().map(start_line).into_iter().collect());
    };
    let cseq = answered.head.cseq;
    let begins = |m: &&Stored| call.is_of_beginning(m) && m.head.cseq == cseq;
    let originals = || call.originals().map(|(_, m)| m);
    let invite = originals().find(|m| m.head.is_request() && begins(m));
    // In the answer itself, else in what came before it (RFC 3261 §13.2.1).
    let before = || {
        let mut earlier = originals()
            .filter(|m| begins(m) && !m.head.is_request() && m.keys.to_tag == answered.keys.to_tag);
        earlier.find(with_audio)
    };
    let from_callee = Some(answered).filter(with_audio).or_else(before);
    let ack = || {
        let mut acks = call.requests(crate::message::Method::Ack).map(|(_, m)| m);
        acks.find(|m| m.head.cseq == cseq && with_audio(m))
    };
    let (offer, answer) = match invite.filter(with_audio) {
        Some(invite) => (Some(invite), from_callee),
        None => (from_callee, ack()),
    };
    let shown = [offer, answer].into_iter().flatten().filter_map(|stored| {
        let line = audio(stored)?.line;
        Some(proof(stored, line.of(stored.message().body())))
    });
    let mut shown: Vec<Proof> = shown.collect();
    if shown.is_empty() {
        shown.push(start_line(answered));
    }
    let both = offer.and_then(audio).zip(answer.and_then(audio));
    let codec = both
        .filter(|(_, answer)| answer.port != 0)
        .and_then(|(offer, answer)| {
            let offered = |name: &str| offer.codecs.iter().any(|codec| codec.name == name);
            let mut codecs = answer.codecs.into_iter();
            codecs.find(|codec| !codec.is_auxiliary() && offered(&codec.name))
        });
    (codec.map(|codec| codec.name), shown)
}

/// Which ways RTP went, told by the addresses that each side asked for, and what was counted.
pub(super) fn ways(call: &Call) -> (Rtp, Words) {
    let (mut to_caller, mut to_callee) = (0, 0);
    for leg in call.all_legs() {
        let [caller, callee] = [true, false].map(|caller| ends(leg, caller));
        for stream in &leg.media {
            let (from, to) = (stream.flow.source, stream.flow.destination);
            // Where an address is translated the packets may come from, or go to, another one.
            if caller.contains(&to) || callee.contains(&from) {
                to_caller += stream.packets;
            } else if callee.contains(&to) || caller.contains(&from) {
                to_callee += stream.packets;
            }
        }
    }
    let heard = |packets: u64, other: u64| match packets >= ENOUGH || packets * SHARE >= other {
        true => packets,
        false => 0,
    };
    let rtp = match (heard(to_caller, to_callee), heard(to_callee, to_caller)) {
        (0, 0) => Rtp::None,
        (_, 0) => Rtp::ToCaller,
        (0, _) => Rtp::ToCallee,
        _ => Rtp::BothWays,
    };
    let told = match rtp {
        Rtp::None => Words::default(),
        _ => Words::label("({to_caller} packets to the caller, {to_callee} to the callee)")
            .with("to_caller", to_caller.to_string())
            .with("to_callee", to_callee.to_string()),
    };
    (rtp, told)
}

// Where a side wants to receive.
fn ends(call: &Call, caller: bool) -> Vec<SocketAddr> {
    let own = call
        .originals()
        .filter(|(_, m)| call.is_by_caller(m) == caller);
    let media = own.flat_map(|(_, m)| sdp::media(m.message().body()));
    let mut ends = Vec::new();
    for media in media.take(64) {
        let ip = media.address.and_then(|ip| ip.parse().ok());
        let end = ip.map(|ip| SocketAddr::new(ip, media.port));
        ends.extend(end.filter(|end| end.port() != 0 && !ends.contains(end)));
    }
    ends
}
