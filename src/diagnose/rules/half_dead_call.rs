//! G10: one half of a call was ended, the other half is still up.

use super::super::blame;
use super::super::finding::{Evidence, Template, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::{Method, sdp};
use crate::session::clock::SECOND;
use crate::session::media::RtpStream;
use crate::session::{Call, Side, Stored};
use std::net::SocketAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "half-dead-call",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "15.1.1"), (3261, "15.1.2")],
    title: "one side hung up, and the other side was in the call {after} longer",
    why: "{element} hung up, and {other} went on sending audio for {after} after that: the BYE did not end the call there",
    fix: "Find out why {other} did not take the BYE for this call: its answer, the tags in the BYE, the address that it was sent to. Whoever gets 481 or no answer to a BYE has ended the call on its own side only.",
    sentences: &[
        (
            "why-leg",
            "the call of {element} was hung up, and its second leg towards {other} was not: nothing ended it in the {after} that the capture goes on",
        ),
        (
            "fix-leg",
            "Look into the log of the system between the two legs for what it did with the BYE; it has to end the other leg when one is ended, unless it transfers or parks the call.",
        ),
        ("bye", "one side hangs up"),
        ("refused", "the BYE was refused"),
        (
            "audio",
            "audio went on until then, {packets} packets in all",
        ),
        ("leg", "no BYE on the other leg"),
    ],
    confirm: "the log of {other}",
    check,
    ..Rule::PLAIN
};

/// Audio may go on for a moment: what is under way, and the time in which a BYE is repeated.
const A_MOMENT: i64 = 3 * SECOND;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    let Some((index, bye)) = call.requests(Method::Bye).next() else {
        return;
    };
    let Some(sent) = bye.time() else { return };
    if let Some((stream, after)) = still_talking(call, bye, sent) {
        tell_media(call, (index, bye), stream, after, found);
    } else if let Some((leg, after)) = leg_left(call, sent) {
        tell_leg((index, bye), leg, after, found);
    }
}

// Audio of the other end to the one who hung up, well after the BYE was answered.
fn still_talking<'a>(call: &'a Call, bye: &Stored, sent: i64) -> Option<(&'a RtpStream, i64)> {
    if call.media.is_empty() {
        return None;
    }
    let side = call.side(bye)?;
    let own = ends(call, side);
    call.media.iter().find_map(|stream| {
        let (first, last) = (stream.first?.0, stream.last?.0);
        let began = first < sent && own.contains(&stream.flow.destination);
        let after = last - sent;
        (began && after > A_MOMENT).then_some((stream, after))
    })
}

// Where an end wants its audio.
fn ends(call: &Call, side: Side) -> Vec<SocketAddr> {
    const MOST: usize = 16;
    let described = call
        .originals()
        .filter(|(_, m)| !m.message().body().is_empty() && call.side(m) == Some(side));
    let media = described.flat_map(|(_, m)| sdp::media(m.message().body()));
    let addresses = media.filter_map(|m| Some(SocketAddr::new(m.address?.parse().ok()?, m.port)));
    addresses.take(MOST).collect()
}

fn tell_media(
    call: &Call,
    (index, bye): (usize, &Stored),
    stream: &RtpStream,
    after: i64,
    found: &mut Findings,
) {
    let (role, sure) = (Role::Contributing, Confidence::Likely);
    let other = call.side(bye).map(Side::other);
    let acts = other.map_or(Acts::Operator, |side| blame::acts_of(call, side));
    let Some(finding) = found.add_as(role, sure, acts) else {
        return;
    };
    finding
        .element(sender(bye))
        .args(
            Args::new()
                .text("other", stream.flow.source.ip().to_string())
                .duration("after", after),
        )
        .proof(Evidence::start_line(index, bye, note("bye")));
    let refusal = call.originals().find(|(_, m)| {
        m.keys.transaction == bye.keys.transaction && m.head.code().is_some_and(|code| code >= 300)
    });
    if let Some((at, answer)) = refusal {
        finding.proof(Evidence::start_line(at, answer, note("refused")));
    }
    if let Some(from) = bye.time() {
        let packets = usize::try_from(stream.packets).unwrap_or(usize::MAX);
        finding.proof(Evidence::Absence {
            message: index,
            from,
            until: from + after,
            note: Template::new("audio", Args::new().count("packets", packets)),
        });
    }
}

// A further leg that was answered and never ended, though the capture goes on.
fn leg_left(call: &Call, sent: i64) -> Option<(&Call, i64)> {
    let transfers = |leg: &Call| {
        let moves = |m: &Stored| m.head.method == Method::Refer;
        leg.messages.iter().any(moves)
    };
    if call.legs.is_empty() || call.all_legs().any(transfers) {
        return None;
    }
    let left = call.legs.iter().find(|leg| {
        let answered = leg.answer().and_then(Stored::time);
        answered.is_some_and(|at| at < sent)
            && leg.bye().is_none()
            && leg.messages.iter().all(|m| m.head.method != Method::Cancel)
    })?;
    let after = left.seen_until? - sent;
    (after > 2 * A_MOMENT).then_some((left, after))
}

fn tell_leg((index, bye): (usize, &Stored), leg: &Call, after: i64, found: &mut Findings) {
    let (role, sure) = (Role::Contributing, Confidence::Likely);
    let Some(finding) = found.add_as(role, sure, Acts::Operator) else {
        return;
    };
    let other = leg.answer().and_then(|m| m.stamp.source);
    finding
        .element(sender(bye))
        .args(
            Args::new()
                .text("other", other.map_or_else(String::new, |a| a.to_string()))
                .duration("after", after),
        )
        .why("why-leg")
        .fix("fix-leg")
        .proof(Evidence::start_line(index, bye, note("bye")));
    if let Some(from) = bye.time() {
        finding.proof(Evidence::Absence {
            message: index,
            from,
            until: from + after,
            note: note("leg"),
        });
    }
}
