//! C2: one side wants encrypted media (or another RTP profile) and the other does not.

use super::super::finding::{Evidence, Part, Template, deciding, note, sender};
use super::super::{
    Acts, Args, Causes, Confidence, Context, Findings, Frequency, Product, Role, Rule, Severity,
    blame,
};
use crate::message::field::Field;
use crate::message::hints::Hint;
use crate::message::sdp::{self, Media};
use crate::message::{Method, Span, typed};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "rtp-profile-mismatch",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[415, 488, 606],
    causes: &[("warning", Causes::Only(&[302]))],
    rfc: &[(3264, "6"), (4568, "5.1"), (3261, "21.4.26")],
    title: "{element} does not take the RTP profile {offered}",
    why: "the caller offers audio as {offered}, and {element} uses {taken} in its own session descriptions; profiles differ in encryption (SAVP) and feedback (F), and both sides must speak the same",
    fix: "Set both sides to the same: encryption of media (SRTP, and DTLS or SDES for its keys) on or off on this trunk or line, or let the SBC between them translate. Keys of SDES are safe only where signalling runs over TLS.",
    sentences: &[
        (
            "why-warning",
            "the caller offers audio as {offered}, and {element} refuses it and names the transport of the media as the reason; which profile it would take is not in the capture",
        ),
        (
            "why-possible",
            "the caller offers audio as {offered}, encrypted, and {element} refuses the session without saying why; a side without encryption refuses so",
        ),
        (
            "why-answer",
            "audio was offered as {offered}, and {element} answered with {taken} for the same stream; an answer has to keep the profile of the offer or refuse the stream with port 0, and the two sides will not understand each other's media",
        ),
        (
            "fix-answer",
            "Correct {element}, or what changes session descriptions on the way: the answer has to name the same profile as the offer.",
        ),
        ("offer", "the profile offered"),
        ("taken", "the profile that {element} uses: {taken}"),
        ("warning", "the reason given"),
        ("refused", "the answer"),
    ],
    explains: &["codec-no-common"],
    confirm: "a session description that {element} offers itself, or its log",
    settings: &[
        (
            Product::Asterisk,
            "In pjsip.conf media_encryption of the endpoint says so (no, sdes, dtls); media_encryption_optimistic=yes takes calls with and without.",
        ),
        (
            Product::FreeSwitch,
            "The channel variable rtp_secure_media says so (optional, mandatory, forbidden).",
        ),
        (
            Product::Kamailio,
            "rtpengine_manage() translates with the flags RTP/AVP, RTP/SAVP, RTP/SAVPF.",
        ),
        (
            Product::OpenSips,
            "rtpengine_manage() translates with the flags RTP/AVP, RTP/SAVP, RTP/SAVPF.",
        ),
        (
            Product::Cube,
            "srtp under voice service voip or the dial peer says so; srtp fallback takes calls with and without.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    match call.outcome {
        Outcome::Succeeded => answered(call, found),
        Outcome::Failed => refused(call, context, found),
        _ => {}
    }
}

fn audio(stored: &Stored) -> Vec<Media> {
    let media = sdp::media(stored.message().body()).into_iter();
    media.filter(|m| m.kind == "audio" && m.port != 0).collect()
}

fn is_secure(profile: &str) -> bool {
    profile.to_ascii_uppercase().contains("SAVP")
}

fn excerpt(index: usize, stored: &Stored, line: Span, note: Template) -> Evidence {
    let line = line.shifted(stored.head.body as usize);
    Evidence::Excerpt {
        message: index,
        line,
        mark: line,
        part: Part::Body,
        note,
    }
}

