//! T3: the next hop took the call over with 100 and then nothing came.

use super::super::address::is_misspelt;
use super::super::finding::{Evidence, Template, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Method, lossy, span};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored, Transaction, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "trying-then-silence",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time],
    codes: &[408, 480, 487, 500, 503, 504],
    rfc: &[(3261, "17.2.1"), (3261, "16.2"), (3261, "13.3.1.1")],
    title: "{element} took the call over and then fell silent",
    why: "{element} answered 100 and then nothing for {silence}: the way to it is fine, and what it does with the call, or whoever stands behind it, hangs",
    fix: "Ask whoever runs {element} what it did with the call at that second (its log, by Call-ID): a next server that does not answer, a DNS or database look-up that hangs, a script that waits, or a push message that should wake a phone. Let it answer 408, 480 or 503 in time, so that the caller can try elsewhere.",
    sentences: &[
        (
            "why-kept",
            "{element} answered 100, never handed the call on, though what it exchanges with others is in the capture, and then gave no answer for {silence}: the call hangs in {element} itself",
        ),
        (
            "fix-kept",
            "Look at the log of {element} at that second for this Call-ID: a DNS, database or policy look-up that hangs, a script or dial plan that waits, or a call that was taken over and forgotten.",
        ),
        (
            "fix-late",
            "Ask whoever runs {element} what it did with the call at that second (its log, by Call-ID): a next server that does not answer, a DNS or database look-up that hangs, a script that waits, or a push message that should wake a phone. It answered {code} only {late} after its 100: let it give up sooner than callers do, so that they can try elsewhere.",
        ),
        ("late", "its final answer, after that"),
        ("sent", "the call as it was handed to {element}"),
        (
            "trying",
            "taken over; this only says that the next hop is alive",
        ),
        ("silence", "nothing rang and nothing was refused"),
        ("gave-up", "{asker} gives up"),
        (
            "unchanged",
            "in_uri and out_uri are the same: the script of {element} put no gateway and no contact in, it sent the call on to the domain as it was dialled",
        ),
        (
            "misspelt",
            "nearly the domain that is dialled, {dialled}: most likely misspelt in the account of the caller, and then one that {element} does not know as its own",
        ),
    ],
    explains: &["caller-abandoned", "no-answer-timeout", "408-origin"],
    confirm: "a capture of what {element} sends on behind it, or its log for this Call-ID",
    check,
    ..Rule::PLAIN
};

/// A slow network has begun to ring by then, nanoseconds.
const LONG: i64 = 20 * SECOND;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let open = matches!(
        call.outcome,
        Outcome::Cancelled | Outcome::TimedOut | Outcome::Unfinished
    ) || matches!(call.code(), Some(408 | 480 | 487 | 500 | 503 | 504));
    if call.method != Method::Invite || !open || call.outcome == Outcome::Succeeded {
        return;
    }
    // Anything but 100 is a sign of the called side.
    let told = |m: &Stored| m.head.code().is_some_and(|code| (101..300).contains(&code));
    if call
        .messages
        .iter()
        .any(|m| told(m) && call.is_of_beginning(m))
    {
        return;
    }
    let Some((asked, request, trying_at, trying, transaction)) = deepest(call) else {
        return;
    };
    let Some(from) = trying.time() else { return };
    let end = end(call, transaction);
    let Some(until) = end.and_then(|(_, m)| m.time()).or(call.seen_until) else {
        return;
    };
    // Its own final answer is another matter: who gave it waited for somebody.
    let answered = end
        .is_some_and(|(_, m)| !m.head.is_request() && m.stamp.sender().is(trying.stamp.sender()));
    if until - from < LONG || answered {
        return;
    }
    let kept = call.seen_behind(trying) && call.handed_on(trying).next().is_none();
    let confidence = if kept {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let confidence = if found.has("capture-one-sided") {
        Confidence::Possible
    } else {
        confidence
    };
    let role = match call.outcome {
        Outcome::Unfinished => Role::Contributing,
        _ => Role::Cause,
    };
    let Some(finding) = found.add_as(role, confidence, Acts::Proxy) else {
        return;
    };
    finding.element(sender(trying)).args(
        Args::new()
            .text("asker", sender(request))
            .duration("silence", until - from),
    );
    let late = late(call, transaction, until);
    if kept {
        finding.why("why-kept").fix("fix-kept");
    } else if let Some((_, answer)) = late {
        let late = answer.time().map_or(0, |at| at - from);
        let code = answer.head.code().unwrap_or(408);
        finding
            .fix("fix-late")
            .args(Args::new().duration("late", late).code("code", code));
    }
    finding.proof(Evidence::start_line(asked, request, note("sent")));
    finding.proofs([misspelt(asked, request)]);
    finding.proof(Evidence::start_line(trying_at, trying, note("trying")));
    finding.proofs([unchanged((trying_at, trying))]);
    finding.proof(Evidence::Absence {
        message: asked,
        from,
        until,
        note: note("silence"),
    });
    if let Some((at, last)) = end {
        finding.proof(Evidence::start_line(at, last, note("gave-up")));
    }
    finding.proofs([late.map(|(at, answer)| Evidence::start_line(at, answer, note("late")))]);
}

