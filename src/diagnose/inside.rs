//! Requests inside the dialogs of a call, and the dialogs by their tags (RFC 3261 §12).

use super::finding::{Value, note};
use super::{Evidence, Finding, Note, Role, Severity};
use crate::message::uri::Uri;
use crate::message::{Method, Span, lossy};
use crate::session::{Call, Outcome, Side, Step, Stored, Transaction, outcome};

/// Dialogs of one call that are looked at.
const MOST_DIALOGS: usize = 16;

/// A request inside a dialog that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// Index of the request on the hop nearest who refused it.
    pub index: usize,
    /// The request.
    pub request: &'a Stored,
    /// Index of the final response.
    pub answer_index: usize,
    /// The final response.
    pub answer: &'a Stored,
}

impl Refused<'_> {
    /// Proves a finding: the request, and the answer to it, each with its remark.
    pub fn prove(&self, finding: &mut Finding, (request, answer): (Note, Note)) {
        finding
            .proof(Evidence::start_line(self.index, self.request, request))
            .proof(Evidence::start_line(self.answer_index, self.answer, answer));
    }

    /// Status code of the refusal.
    pub fn code(&self) -> u16 {
        self.answer.head.code().unwrap_or(0)
    }
}

/// The requests inside a dialog that were refused with one of these codes; what a proxy only
/// handed on is left out.
pub fn refused<'a>(call: &'a Call, codes: &'a [u16]) -> impl Iterator<Item = Refused<'a>> {
    let finals = call
        .finals
        .iter()
        .filter(|f| codes.contains(&f.code) && f.step != Some(Step::Relayed));
    finals.filter_map(|f| {
        let answer = call.messages.get(f.message)?;
        if answer.head.method == Method::Cancel {
            return None;
        }
        let index = call.transaction_of(f.message)?.request()?;
        let request = call.messages.get(index)?;
        (!request.is_initial()).then_some(Refused {
            index,
            request,
            answer_index: f.message,
            answer,
        })
    })
}

/// A dialog that an answer to INVITE set up, confirmed or early.
#[derive(Clone, Copy, Debug)]
pub struct Dialog {
    /// Tag of the caller, and where it stands.
    pub caller: u64,
    /// Tag of the callee.
    pub callee: u64,
    /// Index of the answer.
    pub answer: usize,
    /// Was it a 2xx?
    pub confirmed: bool,
}

/// The dialogs of a call, confirmed ones first.
pub fn dialogs(call: &Call) -> Vec<Dialog> {
    let mut all: Vec<Dialog> = Vec::new();
    let callers = call.caller_tags();
    let answers = call.originals().filter(|(_, m)| {
        m.keys.to_tag != 0
            && callers.contains(&m.keys.from_tag)
            && call.is_of_beginning(m)
            && m.head.code().is_some_and(|code| (101..300).contains(&code))
    });
    for (answer, m) in answers {
        let confirmed = m.head.code() >= Some(200);
        let dialog = Dialog {
            caller: m.keys.from_tag,
            callee: m.keys.to_tag,
            answer,
            confirmed,
        };
        let same = |d: &Dialog| (d.caller, d.callee) == (dialog.caller, dialog.callee);
        let known = all.iter().position(same);
        match known.and_then(|at| all.get_mut(at)) {
            Some(known) if confirmed && !known.confirmed => *known = dialog,
            Some(_) => {}
            None => all.push(dialog),
        }
        if all.len() >= MOST_DIALOGS {
            break;
        }
    }
    all.sort_by_key(|dialog| (!dialog.confirmed, dialog.answer));
    all
}

/// The transactions that set up or change a session, INVITE and UPDATE, with their request.
pub fn offers(call: &Call) -> impl Iterator<Item = (&Transaction, usize, &Stored)> {
    let of_kind = |t: &&Transaction| matches!(t.method, Method::Invite | Method::Update);
    call.transactions().iter().filter(of_kind).filter_map(|t| {
        let index = t.request()?;
        Some((t, index, call.messages.get(index)?))
    })
}

/// When a transaction was answered finally, nanoseconds.
pub fn ended(call: &Call, transaction: &Transaction) -> Option<i64> {
    call.messages.get(*transaction.finals.first()?)?.time()
}

/// Did it end with a 2xx?
pub fn is_accepted(call: &Call, transaction: &Transaction) -> bool {
    let first = transaction.finals.first();
    let code = first.and_then(|index| call.messages.get(*index)?.head.code());
    matches!(code, Some(200..=299))
}

/// The text of a tag.
pub fn tag(stored: &Stored, span: Span) -> String {
    lossy(span.of(&stored.raw))
}

