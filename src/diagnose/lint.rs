//! Defects of messages (rules.md, group L): who wrote them, and whether anybody minded.
//!
//! What breaks the grammar and is taken all the same is no fault that a user has. So a defect is
//! weighed by what became of the message: refused, ignored, or taken.

pub use super::orphan::{Orphan, Other, orphan};
pub use super::weigh::{add, what};

use super::complaint::Topic;
use super::finding::{Evidence, Part, Template};
use super::orphan::strays;
use crate::layers::Transport;
use crate::message::{Flaw, Header, Method, Span};
use crate::session::clock::SECOND;
use crate::session::outcome::never_acknowledged;
use crate::session::{Call, CopyKind, Outcome, Stored};

/// Sentences that the rules on defects share, by id.
pub const SENTENCES: &[(&str, &str)] = &[
    ("defect-again", "the same again, {count} messages so"),
    ("defect-refused", "and it was answered {code}"),
    ("defect-ignored", "nobody answered it"),
    ("defect-unacknowledged", "no ACK came"),
    (
        "defect-instead",
        "this came back instead: the answer to another request",
    ),
    (
        "defect-repeated",
        "and this was sent again after the answer had come",
    ),
];

/// The shared sentence with this id.
pub fn sentence(id: &str) -> Option<&'static str> {
    let known = SENTENCES.iter().find(|(known, _)| *known == id);
    known.map(|(_, text)| *text)
}

/// How much a defect weighs where nobody minded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Allowed, or done by so many that nobody minds: not worth a word.
    Usual,
    /// Against the rules, and harmless as long as nobody minds.
    Harmless,
    /// Against the rules, and bound to go wrong with other peers.
    Risky,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// How much it weighs.
    pub weight: Weight,
    /// Codes beside 400 with which it is refused.
    pub codes: &'static [u16],
    /// What an answer speaks of that refuses it.
    pub topics: &'static [Topic],
    /// The same bytes in a message of somebody else were only copied from the first.
    pub copied: bool,
}

/// Where a defect is.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// The line shown.
    pub line: Span,
    /// The bytes meant.
    pub span: Span,
    /// What the line is.
    pub part: Part,
}

impl Mark {
    /// The start line as a whole.
    pub fn start_line(stored: &Stored) -> Mark {
        let line = stored.message().start_line();
        Mark {
            line,
            span: line,
            part: Part::StartLine,
        }
    }

    /// Bytes of a header.
    pub fn header(header: Header, span: Span) -> Mark {
        let line = Span {
            start: header.name.start,
            end: header.value.end,
        };
        Mark {
            line,
            span,
            part: Part::Header(header),
        }
    }

    /// The value of the first header with this name; the start line where there is none.
    pub fn value(stored: &Stored, name: &'static str) -> Mark {
        match stored.message().header(name) {
            Some(header) => Mark::header(header, header.value),
            None => Mark::start_line(stored),
        }
    }

    /// As evidence.
    pub fn evidence(self, message: usize, note: Template) -> Evidence {
        Evidence::Excerpt {
            message,
            line: self.line,
            mark: self.span,
            part: self.part,
            note,
        }
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Nothing shows that anybody minded.
    Taken,
    /// Answered with an error.
    Refused { answer: usize, decided: bool },
    /// Not answered, or its answer not heard.
    Ignored { again: Option<usize>, decided: bool },
}

/// A defect by one author.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// Index of the message.
    pub message: usize,
    /// The message.
    pub stored: &'a Stored,
    /// Where in it.
    pub mark: Mark,
    /// In how many messages of this author, on the hop nearest to it.
    pub count: usize,
    pub(super) last: usize,
    pub(super) reaction: Reaction,
    pub(super) taken: bool,
    /// Is it a silence that has other reasons as well?
    pub(super) idle: bool,
}

impl Case<'_> {
    /// Is it a request that was answered as if nothing was wrong?
    pub fn was_answered(&self) -> bool {
        let head = &self.stored.head;
        head.is_request() && head.method != Method::Ack && self.reaction == Reaction::Taken
    }
}

/// Messages with a defect that are looked at, and authors that are named.
const MOST_LOOKED_AT: usize = 64;
const MOST_CASES: usize = 2;

