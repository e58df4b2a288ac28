//! G1: a request inside a dialog names the dialog wrongly.

use super::super::finding::{Evidence, note, sender};
use super::super::inside::{self, Dialog, Refused, tag};
use super::super::{Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity, blame};
use crate::message::{Method, Span};
use crate::session::{Call, Outcome, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "481-tag-mismatch",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[481],
    rfc: &[(3261, "12.2.1.1"), (3261, "12.2.2"), (3261, "15.1.2")],
    title: "{method} of {element} does not name the call it means",
    why: "{method} carries the tag {own} in {header}, and the call that was set up has {right} there: to {other} it belongs to no call it knows, so it answers 481",
    fix: "Correct the software that sends {method} on {element}: From and To of a request inside a call must carry the tags of the answer that set it up, its own in From and those of the other side in To, for all requests the same. After a BYE that was refused so the other side is still in the call.",
    sentences: &[
        (
            "why-missing",
            "{method} carries no tag in {header}, and the call that was set up has {right} there: to {other} it belongs to no call it knows, so it answers 481",
        ),
        (
            "why-early",
            "{method} carries the tag {own} in {header}, which is that of an earlier provisional answer; the answer that set up the call has {right} there, so {other} answers 481",
        ),
        (
            "why-swapped",
            "{method} comes from the called side and carries the tags as if the caller had sent it: its own tag must be in From and that of the caller in To, so {other} finds no such call and answers 481",
        ),
        ("request", "here it should be {right}"),
        ("set-up", "the tag of the call: {right}"),
        ("answer", "{other} knows no such call"),
    ],
    explains: &[
        "481-state-lost",
        "bye-unanswered",
        "mandatory-header-missing",
        "tags",
    ],
    check,
    ..Rule::PLAIN
};

/// What is wrong with a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Missing,
    Early,
    Wrong,
    Swapped,
}

/// A tag that is not as it has to be.
struct Mismatch {
    fault: Fault,
    /// `From` or `To` of the request.
    header: &'static str,
    /// What it carries.
    own: u64,
    /// The end that wrote the request.
    side: Side,
    /// The end whose tag has to be there.
    whose: Side,
    dialog: Dialog,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    let refused = inside::refused(call, &[481]).find_map(|refused| {
        let wrong = mismatch(call, refused.request)?;
        Some((refused, wrong))
    });
    if let Some((refused, wrong)) = refused {
        tell(call, refused, &wrong, found);
    }
}

fn mismatch(call: &Call, request: &Stored) -> Option<Mismatch> {
    let dialogs = inside::dialogs(call);
    let (from, to) = (request.keys.from_tag, request.keys.to_tag);
    let of = |fault, header, own, side, whose, dialog| Mismatch {
        fault,
        header,
        own,
        side,
        whose,
        dialog,
    };
    let confirmed = || dialogs.iter().filter(|d| d.confirmed);
    let whole = |d: &&Dialog| [(d.caller, d.callee), (d.callee, d.caller)].contains(&(from, to));
    if let Some(dialog) = confirmed().find(whole) {
        let by_callee = inside::author(call, request) == Some(Side::Callee);
        let swapped = by_callee && (from, to) == (dialog.caller, dialog.callee);
        let fault = of(
            Fault::Swapped,
            "From",
            from,
            Side::Callee,
            Side::Callee,
            *dialog,
        );
        return swapped.then_some(fault);
    }
    let early = |tag: u64| dialogs.iter().any(|d| !d.confirmed && d.callee == tag);
    let fault = |tag: u64| match tag {
        0 => Fault::Missing,
        tag if early(tag) => Fault::Early,
        _ => Fault::Wrong,
    };
    confirmed().find_map(|d| match () {
        () if from == d.caller => Some(of(fault(to), "To", to, Side::Caller, Side::Callee, *d)),
        () if to == d.callee => Some(of(
            fault(from),
            "From",
            from,
            Side::Caller,
            Side::Caller,
            *d,
        )),
        () if to == d.caller => Some(of(
            fault(from),
            "From",
            from,
            Side::Callee,
            Side::Callee,
            *d,
        )),
        () if from == d.callee => Some(of(fault(to), "To", to, Side::Callee, Side::Caller, *d)),
        () => None,
    })
}

fn tell(call: &Call, refused: Refused<'_>, wrong: &Mismatch, found: &mut Findings) {
    let (severity, role) = match call.outcome {
        Outcome::Succeeded => (Severity::Warning, Role::Contributing),
        _ => (Severity::Error, Role::Contributing),
    };
    let acts = blame::acts_of(call, wrong.side);
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) else {
        return;
    };
    let Some(set_up) = call.messages.get(wrong.dialog.answer) else {
        return;
    };
    let (right_header, right) = match wrong.whose {
        Side::Caller => ("From", tag(set_up, set_up.head.from_tag)),
        Side::Callee => ("To", tag(set_up, set_up.head.to_tag)),
    };
    let request = refused.request;
    let own_span = match wrong.header {
        "From" => request.head.from_tag,
        _ => request.head.to_tag,
    };
    finding
        .element(sender(request))
        .args(
            Args::new()
                .text("method", request.message().method_name())
                .text("header", wrong.header)
                .text("own", tag(request, own_span))
                .text("right", right)
                .text("other", sender(refused.answer)),
        )
        .why(match wrong.fault {
            Fault::Missing => "why-missing",
            Fault::Early => "why-early",
            Fault::Wrong => "why",
            Fault::Swapped => "why-swapped",
        });
    debug_assert_eq!(wrong.own == 0, own_span.is_empty());
    finding.proof(marked(refused.index, request, wrong.header, own_span));
    finding.proof(Evidence::header(
        wrong.dialog.answer,
        set_up,
        right_header,
        note("set-up"),
    ));
    finding.proof(Evidence::start_line(
        refused.answer_index,
        refused.answer,
        note("answer"),
    ));
}

// The tag where there is one, else the whole header.
fn marked(index: usize, stored: &Stored, name: &'static str, tag: Span) -> Evidence {
    match stored.message().header(name) {
        Some(header) if !tag.is_empty() => Evidence::of_header(index, header, tag, note("request")),
        _ => Evidence::header(index, stored, name, note("request")),
    }
}
