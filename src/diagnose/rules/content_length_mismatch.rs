//! X7: Content-Length is not the length of the body.

use super::super::complaint::Topic;
use super::super::finding::{Part, note};
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::layers::Transport;
use crate::message::field::Field;
use crate::message::{Flaw, Span, lossy};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "content-length-mismatch",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[(3261, "18.3"), (3261, "20.14")],
    title: "the Content-Length of {what} does not tell where its body ends",
    why: "{writer} sent {what} with Content-Length {says} and a body of {there} bytes: whoever gets it has to take it for cut off, so a request is refused with 400 and an answer is dropped",
    fix: "Look for what changes the body after the length was counted: a script, header rule or application on {element} that edits the session description, or a router or firewall with a SIP helper (ALG) in front of it. Content-Length has to be set after the last change.",
    sentences: &[
        (
            "why-taken",
            "{writer} sent {what} with Content-Length {says} and a body of {there} bytes: the peer answered it all the same, but whoever takes the length at its word takes it for cut off and refuses it with 400",
        ),
        (
            "why-returns",
            "{writer} sent {what} with Content-Length {says} and a body of {there} bytes; as many bytes are missing ({feeds}) as lines in it end with a line feed alone: the length was counted with a carriage return in each of them, and those were lost afterwards. A strict peer takes the message for cut off: it refuses a request with 400 and drops an answer",
        ),
        (
            "fix-returns",
            "Look for what takes the carriage returns away after the length was counted: a template or script that {element} makes the message with, a file with Unix line ends, or the agent that made this copy, where the message was mirrored (HEP). Each line of a session description ends with carriage return and line feed.",
        ),
        (
            "why-more",
            "{writer} sent {what} with Content-Length {says} and a body of {there} bytes: the rest must be thrown away, from \"{lost}\" on, so the peer reads a session description without its end",
        ),
        (
            "why-none",
            "{writer} sent {what} over {transport} without Content-Length: on a connection it alone tells where the message ends, so the body is taken for the beginning of the next message, or the peer drops the connection",
        ),
        (
            "fix-none",
            "Make {element} send Content-Length with every message over TCP or TLS; if a proxy or SBC in between takes the header away, change its header rules.",
        ),
        ("short", "and there are {there} bytes"),
        ("long", "and there are {there} bytes"),
        ("lost", "from here on thrown away"),
        ("none", "no Content-Length in this message"),
    ],
    explains: &[
        "bad-request-400",
        "request-no-response",
        "trying-then-silence",
        "2xx-not-acked",
        "final-not-acked",
        "408-origin",
    ],
    confirm: "the log of the element that got it",
    check,
    ..Rule::PLAIN
};

const RISKY: Defect = Defect {
    weight: Weight::Risky,
    codes: &[],
    topics: &[Topic::ContentLength, Topic::Body],
    copied: false,
};
const USUAL: Defect = Defect {
    weight: Weight::Usual,
    ..RISKY
};
const HARMLESS: Defect = Defect {
    weight: Weight::Harmless,
    ..RISKY
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let flaws = call.flaws();
    if flaws.has(Flaw::BodyCut) {
        short(call, context, found);
    }
    if flaws.has(Flaw::BodyExcess) {
        long(call, context, found);
    }
    if call.messages.iter().any(is_endless) {
        for (defect, typed) in [(&HARMLESS, true), (&USUAL, false)] {
            endless(call, context, found, defect, typed);
        }
    }
}

fn lengths(m: &Stored) -> (String, usize) {
    let says = m.message().text(Field::ContentLength.name());
    (says.unwrap_or_default(), m.message().body().len())
}

