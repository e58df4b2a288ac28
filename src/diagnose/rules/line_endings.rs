//! L5: lines that end, go on or are written in a way that parsers trip over.

use super::super::complaint::Topic;
use super::super::finding::{Part, note};
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Context, Findings, Frequency, Rule, Severity};
use crate::message::{Flaw, Span};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "line-endings",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "7"), (3261, "7.3.1"), (3261, "25.1")],
    title: "the lines of {what} are not written as SIP wants them",
    why: "{writer} ends lines of {what} with a line feed alone, where SIP wants carriage return and line feed: most parsers take it, strict ones do not find the end of a header",
    fix: "Update {writer} or report this to its vendor; where the message is made by a script or a template, write each line with carriage return and line feed and one empty line before the body.",
    sentences: &[
        (
            "why-blank",
            "{writer} sent {what} without the empty line that ends the headers: a parser waits for more, or takes the message for cut off",
        ),
        (
            "why-broken",
            "{writer} sent {what} with a line among the headers that is no header: no name and colon; most parsers skip it, strict ones refuse the message",
        ),
        (
            "why-control",
            "{writer} sent {what} with a control character inside a header: parsers end the header there, skip it or refuse the message, each in its own way",
        ),
        (
            "why-long",
            "{writer} sent {what} with a header of more than 8192 bytes: many servers hold no more and refuse the message",
        ),
        (
            "why-folded",
            "{writer} sent {what} with a header that goes on in the next line: this is allowed, but some simple parsers take the second line for a broken header",
        ),
        (
            "why-colon",
            "{writer} sent {what} with a blank between the name of a header and its colon: this is allowed, but some simple parsers then do not know the name",
        ),
        (
            "fix-plain",
            "Let {element} write each header on one line, with the colon right behind the name, if that can be set there; else ask the vendor of the element that refused it to accept what RFC 3261 allows.",
        ),
        (
            "fix-short",
            "Look on {element} for what makes this header so long (routes or history added on each pass of a loop, large tokens), or raise the limit at the element that refused it.",
        ),
        ("wrong", "this line"),
    ],
    explains: &["request-no-response", "bad-request-400"],
    confirm: "the same request written plainly, which would then be taken",
    check,
    ..Rule::PLAIN
};

const HARMLESS: Defect = Defect {
    weight: Weight::Harmless,
    codes: &[],
    topics: &[],
    copied: false,
};
const USUAL: Defect = Defect {
    weight: Weight::Usual,
    ..HARMLESS
};
const LONG: Defect = Defect {
    codes: &[413, 513],
    topics: &[Topic::Via, Topic::Route],
    ..USUAL
};
/// More than nearly all servers hold of one header.
const LONGEST: u32 = 8192;

/// What a line can be, where it is told by a flaw or found when somebody minded.
type Find = fn(&Stored) -> Option<Mark>;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let flaws = call.flaws();
    if flaws.has(Flaw::LineFeedOnly) {
        tell(call, context, found, &HARMLESS, lone_feed, "why", "fix");
    }
    if flaws.has(Flaw::NoBlankLine) {
        tell(
            call,
            context,
            found,
            &HARMLESS,
            no_blank,
            "why-blank",
            "fix",
        );
    }
    if flaws.has(Flaw::BrokenHeaderLine) {
        tell(call, context, found, &HARMLESS, broken, "why-broken", "fix");
    }
    if !lint::was_answered(call, &[400, 413, 500, 513]) {
        return;
    }
    tell(call, context, found, &USUAL, control, "why-control", "fix");
    tell(call, context, found, &LONG, long, "why-long", "fix-short");
    tell(
        call,
        context,
        found,
        &USUAL,
        folded,
        "why-folded",
        "fix-plain",
    );
    tell(
        call,
        context,
        found,
        &USUAL,
        before_colon,
        "why-colon",
        "fix-plain",
    );
}

