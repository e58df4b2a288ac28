//! D6: the same request reached one server twice, by two ways.

use super::super::finding::{Evidence, Value, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::typed;
use crate::session::call::Final;
use crate::session::{Call, Step, Stored, Transaction};

/// The rule.
pub static RULE: Rule = Rule {
    id: "merged-request-482",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[482],
    rfc: &[(3261, "8.2.2.2"), (3261, "21.4.20")],
    title: "{element} got the same call twice and refused the second copy{hid}",
    why: "{element} got {method} twice with the same Call-ID, From tag and CSeq on two branches, both from {sender}, and answered the second one 482: {sender} forked the call to two addresses that lead to the same server",
    fix: "Remove the duplicate at {sender}: two registered contacts of one phone (old bindings), two names or DNS records of one server, or a destination that stands twice in the list.",
    sentences: &[
        (
            "why-paths",
            "{element} got {method} twice with the same Call-ID, From tag and CSeq, once from {sender} and once from {other}, and answered the second copy 482: two ways lead to the same server",
        ),
        (
            "fix-paths",
            "Find where the call was split (before {sender} and {other}) and let only one of the two ways lead to {element}.",
        ),
        (
            "why-hunting",
            "{element} had answered the first copy of {method} with {other} when a second one came, on a new branch from {sender}, and answered that 482, because it still knew the call: the {other} ends the call, the 482 only took its place on the way to the caller",
        ),
        (
            "fix-hunting",
            "Let {sender} hand the {other} up and not ask {element} once more in the same call: two contacts of one phone that are tried one after the other, or a list of destinations in which one server stands twice.",
        ),
        (
            "why-open",
            "{element} answered the second copy of {method} 482, and {forker} handed that on although another way of the same call was still open (it had answered {sign}): that is why the call failed; a server that forks has to wait for a final answer on every way",
        ),
        (
            "fix-open",
            "Correct {forker}: let it wait for all ways and cancel those that are open before it hands a refusal up (RFC 3261 §16.7). Then let only one way lead to {element}, so that there is no second copy.",
        ),
        ("open", "this way was still open"),
        (
            "ended",
            "how the first copy ended: this is what ends the call",
        ),
        ("up", "the 482 goes to the caller"),
        (
            "why-said",
            "{element} answered 482 and says that it merged two requests; only one of them is in the capture",
        ),
        (
            "fix-said",
            "Look at {element} for a second copy of this call (same Call-ID) that came another way, and remove that way: duplicate contacts, two DNS records, or two proxies that both forward it.",
        ),
        ("first", "the first copy"),
        ("second", "the second copy, on another branch"),
        ("answer", "the second copy is refused"),
    ],
    confirm: "a capture at {element} that shows both copies",
    check,
    ..Rule::PLAIN
};

/// A copy that was refused with 482.
struct Merged<'a> {
    /// Index of the 482 among the final responses and the messages, and itself.
    number: usize,
    response_at: usize,
    response: &'a Stored,
    second_at: usize,
    second: &'a Stored,
    /// The copy before, where it is in the capture.
    first: Option<(usize, &'a Stored, &'a Transaction)>,
}

fn merged(call: &Call) -> Option<Merged<'_>> {
    let mut finals = call.finals.iter().enumerate();
    let (number, refused) = finals.find(|(_, f)| f.code == 482)?;
    let response = call.messages.get(refused.message)?;
    let (second_at, second) = call.asked(response)?;
    // Inside a dialog, or with its own sender on the way already: a loop, not a merge.
    let merged = second.head.to_tag.is_empty() && !passes_twice(second);
    merged.then(|| Merged {
        number,
        response_at: refused.message,
        response,
        second_at,
        second,
        first: twin(call, second),
    })
}

impl<'a> Merged<'a> {
    // What had ended the first copy before the second one came.
    fn hunted(&self, call: &'a Call) -> Option<(usize, &'a Stored)> {
        let (_, _, transaction) = self.first?;
        let (at, ended) = call.answer_in(transaction, 400..=699)?;
        // What asks for credentials ends nothing: who asks again keeps the number by mistake.
        let ends = !matches!(ended.head.code(), Some(401 | 407));
        let before = ended.time() <= self.second.time() && ended.time().is_some();
        (ends && before).then_some((at, ended))
    }
}

