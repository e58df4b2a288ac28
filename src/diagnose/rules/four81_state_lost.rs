//! G2: a request names the call rightly, and the other side no longer knows it.

use super::super::address::Host;
use super::super::finding::{Evidence, Value, note, sender};
use super::super::inside::{self, Dialog, Refused};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity, blame,
};
use crate::message::Method;
use crate::message::field::Field;
use crate::message::uri::Uri;
use crate::session::{Call, Outcome, Side, Stored, outcome};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "481-state-lost",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[481],
    rfc: &[(3261, "12.2.2"), (3261, "12.2.1.2"), (5057, "5.1")],
    title: "{element} no longer knows the call",
    why: "{method} carries the Call-ID and both tags of the call as it was set up, and {element} answers {code}, {after} after it had accepted the call: it has lost it",
    fix: "Look into the log of {element} for what became of the call: a restart, a change-over to another node without shared state, a limit on the length of calls or a session timer that ran out. The sender of {method} did nothing wrong; it has to end the call on its side.",
    sentences: &[
        (
            "why-other-node",
            "{method} carries the Call-ID and both tags of the call as it was set up; the call was accepted by {before}, and the {code} comes from {element}: the request reached a server that never knew the call{left}",
        ),
        (
            "fix-other-node",
            "Make requests inside a call go to the server that accepted it: Record-Route or Contact with the address of the node, not of the cluster, or a load balancer that keeps a Call-ID on one node, or state that the nodes share.",
        ),
        (
            "why-sent-elsewhere",
            "{method} names {before}, which accepted the call, and was sent to {element} all the same, which never knew the call and answers {code}{left}",
        ),
        (
            "fix-sent-elsewhere",
            "Make the sender of {method} send it to the address in its Request-URI (its first Route, if it has one): {before}. Look there for an outbound proxy, a name that resolves to several addresses, or a balancer between the two that does not keep a call on one node.",
        ),
        (
            "why-ended",
            "{method} was sent after the call had been hung up, so {element} rightly does not know it any more",
        ),
        (
            "fix-ended",
            "Correct the sender of {method} if it goes on so: after a BYE was sent or answered there is no call to change.",
        ),
        ("accepted", "the call as it was set up"),
        ("request", "the same Call-ID and tags"),
        ("answer", "and now there is no such call"),
        ("bye", "the call had been hung up"),
    ],
    explains: &[
        "refresh-rejected",
        "session-timer-expired",
        "reinvite-rejected-session-survives",
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || found.has("481-tag-mismatch") {
        return;
    }
    let known = inside::refused(call, &[481]).find_map(|refused| {
        let method = refused.request.head.method;
        let of_session = matches!(
            method,
            Method::Invite | Method::Bye | Method::Update | Method::Info | Method::Refer
        );
        let dialog = of_session
            .then(|| dialog(call, refused.request))
            .flatten()?;
        Some((refused, dialog))
    });
    let Some((refused, dialog)) = known else {
        return;
    };
    // Nobody acknowledged the answer, so its sender has given the call up: another rule says why.
    let given_up = (0..call.finals.len()).any(|index| outcome::never_acknowledged(call, index));
    let bye = hung_up(call, refused);
    match bye {
        // Both hang up at once: the second BYE finds no call, as it should be.
        Some(_) if refused.request.head.method == Method::Bye => {}
        Some(bye) => tell_ended(call, refused, bye, found),
        None if given_up => {}
        None => tell(call, refused, dialog, found),
    }
}

fn dialog(call: &Call, request: &Stored) -> Option<Dialog> {
    let own = (request.keys.from_tag, request.keys.to_tag);
    let same =
        |d: &Dialog| d.confirmed && [(d.caller, d.callee), (d.callee, d.caller)].contains(&own);
    inside::dialogs(call).into_iter().find(same)
}

// A BYE of another transaction before the refusal.
fn hung_up<'a>(call: &'a Call, refused: Refused<'_>) -> Option<(usize, &'a Stored)> {
    call.requests(Method::Bye).find(|(index, m)| {
        *index < refused.answer_index
            && (m.cseq(), m.keys.from_tag)
                != (refused.request.cseq(), refused.request.keys.from_tag)
    })
}

