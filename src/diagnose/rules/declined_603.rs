//! S1: somebody or something declined the call.

use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::phrases::Told;
use super::super::{
    Acts, Args, Causes, Confidence, Context, Findings, Frequency, Role, Rule, Severity,
};
use super::reg_binding_missing_at_call::registration;
use crate::knowledge::phrases::Kind;
use crate::message::params::value_after;
use crate::message::{Method, lossy, typed};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Spot, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "declined-603",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[603],
    causes: &[("Q.850", Causes::Only(&[21]))],
    rfc: &[(3261, "21.6.2"), (8606, "4")],
    title: "the called side declined the call",
    why: "{element} answered 603 without ringing: no person can have done that in {after}; a server, a filter or do not disturb declines there",
    fix: "Look on the called side for do not disturb, a block list or a rule for this caller ({from}). If every call of this number to that network ends so, ask its operator whether the number is blocked; a person did not decide this.",
    sentences: &[
        (
            "why-person",
            "it rang for {ring}, then {element}, which had rung, answered 603: the called person declined the call",
        ),
        (
            "fix-person",
            "Leave it as it is: the called person does not want this call now, and no other device of the person is tried.",
        ),
        (
            "why-server",
            "it rang for {ring}, then another device or server than the one whose ringing was seen answered 603: somebody declined on a second device, or a rule of the called side ended the call",
        ),
        (
            "fix-server",
            "Leave it as it is if the called person declined. Otherwise look on the called side at {element} for do not disturb, a block list or a forwarding of the called number.",
        ),
        (
            "why-untimed",
            "{element} answered 603: somebody or something on the called side declined the call; a person, if the phone had rung",
        ),
        (
            "why-network",
            "{element} answered 603 with Q.850 cause 21 from {place}: not the called person but a network on the way declined the call",
        ),
        (
            "fix-network",
            "Find out which network that is ({place}), and ask its operator for the rule that declined the call from {from}; no person did, and sending it again does not help.",
        ),
        (
            "why-unregistered",
            "{element} answered 603 without ringing: no person can have done that in {after}. {element} is a registrar, others registered there in this capture, and no registration of {aor} is recorded before the call: a server may say so where it knows no device to ring",
        ),
        (
            "fix-unregistered",
            "Look first at {element} whether a device of {aor} was registered at that second: one that is just starting registers seconds later. If one was, look for do not disturb, a block list or a forwarding of {aor}.",
        ),
        (
            "why-blocked",
            "{element} answered 603 and says \"{said}\": an analytics system of the called network took the call for an unwanted one and blocked it; the called person knows nothing of it",
        ),
        (
            "fix-blocked",
            "Let the owner of the calling number {from} ask for correction where the answer says: {redress}. Check also how the number is rated by the analytics services of the carriers, and that calls are signed for it by its own carrier.",
        ),
        (
            "redress-none",
            "it names no place, so ask the operator of the called network",
        ),
        (
            "why-told",
            "{element} answered 603 and says \"{said}\", which means: {means}",
        ),
        (
            "fix-account",
            "Look at the account in the portal of the provider; nobody declined this call.",
        ),
        ("rang", "it rang before"),
        ("answer", "declined"),
        ("said", "the words that tell who declined"),
        ("place", "where in the network"),
    ],
    check,
    ..Rule::PLAIN
};

