//! N2: audio is asked for at an address that the other side cannot reach.

use super::super::address::{are_neighbours, class, is_private};
use super::super::finding::{Evidence, Part, Template, note};
use super::super::{
    Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity, blame,
};
use crate::message::hints::Hint;
use crate::message::sdp::{self, Media};
use crate::session::clock::SECOND;
use crate::session::media::RtpStream;
use crate::session::{Call, Outcome, Side, Stored};
use std::net::{IpAddr, SocketAddr};

/// The rule.
pub static RULE: Rule = Rule {
    id: "private-sdp",
    severity: Severity::Warning,
    frequency: Frequency::High,
    needs: &[Need::Addresses],
    rfc: &[(3264, "5.1"), (8866, "5.7")],
    title: "{element} asked for audio at {host}, which cannot be reached from outside",
    why: "the session description of {element} names {host}, an address that is {class}; {user}, outside that network, sent {packets} packets of RTP there, and they cannot arrive",
    fix: "Set the public media address on {element} (external media address of the PBX, STUN or ICE of the phone), or let the other side send media to where the packets of {element} come from (symmetric RTP), or put a media relay between them.",
    sentences: &[
        (
            "why-nothing",
            "the session description of {element} names {host}, an address that is {class}, to {user} outside that network; {element} sent {packets} packets of RTP and not one came back, though the other side agreed to send",
        ),
        (
            "why-unseen",
            "the session description of {element} names {host}, an address that is {class}, to {user} outside that network: audio towards {element} arrives only if the other side sends it to where the packets of {element} come from; no media is in the capture to tell",
        ),
        ("named", "{host} is {class}"),
        ("rtp", "the RTP went there: {packets} packets from {user}"),
    ],
    confirm: "a capture of the RTP at {user}",
    settings: &[
        (
            Product::Asterisk,
            "In pjsip.conf set external_media_address and local_net in the transport; for phones behind NAT set rtp_symmetric=yes and direct_media=no in their endpoint.",
        ),
        (
            Product::FreeSwitch,
            "Set ext-rtp-ip in the sofia profile to the public address.",
        ),
        (
            Product::Kamailio,
            "Relay media of clients behind NAT: rtpengine_manage() of module rtpengine.",
        ),
        (
            Product::OpenSips,
            "Relay media of clients behind NAT: rtpengine_manage() of module rtpengine.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// A session description that names an address which its reader cannot reach.
struct Named<'a> {
    index: usize,
    stored: &'a Stored,
    media: Media,
    ip: IpAddr,
    author: SocketAddr,
    reader: SocketAddr,
    side: Side,
}

impl Named<'_> {
    // Whoever sent that description first: a proxy hands it on as it is.
    fn origin(&self, call: &Call) -> Option<SocketAddr> {
        let body = self.stored.message().body();
        let same = |m: &Stored| m.message().body() == body && call.side(m) == Some(self.side);
        let (_, first) = call.originals().find(|(_, m)| same(m))?;
        first.stamp.observed().map(|(author, _)| author)
    }
}

/// What the capture shows of the media.
enum Heard<'a> {
    /// RTP to that address.
    Sent(&'a RtpStream),
    /// RTP from its owner, and none back.
    Nothing(&'a RtpStream),
    /// No media at all.
    Unseen,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.outcome != Outcome::Succeeded || !call.hints().has(Hint::InnerMedia) {
        return;
    }
    for side in [Side::Caller, Side::Callee] {
        if let Some(named) = named(call, side)
            && let Some(heard) = heard(call, &named)
        {
            return tell(call, &named, &heard, found);
        }
    }
}

// The first session description of a side as the other side got it: a proxy may have put the
// address of a relay in it.
fn named(call: &Call, side: Side) -> Option<Named<'_>> {
    let described = call.originals().filter(|(_, m)| {
        !m.message().body().is_empty()
            && m.head.code().is_none_or(|code| (180..300).contains(&code))
            && call.is_of_beginning(m)
            && call.side(m) == Some(side)
    });
    // Of two views of one message the later one.
    let far = |m: &Stored| match m.head.is_request() {
        true => m.head.vias,
        false => u16::MAX - m.head.vias,
    };
    let (index, stored) = described.max_by_key(|(_, m)| far(m))?;
    let (author, reader) = stored.stamp.observed()?;
    let inner = stored.head.hints.has(Hint::InnerMedia);
    let media = inner.then(|| sdp::media(stored.message().body()))?;
    let media = media
        .into_iter()
        .find(|m| m.kind == "audio" && m.port != 0)?;
    let ip: IpAddr = media.address.as_deref()?.parse().ok()?;
    let outside = !are_neighbours(ip, reader.ip()) || !are_neighbours(ip, author.ip());
    let usable = media.candidates || media.is_zeroed() || !is_private(ip);
    let named = Named {
        index,
        stored,
        media,
        ip,
        author,
        reader,
        side,
    };
    (outside && !usable && !class(ip).is_of_machine()).then_some(named)
}

// Cheap, for every call: does any c= line begin with what only private addresses begin with?
fn heard<'a>(call: &'a Call, named: &Named<'_>) -> Option<Heard<'a>> {
    if call.media.is_empty() {
        return Some(Heard::Unseen);
    }
    let end = SocketAddr::new(named.ip, named.media.port);
    if let Some(sent) = call.media.iter().find(|stream| {
        stream.flow.destination == end && !are_neighbours(stream.flow.source.ip(), named.ip)
    }) {
        // A relay sends to the address that was named until it has heard from there.
        let moved = call.media.iter().any(|other| {
            other.flow.source == sent.flow.source
                && other.flow.destination != end
                && other.last > sent.last
        });
        return (!moved).then_some(Heard::Sent(sent));
    }
    let owners = |stream: &&RtpStream| stream.flow.source == end && long_enough(stream);
    let own = call.media.iter().find(owners)?;
    // Whatever comes to its owner, at that port or at the public side of a translation.
    let arrives = |to: SocketAddr| to.ip() == named.ip || to.ip() == named.author.ip();
    let back = call
        .media
        .iter()
        .any(|stream| arrives(stream.flow.destination));
    (!back && other_side_sends(call, named.side)).then_some(Heard::Nothing(own))
}

fn long_enough(stream: &RtpStream) -> bool {
    let span = stream.first.zip(stream.last);
    stream.packets >= 50 && span.is_some_and(|(first, last)| last.0 - first.0 >= 2 * SECOND)
}

fn other_side_sends(call: &Call, side: Side) -> bool {
    let described = call
        .originals()
        .filter(|(_, m)| call.side(m) == Some(side.other()));
    let mut media = described.flat_map(|(_, m)| sdp::media(m.message().body()));
    let audio = media.find(|m| m.kind == "audio" && m.port != 0);
    audio.is_some_and(|m| m.direction.sends() && !m.is_zeroed())
}

fn tell(call: &Call, named: &Named<'_>, heard: &Heard<'_>, found: &mut Findings) {
    let (severity, confidence) = match heard {
        Heard::Sent(_) => (Severity::Warning, Confidence::Certain),
        Heard::Nothing(_) => (Severity::Warning, Confidence::Likely),
        Heard::Unseen => (Severity::Info, Confidence::Possible),
    };
    let acts = blame::acts_of(call, named.side);
    let Some(finding) = found.add_with(severity, Role::Contributing, confidence, acts) else {
        return;
    };
    let (user, packets) = match heard {
        Heard::Sent(stream) => (stream.flow.source, stream.packets),
        Heard::Nothing(stream) => (stream.flow.destination, stream.packets),
        Heard::Unseen => (named.reader, 0),
    };
    let origin = named.origin(call).unwrap_or(named.author);
    finding.element(origin.to_string()).args(
        Args::new()
            .text("host", named.ip.to_string())
            .said("class", class(named.ip).name())
            .text("user", user.to_string())
            .count("packets", usize::try_from(packets).unwrap_or(usize::MAX)),
    );
    match heard {
        Heard::Sent(_) => {}
        Heard::Nothing(_) => drop(finding.why("why-nothing")),
        Heard::Unseen => drop(finding.why("why-unseen")),
    }
    let body = named.stored.head.body as usize;
    let mut show = |line: crate::message::Span, note: Template| {
        finding.proof(Evidence::Excerpt {
            message: named.index,
            line: line.shifted(body),
            mark: line.shifted(body),
            part: Part::Body,
            note,
        });
    };
    show(named.media.connection, note("named"));
    if matches!(heard, Heard::Sent(_)) {
        show(named.media.line, note("rtp"));
    }
}
