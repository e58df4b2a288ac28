//! L2: CSeq names another method, cannot be read, or is not that of the request.

use super::super::complaint::Topic;
use super::super::finding::{Evidence, note};
use super::super::lint::{self, Defect, Mark, Other, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::Flaw;
use crate::message::field::Field;
use crate::session::oddity::Oddity;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "cseq-method-mismatch",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "8.1.1.5"), (3261, "17.1.3"), (3261, "20.16")],
    title: "the CSeq of {what} is wrong",
    why: "{writer} sent {what} with the CSeq {cseq}, which names another method than the request has: whoever gets it refuses it, or drops it and stays silent",
    fix: "Update {writer} or report this to its vendor: CSeq is a number below 2147483648 and the method of the request, one blank between them.",
    sentences: &[
        (
            "why-number",
            "{writer} sent {what} with the CSeq {cseq}; the number has to be below 2147483648, followed by the method: whoever gets it refuses it, or drops it and stays silent",
        ),
        (
            "why-answer",
            "{writer} answered with the CSeq {cseq}, which is not that of the request: the sender cannot tell what is answered, so it drops the answer and goes on waiting",
        ),
        (
            "fix-answer",
            "Update {writer} or report this to its vendor: an answer has to carry the CSeq of its request unchanged.",
        ),
        ("wrong", "this CSeq"),
        ("asked", "the request has another one"),
    ],
    explains: &["request-no-response", "2xx-not-acked", "bad-request-400"],
    confirm: "the log of the element that got it",
    check,
    ..Rule::PLAIN
};

const DEFECT: Defect = Defect {
    weight: Weight::Risky,
    codes: &[],
    topics: &[Topic::CSeq],
    copied: true,
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let flaws = call.flaws();
    for (flaw, why) in [
        (Flaw::CseqMethod, "why"),
        (Flaw::BadCseq, "why-number"),
        (Flaw::CseqTooLarge, "why-number"),
    ] {
        // What cannot be read names no method either.
        let with = |m: &Stored| {
            let unread = flaw == Flaw::CseqMethod && m.head.flaws.has(Flaw::BadCseq);
            m.head.flaws.has(flaw) && !unread && m.message().header("CSeq").is_some()
        };
        let broken = |_: usize, m: &Stored| with(m).then(|| Mark::value(m, "CSeq"));
        if flaws.has(flaw) {
            tell(call, context, found, &broken, why);
        }
    }
    if call.oddities().has(Oddity::Orphan) {
        let broken = |index: usize, m: &Stored| {
            let other = lint::orphan(call, index).is_some_and(|of| of.other == Other::CSeq);
            other.then(|| Mark::value(m, "CSeq"))
        };
        tell(call, context, found, &broken, "why-answer");
    }
}

fn tell(
    call: &Call,
    context: &Context<'_>,
    found: &mut Findings,
    broken: &dyn Fn(usize, &Stored) -> Option<Mark>,
    why: &'static str,
) {
    for case in lint::cases(call, &DEFECT, broken) {
        let Some(finding) = lint::add(found, call, context, &DEFECT, &case, note("wrong")) else {
            continue;
        };
        let cseq = call.fields(case.message).text(Field::CSeq);
        let cseq = cseq
            .unwrap_or_default()
            .chars()
            .take(64)
            .collect::<String>();
        finding.why(why).args(Args::new().text("cseq", cseq));
        if let Some(of) = lint::orphan(call, case.message) {
            finding.fix("fix-answer");
            if let Some(request) = call.messages.get(of.request) {
                finding.proof(Evidence::header(of.request, request, "CSeq", note("asked")));
            }
        }
    }
}
