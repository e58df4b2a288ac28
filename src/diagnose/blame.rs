//! Who made the answer that decided a call, who only relayed it, and who has to act (rules.md,
//! "How to blame the hop"). Never more than the trace shows: "at or beyond" where it ends.

use super::finding::{receiver, sender};
use super::{Acts, Args, Confidence, Evidence, Finding, Template, connect};
use crate::message::Method;
use crate::message::field::Field;
use crate::message::uri::Uri;
use crate::message::{lossy, typed};
use crate::session::aside::What;
use crate::session::clock::SECOND;
use crate::session::legs::Sure;
use crate::session::path::Made;
use crate::session::{Aside, Call, Outcome, Side, Stored, View};
use std::net::SocketAddr;

/// Who is to blame for a call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blame {
    /// Address of the element, as far as the trace goes; `None` where it gives none.
    pub element: Option<String>,
    /// Does the trace end there, so that it may also be somebody behind it?
    pub or_beyond: bool,
    /// Who has to act.
    pub acts: Acts,
    /// How sure this is.
    pub confidence: Confidence,
    /// Why, as a sentence of [`GROUNDS`].
    pub grounds: Template,
    /// Who handed the answer on towards the caller, nearest the element first.
    pub relays: Vec<String>,
    /// Does it decide nothing for a reader: the cause, at least as sure, points elsewhere, the answer
    /// is a 2xx, or nothing shows whether anything answered?
    pub is_outweighed: bool,
}

/// Sentences on the grounds, by id.
pub const GROUNDS: &[(&str, &str)] = &[
    (
        "handed-on",
        "{element} had handed the request on to {behind} and got no {code} from there, so it made this answer itself",
    ),
    (
        "handed-on-refused",
        "{element} had handed the request on, {behind} answered {other}, and {element} made {code} of it",
    ),
    (
        "no-connection",
        "{element} had to hand the request on to {behind} and got no connection there, so it made this answer itself",
    ),
    (
        "kept",
        "{element} never handed the request on, though what it exchanges with others is in the capture",
    ),
    (
        "kept-second-pass",
        "{element} handed the request on when it first came, and refused it when it came back",
    ),
    (
        "kept-register",
        "{element} answered the REGISTER itself: what it exchanges with others is in the capture, and it handed nothing on",
    ),
    (
        "kept-known",
        "no request of this call left {element} in this capture, which shows it reaching {user} at {behind}, so it made this answer itself",
    ),
    (
        "same-tag",
        "the {code} carries the same To-tag as the {rang} before it, so whoever sent that also gave the answer; nothing of this call is recorded behind {element}",
    ),
    (
        "other-tag",
        "the {code} carries another To-tag than the {rang} before it, so another device or server than the one whose {rang} was seen gave it; nothing of this call is recorded behind {element}",
    ),
    (
        "same-server",
        "the {code} and the 100 before it name the same software ({server}), and a 100 always comes from the next element; nothing of this call is recorded behind {element}",
    ),
    (
        "location",
        "Reason says that the cause arose in the {network} (location {location}), so the {code} came from further on than {element}",
    ),
    (
        "warning",
        "the {code} carries a Warning that {agent} added, and nothing of this call is recorded behind {element}",
    ),
    (
        "at-once",
        "the {code} came {after} after the request and nothing before it, as the next element answers; nothing of this call is recorded behind {element}",
    ),
    (
        "end-of-trace",
        "the {code} came from {element}, and nothing of this call is recorded behind it: it or somebody further on made it",
    ),
    (
        "own-call",
        "{element} had sent this same call out itself before, and refused it when it came back as a new one",
    ),
    (
        "no-address",
        "the log does not give the address of who sent the {code}",
    ),
    (
        "not-shown",
        "the capture does not show whether anything answered",
    ),
    (
        "damaged",
        "bytes of this call were changed after they were sent",
    ),
    (
        "silence",
        "{element} was asked, and no answer to that came from there",
    ),
    (
        "silence-icmp",
        "{element} was asked, and ICMP says that the request could not be delivered there",
    ),
    (
        "silence-astray",
        "{element} was asked, and what came back from there was no answer to that request",
    ),
    (
        "silence-behind",
        "{element} took the request over with a {sign} and then gave no final answer",
    ),
];

