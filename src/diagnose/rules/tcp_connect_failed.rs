//! X3: a connection over which SIP should have gone was never made.

use super::super::across::{CONNECT_FAILED, Exhibit};
use super::super::connect::{self, Need as Needed, Why};
use super::super::finding::{Finding, note};
use super::super::{
    Across, Acts, Args, Confidence, Context, Findings, Frequency, Ledger, Need, Product, Rule,
};
use crate::layers::Wire;
use crate::session::Call;
use crate::session::aside::{Aside, Connection, What};
use crate::session::clock::SECOND;

/// The rule.
pub static RULE: Rule = Rule {
    id: CONNECT_FAILED,
    severity: super::super::Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses, Need::Packets],
    rfc: &[(3261, "18.4"), (3261, "18.1.1"), (9293, "3.5.2")],
    title: "no TCP connection to {element}",
    why: "{source} had to send {what} to {element} and could not connect: {host} answers the SYN with RST, so nothing listens there on TCP port {port}, or a firewall rejects it",
    fix: "Start a TCP (or TLS) listener on port {port} of {host}, or let {source} send to the port and transport on which it does listen. Where one runs, see that it is bound to this address, and that no firewall before it answers with RST.",
    sentences: &[
        (
            "why-silent",
            "{source} had to send {what} to {element} and could not connect: it sent the SYN {copies} times and got no answer, so a firewall drops it, or the host is off or has another address",
        ),
        (
            "fix-silent",
            "Let TCP port {port} from {source} to {host} pass the firewalls and security groups between the two, and check that {host} is up and that the address is right. A capture at {host} shows whether the SYN arrives.",
        ),
        (
            "why-challenge",
            "{source} was asked for credentials and then tried to reach {element} over TCP, where nobody took the connection; with credentials a request often grows beyond 1300 bytes, and a sender then has to use TCP though UDP was asked for",
        ),
        (
            "why-switched",
            "{source} tried TCP before it sent this request over UDP, because it is larger than 1300 bytes; {element} takes no TCP connection, so every such request may be delayed or lost",
        ),
        (
            "fix-switched",
            "Let {host} accept TCP on port {port}, which every SIP server has to, or make the requests of {source} smaller: fewer codecs, no ICE candidates, fewer headers. Where neither is possible, turn off the switch to TCP at {source}.",
        ),
        (
            "why-again",
            "{what} had gone to {element} over an earlier connection and was not answered; {source} then tried to connect again, and nobody took the connection",
        ),
        (
            "why-inside",
            "the call was answered, and later {source} could not connect to {element}: whatever it had to send inside the call, its end for one, did not arrive",
        ),
        (
            "fix-inside",
            "Let {source} send over the connection that exists instead of opening one to a port where nobody listens, and keep that connection alive (RFC 5626); or see that the Contact and Via of {host} name a port on which it takes connections.",
        ),
        (
            "why-across",
            "{source} tried to connect to {element} ({count} in all) and was refused with RST: nothing listens there on TCP port {port}, or a firewall rejects it",
        ),
        (
            "why-across-silent",
            "{source} tried to connect to {element} ({count} in all) and nothing answered its SYN: a firewall drops it, or the host is off or has another address",
        ),
        ("request", "what had to be sent on"),
        ("request-next", "what came before the attempt"),
        ("challenge", "what the next request had to answer"),
        ("attempt", "so nothing could be sent"),
        ("gave-up", "what {source} made of it"),
        ("first", "the first of them"),
        ("last", "the last of them"),
    ],
    explains: connect::EXPLAINED,
    settings: &[
        (
            Product::Asterisk,
            "In Asterisk a TCP listener is a `type=transport` section of pjsip.conf with `protocol=tcp`; `disable_tcp_switch=yes` in its `[system]` section keeps large requests on UDP.",
        ),
        (
            Product::Kamailio,
            "In Kamailio `listen=tcp:ADDRESS:5060` opens a listener; `udp_mtu` and `udp_mtu_try_proto` decide which requests are switched to TCP.",
        ),
    ],
    check,
    across,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.asides.is_empty() {
        return;
    }
    let wanted = |connection: &Connection| is_failed(connection, call.seen_until);
    let Some(failed) = connect::failed(call, wanted) else {
        return;
    };
    let acts = match failed.connection.wire {
        Wire::Refused { .. } => connect::owner(call, failed.connection.flow.destination.ip()),
        _ => Acts::Network,
    };
    let (severity, role) = failed.weight(call);
    let Some(finding) = found.add_with(severity, role, failed.confidence, acts) else {
        return;
    };
    tell(call, &failed, finding);
}