/// A person needs longer than this to decline, nanoseconds.
const HUMAN: i64 = SECOND;
/// Whoever declines before it rings and sooner than this is no person, nanoseconds.
const TOO_SOON: i64 = 3 * SECOND / 2;
/// Bytes of a place for redress that are shown.
const LONGEST: usize = 200;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || call.outcome != Outcome::Refused || call.code() != Some(603)
    {
        return;
    }
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let told = context.told(call).cloned().or_else(|| blocked(response));
    // A 183 does not say that it rings.
    let rang = call.rang(response).filter(|(_, m)| m.head.rings());
    let since = |m: &Stored| {
        response
            .time()
            .zip(m.time())
            .map(|(end, start)| end - start)
    };
    let ring = rang.and_then(|(_, m)| since(m));
    let after = call.asked(response).and_then(|(_, m)| since(m));
    let same = rang.is_some_and(|(_, m)| m.keys.to_tag == response.keys.to_tag);
    let place = place(response);
    let unregistered = unregistered(call, context, response);
    let (severity, confidence, acts, why) = match (&told, rang, ring) {
        (Some(told), ..) if told.phrase.kind == Kind::Blocked => (
            Severity::Error,
            Confidence::Certain,
            Acts::Caller,
            "why-blocked",
        ),
        (Some(told), ..) => (Severity::Error, told.sure(), Acts::Caller, "why-told"),
        (None, ..) if place.is_some() => (
            Severity::Error,
            Confidence::Likely,
            place.map_or(Acts::Callee, |(_, acts)| acts),
            "why-network",
        ),
        (None, Some(_), Some(ring)) if same && ring >= HUMAN => (
            Severity::Info,
            Confidence::Likely,
            Acts::Nobody,
            "why-person",
        ),
        (None, Some(_), Some(_)) if !same => (
            Severity::Info,
            Confidence::Likely,
            Acts::Callee,
            "why-server",
        ),
        (None, None, _) if after.is_some_and(|after| after < TOO_SOON) => {
            let why = if unregistered.is_some() {
                "why-unregistered"
            } else {
                "why"
            };
            (Severity::Error, Confidence::Likely, Acts::Callee, why)
        }
        _ => (
            Severity::Info,
            Confidence::Likely,
            Acts::Callee,
            "why-untimed",
        ),
    };
    let Some(finding) = found.add_with(severity, Role::Cause, confidence, acts) else {
        return;
    };
    let from = call.from().unwrap_or_else(|| "this caller".to_owned());
    finding.element(sender(response)).why(why).args(
        Args::new()
            .text("from", from)
            .duration("ring", ring.unwrap_or(0))
            .duration("after", after.unwrap_or(0)),
    );
    if let Some((at, m)) = rang {
        finding.proof(Evidence::start_line(at, m, note("rang")));
    }
    if let Some(told) = told {
        match told.phrase.kind {
            Kind::Blocked => {
                let nowhere = RULE.template("redress-none").unwrap_or_default();
                let redress = redress(response).unwrap_or_else(|| nowhere.to_owned());
                finding
                    .fix("fix-blocked")
                    .args(Args::new().text("redress", redress));
            }
            _ => {
                finding.fix("fix-account");
            }
        }
        told.prove(finding, (index, response), (note("answer"), note("said")));
        return;
    }
    match why {
        "why-person" => drop(finding.fix("fix-person")),
        "why-server" => drop(finding.fix("fix-server")),
        _ => {}
    }
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if let Some((aor, other)) = unregistered.filter(|_| why == "why-unregistered") {
        finding
            .fix("fix-unregistered")
            .args(Args::new().text("aor", aor))
            .elsewhere(Some(other), "elsewhere-registrar");
    }
    if let Some((place, _)) = place {
        finding
            .fix("fix-network")
            .args(Args::new().said("place", place));
        finding.proof(Evidence::header(
            index,
            response,
            "Reason",
            Template::new("place", Args::new()),
        ));
    }
}

// The phrase of ATIS-1000099 alone, without the Reason that should come with it.
fn blocked(response: &Stored) -> Option<Told> {
    let reason = response.message().reason()?;
    let phrase = lossy(reason.of(&response.raw));
    let known = crate::knowledge::phrases::of_text(603, "v=analytics1")?.0;
    phrase
        .trim()
        .eq_ignore_ascii_case("Network Blocked")
        .then(|| Told::of_phrase(known, response, reason))
}

// The network that declined, where Reason has cause 21 with a location other than the user (RFC 8606).
fn place(response: &Stored) -> Option<(&'static str, Acts)> {
    let message = response.message();
    let header = message.header("Reason")?;
    let value = header.value.of(&response.raw);
    let reasons = typed::reasons(message);
    let rejected = reasons
        .iter()
        .any(|r| r.protocol.eq_ignore_ascii_case("Q.850") && r.cause == Some(21));
    let location = value_after(value, 0, "location").filter(|_| rejected)?;
    let place = match location.of(value).to_ascii_uppercase().as_slice() {
        b"LPN" => ("the private network of the caller", Acts::Caller),
        b"LN" => ("the public network of the local user", Acts::Operator),
        b"TN" => ("a transit network", Acts::Carrier),
        b"RLN" => ("the public network of the remote user", Acts::Callee),
        b"RPN" => ("the private network of the called side", Acts::Callee),
        b"INTL" => ("an international network", Acts::Carrier),
        b"BI" => ("a network beyond an interworking point", Acts::Carrier),
        _ => return None,
    };
    Some(place)
}

// The one called, where the answer comes from a registrar and no REGISTER of that one is seen before.
fn unregistered(call: &Call, context: &Context<'_>, answer: &Stored) -> Option<(String, Spot)> {
    let registrar = answer.stamp.source?.ip();
    let other = context.view.registrations().registrar(registrar)?;
    match registration(call, context, answer) {
        Some(_) => None,
        None => Some((call.to()?, other)),
    }
}

// url, tel and email in the text of Reason (ATIS-1000099).
fn redress(response: &Stored) -> Option<String> {
    let text = typed::reasons(response.message())
        .into_iter()
        .filter_map(|r| r.text)
        .find(|text| text.to_ascii_lowercase().contains("v=analytics1"))?;
    let places = text.split(';').filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        let wanted = ["url", "tel", "email"].contains(&name.trim().to_ascii_lowercase().as_str());
        wanted.then(|| value.trim().chars().take(LONGEST).collect::<String>())
    });
    let places: Vec<String> = places.filter(|place| !place.is_empty()).collect();
    Some(places.join(", ")).filter(|places| !places.is_empty())
}
