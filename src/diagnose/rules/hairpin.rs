//! N8: both parties are behind one NAT, and their audio has to turn round at its public address.

use super::super::address::{Host, class, is_private};
use super::super::finding::{Evidence, Part, Template, note};
use super::super::reach::sent_by;
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity,
};
use crate::message::sdp::{self, Media};
use crate::message::{Method, Span};
use crate::session::oddity::Oddity;
use crate::session::path::Hop;
use crate::session::{Call, Outcome, Stored};
use std::net::{IpAddr, SocketAddr};

/// The rule.
pub static RULE: Rule = Rule {
    id: "hairpin",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(4787, "6")],
    title: "both parties are behind {element}, and their audio has to turn round there",
    why: "{caller} and {callee} are behind the same public address, and each was told to send its audio to {element}: {packets} packets of RTP went there and none was seen to come out again. A router without NAT loopback (hairpinning) drops them, and both hear nothing",
    fix: "Let the server relay the audio of such calls, or let both phones use ICE, by which they find their addresses inside. Else switch on NAT loopback (hairpinning) in the router.",
    sentences: &[
        (
            "why-unseen",
            "{caller} and {callee} are behind the same public address, and each was told to send its audio to {element}: that works only if the router there supports NAT loopback (hairpinning); no media is in the capture to tell",
        ),
        ("caller", "the caller came from {caller}"),
        ("media", "the public address of both"),
    ],
    confirm: "a capture of the RTP behind the router",
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk: `direct_media=no` in the endpoints of pjsip.conf.",
        ),
        (
            Product::Kamailio,
            "On Kamailio: rtpengine_manage() of module rtpengine for offer and answer of such calls.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS: rtpengine_manage() of module rtpengine for offer and answer of such calls.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite
        || call.outcome != Outcome::Succeeded
        || context.whole.is_some()
    {
        return;
    }
    if call.legs.is_empty() && !call.oddities().has(Oddity::Relayed) {
        return;
    }
    let Some(both) = behind_one(call) else { return };
    let towards = |at: SocketAddr| call.all_legs().flat_map(move |leg| to(leg, at));
    let sent: Vec<u32> = towards(both.first)
        .chain(towards(both.second))
        .map(|(ssrc, _)| ssrc)
        .collect();
    let packets: u64 = [both.first, both.second]
        .into_iter()
        .flat_map(towards)
        .map(|(_, packets)| packets)
        .sum();
    let came_out = call.all_legs().flat_map(|leg| &leg.media).any(|stream| {
        sent.contains(&stream.ssrc) && stream.flow.destination.ip() != both.first.ip()
    });
    if came_out {
        return;
    }
    let (severity, confidence) = match packets {
        0 => (Severity::Info, Confidence::Possible),
        _ => (Severity::Warning, Confidence::Likely),
    };
    let role = Role::Contributing;
    let Some(finding) = found.add_with(severity, role, confidence, Acts::Network) else {
        return;
    };
    finding.element(both.first.ip().to_string()).args(
        Args::new()
            .text("caller", both.caller.from.to_string())
            .text("callee", both.callee.to.to_string())
            .text("packets", packets.to_string()),
    );
    if packets == 0 {
        finding.why("why-unseen");
    }
    let server = call.agent_at(both.caller.to.ip());
    finding.agent(server.as_deref());
    finding.proofs([both.evidence_of_caller(call), both.evidence_of_media(call)]);
}

fn to(leg: &Call, at: SocketAddr) -> impl Iterator<Item = (u32, u64)> + '_ {
    let there = move |s: &&crate::session::media::RtpStream| s.flow.destination == at;
    leg.media.iter().filter(there).map(|s| (s.ssrc, s.packets))
}

/// A call between two ends behind one address.
struct Both {
    caller: Hop,
    callee: Hop,
    /// Where the callee was told to send, and where the caller was.
    first: SocketAddr,
    second: SocketAddr,
    /// The answer as the caller got it, and its c= line.
    answer: usize,
    connection: Span,
}

fn behind_one(call: &Call) -> Option<Both> {
    let caller = call.hops().into_iter().next()?;
    let (leg, callee) = call
        .all_legs()
        .filter_map(|leg| Some((leg, leg.hops().into_iter().next_back()?)))
        .last()?;
    let public = caller.from.ip();
    let inside = public == callee.to.ip()
        && caller.from != callee.to
        && ![caller.to.ip(), callee.from.ip()].contains(&public)
        && !is_private(public);
    // Two ports of one host are no NAT: one of the two says that it has another address.
    let named = sent_by(call.messages.get(caller.message)?)?.0;
    let translated =
        matches!(named, Host::Ip(own) if is_private(own) && !class(own).is_of_machine());
    if !inside || !translated {
        return None;
    }
    let offer = audio(leg.messages.get(callee.message)?, public)?;
    let answer = nearest_answer(call)?;
    let answered = audio(call.messages.get(answer)?, public)?;
    Some(Both {
        caller,
        callee,
        first: SocketAddr::new(public, offer.port),
        second: SocketAddr::new(public, answered.port),
        answer,
        connection: answered.connection,
    })
}

// The audio that a session description asks for at this address; none where ICE finds another way.
fn audio(stored: &Stored, at: IpAddr) -> Option<Media> {
    let all = sdp::media(stored.message().body());
    let audio = all.into_iter().find(|m| m.kind == "audio" && m.port != 0)?;
    let ip: IpAddr = audio.address.as_deref()?.parse().ok()?;
    (ip == at && !audio.candidates).then_some(audio)
}

// The 2xx as it came nearest the caller.
fn nearest_answer(call: &Call) -> Option<usize> {
    let answers = call.originals().filter(|(_, m)| {
        m.head.code().is_some_and(|code| (200..300).contains(&code)) && call.is_of_beginning(m)
    });
    answers.min_by_key(|(_, m)| m.head.vias).map(|(at, _)| at)
}

impl Both {
    fn evidence_of_caller(&self, call: &Call) -> Option<Evidence> {
        let at = self.caller.message;
        let args = Args::new().text("caller", self.caller.from.to_string());
        let remark = Template::new("caller", args);
        Some(Evidence::header(at, call.messages.get(at)?, "Via", remark))
    }

    fn evidence_of_media(&self, call: &Call) -> Option<Evidence> {
        let body = call.messages.get(self.answer)?.head.body as usize;
        let line = self.connection.shifted(body);
        Some(Evidence::Excerpt {
            message: self.answer,
            line,
            mark: line,
            part: Part::Body,
            note: note("media"),
        })
    }
}
