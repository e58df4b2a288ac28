//! L6: Max-Forwards is no number, or does not go down from hop to hop.

use super::super::complaint::Topic;
use super::super::finding::note;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::field::Field;
use crate::message::{Flaw, lossy};
use crate::session::oddity::Oddity;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "max-forwards-range",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "16.6"), (3261, "20.22"), (3261, "8.1.1.6")],
    title: "the Max-Forwards of {what} is out of order",
    why: "{element} sent {what} on with Max-Forwards {value}, where it had got it with {before}: every hop has to take one off, or nothing ends a request that goes round in a circle",
    fix: "Make {element} take one off Max-Forwards whenever it sends a request on, and not set it anew; in a proxy this is part of the routing script or profile.",
    sentences: &[
        (
            "why-number",
            "{writer} sent {what} with Max-Forwards {value}, which is no number from 0 to 255: who reads it refuses the request",
        ),
        (
            "why-large",
            "{writer} sent {what} with Max-Forwards {value}; 70 is what RFC 3261 recommends, and some servers refuse more",
        ),
        (
            "fix-number",
            "Set Max-Forwards on {element} to 70, or update its software.",
        ),
        ("wrong", "this Max-Forwards"),
        ("before", "as it came in"),
    ],
    explains: &["bad-request-400", "max-forwards-bad"],
    confirm: "the log of the element that got it",
    check,
    ..Rule::PLAIN
};

const RISKY: Defect = Defect {
    weight: Weight::Risky,
    codes: &[483],
    topics: &[Topic::MaxForwards],
    copied: false,
};
const LARGE: Defect = Defect {
    weight: Weight::Usual,
    ..RISKY
};
/// What a request begins with (RFC 3261 §8.1.1.6).
const USUAL: u8 = 70;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.flaws().has(Flaw::BadMaxForwards) {
        let bad = |m: &Stored| m.head.flaws.has(Flaw::BadMaxForwards);
        number(call, context, found, &RISKY, &bad, "why-number");
    }
    if lint::was_answered(call, &[400, 483]) {
        let large = |m: &Stored| m.head.max_forwards.is_some_and(|number| number > USUAL);
        number(call, context, found, &LARGE, &large, "why-large");
    }
    if call.oddities().has(Oddity::Relayed) {
        kept(call, context, found);
    }
}

fn number(
    call: &Call,
    context: &Context<'_>,
    found: &mut Findings,
    defect: &Defect,
    is: &dyn Fn(&Stored) -> bool,
    why: &'static str,
) {
    let broken = |_: usize, m: &Stored| {
        let request = m.head.is_request() && is(m);
        request.then(|| Mark::value(m, "Max-Forwards"))
    };
    for case in lint::cases(call, defect, &broken) {
        if let Some(finding) = lint::add(found, call, context, defect, &case, note("wrong")) {
            let value = call.fields(case.message).value(Field::MaxForwards);
            let value = lossy(value.unwrap_or_default())
                .chars()
                .take(40)
                .collect::<String>();
            finding
                .why(why)
                .fix("fix-number")
                .args(Args::new().text("value", value));
        }
    }
}

fn kept(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |_: usize, m: &Stored| handed_on(call, m).map(|_| Mark::value(m, "Max-Forwards"));
    for case in lint::cases(call, &RISKY, &broken) {
        let Some((before, incoming)) = handed_on(call, case.stored) else {
            continue;
        };
        let number = |m: &Stored| usize::from(m.head.max_forwards.unwrap_or(0));
        if let Some(finding) = lint::add(found, call, context, &RISKY, &case, note("wrong")) {
            let args = Args::new()
                .count("value", number(case.stored))
                .count("before", number(incoming));
            finding.args(args);
            let mark = Mark::value(incoming, "Max-Forwards");
            finding.proof(mark.evidence(before, note("before")));
        }
    }
}

// The request as it came in, where it left with no smaller number: one Via more, and that of the
// sender on top.
fn handed_on<'a>(call: &'a Call, m: &'a Stored) -> Option<(usize, &'a Stored)> {
    if !m.head.is_request() || m.head.vias < 2 {
        return None;
    }
    let own = m.head.max_forwards?;
    lint::nearer(call, m).find(|(_, incoming)| {
        incoming.head.vias + 1 == m.head.vias
            && incoming.stamp.receiver().is(m.stamp.sender())
            && incoming
                .head
                .max_forwards
                .is_some_and(|before| own >= before)
    })
}
