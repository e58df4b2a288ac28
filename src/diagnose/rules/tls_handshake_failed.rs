//! X5: a TLS connection over which SIP should have gone failed in its handshake.

use super::super::across::{Exhibit, HANDSHAKE_FAILED};
use super::super::connect::{self, Why};
use super::super::finding::{Finding, Value, note};
use super::super::{
    Across, Acts, Args, Confidence, Context, Findings, Frequency, Ledger, Need, Rule, Severity,
};
use crate::layers::{TlsFailure, Wire};
use crate::session::Call;
use crate::session::aside::{Aside, Connection, What};

/// The rule.
pub static RULE: Rule = Rule {
    id: HANDSHAKE_FAILED,
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses, Need::Packets],
    rfc: &[(8446, "6.2"), (5922, "7"), (3261, "26.3.1")],
    title: "the TLS handshake with {element} fails",
    why: "{rejecter} ended the handshake between {client} and {element} with the alert {alert}, so nothing can be sent over TLS{asked}",
    fix: "Look at the log of {rejecter} for what it did not accept: TLS versions, cipher suites or a certificate. `openssl s_client -connect {element}` shows what the server offers.",
    sentences: &[
        (
            "why-unknown-ca",
            "{rejecter} does not trust whoever signed the certificate of {presenter} (alert {alert}): the root is not in its list of authorities, or {presenter} sends its certificate without those between it and the root",
        ),
        (
            "fix-unknown-ca",
            "Let {presenter} send its whole chain (certificate and intermediates), and see that the root that signed it is in the list of trusted authorities of {rejecter}. A certificate that signs itself has to be added there.",
        ),
        (
            "why-certificate",
            "{rejecter} does not accept the certificate of {presenter} (alert {alert}): it {meaning}",
        ),
        (
            "fix-certificate",
            "Check the certificate of {presenter}: its dates, its chain, and whether the name in it (subjectAltName) is the one that {client} connects to{asked}. Check the clock of {rejecter} as well.",
        ),
        (
            "why-certificate-missing",
            "{element} asked {client} for a certificate, got none, and refused the connection (alert {alert}): it only takes clients that show who they are (mutual TLS)",
        ),
        (
            "fix-certificate-missing",
            "Give {client} a certificate and key that {element} accepts, and set it up to present them; or let {element} take connections without a client certificate, where the account is checked in another way.",
        ),
        (
            "why-version",
            "{rejecter} accepts none of the TLS versions of the other side (alert {alert}): {client} offers {offered}",
        ),
        (
            "fix-version",
            "Let the older side of the two, {client} and {element}, speak TLS 1.2 or later: an update, or its setting for the least and the highest version.",
        ),
        (
            "why-cipher",
            "{rejecter} found nothing that both sides accept (alert {alert}): no common cipher suite, curve or signature, or a client certificate that is missing; {client} offers {offered}",
        ),
        (
            "fix-cipher",
            "Compare the cipher suites, curves and versions that {client} and {element} are set up for, and give them one in common; the key of the server has to fit too (RSA or ECDSA). Where {element} wants client certificates, give {client} one.",
        ),
        (
            "why-name",
            "{element} knows no server of the name that {client} asks for (alert {alert}){asked}",
        ),
        (
            "fix-name",
            "Let {client} connect by the name that {element} has a certificate for, or add that name at {element}.",
        ),
        (
            "why-hidden",
            "{rejecter} ended the handshake between {client} and {element} before it was complete; in TLS 1.3 its alert is encrypted, and at this point it is as a rule the certificate of {presenter} that was not accepted",
        ),
        (
            "why-hidden-server",
            "{element} closed the connection right after the handshake with an encrypted record of the length of an alert: as a rule it does not accept {client} without a certificate, or not the one that it showed",
        ),
        (
            "why-hung-up",
            "{rejecter} closed the connection after {client} had asked for TLS, without an alert: an access list that does not know {client}, a port that does not speak TLS, or a server that does not want the name that was asked for{asked}",
        ),
        (
            "fix-hung-up",
            "Check at {element} whether this port speaks TLS at all (and not SIP over plain TCP), and whether {client} is allowed to connect there. Its log for that second says more than the wire.",
        ),
        (
            "why-not-tls",
            "{element} answered the TLS handshake of {client} with something that is no TLS: its port takes plain TCP",
        ),
        (
            "fix-not-tls",
            "Let {client} send to the TLS port of {element} (5061 unless it says otherwise), or use transport TCP on this one.",
        ),
        (
            "why-no-answer",
            "{element} took the connection and never answered the TLS handshake, until {rejecter} gave up: its port takes plain TCP and waits for SIP, or it hangs",
        ),
        ("needed", "what had to be sent"),
        ("attempt", "so nothing could be sent"),
        ("gave-up", "what became of it"),
        ("first", "the first of them"),
        ("last", "the last of them"),
    ],
    explains: connect::EXPLAINED,
    confirm: "the key log of one of the two, or the log of the server for that second",
    check,
    across,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.asides.is_empty() {
        return;
    }
    let is_tls = |connection: &Connection| matches!(connection.wire, Wire::Tls(_));
    let Some(failed) = connect::failed(call, is_tls) else {
        return;
    };
    let Wire::Tls(failure) = &failed.connection.wire else {
        return;
    };
    let flow = failed.connection.flow;
    let server = connect::owner(call, flow.destination.ip());
    let acts = match presenter_is_client(failure) {
        true => connect::owner(call, flow.source.ip()),
        false => server,
    };
    let (severity, role) = match failed.why {
        // Nothing shows that a handshake was the reason why a request went over UDP.
        Why::Switched => return,
        _ => failed.weight(call),
    };
    let confidence = failed.confidence.max(confidence(failure));
    if let Some(finding) = found.add_with(severity, role, confidence, acts) {
        tell(failed.connection, failure, finding);
        failed.prove(call, ("needed", "attempt", "gave-up"), finding);
    }
}

