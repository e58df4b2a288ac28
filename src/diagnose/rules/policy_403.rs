//! D9: the far end understood the call and does not allow it.

use super::super::digest::{self, show_credentials};
use super::super::finding::{Evidence, Template, Value, deciding, note, sender};
use super::super::numbers;
use super::super::phrases::Told;
use super::super::{
    Acts, Args, Causes, Confidence, Context, Finding, Findings, Frequency, Rule, Severity,
};
use super::scanner_traffic::is_scanner;
use crate::knowledge::{self, phrases::Kind};
use crate::message::Method;
use crate::message::typed::{self, Credentials};
use crate::message::uri::Uri;
use crate::session::{Call, Spot, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "policy-403",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[403],
    causes: &[
        ("Q.850", Causes::Only(&BARRED)),
        ("STIR", Causes::Only(&[403])),
    ],
    rfc: &[(3261, "21.4.4"), (3398, "7.2.4.1")],
    title: "{element} does not allow this call",
    why: "{element} answers 403 and says \"{phrase}\": it knows what is wanted and does not allow it",
    fix: "Ask whoever runs {element} why this call ({from} to {dialled}) is not allowed: the caller number, the destination, the account or a limit. Sending it again does not help.",
    sentences: &[
        (
            "why-told",
            "{element} answers 403 and says \"{said}\", which means: {means}",
        ),
        (
            "why-not-password",
            "{element} answers 403, though credentials of {username} for the same realm were accepted elsewhere in this capture: it is not the password, {element} knows the account and does not allow this call",
        ),
        (
            "why-password",
            "{element} answers 403 and says \"{phrase}\": it does not accept the name and password of the calling side, whatever it calls",
        ),
        (
            "fix-password",
            "Set user name, password and domain of the account on the calling side anew, and see that it answers a fresh challenge of {element}.",
        ),
        (
            "why-cause",
            "{element} answers 403 with Q.850 cause {cause} ({name}): the network behind it does not allow the call",
        ),
        (
            "why-anonymous",
            "{element} answers 403 to a call that hides its number (From {from}): many networks take no anonymous calls",
        ),
        (
            "why-caller",
            "{element} answers 403, and the call names {from} as caller, which is no telephone number: many carriers refuse a call to a telephone number without a caller number of the account",
        ),
        (
            "why-unknown",
            "{element} answers 403 and never asked for a password: it tells its callers by their address, and either does not know {source} or does not allow it this call ({from} to {dialled})",
        ),
        (
            "fix-caller",
            "Set a caller number that belongs to the account, in international form with +, in From and, where the carrier wants it, in P-Asserted-Identity: on the calling side the outbound caller ID of the trunk or extension.",
        ),
        (
            "fix-anonymous",
            "Send the call with the number shown, or with the number in P-Asserted-Identity and only the presentation hidden (Privacy: id), if the carrier allows that.",
        ),
        (
            "fix-limit",
            "Raise the limit at the provider, or let fewer calls out at once; look which other calls of the account were up at that second.",
        ),
        (
            "fix-account",
            "Look at the account in the portal of the provider: whether the connection and its profile are switched on, the balance is positive, and its level allows this call.",
        ),
        (
            "fix-unknown",
            "Compare with the provider what it knows of this trunk: the source address {source} has to be on its list, and user name, domain and technical prefix have to be those of the account. A new public address or a second network path is a frequent reason.",
        ),
        (
            "fix-destination",
            "Have the destination {dialled} allowed at the provider (country, number range or price limit), or bar it in the dial plan of the calling side, if nobody should call it.",
        ),
        (
            "fix-number",
            "Check the dialled number {dialled}: country code, length, no prefix left over from the calling side.",
        ),
        (
            "fix-domestic",
            "Send calls inside that country over servers in that country: choose the region of the provider or media server there.",
        ),
        ("password", "the account whose password is right"),
        ("from", "who calls"),
        ("dialled", "who is called"),
        ("answer", "refused"),
        ("said", "the words that tell the cause"),
        ("cause", "cause {cause} in the telephone network: {name}"),
    ],
    confirm: "the log or the portal of whoever runs {element}, for this call",
    check,
    ..Rule::PLAIN
};

/// Q.850 causes that say "not allowed" (RFC 3398 §7.2.4.1 maps them to 403; 52 to 54 are of ETSI).
const BARRED: [u32; 7] = [21, 52, 53, 54, 55, 57, 87];

