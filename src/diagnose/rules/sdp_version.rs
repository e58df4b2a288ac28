//! L14: a session description changed and its version did not.

use super::super::finding::{Part, note};
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::field::Field;
use crate::message::{Span, lossy, span};
use crate::session::oddity::Oddity;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "sdp-version",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3264, "8"), (8866, "5.2")],
    title: "the media changed in {what} and the SDP version did not go up",
    why: "{writer} changed {line} in its session description and left the version in the o= line at {version}: the peer is told that nothing is new, and many then go on with the old address, codecs or direction, so that one side hears nothing after the change",
    fix: "Update {writer} or report this to its vendor: the version in the o= line has to go up by one with each change of the session description. If a proxy or media relay rewrites the description, let it rewrite the version as well.",
    sentences: &[
        (
            "why-down",
            "{writer} changed {line} in its session description and lowered the version in the o= line to {version}: a peer that only looks for a higher version does not take the change over",
        ),
        ("wrong", "the version"),
        ("before", "the same version before"),
        ("before-higher", "a higher version before"),
        ("changed", "this is new"),
    ],
    explains: &["hold-not-resumed"],
    confirm: "the media after the change: packets that still go to the old address",
    check,
    ..Rule::PLAIN
};

const DEFECT: Defect = Defect {
    weight: Weight::Risky,
    codes: &[],
    topics: &[],
    copied: false,
};

/// The o= line of a session description, read (RFC 8866 §5.2).
#[derive(Clone, Copy)]
struct Origin<'a> {
    line: Span,
    /// All but the version: who and which session.
    session: &'a [u8],
    version: &'a [u8],
    number: u64,
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if !call.oddities().has(Oddity::BodyChanged) {
        return;
    }
    for lowered in [false, true] {
        tell(call, context, found, lowered);
    }
}

// A version that was kept and one that was lowered are two faults.
fn tell(call: &Call, context: &Context<'_>, found: &mut Findings, lowered: bool) {
    let broken = |index: usize, m: &Stored| {
        let change = change(call, index, m)?;
        if lowered != (change.now.number < change.before.number) {
            return None;
        }
        let span = span::span_in(&m.raw, change.now.version);
        Some(Mark {
            line: change.now.line,
            span,
            part: Part::Body,
        })
    };
    for case in lint::cases(call, &DEFECT, &broken) {
        let Some(change) = change(call, case.message, case.stored) else {
            continue;
        };
        let Some(finding) = lint::add(found, call, context, &DEFECT, &case, note("wrong")) else {
            continue;
        };
        let line = lossy(change.line.of(&case.stored.raw));
        let line: String = line.chars().take(80).collect();
        let version = lossy(change.now.version);
        finding.args(Args::new().text("line", line).text("version", version));
        let before = match lowered {
            true => {
                finding.why("why-down");
                note("before-higher")
            }
            false => note("before"),
        };
        let part = Part::Body;
        let shown = |line: Span, span: Span| Mark { line, span, part };
        let changed = shown(change.line, change.line);
        finding.proof(changed.evidence(case.message, note("changed")));
        if let Some(old) = call.messages.get(change.message) {
            let version = span::span_in(&old.raw, change.before.version);
            let mark = shown(change.before.line, version);
            finding.proof(mark.evidence(change.message, before));
        }
    }
}

struct Change<'a> {
    /// The message with the description before.
    message: usize,
    before: Origin<'a>,
    now: Origin<'a>,
    /// The first line of the media that is not as before.
    line: Span,
}

// The description that this one follows in the same dialog and session, where the media changed and
// the version did not go up.
fn change<'a>(call: &'a Call, index: usize, m: &Stored) -> Option<Change<'a>> {
    const MOST: usize = 64;
    let m = call.messages.get(index).filter(|own| own.keys == m.keys)?;
    let now = origin(call, index, m)?;
    let before = call.originals().take_while(|(at, _)| *at < index);
    let sides = |m: &Stored| match m.head.is_request() {
        true => (m.keys.from_tag, m.keys.to_tag),
        false => (m.keys.to_tag, m.keys.from_tag),
    };
    let (own, peer) = sides(m);
    let of_dialog = |known: &Stored| {
        let (side, other) = sides(known);
        // The first offer came before there was a tag of the peer.
        own != 0 && side == own && (other == peer || other == 0)
    };
    let same_writer = |known: &Stored| known.stamp.sender().is(m.stamp.sender());
    let (message, known) = before
        .filter(|(_, known)| of_dialog(known) && same_writer(known))
        .take(MOST)
        .filter(|(at, known)| {
            origin(call, *at, known).is_some_and(|origin| origin.session == now.session)
        })
        .last()?;
    let before = origin(call, message, known)?;
    // An offer of its own, such as the same INVITE from another port, changes no session.
    if now.number > before.number || (m.is_initial() && known.is_initial()) {
        return None;
    }
    let line = new_line(m, known)?;
    Some(Change {
        message,
        before,
        now,
        line,
    })
}

fn origin<'a>(call: &Call, index: usize, m: &'a Stored) -> Option<Origin<'a>> {
    let body = m.message().body();
    let kind = call.fields(index).value(Field::ContentType)?;
    let kind = kind.get(..15).unwrap_or_default();
    if body.is_empty() || !kind.eq_ignore_ascii_case(b"application/sdp") || !lint::is_whole(m) {
        return None;
    }
    let line = lines(body).find(|line| line.starts_with(b"o="))?;
    let words: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
    let [name, session, version, ..] = words.as_slice() else {
        return None;
    };
    let number = std::str::from_utf8(version).ok()?.parse().ok()?;
    let until = name.len() + 1 + session.len();
    Some(Origin {
        line: span::span_in(&m.raw, line),
        session: line.get(..until)?,
        version,
        number,
    })
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    const MOST: usize = 512;
    body.split(|b| *b == b'\n')
        .map(<[u8]>::trim_ascii)
        .take(MOST)
}

// Where media goes, which codecs, which direction: the rest may be written anew at will.
fn tells(line: &[u8]) -> bool {
    const DIRECTIONS: [&[u8]; 4] = [b"a=sendrecv", b"a=sendonly", b"a=recvonly", b"a=inactive"];
    line.starts_with(b"c=") || line.starts_with(b"m=") || DIRECTIONS.contains(&line)
}

fn new_line(m: &Stored, before: &Stored) -> Option<Span> {
    let old: Vec<&[u8]> = lines(before.message().body())
        .filter(|l| tells(l))
        .collect();
    let mut own = lines(m.message().body()).filter(|l| tells(l));
    // Without a direction it is sendrecv.
    let is_new = |line: &&[u8]| !old.contains(line) && *line != b"a=sendrecv";
    own.find(is_new).map(|line| span::span_in(&m.raw, line))
}
