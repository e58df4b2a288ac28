//! T1b: a message was sent again and again up to the end of the record: too early to call it lost, and
//! enough to look after it.

use super::super::address::{self, Host};
use super::super::finding::{Evidence, Value, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::layers::Transport;
use crate::message::Method;
use crate::message::uri::Uri;
use crate::session::outcome::acknowledgement;
use crate::session::{Call, Outcome, Stored, Transaction};

/// The rule.
pub static RULE: Rule = Rule {
    id: "repeated-so-far",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[
        (3261, "17.1.1.2"),
        (3261, "17.1.2.2"),
        (3261, "13.3.1.4"),
        (3261, "13.2.2.4"),
    ],
    title: "{what} was sent {count} times, and nothing shows that it arrived",
    why: "{what} was sent to {element} {count} times over {span}, as is only done while nothing comes back, and there the record ends: {element} is down, or packets get lost on the way there or back{beside}",
    fix: "See by a capture at {element} whether {what} arrives and what becomes of the answer. What stands behind address translation and sends nothing for a minute cannot be reached any more: let it send keep-alives or register more often. Record for at least 32 seconds to see how it ends.",
    sentences: &[
        (
            "why-numbered",
            "the log numbers what is sent again: {what} went to {element} at least {count} times, as is only done while nothing comes back: {element} is down, or packets get lost on the way there or back{beside}",
        ),
        (
            "why-answer",
            "{element} sends its {what} again, {count} copies so far, as is only done while no ACK comes, and there the record ends{beside}",
        ),
        (
            "fix-answer",
            "Look further on for an ACK with CSeq {cseq}, the number of the INVITE that it confirms. If none comes, {element} hangs up 32 seconds after its first {what}: a capture at both ends shows who loses the ACK, or sends a wrong one.",
        ),
        ("repeated", "copy {count} of it"),
        ("other", "an ACK for another number"),
    ],
    confirm: "a capture at {element}",
    check,
    ..Rule::PLAIN
};

/// Copies of a request that are no accident, and those that a slow answer does not explain either.
const SOME: usize = 4;
const MANY: usize = 5;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.outcome != Outcome::Unfinished {
        return;
    }
    if call.has_beginning() {
        request(call, found);
    }
    if call.method == Method::Invite || !call.has_beginning() {
        answer(call, found);
    }
}

// How often a message was sent: as was seen, or as the log numbers it.
fn copies(call: &Call, sent: impl Iterator<Item = usize>) -> (usize, bool) {
    let (mut seen, mut numbered) = (0, 0);
    for stored in sent.filter_map(|index| call.messages.get(index)) {
        seen += 1;
        numbered = numbered.max(usize::from(stored.stamp.repeat) + 1);
    }
    (seen.max(numbered), numbered > seen)
}

fn request(call: &Call, found: &mut Findings) {
    let unanswered = |t: &&Transaction| {
        let request = t.request().and_then(|index| call.messages.get(index));
        let lossy = |m: &Stored| m.stamp.transport.is_none_or(|t| t == Transport::Udp);
        !t.is_answered() && request.is_some_and(|m| lossy(m) && call.is_of_beginning(m))
    };
    let Some(open) = call.transactions().iter().rfind(unanswered) else {
        return;
    };
    let (count, numbered) = copies(call, open.sends.iter().copied());
    let (Some(first), Some(&last)) = (open.request(), open.sends.last()) else {
        return;
    };
    let (severity, confidence) = match count {
        ..SOME => return,
        // Who numbers repeats goes by a timer, not by what was seen of it.
        SOME..MANY if !numbered => (Severity::Info, Confidence::Possible),
        _ => (Severity::Warning, Confidence::Likely),
    };
    let role = Role::Contributing;
    let Some(finding) = found.add_with(severity, role, confidence, Acts::Network) else {
        return;
    };
    let (Some(request), Some(repeat)) = (call.messages.get(first), call.messages.get(last)) else {
        return;
    };
    let span = request.time().zip(repeat.time()).map(|(a, b)| b - a);
    if numbered || span.is_none() {
        finding.why("why-numbered");
    }
    let args = Args::new()
        .text("what", request.message().method_name())
        .with("beside", unreachable(request))
        .count("count", count)
        .duration("span", span.unwrap_or(0));
    finding.element(receiver(request)).args(args);
    finding.proof(Evidence::start_line(last, repeat, note("repeated")));
}

// A Request-URI that only the machine of the one who is asked can use.
fn unreachable(request: &Stored) -> Value {
    let uri = request.message().request_uri();
    let uri = uri.and_then(|uri| Uri::parse(uri.of(&request.raw)));
    let ip = uri.and_then(|uri| Host::of(uri.host)).and_then(Host::ip);
    let of_machine = |ip: &std::net::IpAddr| address::class(*ip).is_of_machine();
    let to = request.stamp.destination.map(|at| at.ip());
    let Some(ip) = ip.filter(|ip| of_machine(ip) && to.is_some_and(|to| to != *ip)) else {
        return Value::nothing();
    };
    let args = Args::new()
        .text("host", ip.to_string())
        .said("class", address::class(ip).name());
    let said = ". The Request-URI names {host}, {class}: whoever registered gave an address there that nobody else can use";
    (said, args).into()
}

fn answer(call: &Call, found: &mut Findings) {
    let open = call.finals.iter().find(|f| {
        let accepted = (200..300).contains(&f.code);
        let answer = call.messages.get(f.message);
        accepted
            && answer.is_some_and(|m| {
                m.head.method == Method::Invite && acknowledgement(call, m).is_none()
            })
    });
    let Some(open) = open else { return };
    let sent = std::iter::once(open.message).chain(open.repeats.iter().copied());
    let (count, _) = copies(call, sent);
    let (Some(answer), true) = (call.messages.get(open.message), count > 1) else {
        return;
    };
    let role = Role::Contributing;
    let (severity, possible) = (Severity::Info, Confidence::Possible);
    let Some(finding) = found.add_with(severity, role, possible, Acts::Caller) else {
        return;
    };
    let other = call
        .requests(Method::Ack)
        .find(|(_, m)| m.keys.to_tag == answer.keys.to_tag && m.cseq() != answer.cseq());
    let beside = other.map_or_else(Value::nothing, |(_, ack)| {
        let numbers = Args::new()
            .text("acked", ack.cseq().to_string())
            .text("cseq", answer.cseq().to_string());
        let said =
            ". The ACK that is there has CSeq {acked}, and the INVITE that was answered has {cseq}";
        (said, numbers).into()
    });
    let args = Args::new()
        .with(
            "what",
            ("{code} to INVITE", Args::new().code("code", open.code)),
        )
        .text("cseq", answer.cseq().to_string())
        .with("beside", beside)
        .count("count", count);
    finding
        .element(sender(answer))
        .why("why-answer")
        .fix("fix-answer")
        .args(args);
    let last = open.repeats.last().copied().unwrap_or(open.message);
    if let Some((at, ack)) = other {
        finding.proof(Evidence::header(at, ack, "CSeq", note("other")));
    }
    if let Some(repeat) = call.messages.get(last) {
        finding.proof(Evidence::header(last, repeat, "CSeq", note("repeated")));
    }
}
