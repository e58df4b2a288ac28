//! B1: a subscription (busy lamp, voicemail lamp, presence) was refused.

use super::super::finding::{Evidence, Value, deciding, note, sender};
use super::super::{
    Across, Acts, Args, Confidence, Context, Findings, Frequency, Ledger, Rule, Severity,
};
use crate::message::Method;
use crate::message::field::Field;
use crate::message::lossy;
use crate::message::uri::Uri;
use crate::session::{Call, Outcome, Spot, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "subscribe-rejected",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[403, 404, 405, 410, 480, 489, 501, 603, 604],
    rfc: &[(6665, "8.3.2"), (6665, "4.2.1")],
    title: "{element} offers no subscription to {event}{of}",
    why: "{watcher} subscribed to {package}, and {element} answered {code}: it does not know this kind of event. Calls are not concerned",
    fix: "Switch this feature off in {watcher} for this account, or point it at the server that offers it, which often is not the trunk. Or switch the package {event} on at {element}.",
    sentences: &[
        (
            "why-listed",
            "{watcher} subscribed to {package}, and {element} answered {code}; it offers {offered} only. Calls are not concerned",
        ),
        (
            "why-contradiction",
            "{watcher} subscribed to {package}, and {element} answered {code}, though it lists {event} among what it offers: it may offer it for other addresses or with parameters only. Calls are not concerned",
        ),
        (
            "fix-contradiction",
            "Ask whoever runs {element} why it refuses {event} for this address though it lists it in Allow-Events: set it up for the address, or take it off the list. Until then switch the feature off in {watcher}.",
        ),
        (
            "why-unnamed",
            "{watcher} sent SUBSCRIBE without saying to which event, and {element} answered {code}. Calls are not concerned",
        ),
        (
            "fix-unnamed",
            "Make {watcher} send an Event header with SUBSCRIBE, or switch the feature that sends it off.",
        ),
        (
            "why-method",
            "{watcher} subscribed to {package}, and {element} answered {code}: it takes no subscriptions at all. Calls are not concerned",
        ),
        (
            "why-nobody",
            "{watcher} subscribed to {package} of {target}, and {element} answered {code}: it knows nothing there that could be watched. Up to then nothing in this capture shows whether {target} exists there. Calls are not concerned",
        ),
        (
            "fix-nobody",
            "Look up at {element} whether {target} exists there. If it does, switch on there that it may be watched (a hint, a mailbox, presence); if not, correct the key or mailbox in {watcher}.",
        ),
        (
            "why-unwatched",
            "{watcher} subscribed to {package} of {target}, and {element} answered {code}, though {target} exists there: this capture shows that it registered or took a call. {element} offers nothing to watch for it. Calls are not concerned",
        ),
        (
            "fix-unwatched",
            "Set up at {element} what is to be watched for {target} (a hint, a mailbox, presence), or switch the feature off in {watcher}.",
        ),
        (
            "why-refused",
            "{watcher} subscribed to {package} of {target}, and {element} answered {code}: it does not allow this. Calls are not concerned",
        ),
        (
            "fix-refused",
            "Allow {watcher} at {element} to watch {target} (the right to subscribe, the list of watchers, the context of the account), or switch the feature off in {watcher}.",
        ),
        (
            "why-no-mailbox",
            "{watcher} subscribed to {package} of {target}, and {element} answered {code} {phrase}: {target} has no mailbox there. Calls are not concerned",
        ),
        (
            "fix-no-mailbox",
            "Set up a mailbox for {target} at {element} and name it in the settings of the account there, or switch the voicemail lamp off in {watcher}.",
        ),
        (
            "why-no-account",
            "{watcher} subscribed to {package} of {target}, its own address, and {element} answered {code} without asking for a password, where it had refused the REGISTER of the same account with {refused}: most likely it has no account {target} at all, and only seems to refuse a password (many servers ask for one all the same, so that nobody can find out which names exist)",
        ),
        (
            "fix-no-account",
            "Look up at {element} whether there is an account {target}: create it, or correct the user name in {watcher}. Then the registration will work too.",
        ),
        (
            "why-later",
            "{element} answered {code} to a subscription to {package} of {target}, and a call to {target} was answered there in this capture: the address is right, and {element} offers nothing to watch for it. Calls are not concerned",
        ),
        ("watched", "the subscription is refused"),
        ("taken", "a call to {target} is answered"),
        ("event", "what it asked for"),
        ("asked", "the request"),
        ("answer", "refused"),
        ("offered", "what is offered"),
    ],
    explains: &["method-not-allowed"],
    confirm: "the log of {element} for this Call-ID",
    check,
    across,
    ..Rule::PLAIN
};

