//! Requests inside a dialog that did not arrive at the address that the other end had given: in its
//! Contact, or a proxy in Record-Route (RFC 3261 §12.2.1.1).

use super::address::{self, Host, are_neighbours, class};
use super::finding::{Value, note};
use super::{Acts, Args, Confidence, Evidence, Findings, Role, Severity, Template};
use super::{blame, inside};
use crate::layers::Transport;
use crate::message::field::Field;
use crate::message::header;
use crate::message::hints::Hint;
use crate::message::span::span_in;
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Method, lossy, typed};
use crate::session::clock::SECOND;
use crate::session::dialog::Target;
use crate::session::entry::TRANSACTION;
use crate::session::outcome::{acknowledgements, never_acknowledged};
use crate::session::{Call, Outcome, Side, Stored};
use std::net::SocketAddr;

/// Copies of a request without any answer that show that it does not arrive.
const ENOUGH: usize = 4;

/// An address that one end gave and where the other end was never heard of again.
#[derive(Clone, Copy, Debug)]
pub struct Lost<'a> {
    /// The end that has to be reached there.
    pub owner: Side,
    /// Where the address stands.
    pub given: Target<'a>,
    /// Contact, or Record-Route.
    pub field: Field,
    /// The host in it.
    pub host: Host<'a>,
    /// Who sent the message that gave it, as the packet says.
    pub author: SocketAddr,
    /// Who received that message.
    pub reader: SocketAddr,
    /// The request that was sent to that very address; `None` where none was seen leaving.
    pub request: Option<usize>,
    /// The 2xx that was not acknowledged.
    pub answer: Option<usize>,
}

impl Lost<'_> {
    /// Is the address one that its user is not in the network of?
    pub fn is_from_outside(&self, call: &Call) -> bool {
        let Some(ip) = self.host.ip() else {
            return true;
        };
        let user = self.user(call).unwrap_or(self.reader);
        !are_neighbours(ip, user.ip()) || self.is_translated()
    }

    /// Did its author's packets come from an address that is not in the same network?
    pub fn is_translated(&self) -> bool {
        self.host
            .ip()
            .is_some_and(|ip| !are_neighbours(ip, self.author.ip()))
    }

    /// Who sent the request that got lost.
    pub fn user(&self, call: &Call) -> Option<SocketAddr> {
        Some(call.messages.get(self.request?)?.stamp.observed()?.0)
    }

    /// What is to be said of it: arguments host, class and field.
    pub fn args(&self) -> Args {
        let (host, of) = match self.host {
            Host::Ip(ip) => (ip.to_string(), class(ip).name()),
            Host::Name(name) => (lossy(name), address::INTERNAL_NAME),
        };
        let field = self.field.name();
        let args = Args::new().text("host", host).said("class", of);
        args.text("field", field)
    }

    /// The header that gives it.
    pub fn evidence(&self, note: Template) -> Evidence {
        let Target {
            message,
            header,
            span,
            ..
        } = self.given;
        Evidence::of_header(message, header, span, note)
    }

    /// Whoever can change the address.
    pub fn acts(&self, call: &Call) -> Acts {
        match self.field {
            Field::RecordRoute => Acts::Proxy,
            _ => blame::acts_of(call, self.owner),
        }
    }
}

/// The first address of a call where requests got lost. Healthy calls are left after a look at
/// their transactions.
pub fn lost(call: &Call) -> Option<Lost<'_>> {
    if call.method != Method::Invite {
        return None;
    }
    unacknowledged(call).or_else(|| unanswered(call))
}

// A 2xx that was repeated to the end: the ACK went to the address and got lost, or never left.
fn unacknowledged(call: &Call) -> Option<Lost<'_>> {
    let index = (0..call.finals.len()).find(|&index| {
        let code = call.finals.get(index).map_or(0, |f| f.code);
        (200..300).contains(&code) && never_acknowledged(call, index)
    })?;
    let answer = call.message_of(index)?;
    let number = call.finals.get(index)?.message;
    let ack = acknowledgements(call, answer).max_by_key(|(_, m)| m.head.vias);
    let lost = match ack {
        Some((at, _)) => sent(call, at, Side::Callee)?,
        None => {
            let nearest = nearest_caller(call, answer)?;
            let route = last_route(call, nearest);
            let contact = || Some((call.contact_of(Side::Callee, usize::MAX)?, Field::Contact));
            let (given, field) = route.map(|r| (r, Field::RecordRoute)).or_else(contact)?;
            named(call, Side::Callee, given, field)?
        }
    };
    Some(Lost {
        answer: Some(number),
        ..lost
    })
}

// The sighting of a 2xx that came nearest the caller.
fn nearest_caller(call: &Call, answer: &Stored) -> Option<usize> {
    let same = call.finals.iter().filter_map(|f| {
        let m = call.messages.get(f.message)?;
        let is_same = m.head.code() == answer.head.code()
            && m.cseq() == answer.cseq()
            && m.keys.to_tag == answer.keys.to_tag;
        is_same.then_some((f.message, m.head.vias))
    });
    // Of two views of one message the later one.
    same.max_by_key(|(_, vias)| u16::MAX - *vias)
        .map(|(index, _)| index)
}

