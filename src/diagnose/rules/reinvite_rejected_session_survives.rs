//! C14: a change of the session was refused; the session as it was goes on, or should.

use super::super::finding::{Evidence, note, sender};
use super::super::inside::{self, Refused};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity, blame,
};
use crate::message::Method;
use crate::message::field::Field;
use crate::message::sdp::{self, Media};
use crate::session::clock::SECOND;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "reinvite-rejected-session-survives",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[
        400, 403, 404, 406, 415, 420, 480, 488, 500, 503, 580, 603, 606,
    ],
    rfc: &[(3261, "14.1"), (3311, "5.1"), (3264, "8")],
    title: "{element} refused a change of the call with {code}",
    why: "{method} wanted to change the session, and {element} refused it with {code}; what was agreed before stays valid and the call goes on",
    fix: "Look at what {method} asked for and {element} does not take, and switch that off or on at one of the two; the call itself needs nothing.",
    sentences: &[
        (
            "why-hold",
            "{method} wanted to put the call on hold, and {element} refused it with {code}; audio stays as it was",
        ),
        (
            "why-resume",
            "{method} wanted to take the call back from hold, and {element} refused it with {code}; the call stays on hold",
        ),
        (
            "why-fax",
            "{method} wanted to go over to fax (T.38), and {element} refused it with {code}; the fax has to go on over the audio codec (G.711)",
        ),
        (
            "why-media",
            "{method} wanted to add {kind}, and {element} refused it with {code}; the call goes on without",
        ),
        (
            "why-moved",
            "{method} wanted audio at another address ({address}), and {element} refused it with {code}; audio goes on to the old one",
        ),
        (
            "why-codecs",
            "{method} offered other codecs ({codecs}), and {element} refused it with {code}; the codec agreed before stays",
        ),
        (
            "why-refresh",
            "{method} repeated the session as it was, to refresh it, and {element} refused it with {code}; the call goes on until the session timer of either side runs out",
        ),
        (
            "why-same",
            "{method} offered the session as it was, and {element} refused it with {code}; what was agreed before stays valid and the call goes on",
        ),
        (
            "fix-fault",
            "Look into the log of {element} at that second: {code} is a fault there, not a word on what {method} asked for. The call itself needs nothing.",
        ),
        (
            "why-ended",
            "{method} wanted to change the session, {element} refused it with {code}, and {ender} hung up {after} later, although what was agreed before was still valid",
        ),
        (
            "fix-ended",
            "Let {ender} go on with the session as it was when a change is refused; and look at what {method} asked for and {element} does not take.",
        ),
        ("request", "the change asked for"),
        ("answer", "refused"),
        ("bye", "hung up after that"),
    ],
    check,
    ..Rule::PLAIN
};

/// Refusals of a change as such. Challenges, glare, lost calls and wrong numbers have rules of
/// their own.
const REFUSALS: [u16; 13] = [
    400, 403, 404, 406, 415, 420, 480, 488, 500, 503, 580, 603, 606,
];

/// Who hangs up as soon as this does so because of the refusal.
const AT_ONCE: i64 = 3 * SECOND;

/// What a request wanted to change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wish {
    Unknown,
    Hold,
    Resume,
    Fax,
    Media(String),
    Moved(String),
    Codecs(String),
    Refresh,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || call.answer().is_none() {
        return;
    }
    let refused = inside::refused(call, &REFUSALS).find(|refused| {
        let change = matches!(refused.request.head.method, Method::Invite | Method::Update);
        change && refused.request.keys.to_tag != 0
    });
    let Some(refused) = refused else { return };
    // A wrong number or a lost call is the reason of the refusal, not the change.
    if ["cseq-out-of-order-500", "overlapping-invite-500"]
        .iter()
        .any(|id| found.has(id))
    {
        return;
    }
    let later = |m: &Stored| {
        m.keys.from_tag == refused.request.keys.from_tag && m.cseq() > refused.request.cseq()
    };
    let retried = inside::offers(call).any(|(t, _, m)| later(m) && inside::is_accepted(call, t));
    if !retried {
        tell(call, refused, found);
    }
}

// The last session description of the same end before it.
fn described_before(call: &Call, refused: Refused<'_>) -> Option<Vec<Media>> {
    let side = call.side(refused.request)?;
    let before = call
        .originals()
        .take_while(|(index, _)| *index < refused.index);
    let own = before.filter(|(_, m)| {
        !m.message().body().is_empty()
            && call.side(m) == Some(side)
            && m.head.code().is_none_or(|code| code < 300)
    });
    let last = own.last()?.1;
    Some(sdp::media(last.message().body()))
}