/// Who wrote a request: by its source where proxies are out of question, else by its tags.
pub fn author(call: &Call, stored: &Stored) -> Option<Side> {
    let tagged = call.side(stored);
    if stored.head.vias > 1 {
        return tagged;
    }
    let (source, _) = stored.stamp.observed()?;
    let begun = call
        .request()
        .filter(|m| m.head.vias == 1)?
        .stamp
        .observed()?
        .0;
    let answered = call.answer()?.stamp.observed()?.0;
    match source.ip() {
        ip if begun.ip() == answered.ip() || (ip != begun.ip() && ip != answered.ip()) => tagged,
        ip if ip == begun.ip() => Some(Side::Caller),
        _ => Some(Side::Callee),
    }
}

/// A request inside a dialog, on the hop of its author, that did not reach the other end.
#[derive(Clone, Copy, Debug)]
pub struct Missed<'a> {
    /// Index of the request.
    pub index: usize,
    /// The request.
    pub request: &'a Stored,
    /// The refusal with its index, of an ACK the answer that was repeated after it; `None` for silence.
    pub answer: Option<(usize, &'a Stored)>,
    /// Is it the ACK of an answer that was repeated all the same?
    pub is_ack: bool,
}

/// Codes that say that a request went astray on its way through proxies, or came to somebody else.
const ASTRAY: [u16; 14] = [
    400, 403, 404, 405, 408, 416, 476, 478, 481, 482, 483, 500, 503, 604,
];

/// The requests inside dialogs that did not reach the other end, ACK included, each on the hop of
/// its author.
pub fn missed(call: &Call) -> impl Iterator<Item = Missed<'_>> {
    const ENOUGH: usize = 4;
    let lost_ack = (0..call.finals.len())
        .find(|&index| outcome::never_acknowledged(call, index))
        .and_then(|index| Some((call.finals.get(index)?, call.message_of(index)?)))
        .and_then(|(known, answer)| {
            let mut acks = outcome::acknowledgements(call, answer);
            let (index, request) = acks.find(|(_, m)| m.head.vias == 1)?;
            // What is repeated after the ACK shows that it did not arrive.
            let after = known.repeats.iter().copied().find(|at| *at > index);
            let at = after.unwrap_or(known.message);
            Some(Missed {
                index,
                request,
                answer: Some((at, call.messages.get(at)?)),
                is_ack: true,
            })
        });
    let astray = call.transactions().iter().filter_map(move |t| {
        let index = t.request()?;
        let request = call.messages.get(index)?;
        if request.keys.to_tag == 0 || request.head.vias != 1 || t.method == Method::Cancel {
            return None;
        }
        let last = t.finals.last().copied();
        let answer = last.and_then(|at| Some((at, call.messages.get(at)?)));
        let code = answer.and_then(|(_, m)| m.head.code());
        let lost = match code {
            Some(code) => ASTRAY.contains(&code),
            None => t.sends.len() >= ENOUGH && !t.is_answered(),
        };
        lost.then_some(Missed {
            index,
            request,
            answer,
            is_ack: false,
        })
    });
    lost_ack.into_iter().chain(astray)
}

/// What is said of a BYE that went astray: that it left the other side in the call, where no other one
/// was taken either.
pub fn left(call: &Call, request: &Stored) -> Value {
    let mut byes = call.transactions().iter();
    let stays = request.head.method == Method::Bye
        && !byes.any(|t| t.method == Method::Bye && is_accepted(call, t));
    match stays {
        true => Value::Said(", so the other side is still in the call"),
        false => Value::nothing(),
    }
}

/// What became of a request that was missed: the answer, or the silence.
pub fn outcome_of(
    missed: Missed<'_>,
    seen_until: Option<i64>,
    answer: &'static str,
    silence: &'static str,
) -> Option<Evidence> {
    match missed.answer {
        Some((at, stored)) => Some(Evidence::start_line(at, stored, note(answer))),
        None => {
            let from = missed.request.time()?;
            Some(Evidence::Absence {
                message: missed.index,
                from,
                until: seen_until.unwrap_or(from).max(from),
                note: note(silence),
            })
        }
    }
}

/// How bad it is that a request was missed, and what it is to the outcome.
pub fn weight(call: &Call, missed: Missed<'_>) -> (Severity, Role) {
    match call.outcome {
        Outcome::Succeeded => (Severity::Warning, Role::Contributing),
        _ if missed.is_ack => (Severity::Error, Role::Cause),
        _ => (Severity::Error, Role::Contributing),
    }
}

/// What two URIs must have in common to lead to the same place: user, host in lower case, port.
pub fn place(uri: &[u8]) -> Option<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let uri = Uri::parse(uri)?;
    let port = match uri.port {
        [] => b"5060",
        port => port,
    };
    let user = uri.user.split(|byte| *byte == b':').next();
    Some((
        user.unwrap_or_default().to_vec(),
        uri.host.to_ascii_lowercase(),
        port.to_vec(),
    ))
}

/// A URI without parameters, as far as it can be read.
pub fn shown(uri: &[u8]) -> String {
    Uri::parse(uri).map_or_else(|| lossy(uri), |uri| uri.bare())
}
