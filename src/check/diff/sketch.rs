//! A call as what is compared of it: owned, and small whatever the call is.

use super::fact::{Fact, Topic, excerpt};
use super::facts;
use super::places::Places;
use crate::check::expect;
use crate::diagnose::evidence::Part;
use crate::diagnose::{Diagnosis, Evidence};
use crate::lang::Lang;
use crate::lang::words::Words;
use crate::message::Method;
use crate::message::header::canonical;
use crate::report::terminal::escape::clean;
use crate::report::totals::method_name;
use crate::session::{Call, CopyKind, Outcome, Stored};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Messages of a call that are looked at, over all its legs.
pub const MOST_STEPS: usize = 512;
/// Characters of a name from the wire.
const LONGEST: usize = 80;

/// What a message is in its call: equal for two messages that are to be compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// Leg of the call, from 0.
    pub leg: usize,
    /// Position of the sender on the way.
    pub from: usize,
    /// Does it belong to a request of the side that began the call?
    pub by_caller: bool,
    /// Method.
    pub method: String,
    /// How many sequence numbers of that method the one who asked had used before.
    pub turn: usize,
    /// What it is in its transaction.
    pub part: Turn,
    /// Which of those that are alike: forks, several ringings.
    pub nth: usize,
}

/// What a message is in its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// The request.
    Request,
    /// The ACK to a refusal: part of the transaction of the INVITE (RFC 3261 §17.1.1.3).
    Acknowledge,
    /// 100.
    Trying,
    /// 101 to 199.
    Provisional,
    /// 200 to 699.
    Final,
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the input.
    pub input: u16,
    /// Frame or line.
    pub number: u64,
    /// Is it a line of a log?
    pub is_line: bool,
}

/// A message with its facts.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is.
    pub role: Role,
    /// `INVITE`, `200 to INVITE`.
    pub name: Words,
    /// Sender and receiver by name.
    pub ends: [Words; 2],
    /// Where it stands.
    pub place: Place,
    /// Its start line.
    pub start: String,
    /// Status code.
    pub code: Option<u16>,
    /// Was it sent after the answer by which the call failed?
    pub is_after: bool,
    /// How often it was sent again.
    pub repeats: usize,
    /// Nanoseconds since its request on the same hop.
    pub delay: Option<i64>,
    /// What can be said of it.
    pub facts: Vec<Fact>,
}

/// The cause of a call as its diagnosis has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Id of the rule.
    pub rule: &'static str,
    /// Title of the finding.
    pub title: String,
    /// Names of headers, and begins of lines of bodies, in its proof.
    pub fields: BTreeSet<String>,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Sketch {
    /// Its number.
    pub id: u64,
    /// Its method.
    pub method: String,
    /// URIs of From and To.
    pub parties: [String; 2],
    /// How it ended.
    pub outcome: Outcome,
    /// The answer that decided it: code and phrase.
    pub answer: Option<(u16, String)>,
    /// What its diagnosis says.
    pub cause: Option<Cause>,
    /// The messages, in the order in which they were seen.
    pub steps: Vec<Step>,
    /// Which ways RTP went; nothing where none was seen.
    pub rtp: Option<&'static str>,
    /// Was it never answered?
    pub is_refused: bool,
    /// Messages that found no room.
    pub left_out: usize,
}

/// What is compared of a call.
pub fn sketch(call: &Call, diagnosis: &Diagnosis, lang: &Lang) -> Sketch {
    let places = Places::of(call);
    let mut sketch = Sketch {
        id: call.id,
        method: short(&method_name(call)),
        parties: [call.from(), call.to()].map(|uri| short(&uri.unwrap_or_default())),
        outcome: call.told(),
        answer: call.deciding().and_then(|stored| {
            let phrase = stored.message().reason();
            let phrase = phrase.map(|span| stored.message().slice(span));
            Some((stored.head.code()?, short(&phrase.unwrap_or_default())))
        }),
        cause: diagnosis.foremost(call).map(|finding| Cause {
            rule: finding.rule.id,
            title: lang.rule(finding.rule, "title", &finding.args),
            fields: fields(call.leg(finding.leg), &finding.evidence),
        }),
        steps: Vec::new(),
        rtp: expect::rtp(call),
        is_refused: call.answer().is_none(),
        left_out: 0,
    };
    for (number, leg) in call.all_legs().enumerate() {
        steps(call, number, leg, &places, &mut sketch);
    }
    sketch
}

fn short(text: &str) -> String {
    clean(text).chars().take(LONGEST).collect()
}

// What the proof of a finding points at.
fn fields(call: &Call, evidence: &[Evidence]) -> BTreeSet<String> {
    let of = |evidence: &Evidence| {
        let stored = call.messages.get(evidence.message()?)?;
        match evidence {
            Evidence::Excerpt {
                part: Part::Header(header),
                ..
            }
            | Evidence::Decoded { header, .. } => Some(canonical(header.name.of(&stored.raw))),
            Evidence::Excerpt {
                part: Part::Body,
                line,
                ..
            } => {
                let line = line.of(stored.message().body());
                let line = if line.is_empty() { b"" } else { line };
                let text =
                    crate::message::lossy(line.get(..line.len().min(32)).unwrap_or_default());
                ["m=", "c=", "a=direction"]
                    .iter()
                    .find(|begin| text.starts_with(**begin))
                    .map(|b| (*b).to_owned())
            }
            _ => None,
        }
    };
    evidence.iter().take(64).filter_map(of).collect()
}