fn tell(
    call: &Call,
    context: &Context<'_>,
    found: &mut Findings,
    defect: &Defect,
    find: Find,
    why: &'static str,
    fix: &'static str,
) {
    let broken = |_: usize, m: &Stored| {
        if lint::has_bytes(m) { find(m) } else { None }
    };
    for case in lint::cases(call, defect, &broken) {
        if let Some(finding) = lint::add(found, call, context, defect, &case, note("wrong")) {
            finding.why(why).fix(fix);
        }
    }
}

// The lines of the header section, from the start line on, with their line ends.
fn lines(m: &Stored) -> impl Iterator<Item = Span> + '_ {
    let end = (m.head.body as usize).min(m.raw.len());
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = m.raw.get(at..end).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |found| found + 1);
        let line = Span::new(at, at + length);
        at += length;
        Some(line)
    })
}

// A line with the bytes meant.
fn shown(m: &Stored, line: Span, mark: Span) -> Mark {
    let text = line.of(&m.raw).trim_ascii_end().len();
    let line = Span::new(line.start as usize, line.start as usize + text);
    let start = m.message().start_line();
    let header = m
        .message()
        .headers()
        .find(|header| header.name.start <= line.start && line.start < header.value.end);
    let part = match header {
        _ if line.start == start.start => Part::StartLine,
        Some(header) => Part::Header(header),
        None => Part::Body,
    };
    let mark = Span {
        start: mark.start.min(line.end.saturating_sub(1)),
        end: mark.end.min(line.end),
    };
    Mark {
        line,
        span: mark,
        part,
    }
}

fn lone_feed(m: &Stored) -> Option<Mark> {
    if !m.head.flaws.has(Flaw::LineFeedOnly) {
        return None;
    }
    let line = lines(m).find(|line| {
        let text = line.of(&m.raw);
        text.ends_with(b"\n") && !text.ends_with(b"\r\n")
    })?;
    Some(shown(m, line, line))
}

fn no_blank(m: &Stored) -> Option<Mark> {
    let line = lines(m).last()?;
    m.head
        .flaws
        .has(Flaw::NoBlankLine)
        .then(|| shown(m, line, line))
}

fn broken(m: &Stored) -> Option<Mark> {
    if !m.head.flaws.has(Flaw::BrokenHeaderLine) {
        return None;
    }
    let mut known: Vec<u32> = m.message().headers().map(|h| h.name.start).collect();
    known.push(0);
    let line = lines(m).find(|line| {
        let text = line.of(&m.raw);
        let goes_on = text.first().is_some_and(|b| b" \t".contains(b));
        !known.contains(&line.start) && !goes_on && !text.trim_ascii().is_empty()
    })?;
    Some(shown(m, line, line))
}

fn control(m: &Stored) -> Option<Mark> {
    lines(m).find_map(|line| {
        let text = line.of(&m.raw);
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let at = text
            .iter()
            .position(|b| b.is_ascii_control() && *b != b'\t')?;
        let mark = Span::new(at, at + 1).shifted(line.start as usize);
        Some(shown(m, line, mark))
    })
}

fn long(m: &Stored) -> Option<Mark> {
    let header = m
        .message()
        .headers()
        .find(|header| header.value.end - header.name.start > LONGEST)?;
    Some(Mark::header(header, header.name))
}

fn folded(m: &Stored) -> Option<Mark> {
    let header = m
        .message()
        .headers()
        .find(|header| memchr::memchr(b'\n', header.value.of(&m.raw)).is_some())?;
    let at = memchr::memchr(b'\n', header.value.of(&m.raw))?;
    let rest = Span {
        start: header.value.start + u32::try_from(at + 1).ok()?,
        ..header.value
    };
    Some(Mark::header(header, rest))
}

fn before_colon(m: &Stored) -> Option<Mark> {
    let header = m
        .message()
        .headers()
        .find(|header| m.raw.get(header.name.end as usize) != Some(&b':'))?;
    let blank = Span::new(header.name.end as usize, header.name.end as usize + 1);
    Some(Mark::header(header, blank))
}
