//! D8: 483 without a circle: the request set out with too few hops.

use super::super::finding::{Evidence, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::Method;
use crate::message::field::Field;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "max-forwards-bad",
    severity: Severity::Error,
    frequency: Frequency::Low,
    needs: &[],
    codes: &[483],
    rfc: &[(3261, "8.1.1.6"), (3261, "20.22"), (3261, "21.4.21")],
    title: "{method} set out with too few hops",
    why: "{method} was sent with Max-Forwards {hops} and used that up before it arrived: {element} answered 483, and no server stands twice on the way, so it is no circle",
    fix: "Let {sender} send {method} with Max-Forwards 70, as the protocol wants it. A server that starts a new request for a call has to do the same.",
    sentences: &[
        (
            "why-missing",
            "{method} carries no Max-Forwards at all, and {element} takes that for a hop counter that is used up and answers 483",
        ),
        (
            "why-odd",
            "{method} carries Max-Forwards \"{hops}\", which is no number from 0 to 255, and {element} answers 483",
        ),
        (
            "why-here",
            "{method} came to {element} with Max-Forwards {hops} and was refused with 483: with so few hops left it gets no further than that, or not even there",
        ),
        ("sent", "as it was sent"),
        ("answer", "refused"),
    ],
    check,
    ..Rule::PLAIN
};

/// Fewer hops than this do not lead everywhere.
const FEW: u32 = 10;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let refused = call.finals.iter().enumerate().find(|(_, f)| f.code == 483);
    let Some((number, refused)) = refused else {
        return;
    };
    // Pings with few hops measure the way.
    if call.method == Method::Options || found.has("routing-loop") {
        return;
    }
    let Some(response) = call.messages.get(refused.message) else {
        return;
    };
    let of_request = |m: &Stored| {
        m.head.is_request() && m.head.method == response.head.method && m.cseq() == response.cseq()
    };
    let first = call
        .originals()
        .filter(|(_, m)| of_request(m))
        .min_by_key(|(index, m)| (m.head.vias, *index));
    let Some((at, request)) = first else { return };
    let header = call.fields(at).first(Field::MaxForwards);
    let text = header.map(|h| String::from_utf8_lossy(h.value.of(&request.raw)).into_owned());
    let hops = text.as_deref().map(|text| text.trim().parse::<u32>());
    let why = match hops {
        None => "why-missing",
        // On a way of one hop nothing can have used it up.
        Some(Ok(hops)) if hops < FEW && request.stamp.sender().is(response.stamp.receiver()) => {
            "why-here"
        }
        Some(Ok(hops)) if hops < FEW => "why",
        Some(Ok(0..=255)) => return,
        Some(_) => "why-odd",
    };
    let decides = call.decided_by == Some(number);
    let (severity, role) = match decides {
        true => (Severity::Error, Role::Cause),
        false => (Severity::Warning, Role::Contributing),
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, Acts::Caller) else {
        return;
    };
    finding.element(sender(response)).why(why).args(
        Args::new()
            .text("method", request.message().method_name())
            .text("sender", sender(request))
            .text("hops", text.unwrap_or_default()),
    );
    finding.proof(match header {
        Some(header) => Evidence::of_header(at, header, header.value, note("sent")),
        None => Evidence::start_line(at, request, note("sent")),
    });
    finding.proof(Evidence::start_line(
        refused.message,
        response,
        note("answer"),
    ));
}
