//! L11: a body that nobody can read because its type is not told, or not right.

use super::super::complaint::Topic;
use super::super::finding::note;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::lint::{Multipart, multipart};
use crate::message::{Flaw, lossy};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "body-without-type",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[
        (3261, "20.15"),
        (3261, "20.12"),
        (3261, "7.4"),
        (2046, "5.1"),
    ],
    title: "the body of {what} cannot be read as it is labelled",
    why: "{writer} sent {what} with a body of {bytes} bytes and no Content-Type: nobody can know what the body is, so it is refused or passed over",
    fix: "Make {writer} send Content-Type with every body (application/sdp for a session description); if a proxy or SBC in between takes the header away, change its header rules.",
    sentences: &[
        (
            "why-boundary",
            "{writer} sent {what} with a body in several parts whose boundary, as Content-Type tells it, is not in the body: nobody finds the parts, the session description among them",
        ),
        (
            "why-unnamed",
            "{writer} sent {what} with a body in several parts and no boundary in Content-Type: nobody finds the parts, the session description among them",
        ),
        (
            "why-encoded",
            "{writer} sent {what} with a body encoded as {encoding}, which few elements can decode",
        ),
        (
            "why-mislabelled",
            "{writer} sent {what} with Content-Encoding {encoding}, and the body is not encoded at all, it begins with v=0: whoever goes by the label cannot read the session description",
        ),
        (
            "why-empty",
            "{writer} sent {what} with a Content-Type and no body: most do not mind, strict parsers refuse the message",
        ),
        (
            "fix-parts",
            "Correct what builds the body on {element}: the boundary parameter of Content-Type has to be the one that stands, after two hyphens, before every part.",
        ),
        (
            "fix-encoded",
            "Switch off body compression on {element} for this peer.",
        ),
        (
            "fix-mislabelled",
            "Leave out Content-Encoding on {element}: the body goes as it is.",
        ),
        (
            "fix-empty",
            "Leave out Content-Type on {element} where there is no body.",
        ),
        ("wrong", "here"),
        ("untyped", "no Content-Type in this message"),
    ],
    explains: &["bad-request-400"],
    confirm: "the log of the element that got it",
    check,
    ..Rule::PLAIN
};

const HARMLESS: Defect = Defect {
    weight: Weight::Harmless,
    codes: &[415, 488],
    topics: &[Topic::ContentType, Topic::Body],
    copied: false,
};
const RISKY: Defect = Defect {
    weight: Weight::Risky,
    ..HARMLESS
};
const USUAL: Defect = Defect {
    weight: Weight::Usual,
    ..HARMLESS
};

type Find = fn(&Stored) -> Option<Mark>;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let flaws = call.flaws();
    if flaws.has(Flaw::Untyped) {
        tell(call, context, found, &HARMLESS, untyped, ("why", "fix"));
    }
    if flaws.has(Flaw::BadMultipart) {
        let sentences = ("why-boundary", "fix-parts");
        tell(call, context, found, &RISKY, other_boundary, sentences);
        let sentences = ("why-unnamed", "fix-parts");
        tell(call, context, found, &RISKY, no_boundary, sentences);
    }
    if lint::was_answered(call, &[400, 415, 488]) {
        let sentences = ("why-mislabelled", "fix-mislabelled");
        tell(call, context, found, &HARMLESS, mislabelled, sentences);
        let sentences = ("why-encoded", "fix-encoded");
        tell(call, context, found, &USUAL, encoded, sentences);
    }
    if lint::was_answered(call, &[400]) {
        let sentences = ("why-empty", "fix-empty");
        tell(call, context, found, &USUAL, empty, sentences);
    }
}

fn tell(
    call: &Call,
    context: &Context<'_>,
    found: &mut Findings,
    defect: &Defect,
    find: Find,
    (why, fix): (&'static str, &'static str),
) {
    let broken = |_: usize, m: &Stored| find(m).filter(|_| lint::is_told(call, m));
    for case in lint::cases(call, defect, &broken) {
        let m = case.stored;
        let id = if why == "why" { "untyped" } else { "wrong" };
        if let Some(finding) = lint::add(found, call, context, defect, &case, note(id)) {
            let encoding = m.message().text("Content-Encoding").unwrap_or_default();
            finding.why(why).fix(fix).args(
                Args::new()
                    .count("bytes", m.message().body().len())
                    .text("encoding", encoding),
            );
        }
    }
}

fn untyped(m: &Stored) -> Option<Mark> {
    let untyped = m.head.flaws.has(Flaw::Untyped) && !m.message().body().is_empty();
    untyped.then(|| Mark::start_line(m))
}

fn parts(m: &Stored, wanted: Multipart) -> Option<Mark> {
    if !m.head.flaws.has(Flaw::BadMultipart) || m.head.flaws.has(Flaw::BodyCut) {
        return None;
    }
    let header = m.message().header("Content-Type")?;
    let fault = multipart(header.value.of(&m.raw), m.message().body())?;
    (fault == wanted).then(|| Mark::header(header, header.value))
}

fn other_boundary(m: &Stored) -> Option<Mark> {
    parts(m, Multipart::OtherBoundary)
}

fn no_boundary(m: &Stored) -> Option<Mark> {
    parts(m, Multipart::NoBoundary)
}

fn encoded(m: &Stored) -> Option<Mark> {
    let header = m.message().header("Content-Encoding")?;
    let encoding = lossy(header.value.of(&m.raw));
    let plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    let said = !plain && m.head.is_request() && !is_sdp(m);
    said.then(|| Mark::header(header, header.value))
}

fn mislabelled(m: &Stored) -> Option<Mark> {
    let header = m.message().header("Content-Encoding")?;
    let encoding = lossy(header.value.of(&m.raw)).to_ascii_lowercase();
    let packed = matches!(encoding.as_str(), "gzip" | "deflate" | "compress" | "br");
    (packed && m.head.is_request() && is_sdp(m)).then(|| Mark::header(header, header.value))
}

fn is_sdp(m: &Stored) -> bool {
    m.message().body().starts_with(b"v=0")
}

fn empty(m: &Stored) -> Option<Mark> {
    let header = m.message().header("Content-Type")?;
    let empty = m.head.is_request() && m.message().body().is_empty();
    empty.then(|| Mark::header(header, header.value))
}
