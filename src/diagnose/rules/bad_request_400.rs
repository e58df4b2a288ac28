//! L16: a 400 that names what it minds.

use super::super::complaint::{self, Topic};
use super::super::finding::{Evidence, Part, Template, Value, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::{Flaw, Header, lossy};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "bad-request-400",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[400],
    rfc: &[(3261, "21.4.1")],
    title: "{element} could not read the request and says where",
    why: "{element} refused {what} as malformed and names {header} (\"{said}\"); the header is there, so it is its value that {element} does not like",
    fix: "Compare {header} of the refused request with one that {element} takes, or with what its operator documents (form of numbers, domain, parameters), and correct it at {asker}.",
    sentences: &[
        (
            "why-absent",
            "{element} refused {what} as malformed and names {header} (\"{said}\"), and the request has no such header",
        ),
        (
            "why-echo",
            "{element} refused {what} as malformed and names {header} (\"{said}\"). {header} of the request is there, and the answer, which has to bring it back as it came, has none: so it came to {element} broken, or {element} does not read and write it rightly",
        ),
        (
            "why-part",
            "{element} refused {what} as malformed and names the part that it could not read (\"{said}\")",
        ),
        (
            "fix-absent",
            "Make {asker} send {header} with this request, or find out what takes it away on the way.",
        ),
        (
            "fix-unsent",
            "Compare the request as {element} received it with this one: what stands between may have added or broken {header}. If nothing stands between, ask the operator of {element} what its parser stumbled over; a request may leave {header} out.",
        ),
        (
            "fix-echo",
            "Compare the request as {element} received it with this one: what stands between may have broken {header}. If nothing stands between, {element} misspells or misreads it: ask its operator.",
        ),
        (
            "fix-part",
            "Look at this part of the refused request and compare it with one that {element} takes; then correct it at {asker}.",
        ),
        ("said", "what the answer says"),
        ("meant", "the header that it names"),
        ("asked", "the request that was refused"),
    ],
    confirm: "the log of {element}, which would show where its parser stopped",
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.code() != Some(400) || call.outcome == Outcome::Succeeded {
        return;
    }
    let Some((index, answer)) = deciding(call) else {
        return;
    };
    // Of credentials other rules know more.
    let topics = complaint::topics(answer);
    let Some(topic) = topics
        .into_iter()
        .find(|topic| *topic != Topic::Credentials)
    else {
        return;
    };
    let Some((asked, request)) = refused(call, index) else {
        return;
    };
    let name = complaint::header(topic);
    // Called invalid, and not there: the request was another one where it was read.
    let unsent = name.is_some_and(|name| request.message().header(name).is_none())
        && !is_missed(&said(answer));
    let whole = !call.flaws().has(Flaw::Damaged);
    let echo = name.is_some_and(|name| is_copied(name) && !unsent && !has(answer, name)) && whole;
    let acts = if unsent || echo {
        Acts::Callee
    } else {
        Acts::Caller
    };
    let Some(finding) = found.add(Confidence::Likely, acts) else {
        return;
    };
    finding.element(sender(answer)).args(
        Args::new()
            .text("what", request.message().method_name())
            .text("asker", sender(request))
            .text("said", said(answer))
            .with(
                "header",
                name.map_or(Value::Said("a part of it"), |name| name.to_owned().into()),
            ),
    );
    finding.proof(mark_of(index, answer, note("said")));
    let Some(name) = name else {
        finding.why("why-part").fix("fix-part");
        finding.proof(Evidence::start_line(asked, request, note("asked")));
        return;
    };
    match request.message().header(name) {
        Some(header) => {
            let evidence = Evidence::of_header(asked, header, header.value, note("meant"));
            finding.proof(evidence);
            if echo {
                finding.why("why-echo").fix("fix-echo");
            }
        }
        None => {
            finding.why("why-absent").fix("fix-absent");
            if unsent {
                finding.fix("fix-unsent");
            }
            finding.proof(Evidence::start_line(asked, request, note("asked")));
        }
    }
}

// What an answer brings back as it was in the request (RFC 3261 §8.2.6.2).
fn is_copied(name: &str) -> bool {
    ["From", "To", "Call-ID", "CSeq", "Via"]
        .iter()
        .any(|copied| copied.eq_ignore_ascii_case(name))
}

fn has(stored: &Stored, name: &str) -> bool {
    stored.message().header(name).is_some()
}

// Does it say that something is missing?
fn is_missed(said: &str) -> bool {
    const MISSED: [&str; 7] = [
        "missing",
        "required",
        "absent",
        "without",
        "lack",
        "not found",
        "no ",
    ];
    let said = said.to_ascii_lowercase();
    MISSED.iter().any(|word| said.contains(word))
}

// The request as it came to the one who refused it.
fn refused(call: &Call, answer: usize) -> Option<(usize, &Stored)> {
    let asked = call.transaction_of(answer)?.request()?;
    Some((asked, call.messages.get(asked)?))
}

// The Warning that names it, where the phrase does not.
fn warning(answer: &Stored) -> Option<Header> {
    let phrase = answer.message().reason()?.of(&answer.raw);
    match complaint::is_about_something(&lossy(phrase)) {
        true => None,
        false => answer.message().header("Warning"),
    }
}

fn said(answer: &Stored) -> String {
    let text = match warning(answer) {
        Some(header) => lossy(header.value.of(&answer.raw)),
        None => answer
            .message()
            .slice(answer.message().reason().unwrap_or_default()),
    };
    text.chars().take(120).collect()
}

fn mark_of(index: usize, answer: &Stored, note: Template) -> Evidence {
    let line = answer.message().start_line();
    match (warning(answer), answer.message().reason()) {
        (Some(header), _) => Evidence::of_header(index, header, header.value, note),
        (None, Some(mark)) => Evidence::Excerpt {
            message: index,
            line,
            mark,
            part: Part::StartLine,
            note,
        },
        (None, None) => Evidence::start_line(index, answer, note),
    }
}