// SER and its descendants can tell the address before and after their script in a Warning.
fn unchanged((at, answer): (usize, &Stored)) -> Option<Evidence> {
    let header = answer.message().header("Warning")?;
    let text = lossy(header.value.of(&answer.raw));
    let uri = |name: &str| text.split_once(name)?.1.split_whitespace().next();
    let (before, after) = (uri("in_uri=")?, uri("out_uri=")?);
    (before == after).then(|| Evidence::header(at, answer, "Warning", note("unchanged")))
}

// The domain of the caller, where it is that of the one called but for a slip.
fn misspelt(at: usize, request: &Stored) -> Option<Evidence> {
    let message = request.message();
    let dialled = Uri::parse(message.request_uri()?.of(&request.raw))?;
    let from = message.header("From")?;
    let own = Uri::parse(addr_spec(from.value.of(&request.raw)))?;
    let dialled = lossy(dialled.host);
    let args = Args::new().text("dialled", dialled.clone());
    is_misspelt(&lossy(own.host), &dialled).then(|| {
        let mark = span::span_in(&request.raw, own.host);
        Evidence::of_header(at, from, mark, Template::new("misspelt", args))
    })
}

// Its own final answer after the caller had given up; a 487 is only what the CANCEL asks for.
fn late<'a>(call: &'a Call, transaction: &Transaction, until: i64) -> Option<(usize, &'a Stored)> {
    let finals = transaction.finals.iter();
    let mut found = finals.filter_map(|&at| Some((at, call.messages.get(at)?)));
    found.find(|(_, m)| m.head.code() != Some(487) && m.time().is_some_and(|at| at > until))
}

type Taken<'a> = (usize, &'a Stored, usize, &'a Stored, &'a Transaction);

// The hop furthest from the caller on which the INVITE was taken over: request and first 100.
fn deepest(call: &Call) -> Option<Taken<'_>> {
    let of_beginning = call.transactions().iter().filter_map(|t| {
        let asked = t.request()?;
        let request = call.messages.get(asked)?;
        (t.method == Method::Invite && call.is_of_beginning(request)).then_some((asked, request, t))
    });
    // Somebody further on who never answered is the cause then, not who waits for him.
    let (asked, request, transaction) =
        of_beginning.max_by_key(|(asked, m, _)| (m.head.vias, *asked))?;
    let trying_at = *transaction.provisionals.first()?;
    let trying = call.messages.get(trying_at)?;
    Some((asked, request, trying_at, trying, transaction))
}

// What ended the waiting: the CANCEL on that hop, the caller's, or the answer to the caller.
fn end<'a>(call: &'a Call, transaction: &Transaction) -> Option<(usize, &'a Stored)> {
    let on_hop = call.cancels().into_iter().find(|cancel| {
        cancel
            .invite
            .is_some_and(|invite| std::ptr::eq(invite, transaction))
    });
    let find = |wanted: &Stored| call.originals().find(|(_, m)| std::ptr::eq(*m, wanted));
    on_hop
        .map(|cancel| (cancel.index, cancel.message))
        .or_else(|| outcome::callers_cancel(call).and_then(find))
        .or_else(|| super::super::finding::deciding(call))
}
