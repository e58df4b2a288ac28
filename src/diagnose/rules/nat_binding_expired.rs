//! N6: a request for a client behind a NAT that had been idle for too long.

use super::super::finding::{Evidence, Template, note, receiver};
use super::super::silence::{Silence, deciding_silences};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Rule, Severity,
};
use crate::layers::Transport;
use crate::message::lossy;
use crate::message::uri::Uri;
use crate::session::Call;
use crate::session::clock::SECOND;
use crate::session::registrations::Registration;
use std::net::SocketAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "nat-binding-expired",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses, Need::BothDirections],
    rfc: &[(4787, "4.3"), (5626, "4.4")],
    title: "{element} is behind a NAT and had been idle for {pause}",
    why: "{element} is behind address translation (NAT), and nothing had come from it for {pause} when {method} was sent there, which nobody answered: a NAT forgets a way that no packet has left by for a while, often after 30 to 180 s, and then drops what comes in",
    fix: "Let the client send a keep-alive every 25 s (CRLF, STUN or OPTIONS), or let the server send it OPTIONS as often. Where neither can, a registration interval of less than a minute does the same, and TCP or TLS keeps a way open for longer.",
    sentences: &[
        (
            "why-back",
            "{element} is behind address translation (NAT), and nothing had come from it for {pause} when {method} was sent there, which nobody answered; {after} later it sent something by itself, so it was not gone: a NAT forgets a way that no packet has left by for a while, often after 30 to 180 s, and then drops what comes in",
        ),
        (
            "why-anew",
            "{element} is behind address translation (NAT), and nothing had come from it for {pause} when {method} was sent there, which nobody answered; {after} later it registered with a Call-ID that it had not used before, as a client does that was started anew: either it was off meanwhile, or the NAT had forgotten the way, as many do after 30 to 180 s without a packet",
        ),
        (
            "why-moved",
            "nothing had come from {element} for {pause} when {method} was sent there, which nobody answered, and the next REGISTER of the same client came from {now}: its NAT had forgotten the old way and gave it a new port, so {method} was dropped there",
        ),
        (
            "sent",
            "nothing had come from {element} for {pause} before this",
        ),
        ("silence", "no answer from {element}"),
    ],
    explains: &[
        "request-no-response",
        "408-origin",
        "dest-unavailable-480",
        "trying-then-silence",
        "generic-5xx-with-reason",
        "icmp-unreachable",
    ],
    confirm: "a capture at the client which shows that the request does not arrive there",
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk: `qualify_frequency=25` in the aor of pjsip.conf sends OPTIONS that often.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH: `nat-options-ping` set to true in the sofia profile sends OPTIONS to clients behind NAT.",
        ),
        (
            Product::Kamailio,
            "On Kamailio: `natping_interval` of the module nathelper, with the flag of NATed contacts set at registration.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS: `natping_interval` of the module nathelper, with the flag of NATed contacts set at registration.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// A REGISTER is over this long after it was sent, nanoseconds (Timer F, RFC 3261 §17.1.2.2).
const OVER: i64 = 32 * SECOND;
/// Copies that show that nothing came back.
const ENOUGH: usize = 4;

/// What became of the client after the request.
enum Later {
    /// The same client registered from another port.
    Moved(SocketAddr),
    /// It sent something from the same port, so many nanoseconds later.
    Back(i64),
    /// So did it, and what it sent began a registration of its own: it may have been off.
    Anew(i64),
    /// Nothing is known.
    Unknown,
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some(silence) = deciding_silences(call).pop() else {
        return;
    };
    let stamp = silence.request.stamp;
    let (Some((_, client)), Some(time)) = (stamp.observed(), silence.request.time()) else {
        return;
    };
    let copies = silence.transaction.sends.len();
    if stamp.transport != Some(Transport::Udp) || copies < ENOUGH {
        return;
    }
    let known = call.idle.iter().find(|idle| idle.message == silence.index);
    let Some(idle) = known else { return };
    let later = later(call, context, client, time, idle.until);
    let confidence = match later {
        Later::Moved(_) => Confidence::Certain,
        // Of the second the sentence leaves open which it was.
        Later::Back(_) | Later::Anew(_) => Confidence::Likely,
        Later::Unknown => Confidence::Possible,
    };
    let one_sided = found.has("capture-one-sided");
    let confidence = match one_sided {
        true => Confidence::Possible,
        false => confidence,
    };
    let Some(finding) = found.add(confidence, Acts::Callee) else {
        return;
    };
    finding.element(client.to_string()).args(
        Args::new()
            .text("method", silence.request.message().method_name())
            .duration("pause", time - idle.since),
    );
    // The server can keep the way open too, and it is the one that a setting can be named for.
    let server = stamp.source.and_then(|at| call.agent_at(at.ip()));
    finding.agent(server.as_deref());
    match later {
        Later::Moved(now) => {
            finding.why("why-moved");
            finding.args(Args::new().text("now", now.to_string()));
        }
        Later::Back(after) => {
            finding.why("why-back");
            finding.args(Args::new().duration("after", after));
        }
        Later::Anew(after) => {
            finding.why("why-anew");
            finding.args(Args::new().duration("after", after));
        }
        Later::Unknown => {}
    }
    finding.evidence.extend(proof(call, &silence, time));
}

fn proof(call: &Call, silence: &Silence<'_>, time: i64) -> [Evidence; 2] {
    let (index, request) = (silence.index, silence.request);
    let until = silence.gave_up.and_then(|(_, m)| m.time());
    let element = Args::new().text("element", receiver(request));
    [
        Evidence::start_line(index, request, note("sent")),
        Evidence::Absence {
            message: index,
            from: time,
            until: until.or(call.seen_until).unwrap_or(time),
            note: Template::new("silence", element),
        },
    ]
}

fn later(
    call: &Call,
    context: &Context<'_>,
    client: SocketAddr,
    time: i64,
    until: Option<i64>,
) -> Later {
    let known = registration(call, context);
    if let Some(now) = known.and_then(|of| moved(of, client, time)) {
        return Later::Moved(now);
    }
    match until {
        Some(until) if known.is_some_and(|of| is_anew(of, client, (time, until))) => {
            Later::Anew(until - time)
        }
        Some(until) => Later::Back(until - time),
        None => Later::Unknown,
    }
}

// The same client, by Call-ID, registered from there before and from another port behind the same
// address since. A client that was started anew has a new Call-ID (RFC 3261 §10.2).
fn moved(of: &Registration, client: SocketAddr, time: i64) -> Option<SocketAddr> {
    let before = of.attempts.iter().rfind(|attempt| {
        attempt.at <= time && attempt.source == Some(client) && attempt.is_accepted()
    })?;
    let mut since = of.attempts.iter().filter(|attempt| {
        attempt.at > time && attempt.call_id == before.call_id && attempt.source != Some(client)
    });
    let source = since.find_map(|attempt| attempt.source)?;
    (source.ip() == client.ip()).then_some(source)
}

// Was what came at `until` a REGISTER with another Call-ID than the one before?
fn is_anew(of: &Registration, client: SocketAddr, (time, until): (i64, i64)) -> bool {
    let own = |at: i64| {
        let own = of.attempts.iter().filter(|a| a.source == Some(client));
        own.filter(move |attempt| (attempt.at <= time) == (at <= time))
    };
    let (before, since) = (own(time).next_back(), own(until).next());
    before.zip(since).is_some_and(|(before, since)| {
        before.call_id != since.call_id && (until..until + OVER).contains(&since.at)
    })
}

// Of the one whom the request was sent to: by Contact, or by user and the server that sent it.
fn registration<'v>(call: &Call, context: &Context<'v>) -> Option<&'v Registration> {
    let silence = deciding_silences(call).pop()?;
    let uri = silence.request.message().request_uri()?;
    let uri = Uri::parse(uri.of(&silence.request.raw))?;
    let all = context.view.registrations();
    let server = silence.request.stamp.source?.ip();
    let by_contact = all.with_contact(&uri.bare());
    by_contact.or_else(|| all.of_user(&lossy(uri.user), server))
}
