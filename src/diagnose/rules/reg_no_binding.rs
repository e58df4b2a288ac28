//! R3: the registrar says 200 OK and the device is not registered.

use super::super::finding::{Evidence, Template, Value, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::field::Field;
use crate::message::typed::{self, Binding};
use crate::message::uri::{Uri, addr_spec};
use crate::message::{Method, header, lossy};
use crate::session::registrations::{asked, attempt};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-no-binding",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[(3261, "10.2.4"), (3261, "10.3")],
    title: "200 OK, but {contact} is not registered",
    why: "the device asked {element} to register {contact}, and the 200 OK lists no Contact at all: a registrar lists every binding that it holds, so it holds none for {aor}, and calls to it will not find the device",
    fix: "Check with the operator of {element} whether {aor} is registered there after this request. If it is not, something on the way took the Contact out, or {element} is no registrar for this domain and only says yes; if it is, {element} should list its bindings in the 200 OK.",
    sentences: &[
        (
            "why-removed",
            "the device asked {element} to register {contact} for {asked} s, and the 200 OK lists it with expires=0: {element} removed it",
        ),
        (
            "fix-removed",
            "Ask the operator of {element} why the binding is removed at once: a limit of the account, or another registration that takes its place.",
        ),
        (
            "why-others",
            "the device asked {element} to register {contact}, and the 200 OK lists other addresses only ({listed}): calls to {aor} go there and not to this device",
        ),
        (
            "fix-others",
            "Ask the operator of {element} how many devices the account may register; if it is one, switch the other one off or take another account. If the listed address belongs to a session border controller in between, nothing is broken.",
        ),
        ("asked", "to be registered"),
        ("missing", "the answer, without any Contact"),
        ("listed", "what is registered instead"),
        ("zero", "expires=0: no longer registered"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Register || call.outcome != Outcome::Succeeded {
        return;
    }
    let Some((at, answer)) = deciding(call) else {
        return;
    };
    let Some(asked_at) = request_of(call, answer) else {
        return;
    };
    if is_plainly_listed(call, asked_at, at) {
        return;
    }
    let Some(request) = call.messages.get(asked_at) else {
        return;
    };
    let Some(own) = typed::bindings(request.message()).into_iter().next() else {
        return;
    };
    let removal = own.uri == "*" || asked(request) == Some(0);
    if removal
        || is_third_party(request)
        || answer.head.flaws.has(crate::message::Flaw::CutByCapture)
    {
        return;
    }
    let listed = typed::bindings(answer.message());
    let is_own = |of: &&Binding| of.uri.eq_ignore_ascii_case(&own.uri);
    let (confidence, why, fix) = match listed.iter().find(is_own) {
        Some(of) if of.expires == Some(0) => (Confidence::Certain, "why-removed", "fix-removed"),
        Some(_) => return,
        None if listed.is_empty() => (Confidence::Likely, "why", "fix"),
        None if listed.iter().any(|of| may_be(of, &own, request)) => return,
        None => (Confidence::Likely, "why-others", "fix-others"),
    };
    let (role, acts) = (Role::Contributing, Acts::Registrar);
    let Some(finding) = found.add_with(Severity::Warning, role, confidence, acts) else {
        return;
    };
    let others: Vec<&str> = listed.iter().take(3).map(|of| of.uri.as_str()).collect();
    let seconds = attempt(call).and_then(|(_, attempt)| attempt.asked);
    finding.why(why).fix(fix).element(sender(answer)).args(
        Args::new()
            .text("contact", own.uri.clone())
            .text("aor", call.to().unwrap_or_default())
            .text("listed", others.join(", "))
            .with(
                "asked",
                seconds.map_or(Value::Said("some"), |s| s.to_string().into()),
            ),
    );
    finding.proof(Evidence::header(
        asked_at,
        request,
        "Contact",
        note("asked"),
    ));
    finding.proof(match why {
        "why" => Evidence::start_line(at, answer, note("missing")),
        "why-removed" => Evidence::header(at, answer, "Contact", note("zero")),
        _ => Evidence::header(at, answer, "Contact", Template::new("listed", Args::new())),
    });
}

fn request_of(call: &Call, answer: &Stored) -> Option<usize> {
    let own = |(_, m): &(usize, &Stored)| m.keys.transaction == answer.keys.transaction;
    call.requests(Method::Register).find(own).map(|(at, _)| at)
}

// The usual case, without reading every parameter: the URI stands in the answer, and nothing there
// is removed.
fn is_plainly_listed(call: &Call, request: usize, answer: usize) -> bool {
    let (asked, listed) = (call.fields(request), call.fields(answer));
    let Some(value) = asked.value(Field::Contact) else {
        return true;
    };
    let first = header::elements(value).next().unwrap_or(value);
    let uri = addr_spec(first);
    let mut lines = listed.all(Field::Contact).map(|h| h.value.of(listed.raw));
    lines.any(|line| {
        memchr::memmem::find(line, uri).is_some()
            && memchr::memmem::find(line, b"expires=0").is_none()
    })
}

// In IMS the network registers users at application servers, which list nothing (TS 24.229 §5.4.1.7).
fn is_third_party(request: &Stored) -> bool {
    let user = |name| {
        let value = request.message().text(name)?;
        Uri::parse(addr_spec(value.as_bytes())).map(|uri| lossy(uri.user))
    };
    user("From") != user("To")
}

// The same device under another address: rewritten by a registrar or a session border controller.
fn may_be(listed: &Binding, own: &Binding, request: &Stored) -> bool {
    let parts = |uri: &str| {
        let uri = Uri::parse(uri.as_bytes())?;
        Some((lossy(uri.user), lossy(uri.host).to_ascii_lowercase()))
    };
    let (Some(theirs), Some(ours)) = (parts(&listed.uri), parts(&own.uri)) else {
        return true;
    };
    let source = request.stamp.source.map(|source| source.ip().to_string());
    let instance = listed.instance.is_some() && listed.instance == own.instance;
    let user = !ours.0.is_empty() && theirs.0 == ours.0;
    instance || user || theirs.1 == ours.1 || source.is_none_or(|source| theirs.1 == source)
}