/// What the trace tells about a 403.
enum Why {
    Told(Told),
    Cause(u32),
    Anonymous,
    Caller,
    Unknown,
    Password,
    NotPassword(Credentials, Spot),
    Words,
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || call.code() != Some(403) {
        return;
    }
    let Some((index, response)) = deciding(call).filter(|_| !is_scanner(call)) else {
        return;
    };
    // Wrong passwords and signatures have rules of their own.
    if found.has("auth-wrong-credentials") || speaks_of_identity(response) {
        return;
    }
    let Some((asked_at, request)) = call.asked(response) else {
        return;
    };
    let Some(why) = why(call, context, request, response) else {
        return;
    };
    let confidence = match &why {
        Why::Told(told) => told.sure(),
        Why::Cause(_) => Confidence::Certain,
        _ => Confidence::Likely,
    };
    let Some(finding) = found.add(confidence, Acts::Caller) else {
        return;
    };
    finding
        .element(sender(response))
        .args(Args::new().text("phrase", digest::phrase(response)));
    show(finding, asked_at, request);
    match why {
        Why::Told(told) => {
            finding.why("why-told").fix(fix_of(told.phrase.kind));
            told.prove(finding, (index, response), (note("answer"), note("said")));
            return;
        }
        Why::Cause(cause) => {
            let name = Value::q850(cause);
            let args = Args::new()
                .count("cause", cause as usize)
                .with("name", name);
            finding.why("why-cause").args(args.clone());
            finding.proof(Evidence::start_line(index, response, note("answer")));
            let note = Template::new("cause", args);
            finding.proof(Evidence::header(index, response, "Reason", note));
            return;
        }
        Why::Anonymous => finding.why("why-anonymous").fix("fix-anonymous"),
        Why::Caller => finding.why("why-caller").fix("fix-caller"),
        Why::Unknown => finding.why("why-unknown").fix("fix-unknown"),
        Why::Password => finding.why("why-password").fix("fix-password"),
        Why::NotPassword(credentials, accepted) => {
            let shown =
                show_credentials(call, asked_at, &credentials, "username", note("password"));
            let args = Args::new().text("username", credentials.username);
            finding.why("why-not-password").args(args).proofs([shown]);
            finding.elsewhere(Some(accepted), "elsewhere-accepted")
        }
        Why::Words => finding,
    };
    finding.proof(Evidence::start_line(index, response, note("answer")));
}

fn show(finding: &mut Finding, asked_at: usize, request: &Stored) {
    let uri = request
        .message()
        .request_uri()
        .map(|uri| uri.of(&request.raw));
    let dialled = uri.and_then(Uri::parse).map(|uri| uri.number());
    let from = numbers::uri_in(request.message(), "From");
    let user = from.as_ref().map(|(_, _, user)| user.clone());
    finding.args(
        Args::new()
            .text("dialled", dialled.unwrap_or_default())
            .text("from", user.unwrap_or_default())
            .text("source", sender(request)),
    );
    if let Some((header, span, _)) = from {
        finding.proof(Evidence::of_header(asked_at, header, span, note("from")));
    }
    finding.proof(Evidence::request_uri(asked_at, request, note("dialled")));
}

fn fix_of(kind: Kind) -> &'static str {
    match kind {
        Kind::CallerId => "fix-caller",
        Kind::Channels | Kind::Rate => "fix-limit",
        Kind::Account => "fix-account",
        Kind::UnknownCaller => "fix-unknown",
        Kind::Destination => "fix-destination",
        Kind::Number => "fix-number",
        Kind::Domestic => "fix-domestic",
        _ => "fix",
    }
}

// Nothing where the answer says no more than its code.
fn why(call: &Call, context: &Context<'_>, request: &Stored, response: &Stored) -> Option<Why> {
    if let Some(told) = context.told(call) {
        return Some(Why::Told(told.clone()));
    }
    if let Some(cause) = context.q850(call).filter(|c| BARRED.contains(c)) {
        return Some(Why::Cause(cause));
    }
    if digest::speaks_of_credentials(response) || digest::speaks_of_nonce(response) {
        return Some(Why::Password);
    }
    let user = |name| numbers::uri_in(request.message(), name).map(|(_, _, user)| user);
    let asserted = [
        "P-Asserted-Identity",
        "P-Preferred-Identity",
        "Remote-Party-ID",
    ]
    .into_iter()
    .find_map(user);
    let caller = asserted.or_else(|| user("From")).unwrap_or_default();
    if caller.eq_ignore_ascii_case("anonymous") {
        return Some(Why::Anonymous);
    }
    let uri = request
        .message()
        .request_uri()
        .map(|uri| uri.of(&request.raw));
    let dialled = uri.and_then(Uri::parse).map(|uri| uri.number());
    // A telephone number has more digits than an extension.
    let is_full = |user: &str| numbers::is_number(user) && numbers::digits(user).len() >= 7;
    if dialled.as_deref().is_some_and(is_full) && !is_full(&caller) {
        return Some(Why::Caller);
    }
    let challenged = call.finals.iter().any(|f| matches!(f.code, 401 | 407));
    let offered = typed::credentials(request.message());
    let nonces = &context.view.nonces;
    let accepted = |c: &Credentials| nonces.accepted(&c.username, &c.realm);
    let words = knowledge::code(403).is_some_and(|known| {
        let phrase = digest::phrase(response);
        !phrase.is_empty() && !phrase.eq_ignore_ascii_case(&known.title)
    });
    let is_unknown = !challenged && offered.is_empty();
    let mut known = offered.into_iter();
    let known = known.find_map(|own| Some((accepted(&own)?.spot, own)));
    match known {
        Some((spot, own)) => Some(Why::NotPassword(own, spot)),
        None if is_unknown => Some(Why::Unknown),
        None => words.then_some(Why::Words),
    }
}

// 403 Stale Date and the like: a signature that was not accepted (RFC 8224 §6.2.2).
fn speaks_of_identity(response: &Stored) -> bool {
    let line = response
        .message()
        .start_line()
        .of(&response.raw)
        .to_ascii_lowercase();
    let in_line = [b"stale".as_slice(), b"identity", b"passport"]
        .iter()
        .any(|word| memchr::memmem::find(&line, word).is_some());
    let reasons = typed::reasons(response.message());
    in_line
        || reasons
            .iter()
            .any(|r| r.protocol.eq_ignore_ascii_case("STIR"))
}
