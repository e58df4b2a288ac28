//! What the rules on digest authentication share: which request answers which challenge, what
//! became of it, and where in the messages that stands (RFC 3261 §22, RFC 7616 §3).

use super::finding::{Evidence, Note, deciding};
use super::{Acts, Context};
use crate::message::header::Header;
use crate::message::typed::{self, Challenge, Credentials};
use crate::message::{Method, Span, params};
use crate::session::clock::SECOND;
use crate::session::nonces::Use;
use crate::session::{Call, CopyKind, Outcome, Stored};

/// Challenges and requests of one call that are read; a client that goes on for ever shows nothing
/// new.
const MOST: usize = 32;

/// A challenge that came back to the caller.
#[derive(Debug)]
pub struct Asked {
    /// Index of the 401 or 407.
    pub message: usize,
    /// What it says.
    pub challenge: Challenge,
}

/// A request of the beginning that carries credentials.
#[derive(Debug)]
pub struct Attempt {
    /// Index of the request, on the hop nearest the caller.
    pub message: usize,
    /// What it carries.
    pub credentials: Vec<Credentials>,
    /// Index of the final answer to it.
    pub verdict: Option<usize>,
}

/// Challenges and credentials of the request that began a call.
#[derive(Debug, Default)]
pub struct Exchange {
    /// Each nonce once, in the order in which they came.
    pub asked: Vec<Asked>,
    /// Each attempt once.
    pub attempts: Vec<Attempt>,
}

/// One answered challenge and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Try<'a> {
    /// The challenge, where it is in the call.
    pub asked: Option<&'a Asked>,
    /// The request.
    pub attempt: &'a Attempt,
    /// The credentials in it.
    pub credentials: &'a Credentials,
}

impl Exchange {
    /// Reads a call.
    pub(super) fn of(call: &Call) -> Exchange {
        let mut exchange = Exchange::default();
        for (index, stored) in call.messages.iter().enumerate() {
            if !call.is_of_beginning(stored) {
                continue;
            }
            if matches!(stored.head.code(), Some(401 | 407)) {
                exchange.add_challenges(call, index, stored);
            } else if !stored.head.credentials.is_empty() && stored.head.is_request() {
                exchange.add_attempt(call, index, stored);
            }
        }
        exchange
    }

    // A relay of the same challenge nearer the caller takes its place.
    fn add_challenges(&mut self, call: &Call, index: usize, stored: &Stored) {
        if self.asked.len() >= MOST {
            return;
        }
        for challenge in typed::challenges(stored.message()) {
            let vias = |asked: &Asked| call.messages.get(asked.message).map(|m| m.head.vias);
            let same = |asked: &&mut Asked| {
                let known = &asked.challenge;
                (&known.nonce, &known.algorithm) == (&challenge.nonce, &challenge.algorithm)
            };
            match self.asked.iter_mut().find(same) {
                Some(known) if vias(known) > Some(stored.head.vias) => known.message = index,
                Some(_) => {}
                None => self.asked.push(Asked {
                    message: index,
                    challenge,
                }),
            }
        }
    }

    fn add_attempt(&mut self, call: &Call, index: usize, stored: &Stored) {
        // A copy that differs from the first one in its credentials is none.
        let first = stored
            .copy
            .and_then(|copy| call.messages.get(copy.first as usize));
        if self.attempts.len() >= MOST || first.is_some_and(|m| !m.head.credentials.is_empty()) {
            return;
        }
        let same = |attempt: &&mut Attempt| {
            let known = call.messages.get(attempt.message);
            known.is_some_and(|m| m.cseq() == stored.cseq() && m.head.vias != stored.head.vias)
        };
        if let Some(known) = self.attempts.iter_mut().find(same) {
            let vias = call.messages.get(known.message).map(|m| m.head.vias);
            if vias > Some(stored.head.vias) {
                (known.message, known.verdict) = (index, verdict(call, index, stored));
            }
            return;
        }
        // Registration in IMS begins with empty credentials (TS 24.229 §5.1.1.2): they answer nothing.
        let mut credentials = typed::credentials(stored.message());
        credentials.retain(|c| !c.nonce.is_empty());
        if !credentials.is_empty() {
            self.attempts.push(Attempt {
                message: index,
                credentials,
                verdict: verdict(call, index, stored),
            });
        }
    }

    /// The challenge that credentials in this message answer.
    pub fn asked_for(&self, message: usize, credentials: &Credentials) -> Option<&Asked> {
        let answered =
            |asked: &&Asked| asked.message < message && asked.challenge.nonce == credentials.nonce;
        self.asked.iter().find(answered)
    }