/// Addresses that are told of.
const MOST: usize = 16;

// A call shows later that the address was right.
fn across(ledger: &Ledger, found: &mut Across) {
    for (of, taken) in ledger.unwatched.known_later().into_iter().take(MOST) {
        let Some(told) = found.add(Confidence::Likely, Acts::Callee) else {
            return;
        };
        let [watcher, server] = &of.ends;
        let own = &mut told.finding;
        own.element(server.clone())
            .why("why-later")
            .fix("fix-unwatched");
        own.args(
            Args::new()
                .text("watcher", watcher.clone())
                .with("event", named(&of.package))
                .with("package", known_as(&of.package))
                .with("of", of_target(of.target.clone()))
                .text("target", of.target.clone())
                .code("code", of.code),
        );
        told.count = 1;
        told.times = of.answer.time.map(|time| (time, time));
        told.exhibits = vec![
            (of.answer.clone(), note("watched")),
            (taken.clone(), note("taken")),
        ];
    }
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let failed = matches!(call.outcome, Outcome::Failed | Outcome::Refused);
    if call.method != Method::Subscribe || !failed {
        return;
    }
    let Some((index, answer)) = deciding(call) else {
        return;
    };
    let code = answer.head.code().unwrap_or(0);
    if !RULE.codes.contains(&code) || found.has("auth-wrong-credentials") {
        return;
    }
    let Some((at, request)) = call.asked(answer) else {
        return;
    };
    let package = call.fields(at).text(Field::Event).unwrap_or_default();
    let package = package.split(';').next().unwrap_or_default().trim();
    let offered = call.fields(index).tokens(Field::AllowEvents);
    let refused = refused_account(call, context, request).filter(|_| code == 404);
    let exists = exists(call, context, request);
    let (why, fix) = match code {
        404 | 410 | 480 if says_no_mailbox(answer) => ("why-no-mailbox", "fix-no-mailbox"),
        404 if refused.is_some() => ("why-no-account", "fix-no-account"),
        489 if package.is_empty() => ("why-unnamed", "fix-unnamed"),
        489 if offered.iter().any(|of| of.eq_ignore_ascii_case(package)) => {
            ("why-contradiction", "fix-contradiction")
        }
        489 if !offered.is_empty() => ("why-listed", "fix"),
        489 => ("why", "fix"),
        405 | 501 => ("why-method", "fix"),
        403 | 603 => ("why-refused", "fix-refused"),
        _ if exists.is_some() => ("why-unwatched", "fix-unwatched"),
        _ => ("why-nobody", "fix-nobody"),
    };
    let acts = match fix {
        "fix-refused" | "fix-unwatched" | "fix-contradiction" | "fix-no-mailbox" => Acts::Callee,
        // Either the address is wrong, or what it stands for cannot be watched: it is looked up there.
        "fix-nobody" => Acts::Callee,
        _ => Acts::Caller,
    };
    let confidence = match why {
        // It may exist and be shown so only later.
        "why-unwatched" | "why-nobody" | "why-no-account" => Confidence::Likely,
        _ => Confidence::Certain,
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    let target = call.request_uri().unwrap_or_default();
    let of = match fix {
        "fix" | "fix-unnamed" | "fix-contradiction" => Value::nothing(),
        _ => of_target(target.clone()),
    };
    let phrase = answer.message().reason();
    let phrase = phrase.map(|span| answer.message().slice(span));
    finding.why(why).fix(fix).element(sender(answer)).args(
        Args::new()
            .text("watcher", sender(request))
            .with("event", named(package))
            .with("package", known_as(package))
            .with("of", of)
            .text("target", target)
            .text("offered", offered.join(", "))
            .text("phrase", phrase.unwrap_or_default())
            .code("refused", refused.map_or(0, |(code, _)| code))
            .code("code", code),
    );
    finding.proof(match package {
        "" => Evidence::start_line(at, request, note("asked")),
        _ => Evidence::header(at, request, "Event", note("event")),
    });
    finding.proof(Evidence::start_line(index, answer, note("answer")));
    if !offered.is_empty() {
        finding.proof(Evidence::header(
            index,
            answer,
            "Allow-Events",
            note("offered"),
        ));
    }
    if why == "why-no-account" {
        finding.elsewhere(refused.map(|(_, spot)| spot), "elsewhere-refusal");
    }
    if why == "why-unwatched" {
        finding.elsewhere(exists, "elsewhere-known");
    }
}

// Is the one to be watched known where the request went: registered, or called with success?
fn exists(call: &Call, context: &Context<'_>, request: &Stored) -> Option<Spot> {
    let server = request.stamp.destination?.ip();
    let uri = call.request_uri()?;
    let user = lossy(Uri::parse(uri.as_bytes())?.user);
    if user.is_empty() {
        return None;
    }
    let view = context.view;
    let registered = || {
        let told = view.registrations().told(&user, server)?;
        told.is_accepted().then_some(told.spot)
    };
    let numbers = view.peer(server).map(|peer| peer.numbers.iter());
    let took = numbers.and_then(|mut all| all.find(|of| of.name == user));
    took.map(|of| of.spot).or_else(registered)
}

fn of_target(target: String) -> Value {
    (" of {target}", Args::new().text("target", target)).into()
}

// Asterisk says so in the phrase.
fn says_no_mailbox(answer: &Stored) -> bool {
    let phrase = answer.message().reason().map(|span| span.of(&answer.raw));
    let phrase = phrase.unwrap_or_default().to_ascii_lowercase();
    memchr::memmem::find(&phrase, b"no mailbox").is_some()
}

// The code with which the registration of the watcher was refused, where he watches his own address and
// was not even asked for a password.
fn refused_account(call: &Call, context: &Context<'_>, request: &Stored) -> Option<(u16, Spot)> {
    let user = |uri: String| Uri::parse(uri.as_bytes()).map(|uri| lossy(uri.user));
    let own = user(call.request_uri()?).filter(|user| !user.is_empty())?;
    if user(call.from()?)? != own || !request.head.credentials.is_empty() {
        return None;
    }
    let server = request.stamp.destination?.ip();
    let told = context.view.registrations().told(&own, server)?;
    matches!(told.code, 401 | 403 | 407).then_some((told.code, told.spot))
}

// The package, with what a person knows it by.
pub(super) fn known_as(package: &str) -> Value {
    let known = match package.to_ascii_lowercase().as_str() {
        "dialog" => "busy lamps",
        "message-summary" => "the voicemail lamp",
        "presence" => "who is available",
        "reg" => "registrations",
        "conference" => "members of a conference",
        "ua-profile" => "settings of the phone",
        "as-feature-event" => "do not disturb and forwarding",
        "call-info" | "line-seize" => "shared lines",
        _ => return named(package),
    };
    let args = Args::new().text("package", package).said("known", known);
    ("{package} ({known})", args).into()
}

pub(super) fn named(package: &str) -> Value {
    match package {
        "" => "an event without name".into(),
        package => package.chars().take(64).collect::<String>().into(),
    }
}