// An alert says what was wrong. A record of that length from the server may also be a good-bye.
fn confidence(failure: &TlsFailure) -> Confidence {
    match (failure.alert, failure.hidden && !failure.by_client) {
        (Some(_), _) => Confidence::Certain,
        (None, false) => Confidence::Likely,
        (None, true) => Confidence::Possible,
    }
}

// Is it the client whose certificate was not accepted?
fn presenter_is_client(failure: &TlsFailure) -> bool {
    let of_certificate = matches!(
        failure.alert,
        Some(
            "unknown_ca"
                | "bad_certificate"
                | "unsupported_certificate"
                | "certificate_revoked"
                | "certificate_expired"
                | "certificate_unknown"
                | "certificate_required"
                | "access_denied"
        )
    );
    let missing = failure.client_certificate == Some(false) && failure.alert.is_some();
    !failure.by_client && (of_certificate || missing || failure.hidden)
}

fn meaning(alert: &str) -> &'static str {
    match alert {
        "certificate_expired" => "has expired or is not yet valid, by the clock there",
        "certificate_revoked" => "was revoked",
        "unsupported_certificate" => "is of a kind that is not supported there",
        "access_denied" => "is valid, and still not allowed there",
        _ => "is damaged, of the wrong name, or fails a check that the alert does not name",
    }
}

/// Ids of the sentences why and what to do.
fn words(failure: &TlsFailure) -> (&'static str, &'static str) {
    let missing = failure.client_certificate == Some(false) && !failure.by_client;
    match failure.alert {
        Some("certificate_required") => ("why-certificate-missing", "fix-certificate-missing"),
        Some("handshake_failure" | "bad_certificate") if missing => {
            ("why-certificate-missing", "fix-certificate-missing")
        }
        Some("unknown_ca") => ("why-unknown-ca", "fix-unknown-ca"),
        Some(
            "bad_certificate"
            | "unsupported_certificate"
            | "certificate_revoked"
            | "certificate_expired"
            | "certificate_unknown"
            | "access_denied",
        ) => ("why-certificate", "fix-certificate"),
        Some("protocol_version" | "inappropriate_fallback") => ("why-version", "fix-version"),
        Some("handshake_failure" | "insufficient_security") => ("why-cipher", "fix-cipher"),
        Some("unrecognized_name") => ("why-name", "fix-name"),
        Some(_) => ("why", "fix"),
        None if failure.hidden && failure.by_client => ("why-hidden", "fix-certificate"),
        None if failure.hidden => ("why-hidden-server", "fix-certificate-missing"),
        None if failure.not_tls => ("why-not-tls", "fix-not-tls"),
        None if failure.by_client && failure.chosen.is_none() => ("why-no-answer", "fix-hung-up"),
        None if failure.by_client => ("why-hidden", "fix-certificate"),
        None => ("why-hung-up", "fix-hung-up"),
    }
}

fn for_name(name: &str) -> Value {
    (" (it asked for {name})", Args::new().text("name", name)).into()
}

fn tell(connection: &Connection, failure: &TlsFailure, finding: &mut Finding) {
    let (client, server) = (connection.flow.source.ip(), connection.flow.destination);
    let rejecter = match failure.by_client {
        true => client.to_string(),
        false => server.to_string(),
    };
    let presenter = match presenter_is_client(failure) {
        true => client.to_string(),
        false => server.to_string(),
    };
    let alert = failure.alert.unwrap_or_default();
    let asked = failure.server_name.as_ref();
    let (why, fix) = words(failure);
    finding.element(server.to_string()).why(why).fix(fix).args(
        Args::new()
            .text("client", client.to_string())
            .text("rejecter", rejecter)
            .text("presenter", presenter)
            .text("alert", alert)
            .said("meaning", meaning(alert))
            .text("offered", failure.offered.join(", "))
            .with(
                "asked",
                asked.map_or(Value::nothing(), |name| for_name(name)),
            ),
    );
}

/// A source that tried so many hosts looks for one.
const SCAN: usize = 5;

fn failure(aside: &Aside) -> Option<(&Connection, &TlsFailure)> {
    match &aside.what {
        What::Wire(connection) => match &connection.wire {
            Wire::Tls(failure) => Some((connection, &**failure)),
            _ => None,
        },
        _ => None,
    }
}

fn across(ledger: &Ledger, found: &mut Across) {
    for group in connect::groups(ledger, |aside| failure(aside).is_some(), SCAN) {
        let Some((connection, failure)) = group.first().and_then(failure) else {
            continue;
        };
        let Some(finding) = found.add(confidence(failure), Acts::Operator) else {
            continue;
        };
        finding.finding.severity = match confidence(failure) {
            Confidence::Possible => Severity::Warning,
            _ => group.severity(ledger),
        };
        finding.count = group.all.len() as u64;
        finding.times = group.times();
        let shown = [(group.first(), "first"), (group.last(), "last")];
        let shown = shown
            .into_iter()
            .filter_map(|(aside, id)| Some((Exhibit::of_wire(aside?), note(id))));
        finding.exhibits.extend(shown);
        tell(connection, failure, &mut finding.finding);
    }
}
