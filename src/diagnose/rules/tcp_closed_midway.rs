//! X4: the connection that carried a request was closed, reset or dead before the answer came.

use super::super::asides::QUIET;
use super::super::blame;
use super::super::connect;
use super::super::finding::{Evidence, Finding, Template, deciding, note};
use super::super::silence::GAVE_UP;
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::layers::Wire;
use crate::message::Method;
use crate::session::aside::{Connection, What};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Side, Stored, Transaction};

/// The rule.
pub static RULE: Rule = Rule {
    id: "tcp-closed-midway",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[Need::Time, Need::Addresses, Need::Packets],
    rfc: &[(3261, "18.4"), (3261, "18.2.2"), (5626, "4.4.1")],
    title: "the connection to {element} ended before the answer",
    why: "{element} {ended} the connection {after} after it had got the {method}, and no final answer came: whoever waited for it has nothing left to get it over",
    fix: "Look at the log of {element} for that second: a process that crashed or was restarted, a limit on connections or on their life, or a message that it could not read and hung up on. It should keep a connection open as long as a transaction on it is not over.",
    sentences: &[
        (
            "why-own",
            "{sender} itself {ended} the connection {after} after it had sent the {method}, before a final answer could come",
        ),
        (
            "fix-own",
            "Let {sender} keep a connection open until its requests are answered: a timeout for idle connections that is shorter than ringing takes, or a program that closes after it has sent, has to be changed there.",
        ),
        (
            "why-stale",
            "the connection to {element} had been quiet for {quiet}; the {method} was sent over it and answered with RST: the server, or a NAT, firewall or load balancer before it, has most likely forgotten the connection, and {sender} did not know",
        ),
        (
            "why-unheard",
            "the {method} was sent {copies} times over {span} by TCP and {element} acknowledged none: it is gone, or the way to it is cut, and the connection is dead at one end only",
        ),
        (
            "why-unheard-quiet",
            "the {method} was sent {copies} times over {span} by TCP and {element} acknowledged none; the connection had been quiet for {quiet} before, so a NAT, firewall or load balancer between the two has most likely forgotten it",
        ),
        (
            "fix-quiet",
            "Let {sender} keep the connection alive: a CRLF every 30 to 120 s (RFC 5626), TCP keep-alive below the idle time of the NAT, firewall or load balancer, or a registration that is renewed more often. Or raise that idle time, which is often 300 to 900 s.",
        ),
        (
            "fix-unheard",
            "Check whether {element} is up and whether packets reach it from {sender}. Where machines are moved or restarted behind one address, let {sender} notice a dead connection sooner (TCP keep-alive, CRLF keep-alive of RFC 5626) and connect anew.",
        ),
        ("request", "sent over that connection; no final answer came"),
        ("ended", "before a final answer came"),
        ("unheard", "no acknowledgement"),
        ("gave-up", "what became of it"),
    ],
    explains: &[
        "request-no-response",
        "reg-timeout",
        "408-origin",
        "trying-then-silence",
        "generic-5xx-with-reason",
        "next-hop-unresolvable",
        "bye-unanswered",
        "no-answer-timeout",
    ],
    confirm: "a capture of both directions of that connection",
    check,
    ..Rule::PLAIN
};

/// Whoever closes only after this long gave up waiting, nanoseconds.
const GAVE_UP_AFTER: i64 = 20 * SECOND;

/// The end of a connection under a request that was never answered.
struct End<'a> {
    aside: usize,
    connection: &'a Connection,
    request: &'a Stored,
    /// From the request to the end, nanoseconds.
    after: i64,
    decides: bool,
    gave_up: Option<(usize, &'a Stored)>,
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.asides.is_empty() {
        return;
    }
    let ends = (0..call.asides.len()).filter_map(|index| end(call, index));
    let Some(end) = ends.min_by_key(|end| (!end.decides, end.aside)) else {
        return;
    };
    let (severity, role) = match end.decides {
        true => (Severity::Error, Role::Cause),
        false => (Severity::Warning, Role::Contributing),
    };
    let own = end.is_own();
    let to = end.request.stamp.destination.map(|to| to.ip());
    // On one machine only the side tells the ends apart.
    let source = end.request.stamp.source.map(|from| from.ip());
    let acts = match (end.is_forgotten(), own, to) {
        (true, ..) | (_, _, None) => Acts::Network,
        (_, true, _) => Acts::Caller,
        (_, false, Some(to)) if source == Some(to) => {
            let other = call.side(end.request).map(Side::other);
            other.map_or(Acts::Callee, |side| blame::acts_of(call, side))
        }
        (_, false, Some(to)) => connect::owner(call, to),
    };
    // Who took the request and then reset the connection looks the same.
    let is_guess = end.is_forgotten() && matches!(end.connection.wire, Wire::Reset { .. });
    let confidence = match found.has("capture-one-sided") {
        true => Confidence::Possible,
        false if is_guess => Confidence::Likely,
        false => Confidence::Certain,
    };
    if let Some(finding) = found.add_with(severity, role, confidence, acts) {
        tell(call, &end, finding);
    }
}

