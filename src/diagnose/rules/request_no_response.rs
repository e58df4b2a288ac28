//! T1: a request was never answered at all.

use super::super::finding::{Evidence, Finding, Template, note, receiver, sender};
use super::super::silence::{Silence, deciding_silences};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Need, Rule, Severity};
use crate::layers::Transport;
use crate::message::{Flaw, Method};
use crate::session::clock::SECOND;
use crate::session::{Call, Spot, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "request-no-response",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Time, Need::Addresses],
    rfc: &[(3261, "17.1.1.2"), (3261, "17.1.2.2")],
    title: "{element} never answered",
    why: "{method} was sent to {element} {copies} times over {span} and nothing came back, not even a provisional answer: it does not arrive there, nobody listens there, or the answers do not find the way back",
    fix: "Check from the sender whether {element} is up and listens on this port and transport; then capture at {element}. If the request arrives there, its answers are sent elsewhere or dropped on the way back (NAT, firewall, wrong Via); if it does not arrive, a firewall or a wrong address or port stops it.",
    sentences: &[
        (
            "why-method",
            "{method} was sent to {element} {copies} times over {span} and nothing came back, though {element} answers other requests in this capture ({others}): it is up and can be reached, and something leaves {method} out",
        ),
        (
            "why-alive",
            "{method} was sent to {element} {copies} times over {span} and nothing came back, though {element} sent other SIP messages at that time: it is up, and either it drops this request or its answers to this one go elsewhere",
        ),
        (
            "why-kept",
            "{method} was sent to {element} {copies} times over {span} and nothing came back, though packets that keep the way through the NAT open came from that address and port, the last {last} after the first copy: it is up, the way from there is open, and it or something before it drops this request",
        ),
        (
            "why-around",
            "{method} was sent to {element} {copies} times over {span} and nothing came back, though {element} was heard within a minute before it and again after it: in between the way to it was interrupted, it was down for that time, or it or a filter before it dropped these packets",
        ),
        (
            "why-before",
            "{method} was sent to {element} {copies} times over {span} and nothing came back, though {element} sent SIP messages within a minute before it: address and way were good then, and since then it has gone, has lost its network, or drops this request",
        ),
        (
            "fix-before",
            "Look on {element} whether it was up and in its network at that time, and for what drops a request without an answer: a filter of SIP in the firewall before it, an access list, a ban. A capture at {element} shows whether the request arrives.",
        ),
        (
            "fix-around",
            "Look for what happened on the way to {element} and on {element} itself between these times: a link, router or VPN that went down, a failover, a restart of the service, a block that ran out. A capture at {element} shows whether the request arrived.",
        ),
        (
            "fix-alive",
            "Look on {element} for what drops a request without an answer: an access list or trunk that does not know {sender}, a ban (fail2ban, pike, rate limit), a filter of SIP in the firewall before it. Its log or a capture there shows whether the request arrives.",
        ),
        (
            "why-dead",
            "{method} was sent to {element} {copies} times over {span}, and up to then nothing at all had come from there in this capture: it is down, or no packet comes through between the two",
        ),
        (
            "fix-dead",
            "Check whether {element} is up, whether its address and port are right at {sender}, and whether UDP or TCP to this port passes the firewalls between the two. A capture at {element} shows whether the request arrives at all.",
        ),
        (
            "why-once",
            "{method} was sent to {element} and nothing came back, not even a provisional answer: it does not arrive there, nobody listens there, or the answers do not find the way back",
        ),
        (
            "why-received",
            "{method} from {sender} arrived {copies} times over {span} at {element}, and the log shows no answer that was sent: the request was taken and its handling hangs, or it was dropped on purpose",
        ),
        (
            "fix-received",
            "Look at what {element} logged around the first of these messages: what it drops without an answer is often a request from an address that it does not know, or one that a filter or a limit refuses. If it did answer, the log leaves that out: record both directions there.",
        ),
        (
            "why-relayed",
            "{method} was sent on to {element} {copies} times over {span} and nothing came back; the {code} that the caller got was made by {sender}, which gave up waiting",
        ),
        (
            "why-relayed-once",
            "{method} was sent on to {element} and nothing came back within {waited}; the {code} that the caller got was made by {sender}, which gave up waiting",
        ),
        (
            "fix-relayed",
            "Check whether {element} is still the right destination, is up and can be reached from {sender}: routing table, dispatcher or registration at {sender}, then the network between them.",
        ),
        ("sent", "sent {copies} times, the same every time"),
        ("sent-once", "sent once"),
        ("silence", "no answer from {element}"),
        ("gave-up", "what {sender} made of it"),
    ],
    explains: &["408-origin", "trying-then-silence", "caller-abandoned"],
    confirm: "a capture at {element} that shows whether the request arrives",
    check,
    ..Rule::PLAIN
};

/// Copies that a sender makes until Timer B or F fires (RFC 3261 §17.1.1.2, §17.1.2.2), fewer by
/// those that a capture may lose.
const ENOUGH: usize = 5;
/// A sender that still repeats after this long goes on to the end: INVITE at 15.5 and 31.5 s,
/// others every 4 s.
const TO_THE_END: i64 = 15 * SECOND;

