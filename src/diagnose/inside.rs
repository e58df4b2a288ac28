//! Requests inside the dialogs of a call, and the dialogs by their tags (RFC 3261 §12).

use crate::message::{Method, Span, lossy};
use crate::session::{Call, Side, Step, Stored, Transaction};

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
        let inside = !request.is_initial() && !call.is_of_beginning(request);
        inside.then_some(Refused {
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
    let answers = call.originals().filter(|(_, m)| {
        m.keys.to_tag != 0
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
        let same = |d: &&mut Dialog| (d.caller, d.callee) == (dialog.caller, dialog.callee);
        match all.iter_mut().find(same) {
            Some(known) if confirmed && !known.confirmed => *known = dialog,
            Some(_) => {}
            None if all.len() < MOST_DIALOGS => all.push(dialog),
            None => break,
        }
    }
    all.sort_by_key(|dialog| (!dialog.confirmed, dialog.answer));
    all
}

/// The transactions that set up or change a session, INVITE and UPDATE, with their request.
pub fn offers(call: &Call) -> impl Iterator<Item = (&Transaction, usize, &Stored)> {
    let of_kind = |t: &&Transaction| matches!(t.method, Method::Invite | Method::Update);
    call.transactions()
        .iter()
        .filter(of_kind)
        .filter_map(|t| {
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
    let begun = call.request().filter(|m| m.head.vias == 1)?.stamp.observed()?.0;
    let answered = call.answer()?.stamp.observed()?.0;
    match source.ip() {
        ip if begun.ip() == answered.ip() || (ip != begun.ip() && ip != answered.ip()) => tagged,
        ip if ip == begun.ip() => Some(Side::Caller),
        _ => Some(Side::Callee),
    }
}