    /// Every answered challenge, in order.
    pub fn tries(&self) -> impl Iterator<Item = Try<'_>> {
        self.attempts.iter().flat_map(move |attempt| {
            attempt.credentials.iter().map(move |credentials| Try {
                asked: self.asked_for(attempt.message, credentials),
                attempt,
                credentials,
            })
        })
    }

    /// The last request with credentials that was answered.
    pub fn last_judged(&self) -> Option<&Attempt> {
        self.attempts
            .iter()
            .rev()
            .find(|attempt| attempt.verdict.is_some())
    }
}

impl<'a> Try<'a> {
    /// The answer to the request.
    pub fn verdict<'c>(&self, call: &'c Call) -> Option<&'c Stored> {
        call.messages.get(self.attempt.verdict?)
    }

    /// How long the caller took to answer the challenge, nanoseconds.
    pub fn waited(&self, call: &Call) -> Option<i64> {
        let time = |index: usize| call.messages.get(index).and_then(Stored::time);
        Some(time(self.attempt.message)? - time(self.asked?.message)?)
    }

    /// The new challenge for the same realm with which the request was refused.
    pub fn asked_again(&self, call: &Call) -> Option<Challenge> {
        let verdict = self.verdict(call)?;
        if !matches!(verdict.head.code(), Some(401 | 407)) {
            return None;
        }
        let mut again = typed::challenges(verdict.message()).into_iter();
        again.find(|c| c.realm == self.credentials.realm)
    }
}

fn verdict(call: &Call, index: usize, request: &Stored) -> Option<usize> {
    let answers = |(_, m): &(usize, &Stored)| {
        m.keys.transaction == request.keys.transaction && m.head.final_code().is_some()
    };
    let mut later = call.messages.iter().enumerate().skip(index + 1);
    later.find(answers).map(|(at, _)| at)
}

/// The last final answer to the beginning that nothing came of, where it is 401, 403 or 407, or
/// one of `others`; also while the capture ends before an unmet challenge counts as failure.
pub fn open_refusal<'c>(call: &'c Call, others: &[u16]) -> Option<(usize, &'c Stored)> {
    let open = |f: &&crate::session::Final| {
        let message = call.messages.get(f.message);
        f.step.is_none() && message.is_some_and(|m| call.is_of_beginning(m))
    };
    let last = call.finals.iter().rev().find(open)?;
    let refuses = matches!(last.code, 401 | 403 | 407) || others.contains(&last.code);
    let message = call.messages.get(last.message)?;
    (refuses && call.answer().is_none()).then_some((last.message, message))
}

/// A challenge that reached the caller and that no credentials of it answer.
#[derive(Debug)]
pub struct Unmet<'c> {
    /// Index of the 401 or 407.
    pub message: usize,
    /// The 401 or 407.
    pub response: &'c Stored,
    /// What it asks for: one or more ways to answer.
    pub challenges: Vec<Challenge>,
    /// The ACK to it.
    pub acknowledged: Option<(usize, &'c Stored)>,
}

/// The challenge that decided a call because nothing came of it. Not one that may never have
/// arrived: not acknowledged, or the request was sent again; and not one that the caller answered
/// in another call.
pub fn unmet<'c>(call: &'c Call, context: &Context<'_>) -> Option<Unmet<'c>> {
    let (message, response) = deciding(call).filter(|_| call.outcome == Outcome::Failed)?;
    if !matches!(response.head.code(), Some(401 | 407)) {
        return None;
    }
    let challenges = typed::challenges(response.message());
    let exchange = context.exchange(call);
    let is_for = |t: Try<'_>| {
        let asked = t.asked.map(|asked| &asked.challenge.realm);
        let mut realms = challenges.iter().map(|c| &c.realm);
        realms.any(|realm| *realm == t.credentials.realm || Some(realm) == asked)
    };
    if challenges.is_empty()
        || exchange.tries().any(is_for)
        || answered_elsewhere(call, context, &challenges).is_some()
    {
        return None;
    }
    let mut acks = call.requests(Method::Ack);
    let acknowledged = acks.find(|(_, m)| m.keys.transaction == response.keys.transaction);
    let again = |m: &Stored| {
        let repeated = m.copy.is_some_and(|c| c.kind == CopyKind::Retransmission);
        m.head.is_request() && repeated && call.is_of_beginning(m) && m.time() > response.time()
    };
    let received = match call.method {
        Method::Invite => acknowledged.is_some(),
        _ => !call.messages.iter().any(again),
    };
    received.then_some(Unmet {
        message,
        response,
        challenges,
        acknowledged,
    })
}

