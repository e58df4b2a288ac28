//! L13: what a message requires or supports contradicts what else it says.

use super::super::finding::note;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::Flaw;
use crate::message::field::Field;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "option-tag-contradiction",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3262, "3"), (3262, "4"), (4028, "7.2"), (3312, "11")],
    title: "{what} requires {tag} and lacks what belongs to it",
    why: "{writer} sent {what} with Require: 100rel and without RSeq: the caller has to acknowledge this answer and has no number to do it with",
    fix: "Update {writer} or report this to its vendor; until then switch off the extension {tag} there, or take {tag} out of Supported at the caller so that it is not used.",
    sentences: &[
        (
            "why-timer",
            "{writer} sent {what} with Require: timer and without Session-Expires: the caller is to refresh the call and is not told how often",
        ),
        (
            "why-prack",
            "{writer} sent {what} with 100rel in Supported or Require, and an Allow that does not name PRACK: it offers reliable ringing and does not take the request that this needs",
        ),
        (
            "why-precondition",
            "{writer} sent {what} with Require: precondition and a session description without a precondition (no a=curr line): the called side cannot know what it has to wait for",
        ),
        ("wrong", "this"),
    ],
    confirm: "the log of the element that got it",
    check,
    ..Rule::PLAIN
};

const RISKY: Defect = Defect {
    weight: Weight::Risky,
    codes: &[420, 421],
    topics: &[],
    copied: false,
};
const HARMLESS: Defect = Defect {
    weight: Weight::Harmless,
    ..RISKY
};
const OFFERED: Defect = Defect {
    weight: Weight::Usual,
    codes: &[420, 421, 580],
    topics: &[],
    copied: false,
};

type Find = fn(&Call, usize, &Stored) -> Option<Mark>;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.flaws().has(Flaw::Unmet) {
        tell(call, context, found, &RISKY, reliable, ("why", "100rel"));
        tell(
            call,
            context,
            found,
            &HARMLESS,
            timer,
            ("why-timer", "timer"),
        );
    }
    if lint::was_answered(call, &[400, 405, 420, 421, 501, 580]) {
        let sentence = ("why-precondition", "precondition");
        tell(call, context, found, &OFFERED, precondition, sentence);
        tell(
            call,
            context,
            found,
            &OFFERED,
            prack,
            ("why-prack", "100rel"),
        );
    }
}

fn tell(
    call: &Call,
    context: &Context<'_>,
    found: &mut Findings,
    defect: &Defect,
    find: Find,
    (why, tag): (&'static str, &'static str),
) {
    let broken = |index: usize, m: &Stored| find(call, index, m);
    for case in lint::cases(call, defect, &broken) {
        if let Some(finding) = lint::add(found, call, context, defect, &case, note("wrong")) {
            finding.why(why).args(Args::new().text("tag", tag));
        }
    }
}

fn requires(call: &Call, index: usize, m: &Stored, tag: &str) -> Option<Mark> {
    let fields = call.fields(index);
    let header = fields.first(Field::Require)?;
    let named = fields.tokens(Field::Require).iter().any(|own| own == tag);
    let mark = Mark::header(header, header.value);
    (named && lint::is_whole(m)).then_some(mark)
}

fn reliable(call: &Call, index: usize, m: &Stored) -> Option<Mark> {
    let provisional = m.head.code().is_some_and(|code| (101..200).contains(&code));
    let lacks = provisional && !call.fields(index).has(Field::RSeq);
    lacks.then(|| requires(call, index, m, "100rel")).flatten()
}

fn timer(call: &Call, index: usize, m: &Stored) -> Option<Mark> {
    let answered = m.head.code().is_some_and(|code| (200..300).contains(&code));
    let lacks = answered && !call.fields(index).has(Field::SessionExpires);
    lacks.then(|| requires(call, index, m, "timer")).flatten()
}

fn precondition(call: &Call, index: usize, m: &Stored) -> Option<Mark> {
    let body = m.message().body();
    let lacks = m.head.is_request()
        && memchr::memmem::find(body, b"m=").is_some()
        && memchr::memmem::find(body, b"a=curr:").is_none();
    lacks
        .then(|| requires(call, index, m, "precondition"))
        .flatten()
}

fn prack(call: &Call, index: usize, m: &Stored) -> Option<Mark> {
    let fields = call.fields(index);
    let allow = fields.first(Field::Allow).filter(|_| m.head.is_request())?;
    let offers = [Field::Supported, Field::Require]
        .iter()
        .any(|field| fields.tokens(*field).iter().any(|tag| tag == "100rel"));
    let takes = fields.tokens(Field::Allow).iter().any(|m| m == "prack");
    (offers && !takes).then(|| Mark::header(allow, allow.value))
}