/// The sentence of [`GROUNDS`] with this id.
pub fn grounds_sentence(id: &str) -> Option<&'static str> {
    let known = GROUNDS.iter().find(|(known, _)| *known == id);
    known.map(|(_, text)| *text)
}

impl Blame {
    /// The one who began the call refused it, when it came back on a further leg.
    pub(super) fn of_its_own_call(self) -> Blame {
        let args = Args::new().text("element", self.element.clone().unwrap_or_default());
        Blame {
            or_beyond: false,
            confidence: Confidence::Likely,
            grounds: Template::new("own-call", args),
            ..self
        }
    }

    /// The one who answered had asked on this further leg, which is surely of the call, and nobody answered
    /// there: no answer could come from beyond.
    pub(super) fn after_silence_on(self, leg: &Call) -> Blame {
        let host = |at: &str| at.parse().map(|at: SocketAddr| at.ip());
        let asked = leg.request().filter(|_| self.or_beyond);
        let own = |asked: &&Stored| {
            let asker = asked.stamp.source.map(|at| at.ip());
            asker.is_some() && asker == self.element.as_deref().and_then(|at| host(at).ok())
        };
        let Some(asked) = asked.filter(own) else {
            return self;
        };
        let args = self.grounds.args.clone().text("behind", receiver(asked));
        Blame {
            or_beyond: false,
            confidence: Confidence::Certain,
            grounds: Template::new("handed-on", args),
            is_outweighed: false,
            ..self
        }
    }

    /// Silence that the capture could not have shown otherwise is held against nobody.
    pub(super) fn of_what_is_not_shown(self, grounds: &'static str) -> Blame {
        Blame {
            is_outweighed: grounds == "not-shown",
            element: None,
            acts: Acts::Capture,
            confidence: Confidence::Possible,
            grounds: Template::new(grounds, Args::new()),
            ..self
        }
    }
}

/// An answer that comes sooner than this and alone is one of the next element, nanoseconds.
const AT_ONCE: i64 = 20_000_000;

/// The blame for a call that did not succeed; `cause` is its root cause.
pub(super) fn of(call: &Call, cause: Option<&Finding>, view: &View) -> Option<Blame> {
    let mut blame = match call.decided_by {
        Some(index) => answered(call, index, view)?,
        None => silent(call, view)?,
    };
    if let Some(cause) = cause {
        blame.acts = cause.acts;
        if outweighs(call, cause, &blame) {
            (blame.is_outweighed, blame.confidence) = (true, Confidence::Possible);
        }
    }
    // Nobody asks who made a 2xx, only what became of it.
    blame.is_outweighed |= matches!(call.code(), Some(200..=299));
    Some(blame)
}

// Where the trace ends, and where nothing came back, "at or beyond" is only a guess.
fn outweighs(call: &Call, cause: &Finding, blame: &Blame) -> bool {
    let host = |element: &str| match element.parse::<SocketAddr>() {
        Ok(at) => at.ip().to_string(),
        Err(_) => element.to_owned(),
    };
    let ends = cause.element.as_deref().zip(blame.element.as_deref());
    let another = ends.is_some_and(|(cause, blame)| host(cause) != host(blame));
    let is_beside = |of: &Evidence| matches!(of, Evidence::Beside { .. });
    let shown = || cause.evidence.iter().any(is_beside);
    let lost = call.decided_by.is_none()
        && (cause.acts == Acts::Caller || (cause.acts == Acts::Network && shown()));
    let surer = cause.confidence < Confidence::Possible && cause.confidence <= blame.confidence;
    surer && blame.or_beyond && (another || lost)
}

// Whom the sender of an answer asked on a further leg that surely belongs to the call.
fn asked_behind(call: &Call, answer: &Stored) -> Option<String> {
    let legs = call.legs.iter().zip(&call.joins);
    legs.filter(|(leg, join)| join.sure == Sure::Certain && leg.code() != answer.head.code())
        .filter_map(|(leg, _)| leg.request())
        .find(|request| request.stamp.sender().is(answer.stamp.sender()))
        .map(receiver)
}

