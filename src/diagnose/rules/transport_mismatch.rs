//! X8: a header names another transport than the one in use, and something gets lost by that.

use super::super::blame::{acts_of, acts_of_sender};
use super::super::finding::{Evidence, note, receiver, sender};
use super::super::inside;
use super::super::reach::{self, Lost, said_transport};
use super::super::silence::deciding_silences;
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::layers::Transport;
use crate::message::field::Field;
use crate::message::params;
use crate::message::uri::Uri;
use crate::message::{Method, lossy};
use crate::session::{Call, Outcome, Side, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "transport-mismatch",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Addresses],
    rfc: &[(3261, "18.1.1"), (3261, "18.2.2"), (3263, "4.1")],
    title: "{header} of {what} does not fit the transport in use",
    why: "{author} sent {what} over {wire} with a Via that names {said}, so the answer was sent over {back}, and not over {wire}, where it is waited for",
    fix: "Make {author} write into Via the transport that it sends over. Where it does so itself, look for what rewrites Via on the way: a script, a header rule, a router or firewall with a SIP helper.",
    sentences: &[
        (
            "why-server",
            "{what} of {author} came over {wire} and says so in its Via, and {element} answered over {back}: an answer has to go the way on which the request came, so the sender does not see it",
        ),
        (
            "fix-server",
            "Make {element} answer over {wire}, on the connection on which the request came: look there for a listener, route or trunk setting that forces {back}.",
        ),
        (
            "why-unanswered",
            "{author} sent {what} over {wire} with a Via that names {said}, and no answer came: who answers goes by the Via, so the answer may have been sent over {said}, where {author} does not listen",
        ),
        (
            "why-contact",
            "{author} talks over {wire} and gave an address without transport in {header}, which means UDP: {method} was sent there over UDP, and nobody took it{left}",
        ),
        (
            "why-contact-udp",
            "{author} talks over {wire} and gave an address with transport=udp in {header}: {method} was sent there over UDP, and nobody took it{left}",
        ),
        (
            "fix-contact",
            "Make {author} add ;transport={param} to the address in its {header}, or let it listen on UDP at that port as well.",
        ),
        (
            "why-uri",
            "the Request-URI of {what} asks for {said}, and {author} sent it over {wire}: {element} may listen on {said} only",
        ),
        (
            "fix-uri",
            "Let {author} send to {element} over {said}: a route, outbound proxy or trunk setting there forces {wire}. Where {wire} is right, correct the address that it was given.",
        ),
        ("via", "sent over {wire}"),
        ("answer", "sent over {back}"),
        ("given", "this came over {wire}"),
        ("lost", "sent over UDP"),
        ("asked", "sent over {wire}"),
    ],
    explains: &[
        "request-no-response",
        "408-origin",
        "2xx-not-acked",
        "final-not-acked",
        "bye-unanswered",
        "icmp-unreachable",
        "trying-then-silence",
        "ack-misrouted",
        "half-dead-call",
    ],
    confirm: "a capture at {author} that shows over which transport the answers come in, if they do",
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    // What works is nobody's concern.
    if call.outcome == Outcome::Succeeded && !has_silence(call) {
        return;
    }
    if let Some((request, answer)) = answered_elsewhere(call) {
        return tell_answer(call, request, answer, found);
    }
    if let Some(lost) = reach::lost(call)
        && tell_contact(call, &lost, found)
    {
        return;
    }
    tell_silence(call, context, found);
}

fn has_silence(call: &Call) -> bool {
    let counts = |method| !matches!(method, Method::Ack | Method::Cancel);
    let mut all = call.transactions().iter();
    all.any(|t| !t.is_answered() && !t.sends.is_empty() && counts(t.method))
}

fn wire(m: &Stored) -> Option<Transport> {
    m.stamp.transport.filter(|_| m.stamp.observed().is_some())
}

// Whether it is encrypted, or inside WebSocket, may have been taken off in front of the capture.
fn differ(a: Transport, b: Transport) -> bool {
    a.is_reliable() != b.is_reliable()
}

fn upper(transport: Transport) -> String {
    transport.name().to_uppercase()
}

// A final response that came back over another transport than its request went out by.
fn answered_elsewhere(call: &Call) -> Option<(usize, usize)> {
    call.transactions().iter().find_map(|t| {
        let (at, &answer) = (t.request()?, t.finals.first()?);
        let (asked, told) = (call.messages.get(at)?, call.messages.get(answer)?);
        let same = asked.stamp.sender().is(told.stamp.receiver());
        (same && differ(wire(asked)?, wire(told)?)).then_some((at, answer))
    })
}

// An answer that went astray is the cause where it decided the call.
fn weight(call: &Call, decides: bool) -> (Severity, Role, Confidence) {
    match call.outcome {
        Outcome::Failed | Outcome::TimedOut if decides => {
            (Severity::Error, Role::Cause, Confidence::Likely)
        }
        _ => (Severity::Warning, Role::Contributing, Confidence::Likely),
    }
}