/// What was seen this long before says that address and way were good.
const NEAR: i64 = 60 * SECOND;
/// How coarse it is known when somebody sent something.
const COARSE: i64 = 5 * SECOND;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    // Furthest from the caller: what comes before is still waiting for this one.
    let Some(silence) = deciding_silences(call).pop() else {
        return;
    };
    let request = silence.request;
    let Some(from) = request.time() else { return };
    // The log of the system that was asked knows itself, not its address.
    let received = request.stamp.sent == Some(false);
    if request.stamp.destination.is_none() && !received {
        return;
    }
    let Some(confidence) = confidence(call, &silence, context) else {
        return;
    };
    let confidence = if found.has("capture-one-sided") {
        Confidence::Possible
    } else {
        confidence
    };
    let until = from + lasted(call, &silence, from);
    let kept = call.alive.iter().find(|(index, _)| *index == silence.index);
    let sign = match (sign(request, (from, until), context), kept) {
        // While it is silent itself, nothing else shows that it is there.
        (Sign::Before(_) | Sign::None | Sign::Dead, Some((_, at))) => Sign::Kept(at - from),
        (sign, _) => sign,
    };
    // That nothing came back is proved; why, and so who has to act, is not.
    let shown = matches!(sign, Sign::Method(..) | Sign::Alive(_));
    let open = !shown && silence.gave_up.is_none();
    let confidence = match open && !received {
        true => confidence.max(Confidence::Likely),
        false => confidence,
    };
    let acts = match sign {
        Sign::Method(..) | Sign::Alive(_) | Sign::Before(_) | Sign::Kept(_) => Acts::Callee,
        // Heard before and after, and not at all in between: the way is as likely as the end of it.
        Sign::Around(_) | Sign::Dead | Sign::None => Acts::Network,
    };
    let acts = if silence.gave_up.is_some() {
        Acts::Network
    } else {
        acts
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    tell(call, &silence, from, finding);
    if received {
        finding.why("why-received").fix("fix-received");
    } else if let Some((_, answer)) = silence.gave_up {
        finding.fix("fix-relayed");
        match answer.time().zip(silence.request.time()) {
            Some((end, from)) if silence.transaction.sends.len() == 1 => {
                let waited = Args::new().duration("waited", end - from);
                finding.why("why-relayed-once").args(waited)
            }
            _ => finding.why("why-relayed"),
        };
    } else if silence.transaction.sends.len() > 1 {
        match sign {
            Sign::Method(others, answer) => {
                finding.why("why-method").fix("fix-alive");
                finding.args(Args::new().text("others", others));
                finding.elsewhere(answer, "elsewhere-answered");
            }
            Sign::Alive(later) => {
                finding.why("why-alive").fix("fix-alive");
                finding.elsewhere(later, "elsewhere-sent");
            }
            Sign::Kept(last) => {
                finding.why("why-kept").fix("fix-alive");
                finding.args(Args::new().duration("last", last));
            }
            Sign::Around(later) => {
                finding.why("why-around").fix("fix-around");
                finding.elsewhere(later, "elsewhere-sent");
            }
            Sign::Before(last) => {
                finding.why("why-before").fix("fix-before");
                finding.elsewhere(last, "elsewhere-before");
            }
            Sign::Dead => drop(finding.why("why-dead").fix("fix-dead")),
            Sign::None => {}
        }
    } else {
        finding.why("why-once");
    }
}

/// The silence that decided a call, how sure it is, and over how many nanoseconds the request was
/// sent: for rules that know more of a certain kind of request.
pub(super) fn silence<'c>(
    call: &'c Call,
    context: &Context<'_>,
) -> Option<(Silence<'c>, Confidence, i64)> {
    let silence = deciding_silences(call).pop()?;
    let confidence = confidence(call, &silence, context)?;
    let span = sent_over(call, &silence, silence.request.time()?);
    Some((silence, confidence, span))
}

fn sent_over(call: &Call, silence: &Silence<'_>, from: i64) -> i64 {
    let sent = |index: &usize| call.messages.get(*index).and_then(Stored::time);
    let last = silence.transaction.sends.iter().filter_map(sent).max();
    last.unwrap_or(from) - from
}

fn tell(call: &Call, silence: &Silence<'_>, from: i64, finding: &mut Finding) {
    let (index, request) = (silence.index, silence.request);
    let copies = silence.transaction.sends.len();
    let span = sent_over(call, silence, from);
    let (sender, element) = (sender(request), receiver(request));
    finding.element(element.clone()).args(
        Args::new()
            .text("method", request.message().method_name())
            .count("copies", copies)
            .duration("span", span)
            .text("sender", sender.clone())
            .code("code", call.code().unwrap_or(0)),
    );
    let shown = match copies {
        1 => note("sent-once"),
        _ => Template::new("sent", Args::new().count("copies", copies)),
    };
    finding.proof(Evidence::start_line(index, request, shown));
    let until = silence
        .gave_up
        .and_then(|(_, m)| m.time())
        .or(call.seen_until)
        .unwrap_or(from + span);
    finding.proof(Evidence::Absence {
        message: index,
        from,
        until,
        note: Template::new("silence", Args::new().text("element", element)),
    });
    if let Some((at, answer)) = silence.gave_up {
        let args = Args::new().text("sender", sender);
        finding.proof(Evidence::start_line(
            at,
            answer,
            Template::new("gave-up", args),
        ));
    }
}

