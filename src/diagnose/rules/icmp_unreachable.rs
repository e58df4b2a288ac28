//! X6: a host or firewall reports that a message could not be delivered.

use super::super::finding::{Evidence, Finding, Template, deciding, note, sender};
use super::super::silence::{Silence, deciding_silences};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::layers::IcmpKind;
use crate::message::uri::host_port;
use crate::message::{Method, typed};
use crate::session::aside::{Icmp, What};
use crate::session::{Call, Outcome, Stored, outcome};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "icmp-unreachable",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Addresses, Need::Packets],
    rfc: &[(3261, "18.4"), (1122, "3.2.2.1"), (4443, "3.1")],
    title: "{element} cannot be reached, an ICMP error says",
    why: "{host} itself reports that nothing listens on port {port}, where {what} was sent: the host is up, its SIP service is not, or it listens on another port or transport",
    fix: "Start the SIP service on {host}, or let {sender} send to the port and transport on which it does listen. Where the service runs, see that it is bound to this address and not only to another one or to the loopback.",
    sentences: &[
        (
            "why-back",
            "{host} itself reports that nothing listens on port {port}, where {what} was sent; {after} after the last such report messages came from {host} again, so its SIP service was down or was restarted for that time",
        ),
        (
            "fix-back",
            "Try again: {host} sends messages by now. Find out in its log why the SIP service was down at that time (a restart, a crash, an update), and see that it comes up on this port and transport.",
        ),
        (
            "why-refused",
            "{reporter}, on the way to {element}, refuses {what} with port unreachable: a firewall that rejects, or an address translation without a mapping for this port",
        ),
        (
            "why-prohibited",
            "{reporter} reports that a filter or policy refuses {what} to {element}",
        ),
        (
            "fix-prohibited",
            "Let packets from {sender} to {element} pass at {reporter}: its firewall, access list or security group refuses them. If it is a NAT, forward the port to the system that has to get them.",
        ),
        (
            "why-host",
            "{reporter} reports that {host} does not answer on its own network, so {what} was not delivered: it is off or unplugged, or its address has changed",
        ),
        (
            "fix-host",
            "Check that {host} is on, is connected and still has this address. If it has moved, correct the address where {sender} takes it from: trunk or dispatcher entry, registration, DNS record.",
        ),
        (
            "why-network",
            "{reporter} has no way to the network of {host}, so {what} was not delivered: a route is missing, a link or VPN is down, or the address is wrong",
        ),
        (
            "fix-network",
            "Check the address of {element} at {sender} first; if it is right, add or repair the route at {reporter}, and see whether the link or VPN that leads there is up.",
        ),
        (
            "why-loop",
            "{reporter} reports that {what} to {host} ran out of hops: the packet goes round in a routing loop",
        ),
        (
            "fix-loop",
            "Trace the route to {host} (traceroute) and repair the routers that hand its packets back and forth around {reporter}.",
        ),
        (
            "why-other",
            "{reporter} reports that {what} to {element} could not be delivered",
        ),
        (
            "fix-other",
            "Check at {reporter} why packets to {element} are not delivered.",
        ),
        (
            "why-answer",
            "{what} did not reach {element}: {reporter} reports {kind}. Answers go to the address in the topmost Via of the request, and nobody takes them there: the port was closed, the client has moved, or the mapping of its NAT is gone",
        ),
        (
            "fix-answer",
            "Compare the source address of the request with its topmost Via. Where they differ, let the client ask for `rport` (RFC 3581) and let {sender} answer to the source address; where they are the same, the client or its NAT closed the port too early.",
        ),
        (
            "why-forged",
            "the topmost Via of the {method} names {via}, the side that is called, and asks for no `rport`: so {what} went to {element}, where nothing listens, and not to {source}, where the {method} came from",
        ),
        (
            "fix-forged",
            "Block or ignore {host}, unless it is a test of your own: no client writes the address of the side that it calls into its own Via, so the {method} is forged or comes from a test tool.",
        ),
        ("via", "the address of the called side"),
        ("sent", "not delivered; sent {copies} times"),
        ("sent-once", "not delivered"),
        ("report", "one of {reports} such reports"),
        ("report-once", "the report"),
        ("gave-up", "what {sender} made of it"),
    ],
    explains: &[
        "request-no-response",
        "reg-timeout",
        "bye-unanswered",
        "2xx-not-acked",
        "final-not-acked",
        "408-origin",
        "trying-then-silence",
        "auth-challenge-not-received",
        "auth-no-credentials-sent",
        "nat-binding-expired",
        "capture-partial-call",
    ],
    check,
    ..Rule::PLAIN
};

