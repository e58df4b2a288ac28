//! S3: an analytics system rejected the call.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::message::header::elements;
use crate::message::params::value_after;
use crate::message::uri::addr_spec;
use crate::message::{Header, Span, lossy, span};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "rejected-608",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[608],
    rfc: &[(8688, "3")],
    title: "a filter in the network rejected the call",
    why: "608 says that a machine on the way, not the called person, took the call of {from} for an unwanted one; {place} is where its operator can be asked to correct that",
    fix: "Let the owner of the calling number {from} turn to {place}, the contact card of whoever blocks, and ask for correction. Do not try again elsewhere before that: 608 is final for every device of the called person.",
    sentences: &[
        (
            "why-nowhere",
            "608 says that a machine on the way, not the called person, took the call of {from} for an unwanted one; the answer does not name the contact that it has to name",
        ),
        (
            "fix-nowhere",
            "Ask whoever runs {element}, or the carrier of the called person, who rejected the call, and let the owner of {from} ask there for correction. 608 is to carry Call-Info with purpose=jwscard, which is missing.",
        ),
        ("answer", "the final answer"),
        ("card", "where to ask for correction"),
        (
            "other-purpose",
            "where to ask for correction; the purpose is to be jwscard, a signed card, so do not trust it blindly",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call).filter(|_| call.code() == Some(608)) else {
        return;
    };
    let Some(finding) = found.add(Confidence::Certain, Acts::Caller) else {
        return;
    };
    let from = call.from().unwrap_or_else(|| "this caller".to_owned());
    finding
        .element(sender(response))
        .args(Args::new().text("from", from));
    finding.proof(Evidence::start_line(index, response, note("answer")));
    match card(response) {
        Some((header, mark, place, signed)) => {
            finding.args(Args::new().text("place", place));
            let id = if signed { "card" } else { "other-purpose" };
            finding.proof(Evidence::of_header(index, header, mark, note(id)));
        }
        None => {
            finding.why("why-nowhere").fix("fix-nowhere");
        }
    }
}

// The URI of the contact card, and whether it is announced as RFC 8688 §3 wants it.
fn card(response: &Stored) -> Option<(Header, Span, String, bool)> {
    let message = response.message();
    let all = message.all("Call-Info").take(8).flat_map(|header| {
        let value = header.value.of(&response.raw);
        elements(value).map(move |element| (header, element))
    });
    let cards = all.filter_map(|(header, element)| {
        let purpose = value_after(element, 0, "purpose")?;
        let purpose = purpose.of(element).to_ascii_lowercase();
        let signed = purpose == b"jwscard";
        let uri = addr_spec(element);
        (signed || purpose == b"jcard").then(|| {
            (
                header,
                span::span_in(&response.raw, uri),
                lossy(uri),
                signed,
            )
        })
    });
    cards.max_by_key(|(.., signed)| *signed)
}