/// What else the capture shows of who did not answer.
enum Sign {
    /// It answers these other methods, here for one.
    Method(String, Option<Spot>),
    /// It sent something, later this at last.
    Alive(Option<Spot>),
    /// Keep-alives came from it, the last so long after the request, nanoseconds.
    Kept(i64),
    /// It sent something within a minute before and again after, at last this.
    Around(Option<Spot>),
    /// It sent something within a minute before, at last this.
    Before(Option<Spot>),
    /// It never sent anything.
    Dead,
    /// Nothing that would tell.
    None,
}

fn sign(request: &Stored, (from, until): (i64, i64), context: &Context<'_>) -> Sign {
    const METHODS: [Method; 4] = [
        Method::Invite,
        Method::Register,
        Method::Options,
        Method::Message,
    ];
    let Some(address) = request.stamp.destination else {
        return Sign::None;
    };
    let Some(peer) = context.view.peer(address.ip()) else {
        return Sign::None;
    };
    let answered = |method: &&Method| peer.answers(**method);
    let answered = || METHODS.iter().filter(answered);
    let others: Vec<&str> = answered().filter_map(|method| method.name()).collect();
    let shown = answered().find_map(|method| peer.answer_to(*method));
    let alive = peer.sent_between(from, until);
    // While it is silent itself, what counts as a moment after is still before.
    let before = !alive && peer.sent_between(from - NEAR, from + COARSE);
    let after = peer.last_from().is_some_and(|last| last > until);
    let later = peer.latest.filter(|spot| spot.time > Some(until));
    match (alive, peer.last_from()) {
        (true, _) if !others.is_empty() && !peer.answers(request.head.method) => {
            Sign::Method(others.join(", "), shown)
        }
        (true, _) => Sign::Alive(later),
        (false, None) => Sign::Dead,
        (false, Some(_)) if before && after => Sign::Around(later),
        (false, Some(_)) if before => Sign::Before(peer.latest),
        (false, Some(_)) => Sign::None,
    }
}

// Copies to the end of the timer prove that the sender got nothing. Otherwise the capture must
// show that something towards the sender could be seen.
fn confidence(call: &Call, silence: &Silence<'_>, context: &Context<'_>) -> Option<Confidence> {
    let request = silence.request;
    let reliable = request.stamp.transport.is_some_and(Transport::is_reliable);
    let copies = silence.transaction.sends.len();
    let from = request.time()?;
    // The answer to it may be one of those that were changed, or it is itself.
    if call.flaws().has(Flaw::Damaged) {
        return None;
    }
    let visible = context.view.towards(request.stamp.sender(), from);
    let repeated = copies >= ENOUGH
        && (lasted(call, silence, from) >= TO_THE_END || follows_timer(call, silence));
    if !reliable && repeated {
        // The log of the system that was asked may hold only what it received.
        return Some(match request.stamp.sent {
            Some(false) if !visible => Confidence::Likely,
            _ => Confidence::Certain,
        });
    }
    // Over UDP a sender without an answer sends again: one that does not may have had one.
    if !reliable && copies < 2 {
        return visible.then_some(Confidence::Possible);
    }
    match visible {
        true if silence.gave_up.is_some() && copies >= 2 => Some(Confidence::Certain),
        true => Some(Confidence::Likely),
        false => None,
    }
}

fn times<'a>(call: &'a Call, silence: &'a Silence<'_>) -> impl Iterator<Item = i64> + 'a {
    let sends = silence.transaction.sends.iter();
    sends.filter_map(|&index| call.messages.get(index).and_then(Stored::time))
}

fn lasted(call: &Call, silence: &Silence<'_>, from: i64) -> i64 {
    times(call, silence).max().unwrap_or(from) - from
}

// INVITE doubles from T1 on without limit; others double up to T2 = 4 s (RFC 3261 §17.1).
fn follows_timer(call: &Call, silence: &Silence<'_>) -> bool {
    let times: Vec<i64> = times(call, silence).collect();
    let gaps: Vec<i64> = times
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)? - pair.first()?))
        .collect();
    let limit = match silence.request.head.method {
        Method::Invite => i64::MAX,
        _ => 4 * SECOND,
    };
    let grows = |pair: &[i64]| match pair {
        [a, b] => {
            let wanted = a.saturating_mul(2).min(limit);
            (b - wanted).abs() <= wanted / 4 + SECOND / 10
        }
        _ => false,
    };
    gaps.len() + 1 >= ENOUGH && gaps.windows(2).all(grows)
}
