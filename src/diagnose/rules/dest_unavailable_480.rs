//! D3: the callee cannot be reached now, and why.

use super::super::across::LONG_RING;
use super::super::digest;
use super::super::finding::{Evidence, Finding, Template, Value, deciding, note, sender};
use super::super::{
    Acts, Args, Causes, Confidence, Context, Findings, Frequency, Product, Rule, Severity,
};
use super::reg_binding_missing_at_call::registration;
use crate::knowledge::phrases::Kind;
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Spot, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "dest-unavailable-480",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[480],
    causes: &[("Q.850", Causes::Only(&[16, 18, 19, 20, 31]))],
    rfc: &[(3261, "21.4.18"), (3398, "7.2.4.1")],
    title: "the called side cannot be reached at present",
    why: "{element} knows the called user and answers 480: it does not say why, and nothing rang",
    fix: "Look at {element} for the called user: is a phone registered (last REGISTER and its expiry), is do not disturb or a forwarding set, is the line or profile switched off? Try again once that is changed.",
    sentences: &[
        (
            "why-at-once",
            "{element} answered 480 {after} after the request and nothing rang: at that speed a server answers from what it knows, mostly that no phone is registered for the user or that calls to it are switched off",
        ),
        (
            "why-registered",
            "{element} answered 480 {after} after the request and nothing rang, though {aor} is registered there: {since} before, its answer to a REGISTER left a binding that still holds. So do not disturb or a forwarding is set, or {element} did not reach the phone; no request from it to the phone is recorded",
        ),
        (
            "fix-registered",
            "Look at {element} for do not disturb, forwarding and the rights of {aor}, and in its log for what it did with this call: whether it tried the phone at all. The registration is not what is missing.",
        ),
        (
            "why-rang",
            "it rang for {ring}, then {element} answered 480: too short for a ring timer, so the phone or its user refused the call, or lost its connection",
        ),
        (
            "fix-rang",
            "Ask the called person whether the call was rejected by hand; otherwise look at the log of {element} at that second, and at forwarding rules that end the ringing. Nothing has to be changed on the calling side.",
        ),
        (
            "why-rang-untimed",
            "it rang, then {element} answered 480: the phone or its user refused the call, or nobody answered",
        ),
        (
            "why-18",
            "{element} answers 480 with Q.850 cause 18 ({name}): the phone did not even begin to ring, it does not answer its network",
        ),
        (
            "why-19",
            "{element} answers 480 with Q.850 cause 19 ({name}): it rang and nobody answered",
        ),
        (
            "why-20",
            "{element} answers 480 with Q.850 cause 20 ({name}): the called phone is switched off, out of reach or not registered",
        ),
        (
            "why-21",
            "{element} answers 480 with Q.850 cause 21 ({name}): the called side was reached and rejects the call, by hand or by a rule there; that nobody can be reached is only what 480 makes of it",
        ),
        (
            "fix-21",
            "Ask the called side for what rejected the call at that second: a person, do not disturb, a block list, or a right that the caller does not have. Neither the registration nor the network of the phone is what is missing.",
        ),
        (
            "why-21-rule",
            "{element} answers 480 with Q.850 cause 21 ({name}): the called side was reached and rejects the call; no 180 shows that it rang, and only {after} passed, so a rule there rejects it rather than a person. That nobody can be reached is only what 480 makes of it",
        ),
        (
            "fix-21-rule",
            "Ask the called side which rule rejected the call at that second: do not disturb, a block list, screening, or a right that the caller does not have. Neither the registration nor the network of the phone is what is missing.",
        ),
        (
            "why-progress",
            "{element} answered 480 {ring} after a {sign}, which says that the call goes on and not that it rings: an announcement may have been played. The 480 does not say why",
        ),
        (
            "why-31",
            "{element} answers 480 with Q.850 cause 31 ({name}): the network behind it ended the call and does not say why",
        ),
        (
            "fix-19",
            "Leave it as it is, or set up voicemail or forwarding on no answer for the called user; nothing is broken.",
        ),
        (
            "why-ended",
            "{element} answers 480 with Q.850 cause 16, normal clearing: its dial plan, or the leg behind it, ended the attempt without an answer, and 480 is only what it makes of that",
        ),
        (
            "fix-ended",
            "Look first in the log of {element} whether it called anybody for this number. If so, see how that leg ended; if not, follow its dial plan, which reached its end, or a hangup, without an answer. The registration of the phone is not the first thing to look at.",
        ),
        (
            "why-told",
            "{element} answers 480 and says \"{said}\", which means: {means}",
        ),
        (
            "fix-dnd",
            "Try again later, or ask the called person to end do not disturb; nothing is broken.",
        ),
        (
            "fix-account",
            "Look at the settings and the state of the called number at the provider; the calling side has nothing to change.",
        ),
        (
            "why-words",
            "{element} answers 480 with words of its own, \"{said}\", and nothing rang: what they stand for there only its operator can tell",
        ),
        (
            "fix-words",
            "Ask the operator of {element} what \"{said}\" means, with the Call-ID and the time of this call; nothing else in the trace says why.",
        ),
        ("answer", "the final answer"),
        ("rang", "it rang before"),
        (
            "progress",
            "the call had got this far; that it rings is not said",
        ),
        ("cause", "cause {cause} in the telephone network: {name}"),
        ("said", "the words that tell the cause"),
    ],
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk `pjsip show contacts` and `pjsip show endpoint` tell whether the phone is registered and reachable.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH `sofia status profile PROFILE reg` lists who is registered.",
        ),
        (
            Product::Kamailio,
            "On Kamailio `kamcmd ul.dump` lists who is registered.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS `opensips-cli -x mi ul_dump` lists who is registered.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// An answer that comes sooner was not looked for, nanoseconds.
const AT_ONCE: i64 = SECOND / 3;
/// Causes that RFC 3398 §7.2.4.1 maps to 480, and 18, which §8.2.6.1 maps from it; 21 belongs to 403
/// and 603, and some gateways answer 480 with it.
const CAUSES: [u32; 5] = [18, 19, 20, 21, 31];

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call).filter(|_| call.code() == Some(480)) else {
        return;
    };
    if call.method != Method::Invite {
        return;
    }
    let rang = call.rang(response);
    let since = |m: &Stored| {
        response
            .time()
            .zip(m.time())
            .map(|(end, start)| end - start)
    };
    let ring = rang.and_then(|(_, m)| since(m));
    let cause = context.q850(call);
    let told = context.told(call);
    // What another rule names: congestion, a cause that fits another code, a ring timer.
    let elsewhere =
        cause.is_some_and(|cause| !CAUSES.contains(&cause) && (cause != 16 || rang.is_some()));
    let signal = rang.filter(|(_, m)| !m.head.rings());
    let timed = signal.is_none() && ring.is_some_and(|ring| ring >= LONG_RING);
    if told.is_none() && (elsewhere || timed) {
        return;
    }
    let confidence = match (told, cause) {
        (Some(told), _) => told.sure(),
        (None, None | Some(16 | 21)) => Confidence::Likely,
        _ => Confidence::Certain,
    };
    let acts = match (&told, rang) {
        (Some(told), _) if told.phrase.kind == Kind::DoNotDisturb => Acts::Nobody,
        (None, _) if cause == Some(19) => Acts::Nobody,
        _ => Acts::Callee,
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    finding.element(sender(response));
    if let Some((at, m)) = rang {
        let id = if signal.is_some() { "progress" } else { "rang" };
        finding.proof(Evidence::start_line(at, m, note(id)));
    }
    let asked = call.asked(response).and_then(|(_, m)| since(m));
    let by_rule = cause == Some(21)
        && (rang.is_none() || signal.is_some())
        && asked.is_some_and(|after| after < SECOND);
    if let Some(told) = told {
        finding.why("why-told");
        match told.phrase.kind {
            Kind::DoNotDisturb => finding.fix_alone("fix-dnd"),
            Kind::Unregistered => finding,
            _ => finding.fix_alone("fix-account"),
        };
        told.prove(finding, (index, response), (note("answer"), note("said")));
        return;
    }
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if let Some(cause) = cause {
        finding.args(named(cause));
        finding.proof(Evidence::header(
            index,
            response,
            "Reason",
            cause_note(cause),
        ));
        finding.why(match cause {
            16 => "why-ended",
            18 => "why-18",
            19 => "why-19",
            20 => "why-20",
            21 if by_rule => "why-21-rule",
            21 => "why-21",
            _ => "why-31",
        });
        match cause {
            16 => finding.fix_alone("fix-ended"),
            19 => finding.fix_alone("fix-19"),
            21 if by_rule => finding
                .args(Args::new().duration("after", asked.unwrap_or(0)))
                .fix_alone("fix-21-rule"),
            21 => finding.fix_alone("fix-21"),
            _ => finding,
        };
        return;
    }
    match (rang, ring) {
        (Some((_, sign)), Some(ring)) if signal.is_some() => {
            let code = sign.head.code().unwrap_or(183);
            finding.args(Args::new().duration("ring", ring).code("sign", code));
            finding.why("why-progress");
        }
        (Some(_), Some(ring)) => {
            finding.args(Args::new().duration("ring", ring));
            finding.why("why-rang").fix_alone("fix-rang");
        }
        (Some(_), None) => {
            finding.why("why-rang-untimed").fix_alone("fix-rang");
        }
        (None, _) => unheard(finding, (call, context), response, asked),
    }
}

