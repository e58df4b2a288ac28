//! L12: a header that has to be a number or a date is none.

use super::super::complaint::Topic;
use super::super::finding::note;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::field::Field;
use crate::message::lint::is_number;
use crate::message::{Flaw, Header, lossy};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "header-value-numeric",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "20.19"), (3261, "20.33"), (4028, "4"), (3262, "7.1")],
    title: "{header} of {what} is not the number it has to be",
    why: "{writer} sent {what} with {header} {value}, where a number from 0 to 4294967295 is wanted: some elements take a default instead, others refuse the message",
    fix: "Correct the value on {element}: a setting with a unit or a blank in it, a template that was not filled in, or an error of the software.",
    sentences: &[
        (
            "why-rack",
            "{writer} sent {what} with RAck {value}; it has to be the RSeq, the number and the method of the answer that is acknowledged, so the peer does not know which answer is meant and goes on repeating it",
        ),
        (
            "why-date",
            "{writer} sent {what} with the Date {value}; SIP wants the form Sat, 13 Nov 2010 23:29:00 GMT, so whoever needs the date does not read it",
        ),
        (
            "why-retry",
            "{writer} sent {what} with Retry-After {value}; SIP wants seconds, and no date as HTTP has it, so the sender does not know how long to wait",
        ),
        (
            "why-length",
            "{writer} sent {what} with Content-Length {value}, which is no number: over TCP nobody can tell where the next message begins, and strict parsers refuse it",
        ),
        ("wrong", "this value"),
    ],
    explains: &["request-no-response", "bad-request-400"],
    confirm: "the log of the element that got it",
    check,
    ..Rule::PLAIN
};

const RISKY: Defect = Defect {
    weight: Weight::Risky,
    codes: &[],
    topics: &[
        Topic::ContentLength,
        Topic::Date,
        Topic::Expires,
        Topic::SessionTimer,
    ],
    copied: false,
};
const HARMLESS: Defect = Defect {
    weight: Weight::Harmless,
    ..RISKY
};

const NUMBERS: [Field; 9] = [
    Field::Expires,
    Field::MinExpires,
    Field::MinSe,
    Field::SessionExpires,
    Field::RSeq,
    Field::RAck,
    Field::RetryAfter,
    Field::Date,
    Field::ContentLength,
];

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let flaws = call.flaws();
    if !flaws.has(Flaw::BadNumber) && !flaws.has(Flaw::BadContentLength) {
        return;
    }
    for field in NUMBERS {
        let defect = match field {
            Field::RSeq | Field::RAck | Field::ContentLength => &RISKY,
            _ => &HARMLESS,
        };
        let broken = |index: usize, m: &Stored| {
            let header = bad(call, index, m, field)?;
            Some(Mark::header(header, shown(header)))
        };
        for case in lint::cases(call, defect, &broken) {
            let Some(header) = bad(call, case.message, case.stored, field) else {
                continue;
            };
            if let Some(finding) = lint::add(found, call, context, defect, &case, note("wrong")) {
                let value = lossy(header.value.of(&case.stored.raw));
                let value: String = value.chars().take(60).collect();
                let value = if value.is_empty() {
                    "(empty)".to_owned()
                } else {
                    value
                };
                let args = Args::new()
                    .text("header", field.name())
                    .text("value", value);
                finding.why(sentence(field)).args(args);
            }
        }
    }
}

fn sentence(field: Field) -> &'static str {
    match field {
        Field::RAck => "why-rack",
        Field::Date => "why-date",
        Field::RetryAfter => "why-retry",
        Field::ContentLength => "why-length",
        _ => "why",
    }
}

// The name, where the value is empty.
fn shown(header: Header) -> crate::message::Span {
    match header.value.is_empty() {
        true => header.name,
        false => header.value,
    }
}

fn bad(call: &Call, index: usize, m: &Stored, field: Field) -> Option<Header> {
    let flaw = match field {
        Field::ContentLength => Flaw::BadContentLength,
        _ => Flaw::BadNumber,
    };
    if !m.head.flaws.has(flaw) || !lint::is_told(call, m) {
        return None;
    }
    let mut all = call.fields(index).all(field);
    all.find(|header| !is_number(field, header.value.of(&m.raw)))
}