/// Where the call ended with a 482 to a second copy: index of the final response to the first copy,
/// which is what ended it and which the caller never saw.
pub(in super::super) fn hidden(call: &Call) -> Option<usize> {
    if call.code() != Some(482) {
        return None;
    }
    let (at, _) = merged(call)?.hunted(call)?;
    let is_last = |f: &Final| f.message == at && matches!(f.step, None | Some(Step::ForkLost));
    call.finals.iter().position(is_last)
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some(merged) = merged(call) else { return };
    let Merged {
        number,
        response_at,
        response,
        second_at,
        second,
        first,
    } = merged;
    let says = response.message().reason().is_some_and(|reason| {
        let phrase = reason.of(&response.raw).to_ascii_lowercase();
        memchr::memmem::find(&phrase, b"merge").is_some()
    });
    let confidence = match (first, says) {
        (Some((_, first, _)), _) if ports(first, second).is_none() => Confidence::Certain,
        // That two ports are one server is only what the 482 says.
        (Some(_), _) | (None, true) => Confidence::Likely,
        (None, false) => return,
    };
    let decides = call.decided_by == Some(number);
    // Only where the call is looked at as if that had decided it.
    let ends = deciding(call).map(|(at, _)| at);
    let hunted = merged.hunted(call).filter(|(at, _)| ends == Some(*at));
    let (severity, role) = match (decides, hunted) {
        // The caller was told the wrong reason.
        (_, Some(_)) => (Severity::Warning, Role::Contributing),
        (true, _) => (Severity::Error, Role::Cause),
        // The first copy goes on: the refusal of the second one harms nobody.
        (false, _) => (Severity::Info, Role::Contributing),
    };
    let acts = match first {
        // One INVITE alone, from the caller itself: nobody between is in the trace.
        None if second.head.vias <= 1 => Acts::Operator,
        _ => Acts::Proxy,
    };
    let Some(finding) = found.add_with(severity, role, confidence, acts) else {
        return;
    };
    let known = first.and_then(|(_, first, _)| ports(first, second));
    let hid = hunted.and_then(|(_, m)| m.head.code()).map(|code| {
        let args = Args::new().code("code", code);
        Value::from((", which hides the {code} to the first one", args))
    });
    let hid = hid.unwrap_or_else(Value::nothing);
    finding
        .element(known.unwrap_or_else(|| sender(response)))
        .args(
            Args::new()
                .text("method", second.message().method_name())
                .text("sender", sender(second))
                .with("hid", hid),
        );
    match first {
        Some((at, first, transaction)) => {
            finding.proof(Evidence::header(at, first, "Via", note("first")));
            let open = open(call, transaction, response).filter(|_| decides);
            if let Some((at, ended)) = hunted {
                finding.why("why-hunting").fix("fix-hunting");
                let code = ended.head.code().unwrap_or(0);
                finding.args(Args::new().code("other", code));
                finding.proof(Evidence::start_line(at, ended, note("ended")));
            } else if let Some((at, sign, up_at, up)) = open {
                finding.why("why-open").fix("fix-open");
                let code = sign.head.code().unwrap_or(100);
                finding.args(Args::new().text("forker", sender(up)).code("sign", code));
                finding.proof(Evidence::start_line(at, sign, note("open")));
                finding.proof(Evidence::start_line(up_at, up, note("up")));
            } else if !first.stamp.sender().is(second.stamp.sender()) {
                finding.why("why-paths").fix("fix-paths");
                finding.args(Args::new().text("other", sender(first)));
            }
        }
        None => {
            finding.why("why-said").fix("fix-said");
        }
    }
    finding.proof(Evidence::header(second_at, second, "Via", note("second")));
    finding.proof(Evidence::start_line(response_at, response, note("answer")));
}

// Both ports of the server, where the two copies went to different ones.
fn ports(first: &Stored, second: &Stored) -> Option<String> {
    let (a, b) = (first.stamp.destination?, second.stamp.destination?);
    let differ = a.ip() == b.ip() && a.port() != b.port();
    differ.then(|| format!("{} (ports {} and {})", a.ip(), a.port(), b.port()))
}

// A sign of the first copy that was taken over and is not ended, and the 482 as it was handed up by
// somebody before the server.
fn open<'a>(
    call: &'a Call,
    first: &Transaction,
    refusal: &Stored,
) -> Option<(usize, &'a Stored, usize, &'a Stored)> {
    let sign = *first.provisionals.first()?;
    let last = call.finals.iter().filter(|f| f.code == 482);
    let handed = last.filter_map(|f| Some((f.message, call.messages.get(f.message)?)));
    let (at, up) = handed.min_by_key(|(_, m)| m.head.vias)?;
    let relayed = up.head.vias < refusal.head.vias && first.finals.is_empty();
    relayed.then_some((sign, call.messages.get(sign)?, at, up))
}

/// Does one element stand twice among the Vias?
pub(super) fn passes_twice(request: &Stored) -> bool {
    let vias = typed::vias(request.message());
    let mut names: Vec<String> = vias
        .into_iter()
        .map(|via| via.sent_by.to_ascii_lowercase())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() < all
}

// The other copy that reached the same server: same CSeq, another branch.
fn twin<'a>(call: &'a Call, second: &Stored) -> Option<(usize, &'a Stored, &'a Transaction)> {
    let server = second.stamp.receiver();
    call.transactions().iter().find_map(|t| {
        let at = t.request()?;
        let m = call.messages.get(at)?;
        let same = m.head.method == second.head.method
            && m.cseq() == second.cseq()
            && m.keys.from_tag == second.keys.from_tag
            && m.keys.transaction != second.keys.transaction
            && m.stamp.receiver().is(server)
            && m.time() <= second.time();
        same.then_some((at, m, t))
    })
}
