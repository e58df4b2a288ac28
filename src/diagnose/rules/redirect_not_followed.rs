//! D5: the called side named another address and nobody called it.

use super::super::address::is_private;
use super::super::finding::{Evidence, Template, Value, deciding, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Product, Rule, Severity};
use crate::message::uri::Uri;
use crate::message::{lossy, typed};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "redirect-not-followed",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[300, 301, 302, 305, 380],
    rfc: &[(3261, "8.1.3.4"), (3261, "21.3")],
    title: "{element} did not call the address it was redirected to",
    why: "{sender} answered {code} and named {contact} instead, and {element} did not call it: many trunks, gateways and PBXs end a call that is redirected",
    fix: "Let {element} follow redirections, or let the called side forward the call itself (call forwarding in its PBX or proxy) instead of answering {code}. The new address has to be one that {element} can call.",
    sentences: &[
        (
            "why-no-contact",
            "{sender} answered {code} and names no other address: there is no Contact that anybody could call",
        ),
        (
            "fix-no-contact",
            "Let {sender} put the new address into the Contact of its {code}, or answer with the code that is meant (404, 480, 486), if there is none.",
        ),
        (
            "why-loop",
            "{sender} answered {code} and names {contact}, which is the address that it was asked for: to follow that would lead back to it",
        ),
        (
            "fix-loop",
            "Correct the forwarding target at {sender}: it leads to itself.",
        ),
        (
            "why-private",
            "{sender} answered {code} and names {contact}, a private address that {element} cannot reach from outside",
        ),
        (
            "fix-private",
            "Let {sender} name an address that can be reached from outside, or forward the call itself.",
        ),
        (
            "why-scheme",
            "{sender} answered {code} and names {contact}, which is no sip address: {element} cannot call that",
        ),
        (
            "fix-scheme",
            "Let {sender} name a sip address in Contact (for a number: sip:number@domain;user=phone).",
        ),
        (
            "why-proxy",
            "{sender} answered 305 and wants the call to be sent to the proxy {contact}; hardly any caller heeds that",
        ),
        (
            "fix-proxy",
            "Set {contact} as outbound proxy of {element}, or let {sender} take the call itself.",
        ),
        (
            "why-alternative",
            "{sender} answered 380: the call is not possible there, another service is described in the body, and the caller has to see for itself what to do",
        ),
        (
            "why-nothing",
            "{sender} answered 380: the call is not possible there, and the body that should describe another service is missing, so the caller has nothing to go by",
        ),
        (
            "fix-nothing",
            "Let {sender} describe the service in the body of its 380, or answer with a code that says why the call is not possible.",
        ),
        (
            "fix-alternative",
            "Read the body of the 380; no program follows it by itself unless it was made for that network.",
        ),
        ("answer", "the redirection"),
        ("contact", "the address to call instead"),
        (
            "silence",
            "no call to it; a call with a new Call-ID could not be told from others",
        ),
    ],
    confirm: "a search for another call from {element} to {contact} at that second, or the log of {element}",
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk `redirect_method` of the endpoint in pjsip.conf says what is done with a 3xx (user, uri_core or uri_pjsip).",
        ),
        (
            Product::Kamailio,
            "On Kamailio the module uac_redirect follows it: get_redirects() in a failure route.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS the module uac_redirect follows it: get_redirects() in a failure route.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// Who follows does so sooner than this, nanoseconds.
const SOON: i64 = 5 * SECOND;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.outcome != Outcome::Redirected {
        return;
    }
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let code = call.code().unwrap_or(300);
    let message = response.message();
    let ims = message
        .text("Content-Type")
        .is_some_and(|t| t.contains("3gpp-ims"));
    // What a mobile network tells a phone about emergency calls is another matter.
    if code == 380 && ims {
        return;
    }
    let contacts = typed::contacts(message);
    let flaw = flaw(call, response, &contacts, code);
    // What is not recorded is held against nobody.
    if matches!(flaw, None | Some("proxy")) && ends_too_soon(call, response) {
        return;
    }
    let confidence = match flaw {
        Some(_) => Confidence::Certain,
        _ => Confidence::Likely,
    };
    let acts = match flaw {
        Some("no-contact" | "loop" | "private" | "scheme" | "nothing") => Acts::Callee,
        _ => Acts::Caller,
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    let contact = contacts.first().cloned();
    finding.element(receiver(response)).args(
        Args::new()
            .text("sender", sender(response))
            .with(
                "contact",
                contact.clone().map_or(Value::Said("nobody"), Value::Text),
            )
            .code("code", code),
    );
    match flaw {
        Some("no-contact") => finding.why("why-no-contact").fix_alone("fix-no-contact"),
        Some("loop") => finding.why("why-loop").fix_alone("fix-loop"),
        Some("private") => finding.why("why-private").fix_alone("fix-private"),
        Some("scheme") => finding.why("why-scheme").fix_alone("fix-scheme"),
        Some("proxy") => finding.why("why-proxy").fix_alone("fix-proxy"),
        Some("nothing") => finding.why("why-nothing").fix_alone("fix-nothing"),
        Some(_) => finding.why("why-alternative").fix_alone("fix-alternative"),
        None => finding,
    };
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if contact.is_some() {
        finding.proof(Evidence::header(
            index,
            response,
            "Contact",
            note("contact"),
        ));
    }
    // Nobody could follow a redirection that is wrong in itself.
    let followable = matches!(flaw, None | Some("proxy"));
    if let (Some(from), Some(until), true) = (response.time(), call.seen_until, followable) {
        finding.proof(Evidence::Absence {
            message: index,
            from,
            until,
            note: Template::new("silence", Args::new()),
        });
    }
}

/// Does the capture end before a redirection would have been followed, or not say when?
pub(in super::super) fn ends_too_soon(call: &Call, response: &Stored) -> bool {
    let times = response.time().zip(call.seen_until);
    times.is_none_or(|(from, until)| until - from < SOON)
}

// Why nobody could have followed it, whatever the caller does.
fn flaw(call: &Call, response: &Stored, contacts: &[String], code: u16) -> Option<&'static str> {
    if code == 380 {
        let described = !response.message().body().is_empty();
        return Some(if described { "alternative" } else { "nothing" });
    }
    let Some(first) = contacts.first().map(String::as_bytes).and_then(Uri::parse) else {
        return Some("no-contact");
    };
    if !first.scheme.eq_ignore_ascii_case(b"sip") && !first.scheme.eq_ignore_ascii_case(b"sips") {
        return Some("scheme");
    }
    let asked = call.asked(response).and_then(|(_, m)| {
        let uri = m.message().request_uri()?;
        Some(Uri::parse(uri.of(&m.raw))?.bare())
    });
    if asked.is_some_and(|asked| contacts.iter().all(|contact| *contact == asked)) {
        return Some("loop");
    }
    let host = lossy(first.host);
    let host = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let outside = |a: std::net::SocketAddr| !is_private(a.ip());
    if host.is_some_and(is_private)
        && response.stamp.destination.is_some_and(outside)
        && response.stamp.source.is_some_and(outside)
    {
        return Some("private");
    }
    (code == 305).then_some("proxy")
}