fn tell_ended(call: &Call, refused: Refused<'_>, bye: (usize, &Stored), found: &mut Findings) {
    let side = call.side(refused.request);
    let acts = side.map_or(Acts::Operator, |side| blame::acts_of(call, side));
    let (severity, role) = (Severity::Info, Role::Contributing);
    let Some(finding) = found.add_with(severity, role, Confidence::Certain, acts) else {
        return;
    };
    finding
        .element(sender(refused.answer))
        .args(Args::new().text("method", refused.request.message().method_name()))
        .why("why-ended")
        .fix("fix-ended")
        .proof(Evidence::start_line(bye.0, bye.1, note("bye")))
        .proof(Evidence::start_line(
            refused.answer_index,
            refused.answer,
            note("answer"),
        ));
}

// Who accepted the call, as the sender of the request saw it.
fn accepted_by<'a>(call: &'a Call, refused: Refused<'_>, dialog: Dialog) -> Option<&'a Stored> {
    let asking = refused.request.stamp.observed()?.0;
    call.originals().map(|(_, m)| m).find(|m| {
        m.head.code().is_some_and(|code| (200..300).contains(&code))
            && call.is_of_beginning(m)
            && m.keys.to_tag == dialog.callee
            && m.stamp
                .observed()
                .is_some_and(|(_, to)| to.ip() == asking.ip())
    })
}

// The address to which the request has to go by what it says (RFC 3261 §12.2.1.1).
fn next_hop(call: &Call, refused: Refused<'_>) -> Option<IpAddr> {
    let uri = match call.target(refused.index, Field::Route) {
        Some(route) => route.uri,
        None => {
            let uri = refused.request.message().request_uri()?;
            uri.of(&refused.request.raw)
        }
    };
    Host::of(Uri::parse(uri)?.host).and_then(Host::ip)
}

fn tell(call: &Call, refused: Refused<'_>, dialog: Dialog, found: &mut Findings) {
    let severity = match call.outcome {
        Outcome::Succeeded => Severity::Warning,
        _ => Severity::Error,
    };
    let (role, sure) = (Role::Contributing, Confidence::Likely);
    let accepted = accepted_by(call, refused, dialog);
    let before = accepted
        .and_then(|m| m.stamp.observed())
        .map(|(from, _)| from);
    let now = refused.answer.stamp.observed().map(|(from, _)| from);
    let strayed = before.zip(now).is_some_and(|(before, now)| {
        before.ip() != now.ip() && next_hop(call, refused) == Some(before.ip())
    });
    let own = call.side(refused.request);
    let side = if strayed { own } else { own.map(Side::other) };
    let acts = side.map_or(Acts::Operator, |side| blame::acts_of(call, side));
    let Some(finding) = found.add_with(severity, role, sure, acts) else {
        return;
    };
    let Some(set_up) = call.messages.get(dialog.answer) else {
        return;
    };
    let after = refused.answer.time().zip(set_up.time());
    let moved = before
        .zip(now)
        .is_some_and(|(before, now)| before.ip() != now.ip());
    let left = match moved {
        true => inside::left(call, refused.request),
        false => Value::nothing(),
    };
    finding.element(sender(refused.answer)).args(
        Args::new()
            .text("method", refused.request.message().method_name())
            .code("code", refused.code())
            .duration("after", after.map_or(0, |(now, then)| now - then))
            .text("before", before.map_or_else(String::new, |a| a.to_string()))
            .with("left", left),
    );
    if strayed {
        finding.why("why-sent-elsewhere").fix("fix-sent-elsewhere");
    } else if moved {
        finding.why("why-other-node").fix("fix-other-node");
    }
    finding.proof(Evidence::start_line(
        dialog.answer,
        set_up,
        note("accepted"),
    ));
    refused.prove(finding, (note("request"), note("answer")));
}