// The Record-Route that the caller has to use first: the last one (RFC 3261 §12.1.2).
fn last_route(call: &Call, index: usize) -> Option<Target<'_>> {
    let raw = &call.messages.get(index)?.raw;
    let header = call.fields(index).all(Field::RecordRoute).last()?;
    let uri = addr_spec(header::elements(header.value.of(raw)).last()?);
    Some(Target {
        message: index,
        header,
        span: span_in(raw, uri),
        uri,
    })
}

// A request inside the dialog that was repeated to the end without any answer, on the last hop on
// which it was seen.
fn unanswered(call: &Call) -> Option<Lost<'_>> {
    if call.messages.iter().all(|m| m.copy.is_none()) {
        return None;
    }
    let silent = call.transactions().iter().filter(|t| {
        t.sends.len() >= ENOUGH
            && !t.is_answered()
            && !matches!(t.method, Method::Ack | Method::Cancel)
    });
    let requests = silent.filter_map(|t| {
        let index = t.request()?;
        let request = call.messages.get(index)?;
        let inside = request.keys.to_tag != 0;
        let lossy = request.stamp.transport == Some(Transport::Udp);
        (inside && lossy).then_some((index, request))
    });
    let (index, request) = requests.max_by_key(|(_, m)| m.head.vias)?;
    sent(call, index, call.side(request)?.other())
}

// The address to which a request inside the dialog had to go, if that is where it went.
fn sent(call: &Call, index: usize, owner: Side) -> Option<Lost<'_>> {
    let request = call.messages.get(index)?;
    let (_, destination) = request.stamp.observed()?;
    let (uri, field) = match call.target(index, Field::Route) {
        Some(route) => (route.uri, Field::RecordRoute),
        None => {
            let uri = request.message().request_uri()?;
            (uri.of(&request.raw), Field::Contact)
        }
    };
    let host = Uri::parse(uri)?.host;
    if Host::of(host).and_then(Host::ip) != Some(destination.ip()) {
        return None;
    }
    let given = giver(call, owner, index, field, host)?;
    let lost = named(call, owner, given, field)?;
    Some(Lost {
        request: Some(index),
        ..lost
    })
}

// Where an end, or a proxy, gave that host; for a Contact on the hop nearest the end.
fn giver<'a>(
    call: &'a Call,
    owner: Side,
    before: usize,
    field: Field,
    host: &[u8],
) -> Option<Target<'a>> {
    let says = |target: &Target<'_>| Uri::parse(target.uri).is_some_and(|uri| uri.host == host);
    if field == Field::Contact
        && let Some(target) = call.contact_of(owner, before).filter(|t| says(t))
    {
        return Some(target);
    }
    let earlier = call.originals().take_while(|(index, _)| *index < before);
    let of_owner = earlier.filter(|(_, m)| field != Field::Contact || call.side(m) == Some(owner));
    let mut given = of_owner.filter_map(|(index, m)| {
        let all = call.fields(index).all(field);
        let mut targets = all.flat_map(|header| {
            let elements = header::elements(header.value.of(&m.raw));
            elements.map(move |element| (header, addr_spec(element)))
        });
        targets.find_map(|(header, uri)| {
            let target = Target {
                message: index,
                header,
                span: span_in(&m.raw, uri),
                uri,
            };
            says(&target).then_some(target)
        })
    });
    given.next()
}

/// The addresses that the two ends of an answered call gave each other, as far as nobody was seen to
/// use them with success: where the caller has to send its requests, and where the callee has to.
pub fn unused(call: &Call) -> impl Iterator<Item = Lost<'_>> {
    let recorded = |m: &Stored| m.head.present.has(Field::RecordRoute);
    let inner = |m: &Stored| m.head.hints.has(Hint::InnerContact);
    let may_be =
        call.method == Method::Invite && call.messages.iter().any(|m| inner(m) || recorded(m));
    let answer = may_be.then(|| call.answer()).flatten();
    let nearest = answer.and_then(|answer| nearest_caller(call, answer));
    let of = move |owner: Side| {
        let nearest = nearest?;
        if is_used(call, owner) {
            return None;
        }
        let routed = call.fields(nearest).has(Field::RecordRoute);
        let (given, field) = match owner {
            Side::Callee if routed => (last_route(call, nearest)?, Field::RecordRoute),
            Side::Callee => (call.target(nearest, Field::Contact)?, Field::Contact),
            // What the callee has to use first was recorded next to it, if at all.
            Side::Caller if routed => return None,
            Side::Caller => {
                let (index, _) = call.hops().last().map(|hop| (hop.message, hop.vias))?;
                (call.target(index, Field::Contact)?, Field::Contact)
            }
        };
        named(call, owner, given, field)
    };
    [Side::Callee, Side::Caller].into_iter().filter_map(of)
}

