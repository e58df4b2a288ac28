//! L8: a header that may stand once stands twice.

use super::super::complaint::Topic;
use super::super::finding::note;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::field::Field;
use crate::message::{Flaw, Header};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "duplicate-single-header",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "7.3.1"), (3261, "20")],
    title: "{header} stands twice in {what}",
    why: "{writer} sent {what} with two {header} headers that differ, though there may be one: one element reads the first, the next one the last, so they do not see the same message; strict ones refuse it",
    fix: "Find out what adds the second {header} on {element}: most often a script, a header rule or an application that sets a header which the stack writes itself.",
    sentences: &[
        (
            "why-same",
            "{writer} sent {what} with the same {header} twice: most do not mind, strict parsers refuse the message",
        ),
        ("wrong", "the second one"),
        ("first", "the first one"),
    ],
    explains: &["request-no-response", "bad-request-400"],
    confirm: "the log of the element that got it",
    check,
    ..Rule::PLAIN
};

const ONCE: [Field; 7] = [
    Field::From,
    Field::To,
    Field::CallId,
    Field::CSeq,
    Field::MaxForwards,
    Field::ContentLength,
    Field::ContentType,
];

const DIFFERENT: Defect = Defect {
    weight: Weight::Risky,
    codes: &[],
    topics: &[
        Topic::From,
        Topic::To,
        Topic::CallId,
        Topic::CSeq,
        Topic::MaxForwards,
        Topic::ContentLength,
        Topic::ContentType,
    ],
    copied: true,
};
const SAME: Defect = Defect {
    weight: Weight::Usual,
    ..DIFFERENT
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if !call.flaws().has(Flaw::Repeated) {
        return;
    }
    for (defect, differ, why) in [(&DIFFERENT, true, "why"), (&SAME, false, "why-same")] {
        let broken = |index: usize, m: &Stored| {
            let (_, first, second) = pair(call, index, m).filter(|_| lint::is_told(call, m))?;
            let differs = first.value.of(&m.raw) != second.value.of(&m.raw);
            (differs == differ).then(|| Mark::header(second, second.value))
        };
        for case in lint::cases(call, defect, &broken) {
            let Some((field, first, _)) = pair(call, case.message, case.stored) else {
                continue;
            };
            if let Some(finding) = lint::add(found, call, context, defect, &case, note("wrong")) {
                finding
                    .why(why)
                    .args(Args::new().text("header", field.name()));
                let mark = Mark::header(first, first.value);
                finding.proof(mark.evidence(case.message, note("first")));
            }
        }
    }
}

// A header that may stand once, and its second copy; one that differs before one that does not.
fn pair(call: &Call, index: usize, m: &Stored) -> Option<(Field, Header, Header)> {
    if !m.head.flaws.has(Flaw::Repeated) {
        return None;
    }
    let fields = call.fields(index);
    let pairs = ONCE.iter().filter_map(|field| {
        let mut all = fields.all(*field);
        let first = all.next()?;
        let same = |second: &Header| second.value.of(&m.raw) == first.value.of(&m.raw);
        let rest: Vec<Header> = all.collect();
        let second = rest.iter().find(|second| !same(second)).or(rest.first())?;
        Some((*field, first, *second))
    });
    pairs.min_by_key(|(_, first, second)| first.value.of(&m.raw) == second.value.of(&m.raw))
}
