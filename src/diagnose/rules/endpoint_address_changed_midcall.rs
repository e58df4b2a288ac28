//! N7: one end goes on from another address in the middle of a call.

use super::super::finding::{Evidence, note};
use super::super::reach::is_of_author;
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity, blame,
};
use crate::message::{Method, sdp};
use crate::session::clock::SECOND;
use crate::session::media::RtpStream;
use crate::session::{Call, Outcome, Side, Stored};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "endpoint-address-changed-midcall",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(3261, "12.2.1.1"), (3261, "14.1")],
    title: "{element} went on from another address in the middle of the call",
    why: "the call began from {before}, and {method} in the same dialog came from {after}: the device changed network (mobile data, Wi-Fi, another line, another node), and it did not tell its new address by a re-INVITE or UPDATE, so media and later requests still go to the old one",
    fix: "Let the device send a re-INVITE or UPDATE with its new Contact and media address when its network changes (network change handling, ICE restart). If the other side may follow media to a new source (symmetric RTP without a lock), audio goes on without it.",
    sentences: &[
        (
            "why-told",
            "the call began from {before}, and {method} in the same dialog came from {after}: the device changed network and told the other side, which accepted",
        ),
        (
            "fix-told",
            "Look here only if audio was lost around this moment: the change itself was signalled as it should be.",
        ),
        (
            "why-end",
            "the call began from {before}, and the BYE that ended it came from {after}: the device changed network (mobile data, Wi-Fi, another line, another node) and did not tell its new address by a re-INVITE or UPDATE. The call ended as it should; audio may have gone to the old address before, and no media is in the capture to tell",
        ),
        (
            "why-media",
            "RTP with the same synchronisation source came from {before} and then from {after}, without a re-INVITE or UPDATE between: the device changed network, and the other side was not told",
        ),
        ("first", "it began from {before}"),
        ("named", "its session description names {before}"),
        ("moved", "now from {after}"),
    ],
    explains: &["bye-unanswered"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || call.answer().is_none() {
        return;
    }
    if let Some(moved) = moved(call) {
        tell(call, moved, found);
    } else if let Some((first, second)) = moved_media(call) {
        tell_media(call, first, second, found);
    }
}

// First and later request of one author, from two addresses. Seen on both sides of a translation
// one message has two senders, which is no move.
fn moved(call: &Call) -> Option<(usize, usize)> {
    const ENDS: usize = 4;
    let mut first: [Option<(u64, usize, IpAddr)>; ENDS] = [None; ENDS];
    for (index, m) in call.originals().filter(|(_, m)| is_of_author(m)) {
        let Some((source, _)) = m.stamp.observed().filter(|_| m.keys.from_tag != 0) else {
            continue;
        };
        let known = first
            .iter()
            .flatten()
            .find(|(tag, ..)| *tag == m.keys.from_tag);
        match known {
            Some((_, at, ip)) if *ip != source.ip() => {
                let inside = m.keys.to_tag != 0 && m.head.method != Method::Ack;
                let is_view = is_second_view(call, *at, *ip, source.ip());
                return (inside && !is_view).then_some((*at, index));
            }
            Some(_) => {}
            None => {
                if let Some(room) = first.iter_mut().find(|slot| slot.is_none()) {
                    *room = Some((m.keys.from_tag, index, source.ip()));
                }
            }
        }
    }
    None
}

// Was any message recorded with both senders?
fn is_second_view(call: &Call, first: usize, a: IpAddr, b: IpAddr) -> bool {
    let from = |m: &Stored, ip: IpAddr| m.stamp.source.is_some_and(|s| s.ip() == ip);
    let branch = |m: &Stored| m.head.branch.of(&m.raw).to_vec();
    let Some(begun) = call.messages.get(first) else {
        return true;
    };
    let own = branch(begun);
    let seen_twice = |m: &Stored| from(m, b) && branch(m) == own;
    from(begun, a) && call.originals().any(|(_, m)| seen_twice(m))
}