/// An ICMP error, the message that it is about, and what it did to the call.
struct Report<'a> {
    aside: usize,
    icmp: &'a Icmp,
    about: &'a Stored,
    decided: bool,
    gave_up: Option<(usize, &'a Stored)>,
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.asides.is_empty() {
        return;
    }
    let silences = deciding_silences(call);
    let Some(report) = decisive(call, &silences).or_else(|| harmful(call)) else {
        return;
    };
    let forged = forged(call, &report);
    let acts = match forged {
        Some(_) => Acts::Operator,
        None => acts(report.icmp, report.about),
    };
    // A call that ended well may still have tried an address where nobody is.
    let ended_well = call.outcome == Outcome::Succeeded;
    let (severity, role) = match report.decided && !ended_well {
        true => (Severity::Error, Role::Cause),
        // Who sees no end of the call may still see why there is none.
        false if !report.about.head.is_request() => (Severity::Info, Role::Contributing),
        false => (Severity::Warning, Role::Contributing),
    };
    if let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) {
        tell(call, &report, context, finding);
        if let Some((at, request)) = forged {
            let via = typed::vias(request.message()).into_iter().next();
            finding.why("why-forged").fix("fix-forged").args(
                Args::new()
                    .text("method", request.message().method_name())
                    .text("via", via.map(|via| via.sent_by).unwrap_or_default())
                    .text("source", sender(request)),
            );
            finding.proof(Evidence::header(at, request, "Via", note("via")));
        }
    }
}

// The request of an undeliverable answer whose topmost Via names the side that was called.
fn forged<'a>(call: &'a Call, report: &Report<'_>) -> Option<(usize, &'a Stored)> {
    if report.about.head.is_request() || report.icmp.kind != IcmpKind::PortUnreachable {
        return None;
    }
    let at = call.transaction_of(report.icmp.message)?.request()?;
    let request = call.messages.get(at)?;
    let (source, destination) = request.stamp.observed()?;
    let message = request.message();
    let line = message.header("Via")?;
    let asks = line.value.of(&request.raw).to_ascii_lowercase();
    let via = typed::vias(message).into_iter().next()?;
    let (host, _) = host_port(via.sent_by.as_bytes());
    let host = String::from_utf8_lossy(host)
        .trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .ok()?;
    let called = host == destination.ip() && source.ip() != destination.ip();
    let rport = memchr::memmem::find(&asks, b"rport").is_some();
    (called && !rport).then_some((at, request))
}

fn reports(call: &Call) -> impl Iterator<Item = Report<'_>> {
    let all = call.asides.iter().enumerate();
    all.filter_map(|(aside, seen)| {
        let What::Icmp(icmp) = &seen.what else {
            return None;
        };
        let about = call.messages.get(icmp.message)?;
        is_unreachable(icmp.kind).then_some(Report {
            aside,
            icmp,
            about,
            decided: false,
            gave_up: None,
        })
    })
}

// What is too big or cut is another matter.
/// The kind of a report, in words.
fn kind(of: IcmpKind) -> &'static str {
    match of {
        IcmpKind::PortUnreachable => "port unreachable",
        IcmpKind::HostUnreachable => "host unreachable",
        IcmpKind::NetworkUnreachable => "network unreachable",
        IcmpKind::ProtocolUnreachable => "protocol unreachable",
        IcmpKind::Prohibited => "prohibited",
        IcmpKind::TooBig(_) => "too big",
        IcmpKind::HopLimit => "hop limit exceeded",
        IcmpKind::Reassembly => "reassembly time exceeded",
        IcmpKind::Malformed => "malformed",
        IcmpKind::Undelivered => "undelivered",
    }
}

fn is_unreachable(kind: IcmpKind) -> bool {
    !matches!(
        kind,
        IcmpKind::TooBig(_) | IcmpKind::Reassembly | IcmpKind::Malformed
    )
}

// A report about what decided how the call ended: a request that nobody answered, a challenge that
// did not arrive, or an answer whose ACK never came.
fn decisive<'a>(call: &'a Call, silences: &[Silence<'a>]) -> Option<Report<'a>> {
    let of_silence = |report: Report<'a>| {
        let message = report.icmp.message;
        let silence = silences
            .iter()
            .find(|silence| silence.transaction.sends.contains(&message))?;
        Some(Report {
            decided: true,
            gave_up: silence.gave_up,
            ..report
        })
    };
    if let Some(report) = reports(call).find_map(of_silence) {
        return Some(report);
    }
    let unacknowledged = call.outcome == Outcome::Failed
        && call
            .decided_by
            .is_some_and(|index| outcome::never_acknowledged(call, index));
    let challenged = matches!(call.code(), Some(401 | 407)) && call.outcome == Outcome::Failed;
    let (deciding, _) = deciding(call).filter(|_| unacknowledged || challenged)?;
    let of_answer = |index: usize| {
        let first = call.messages.get(index).and_then(|m| m.copy);
        index == deciding || first.is_some_and(|copy| copy.first as usize == deciding)
    };
    let counts = |report: &Report<'_>| {
        let lost_ack = unacknowledged && report.about.head.method == Method::Ack;
        of_answer(report.icmp.message) || lost_ack
    };
    let report = reports(call).find(counts)?;
    Some(Report {
        decided: true,
        ..report
    })
}