/// Is the message whole and as it was sent, as far as the capture tells?
pub fn is_whole(stored: &Stored) -> bool {
    let flaws = stored.head.flaws;
    !flaws.has(Flaw::CutByCapture) && !flaws.has(Flaw::Damaged)
}

/// Are its bytes those of the wire? A log may trim, fold and end lines as it likes.
pub fn has_bytes(stored: &Stored) -> bool {
    is_whole(stored) && stored.stamp.lines == 0
}

/// Can its headers be judged? Those of a log may be trimmed, joined or masked: there is reason to look
/// at them only where the message was refused as malformed.
pub fn is_told(call: &Call, stored: &Stored) -> bool {
    has_bytes(stored) || (is_whole(stored) && was_answered(call, &[400]))
}

/// Did any answer in the call have one of these codes?
pub fn was_answered(call: &Call, codes: &[u16]) -> bool {
    call.finals
        .iter()
        .any(|answer| codes.contains(&answer.code))
}

/// The messages with a defect, one case for each author; `broken` tells where it is.
pub fn cases<'a>(
    call: &'a Call,
    defect: &Defect,
    broken: &dyn Fn(usize, &Stored) -> Option<Mark>,
) -> Vec<Case<'a>> {
    let mut all: Vec<Case<'a>> = Vec::new();
    let found = call.originals().filter(|(_, m)| is_whole(m));
    let found = found.filter_map(|(index, m)| Some((index, m, broken(index, m)?)));
    for (index, stored, mark) in found.take(MOST_LOOKED_AT) {
        if is_relayed(call, stored, broken) {
            continue;
        }
        let reaction = reaction(call, defect, index, stored);
        let taken = reaction == Reaction::Taken;
        if let Some(known) = all.iter_mut().find(|case| is_author(case.stored, stored)) {
            known.count += 1;
            known.last = index;
            known.taken |= taken;
            if weight(reaction) > weight(known.reaction) {
                (known.message, known.stored, known.mark) = (index, stored, mark);
                known.reaction = reaction;
            }
            continue;
        }
        let text = |case: &Case<'_>| case.mark.span.of(&case.stored.raw).to_vec();
        let copied = defect.copied
            && all
                .iter()
                .any(|case| text(case) == mark.span.of(&stored.raw));
        if !copied && all.len() < MOST_CASES {
            all.push(Case {
                message: index,
                stored,
                mark,
                count: 1,
                last: index,
                reaction,
                taken,
                idle: false,
            });
        }
    }
    for case in &mut all {
        case.idle = is_idle(call, case, broken);
    }
    all
}

// A silence proves nothing where the capture ends with it, and where a request without the defect was
// not answered there either.
fn is_idle(call: &Call, case: &Case<'_>, broken: &dyn Fn(usize, &Stored) -> Option<Mark>) -> bool {
    if !matches!(case.reaction, Reaction::Ignored { .. }) || !case.stored.head.is_request() {
        return false;
    }
    // What is answered at all is answered within T2 as a rule (RFC 3261 §17.1.2.1).
    const T2: i64 = 4 * SECOND;
    let until = call.seen_until.unwrap_or(i64::MIN);
    let waited = |m: &Stored| {
        m.time()
            .is_some_and(|time| until.saturating_sub(time) >= T2)
    };
    if !waited(case.stored) {
        return true;
    }
    let receiver = |m: &Stored| (m.stamp.receiver(), m.stamp.destination);
    let (system, port) = receiver(case.stored);
    let unanswered = call.transactions().iter().filter(|t| !t.is_answered());
    let requests =
        unanswered.filter_map(|t| Some((t.request()?, call.messages.get(t.request()?)?)));
    let there = requests.filter(|(_, m)| system.is(receiver(m).0) && port == receiver(m).1);
    there.take(MOST_LOOKED_AT).any(|(index, m)| {
        let sound = is_whole(m) && broken(index, m).is_none();
        sound && waited(m) && strays(call, index, m).next().is_none()
    })
}

fn weight(reaction: Reaction) -> u8 {
    match reaction {
        Reaction::Taken => 0,
        Reaction::Ignored { decided: false, .. } => 1,
        Reaction::Refused { decided: false, .. } => 2,
        Reaction::Ignored { decided: true, .. } => 3,
        Reaction::Refused { decided: true, .. } => 4,
    }
}

