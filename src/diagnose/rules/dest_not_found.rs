//! D1: the number or user is unknown where it was asked for.

use super::super::address::is_private;
use super::super::finding::{Evidence, Template, Value, deciding, note, sender};
use super::super::numbers::{self, Form};
use super::super::phrases::Told;
use super::super::{
    Acts, Args, Causes, Confidence, Context, Findings, Frequency, Product, Rule, Severity,
};
use super::scanner_traffic::is_scanner;
use crate::knowledge::phrases::Kind;
use crate::message::Method;
use crate::message::uri::Uri;
use crate::session::path::Made;
use crate::session::view::{Peer, Taken};
use crate::session::{Call, Stored};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "dest-not-found",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[],
    codes: &[404, 604],
    causes: &[("Q.850", Causes::Only(&[1, 2, 3]))],
    rfc: &[(3261, "21.4.5"), (3261, "21.6.3"), (3398, "7.2.4.1")],
    title: "{dialled} is not known at {element}",
    why: "{element} answers {code} to {dialled}: it has no user or number in exactly this form",
    fix: "Compare {dialled} with what {element} expects: the form of the number (leading +, 00 or 0, country code, prefixes) and the domain or address behind the @. Correct the dial plan of the calling side, or have the number created where it is missing.",
    sentences: &[
        (
            "why-beyond",
            "{element} answers {code} to {dialled}: it, or somebody behind it, has no user or number in exactly this form",
        ),
        (
            "why-everywhere",
            "{count} servers were asked for {dialled} and each answered {code}: no single one of them is at fault, the number does not exist in exactly this form",
        ),
        (
            "fix-everywhere",
            "Compare {dialled} with what these servers expect: the form of the number (leading +, 00 or 0, country code, prefixes) and the domain behind the @. Correct the dial plan of the calling side, or check the number with the person who gave it.",
        ),
        (
            "why-unassigned",
            "the telephone network behind {element} says cause 1, unallocated number: {dialled} is not assigned to anybody",
        ),
        (
            "fix-unassigned",
            "Check the number with the person who gave it. If it was ported or is new, ask the carrier at {element} to check its number data; if a digit or prefix was added or lost on the way, correct the dial plan.",
        ),
        (
            "why-no-route",
            "the telephone network behind {element} says cause {cause}, no route: the number may exist, but that network cannot reach it",
        ),
        (
            "fix-no-route",
            "Send the call by another route or carrier, and report cause {cause} with the number to the operator of {element}.",
        ),
        (
            "why-same-number",
            "{element} answers {code} to {dialled}, and took a call to the same number written as {example}: the number is right and its form is not",
        ),
        (
            "why-form",
            "{element} answers {code} to {dialled}, and every number that it took before is written in another form, like {example}",
        ),
        (
            "fix-form",
            "Let the dial plan of the calling side send the number in the form that {element} takes, like {example}, and no other.",
        ),
        (
            "why-in-to",
            "the Request-URI asks {element} for {user}, which is no number; the number that was called, {called}, stands only in {header}, and {element} looks for {user}",
        ),
        (
            "fix-in-to",
            "Let {element} take the called number from {header} where a call comes in for {user}, or ask the carrier to send the number in the Request-URI. If {element} is a phone, {user} is what it registered once: register it anew.",
        ),
        (
            "why-domain",
            "{element} answers {code} to a call for {host}; the calls that it took were all for {example}, so it seems not to be responsible for {host}",
        ),
        (
            "why-address",
            "{element} answers {code} to a call for {host}, which is another address than its own: it neither is that host nor hands the call on to it",
        ),
        (
            "fix-domain",
            "Put the domain or address that {element} serves behind the @ of the Request-URI (on the calling side the domain, server or proxy setting of the account or trunk), or add {host} to the domains of {element}.",
        ),
        (
            "why-told",
            "{element} answers {code} and says \"{said}\", which means: {means}",
        ),
        (
            "fix-account",
            "Let the owner of the number look at the account, the balance and the state of the SIP connection at the provider; the form of the number is not the problem.",
        ),
        (
            "fix-route",
            "Set up a route for the number as it was sent ({dialled}) at {element}, or ask its operator why there is none; another number or carrier may be reached meanwhile.",
        ),
        (
            "fix-unregistered",
            "Look why the phone or trunk of the called side is not registered at {element}: its last REGISTER, its expiry, and the network between the two.",
        ),
        (
            "why-not-here",
            "{element} answers {code} with the words \"Not here\" to {dialled}: so ends a proxy script that has no branch for a request, and nothing shows that the number or user was looked up",
        ),
        (
            "fix-not-here",
            "Look in the script of {element} for the branch that answers \"Not here\", and for what in this request leads there: its domain, its Route, its method, or an address that the script does not know.",
        ),
        ("dialled", "what was asked for"),
        ("called", "the number that was called"),
        ("answer", "the final answer"),
        ("also", "the same from another one"),
        ("cause", "what the telephone network says: {name}"),
        ("said", "the words that tell the cause"),
    ],
    settings: &[
        (
            Product::Asterisk,
            "Asterisk looks for the extension in the `context` of the endpoint in pjsip.conf; `dialplan show` lists what that context holds.",
        ),
        (
            Product::FreeSwitch,
            "FreeSWITCH looks for it in the `context` of the sofia profile or of the gateway; the log names the extensions of the dialplan that it tried.",
        ),
        (
            Product::Kamailio,
            "Kamailio's default script answers 404 where lookup(\"location\") finds no registered contact: `kamcmd ul.dump` lists those there are.",
        ),
        (
            Product::OpenSips,
            "OpenSIPS' default script answers 404 where lookup(\"location\") finds no registered contact: `opensips-cli -x mi ul_dump` lists those there are.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// What the trace tells beyond the code.
enum Why<'a> {
    /// Q.850 cause of the network behind.
    Cause(u32),
    /// Words of the provider.
    Told(&'a Told),
    /// It took the same number in another form.
    SameNumber(&'a Taken),
    /// The number is in this header only; the Request-URI has something else.
    InTo(&'static str),
    /// The host of the calls that it took.
    Domain(&'a Taken),
    /// The host is an address, and not its own.
    Address,
    /// Every number that it took has another form.
    Form(&'a Taken),
    /// Several elements say the same: their answers, that of the call left out.
    Everywhere(Vec<usize>),
    /// A script had no branch for it.
    NotHere,
    /// Nothing more.
    Code,
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call).filter(|_| matches!(call.code(), Some(404 | 604)))
    else {
        return;
    };
    if call.method != Method::Invite || is_scanner(call) {
        return;
    }
    // Behind a proxy the Request-URI may have changed: the one that this element saw counts.
    let Some((asked_at, request)) = call.asked(response) else {
        return;
    };
    let Some(uri) = request.message().request_uri() else {
        return;
    };
    let Some(parsed) = Uri::parse(uri.of(&request.raw)) else {
        return;
    };
    let peer = request
        .stamp
        .destination
        .and_then(|at| context.view.peer(at.ip()));
    let why = match why(call, context, request, parsed, peer) {
        Why::Code if says_not_here(response) => Why::NotHere,
        why => why,
    };
    let (confidence, acts) = match &why {
        Why::Cause(2 | 3) => (Confidence::Certain, Acts::Carrier),
        Why::Told(told) => {
            let acts = match told.phrase.kind {
                Kind::NoRoute => Acts::Carrier,
                Kind::Number => Acts::Caller,
                _ => Acts::Callee,
            };
            (told.sure(), acts)
        }
        Why::Cause(_) | Why::Everywhere(_) | Why::Code => (Confidence::Certain, Acts::Caller),
        Why::InTo(_) => (Confidence::Likely, Acts::Callee),
        Why::NotHere => (Confidence::Likely, Acts::Proxy),
        _ => (Confidence::Likely, Acts::Caller),
    };
    let Some(finding) = found.add(confidence, acts) else {
        return;
    };
    finding.element(sender(response));
    finding.args(
        Args::new()
            .text("dialled", parsed.bare())
            .text("user", parsed.number())
            .text("host", crate::message::lossy(parsed.host))
            .code("code", call.code().unwrap_or(404)),
    );
    finding.proof(Evidence::request_uri(asked_at, request, note("dialled")));
    if let Why::InTo(header) = why
        && let Some((line, span, called)) = numbers::uri_in(request.message(), header)
    {
        finding.args(Args::new().text("called", called).text("header", header));
        finding.proof(Evidence::of_header(asked_at, line, span, note("called")));
    }
    if !matches!(why, Why::Told(_)) {
        finding.proof(Evidence::start_line(index, response, note("answer")));
    }
    let (sentence, fix) = match why {
        Why::Cause(cause) => {
            finding.args(Args::new().count("cause", cause as usize));
            let name = crate::knowledge::cause("Q.850", cause)
                .map_or_else(|| cause.to_string().into(), Value::Name);
            finding.proof(Evidence::header(
                index,
                response,
                "Reason",
                Template::new("cause", Args::new().with("name", name)),
            ));
            match cause {
                1 => ("why-unassigned", "fix-unassigned"),
                2 | 3 => ("why-no-route", "fix-no-route"),
                _ => ("why", "fix"),
            }
        }
        Why::Told(told) => {
            let fix = match told.phrase.kind {
                Kind::NoRoute => "fix-route",
                Kind::Unregistered => "fix-unregistered",
                Kind::Number => "fix-unassigned",
                _ => "fix-account",
            };
            told.prove(finding, (index, response), (note("answer"), note("said")));
            ("why-told", fix)
        }
        Why::SameNumber(example) => {
            finding.args(Args::new().text("example", example.name.clone()));
            finding.elsewhere(Some(example.spot), "elsewhere-taken");
            ("why-same-number", "fix-form")
        }
        Why::Form(example) => {
            finding.args(Args::new().text("example", example.name.clone()));
            finding.elsewhere(Some(example.spot), "elsewhere-taken");
            ("why-form", "fix-form")
        }
        Why::Domain(example) => {
            finding.args(Args::new().text("example", example.name.clone()));
            finding.elsewhere(Some(example.spot), "elsewhere-taken");
            ("why-domain", "fix-domain")
        }
        Why::InTo(_) => ("why-in-to", "fix-in-to"),
        Why::Address => ("why-address", "fix-domain"),
        Why::Everywhere(others) => {
            finding.args(Args::new().count("count", others.len() + 1));
            let shown = others.into_iter().filter_map(|at| {
                let answer = call.messages.get(at)?;
                Some(Some(Evidence::start_line(at, answer, note("also"))))
            });
            finding.proofs(shown.take(3));
            ("why-everywhere", "fix-everywhere")
        }
        Why::NotHere => ("why-not-here", "fix-not-here"),
        // Another element behind it may have said so, unless the log is its own.
        Why::Code
            if call.made(response) == Made::AtOrBeyond && response.stamp.sent != Some(true) =>
        {
            ("why-beyond", "fix")
        }
        Why::Code => ("why", "fix"),
    };
    match fix {
        "fix" | "fix-in-to" | "fix-domain" | "fix-unregistered" => finding.fix(fix),
        _ => finding.fix_alone(fix),
    };
    finding.why(sentence);
}

// What the default scripts of Kamailio and OpenSIPS say outside the branch that looks users up.
fn says_not_here(response: &Stored) -> bool {
    let message = response.message();
    let phrase = message.reason().map(|span| message.slice(span));
    phrase.is_some_and(|phrase| phrase.trim().eq_ignore_ascii_case("not here"))
}

// The strongest sign first.
fn why<'a>(
    call: &Call,
    context: &'a Context<'_>,
    request: &Stored,
    uri: Uri<'_>,
    peer: Option<&'a Peer>,
) -> Why<'a> {
    let user = uri.number();
    let taken = || peer.into_iter().flat_map(|peer| &peer.numbers);
    let is_same = |known: &&Taken| known.name != user && numbers::is_same(&known.name, &user);
    let same = taken().find(is_same);
    if let Some(same) = same {
        return Why::SameNumber(same);
    }
    if let Some(cause @ 1..=3) = context.q850(call) {
        return Why::Cause(cause);
    }
    if let Some(told) = context.told(call) {
        return Why::Told(told);
    }
    let called = ["P-Called-Party-ID", "To"].into_iter().find(|name| {
        let called = numbers::uri_in(request.message(), name).map(|(_, _, user)| user);
        called.is_some_and(|called| numbers::is_number(&called) && !user.ends_with(&called))
    });
    if let Some(header) = called.filter(|_| !numbers::is_number(&user)) {
        return Why::InTo(header);
    }
    let host = crate::message::lossy(uri.host).to_ascii_lowercase();
    if let Some([known]) = peer.map(|peer| peer.hosts.as_slice())
        && known.name != host
    {
        return Why::Domain(known);
    }
    // Of a server behind a NAT the packets show the inner address, the URI the outer one.
    let own = request.stamp.destination.map(|at| at.ip());
    let named = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    if let (Some(named), Some(own)) = (named, own)
        && named != own
        && is_private(named) == is_private(own)
    {
        return Why::Address;
    }
    let form = numbers::form(&user);
    let mut forms = taken().filter(|known| numbers::is_number(&known.name));
    match forms.next() {
        Some(example)
            if form != Form::Name
                && numbers::form(&example.name) != form
                && forms.all(|other| numbers::form(&other.name) != form) =>
        {
            Why::Form(example)
        }
        _ => match elsewhere(call, request, uri) {
            others if others.is_empty() => Why::Code,
            others => Why::Everywhere(others),
        },
    }
}

// The same answer to the same name from other elements than the one that was asked by `request`.
fn elsewhere(call: &Call, request: &Stored, uri: Uri<'_>) -> Vec<usize> {
    const MOST: usize = 16;
    let mut asked = vec![request.stamp.destination.map(|at| at.ip())];
    let same = |at: usize| {
        let answer = call.messages.get(at)?;
        let (_, other) = call.asked(answer)?;
        let named = Uri::parse(other.message().request_uri()?.of(&other.raw))?;
        let to = other.stamp.destination.map(|at| at.ip());
        // Whoever was asked through this one only hands its answer on.
        let beside = other.head.vias == request.head.vias;
        (beside && named.number() == uri.number()).then_some((at, to))
    };
    let refused = call.finals.iter().filter(|f| matches!(f.code, 404 | 604));
    let mut others = Vec::new();
    for (at, to) in refused.take(MOST).filter_map(|f| same(f.message)) {
        if !asked.contains(&to) {
            asked.push(to);
            others.push(at);
        }
    }
    others
}