// A report about a request that was never answered, though the call ended otherwise, or about an
// answer behind which nothing more was recorded.
fn harmful(call: &Call) -> Option<Report<'_>> {
    reports(call).find(|report| {
        let transaction = call.transaction_of(report.icmp.message);
        let request = report.about.head.is_request();
        let open = transaction.is_none_or(|t| !t.is_answered());
        let last = || call.outcome == Outcome::Unfinished && is_last(call, report.icmp.message);
        (request && open) || (!request && last())
    })
}

fn is_last(call: &Call, index: usize) -> bool {
    call.originals()
        .last()
        .is_some_and(|(last, _)| last <= index)
}

fn acts(icmp: &Icmp, about: &Stored) -> Acts {
    let by_host = icmp.reporter == icmp.flow.destination.ip();
    match (icmp.kind, about.head.is_request(), about.head.method) {
        (IcmpKind::PortUnreachable, false, _) if by_host => Acts::Caller,
        (IcmpKind::PortUnreachable, true, Method::Register) if by_host => Acts::Registrar,
        (IcmpKind::PortUnreachable, true, _) if by_host => Acts::Callee,
        // The last network speaks: the way is good and the host is gone.
        (IcmpKind::HostUnreachable, true, Method::Register) => Acts::Registrar,
        (IcmpKind::HostUnreachable, true, _) => Acts::Callee,
        _ => Acts::Network,
    }
}

fn tell(call: &Call, report: &Report<'_>, context: &Context<'_>, finding: &mut Finding) {
    let (icmp, about) = (report.icmp, report.about);
    let same = || {
        reports(call).filter(|other| {
            other.icmp.kind == icmp.kind && other.icmp.flow.destination == icmp.flow.destination
        })
    };
    let reports = same().count();
    // Who sends SIP after the last report is up again.
    let last = same().filter_map(|r| call.asides.get(r.aside)?.time).max();
    let peer = context.view.peer(icmp.flow.destination.ip());
    let back = last
        .zip(peer.and_then(|peer| peer.last_from()))
        .map(|(last, heard)| heard - last.0)
        .filter(|after| *after > 0);
    let copies = call
        .transaction_of(icmp.message)
        .map_or(1, |transaction| transaction.sends.len());
    let by_host = icmp.reporter == icmp.flow.destination.ip();
    let (why, fix) = match icmp.kind {
        _ if !about.head.is_request() => ("why-answer", "fix-answer"),
        IcmpKind::PortUnreachable | IcmpKind::ProtocolUnreachable if by_host && back.is_some() => {
            ("why-back", "fix-back")
        }
        IcmpKind::PortUnreachable | IcmpKind::ProtocolUnreachable if by_host => ("why", "fix"),
        IcmpKind::PortUnreachable | IcmpKind::ProtocolUnreachable => {
            ("why-refused", "fix-prohibited")
        }
        IcmpKind::Prohibited => ("why-prohibited", "fix-prohibited"),
        IcmpKind::HostUnreachable => ("why-host", "fix-host"),
        IcmpKind::NetworkUnreachable => ("why-network", "fix-network"),
        IcmpKind::HopLimit => ("why-loop", "fix-loop"),
        _ => ("why-other", "fix-other"),
    };
    let what = match about.head.code() {
        Some(code) => code.to_string(),
        None => about.message().method_name(),
    };
    let what = ("the {message}", Args::new().text("message", what));
    let destination = icmp.flow.destination;
    finding
        .element(destination.to_string())
        .why(why)
        .fix(fix)
        .args(
            Args::new()
                .text("host", destination.ip().to_string())
                .text("port", destination.port().to_string())
                .text("reporter", icmp.reporter.to_string())
                .said("kind", kind(icmp.kind))
                .with("what", what)
                .duration("after", back.unwrap_or(0))
                .text("sender", sender(about)),
        );
    let sent = match copies {
        ..=1 => note("sent-once"),
        _ => Template::new("sent", Args::new().count("copies", copies)),
    };
    finding.proof(Evidence::start_line(icmp.message, about, sent));
    finding.proof(Evidence::Beside {
        message: icmp.message,
        aside: report.aside,
        note: match reports {
            ..=1 => note("report-once"),
            _ => Template::new("report", Args::new().count("reports", reports)),
        },
    });
    if let Some((index, answer)) = report.gave_up {
        finding.proof(Evidence::start_line(index, answer, note("gave-up")));
    }
}
