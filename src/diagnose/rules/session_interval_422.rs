//! T10: the session interval was refused as too short, and no longer one was tried.

use super::super::blame::acts_of_sender;
use super::super::finding::{Evidence, Finding, Value, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Product, Role, Rule, Severity,
};
use crate::message::field::Field;
use crate::message::header::Header;
use crate::session::refresh::seconds;
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "session-interval-422",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[422],
    rfc: &[(4028, "6"), (4028, "7.3"), (4028, "5")],
    title: "the session interval is too short for {server}",
    why: "{server} refused a session interval of {asked} s: it takes {least} s and more (Min-SE), and {element} did not ask again with that",
    fix: "Raise the session interval at {element} to {least} s or more (1800 s is usual), or switch session timers off there. A client that knows RFC 4028 asks again by itself with the Min-SE of the 422.",
    sentences: &[
        (
            "why-again",
            "{server} refused a session interval of {asked} s: it takes {least} s and more (Min-SE), and {element} had been told so and asked for too little again",
        ),
        (
            "why-missing",
            "{server} refused the session interval with 422 and does not say which one it takes: the Min-SE that a 422 must have is missing, so {element} cannot ask for the right one",
        ),
        (
            "fix-missing",
            "Let {server} send Min-SE in its 422 (RFC 4028 §6). Until it does, raise the session interval at {element} to 1800 s, or switch session timers off there.",
        ),
        ("asked", "what was asked for"),
        ("least", "the least that is taken"),
        ("answer", "no Min-SE is in it"),
        (
            "request",
            "the request; a proxy may have added the interval",
        ),
    ],
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk: `timers_sess_expires=1800` on the endpoint, or `timers=no`.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH: `session-timeout` in the profile, or `enable-timer` set to false.",
        ),
    ],
    explains: &["refresh-rejected", "mandatory-header-missing"],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let open = |f: &&crate::session::Final| f.code == 422 && f.step.is_none();
    let Some(refusal) = call.finals.iter().find(open) else {
        return;
    };
    let decided = call.code() == Some(422);
    let index = match call.decided_by.filter(|_| decided) {
        Some(decided) => call
            .finals
            .get(call.original_of(decided))
            .map(|f| f.message),
        None => Some(refusal.message),
    };
    let Some((index, answer)) = index.and_then(|i| Some((i, call.messages.get(i)?))) else {
        return;
    };
    let request = call.transaction_of(index).and_then(|t| t.request());
    let Some((at, request)) = request.and_then(|at| Some((at, call.messages.get(at)?))) else {
        return;
    };
    let least = call.fields(index).first(Field::MinSe);
    let acts = match least {
        Some(_) => acts_of_sender(call, request),
        None => Acts::Callee,
    };
    let (severity, role) = match decided {
        true => (Severity::Error, Role::Cause),
        false => (Severity::Warning, Role::Contributing),
    };
    if let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) {
        tell(call, (at, request), (index, answer), least, finding);
    }
}

fn tell(
    call: &Call,
    (at, request): (usize, &Stored),
    (index, answer): (usize, &Stored),
    least: Option<Header>,
    finding: &mut Finding,
) {
    let wanted = call.fields(at).first(Field::SessionExpires);
    let number = |header: Option<Header>, raw: &[u8]| {
        let value = header.and_then(|header| seconds(header.value.of(raw)));
        value.map_or(Value::Said("not told"), |seconds| {
            seconds.to_string().into()
        })
    };
    finding.element(sender(request)).args(
        Args::new()
            .text("server", sender(answer))
            .with("asked", number(wanted, &request.raw))
            .with("least", number(least, &answer.raw)),
    );
    let told_before = call
        .originals()
        .any(|(before, m)| before < at && m.head.code() == Some(422));
    match (least, told_before) {
        (None, _) => drop(finding.why("why-missing").fix("fix-missing")),
        (Some(_), true) => drop(finding.why("why-again")),
        (Some(_), false) => {}
    }
    finding.proof(match wanted {
        Some(header) => Evidence::of_header(at, header, header.value, note("asked")),
        None => Evidence::start_line(at, request, note("request")),
    });
    finding.proof(match least {
        Some(header) => Evidence::of_header(index, header, header.value, note("least")),
        None => Evidence::start_line(index, answer, note("answer")),
    });
}