fn tell_answer(call: &Call, request: usize, answer: usize, found: &mut Findings) {
    let (Some(asked), Some(told)) = (call.messages.get(request), call.messages.get(answer)) else {
        return;
    };
    let (Some(out), Some(back)) = (wire(asked), wire(told)) else {
        return;
    };
    let said = said_transport(asked);
    let own = said.is_some_and(|said| differ(said, out));
    let decided = call.decided_by.and_then(|at| call.finals.get(at));
    // Nobody who saw the answer leaves it without ACK.
    let acked = call
        .transaction_of(answer)
        .is_some_and(|t| !t.acks.is_empty())
        || call
            .requests(Method::Ack)
            .any(|(_, m)| m.keys.to_tag == told.keys.to_tag);
    let decides = decided.is_some_and(|f| f.message == answer) && !acked;
    let (severity, role, confidence) = weight(call, decides);
    let side = call.side(told).unwrap_or(Side::Callee);
    let acts = match own {
        true => acts_of_sender(call, asked),
        false => acts_of(call, side),
    };
    let Some(finding) = found.add_with(severity, role, confidence, acts) else {
        return;
    };
    let element = if own { asked } else { told };
    finding.element(sender(element)).args(
        Args::new()
            .text("author", sender(asked))
            .text("header", "Via")
            .text("what", asked.message().method_name())
            .text("wire", upper(out))
            .text("said", upper(said.unwrap_or(out)))
            .text("back", upper(back)),
    );
    if !own {
        finding.why("why-server").fix("fix-server");
    }
    finding.proof(Evidence::header(request, asked, "Via", note("via")));
    finding.proof(Evidence::start_line(answer, told, note("answer")));
}

// A request inside the dialog that went over UDP to an end that talks over a connection, because the
// address that this end gave names no transport.
fn tell_contact(call: &Call, lost: &Lost<'_>, found: &mut Findings) -> bool {
    let request = lost
        .request
        .and_then(|at| Some((at, call.messages.get(at)?)));
    let given = call.messages.get(lost.given.message);
    let (Some((at, request)), Some(given)) = (request, given) else {
        return false;
    };
    let (Some(Transport::Udp), Some(wire)) = (wire(request), wire(given)) else {
        return false;
    };
    let asked = Uri::parse(lost.given.uri).and_then(transport_of);
    if !wire.is_reliable() || asked.is_some_and(|asked| asked != Transport::Udp) {
        return false;
    }
    let (severity, role) = match call.outcome {
        Outcome::Succeeded => (Severity::Warning, Role::Contributing),
        _ => (Severity::Error, Role::Cause),
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Likely, lost.acts(call)) else {
        return true;
    };
    finding.element(lost.author.to_string()).args(
        Args::new()
            .text("author", lost.author.to_string())
            .text("header", lost.field.name())
            .with("left", inside::left(call, request))
            .text("what", super::super::lint::what(given))
            .text("wire", upper(wire))
            .text("param", wire.name())
            .text("method", request.message().method_name()),
    );
    finding.fix("fix-contact").why(match asked {
        Some(_) => "why-contact-udp",
        None => "why-contact",
    });
    finding.proof(lost.evidence(note("given")));
    finding.proof(Evidence::start_line(at, request, note("lost")));
    true
}

fn transport_of(uri: Uri<'_>) -> Option<Transport> {
    let span = params::value_after(uri.params, 0, "transport")?;
    Transport::of(&lossy(span.of(uri.params)))
}

// A request that nobody answered, with a Via or a Request-URI that names another transport.
fn tell_silence(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some(silence) = deciding_silences(call).pop() else {
        return;
    };
    let (index, request) = (silence.index, silence.request);
    let Some(out) = wire(request) else { return };
    let via = said_transport(request).filter(|said| differ(*said, out));
    let uri = || {
        let uri = request.message().request_uri()?;
        transport_of(Uri::parse(uri.of(&request.raw))?).filter(|asked| differ(*asked, out))
    };
    let uri = uri().filter(|_| !call.fields(index).has(Field::Route));
    let Some(said) = via.or(uri) else { return };
    let since = request.time().unwrap_or(i64::MIN);
    let alive = context.view.receiver_spoke(&request.stamp, since);
    // Who answers others over the transport in use has it.
    let address = request.stamp.receiver().address();
    let known = address.and_then(|ip| context.view.peer(ip)?.last_from());
    let likely = match via {
        Some(_) => alive,
        None => known.is_none() && call.outcome == Outcome::TimedOut,
    };
    let likely = likely && !found.has("capture-one-sided");
    let confidence = match likely {
        true => Confidence::Likely,
        false => Confidence::Possible,
    };
    let acts: Acts = acts_of_sender(call, request);
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    let args = Args::new()
        .text("author", sender(request))
        .text("what", request.message().method_name())
        .text("wire", upper(out))
        .text("said", upper(said));
    if via.is_some() {
        finding
            .element(sender(request))
            .args(args.text("header", "Via"));
        finding.why("why-unanswered");
        finding.proof(Evidence::header(index, request, "Via", note("via")));
    } else {
        let args = args.text("header", "Request-URI");
        finding.element(receiver(request)).args(args);
        finding.why("why-uri").fix("fix-uri");
        finding.proof(Evidence::request_uri(index, request, note("asked")));
    }
}