// Did the other end send a request inside the dialog that was answered?
fn is_used(call: &Call, owner: Side) -> bool {
    let user = owner.other();
    call.transactions().iter().any(|t| {
        let request = t.request().and_then(|index| call.messages.get(index));
        t.is_answered() && request.is_some_and(|m| m.keys.to_tag != 0 && call.side(m) == Some(user))
    })
}

/// Ids of the sentences of a rule that says what got lost.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The header that gave the address.
    pub given: &'static str,
    /// The request that was sent there.
    pub sent: &'static str,
    /// No ACK was seen.
    pub silence: &'static str,
    /// Why, where no request was seen.
    pub unseen: &'static str,
}

/// Adds a finding about a lost request, with its proof: arguments element, host, class, method,
/// user and field.
pub fn tell(
    call: &Call,
    lost: &Lost<'_>,
    words: Words,
    confidence: Confidence,
    found: &mut Findings,
) {
    let (severity, role) = match call.outcome {
        Outcome::Succeeded => (Severity::Warning, Role::Contributing),
        _ => (Severity::Error, Role::Cause),
    };
    let Some(finding) = found.add_with(severity, role, confidence, lost.acts(call)) else {
        return;
    };
    let request = lost
        .request
        .and_then(|at| Some((at, call.messages.get(at)?)));
    let method = request.map_or("ACK".to_owned(), |(_, m)| m.message().method_name());
    let left = request.map(|(_, m)| inside::left(call, m));
    finding
        .element(lost.author.to_string())
        .args(
            lost.args()
                .text("method", method)
                .text("user", lost.user(call).unwrap_or(lost.reader).to_string())
                .with("left", left.unwrap_or_else(Value::nothing)),
        )
        .proof(lost.evidence(note(words.given)));
    if let Some((at, request)) = request {
        finding.proof(Evidence::start_line(at, request, note(words.sent)));
        return;
    }
    finding.why(words.unseen);
    let answered = lost.answer.and_then(|at| {
        let time = call.messages.get(at).and_then(Stored::time)?;
        Some((at, time))
    });
    if let Some((message, from)) = answered {
        finding.proof(Evidence::Absence {
            message,
            from,
            until: from + TRANSACTION * SECOND,
            note: note(words.silence),
        });
    }
}

/// Adds a finding about an address that nobody was seen to use: arguments as above. The words are the
/// ids of why, and of the remark on the address.
pub fn tell_unused(
    call: &Call,
    lost: &Lost<'_>,
    (why, shown): (&'static str, &'static str),
    (severity, confidence): (Severity, Confidence),
    found: &mut Findings,
) {
    let acts = lost.acts(call);
    let Some(finding) = found.add_with(severity, Role::Contributing, confidence, acts) else {
        return;
    };
    finding
        .element(lost.author.to_string())
        .args(
            lost.args()
                .text("user", lost.reader.to_string())
                .text("method", "BYE"),
        )
        .why(why)
        .proof(lost.evidence(note(shown)));
}

fn named<'a>(call: &'a Call, owner: Side, given: Target<'a>, field: Field) -> Option<Lost<'a>> {
    let (author, reader) = call.messages.get(given.message)?.stamp.observed()?;
    Some(Lost {
        owner,
        given,
        field,
        host: Host::of(Uri::parse(given.uri)?.host)?,
        author,
        reader,
        request: None,
        answer: None,
    })
}

/// Is a message the first sighting of one that its author sent, no proxy between?
pub fn is_of_author(stored: &Stored) -> bool {
    stored.head.is_request() && stored.head.vias == 1
}

/// The host in the topmost Via of a message, which its author wrote, and the port, 5060 where there
/// is none (RFC 3261 §18.2.2).
pub fn sent_by(stored: &Stored) -> Option<(Host<'_>, u16)> {
    let text = stored.head.sent_by.of(&stored.raw);
    let (host, port) = crate::message::uri::host_port(text);
    let port = match port {
        [] => 5060,
        port => std::str::from_utf8(port).ok()?.parse().ok()?,
    };
    Some((Host::of(host)?, port))
}

/// The transport that the topmost Via of a message names (RFC 3261 §20.42).
pub fn said_transport(stored: &Stored) -> Option<Transport> {
    let before = stored.raw.get(..stored.head.sent_by.start as usize)?;
    let before = before.trim_ascii_end();
    let start = memchr::memrchr(b'/', before)? + 1;
    Transport::of(lossy(before.get(start..)?.trim_ascii()).as_str())
}

/// What a response says of where its request came from: `received` and `rport` of the topmost Via
/// (RFC 3261 §18.2.1, RFC 3581 §4).
pub fn received(stored: &Stored) -> Option<(std::net::IpAddr, Option<u16>)> {
    let via = typed::vias(stored.message()).into_iter().next()?;
    let received = via.received?;
    let bare = received.trim_matches(['[', ']']);
    Some((bare.parse().ok()?, via.rport))
}
