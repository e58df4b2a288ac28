//! What an entry, its parties, its end and who has to act are called.

use super::escape::clean;
use super::ladder;
use crate::diagnose::Acts;
use crate::lang::Lang;
use crate::message::Method;
use crate::message::uri::Uri;
use crate::report::totals::method_name;
use crate::session::{Call, Outcome, Spot, Stored, outcome};

/// Failures inside the call that decide nothing: of a re-INVITE, a BYE, a CANCEL, ...
pub(super) fn refused_inside(call: &Call) -> impl Iterator<Item = (usize, &Stored)> {
    let left =
        call.finals.iter().enumerate().filter(|(index, f)| {
            f.code >= 300 && f.step.is_none() && call.decided_by != Some(*index)
        });
    left.filter_map(|(_, f)| Some((f.message, call.messages.get(f.message)?)))
}

// What is known of answers to INVITE is about the first one of a call.
pub(super) fn changes_a_call(call: &Call, answer: &Stored) -> bool {
    let asked = call.asked(answer);
    answer.head.method == Method::Invite && asked.is_some_and(|(_, m)| !m.is_initial())
}

/// Is it the refusal of a hang-up, and no other one was taken? To 481 the other side knows no call.
pub(super) fn leaves_the_other(call: &Call, answer: &Stored) -> bool {
    let refused =
        answer.head.method == Method::Bye && !matches!(answer.head.code(), Some(401 | 407 | 481));
    let taken = |m: &Stored| {
        m.head.method == Method::Bye && m.head.code().is_some_and(|code| (200..300).contains(&code))
    };
    refused && !call.messages.iter().any(taken)
}

/// Is it the refusal of a hang-up in a call whose answer was never acknowledged, so that it was over for
/// one side only?
pub(super) fn is_untaken(call: &Call, answer: &Stored) -> bool {
    answer.head.method == Method::Bye && outcome::unacknowledged(call).is_some()
}

pub(super) fn inside(stored: &Stored, general: bool, lang: &Lang) -> String {
    let message = stored.message();
    let (code, method) = (stored.head.code().unwrap_or(0), message.method_name());
    let reason = message
        .reason()
        .map(|span| message.slice(span))
        .unwrap_or_default();
    let place = ladder::place(stored, lang);
    let said = format!(
        "{place}: {method} (CSeq {}), {code} {reason}",
        stored.cseq()
    );
    match general {
        true => format!("{said}: {}", lang.explain(code, &method, &reason).meaning),
        false => said,
    }
}

pub(super) fn decided(call: &Call) -> String {
    call.code()
        .map_or_else(|| "no answer".to_owned(), |code| code.to_string())
}

/// What an entry is called.
pub(in crate::report) fn noun(call: &Call, lang: &Lang) -> String {
    match call.method {
        Method::Invite => lang.word("call").into_owned(),
        Method::Register => lang.word("registration").into_owned(),
        _ => match clean(&method_name(call)) {
            name if name.is_empty() => lang.word("answers without request").into_owned(),
            name => name,
        },
    }
}

/// `registration 1  200 (REGISTER)`: a message of another entry.
pub(in crate::report) fn elsewhere(spot: &Spot, lang: &Lang) -> String {
    match spot.call {
        0 => what(spot),
        number => format!("{} {number}  {}", begun_by(spot.of, lang), what(spot)),
    }
}

/// `call`, `registration`, or the method of what is neither.
pub(in crate::report) fn begun_by(method: Method, lang: &Lang) -> String {
    match method {
        Method::Invite => lang.word("call").into_owned(),
        Method::Register => lang.word("registration").into_owned(),
        other => other.to_string(),
    }
}

/// `REGISTER`, or `200 (REGISTER)`.
pub(in crate::report) fn what(spot: &Spot) -> String {
    match spot.code {
        0 => spot.method.to_string(),
        code => format!("{code} ({})", spot.method),
    }
}

/// `bob -> alice`, with what a person would call each.
pub(in crate::report) fn parties(call: &Call, lang: &Lang) -> String {
    let name = |uri: Option<String>| {
        let uri = uri?;
        let user = Uri::parse(uri.as_bytes())
            .map(|parsed| parsed.number())
            .filter(|user| !user.is_empty());
        Some(user.unwrap_or(uri))
    };
    let (from, to) = (name(call.from()), name(call.to()));
    let known = |name: Option<String>| name.unwrap_or_else(|| lang.word("unknown").into_owned());
    match call.method {
        Method::Register => known(to),
        _ => format!("{} -> {}", known(from), known(to)),
    }
}

/// What came of it, in a few words.
pub(in crate::report) fn result(call: &Call, lang: &Lang) -> String {
    let phrase = call.deciding().map(|answer| {
        let reason = answer
            .message()
            .reason()
            .map(|span| answer.message().slice(span))
            .unwrap_or_default();
        format!("{} {}", call.code().unwrap_or(0), reason)
            .trim_end()
            .to_owned()
    });
    let result = match (call.outcome, phrase) {
        (Outcome::Unfinished, _) => lang.word("not finished in this capture").into_owned(),
        (Outcome::Cancelled, Some(phrase)) => format!("{}, {phrase}", lang.word("cancelled")),
        (Outcome::Cancelled, None) => lang.word("cancelled").into_owned(),
        (Outcome::TimedOut, _) => lang.word("no final answer").into_owned(),
        (Outcome::Failed, Some(phrase)) if call.code().is_some_and(|code| code < 300) => {
            let lost = match call.method {
                Method::Invite => "never acknowledged",
                _ => "which its sender did not take",
            };
            format!("{phrase}, {}", lang.word(lost))
        }
        (_, Some(phrase)) => phrase,
        (outcome, None) => lang.word(outcome.word()).into_owned(),
    };
    let tries = call.cseqs.len();
    if tries > 1 {
        lang.say(
            "{result} after {tries} tries",
            &[("result", result), ("tries", tries.to_string())],
        )
    } else {
        result
    }
}

// Nobody calls in a registration, a subscription or a ping.
pub(super) fn acts(acts: Acts, method: Method) -> &'static str {
    match acts {
        Acts::Caller if method != Method::Invite => "client: whoever runs the side that asks",
        Acts::Callee if method != Method::Invite => "server: whoever runs the side that was asked",
        Acts::Caller => "caller: whoever runs the calling side",
        Acts::Callee => "callee: whoever runs the called side",
        Acts::Proxy => "proxy: whoever runs it",
        Acts::Registrar => "registrar: whoever runs it",
        Acts::Carrier => "carrier: whoever the call was handed to",
        Acts::Network => "network: whoever runs the path between the two addresses",
        Acts::Capture => "capture: whoever records",
        Acts::Operator => "operator: whoever runs this system",
        Acts::Nobody => "nobody: nothing is broken",
    }
}
