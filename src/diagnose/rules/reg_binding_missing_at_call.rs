//! R6: the callee was not registered when the call came.

use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::{
    Across, Acts, Args, Confidence, Context, Findings, Frequency, Ledger, Need, Rule, Severity,
};
use crate::message::uri::Uri;
use crate::message::{Method, lossy};
use crate::session::clock::SECOND;
use crate::session::registrations::{Attempt, Registration};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-binding-missing-at-call",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses],
    codes: &[404, 410, 480, 603],
    rfc: &[(3261, "10.3"), (3261, "21.4.18")],
    title: "{aor} was not registered when the call came",
    why: "the registration of {aor} ran out {since} before the call, after {granted} s, and was not renewed: {element} knows of no device to ring and answered {code}",
    fix: "Find out at the device of {aor} why it did not renew its registration: switched off, without network, or its REGISTERs are lost on the way. A shorter registration expiry makes such gaps shorter.",
    sentences: &[
        (
            "why-removed",
            "the device of {aor} signed off {since} before the call (REGISTER with expires=0): {element} knows of no device to ring and answered {code}",
        ),
        (
            "fix-removed",
            "Ask the user of {aor}: the device was switched off, restarted or signed off by hand. If it did so by itself, look in its log; some devices sign off whenever the network changes.",
        ),
        (
            "why-refused",
            "the last REGISTER for {aor} was refused with {refused} {since} before the call: no device is registered, and {element} answered {code}",
        ),
        (
            "fix-refused",
            "Mend the registration of {aor} first; its own entry in this report says why it was refused.",
        ),
        (
            "why-unanswered",
            "the last REGISTER for {aor} was never answered, {since} before the call: no device is registered, and {element} answered {code}",
        ),
        (
            "fix-unanswered",
            "Mend the registration of {aor} first: its own entry in this report says where its REGISTER is lost.",
        ),
        (
            "why-later",
            "{element} answered {code} at once to a call for {aor}, and {after} later {aor} registered there, for the first time in this capture: when the call came, {element} knew of no device to ring",
        ),
        (
            "fix-later",
            "Try the call again now that the device is registered. If it was only starting, nothing is broken; if it should have been registered before, find out why it was not: switched off, without network, or restarted.",
        ),
        ("refused", "the call for {aor} is refused"),
        ("registered", "{aor} registers after that"),
        ("called", "the call for {aor}"),
        ("answer", "no device to ring"),
    ],
    explains: &[
        "dest-unavailable-480",
        "dest-not-found",
        "dest-gone-or-changed",
    ],
    confirm: "the list of registrations at {element} at that time",
    check,
    across,
    ..Rule::PLAIN
};

/// What registers later than this was away for another reason, nanoseconds.
const SOON: i64 = 60 * SECOND;
/// Names that are told of.
const MOST: usize = 16;

fn across(ledger: &Ledger, found: &mut Across) {
    let later = ledger.registered_later().into_iter();
    for (call, registered, after) in later.filter(|(.., after)| *after <= SOON).take(MOST) {
        let Some(told) = found.add(Confidence::Likely, Acts::Callee) else {
            return;
        };
        let own = &mut told.finding;
        own.element(call.server.to_string());
        own.why("why-later").fix("fix-later");
        own.severity = Severity::Warning;
        own.args(
            Args::new()
                .text("aor", call.aor.clone())
                .code("code", call.code)
                .duration("after", after),
        );
        told.count = 1;
        told.times = Some((call.at, call.at));
        let exhibits = [(&call.answer, "refused"), (registered, "registered")];
        told.exhibits
            .extend(exhibits.map(|(exhibit, id)| (exhibit.clone(), note(id))));
    }
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if !matches!(call.method, Method::Invite | Method::Message) {
        return;
    }
    // Where something rang, somebody was registered.
    let rang = call.ringing().is_some_and(|m| m.head.rings());
    if !matches!(call.code(), Some(404 | 410 | 480)) || rang {
        return;
    }
    let Some((index, answer)) = deciding(call) else {
        return;
    };
    let Some(request) = call.request() else {
        return;
    };
    let (Some(time), Some(known)) = (request.time(), registration(call, context, answer)) else {
        return;
    };
    let Some(last) = known.before(time).filter(|last| last.until <= time) else {
        return;
    };
    // Where another server answers than the one where the device registers, it may ask elsewhere.
    let registrar = known.registrar.map(|at| at.ip());
    let same = registrar.is_some() && registrar == answer.stamp.source.map(|at| at.ip());
    let (why, fix) = kind(last);
    let confidence = match (why, same) {
        ("why-removed", true) => Confidence::Certain,
        (_, true) => Confidence::Likely,
        (_, false) => Confidence::Possible,
    };
    let Some(finding) = found.add(confidence, Acts::Callee) else {
        return;
    };
    let since = match why {
        "why" => time - last.until,
        _ => time - last.at,
    };
    finding.why(why).fix(fix).element(sender(answer)).args(
        Args::new()
            .text("aor", known.aor.clone())
            .code("code", call.code().unwrap_or(480))
            .code("refused", last.code)
            .text("granted", last.granted.to_string())
            .duration("since", since),
    );
    let position = call.messages.iter().position(|m| std::ptr::eq(m, request));
    if let Some(at) = position {
        let called = Template::new("called", Args::new().text("aor", known.aor.clone()));
        finding.proof(Evidence::start_line(at, request, called));
    }
    finding.proof(Evidence::start_line(index, answer, note("answer")));
    finding.elsewhere(Some(last.spot), "elsewhere-register");
}

fn kind(last: &Attempt) -> (&'static str, &'static str) {
    match last.code {
        _ if last.is_removal() => ("why-removed", "fix-removed"),
        0 => ("why-unanswered", "fix-unanswered"),
        200..=299 => ("why", "fix"),
        _ => ("why-refused", "fix-refused"),
    }
}

/// The registration of the one called: by Request-URI, by To, or by the user at the server that answered.
pub(super) fn registration<'v>(
    call: &Call,
    context: &Context<'v>,
    answer: &Stored,
) -> Option<&'v Registration> {
    if context.view.registrations().is_empty() {
        return None;
    }
    let uri = call.request_uri();
    let of_uri = uri
        .as_deref()
        .and_then(|uri| context.view.registration(uri));
    let of_to = || context.view.registration(&call.to()?);
    let of_user = || {
        let user = lossy(Uri::parse(uri.as_deref()?.as_bytes())?.user);
        let at = answer.stamp.source?.ip();
        let known = (!user.is_empty()).then_some(user)?;
        context.view.registrations().of_user(&known, at)
    };
    of_uri.or_else(of_to).or_else(of_user)
}
