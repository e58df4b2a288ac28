//! X2: the server refuses a message because of its size.

use super::super::blame::acts_of_sender;
use super::super::finding::{Evidence, note, sender};
use super::super::size::{self, largest_parts};
use super::super::{Args, Confidence, Context, Findings, Frequency, Rule, Severity};
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "message-too-large-513",
    severity: Severity::Error,
    frequency: Frequency::Low,
    needs: &[],
    codes: &[513],
    rfc: &[(3261, "21.5.7")],
    title: "the message is too large for the server",
    why: "{server} refused the {method} of {size} bytes with 513, which means that it does not take messages of this length. Largest parts: {parts}",
    fix: "Make the request smaller at {element}: offer fewer codecs, leave out video and ICE candidates that are not needed, remove headers that nobody reads. If it has to be as large as this, raise the limit for messages at {server}.",
    sentences: &[
        ("request", "{size} bytes"),
        ("answer", "the server says that this is too much"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.code() != Some(513) {
        return;
    }
    let Some(original) = call.decided_by.map(|index| call.original_of(index)) else {
        return;
    };
    let (Some(answer), Some(index)) = (
        call.message_of(original),
        call.finals.get(original).map(|f| f.message),
    ) else {
        return;
    };
    // Without it nothing can be said of the size.
    let request = call.transaction_of(index).and_then(|t| t.request());
    let Some((at, request)) = request.and_then(|at| Some((at, call.messages.get(at)?))) else {
        return;
    };
    let acts = acts_of_sender(call, request);
    let Some(finding) = found.add(Confidence::Certain, acts) else {
        return;
    };
    finding.element(sender(request)).args(
        Args::new()
            .text("server", sender(answer))
            .text("method", request.message().method_name())
            .text("parts", largest_parts(request))
            .count("size", size::bytes(request)),
    );
    finding.proof(Evidence::start_line(at, request, note("request")));
    finding.proof(Evidence::start_line(index, answer, note("answer")));
}
