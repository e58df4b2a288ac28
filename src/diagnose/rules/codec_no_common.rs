//! C1: the two sides have no codec in common.

use super::super::finding::{Evidence, Part, Template, Value, deciding, note, sender};
use super::super::{Acts, Args, Causes, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::sdp::{self, Media};
use crate::message::typed;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "codec-no-common",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[415, 488, 500, 606],
    causes: &[("warning", Causes::Only(&[304, 305]))],
    rfc: &[(3264, "6"), (3261, "21.4.26"), (3261, "20.43")],
    title: "the two sides have no codec in common",
    why: "the caller offers {offered}; {element} takes {taken}, as its own session descriptions show; nothing is on both lists",
    fix: "Allow a codec on both sides, best G.711 (PCMU and PCMA), in the codec list of the side that restricts it: the caller's, where only {offered} is offered. Where neither side can change, let the PBX or SBC between them transcode.",
    sentences: &[
        (
            "why-warning",
            "the caller offers {offered}, and {author} refuses it as an incompatible media format; its own list is not in the capture",
        ),
        (
            "why-none",
            "the offer of the caller has no media at all: every stream in it has port 0, which means that it is not to be used, and {element} answers {code}",
        ),
        (
            "fix-none",
            "Switch on at least one audio codec (PCMU or PCMA) in the software of the caller; some send such an offer where all their codecs are off or do not fit the bandwidth.",
        ),
        ("none", "port 0: this stream is not to be used"),
        ("offer", "the codecs offered: {offered}"),
        ("taken", "the codecs that {element} takes: {taken}"),
        ("warning", "the reason given: {name}"),
        ("answer", "the final answer"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call) else {
        return;
    };
    if !matches!(response.head.code(), Some(415 | 488 | 500 | 606)) {
        return;
    }
    if let Some((at, asked)) = call.asked(response)
        && offers_nothing(asked)
    {
        return tell_nothing(found, (at, asked), (index, response));
    }
    let Some((offer_at, offer, media)) = offer(call, response) else {
        return;
    };
    let offered = names(&media);
    // Encryption asked for by one side only looks the same from afar and is another cause.
    if offered.is_empty() || media.profile != "RTP/AVP" {
        return;
    }
    let own = own_codecs(call, response);
    let known = context.view.codecs(response.stamp.sender());
    let taken = own.as_ref().or(known.map(|known| &known.names));
    let warning = typed::warnings(response.message())
        .into_iter()
        .find(|w| matches!(w.code, 304 | 305));
    let confidence = match (taken, &warning) {
        (Some(taken), _) if taken.iter().any(|codec| offered.contains(codec)) => return,
        // What it took in another call may not be all that it takes.
        (Some(_), _) if own.is_none() && warning.is_none() => Confidence::Likely,
        (Some(_), _) => Confidence::Certain,
        (None, Some(warning)) if warning.code == 305 => Confidence::Likely,
        // A plain 500 has too many other reasons.
        _ => return,
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    let list = offered.join(", ");
    finding
        .element(sender(response))
        .args(Args::new().text("offered", list.clone()));
    let line = media.line.shifted(offer.head.body as usize);
    let note_offer = Template::new("offer", Args::new().text("offered", list));
    finding.proof(Evidence::Excerpt {
        message: offer_at,
        line,
        mark: line,
        part: Part::Body,
        note: note_offer,
    });
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if let Some(warning) = warning {
        let author = match warning.agent.as_str() {
            "" => sender(response),
            agent => agent.to_owned(),
        };
        finding.args(Args::new().text("author", author));
        let name = crate::knowledge::cause("warning", warning.code.into())
            .map_or(Value::nothing(), Value::Name);
        finding.proof(Evidence::header(
            index,
            response,
            "Warning",
            Template::new("warning", Args::new().with("name", name)),
        ));
    }
    match taken {
        Some(taken) => finding.args(Args::new().text("taken", taken.join(", "))),
        None => finding.why("why-warning"),
    };
    if own.is_none() {
        let described = known.and_then(|known| known.described);
        let described = described.filter(|spot| !spot.is_in(call));
        finding.elsewhere(described, "elsewhere-described");
    }
}

// Is every stream of the offer one that is not to be used (RFC 3264 §5.1)?
fn offers_nothing(asked: &Stored) -> bool {
    let media = sdp::media(asked.message().body());
    !media.is_empty() && media.iter().all(|m| m.port == 0)
}

fn tell_nothing(found: &mut Findings, asked: (usize, &Stored), answer: (usize, &Stored)) {
    let Some(finding) = found.add(Confidence::Certain, Acts::Caller) else {
        return;
    };
    let code = answer.1.head.code().unwrap_or(488);
    finding
        .element(sender(answer.1))
        .why("why-none")
        .fix("fix-none");
    finding.args(Args::new().code("code", code).said("offered", "nothing"));
    let (at, request) = asked;
    for media in sdp::media(request.message().body()).into_iter().take(4) {
        let line = media.line.shifted(request.head.body as usize);
        finding.proof(Evidence::Excerpt {
            message: at,
            line,
            mark: line,
            part: Part::Body,
            note: note("none"),
        });
    }
    finding.proof(Evidence::start_line(answer.0, answer.1, note("answer")));
}

// The audio line of the request that the response refuses.
fn offer<'a>(call: &'a Call, response: &Stored) -> Option<(usize, &'a Stored, Media)> {
    let requests = call.originals().filter(|(_, m)| m.head.is_request());
    let mut asked = requests.filter(|(_, m)| m.keys.transaction == response.keys.transaction);
    let (index, stored) = asked.next()?;
    let media = sdp::media(stored.message().body())
        .into_iter()
        .find(|m| m.kind == "audio" && m.port != 0)?;
    Some((index, stored, media))
}

// What the refusing side says of itself in this call: in the refusal or an earlier answer.
fn own_codecs(call: &Call, response: &Stored) -> Option<Vec<String>> {
    let refusing = response.stamp.sender();
    let own = call
        .messages
        .iter()
        .filter(|m| m.stamp.sender().is(refusing));
    let lists = own
        .filter(|m| !m.head.is_request())
        .flat_map(|m| sdp::media(m.message().body()));
    let mut audio = lists.filter(|m| m.kind == "audio" && !names(m).is_empty());
    audio.next().map(|m| names(&m))
}

fn names(media: &Media) -> Vec<String> {
    media
        .codecs
        .iter()
        .filter(|codec| !codec.is_auxiliary())
        .map(|codec| codec.name.clone())
        .collect()
}