fn refused(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((index, answer)) =
        deciding(call).filter(|(_, m)| matches!(m.head.code(), Some(415 | 488 | 606)))
    else {
        return;
    };
    let asked = call.transaction_of(index).and_then(|t| t.request());
    let Some((at, request)) = asked.and_then(|at| Some((at, call.messages.get(at)?))) else {
        return;
    };
    let offered = audio(request);
    let Some(first) = offered.first() else { return };
    let profiles: Vec<&str> = offered.iter().map(|m| m.profile.as_str()).collect();
    let takes = |profile: &str| profiles.iter().any(|own| own.eq_ignore_ascii_case(profile));
    let peer = answer
        .stamp
        .source
        .and_then(|address| context.view.peer(address.ip()));
    let known = peer
        .map(|peer| peer.profiles.as_slice())
        .filter(|profiles| !profiles.is_empty());
    // 302: the transport of a media line is not available (RFC 3261 §20.43).
    let warned = call.fields(index).has(Field::Warning)
        && typed::warnings(answer.message())
            .iter()
            .any(|w| w.code == 302);
    let confidence = match known {
        Some(known) if known.iter().any(|profile| takes(profile)) && !warned => return,
        Some(known) if !known.iter().any(|profile| takes(profile)) => match warned {
            true => Confidence::Certain,
            false => Confidence::Likely,
        },
        _ if warned => Confidence::Likely,
        _ if profiles.iter().all(|profile| is_secure(profile)) => Confidence::Possible,
        _ => return,
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    let taken = known.filter(|known| !known.iter().any(|profile| takes(profile)));
    finding
        .element(sender(answer))
        .args(
            Args::new()
                .text("offered", profiles.join(", "))
                .text("taken", taken.unwrap_or_default().join(", ")),
        )
        .proof(excerpt(at, request, first.line, note("offer")))
        .proof(Evidence::start_line(index, answer, note("refused")));
    match (taken, warned) {
        (Some(_), _) => {}
        (None, true) => drop(finding.why("why-warning")),
        (None, false) => drop(finding.why("why-possible")),
    }
    if warned {
        finding.proof(Evidence::header(index, answer, "Warning", note("warning")));
    }
    let described = peer.filter(|_| taken.is_some()).and_then(|p| p.described);
    let described = described.filter(|spot| !spot.is_in(call));
    finding.elsewhere(described, "elsewhere-described");
}

// An answer with encryption to an offer without, or the other way round, for the same stream.
fn answered(call: &Call, found: &mut Findings) {
    let mentions = |m: &Stored| m.head.hints.has(Hint::SecureMedia);
    for transaction in call
        .transactions()
        .iter()
        .filter(|t| t.method == Method::Invite)
    {
        let message = |index: usize| Some((index, call.messages.get(index)?));
        let offer = transaction.request().and_then(message);
        let mut finals = transaction.finals.iter().filter_map(|&at| message(at));
        let answer = finals.find(|(_, m)| matches!(m.head.code(), Some(200..=299)));
        let Some(((at, request), (index, answer))) = offer.zip(answer) else {
            continue;
        };
        if mentions(request) == mentions(answer) {
            continue;
        }
        let described = !request.message().body().is_empty() && !answer.message().body().is_empty();
        if !described {
            continue;
        }
        let mut pairs = sdp::media(request.message().body())
            .into_iter()
            .zip(sdp::media(answer.message().body()));
        let differs = |(a, b): &(Media, Media)| {
            a.kind == "audio"
                && a.port != 0
                && b.port != 0
                && is_secure(&a.profile) != is_secure(&b.profile)
        };
        let Some((offered, taken)) = pairs.find(differs) else {
            continue;
        };
        let acts = call
            .side(answer)
            .map_or(Acts::Operator, |side| blame::acts_of(call, side));
        let (severity, role) = (Severity::Warning, Role::Contributing);
        if let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) {
            finding
                .element(sender(answer))
                .args(
                    Args::new()
                        .text("offered", offered.profile.clone())
                        .text("taken", taken.profile.clone()),
                )
                .why("why-answer")
                .fix("fix-answer")
                .proof(excerpt(at, request, offered.line, note("offer")))
                .proof(excerpt(index, answer, taken.line, note("taken")));
        }
        return;
    }
}
