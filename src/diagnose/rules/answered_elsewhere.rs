//! K3: another device took the call, so this one stops ringing.

use super::super::finding::{Evidence, Template, note, receiver, sender};
use super::super::{
    Acts, Args, Causes, Confidence, Context, Findings, Frequency, Role, Rule, Severity,
};
use crate::message::{Method, typed};
use crate::session::clock::SECOND;
use crate::session::{Call, Cancel, Outcome, Stored, outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "answered-elsewhere",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    codes: &[487],
    causes: &[("Q.850", Causes::Only(&[26]))],
    rfc: &[(3261, "16.7"), (3326, "3.1")],
    title: "another device answered the call",
    why: "{winner} answered, so {element} stopped the ringing at {loser}: its CANCEL and 487 are as they should be",
    fix: "Leave it as it is. If a phone shows such a call as missed, let the server put `Reason: SIP;cause=200;text=\"Call completed elsewhere\"` into the CANCEL and choose phones that heed it.",
    sentences: &[
        (
            "why-said",
            "the CANCEL says in Reason ({said}) that the call was answered on another device; that answer is not in the capture",
        ),
        ("winner", "the device that took the call"),
        ("cancel", "the ringing is stopped at {loser}"),
        ("reason", "what the CANCEL says"),
    ],
    check,
    ..Rule::PLAIN
};

/// An answer is seen this much later than the CANCEL that it caused, where hops are recorded apart.
const SLACK: i64 = SECOND;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || !call.has_cancel() {
        return;
    }
    let whole = context.whole.unwrap_or(call);
    let cancels = call.cancels();
    let lost = cancels
        .iter()
        .filter(|cancel| !cancel.passed_on || context.whole.is_some())
        .find_map(|cancel| Some((cancel, winner(whole, call, cancel)?)))
        .filter(|(cancel, winner)| !is_same_device(call, cancel, winner));
    if let Some((cancel, winner)) = lost {
        let role = Role::Contributing;
        let Some(finding) = found.add_as(role, Confidence::Certain, Acts::Nobody) else {
            return;
        };
        finding.element(sender(cancel.message)).args(
            Args::new()
                .text("winner", sender(winner))
                .text("loser", receiver(cancel.message)),
        );
        let own = call.originals().find(|(_, m)| std::ptr::eq(*m, winner));
        if let Some((at, winner)) = own {
            finding.proof(Evidence::start_line(at, winner, note("winner")));
        }
        finding.proof(Evidence::start_line(
            cancel.index,
            cancel.message,
            stopped(cancel),
        ));
        return;
    }
    let said = cancels.iter().find(|cancel| says_so(cancel.message));
    let Some(said) = said.filter(|_| call.outcome != Outcome::Succeeded) else {
        return;
    };
    // The header may lie: where the caller's own CANCEL is seen, nobody else answered.
    if outcome::callers_cancel(whole).is_some_and(|cancel| !says_so(cancel)) {
        return;
    }
    let role = match call.outcome {
        Outcome::Cancelled => Role::Cause,
        _ => Role::Contributing,
    };
    let Some(finding) = found.add_as(role, Confidence::Likely, Acts::Nobody) else {
        return;
    };
    let text = said.message.message().text("Reason").unwrap_or_default();
    finding.why("why-said").element(sender(said.message));
    finding.args(
        Args::new()
            .text("said", text)
            .text("loser", receiver(said.message)),
    );
    finding.proof(Evidence::start_line(
        said.index,
        said.message,
        stopped(said),
    ));
    finding.proof(Evidence::header(
        said.index,
        said.message,
        "Reason",
        note("reason"),
    ));
}

// Did the branch that was stopped answer into the same dialog?
fn is_same_device(call: &Call, cancel: &Cancel<'_>, winner: &Stored) -> bool {
    let invite = cancel.invite;
    let crossed = invite.and_then(|invite| call.answer_in(invite, 200..=299));
    crossed.is_some_and(|(_, answer)| answer.keys.to_tag == winner.keys.to_tag)
}

fn stopped(cancel: &Cancel<'_>) -> Template {
    let to = Args::new().text("loser", receiver(cancel.message));
    Template::new("cancel", to)
}

// The 2xx of another branch or leg that came before the CANCEL of this one.
fn winner<'a>(whole: &'a Call, call: &Call, cancel: &Cancel<'_>) -> Option<&'a Stored> {
    let invite = cancel
        .invite?
        .request()
        .and_then(|at| call.messages.get(at))?;
    let (hop, at) = (invite.keys.transaction, cancel.message.time());
    let in_time = |m: &Stored| match (m.time(), at) {
        (Some(answered), Some(cancelled)) => answered <= cancelled + SLACK,
        _ => true,
    };
    let finals = whole.all_legs().flat_map(|leg| {
        let of_leg = leg
            .finals
            .iter()
            .filter_map(|f| leg.messages.get(f.message));
        of_leg.filter(|m| {
            // A branch that was begun later did not cause the CANCEL but follows it.
            let begun = leg.asked(m).and_then(|(_, asked)| asked.time());
            leg.is_of_beginning(m)
                && m.head.code().is_some_and(|c| (200..300).contains(&c))
                && (begun.is_none() || begun <= at)
        })
    });
    // The answer that reached furthest back is the one of the device.
    let canceller = cancel.message.stamp.sender();
    let own_answer = |m: &Stored| {
        m.keys.transaction == hop
            || m.head.vias < invite.head.vias
            || m.stamp.sender().is(canceller)
    };
    finals
        .filter(|m| in_time(m) && !own_answer(m))
        .max_by_key(|m| m.head.vias)
}

/// Does a CANCEL say that the call was answered on another device (RFC 3326 §3.1)?
pub(super) fn says_so(cancel: &Stored) -> bool {
    typed::reasons(cancel.message()).iter().any(|r| {
        let protocol = r.protocol.to_ascii_uppercase();
        matches!(
            (protocol.as_str(), r.cause),
            ("SIP", Some(200)) | ("Q.850", Some(26))
        )
    })
}