fn is_author(known: &Stored, stored: &Stored) -> bool {
    known.stamp.sender().is(stored.stamp.sender())
}

// Had the message the defect already on a hop nearer its author?
fn is_relayed(
    call: &Call,
    stored: &Stored,
    broken: &dyn Fn(usize, &Stored) -> Option<Mark>,
) -> bool {
    nearer(call, stored).any(|(index, m)| broken(index, m).is_some())
}

/// The same message on hops nearer its author.
pub fn nearer<'a>(
    call: &'a Call,
    stored: &'a Stored,
) -> impl Iterator<Item = (usize, &'a Stored)> + 'a {
    let is_nearer = |m: &Stored| match stored.head.is_request() {
        true => m.head.vias < stored.head.vias,
        false => m.head.vias > stored.head.vias,
    };
    call.originals()
        .filter(move |(_, m)| is_nearer(m) && is_same(m, stored))
}

// Is it the same message, on whatever hop?
pub(super) fn is_same(a: &Stored, b: &Stored) -> bool {
    let names = |m: &Stored| {
        let (code, method, cseq) = (m.head.code(), m.head.method, m.head.cseq);
        (code, method, cseq, m.keys.from_tag, m.keys.to_tag)
    };
    names(a) == names(b)
}

fn reaction(call: &Call, defect: &Defect, index: usize, stored: &Stored) -> Reaction {
    let of_beginning = call.is_of_beginning(stored);
    let failed = call.outcome.is_failure();
    let Some(transaction) = call.transaction_of(index) else {
        return Reaction::Taken;
    };
    if stored.head.is_request() && stored.head.method != Method::Ack {
        let strays = || strays(call, index, stored).filter(|_| !transaction.is_answered());
        let refusal = transaction
            .finals
            .iter()
            .copied()
            .chain(strays())
            .find(|at| {
                let code = call.messages.get(*at).and_then(|m| m.head.code());
                code.is_some_and(|code| {
                    matches!(code, 400 | 481 | 500) || defect.codes.contains(&code)
                })
            });
        if let Some(answer) = refusal {
            let decided = of_beginning && failed && decides(call, stored);
            return Reaction::Refused { answer, decided };
        }
        if transaction.is_answered() || strays().next().is_some() {
            return Reaction::Taken;
        }
        let decided = of_beginning && failed && gave_up(call);
        return Reaction::Ignored {
            again: None,
            decided,
        };
    }
    if stored.head.is_request() {
        return Reaction::Taken;
    }
    if let Some(orphan) = orphan(call, index) {
        let asked = call.messages.get(orphan.request);
        let waiting = call.transaction_of(orphan.request);
        let again = waiting.and_then(|t| t.sends.last().copied());
        return Reaction::Ignored {
            again: again.filter(|again| *again > index),
            decided: failed && asked.is_some_and(|m| call.is_of_beginning(m)),
        };
    }
    let repeats = transaction.sends.iter().filter(|at| **at > index);
    let is_udp = stored.stamp.transport == Some(Transport::Udp);
    let is_copy = |m: &Stored| m.copy.is_some_and(|c| c.kind == CopyKind::Retransmission);
    let again: Vec<usize> = repeats
        .copied()
        .filter(|at| is_udp && call.messages.get(*at).is_some_and(is_copy))
        .collect();
    let unheard = (0..call.finals.len())
        .any(|at| call.finals[at].message == index && never_acknowledged(call, at));
    match again.last() {
        Some(last) if again.len() >= 2 => Reaction::Ignored {
            again: Some(*last),
            decided: of_beginning && failed,
        },
        _ if unheard => Reaction::Ignored {
            again: None,
            decided: failed,
        },
        _ => Reaction::Taken,
    }
}

// Is it the answer to this request that decided the call?
fn decides(call: &Call, stored: &Stored) -> bool {
    call.deciding()
        .is_some_and(|m| m.head.method == stored.head.method && m.cseq() == stored.cseq())
}

fn gave_up(call: &Call) -> bool {
    call.outcome == Outcome::TimedOut || matches!(call.code(), Some(408 | 480 | 500 | 503 | 504))
}