fn answered(call: &Call, decided: usize, view: &View) -> Option<Blame> {
    let original = call.original_of(decided);
    let answer = call.message_of(original)?;
    let relays = relays(call, original);
    let args = Args::new()
        .code("code", answer.head.code()?)
        .text("element", sender(answer));
    if answer.stamp.source.is_none() && answer.stamp.sent == Some(true) {
        return Some(Blame {
            element: Some(sender(answer)),
            or_beyond: true,
            acts: by_code(call, answer),
            confidence: Confidence::Possible,
            grounds: Template::new("end-of-trace", args),
            relays,
            is_outweighed: false,
        });
    }
    if answer.stamp.source.is_none() {
        return Some(Blame {
            element: None,
            or_beyond: true,
            acts: by_code(call, answer),
            confidence: Confidence::Possible,
            grounds: Template::new("no-address", args),
            relays,
            is_outweighed: false,
        });
    }
    // Who cannot connect to the next one answers by itself.
    let refused = connect::failed(call, |_| true).filter(|need| need.why == connect::Why::HandedOn);
    let (made, confidence, or_beyond) = match call.made(answer) {
        _ if let Some(need) = refused => {
            let behind = need.connection.flow.destination.to_string();
            let made = Template::new("no-connection", args.text("behind", behind));
            (made, need.confidence, false)
        }
        Made::BySender => (
            made_by_sender(call, answer, args),
            Confidence::Certain,
            false,
        ),
        Made::AtSender => {
            let kept = match call.method {
                Method::Register => "kept-register",
                _ if passed_before(call, answer) => "kept-second-pass",
                _ => "kept",
            };
            (Template::new(kept, args), Confidence::Likely, false)
        }
        Made::AtOrBeyond => match asked_behind(call, answer) {
            Some(behind) => {
                let made = Template::new("handed-on", args.text("behind", behind));
                (made, Confidence::Certain, false)
            }
            None => at_or_beyond(call, answer, view, args),
        },
    };
    Some(Blame {
        element: Some(sender(answer)),
        or_beyond,
        acts: by_code(call, answer),
        confidence,
        grounds: made,
        relays,
        is_outweighed: false,
    })
}

// Did the sender of this answer hand on an earlier pass of the request that it refuses?
fn passed_before(call: &Call, answer: &Stored) -> bool {
    let Some((_, asked)) = call.asked(answer) else {
        return false;
    };
    let requests = call.transactions().iter().filter_map(|t| t.request());
    let mut requests = requests.filter_map(|index| call.messages.get(index));
    requests.any(|m| {
        m.head.method == asked.head.method
            && m.cseq() == asked.cseq()
            && (2..=asked.head.vias).contains(&m.head.vias)
            && m.stamp.sender().is(answer.stamp.sender())
    })
}

// Who handed the response on, nearest its maker first.
fn relays(call: &Call, original: usize) -> Vec<String> {
    let copies = (0..call.finals.len())
        .filter(|&index| index != original && call.original_of(index) == original);
    let mut relays: Vec<(u16, String)> = copies
        .filter_map(|index| call.message_of(index))
        .map(|m| (u16::MAX - m.head.vias, sender(m)))
        .collect();
    relays.sort();
    relays.dedup();
    relays.into_iter().map(|(_, sender)| sender).collect()
}

fn made_by_sender(call: &Call, answer: &Stored, args: Args) -> Template {
    let handed_on: Vec<_> = call.handed_on(answer).collect();
    let mut refused = handed_on
        .iter()
        .filter_map(|t| call.messages.get(*t.finals.first()?));
    let refused = refused.find(|m| m.time().is_none() || m.time() <= answer.time());
    if let Some(refused) = refused {
        let args = args
            .text("behind", sender(refused))
            .code("other", refused.head.code().unwrap_or(0));
        return Template::new("handed-on-refused", args);
    }
    let asked = handed_on
        .iter()
        .find_map(|t| call.messages.get(t.request()?));
    Template::new(
        "handed-on",
        args.text("behind", asked.map(receiver).unwrap_or_default()),
    )
}

/// Where a Q.850 cause arose (RFC 8606 §4, ITU-T Q.850), seen from the one who reports it.
const LOCATIONS: [(&str, &str); 8] = [
    ("U", "called user's own equipment"),
    ("LPN", "private network of the local user"),
    ("LN", "public network of the local user"),
    ("TN", "transit network"),
    ("RLN", "public network of the remote user"),
    ("RPN", "private network of the remote user"),
    ("INTL", "international network"),
    ("BI", "network beyond an interworking point"),
];

