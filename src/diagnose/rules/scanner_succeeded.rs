//! F1b: a scanner got what it looks for.

use super::super::digest::show_credentials;
use super::super::finding::{Evidence, Template, deciding, note, receiver, sender};
use super::super::{
    Across, Acts, Args, Confidence, Context, Findings, Frequency, Ledger, Rule, Severity,
};
use super::scanner_traffic::fingerprint;
use crate::message::{Header, Method, typed};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "scanner-succeeded",
    severity: Severity::Error,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "26.1.1")],
    title: "a scanner got in at {element}",
    why: "{source} sends what programs send that guess names and passwords ({agent}), and {element} accepted its REGISTER for {user}, without asking for a password: it can take the calls of {user} and, where that is enough, call at your cost",
    fix: "Block {source} now, unless this is a test of your own. Let {element} ask for a password before it registers anybody, remove the bindings that you do not know, and look through the calls since then for fraud.",
    sentences: &[
        (
            "why-password",
            "{source} sends what programs send that guess names and passwords ({agent}); {element} refused {refused} of its passwords for {user} in this registration and then took one: somebody else has the account",
        ),
        (
            "why-known",
            "{source} sends what programs send that guess names and passwords ({agent}), and {element} took its password for {user}: somebody else has the account",
        ),
        (
            "why-call",
            "{source} sends what programs send that look for open servers ({agent}), and {element} answered its call to {dialled}, without asking for a password: whoever sends it can call through {element}, perhaps at your cost",
        ),
        (
            "fix-password",
            "Block {source} now, unless this is a test of your own, and change the password of {user}. Remove the bindings of {user} that you do not know, and look through the calls of {user} since then for fraud.",
        ),
        (
            "fix-call",
            "Block {source} now, unless this is a test of your own. Let {element} take calls only from addresses that you know or with a password, and look for further calls from {source} and for what they cost.",
        ),
        (
            "why-guessed",
            "{source} sends what programs send that guess names and passwords; {element} refused {refused} requests with a password for {user} from there and accepted another one: the password was found, somebody else has the account",
        ),
        ("guess", "a password for {user} that was refused"),
        ("named", "what scanners send"),
        ("password", "the account whose password it has"),
        ("accepted", "accepted"),
        (
            "bound",
            "what it has bound: calls to {user} go there until it runs out or is removed",
        ),
    ],
    check,
    across,
    ..Rule::PLAIN
};

// Each guess may have a Call-ID of its own; those of one registration are told there.
fn across(ledger: &Ledger, found: &mut Across) {
    for of in ledger.guesses.successful() {
        let [first, last] = &of.shown;
        let (Some(accepted), Some(first), Some(last)) = (&of.accepted, first, last) else {
            continue;
        };
        if first.call == accepted.call && last.call == accepted.call {
            continue;
        }
        let Some(finding) = found.add(Confidence::Certain, Acts::Operator) else {
            continue;
        };
        let own = &mut finding.finding;
        own.why("why-guessed").fix("fix-password");
        own.element(of.server.to_string()).args(
            Args::new()
                .text("source", of.source.to_string())
                .text("user", of.user.clone())
                .count("refused", usize::try_from(of.refused).unwrap_or(usize::MAX)),
        );
        finding.count = of.refused + 1;
        finding.times = of.times;
        let guess = || note("guess");
        finding.exhibits.push((first.clone(), guess()));
        let further = (last != first).then(|| (last.clone(), guess()));
        finding.exhibits.extend(further);
        finding.exhibits.push((accepted.clone(), note("accepted")));
    }
}

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.outcome != Outcome::Succeeded
        || !matches!(call.method, Method::Register | Method::Invite)
    {
        return;
    }
    let (Some((header, confidence, _)), Some(request)) = (fingerprint(call), call.first()) else {
        return;
    };
    let Some((index, answer)) = deciding(call) else {
        return;
    };
    let Some((asked_at, asked)) = call.asked(answer) else {
        return;
    };
    let Some(finding) = found.add(confidence, Acts::Operator) else {
        return;
    };
    let taken = typed::credentials(asked.message()).into_iter().next();
    let refused = refused(call, asked);
    let (why, fix) = match (call.method, taken.is_some()) {
        (_, true) if refused > 0 => ("why-password", "fix-password"),
        (_, true) => ("why-known", "fix-password"),
        (Method::Register, false) => ("why", "fix"),
        (_, false) => ("why-call", "fix-call"),
    };
    let name = taken
        .as_ref()
        .map(|credentials| credentials.username.clone());
    let user = name.or_else(|| call.to()).unwrap_or_default();
    let bound = bound(answer, asked).filter(|_| call.method == Method::Register);
    let agent = request.message().slice(header.value);
    finding
        .element(receiver(request))
        .why(why)
        .fix(fix)
        .args(
            Args::new()
                .text("source", sender(request))
                .text("agent", agent.chars().take(80).collect::<String>())
                .text("user", user.clone())
                .text("dialled", call.request_uri().unwrap_or_default())
                .count("refused", refused),
        )
        .proof(Evidence::of_header(0, header, header.value, note("named")));
    let password = taken.and_then(|credentials| {
        let note = note("password");
        show_credentials(call, asked_at, &credentials, "username", note)
    });
    finding
        .proofs([password])
        .proof(Evidence::start_line(index, answer, note("accepted")));
    if let Some(contact) = bound {
        let note = Template::new("bound", Args::new().text("user", user));
        finding.proof(Evidence::of_header(index, contact, contact.value, note));
    }
}

// Requests with credentials that were refused, on the hop of the one that was accepted.
fn refused(call: &Call, accepted: &Stored) -> usize {
    let message = |index: &usize| call.messages.get(*index);
    let tried = call.transactions().iter().filter(|transaction| {
        let request = transaction
            .request()
            .and_then(|index| call.messages.get(index));
        let offers =
            |m: &Stored| !m.head.credentials.is_empty() && m.head.vias == accepted.head.vias;
        let mut finals = transaction.finals.iter().filter_map(message);
        request.is_some_and(offers)
            && finals.any(|m| matches!(m.head.code(), Some(401 | 403 | 407)))
    });
    tried.count()
}

// The Contact of the answer that is the one asked for: its first, for there is one as a rule.
fn bound(answer: &Stored, asked: &Stored) -> Option<Header> {
    let wanted = typed::contacts(asked.message()).into_iter().next()?;
    let has = |header: &Header| {
        let value = header.value.of(&answer.raw);
        memchr::memmem::find(value, wanted.as_bytes()).is_some()
    };
    answer.message().all("Contact").find(has)
}
