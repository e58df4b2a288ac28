//! L7: tags of From and To that are missing, doubled or changed.

use super::super::complaint::Topic;
use super::super::finding::note;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Context, Findings, Frequency, Rule, Severity};
use crate::message::{Flaw, Method, params};
use crate::session::oddity::Oddity;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "tags",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "19.3"), (3261, "8.1.1.3"), (3261, "8.2.6.2")],
    title: "the tags of {what} are wrong",
    why: "{writer} sent {what} without a tag in From: the peer has nothing to tell this call from others by, and refuses the request or later ones",
    fix: "Update {writer} or report this to its vendor: From always has a tag, To has one in every answer but 100, and both stay the same from then on.",
    sentences: &[
        (
            "why-answer",
            "{writer} answered {what} without a tag in To: no dialog comes about without it, so the peer may not be able to acknowledge, change or end the call",
        ),
        (
            "why-two",
            "{writer} sent {what} with two tags in one header: some take the first, others the last, so what belongs together does not match",
        ),
        (
            "why-changed",
            "{writer} answered {what} with other tags than the request had: the sender cannot tell which call is answered, and drops it or asks again",
        ),
        (
            "why-many",
            "{writer} gave several tags in To to repeats of the same final answer {what}: a repeat has to be the same to the byte, and the ACK can only match one of them",
        ),
        ("none", "no tag"),
        ("second", "the second tag"),
        ("other", "another tag than in the request"),
        ("differs", "another tag than before"),
        ("asked", "the request had this"),
        ("first", "the same answer before"),
    ],
    explains: &["request-no-response", "bad-request-400", "2xx-not-acked"],
    confirm: "the log of the element that got it",
    check,
    ..Rule::PLAIN
};

const RISKY: Defect = Defect {
    weight: Weight::Risky,
    codes: &[],
    topics: &[Topic::Tag, Topic::From, Topic::To],
    copied: false,
};
/// An answer copies From and To of its request.
const TWO: Defect = Defect {
    copied: true,
    ..RISKY
};
const HARMLESS: Defect = Defect {
    weight: Weight::Harmless,
    ..RISKY
};
const USUAL: Defect = Defect {
    weight: Weight::Usual,
    ..RISKY
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    no_from_tag(call, context, found);
    if call.flaws().has(Flaw::TwoTags) {
        let broken = |_: usize, m: &Stored| two_tags(m);
        tell(call, context, found, &TWO, &broken, "why-two");
    }
    let odd = call.oddities();
    if odd.has(Oddity::NoToTag) {
        for (defect, code) in [(&RISKY, 200), (&HARMLESS, 101)] {
            // What an application logs may lack what the stack adds before it sends.
            let told = |m: &Stored| lint::is_told(call, m);
            let broken = |_: usize, m: &Stored| no_to_tag(m, code).filter(|_| told(m));
            tell(call, context, found, defect, &broken, "why-answer");
        }
    }
    if odd.has(Oddity::OtherTags) {
        changed(call, context, found);
    }
    if odd.has(Oddity::ManyTags) && call.method == Method::Invite {
        many(call, context, found);
    }
}

fn tell(
    call: &Call,
    context: &Context<'_>,
    found: &mut Findings,
    defect: &Defect,
    broken: &dyn Fn(usize, &Stored) -> Option<Mark>,
    why: &'static str,
) {
    let id = if why == "why-two" { "second" } else { "none" };
    for case in lint::cases(call, defect, broken) {
        if let Some(finding) = lint::add(found, call, context, defect, &case, note(id)) {
            finding.why(why);
        }
    }
}