/// A request of another call that answers one of these challenges, soon after.
pub fn answered_elsewhere(
    call: &Call,
    context: &Context<'_>,
    challenges: &[Challenge],
) -> Option<Use> {
    const SOON: i64 = 32 * SECOND;
    let own = call.first()?.keys.call_id;
    let soon = |used: &Use, minted: Option<i64>| match (used.at, minted) {
        (Some(used), Some(minted)) => (0..=SOON).contains(&(used - minted)),
        _ => false,
    };
    let mut nonces = challenges
        .iter()
        .filter_map(|c| context.view.nonces.of(&c.nonce));
    nonces.find_map(|nonce| {
        let minted = nonce.minted?.at;
        let mut uses = nonce.uses();
        uses.find(|used| used.call_id != own && soon(used, minted))
    })
}

/// Who runs the element that asked for credentials.
pub fn server(call: &Call, answer: &Stored) -> Acts {
    match (call.method, answer.head.code()) {
        (Method::Register, _) => Acts::Registrar,
        (_, Some(407)) => Acts::Proxy,
        _ => Acts::Callee,
    }
}

/// Does the reason phrase speak of the nonce? Some servers say only there that it had run out.
pub fn speaks_of_nonce(stored: &Stored) -> bool {
    phrase_says(stored, &["nonce", "stale"])
}

/// Does the reason phrase say that the credentials are wrong?
pub fn speaks_of_credentials(stored: &Stored) -> bool {
    const SAID: [&str; 6] = [
        "bad auth",
        "password",
        "credential",
        "authentication fail",
        "auth fail",
        "digest",
    ];
    phrase_says(stored, &SAID)
}

/// The reason phrase.
pub fn phrase(stored: &Stored) -> String {
    let reason = stored.message().reason();
    let phrase = reason.map(|span| stored.message().slice(span).trim().to_owned());
    phrase.unwrap_or_default()
}

/// Does the reason phrase contain one of these words, in lower case?
pub fn phrase_says(stored: &Stored, words: &[&str]) -> bool {
    let line = stored
        .message()
        .reason()
        .map(|reason| reason.of(&stored.raw));
    let line = line.unwrap_or_default().to_ascii_lowercase();
    let says = |word: &&str| memchr::memmem::find(&line, word.as_bytes()).is_some();
    words.iter().any(says)
}

/// Name of the header of a challenge.
pub fn challenge_header(proxy: bool) -> &'static str {
    match proxy {
        true => "Proxy-Authenticate",
        false => "WWW-Authenticate",
    }
}

/// Name of the header of credentials.
pub fn credentials_header(proxy: bool) -> &'static str {
    match proxy {
        true => "Proxy-Authorization",
        false => "Authorization",
    }
}

/// The challenge as proof, with the value of one parameter marked; all of it where there is none.
pub fn show_challenge(call: &Call, asked: &Asked, param: &str, note: Note) -> Option<Evidence> {
    let name = challenge_header(asked.challenge.proxy);
    show(
        call,
        asked.message,
        name,
        asked.challenge.index,
        param,
        note,
    )
}

/// Credentials as proof, with the value of one parameter marked.
pub fn show_credentials(
    call: &Call,
    message: usize,
    credentials: &Credentials,
    param: &str,
    note: Note,
) -> Option<Evidence> {
    let name = credentials_header(credentials.proxy);
    show(call, message, name, credentials.index, param, note)
}

fn show(
    call: &Call,
    message: usize,
    name: &'static str,
    index: usize,
    param: &str,
    note: Note,
) -> Option<Evidence> {
    let stored = call.messages.get(message)?;
    let header = stored.message().all(name).nth(index)?;
    let mark = param_of(stored, header, param).unwrap_or(header.value);
    Some(Evidence::of_header(message, header, mark, note))
}

fn param_of(stored: &Stored, header: Header, param: &str) -> Option<Span> {
    let span = params::auth_value(header.value.of(&stored.raw), param)?;
    let span = span.shifted(header.value.start as usize);
    Some(span).filter(|span| !span.is_empty())
}

/// How old a nonce was when a message answered it, nanoseconds; over all calls.
pub fn age(context: &Context<'_>, nonce: &str, at: &Stored) -> Option<i64> {
    let minted = context.view.nonces.of(nonce)?.minted?.at?;
    Some(at.time()? - minted).filter(|age| *age >= 0)
}
