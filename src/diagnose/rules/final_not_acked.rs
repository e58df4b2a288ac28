//! T7: a refusal of an INVITE is repeated because its ACK does not come.

use super::super::blame::acts_of_sender;
use super::super::finding::{Evidence, Finding, Template, note, receiver, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use super::from_to_changed;
use crate::layers::Transport;
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Stored, Transaction};

/// The rule.
pub static RULE: Rule = Rule {
    id: "final-not-acked",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[(3261, "17.1.1.3"), (3261, "17.2.1")],
    title: "the {code} was never acknowledged",
    why: "{element} sent its {code} {copies} times because no ACK came from {client}: either the {code} does not arrive there, or {client} sends no ACK",
    fix: "Capture at {client}. If the {code} arrives there, the client has to answer it with an ACK in the same transaction; if it does not, look for what drops it on the way (NAT, firewall, wrong Via).",
    sentences: &[
        (
            "why-lost",
            "{client} went on repeating its INVITE after {element} had answered {code}, and {element} sent that {copies} times: {client} does not get the answers, or drops them, so to it the call has no answer at all",
        ),
        (
            "fix-lost",
            "Capture at {client}, or read its log. If the answers arrive there, see why it drops them (changed Via, tags or CSeq). If not, check the way from {element} back to {client}: the answer goes to the address in the topmost Via, or to the source address where the client asks for `rport` (RFC 3581). A NAT, a firewall or a wrong Via stops it.",
        ),
        (
            "why-changed",
            "{client} went on repeating its INVITE after {element} had answered {code}, and {element} sent that {copies} times; {header} of these answers is not that of the INVITE, so {client} most likely takes them for none of its own, and to it the call has no answer at all",
        ),
        (
            "fix-changed",
            "Find what rewrites {header} at {element} (a number plan, a script, a setting that hides addresses), and let it put the address of the INVITE back into its answers. If {client} goes on repeating then, capture there to see whether the answers arrive.",
        ),
        (
            "why-branch",
            "{client} sent an ACK with another branch than its INVITE, so {element} cannot tell what it acknowledges and sent its {code} {copies} times",
        ),
        (
            "fix-branch",
            "Correct {client}: the ACK to a refusal has the topmost Via of the INVITE, branch included, its Request-URI and its CSeq number. Only the ACK to a 2xx is a transaction of its own.",
        ),
        (
            "why-sequence",
            "{client} sent an ACK with the sequence number {got} for the INVITE with number {want}, so it acknowledges nothing and {element} sent its {code} {copies} times",
        ),
        (
            "fix-sequence",
            "Correct {client}: the ACK carries the CSeq number of the INVITE that it ends, also when a new INVITE with credentials follows.",
        ),
        ("answer", "sent {copies} times"),
        ("invite", "the INVITE"),
        ("again", "the INVITE once more, though it was answered"),
        ("changed", "the INVITE had {had} here"),
        ("sent", "the ACK that does not fit"),
    ],
    explains: &[],
    check,
    ..Rule::PLAIN
};

// The first copy after T1 may cross the ACK.
const COPIES: usize = 3;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.finals.iter().all(|f| f.repeats.len() + 1 < COPIES) {
        return;
    }
    let unacknowledged = |t: &&Transaction| {
        let udp = |index: &usize| {
            let stored = call.messages.get(*index);
            stored.is_some_and(|m| m.stamp.transport == Some(Transport::Udp))
        };
        t.method == Method::Invite
            && t.finals.len() >= COPIES
            && t.acks.is_empty()
            && t.sends.first().is_some_and(udp)
    };
    for transaction in call.transactions().iter().filter(unacknowledged) {
        let Some((request, answer, copies)) = refusal(call, transaction) else {
            continue;
        };
        if is_scan(call, request) {
            return;
        }
        let what = what_happened(call, transaction, request, answer);
        let changed = match what {
            What::Lost(_) => from_to_changed::changed(call, answer.0, answer.1),
            _ => None,
        };
        let acts = match what {
            What::Lost(_) if changed.is_some() => acts_of_sender(call, answer.1),
            What::Lost(_) => Acts::Network,
            _ => acts_of_sender(call, request.1),
        };
        let confidence = match what {
            What::Silent(_) => Confidence::Likely,
            _ => Confidence::Certain,
        };
        // To the one who asks, the call ran out of time.
        let (severity, role) = match what {
            What::Lost(_) => (Severity::Error, Role::Cause),
            _ => (Severity::Warning, Role::Contributing),
        };
        if let Some(finding) = found.add_with(severity, role, confidence, acts) {
            tell(finding, &what, request, answer, copies);
            if let Some((name, header, had)) = changed {
                let args = Args::new().text("header", name);
                finding.why("why-changed").fix("fix-changed").args(args);
                let note = Template::new("changed", Args::new().text("had", had));
                finding.proof(Evidence::of_header(answer.0, header, header.value, note));
            }
        }
        return;
    }
}

type Placed<'a> = (usize, &'a Stored);