// Stacks of RFC 2543 need none.
fn no_from_tag(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let without = |m: &Stored| {
        m.keys.from_tag == 0 && m.head.is_request() && m.message().header("From").is_some()
    };
    if !call.messages.iter().any(|m| m.keys.from_tag == 0) {
        return;
    }
    for defect in [&RISKY, &USUAL] {
        let broken = |_: usize, m: &Stored| {
            let cookie = crate::message::lint::COOKIE;
            let old = !m.head.branch.of(&m.raw).starts_with(cookie);
            let fits = old == (defect.weight == Weight::Usual);
            (without(m) && fits).then(|| Mark::value(m, "From"))
        };
        tell(call, context, found, defect, &broken, "why");
    }
}

fn two_tags(m: &Stored) -> Option<Mark> {
    if !m.head.flaws.has(Flaw::TwoTags) {
        return None;
    }
    ["From", "To"].into_iter().find_map(|name| {
        let header = m.message().header(name)?;
        let value = header.value.of(&m.raw);
        let from = memchr::memrchr(b'>', value).unwrap_or(0);
        let first = params::value_after(value, from, "tag")?;
        let second = params::value_after(value, first.end as usize, "tag")?;
        let span = second.shifted(header.value.start as usize);
        Some(Mark::header(header, span))
    })
}

// Only an answer that makes a dialog needs it badly.
fn no_to_tag(m: &Stored, least: u16) -> Option<Mark> {
    let code = m.head.code().filter(|_| m.keys.to_tag == 0)?;
    let range = if least == 200 { 200..300 } else { 101..200 };
    let makes = matches!(
        m.head.method,
        Method::Invite | Method::Subscribe | Method::Refer
    );
    let fits = makes && range.contains(&code) && m.message().header("To").is_some();
    fits.then(|| Mark::value(m, "To"))
}

fn changed(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |index: usize, m: &Stored| {
        let (_, request) = asked(call, index, m)?;
        let (own, had) = (m.keys, request.keys);
        let name = match own.from_tag == had.from_tag {
            true => "To",
            false => "From",
        };
        let to_changed = had.to_tag != 0 && own.to_tag != had.to_tag && m.head.code() != Some(100);
        (own.from_tag != had.from_tag || to_changed).then(|| Mark::value(m, name))
    };
    for case in lint::cases(call, &RISKY, &broken) {
        let Some((at, request)) = asked(call, case.message, case.stored) else {
            continue;
        };
        if let Some(finding) = lint::add(found, call, context, &RISKY, &case, note("other")) {
            let name = match case.stored.keys.from_tag == request.keys.from_tag {
                true => "To",
                false => "From",
            };
            let mark = Mark::value(request, name);
            finding
                .why("why-changed")
                .proof(mark.evidence(at, note("asked")));
        }
    }
}

fn asked<'a>(call: &'a Call, index: usize, m: &Stored) -> Option<(usize, &'a Stored)> {
    if m.head.is_request() {
        return None;
    }
    let at = call.transaction_of(index)?.request()?;
    Some((at, call.messages.get(at)?))
}

fn many(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let broken = |index: usize, m: &Stored| first_of(call, index, m).map(|_| Mark::value(m, "To"));
    for case in lint::cases(call, &HARMLESS, &broken) {
        let Some((at, first)) = first_of(call, case.message, case.stored) else {
            continue;
        };
        if let Some(finding) = lint::add(found, call, context, &HARMLESS, &case, note("differs")) {
            let mark = Mark::value(first, "To");
            finding
                .why("why-many")
                .proof(mark.evidence(at, note("first")));
        }
    }
}

// The same refusal in the same transaction, with another tag.
fn first_of<'a>(call: &'a Call, index: usize, m: &Stored) -> Option<(usize, &'a Stored)> {
    if m.head.code().is_none_or(|code| code < 300) || m.head.method != Method::Invite {
        return None;
    }
    let transaction = call.transaction_of(index)?;
    let before = transaction.finals.iter().filter(|at| **at < index);
    before
        .filter_map(|at| Some((*at, call.messages.get(*at)?)))
        .find(|(_, first)| {
            first.head.code() == m.head.code()
                && first.keys.to_tag != m.keys.to_tag
                && first.stamp.sender().is(m.stamp.sender())
        })
}
