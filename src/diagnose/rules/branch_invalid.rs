//! L3: the branch of the topmost Via does not tell transactions apart.

use super::super::complaint::Topic;
use super::super::finding::note;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::{Flaw, Method, lossy};
use crate::session::oddity::Oddity;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "branch-invalid",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "8.1.1.7"), (3261, "17.2.3")],
    title: "the branch of {what} does not tell it from other requests",
    why: "{writer} sent {what} with the branch {branch}, which it had already given to an earlier {before}: a server or proxy that matches by branch takes the second request for a repeat of the first, answers it from memory or drops it",
    fix: "Update {writer} or report this to its vendor: every new request needs a branch of its own that begins with z9hG4bK; only ACK to a refusal, CANCEL and plain repeats keep the branch.",
    sentences: &[
        (
            "why-cookie",
            "{writer} sent {what} with the branch {branch}, the prefix that all branches share and nothing behind it: all its requests look like one, and a server or proxy takes the next for a repeat",
        ),
        (
            "why-old",
            "{writer} sent {what} with a branch that does not begin with z9hG4bK, as before RFC 3261: servers then compare whole headers to tell requests apart, and some refuse such a request",
        ),
        ("wrong", "this branch"),
        ("before", "and it stood here before"),
    ],
    explains: &[
        "request-no-response",
        "reg-timeout",
        "bad-request-400",
        "bye-unanswered",
    ],
    confirm: "the log of the element that got it, which would show the request taken for a repeat",
    check,
    ..Rule::PLAIN
};

const RISKY: Defect = Defect {
    weight: Weight::Risky,
    codes: &[482],
    topics: &[Topic::Via],
    copied: false,
};
const OLD: Defect = Defect {
    weight: Weight::Usual,
    ..RISKY
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.oddities().has(Oddity::BranchAgain) {
        again(call, context, found);
    }
    if call.flaws().has(Flaw::CookieOnly) {
        let only = |m: &Stored| m.head.flaws.has(Flaw::CookieOnly) && m.head.is_request();
        plain(call, context, found, &RISKY, &only, "why-cookie");
    }
    if lint::was_answered(call, &[400]) {
        let old = |m: &Stored| {
            let cookie = crate::message::lint::COOKIE;
            let begins = m.head.branch.of(&m.raw).get(..cookie.len());
            m.head.is_request() && !begins.is_some_and(|begins| begins.eq_ignore_ascii_case(cookie))
        };
        plain(call, context, found, &OLD, &old, "why-old");
    }
}

fn mark(m: &Stored) -> Mark {
    let via = Mark::value(m, "Via");
    match m.head.branch.is_empty() {
        true => via,
        false => Mark {
            span: m.head.branch,
            ..via
        },
    }
}

fn branch(m: &Stored) -> String {
    let text = lossy(m.head.branch.of(&m.raw));
    text.chars().take(80).collect()
}

fn plain(
    call: &Call,
    context: &Context<'_>,
    found: &mut Findings,
    defect: &Defect,
    is: &dyn Fn(&Stored) -> bool,
    why: &'static str,
) {
    let broken = |_: usize, m: &Stored| is(m).then(|| mark(m));
    for case in lint::cases(call, defect, &broken) {
        if let Some(finding) = lint::add(found, call, context, defect, &case, note("wrong")) {
            let args = Args::new().text("branch", branch(case.stored));
            finding.why(why).args(args);
        }
    }
}

fn again(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |index: usize, m: &Stored| earlier(call, index, m).map(|_| mark(m));
    for case in lint::cases(call, &RISKY, &broken) {
        let Some((before, first)) = earlier(call, case.message, case.stored) else {
            continue;
        };
        let Some(finding) = lint::add(found, call, context, &RISKY, &case, note("wrong")) else {
            continue;
        };
        finding.args(
            Args::new()
                .text("branch", branch(case.stored))
                .text("before", lint::what(first)),
        );
        let mark = mark(first);
        finding.proof(mark.evidence(before, note("before")));
    }
}

// A different request of the same sender that had the branch before.
fn earlier<'a>(call: &'a Call, index: usize, m: &Stored) -> Option<(usize, &'a Stored)> {
    const MOST: usize = 256;
    let own =
        |m: &Stored| m.head.is_request() && !matches!(m.head.method, Method::Ack | Method::Cancel);
    if !own(m) || m.head.branch.is_empty() {
        return None;
    }
    let sent_before = call.originals().take_while(|(at, _)| *at < index);
    sent_before.take(MOST).find(|(_, first)| {
        own(first)
            && first.keys.transaction != m.keys.transaction
            && first.head.branch.of(&first.raw) == m.head.branch.of(&m.raw)
            && first.head.sent_by.of(&first.raw) == m.head.sent_by.of(&m.raw)
            && first.stamp.sender().is(m.stamp.sender())
    })
}