// Nothing rang.
fn unheard(
    finding: &mut Finding,
    (call, context): (&Call, &Context<'_>),
    response: &Stored,
    asked: Option<i64>,
) {
    let at_once = asked.filter(|after| (0..AT_ONCE).contains(after));
    let registered = at_once.and_then(|after| Some((after, registered(call, context, response)?)));
    if let Some((after, (args, shown))) = registered {
        finding.args(args.duration("after", after));
        finding.why("why-registered").fix_alone("fix-registered");
        finding.elsewhere(Some(shown), "elsewhere-register");
    } else if let Some(said) = own_words(response) {
        finding.args(Args::new().text("said", said));
        finding.why("why-words").fix_alone("fix-words");
    } else if let Some(after) = at_once {
        finding.args(Args::new().duration("after", after));
        finding.why("why-at-once");
    }
}

// A phrase that says something else than that nobody can be reached.
fn own_words(response: &Stored) -> Option<String> {
    const PLAIN: [&str; 9] = [
        "unavail",
        "not avail",
        "unreach",
        "regist",
        "offline",
        "absent",
        "no answer",
        "no response",
        "error",
    ];
    let said = digest::phrase(response);
    (!said.is_empty() && !digest::phrase_says(response, &PLAIN)).then_some(said)
}

// The registration that holds at the server that answers, which sent no request on.
fn registered(call: &Call, context: &Context<'_>, answer: &Stored) -> Option<(Args, Spot)> {
    let (at, server) = (answer.time()?, answer.stamp.source?.ip());
    let known = registration(call, context, answer)?;
    let last = known.before(at).filter(|last| last.until > at)?;
    let from_server = |m: &Stored| {
        m.head.is_request() && m.stamp.source.is_some_and(|source| source.ip() == server)
    };
    let tried = call
        .all_legs()
        .any(|leg| leg.messages.iter().any(from_server));
    let here = known
        .registrar
        .is_some_and(|registrar| registrar.ip() == server);
    (here && !tried).then(|| {
        let args = Args::new()
            .text("aor", known.aor.clone())
            .duration("since", at - last.at);
        (args, last.spot)
    })
}

fn named(cause: u32) -> Args {
    let name = Value::q850(cause);
    Args::new()
        .count("cause", cause as usize)
        .with("name", name)
}

fn cause_note(cause: u32) -> Template {
    Template::new("cause", named(cause))
}