// The INVITE, the refusal that was repeated, and how often it was sent.
fn refusal<'a>(
    call: &'a Call,
    transaction: &Transaction,
) -> Option<(Placed<'a>, Placed<'a>, usize)> {
    let stored = |index: usize| Some((index, call.messages.get(index)?));
    let request = stored(transaction.request()?)?;
    let answer = stored(*transaction.finals.first()?)?;
    let code = answer.1.head.code().filter(|code| *code >= 300)?;
    let same = transaction.finals.iter().filter(|&&index| {
        call.messages
            .get(index)
            .is_some_and(|m| m.head.code() == Some(code))
    });
    let copies = same.count();
    (copies >= COPIES).then_some((request, answer, copies))
}

// Whoever looks for open servers acknowledges nothing.
fn is_scan(call: &Call, (index, _): Placed<'_>) -> bool {
    const SCANNERS: [&str; 6] = [
        "scanner",
        "sipvicious",
        "sipcli",
        "sipsak",
        "sundayddr",
        "vaxsip",
    ];
    let agent = call
        .fields(index)
        .text(crate::message::field::Field::UserAgent);
    agent.is_some_and(|agent| {
        let agent = agent.to_ascii_lowercase();
        SCANNERS.iter().any(|name| agent.contains(name))
    })
}

enum What<'a> {
    /// No ACK was seen. The INVITE was perhaps repeated for a while after it was answered.
    Silent(Option<Placed<'a>>),
    /// The INVITE was repeated to the end after it was answered.
    Lost(Placed<'a>),
    /// An ACK has another branch.
    Branch(Placed<'a>),
    /// An ACK has another sequence number.
    Sequence(Placed<'a>),
}

fn what_happened<'a>(
    call: &'a Call,
    transaction: &Transaction,
    request: Placed<'a>,
    answer: Placed<'a>,
) -> What<'a> {
    let again = transaction.sends.iter().rfind(|&&index| index > answer.0);
    let again = again.and_then(|&index| Some((index, call.messages.get(index)?)));
    if let Some(again) = again.filter(|_| went_on(call, transaction)) {
        return What::Lost(again);
    }
    let own = |m: &Stored| {
        m.stamp.sender().is(request.1.stamp.sender())
            && m.keys.from_tag == request.1.keys.from_tag
            && m.keys.to_tag == answer.1.keys.to_tag
    };
    let asked = |cseq: u32| {
        let mut invites = call.requests(Method::Invite);
        invites.any(|(_, m)| m.cseq() == cseq)
    };
    let mut acks = call.requests(Method::Ack).filter(|(_, m)| own(m));
    match acks.find(|(_, m)| m.cseq() == request.1.cseq() || !asked(m.cseq())) {
        Some(ack) if ack.1.cseq() == request.1.cseq() => What::Branch(ack),
        Some(ack) => What::Sequence(ack),
        None => What::Silent(again),
    }
}

// Who has no answer asks until Timer B runs out (RFC 3261 §17.1.1.2), or as far as anything was seen. Who
// stops before has taken one, or was stopped.
fn went_on(call: &Call, transaction: &Transaction) -> bool {
    const LAST: i64 = 31 * SECOND;
    let time = |index: &usize| call.messages.get(*index)?.time();
    let mut sends = transaction.sends.iter().filter_map(time);
    let (Some(first), Some(last)) = (sends.next(), sends.next_back()) else {
        return false;
    };
    let before = sends.next_back().unwrap_or(first);
    let next = last + 2 * (last - before) + SECOND;
    last - first >= LAST || call.seen_until.is_none_or(|end| end < next)
}

fn tell(
    finding: &mut Finding,
    what: &What<'_>,
    (asked, request): Placed<'_>,
    (index, answer): Placed<'_>,
    copies: usize,
) {
    finding.element(sender(answer)).args(
        Args::new()
            .code("code", answer.head.code().unwrap_or(0))
            .count("copies", copies)
            .text("client", receiver(answer)),
    );
    let sent = Template::new("answer", Args::new().count("copies", copies));
    finding.proof(Evidence::start_line(index, answer, sent));
    match *what {
        What::Silent(again) => {
            if let Some((at, again)) = again {
                finding.proof(Evidence::start_line(at, again, note("again")));
            }
        }
        What::Lost((at, again)) => {
            finding.why("why-lost").fix("fix-lost");
            finding.proof(Evidence::start_line(at, again, note("again")));
        }
        What::Branch((at, ack)) => {
            finding.why("why-branch").fix("fix-branch");
            finding.proof(Evidence::header(asked, request, "Via", note("invite")));
            finding.proof(Evidence::header(at, ack, "Via", note("sent")));
        }
        What::Sequence((at, ack)) => {
            finding.why("why-sequence").fix("fix-sequence").args(
                Args::new()
                    .text("want", request.cseq().to_string())
                    .text("got", ack.cseq().to_string()),
            );
            finding.proof(Evidence::header(asked, request, "CSeq", note("invite")));
            finding.proof(Evidence::header(at, ack, "CSeq", note("sent")));
        }
    }
}
