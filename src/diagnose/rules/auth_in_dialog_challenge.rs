//! A8: somebody asks for credentials in the middle of a call and gets none.

use super::super::digest::challenge_header;
use super::super::finding::{Evidence, Template, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Product, Role, Rule, Severity,
};
use crate::message::Method;
use crate::session::clock::SECOND;
use crate::session::{Call, Final, Outcome, Side, Step, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-in-dialog-challenge",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    codes: &[401, 407],
    rfc: &[(3261, "22.1"), (3261, "22.2")],
    title: "the {method} in the middle of the call was asked for a password",
    why: "{element} answered the {method} of {asked} with {code}, and {asked} sent no credentials in the {waited} that followed: what the {method} should do was not done",
    fix: "Have {element} take requests inside a call that it has let in without asking again, or give {asked} the credentials for realm {realm}. If {asked} is known by its address, check that requests inside the call reach the same address and port of {element} as the INVITE.",
    sentences: &[
        (
            "why-bye",
            "{asked} hung up, {element} answered the BYE with {code}, and {asked} sent no credentials in the {waited} that followed: for {element} the call goes on, and so may billing and the line of the other side",
        ),
        (
            "why-cancel",
            "{element} answered a CANCEL with {code}, though a CANCEL cannot be repeated with credentials: RFC 3261 forbids to ask for them, and the call goes on ringing",
        ),
        (
            "fix-cancel",
            "Have {element} take a CANCEL without credentials: it is checked against the INVITE that it belongs to.",
        ),
        ("request", "inside the call"),
        ("cancel", "it belongs to the INVITE"),
        ("asked", "credentials are asked for"),
        ("silence", "no {method} with credentials"),
    ],
    explains: &[
        "half-dead-call",
        "refresh-rejected",
        "bye-unanswered",
        "caller-abandoned",
        "no-answer-timeout",
        "ring-no-answer",
    ],
    settings: &[
        (
            Product::Kamailio,
            "On Kamailio ask for credentials only where has_totag() is false.",
        ),
        (
            Product::OpenSips,
            "On OpenSIPS ask for credentials only where has_totag() is false.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// A client answers a challenge at once; a BYE is not followed longer than this, nanoseconds.
const AT_ONCE: i64 = 4 * SECOND;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite {
        return;
    }
    let open = |f: &&Final| matches!(f.code, 401 | 407) && f.step.is_none();
    let mut challenged = call.finals.iter().filter(open);
    let Some((asked_at, asked, request)) = challenged.find_map(|f| in_dialog(call, f.message))
    else {
        return;
    };
    let cancel = request.1.head.method == Method::Cancel;
    let waited = asked
        .time()
        .zip(call.seen_until)
        .map(|(from, until)| until - from);
    let Some(waited) = waited.filter(|waited| cancel || *waited >= AT_ONCE) else {
        return;
    };
    if !cancel && again(call, asked_at, asked) {
        return;
    }
    let confidence = match cancel || waited >= 32 * SECOND {
        true => Confidence::Certain,
        false => Confidence::Likely,
    };
    let acts = match (asked.head.code(), call.side(asked)) {
        (Some(407), _) => Acts::Proxy,
        (_, Some(Side::Caller)) => Acts::Caller,
        _ => Acts::Callee,
    };
    // Nothing was cancelled, and nothing else ended the call.
    let (severity, role) = match cancel && call.outcome == Outcome::Cancelled && !ended(call) {
        true => (Severity::Error, Role::Cause),
        false => (Severity::Warning, Role::Contributing),
    };
    let Some(finding) = found.add_with(severity, role, confidence, acts) else {
        return;
    };
    let (at, request) = request;
    if cancel {
        finding.explains = role == Role::Cause;
        finding.why("why-cancel").fix_alone("fix-cancel");
    } else if request.head.method == Method::Bye {
        finding.why("why-bye");
    }
    let challenge = crate::message::typed::challenges(asked.message())
        .into_iter()
        .next();
    let method = request.message().method_name();
    finding.element(sender(asked)).args(
        Args::new()
            .text("method", method.clone())
            .text("asked", sender(request))
            .code("code", asked.head.code().unwrap_or(407))
            .text("realm", challenge.map_or_else(String::new, |c| c.realm))
            .duration("waited", waited),
    );
    let header = challenge_header(asked.head.code() == Some(407));
    let shown = if cancel { "cancel" } else { "request" };
    finding.proof(Evidence::start_line(at, request, note(shown)));
    finding.proof(Evidence::header(asked_at, asked, header, note("asked")));
    if let Some(from) = asked.time().filter(|_| !cancel) {
        finding.proof(Evidence::Absence {
            message: asked_at,
            from,
            until: from + waited,
            note: Template::new("silence", Args::new().text("method", method)),
        });
    }
}

fn ended(call: &Call) -> bool {
    let of_beginning = |f: &Final| {
        let answer = call.messages.get(f.message);
        f.step.is_none_or(|step| step == Step::Cancelled)
            && answer.is_some_and(|m| call.is_of_beginning(m))
    };
    call.finals.iter().any(of_beginning)
}

// The challenge nearest the one who is asked, and the request that it answers; none where it
// belongs to the beginning.
type Challenged<'c> = (usize, &'c Stored, (usize, &'c Stored));

fn in_dialog(call: &Call, index: usize) -> Option<Challenged<'_>> {
    let first = call.messages.get(index)?;
    let same = |m: &Stored| {
        m.head.code() == first.head.code()
            && m.head.method == first.head.method
            && m.cseq() == first.cseq()
            && m.keys.from_tag == first.keys.from_tag
    };
    let sightings = call.originals().filter(|(_, m)| same(m));
    let (at, asked) = sightings.min_by_key(|(_, m)| m.head.vias)?;
    let mut requests = call.originals().filter(|(_, m)| m.head.is_request());
    let request = requests.find(|(_, m)| {
        m.keys.transaction == asked.keys.transaction && m.head.method == asked.head.method
    })?;
    let inside = asked.head.method == Method::Cancel
        || (!request.1.head.to_tag.is_empty() && !call.is_of_beginning(asked));
    inside.then_some((at, asked, request))
}

// A later request with the same purpose, or a repeat because the challenge did not arrive.
fn again(call: &Call, after: usize, asked: &Stored) -> bool {
    let mut later = call.messages.iter().skip(after + 1);
    later.any(|m| {
        m.head.is_request()
            && m.head.method == asked.head.method
            && m.keys.from_tag == asked.keys.from_tag
    })
}