/// From when on nothing can be the reason any more.
struct Failed {
    /// The message by which it failed, in the first leg.
    index: usize,
    time: Option<i64>,
    /// Is that message itself the failure?
    itself: bool,
    /// A call that was answered fails by what its own transaction lacks: only others come too late.
    but: Option<u32>,
}

impl Failed {
    // By the answer that refused it, by its CANCEL, or after an answer that led to nothing.
    fn of(call: &Call) -> Option<Failed> {
        let index = call.finals.get(call.decided_by?)?.message;
        let stored = call.messages.get(index)?;
        let code = stored.head.code()?;
        let at = |index, stored: &Stored| Failed {
            index,
            time: stored.time(),
            itself: false,
            but: None,
        };
        let cancel = call.requests(Method::Cancel).next();
        match (code, cancel) {
            (487, Some((index, cancel))) => Some(Failed {
                itself: true,
                ..at(index, cancel)
            }),
            (300.., _) => Some(at(index, stored)),
            _ if call.told().is_failure() => Some(Failed {
                but: Some(stored.cseq()),
                ..at(index, stored)
            }),
            _ => None,
        }
    }

    fn precedes(&self, leg: usize, index: usize, stored: &Stored) -> bool {
        let of_answer = matches!(stored.head.method, Method::Invite | Method::Ack);
        if of_answer && self.but == Some(stored.cseq()) {
            return false;
        }
        match (self.time, stored.time()) {
            (Some(time), Some(at)) if self.itself => at >= time,
            (Some(time), Some(at)) => at > time,
            _ if self.itself => leg == 0 && index >= self.index,
            _ => leg == 0 && index > self.index,
        }
    }
}

fn steps(call: &Call, number: usize, leg: &Call, places: &Places, sketch: &mut Sketch) {
    let (mut turns, mut alike): (HashMap<_, Vec<u32>>, HashMap<Role, usize>) = Default::default();
    let mut asked: HashMap<u64, i64> = HashMap::new();
    let mut open: HashSet<u64> = HashSet::new();
    let failed = Failed::of(call);
    let again = leg.messages.iter().filter_map(|m| m.copy);
    let mut repeats: HashMap<u32, usize> = HashMap::new();
    for copy in again.filter(|copy| copy.kind == CopyKind::Retransmission) {
        *repeats.entry(copy.first).or_default() += 1;
    }
    for (index, stored) in leg.originals() {
        if sketch.steps.len() >= MOST_STEPS {
            sketch.left_out += 1;
            continue;
        }
        let ends = places.ends(leg, stored);
        let method = short(&stored.message().method_name());
        let asker = if stored.head.is_request() {
            ends[0]
        } else {
            ends[1]
        };
        let by_caller = leg.is_by_caller(stored) == stored.head.is_request();
        let known = turns.entry((asker, by_caller, method.clone())).or_default();
        let turn = known
            .iter()
            .position(|cseq| *cseq == stored.cseq())
            .unwrap_or_else(|| {
                known.push(stored.cseq());
                known.len() - 1
            });
        let mut role = Role {
            leg: number,
            from: ends[0],
            by_caller,
            method,
            turn,
            part: part(stored, &open),
            nth: 0,
        };
        let nth = alike.entry(role.clone()).or_default();
        role.nth = *nth;
        *nth += 1;
        if stored.head.is_request() {
            open.insert(stored.keys.transaction);
            asked.extend(stored.time().map(|time| (stored.keys.transaction, time)));
        }
        let is_after = failed
            .as_ref()
            .is_some_and(|failed| failed.precedes(number, index, stored));
        let repeats = u32::try_from(index)
            .ok()
            .and_then(|index| repeats.get(&index).copied());
        let delay = asked
            .get(&stored.keys.transaction)
            .zip(stored.time())
            .map(|(asked, at)| at - asked);
        sketch.steps.push(Step {
            name: name(stored, &role),
            role,
            ends: ends.map(|end| places.name(end)),
            place: Place {
                input: stored.stamp.origin.input,
                number: stored.stamp.origin.place,
                is_line: stored.stamp.lines > 0,
            },
            start: excerpt(stored.message().start_line().of(&stored.raw)),
            code: stored.head.code(),
            is_after,
            repeats: repeats.unwrap_or(0),
            delay: delay.filter(|_| !stored.head.is_request()),
            facts: facts::of(stored, ends, places),
        });
    }
}

fn part(stored: &Stored, open: &HashSet<u64>) -> Turn {
    let of_refusal = stored.head.method == Method::Ack && open.contains(&stored.keys.transaction);
    match stored.head.code() {
        None if of_refusal => Turn::Acknowledge,
        None => Turn::Request,
        Some(100) => Turn::Trying,
        Some(101..200) => Turn::Provisional,
        Some(_) => Turn::Final,
    }
}

fn name(stored: &Stored, role: &Role) -> Words {
    let method = role.method.as_str();
    match (stored.head.code(), role.part) {
        (Some(code), _) => Words::label("{code} to {method}")
            .with("code", code.to_string())
            .with("method", method),
        (None, Turn::Request) if method == "ACK" => Words::label("ACK to a 2xx"),
        _ => method.into(),
    }
}

impl Step {
    /// Has it facts about this?
    pub fn has(&self, topic: Topic, what: &str) -> bool {
        self.facts
            .iter()
            .any(|fact| fact.topic == topic && fact.what.english().starts_with(what))
    }
}