// What the answer itself says of its maker.
fn by_its_own_words(answer: &Stored, args: &Args) -> Option<(Template, Confidence, bool)> {
    let located = typed::reasons(answer.message())
        .into_iter()
        .find_map(|reason| {
            let location = reason.location?;
            let known = LOCATIONS
                .iter()
                .find(|(id, _)| id.eq_ignore_ascii_case(&location))?;
            Some((location, known.1))
        });
    if let Some((location, network)) = located {
        let args = args
            .clone()
            .text("network", network)
            .text("location", location);
        return Some((Template::new("location", args), Confidence::Likely, true));
    }
    let warning = typed::warnings(answer.message())
        .into_iter()
        .find(|w| !w.agent.is_empty())?;
    let own = answer.stamp.source.is_some_and(|source| {
        warning.agent == source.to_string() || warning.agent == source.ip().to_string()
    });
    let args = args.clone().text("agent", warning.agent);
    Some((Template::new("warning", args), Confidence::Likely, !own))
}

// Where the one who answered was seen to reach the user called, on a hop behind it: by a registration, or
// by a ping.
fn reached(call: &Call, answer: &Stored, view: &View) -> Option<(String, SocketAddr)> {
    let alone = call.legs.is_empty() && call.related.is_empty();
    if call.method != Method::Invite || !alone || call.ringing().is_some_and(rang) {
        return None;
    }
    let (_, asked) = call.asked(answer)?;
    let uri = Uri::parse(asked.message().request_uri()?.of(&asked.raw))?;
    let user = lossy(uri.user);
    let (server, caller) = answer.stamp.observed()?;
    let registered = || {
        let known = view.registrations().of_user(&user, server.ip())?;
        let now = answer.time()?;
        let last = known.before(now).filter(|last| last.until > now)?;
        last.source
            .filter(|_| last.is_accepted() && !last.is_removal())
    };
    let at = view.pinged(server.ip(), &user).or_else(registered)?;
    let behind = at.ip() != caller.ip() && at.ip() != server.ip();
    (behind && !user.is_empty()).then_some((user, at))
}

fn rang(stored: &Stored) -> bool {
    stored.head.code().is_some_and(|code| code >= 180)
}

// The weaker signs, the strongest first.
fn at_or_beyond(
    call: &Call,
    answer: &Stored,
    view: &View,
    args: Args,
) -> (Template, Confidence, bool) {
    if let Some(said) = by_its_own_words(answer, &args) {
        return said;
    }
    if let Some((user, behind)) = reached(call, answer, view) {
        let args = args.text("user", user).text("behind", behind.to_string());
        return (Template::new("kept-known", args), Confidence::Likely, false);
    }
    let on_hop = |m: &&Stored| m.keys.transaction == answer.keys.transaction;
    let provisional = |least: u16| {
        let mut on_hop = call.messages.iter().filter(on_hop);
        on_hop.find(|m| {
            m.head
                .code()
                .is_some_and(|code| (least..200).contains(&code))
        })
    };
    if let Some(rang) = provisional(101).filter(|rang| rang.keys.to_tag != 0) {
        let args = args.code("rang", rang.head.code().unwrap_or(180));
        return match rang.keys.to_tag == answer.keys.to_tag {
            true => (Template::new("same-tag", args), Confidence::Likely, true),
            false => (Template::new("other-tag", args), Confidence::Likely, true),
        };
    }
    let server = |m: &Stored| m.message().text(Field::Server.name());
    let trying = call
        .messages
        .iter()
        .filter(on_hop)
        .find(|m| m.head.code() == Some(100));
    if let (Some(own), Some(next)) = (server(answer), trying.and_then(server))
        && own == next
    {
        return (
            Template::new("same-server", args.text("server", own)),
            Confidence::Likely,
            false,
        );
    }
    let request = call
        .messages
        .iter()
        .find(|m| m.head.is_request() && on_hop(m));
    let after = request
        .and_then(Stored::time)
        .zip(answer.time())
        .filter(|times| !of_whole_seconds(answer, *times))
        .map(|(asked, said)| said - asked);
    match after {
        Some(after) if trying.is_none() && (0..AT_ONCE).contains(&after) => (
            Template::new("at-once", args.duration("after", after)),
            Confidence::Possible,
            true,
        ),
        _ => (
            Template::new("end-of-trace", args),
            Confidence::Possible,
            true,
        ),
    }
}

