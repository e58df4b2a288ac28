//! Z5: signalling that is encrypted, and no key was given.

use super::super::across::Exhibit;
use super::super::finding::{Template, Value, note};
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};
use crate::layers::Wire;
use crate::message::framing::SIP_PORTS;
use crate::session::aside::{Aside, Connection, What};
use std::net::SocketAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "signalling-encrypted",
    severity: Severity::Info,
    frequency: Frequency::Medium,
    needs: &[Need::Packets],
    rfc: &[(3261, "26.2.1"), (3261, "26.3.1")],
    title: "{what} is encrypted",
    why: "TLS connections to {servers} ({connections} in all) carry data that no key opens, and no SIP can be read in the capture: nothing can be said about calls, only about connections and handshakes",
    fix: "Give the keys of the sessions with --keylog (a program that honours SSLKEYLOGFILE writes them), or record where the signalling is in clear text: the log of the PBX (`pjsip set logger on`, `sofia global siptrace on`), or HEP from the server. Keys only fit a capture that holds the handshakes, so begin to record before the connections are made.",
    sentences: &[
        (
            "why-part",
            "TLS connections to {servers} ({connections} in all) carry data that no key opens; the calls that go over them are not in this report, and of others a leg may be missing",
        ),
        (
            "why-web",
            "TLS connections to {servers} ({connections} in all) carry data that no key opens, and no SIP can be read in the capture: if phones or browsers signal there over WebSocket (WSS), nothing can be said about their calls",
        ),
        (
            "why-esp",
            "{frames} packets are encrypted with IPsec (ESP), and no SIP can be read in the capture: if the signalling goes that way, as between a phone and a P-CSCF, nothing can be said about calls",
        ),
        (
            "fix-esp",
            "Record behind the IPsec gateway or the P-CSCF, where the signalling is in clear text, or let the two negotiate ESP without encryption (NULL) for a test.",
        ),
        ("first", "the first of them"),
    ],
    across,
    ..Rule::PLAIN
};

/// Servers named in a sentence.
const NAMED: usize = 3;

fn across(ledger: &Ledger, found: &mut Across) {
    let no_sip = ledger.accounts.is_empty() && ledger.sources.is_empty();
    let (of_sip, of_web): (Vec<_>, Vec<_>) = ledger
        .attempts
        .iter()
        .filter_map(sealed)
        .partition(|(_, connection, _)| SIP_PORTS.contains(&connection.flow.destination.port()));
    if let Some((first, ..)) = of_sip.first() {
        let why = if no_sip { "why" } else { "why-part" };
        tell(first, &of_sip, why, Confidence::Certain, found);
    } else if let Some((first, ..)) = of_web.first().filter(|_| no_sip) {
        tell(first, &of_web, "why-web", Confidence::Possible, found);
    }
    let Some((frames, origin)) = ledger.esp.filter(|_| no_sip && of_sip.is_empty()) else {
        return;
    };
    let Some(finding) = found.add(Confidence::Possible, Acts::Capture) else {
        return;
    };
    finding.count = frames;
    let said = Template::new("packets-encrypted", Args::new());
    let exhibit = Exhibit::of_frame(origin, said);
    finding.exhibits.push((exhibit, note("first")));
    let own = &mut finding.finding;
    own.why("why-esp").fix("fix-esp");
    own.args(
        Args::new()
            .count("frames", usize::try_from(frames).unwrap_or(usize::MAX))
            .said("what", "what may be signalling"),
    );
}

type Sealed<'a> = (&'a Aside, &'a Connection, u64);

fn sealed(aside: &Aside) -> Option<Sealed<'_>> {
    let What::Wire(connection) = &aside.what else {
        return None;
    };
    match connection.wire {
        Wire::Sealed { connections } => Some((aside, connection, connections)),
        _ => None,
    }
}

fn tell(
    first: &Aside,
    all: &[Sealed<'_>],
    why: &'static str,
    confidence: Confidence,
    found: &mut Across,
) {
    let Some(finding) = found.add(confidence, Acts::Capture) else {
        return;
    };
    let connections: u64 = all.iter().map(|(.., connections)| connections).sum();
    let of = |(_, connection, _): &Sealed<'_>| connection.flow.destination;
    let mut servers: Vec<SocketAddr> = all.iter().map(of).collect();
    servers.sort_unstable();
    let named: Vec<String> = servers
        .iter()
        .take(NAMED)
        .map(SocketAddr::to_string)
        .collect();
    let element = named.first().cloned().unwrap_or_default();
    finding.count = connections;
    finding
        .exhibits
        .push((Exhibit::of_wire(first), note("first")));
    let what = match confidence {
        Confidence::Certain => "signalling with {element}",
        _ => "what may be signalling with {element}",
    };
    let what = (what, Args::new().text("element", element.clone()));
    let listed: Value = match servers.len() > NAMED {
        true => (
            "{servers} and others",
            Args::new().text("servers", named.join(", ")),
        )
            .into(),
        false => named.join(", ").into(),
    };
    let own = &mut finding.finding;
    own.element(element).why(why);
    own.args(
        Args::new()
            .with("what", what)
            .count(
                "connections",
                usize::try_from(connections).unwrap_or(usize::MAX),
            )
            .with("servers", listed),
    );
}