fn tell(call: &Call, (first, later): (usize, usize), found: &mut Findings) {
    let (Some(begun), Some(request)) = (call.messages.get(first), call.messages.get(later)) else {
        return;
    };
    let accepted = |index: &usize| {
        let answer = call.messages.get(*index);
        answer.is_some_and(|m| matches!(m.head.code(), Some(200..=299)))
    };
    let told = matches!(request.head.method, Method::Invite | Method::Update)
        && call
            .transactions()
            .iter()
            .any(|t| t.request() == Some(later) && t.finals.iter().any(accepted));
    // Nothing can get lost any more.
    let ends = request.head.method == Method::Bye
        && call.media.is_empty()
        && call
            .transactions()
            .iter()
            .any(|t| t.request() == Some(later) && t.finals.iter().any(accepted));
    let severity = match told || ends {
        true => Severity::Info,
        false => Severity::Warning,
    };
    let side = call.side(request).unwrap_or(Side::Caller);
    let (role, sure) = (Role::Contributing, Confidence::Likely);
    let acts = match told {
        true => Acts::Nobody,
        false => blame::acts_of(call, side),
    };
    let Some(finding) = found.add_with(severity, role, sure, acts) else {
        return;
    };
    let at = |m: &Stored| m.stamp.source.map_or_else(String::new, |a| a.to_string());
    finding.element(at(begun)).args(
        Args::new()
            .text("before", at(begun))
            .text("after", at(request))
            .text("method", request.message().method_name()),
    );
    if told {
        finding.why("why-told").fix("fix-told");
    } else if ends {
        finding.why("why-end");
    }
    finding
        .proof(Evidence::start_line(first, begun, note("first")))
        .proof(Evidence::start_line(later, request, note("moved")));
}

// The same synchronisation source from two addresses, one after the other, to the same port.
fn moved_media(call: &Call) -> Option<(&RtpStream, &RtpStream)> {
    let follows = |a: &RtpStream, b: &RtpStream| {
        let gap = a.last.zip(b.first).map(|(last, first)| first.0 - last.0);
        a.ssrc == b.ssrc
            && a.flow.source.ip() != b.flow.source.ip()
            && a.flow.destination == b.flow.destination
            && a.packets >= 50
            && b.packets >= 50
            && gap.is_some_and(|gap| (0..60 * SECOND).contains(&gap))
    };
    call.media
        .iter()
        .find_map(|a| Some((a, call.media.iter().find(|b| follows(a, b))?)))
}

fn tell_media(call: &Call, first: &RtpStream, second: &RtpStream, found: &mut Findings) {
    let (Some(from), Some(until)) = (first.last, second.first) else {
        return;
    };
    // A re-INVITE about then may have moved the media, to a relay for instance.
    let changes = |m: &Stored| {
        matches!(m.head.method, Method::Invite | Method::Update)
            && !m.message().body().is_empty()
            && m.time()
                .is_some_and(|at| (from.0 - 5 * SECOND..=until.0).contains(&at))
    };
    let mut later = call.messages.iter().filter(|m| !call.is_of_beginning(m));
    if call.outcome != Outcome::Succeeded || later.any(changes) {
        return;
    }
    // Whoever named the first address in SDP.
    let describes = |m: &Stored| {
        let named = sdp::media(m.message().body()).into_iter();
        let mut named = named.filter_map(|media| media.address?.parse::<IpAddr>().ok());
        named.any(|ip| ip == first.flow.source.ip())
    };
    let Some((index, described)) = call.originals().find(|(_, m)| describes(m)) else {
        return;
    };
    let side = call.side(described).unwrap_or(Side::Caller);
    let (role, sure) = (Role::Contributing, Confidence::Likely);
    let acts = blame::acts_of(call, side);
    let Some(finding) = found.add_as(role, sure, acts) else {
        return;
    };
    finding
        .element(first.flow.source.to_string())
        .args(
            Args::new()
                .text("before", first.flow.source.to_string())
                .text("after", second.flow.source.to_string())
                .text("method", "RTP"),
        )
        .why("why-media")
        .proof(Evidence::start_line(index, described, note("named")))
        .proof(Evidence::Absence {
            message: index,
            from: from.0,
            until: until.0,
            note: note("moved"),
        });
}
