//! Why a call has no root cause, what would decide it, and what the trace does not show.

use super::rules::redirect_not_followed::ends_too_soon;
use super::{Args, Finding, Need, Template, details, finding};
use crate::knowledge;
use crate::layers::Transport;
use crate::message::Flaw;
use crate::session::{Call, CopyKind, Outcome, Stored};

/// Why a call has no root cause, and what would decide it; both are template ids of [`UNDETERMINED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undetermined {
    /// Why the trace does not say.
    pub why: Template,
    /// What would help.
    pub would_help: Template,
    /// What rules need and the trace does not show.
    pub missing: Vec<Need>,
}

impl Undetermined {
    /// Are messages of the call not as they were sent, so that what a code means in general says
    /// nothing of it?
    pub fn is_damaged(&self) -> bool {
        self.why.id == "damaged-why"
    }

    /// Why nobody can be held to account for it, a sentence of [`super::blame::GROUNDS`]: it is a
    /// silence that may be one of the capture only, or messages are not as they were sent.
    pub(super) fn not_shown(&self) -> Option<&'static str> {
        match self.why.id {
            "silence-why" | "once-why" | "untimed-silence-why" => Some("not-shown"),
            "damaged-why" => Some("damaged"),
            _ => None,
        }
    }
}

/// Sentences for calls that no rule explains, by id.
pub const UNDETERMINED: &[(&str, &str)] = &[
    (
        "silence-why",
        "nothing answered, and the capture does not show whether answers towards {element} could have been seen",
    ),
    (
        "silence-help",
        "a capture of both directions at {element}, or one at the other end of that hop",
    ),
    (
        "once-why",
        "the request was sent once and not repeated, although a sender repeats what nobody answers over UDP: either an answer came that is not in the capture, or {element} stopped early",
    ),
    (
        "damaged-why",
        "bytes of this call were changed after they were sent, so what happened without that is not known",
    ),
    (
        "damaged-help",
        "the original file, or another capture of the same traffic",
    ),
    ("once-help", "the log of {element}, or a capture made on it"),
    (
        "trying-why",
        "the request was taken over with a provisional answer and then nothing final came; what happened behind {element} is not in the capture",
    ),
    (
        "trying-help",
        "a capture or log of {element} and of the hop behind it",
    ),
    (
        "details-why",
        "{code} came from {element}, and what it says beside the code (shown here) is all that the trace has on the cause",
    ),
    (
        "phrase-why",
        "{code} came from {element} with the words \"{phrase}\", which are all that the trace has on the cause",
    ),
    (
        "waited-why",
        "{element} gave up waiting for {behind}, which had been asked and gave no final answer in time",
    ),
    (
        "waited-help",
        "the ring and answer timers of {element}, and what {behind} did with the request",
    ),
    (
        "code-why",
        "{code} came from {element} and neither it nor the trace before it says more about the cause",
    ),
    (
        "code-help",
        "the log of {element} for this Call-ID, or a capture of the hop behind it",
    ),
    (
        "timeout-why",
        "{element} gave up waiting for somebody behind it, who is not in the capture",
    ),
    (
        "timeout-unknown-why",
        "{element} gave up waiting, and the log does not show whom it had asked",
    ),
    (
        "timeout-help",
        "a capture of the hop behind {element}, where the request was sent on",
    ),
    (
        "redirect-why",
        "{element} redirected the request and nobody sent it to the new address",
    ),
    (
        "redirect-help",
        "the log of the element that received the redirection; many trunks and gateways do not follow one",
    ),
    (
        "redirect-cut-why",
        "{element} redirected the request and the capture ends right after that, so whether it was sent to the new address is not recorded",
    ),
    (
        "redirect-cut-help",
        "a capture that goes on for at least 5 seconds after the {code}",
    ),
    (
        "untimed-silence-why",
        "no final answer is in the log, and without times it cannot be told whether one was still to come",
    ),
    (
        "untimed-challenge-why",
        "{element} asked for credentials and no request with them is in the log; without times it cannot be told whether one was still to come",
    ),
    (
        "untimed-acknowledgement-why",
        "{element} repeated its {code}, {copies} in all, and no ACK is in the log; without times it cannot be told whether it gave up",
    ),
    (
        "untimed-redirect-why",
        "{element} redirected the request and no request to the new address is in the log; without times it cannot be told whether one was still to come",
    ),
    ("untimed-help", "the same log with times, or a capture"),
];

/// The sentence of [`UNDETERMINED`] with this id.
pub fn sentence(id: &str) -> Option<&'static str> {
    let known = UNDETERMINED.iter().find(|(known, _)| *known == id);
    known.map(|(_, text)| *text)
}

/// Why a call that no rule explains has no root cause; none where it needs none.
pub(super) fn of(call: &Call, findings: &[Finding]) -> Option<Undetermined> {
    let failed = call.outcome.is_negative();
    let (why, would_help) = match failed {
        true => of_failure(call)?,
        false => untimed(call)?,
    };
    Some(Undetermined {
        why,
        would_help,
        missing: missing(call, findings),
    })
}