fn wish(call: &Call, refused: Refused<'_>) -> Wish {
    let asked = sdp::media(refused.request.message().body());
    let before = described_before(call, refused).unwrap_or_default();
    let open = |media: &[Media], kind: &str| {
        let of_kind = media.iter().find(|m| m.kind == kind && m.port != 0);
        of_kind.cloned()
    };
    if open(&asked, "image").is_some() && open(&before, "image").is_none() {
        return Wish::Fax;
    }
    let added = asked
        .iter()
        .find(|m| m.port != 0 && m.kind != "audio" && open(&before, &m.kind).is_none());
    if let Some(added) = added.filter(|_| !before.is_empty()) {
        return Wish::Media(added.kind.clone());
    }
    let (Some(new), Some(old)) = (open(&asked, "audio"), open(&before, "audio")) else {
        return Wish::Unknown;
    };
    let holds = |m: &Media| !m.direction.receives() || m.is_zeroed();
    let codecs = |m: &Media| {
        let names = m.codecs.iter().filter(|c| !c.is_auxiliary());
        names.map(|c| c.name.clone()).collect::<Vec<_>>()
    };
    match () {
        () if holds(&new) && !holds(&old) => Wish::Hold,
        () if holds(&old) && !holds(&new) => Wish::Resume,
        () if (&new.address, new.port) != (&old.address, old.port) => {
            let address = new.address.clone().unwrap_or_default();
            Wish::Moved(format!("{address}:{}", new.port))
        }
        () if codecs(&new) != codecs(&old) => Wish::Codecs(codecs(&new).join(", ")),
        () if new.profile == old.profile => Wish::Refresh,
        () => Wish::Unknown,
    }
}

fn tell(call: &Call, refused: Refused<'_>, found: &mut Findings) {
    let wish = wish(call, refused);
    let at = refused.answer.time();
    let ended = call
        .requests(Method::Bye)
        .find(|(index, _)| *index > refused.answer_index)
        .and_then(|(index, m)| Some((index, m, m.time()? - at?)))
        .filter(|(_, _, after)| (0..AT_ONCE).contains(after));
    // A fax that goes on over audio is as it should be, and so is a refresh that is tried again.
    let severity = match (&wish, &ended) {
        (_, Some(_)) | (Wish::Hold | Wish::Resume | Wish::Moved(_) | Wish::Refresh, _) => {
            Severity::Warning
        }
        _ => Severity::Info,
    };
    let side = call.side(refused.request);
    let acts = side.map_or(Acts::Operator, |side| {
        let refuser = blame::acts_of(call, side.other());
        ended.map_or(refuser, |(_, bye, _)| {
            call.side(bye)
                .map_or(refuser, |side| blame::acts_of(call, side))
        })
    });
    let acts = match severity {
        Severity::Info => Acts::Nobody,
        _ => acts,
    };
    let (role, sure) = (Role::Contributing, Confidence::Certain);
    let Some(finding) = found.add_with(severity, role, sure, acts) else {
        return;
    };
    let (kind, address, codecs) = match &wish {
        Wish::Media(kind) => (kind.as_str(), "", ""),
        Wish::Moved(address) => ("", address.as_str(), ""),
        Wish::Codecs(codecs) => ("", "", codecs.as_str()),
        _ => ("", "", ""),
    };
    finding.element(sender(refused.answer)).args(
        Args::new()
            .text("method", refused.request.message().method_name())
            .code("code", refused.code())
            .text("kind", kind)
            .text("address", address)
            .text("codecs", codecs),
    );
    finding.why(match (&wish, &ended) {
        (_, Some(_)) => "why-ended",
        (Wish::Hold, _) => "why-hold",
        (Wish::Resume, _) => "why-resume",
        (Wish::Fax, _) => "why-fax",
        (Wish::Media(_), _) => "why-media",
        (Wish::Moved(_), _) => "why-moved",
        (Wish::Codecs(_), _) => "why-codecs",
        (Wish::Refresh, _) if call.has(Field::SessionExpires) => "why-refresh",
        (Wish::Refresh, _) => "why-same",
        (Wish::Unknown, _) => "why",
    });
    if refused.code() >= 500 && refused.code() < 600 && refused.code() != 580 {
        finding.fix("fix-fault");
    }
    refused.prove(finding, (note("request"), note("answer")));
    if let Some((index, bye, after)) = ended {
        finding
            .fix("fix-ended")
            .args(
                Args::new()
                    .text("ender", sender(bye))
                    .duration("after", after),
            )
            .proof(Evidence::start_line(index, bye, note("bye")));
    }
}