/// May the clock of a log that both times are from count whole seconds only? So is what it says of less.
pub fn of_whole_seconds(stored: &Stored, (start, end): (i64, i64)) -> bool {
    stored.stamp.lines > 0 && start % SECOND == 0 && end % SECOND == 0
}

// Of the deepest hop that the request reached.
fn silent(call: &Call, view: &View) -> Option<Blame> {
    let hops = call.hops();
    let deepest = hops
        .last()
        .and_then(|hop| call.messages.get(hop.message))
        .or_else(|| call.request())?;
    let on_hop = |m: &&Stored| m.keys.transaction == deepest.keys.transaction;
    let sign = call
        .messages
        .iter()
        .filter(on_hop)
        .filter_map(|m| m.head.code())
        .max();
    let args = Args::new().text("element", receiver(deepest));
    let grounds = match sign {
        Some(code) => Template::new("silence-behind", args.code("sign", code)),
        None if is_undeliverable(call, deepest) => Template::new("silence-icmp", args),
        None if came_back(call, deepest) => Template::new("silence-astray", args),
        None => Template::new("silence", args),
    };
    // Of whom no packet is seen it is not known whether anything comes as far.
    let peer = deepest.stamp.destination.map(|at| view.peer(at.ip()));
    let unheard = deepest.time().is_some()
        && peer.is_some_and(|peer| peer.is_none_or(|peer| peer.last_from().is_none()));
    let never_heard = unheard && grounds.id == "silence";
    Some(Blame {
        element: deepest.stamp.destination.map(|a| a.to_string()),
        or_beyond: true,
        acts: if sign.is_some() {
            Acts::Callee
        } else {
            Acts::Network
        },
        confidence: match never_heard {
            true => Confidence::Possible,
            false => Confidence::Likely,
        },
        grounds,
        relays: Vec::new(),
        is_outweighed: never_heard,
    })
}

fn is_undeliverable(call: &Call, request: &Stored) -> bool {
    let about = |aside: &Aside| match &aside.what {
        What::Icmp(icmp) => call.messages.get(icmp.message),
        _ => None,
    };
    let mut reported = call.asides.iter().filter_map(about);
    reported.any(|m| m.keys.transaction == request.keys.transaction)
}

// Did the one who was asked answer anything on that hop since?
fn came_back(call: &Call, request: &Stored) -> bool {
    let (from, to) = (request.stamp.source, request.stamp.destination);
    let back = |m: &Stored| {
        !m.head.is_request()
            && m.stamp.source.is_some()
            && (m.stamp.destination, m.stamp.source) == (from, to)
            && m.time() >= request.time()
    };
    call.messages.iter().any(back)
}

/// Whoever runs one end.
pub(super) fn acts_of(call: &Call, side: Side) -> Acts {
    match (side, call.method) {
        (Side::Caller, _) => Acts::Caller,
        (Side::Callee, Method::Register) => Acts::Registrar,
        (Side::Callee, _) => Acts::Callee,
    }
}

/// Whoever runs the sender of a message: what has more than one Via was handed on by a proxy.
pub(super) fn acts_of_sender(call: &Call, stored: &Stored) -> Acts {
    match (stored.head.is_request(), call.side(stored)) {
        (true, _) if stored.head.vias > 1 => Acts::Proxy,
        (_, Some(Side::Callee)) => Acts::Callee,
        (true, _) => Acts::Caller,
        (false, _) => Acts::Callee,
    }
}

// Where no rule explains the answer: who can look further.
fn by_code(call: &Call, answer: &Stored) -> Acts {
    let relayed = matches!(call.made(answer), Made::BySender);
    // What is wrong with a request that was not recorded knows only who answered it.
    let seen = call.asked(answer).is_some();
    match answer.head.code() {
        Some(401 | 407) => Acts::Caller,
        Some(300..=399) => Acts::Caller,
        Some(408 | 504) if relayed => Acts::Callee,
        Some(400 | 405 | 406 | 413..=417 | 420 | 421 | 484 | 485 | 488 | 493 | 606) if seen => {
            Acts::Caller
        }
        _ if relayed => Acts::Proxy,
        _ if call.outcome == Outcome::Refused => Acts::Callee,
        Some(500..=599) => Acts::Callee,
        _ => Acts::Callee,
    }
}