fn of_failure(call: &Call) -> Option<(Template, Template)> {
    if call.flaws().has(Flaw::Damaged) {
        let plain = |id| Template::new(id, Args::new());
        return Some((plain("damaged-why"), plain("damaged-help")));
    }
    let mut args = Args::new().code("code", call.code().unwrap_or(0));
    let (why, would_help, element) = match (call.deciding(), call.code()) {
        (Some(answer), Some(300..=399)) if answer.time().is_none() => (
            "untimed-redirect-why",
            "untimed-help",
            finding::sender(answer),
        ),
        (Some(answer), Some(300..=399)) if ends_too_soon(call, answer) => (
            "redirect-cut-why",
            "redirect-cut-help",
            finding::sender(answer),
        ),
        (Some(answer), Some(300..=399)) => {
            ("redirect-why", "redirect-help", finding::sender(answer))
        }
        (Some(answer), Some(408 | 504)) => match asked_behind(call, answer) {
            Some(behind) => {
                args = args.text("behind", finding::receiver(behind));
                ("waited-why", "waited-help", finding::sender(answer))
            }
            None if !answer.stamp.sender().is_known() => (
                "timeout-unknown-why",
                "timeout-help",
                finding::sender(answer),
            ),
            None => ("timeout-why", "timeout-help", finding::sender(answer)),
        },
        (Some(answer), _) if !details::of(answer).is_empty() => {
            ("details-why", "code-help", finding::sender(answer))
        }
        (Some(answer), _) => match own_words(answer) {
            Some(words) => {
                args = args.text("phrase", words);
                ("phrase-why", "code-help", finding::sender(answer))
            }
            None => ("code-why", "code-help", finding::sender(answer)),
        },
        (None, _) => match call
            .messages
            .iter()
            .find(|m| m.head.code().is_some_and(|code| code < 200))
        {
            Some(sign) => ("trying-why", "trying-help", finding::sender(sign)),
            None if sent_once(call) => ("once-why", "once-help", finding::sender(call.request()?)),
            None => (
                "silence-why",
                "silence-help",
                finding::sender(call.request()?),
            ),
        },
    };
    let args = args.text("element", element);
    Some((
        Template::new(why, args.clone()),
        Template::new(would_help, args),
    ))
}

// The reason phrase, where it is not the one that the code comes with anyway.
fn own_words(answer: &Stored) -> Option<String> {
    const LONGEST: usize = 120;
    let code = answer.head.code()?;
    let phrase = answer.message().slice(answer.message().reason()?);
    let phrase = phrase.trim();
    // Many write "Internal Server Error" as in HTTP.
    let words = |text: &str| {
        let text = text.to_ascii_lowercase();
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    let usual = knowledge::code(code).is_some_and(|known| words(&known.title) == words(phrase));
    (!usual && !phrase.is_empty()).then(|| phrase.chars().take(LONGEST).collect())
}

// Of a call that may or may not be over, because the log has no times.
fn untimed(call: &Call) -> Option<(Template, Template)> {
    if has_times(call) || call.outcome != Outcome::Unfinished || !call.has_beginning() {
        return None;
    }
    let last = call.finals.iter().rfind(|answer| answer.step.is_none());
    let stored = last.and_then(|answer| call.messages.get(answer.message));
    let args = Args::new();
    let (why, args) = match (stored, last.map(|answer| answer.code)) {
        (Some(answer), Some(401 | 407)) if !tried_again(call, answer) => (
            "untimed-challenge-why",
            args.text("element", finding::sender(answer)),
        ),
        (Some(answer), Some(code @ 200..=299)) => (
            "untimed-acknowledgement-why",
            args.text("element", finding::sender(answer))
                .code("code", code)
                .count("copies", last.map_or(0, |answer| answer.repeats.len() + 1)),
        ),
        _ => ("untimed-silence-why", args),
    };
    let help = Template::new("untimed-help", Args::new());
    Some((Template::new(why, args), help))
}

// Is a further request of the beginning there, of which the log may hold too little to show its
// credentials?
fn tried_again(call: &Call, challenge: &Stored) -> bool {
    call.originals()
        .any(|(_, m)| m.head.is_request() && call.is_of_beginning(m) && m.cseq() > challenge.cseq())
}

fn has_times(call: &Call) -> bool {
    call.first().is_some_and(|first| first.time().is_some())
}

// What a rule may need, in the order in which reports list it.
fn missing(call: &Call, findings: &[Finding]) -> Vec<Need> {
    let mut requests = call.originals().filter(|(_, m)| m.head.is_request());
    let named = requests.all(|(_, m)| m.stamp.sender().is_known() && m.stamp.receiver().is_known());
    let one_sided = findings.iter().any(|f| f.rule.id == "capture-one-sided");
    let shown = [
        (Need::Time, has_times(call)),
        (Need::Addresses, named),
        (Need::BothDirections, !one_sided),
    ];
    let missing = shown.into_iter().filter(|(_, shown)| !shown);
    missing.map(|(need, _)| need).collect()
}

fn sent_once(call: &Call) -> bool {
    let is_copy = |m: &&Stored| {
        m.copy
            .is_some_and(|copy| copy.kind == CopyKind::Retransmission)
    };
    call.request().is_some_and(|request| {
        request.stamp.transport == Some(Transport::Udp)
            && !call
                .messages
                .iter()
                .filter(is_copy)
                .any(|m| m.head.is_request())
    })
}

// The request as the sender of the answer handed it on.
fn asked_behind<'a>(call: &'a Call, answer: &Stored) -> Option<&'a Stored> {
    let sender = answer.stamp.sender();
    let mut requests = call.messages.iter().filter(|m| m.head.is_request());
    requests.find(|m| m.stamp.sender().is(sender) && call.is_of_beginning(m))
}
