//! L1: a header is missing that every such message must have.

use super::super::complaint::Topic;
use super::super::finding::{Evidence, Template, note, sender};
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::{Flaw, Method};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "mandatory-header-missing",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[(3261, "8.1.1"), (3261, "8.2.6.2"), (3261, "21.4")],
    title: "{what} without {header}",
    why: "{writer} sent {what} without {header}, which every such message must have: who checks for it refuses the message or drops it without a word",
    fix: "Make {writer} send {header}; this is an error in its software or in a script or header rule there that removes it, so update it, take the rule out, or report it to the vendor.",
    sentences: &[
        (
            "why-forwards",
            "{writer} sent {what} without Max-Forwards, which every request must have since RFC 3261: some servers refuse such a request, others take it as one that may go round in circles",
        ),
        (
            "why-answer",
            "{writer} answered {code} without {header}, which has to say what the sender must do about it: so the sender cannot try again as it should",
        ),
        (
            "fix-answer",
            "Make {writer} send {header} in its {code}. If a proxy in between removes headers that it does not know, let this one pass.",
        ),
        ("missing", "there is no {header} in this message"),
    ],
    explains: &[
        "request-no-response",
        "bad-request-400",
        "auth-no-credentials-sent",
        "auth-challenge-not-received",
    ],
    confirm: "the log of {element}, or another request with the header in it",
    check,
    ..Rule::PLAIN
};

const ESSENTIAL: Defect = Defect {
    weight: Weight::Risky,
    codes: &[],
    topics: &[
        Topic::Via,
        Topic::From,
        Topic::To,
        Topic::CallId,
        Topic::CSeq,
    ],
    copied: false,
};
const FORWARDS: Defect = Defect {
    weight: Weight::Harmless,
    codes: &[483],
    topics: &[Topic::MaxForwards],
    copied: false,
};
/// The same of a stack of RFC 2543, which did not ask for it.
const FORWARDS_OLD: Defect = Defect {
    weight: Weight::Usual,
    ..FORWARDS
};

/// What an answer has to tell so that the sender can try again (RFC 3261 §21.4, RFC 4028 §6). Allow,
/// Accept and Require are left out too often to be worth a word: nobody reads them.
const TOLD: [(u16, &str); 5] = [
    (401, "WWW-Authenticate"),
    (407, "Proxy-Authenticate"),
    (420, "Unsupported"),
    (422, "Min-SE"),
    (423, "Min-Expires"),
];

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.flaws().has(Flaw::MandatoryMissing) {
        essential(call, context, found);
    }
    if call.flaws().has(Flaw::NoMaxForwards) {
        forwards(call, context, found);
    }
    if call.outcome.is_failure() {
        told(call, found);
    }
}

fn essential(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |_: usize, m: &Stored| {
        let missing = m.head.flaws.has(Flaw::MandatoryMissing) && lint::is_told(call, m);
        missing.then(|| Mark::start_line(m))
    };
    for case in lint::cases(call, &ESSENTIAL, &broken) {
        let header = missing(case.stored);
        let named = Template::new("missing", Args::new().text("header", header.clone()));
        if let Some(finding) = lint::add(found, call, context, &ESSENTIAL, &case, named) {
            finding.args(Args::new().text("header", header));
        }
    }
}

fn missing(stored: &Stored) -> String {
    let there = |name: &str| {
        let header = stored.message().header(name);
        header.is_some_and(|header| !header.value.is_empty())
    };
    let all = ["Via", "From", "To", "Call-ID", "CSeq"];
    let missing: Vec<&str> = all.into_iter().filter(|name| !there(name)).collect();
    // One that is there and says nothing that can be read.
    match missing.is_empty() {
        true => "a readable Via or CSeq".to_owned(),
        false => missing.join(", "),
    }
}

fn forwards(call: &Call, context: &Context<'_>, found: &mut Findings) {
    for defect in [FORWARDS, FORWARDS_OLD] {
        let broken = |_: usize, m: &Stored| {
            let cookie = m
                .head
                .branch
                .of(&m.raw)
                .starts_with(crate::message::lint::COOKIE);
            let follows = matches!(m.head.method, Method::Ack | Method::Cancel);
            let usual = follows || !cookie;
            let missing = m.head.flaws.has(Flaw::NoMaxForwards) && lint::is_told(call, m);
            (missing && usual == (defect.weight == Weight::Usual)).then(|| Mark::start_line(m))
        };
        for case in lint::cases(call, &defect, &broken) {
            let header = || Args::new().text("header", "Max-Forwards");
            let named = Template::new("missing", header());
            if let Some(finding) = lint::add(found, call, context, &defect, &case, named) {
                finding.why("why-forwards").args(header());
            }
        }
    }
}

fn told(call: &Call, found: &mut Findings) {
    let deciding = super::super::finding::deciding(call);
    let Some((index, answer)) = deciding.filter(|(_, m)| lint::has_bytes(m)) else {
        return;
    };
    let code = answer.head.code().unwrap_or(0);
    let Some((_, header)) = TOLD.iter().find(|(of, _)| *of == code) else {
        return;
    };
    if answer.message().header(header).is_some() {
        return;
    }
    let acts = match call.method {
        Method::Register => Acts::Registrar,
        _ => Acts::Callee,
    };
    let finding = found.add_with(Severity::Error, Role::Cause, Confidence::Likely, acts);
    let Some(finding) = finding else { return };
    finding
        .why("why-answer")
        .fix("fix-answer")
        .element(sender(answer))
        .args(
            Args::new()
                .text("what", lint::what(answer))
                .text("writer", sender(answer))
                .text("header", *header)
                .code("code", code),
        );
    finding.proof(Evidence::start_line(index, answer, note("missing")));
}
