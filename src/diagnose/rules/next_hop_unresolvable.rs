//! D11: a proxy could not resolve or reach the next server.

use super::super::finding::{Evidence, Template, deciding, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Product, Rule, Severity};
use crate::layers::dns::DnsAnswer;
use crate::message::uri::{Uri, host_port};
use crate::message::{Header, lossy};
use crate::session::aside::What;
use crate::session::path::Made;
use crate::session::{Call, Stored};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "next-hop-unresolvable",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[476, 477, 478, 479, 500, 502, 503, 504],
    rfc: &[(3263, "4"), (3261, "16.9"), (3261, "8.1.3.1")],
    title: "{element} could not send the request on",
    why: "{element} answered {code} ({said}): it knew where the request should go and could not send it there; the next server refused the connection, is not there, or does not take that transport",
    fix: "Look at {element} for the address that it wanted to send this to, and try from there whether that port and transport can be reached. A request of more than about 1300 bytes may have been switched to TCP, which the next server does not offer.",
    sentences: &[
        (
            "why-dns",
            "{element} answered {code} ({said}): it could not find an address for the host that the request should go to",
        ),
        (
            "fix-dns",
            "Look up on {element} the host of the Request-URI or of the topmost Route (A, AAAA, SRV, NAPTR): correct the name where it was written, the DNS record, or the name server that {element} asks.",
        ),
        (
            "why-dialled",
            "{element} answered {code}, and a look-up of {name} ({kind}) in this capture fails with {failure}: that is the host of the Request-URI as {asker} sent it, so the request asks for a domain that does not exist",
        ),
        (
            "fix-dialled",
            "Correct the domain {name} in the address that {asker} dials (account, dial plan, address book). If it should exist, create the DNS record.",
        ),
        (
            "fix-either",
            "Look up {host}, the host of the Request-URI as {asker} sent it (A, AAAA, SRV, NAPTR), from {element} and from elsewhere: if nobody finds it, the calling side wrote a wrong domain; if only {element} does not, correct the name server that it asks.",
        ),
        (
            "why-route",
            "{element} answered {code} ({said}): it could not find an address for {host}, the host of the Route that {asker} sent with the request",
        ),
        (
            "fix-route",
            "Correct {host} in the Route (outbound proxy) of {asker}, or create its DNS record. If {host} is a name of {element} itself, add it there to the names that it takes for its own.",
        ),
        (
            "why-uri",
            "{element} answered {code} ({said}): the address that the request should go to cannot be read",
        ),
        (
            "fix-uri",
            "Correct the address that {element} makes of the request: Request-URI, Route or the registered Contact of the called user.",
        ),
        (
            "why-name",
            "{element} answered {code}, and the look-up of {name} ({kind}) had failed with {failure} before: it could not find an address for the next server",
        ),
        ("dialled", "where it should go"),
        ("answer", "it could not be sent on"),
        ("failed", "the name server has no address for it"),
    ],
    explains: &["generic-5xx-with-reason"],
    settings: &[
        (
            Product::Kamailio,
            "On Kamailio 477 and 478 are made by t_relay(): the log names the destination; `udp_mtu_try_proto` decides whether large requests are switched to TCP.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS 477 and 478 are made by t_relay(): the log names the destination.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some(code @ (476..=479 | 500 | 502..=504)) = call.code() else {
        return;
    };
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let own = (476..=479).contains(&code);
    let name = failed_name(call).filter(|_| call.made(response) != Made::BySender);
    let said = response
        .message()
        .reason()
        .map(|reason| lossy(reason.of(&response.raw)));
    let said = said.unwrap_or_default();
    let words = said.to_ascii_lowercase();
    let says = |all: &[&str]| all.iter().any(|word| words.contains(word));
    let dns = says(&["unresolv", "dns", "resolve"]);
    let (why, fix) = match code {
        478 => ("why-dns", "fix-dns"),
        479 => ("why-uri", "fix-uri"),
        _ if dns => ("why-dns", "fix-dns"),
        476 | 477 => ("why", "fix"),
        _ if says(&["send failed", "sending to next hop", "connection refused"]) => ("why", "fix"),
        _ if name.is_some() => ("why-name", "fix-dns"),
        _ => return,
    };
    let confidence = match (own || why != "why-name", name) {
        (true, _) => Confidence::Certain,
        _ => Confidence::Likely,
    };
    let asked = call.asked(response);
    let host = asked
        .filter(|_| fix == "fix-dns")
        .and_then(|(_, m)| dialled(m));
    let unknown = host.as_ref().zip(name).is_some_and(|(host, (_, answer))| {
        answer.name == *host && answer.failure == Some("NXDOMAIN")
    });
    let (why, fix) = match host {
        Some(_) if unknown => ("why-dialled", "fix-dialled"),
        Some(_) => (why, "fix-either"),
        None => (why, fix),
    };
    let route = asked
        .filter(|_| fix == "fix-dns")
        .and_then(|(_, m)| routed(m));
    let (why, fix, host) = match route {
        Some((_, host)) if why == "why-dns" => ("why-route", "fix-route", Some(host)),
        _ => (why, fix, host),
    };
    let acts = match unknown || why == "why-route" {
        true => Acts::Caller,
        false => Acts::Proxy,
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    finding.element(sender(response)).why(why);
    finding.args(
        Args::new()
            .text("host", host.unwrap_or_default())
            .text("asker", receiver(response)),
    );
    match fix {
        "fix" => finding.fix(fix),
        _ => finding.fix_alone(fix),
    };
    finding.args(Args::new().code("code", code).text("said", said));
    if let Some((at, request)) = asked {
        finding.proof(match routed(request).filter(|_| why == "why-route") {
            Some((route, _)) => Evidence::of_header(at, route, route.value, note("dialled")),
            None => Evidence::request_uri(at, request, note("dialled")),
        });
    }
    if let Some((aside, answer)) = name {
        finding.args(
            Args::new()
                .text("name", answer.name.clone())
                .text("kind", answer.kind)
                .text("failure", answer.failure.unwrap_or_default()),
        );
        finding.proof(Evidence::Beside {
            message: index,
            aside,
            note: Template::new("failed", Args::new()),
        });
    }
    finding.proof(Evidence::start_line(index, response, note("answer")));
}

// The topmost Route, where its host is a name and the one who asks wrote it.
fn routed(request: &Stored) -> Option<(Header, String)> {
    if request.head.vias > 1 {
        return None;
    }
    let route = request.message().header("Route")?;
    let value = route.value.of(&request.raw);
    let (start, end) = (
        memchr::memchr(b'<', value)? + 1,
        memchr::memchr(b'>', value)?,
    );
    let host = named_host(Uri::parse(value.get(start..end)?)?)?;
    Some((route, host))
}

fn named_host(uri: Uri<'_>) -> Option<String> {
    let host = lossy(host_port(uri.host).0).to_ascii_lowercase();
    let name = host.parse::<IpAddr>().is_err() && !host.starts_with('[') && host.contains('.');
    name.then_some(host)
}

// The name in a Request-URI that nothing but it can have led to.
fn dialled(request: &Stored) -> Option<String> {
    let message = request.message();
    if message.header("Route").is_some() || request.head.vias > 1 {
        return None;
    }
    named_host(Uri::parse(message.request_uri()?.of(&request.raw))?)
}

// A name of the call for which a name server had no address, and nothing was found for it later.
fn failed_name(call: &Call) -> Option<(usize, &DnsAnswer)> {
    let answers = || {
        call.asides
            .iter()
            .enumerate()
            .filter_map(|(index, aside)| match &aside.what {
                What::Dns(answer) => Some((index, answer)),
                What::Icmp(_) | What::Wire(_) => None,
            })
    };
    let found = |name: &str| answers().any(|(_, a)| a.name == name && !a.records.is_empty());
    answers().find(|(_, a)| a.failure.is_some() && !found(&a.name))
}