fn short(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let is_short = |m: &Stored| {
        let flaws = m.head.flaws;
        // Without the blank line nobody knows where the body begins.
        flaws.has(Flaw::BodyCut) && !flaws.has(Flaw::NoBlankLine) && lint::has_bytes(m)
    };
    let mark = |m: &Stored| Mark::value(m, Field::ContentLength.name());
    let with = |m: &Stored| is_short(m).then(|| returns_lost(m));
    let plain = |_: usize, m: &Stored| with(m).is_some_and(|lost| lost.is_none()).then(|| mark(m));
    for case in lint::cases(call, &RISKY, &plain) {
        let (says, there) = lengths(case.stored);
        if let Some(finding) = lint::add(found, call, context, &RISKY, &case, note("short")) {
            finding.args(Args::new().text("says", says).count("there", there));
            if case.was_answered() {
                finding.why("why-taken");
            }
        }
    }
    let lost = |_: usize, m: &Stored| with(m).flatten().map(|_| mark(m));
    for case in lint::cases(call, &RISKY, &lost) {
        let (says, there) = lengths(case.stored);
        let defect = if case.taken { HARMLESS } else { RISKY };
        if let Some(finding) = lint::add(found, call, context, &defect, &case, note("short")) {
            finding.why("why-returns").fix("fix-returns");
            let feeds = returns_lost(case.stored).unwrap_or_default();
            let args = Args::new().text("says", says).count("there", there);
            finding.args(args.count("feeds", feeds));
        }
    }
}

// How many lines of the body end with a line feed alone, where just as many bytes are missing.
fn returns_lost(m: &Stored) -> Option<usize> {
    let body = m.message().body();
    let missing = (m.head.content_length? as usize).checked_sub(body.len())?;
    let ends = memchr::memchr_iter(b'\n', body);
    let feeds = ends.filter(|at| *at == 0 || body.get(at - 1) != Some(&b'\r'));
    let feeds = feeds.count();
    (feeds > 0 && feeds == missing).then_some(feeds)
}

fn long(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |_: usize, m: &Stored| {
        let is_long = m.head.flaws.has(Flaw::BodyExcess) && lint::has_bytes(m);
        let lost = rest(m).filter(|_| is_long);
        lost.map(|_| Mark::value(m, Field::ContentLength.name()))
    };
    for case in lint::cases(call, &RISKY, &broken) {
        let Some(lost) = rest(case.stored) else {
            continue;
        };
        let (says, there) = lengths(case.stored);
        let Some(finding) = lint::add(found, call, context, &RISKY, &case, note("long")) else {
            continue;
        };
        finding.why("why-more").args(
            Args::new()
                .text("says", says)
                .count("there", there)
                .text("lost", lossy(lost.of(&case.stored.raw))),
        );
        let mark = Mark {
            line: lost,
            span: lost,
            part: Part::Body,
        };
        finding.proof(mark.evidence(case.message, note("lost")));
    }
}

// The first line of what stands behind the end that Content-Length tells, as far as it is there. Line
// ends and zeros at the end of a datagram mean nothing.
fn rest(m: &Stored) -> Option<Span> {
    let from = m.head.body as usize + m.head.content_length? as usize;
    let rest = m.raw.get(from..)?;
    let blank = rest.iter().take_while(|b| is_blank(**b)).count();
    let text = rest.get(blank..).filter(|text| !text.is_empty())?;
    let end = text.iter().position(|b| matches!(b, b'\r' | b'\n'));
    let start = from + blank;
    Some(Span::new(start, start + end.unwrap_or(text.len())))
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0
}

// Over WebSocket the frame tells the length (RFC 7118 §5).
fn is_endless(m: &Stored) -> bool {
    let stream = matches!(m.stamp.transport, Some(Transport::Tcp | Transport::Tls));
    stream && m.head.content_length.is_none()
}

fn endless(call: &Call, context: &Context<'_>, found: &mut Findings, defect: &Defect, typed: bool) {
    let broken = |index: usize, m: &Stored| {
        let here = is_endless(m)
            && lint::has_bytes(m)
            && !m.head.flaws.has(Flaw::BadContentLength)
            && call.fields(index).has(Field::ContentType) == typed;
        here.then(|| Mark::start_line(m))
    };
    for case in lint::cases(call, defect, &broken) {
        if let Some(finding) = lint::add(found, call, context, defect, &case, note("none")) {
            let transport = case.stored.stamp.transport.map_or("TCP", Transport::name);
            finding.why("why-none").fix("fix-none");
            finding.args(Args::new().text("transport", transport.to_uppercase()));
        }
    }
}