// A SYN that may still be answered is no failure: the next copy is not due yet.
fn is_failed(connection: &Connection, until: Option<i64>) -> bool {
    match connection.wire {
        Wire::Refused { .. } => true,
        Wire::Unanswered { copies, first } => {
            let waited = until
                .zip(first.time)
                .map(|(until, first)| until - first.0 >= 3 * SECOND);
            copies >= 3 || waited == Some(true)
        }
        _ => false,
    }
}

fn tell(call: &Call, failed: &Needed<'_>, finding: &mut Finding) {
    let flow = failed.connection.flow;
    let (copies, silent) = match failed.connection.wire {
        Wire::Unanswered { copies, .. } => (copies, true),
        Wire::Refused { copies, .. } => (copies, false),
        _ => (1, false),
    };
    finding.element(flow.destination.to_string()).args(
        Args::new()
            .text("source", flow.source.ip().to_string())
            .text("host", flow.destination.ip().to_string())
            .text("port", flow.destination.port().to_string())
            .with("what", failed.what(call))
            .count("copies", copies.into()),
    );
    let given = match failed.why {
        Why::Challenge => "challenge",
        Why::Inside | Why::Again => "request-next",
        _ => "request",
    };
    match (failed.why, silent) {
        (Why::Challenge, _) => drop(finding.why("why-challenge").fix("fix-switched")),
        (Why::Switched, _) => drop(finding.why("why-switched").fix("fix-switched")),
        (Why::Inside, _) => drop(finding.why("why-inside").fix_alone("fix-inside")),
        (Why::Again, false) => drop(finding.why("why-again")),
        (Why::Again, true) => drop(finding.why("why-again").fix_alone("fix-silent")),
        (_, true) => drop(finding.why("why-silent").fix_alone("fix-silent")),
        (_, false) => {}
    }
    failed.prove(call, (given, "attempt", "gave-up"), finding);
}

/// A source that tried so many hosts looks for one.
const SCAN: usize = 5;

fn across(ledger: &Ledger, found: &mut Across) {
    let failed = |aside: &&Aside| match &aside.what {
        What::Wire(connection) => match connection.wire {
            Wire::Unanswered { copies, .. } => copies >= 3,
            Wire::Refused { .. } => true,
            _ => false,
        },
        _ => false,
    };
    for group in connect::groups(ledger, failed, SCAN) {
        let (silent, acts) = match group.is_silent() {
            true => (true, Acts::Network),
            false => (false, Acts::Operator),
        };
        let Some(finding) = found.add(Confidence::Certain, acts) else {
            continue;
        };
        finding.finding.severity = group.severity(ledger);
        finding.count = group.all.len() as u64;
        finding.times = group.times();
        let shown = [(group.first(), "first"), (group.last(), "last")];
        let shown = shown
            .into_iter()
            .filter_map(|(aside, id)| Some((Exhibit::of_wire(aside?), note(id))));
        finding.exhibits.extend(shown);
        let own = &mut finding.finding;
        own.element(group.to.to_string());
        own.args(
            Args::new()
                .text("source", group.sources())
                .text("host", group.to.ip().to_string())
                .text("port", group.to.port().to_string())
                .count("count", group.all.len()),
        );
        match silent {
            true => drop(own.why("why-across-silent").fix_alone("fix-silent")),
            false => drop(own.why("why-across")),
        }
    }
}