impl End<'_> {
    /// Did whoever sent the request end the connection?
    fn is_own(&self) -> bool {
        let source = self.request.stamp.source;
        let ended = matches!(
            self.connection.wire,
            Wire::Closed { .. } | Wire::Reset { .. }
        );
        ended && source == Some(self.connection.flow.source)
    }

    fn quiet(&self) -> i64 {
        match self.connection.wire {
            Wire::Closed { quiet, .. }
            | Wire::Reset { quiet, .. }
            | Wire::Unheard { quiet, .. } => quiet,
            _ => 0,
        }
    }

    /// Was it forgotten on the way, or is the other end gone?
    fn is_forgotten(&self) -> bool {
        let at_once = self.after <= 2 * SECOND && self.quiet() >= QUIET && !self.is_own();
        match self.connection.wire {
            Wire::Reset { .. } => at_once,
            Wire::Unheard { .. } => true,
            _ => false,
        }
    }
}

fn end(call: &Call, index: usize) -> Option<End<'_>> {
    let aside = call.asides.get(index)?;
    let What::Wire(connection) = &aside.what else {
        return None;
    };
    if connection.is_attempt() {
        return None;
    }
    let request = call.messages.get(connection.message)?;
    let transaction = call.transaction_of(connection.message)?;
    if !transaction.finals.is_empty() {
        return None;
    }
    // What is not acknowledged may be something else than the request.
    let by_sender = request.stamp.source == Some(connection.flow.source);
    if matches!(connection.wire, Wire::Unheard { .. }) && !by_sender {
        return None;
    }
    let (decides, gave_up) = decided(call, transaction, request);
    let end = End {
        aside: index,
        connection,
        request,
        after: aside.began()? - request.time()?,
        decides,
        gave_up,
    };
    // Who hangs up may close the connection at once; only one that is dead keeps the other talking.
    let hung_up = matches!(request.head.method, Method::Bye | Method::Cancel);
    let harmless = hung_up && !end.is_forgotten();
    let gave_up = end.is_own() && end.after >= GAVE_UP_AFTER;
    let heard = match connection.wire {
        Wire::Closed { heard, .. } | Wire::Reset { heard, .. } => heard,
        _ => true,
    };
    // An answer that the capture could not show may have come.
    (!harmless && !gave_up && heard).then_some(end)
}

// Did the request decide how the call ended? It was never answered, or whoever sent it gave up on
// it and answered in turn.
fn decided<'a>(
    call: &'a Call,
    transaction: &Transaction,
    request: &Stored,
) -> (bool, Option<(usize, &'a Stored)>) {
    if !call.is_of_beginning(request) || transaction.method != call.method {
        return (false, None);
    }
    match (call.outcome, deciding(call)) {
        (Outcome::TimedOut, _) => (true, None),
        (Outcome::Failed, Some((index, answer))) => {
            let by_sender = answer.stamp.sender().is(request.stamp.sender())
                && answer.keys.transaction != request.keys.transaction
                && GAVE_UP.contains(&call.code().unwrap_or(0));
            (by_sender, Some((index, answer)).filter(|_| by_sender))
        }
        _ => (false, None),
    }
}

fn tell(call: &Call, end: &End<'_>, finding: &mut Finding) {
    let (quiet, span) = (
        end.quiet(),
        call.asides.get(end.aside).map_or(0, |aside| {
            aside.time.map_or(0, |t| t.0) - aside.began().unwrap_or(0)
        }),
    );
    let (why, fix, copies) = match end.connection.wire {
        Wire::Unheard { copies, .. } if quiet >= QUIET => {
            ("why-unheard-quiet", "fix-quiet", copies)
        }
        Wire::Unheard { copies, .. } => ("why-unheard", "fix-unheard", copies),
        _ if end.is_own() => ("why-own", "fix-own", 1),
        _ if end.is_forgotten() => ("why-stale", "fix-quiet", 1),
        _ => ("why", "fix", 1),
    };
    let ended = match end.connection.wire {
        Wire::Reset { .. } => "reset",
        _ => "closed",
    };
    let address = |end: Option<std::net::SocketAddr>| end.map(|end| end.to_string());
    let stamp = &end.request.stamp;
    finding
        .element(address(stamp.destination).unwrap_or_default())
        .why(why)
        .fix(fix)
        .args(
            Args::new()
                .text("sender", address(stamp.source).unwrap_or_default())
                .text("method", end.request.message().method_name())
                .said("ended", ended)
                .count("copies", copies.into())
                .duration("after", end.after)
                .duration("quiet", quiet)
                .duration("span", span),
        );
    let index = end.connection.message;
    finding.proof(Evidence::start_line(index, end.request, note("request")));
    let remark = match end.connection.wire {
        Wire::Unheard { .. } => "unheard",
        _ => "ended",
    };
    finding.proof(Evidence::Beside {
        message: index,
        aside: end.aside,
        note: Template::new(remark, Args::new()),
    });
    if let Some((index, answer)) = end.gave_up {
        finding.proof(Evidence::start_line(index, answer, note("gave-up")));
    }
}
