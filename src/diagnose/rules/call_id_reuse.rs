//! L10: a new call with the Call-ID of one that is over.

use super::super::complaint::Topic;
use super::super::finding::Template;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::Method;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "call-id-reuse",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "8.1.1.4"), (3261, "8.2.2.2")],
    title: "a new call with the Call-ID of one that had ended",
    why: "{writer} began a new call with the Call-ID and From-tag of call {number}, which had been answered and ended: a server that still remembers that one may take this for a repeat, a loop or a part of it, and reports mix the two up",
    fix: "Update {writer} or report this to its vendor: each new call needs a Call-ID and a From-tag of its own. In a script or test tool have both made anew for each call.",
    sentences: &[("wrong", "the Call-ID of call {number}")],
    explains: &[
        "request-no-response",
        "bad-request-400",
        "merged-request-482",
    ],
    confirm: "a new call with a Call-ID of its own, which would then be taken",
    check,
    ..Rule::PLAIN
};

const DEFECT: Defect = Defect {
    weight: Weight::Risky,
    codes: &[482],
    topics: &[Topic::CallId],
    copied: false,
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let again = begun_again(call);
    let Some(number) = call.reuses.or(again.map(|_| call.id)) else {
        return;
    };
    let broken = |index: usize, m: &Stored| {
        let begins = m.is_initial() && m.head.method == Method::Invite;
        let is_new = again.is_none_or(|again| again <= index);
        (begins && is_new).then(|| Mark::value(m, "Call-ID"))
    };
    for case in lint::cases(call, &DEFECT, &broken) {
        let number = Args::new().count("number", usize::try_from(number).unwrap_or(0));
        let told = Template::new("wrong", number.clone());
        if let Some(finding) = lint::add(found, call, context, &DEFECT, &case, told) {
            finding.args(number);
        }
    }
}

// An INVITE outside the dialog after its BYE, so soon that it was taken for part of the same call.
fn begun_again(call: &Call) -> Option<usize> {
    let is_bye = |m: &&Stored| m.head.is_request() && m.head.method == Method::Bye;
    let bye = call.messages.iter().position(|m| is_bye(&m))?;
    let first = call.request()?;
    call.answer()?;
    let mut later = call.originals().skip_while(|(index, _)| *index < bye);
    let begins = |m: &Stored| {
        m.is_initial()
            && m.head.method == Method::Invite
            && m.keys.transaction != first.keys.transaction
            && m.head.vias == first.head.vias
    };
    later.find(|(_, m)| begins(m)).map(|(index, _)| index)
}
