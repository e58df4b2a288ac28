//! A7: the parameters of the credentials do not fit the challenge.

use super::super::digest::{self, Exchange, Try, show_challenge, show_credentials};
use super::super::finding::{Evidence, Template, Value, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::lossy;
use crate::message::typed::{Challenge, Credentials};
use crate::message::uri::{Uri, host_port};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "auth-digest-params",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[400, 401, 403, 407],
    rfc: &[(7616, "3.3"), (7616, "3.4"), (3261, "22.4")],
    title: "the credentials do not fit the challenge: {param}",
    why: "{element} refused credentials in which {wrong}; a hash made so does not match, whatever the password",
    fix: "Have the software that sends the credentials mended or updated; the password need not be changed for this.",
    sentences: &[
        (
            "why-opaque",
            "{element} gave out an opaque, and the credentials do not bring it back as it was; a server may refuse them for that, whatever the password",
        ),
        (
            "why-count",
            "the credentials use a nonce with the count nc={nc}, which another request had used or passed {ago} before; to {element} that looks like a recorded request that somebody sends again",
        ),
        (
            "fix-count",
            "Have the software that sends the credentials mended: nc must grow by one with each request that uses the nonce. As a stopgap let it ask for a new nonce each time.",
        ),
        (
            "why-count-stale",
            "the credentials use a nonce with the count nc={nc}, which another request had used or passed {ago} before; {element} answered with a new nonce and stale=true, which asks to try again with it, and nothing followed",
        ),
        (
            "fix-count-stale",
            "Have the software that sends the credentials mended: after stale=true it must repeat the request with the new nonce, without asking for the password, and nc must grow by one with each request that uses a nonce.",
        ),
        (
            "why-uri",
            "the credentials are made for the URI {uri}, the request goes to {target}; a server that compares them refuses this, whatever the password",
        ),
        (
            "fix-uri",
            "Check first user name and password; if they are right, look whether something between the caller and {element} changes the Request-URI, or whether the software of the client puts another URI into its credentials.",
        ),
        (
            "why-name",
            "the credentials carry no user name, so {element} cannot know whose password to compare",
        ),
        (
            "fix-name",
            "Set the authentication user name of the account in the configuration of the client.",
        ),
        ("asked", "the challenge"),
        ("answered", "does not fit: {param}"),
        ("refused", "and refused"),
        ("stale", "a new nonce, with stale=true"),
    ],
    explains: &["auth-wrong-credentials", "auth-stale-nonce", "reg-rejected"],
    confirm: "the log of {element} for this request",
    check,
    ..Rule::PLAIN
};

struct Misfit {
    param: &'static str,
    /// What is wrong, for `why`.
    wrong: Value,
    why: &'static str,
    fix: &'static str,
    confidence: Confidence,
    args: Args,
}

impl Misfit {
    fn new(param: &'static str, confidence: Confidence, wrong: impl Into<Value>) -> Misfit {
        Misfit {
            param,
            wrong: wrong.into(),
            why: "why",
            fix: "fix",
            confidence,
            args: Args::new(),
        }
    }

    fn says(self, why: &'static str, fix: &'static str) -> Misfit {
        Misfit { why, fix, ..self }
    }

    fn with(self, args: Args) -> Misfit {
        Misfit { args, ..self }
    }
}

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((refused_at, refusal)) = digest::open_refusal(call, &[400]) else {
        return;
    };
    let exchange = context.exchange(call);
    let Some(last) = exchange.last_judged() else {
        return;
    };
    let refused = last.verdict.and_then(|index| call.messages.get(index));
    if !refused.is_some_and(|m| matches!(m.head.code(), Some(400 | 401 | 403 | 407))) {
        return;
    }
    let mut tries = exchange.tries().filter(|t| std::ptr::eq(t.attempt, last));
    let misfit = tries.find_map(|t| Some((t, misfit(call, context, exchange, &t)?)));
    let Some((of, misfit)) = misfit else { return };
    let severity = match misfit.confidence {
        Confidence::Possible => Severity::Warning,
        _ => Severity::Error,
    };
    let cause = Role::Cause;
    let Some(finding) = found.add_with(severity, cause, misfit.confidence, Acts::Caller) else {
        return;
    };
    let param = || Args::new().text("param", misfit.param);
    finding
        .why(misfit.why)
        .fix(misfit.fix)
        .element(sender(refusal));
    finding.args(param().with("wrong", misfit.wrong.clone()));
    finding.args(misfit.args.clone());
    let whole = exchange
        .asked
        .iter()
        .find(|a| is_cut(&a.challenge.nonce, &of.credentials.nonce));
    let asked = of.asked.or(whole);
    let (message, own) = (of.attempt.message, of.credentials);
    let answered = Template::new("answered", param());
    finding.proofs([
        asked.and_then(|asked| show_challenge(call, asked, misfit.param, note("asked"))),
        show_credentials(call, message, own, misfit.param, answered),
    ]);
    let stale = of.asked_again(call).is_some_and(|again| again.stale);
    if stale && misfit.why == "why-count" {
        let header = digest::challenge_header(refusal.head.code() == Some(407));
        finding.why("why-count-stale").fix("fix-count-stale");
        finding.proof(Evidence::header(refused_at, refusal, header, note("stale")));
        return;
    }
    finding.proof(Evidence::start_line(refused_at, refusal, note("refused")));
}

fn misfit(call: &Call, context: &Context<'_>, exchange: &Exchange, of: &Try<'_>) -> Option<Misfit> {
    let request = call.messages.get(of.attempt.message)?;
    let own = of.credentials;
    // What a capture or log has cut off is no fault of the sender.
    if request.head.flaws.has(crate::message::Flaw::CutByCapture) {
        return None;
    }
    let Some(asked) = of.asked else {
        return garbled(context, exchange, own).or_else(|| counted(call, context, request, own));
    };
    let challenge = &asked.challenge;
    if own.username.is_empty() {
        let nameless = Misfit::new("username", Confidence::Likely, "there is no user name");
        return Some(nameless.says("why-name", "fix-name"));
    }
    length(own)
        .or_else(|| quality(challenge, own))
        .or_else(|| counted(call, context, request, own))
        .or_else(|| tolerable(call, context, of, request))
}

// What many servers do not look at: no suspicion where the same name was accepted, or where the
// server speaks of the nonce.
fn tolerable(call: &Call, context: &Context<'_>, of: &Try<'_>, request: &Stored) -> Option<Misfit> {
    let own = of.credentials;
    let nonces = &context.view.nonces;
    let stale = of.asked_again(call).is_some_and(|again| again.stale)
        || of.verdict(call).is_some_and(digest::speaks_of_nonce);
    if stale || nonces.accepted(&own.username, &own.realm).is_some() {
        return None;
    }
    opaque(&of.asked?.challenge, own).or_else(|| target(request, own))
}

// 32 hexadecimal digits for MD5, 64 for both forms of SHA-2 (RFC 8760 §2.2).
fn length(own: &Credentials) -> Option<Misfit> {
    let algorithm = own.algorithm.to_ascii_uppercase();
    let wanted = match algorithm.trim_end_matches("-SESS") {
        "MD5" => 32,
        "SHA-256" | "SHA-512-256" => 64,
        _ => return None,
    };
    let (length, hexadecimal) = own.response;
    // A log that hides the hash writes stars or nothing for it.
    (hexadecimal && length > 0 && length != wanted).then(|| {
        let args = Args::new()
            .count("length", length)
            .text("algorithm", algorithm.clone())
            .count("wanted", wanted);
        let wrong = (
            "the response has {length} digits, where {algorithm} makes {wanted}",
            args,
        );
        Misfit::new("response", Confidence::Certain, wrong)
    })
}

// The nonce is the one given out, cut short at one end.
fn garbled(context: &Context<'_>, exchange: &Exchange, own: &Credentials) -> Option<Misfit> {
    let mut given = exchange.asked.iter().map(|asked| &asked.challenge.nonce);
    let whole = given.find(|whole| is_cut(whole, &own.nonce))?;
    // Somebody gave out just this one.
    if context
        .view
        .nonces
        .of(&own.nonce)
        .is_some_and(|known| known.minted.is_some())
    {
        return None;
    }
    let (came, all) = (own.nonce.len(), whole.len());
    let args = Args::new().count("came", came).count("all", all);
    let wrong = (
        "the nonce is cut: {came} of {all} characters came back",
        args,
    );
    Some(Misfit::new("nonce", Confidence::Certain, wrong))
}

fn is_cut(whole: &str, part: &str) -> bool {
    const LEAST: usize = 6;
    let shorter = part.len() >= LEAST && part.len() < whole.len();
    shorter && (whole.starts_with(part) || whole.ends_with(part))
}

// RFC 7616 §3.4: qop is one of those offered, and then cnonce and an nc of 8 digits are there.
fn quality(challenge: &Challenge, own: &Credentials) -> Option<Misfit> {
    let likely = |param, wrong: &'static str, args: Args| {
        Some(Misfit::new(param, Confidence::Likely, (wrong, args)))
    };
    let chosen = own.qop.as_deref()?;
    let used = Args::new().text("chosen", chosen);
    let Some(offered) = challenge.qop.as_deref() else {
        return likely(
            "qop",
            "qop={chosen} is used, and the challenge offers no qop",
            used,
        );
    };
    let fits = |word: &str| word.trim().eq_ignore_ascii_case(chosen);
    if !offered.split(',').any(fits) {
        return likely(
            "qop",
            "qop={chosen} is used, and the challenge offers {offered}",
            used.text("offered", offered),
        );
    }
    if !own.cnonce {
        let (param, missing) = match own.nc {
            Some(_) => ("cnonce", "qop={chosen} is used and cnonce is missing"),
            None => (
                "cnonce, nc",
                "qop={chosen} is used and cnonce and nc are missing",
            ),
        };
        return likely(param, missing, used);
    }
    match own.nc.as_deref() {
        None => likely("nc", "qop={chosen} is used and nc is missing", used),
        Some(nc) if nc.len() != 8 || u32::from_str_radix(nc, 16).is_ok_and(|nc| nc > 0) => None,
        Some(nc) => likely("nc", "nc={nc} is no count", Args::new().text("nc", nc)),
    }
}

fn opaque(challenge: &Challenge, own: &Credentials) -> Option<Misfit> {
    let given = challenge
        .opaque
        .as_deref()
        .filter(|opaque| !opaque.is_empty())?;
    let back = own.opaque.as_deref();
    (back != Some(given)).then(|| {
        let misfit = Misfit::new(
            "opaque",
            Confidence::Possible,
            "opaque is not the one given out",
        );
        misfit.says("why-opaque", "fix")
    })
}

// RFC 7616 §3.4: nc counts the requests with this nonce; one that does not grow is a replay.
fn counted(
    call: &Call,
    context: &Context<'_>,
    request: &Stored,
    own: &Credentials,
) -> Option<Misfit> {
    let nc = own.nc.as_deref()?;
    let count = u32::from_str_radix(nc, 16).ok()?;
    let (now, call_id) = (request.time()?, call.first()?.keys.call_id);
    let earlier = context.view.nonces.of(&own.nonce)?.uses().find(|used| {
        let other = (used.call_id, used.cseq) != (call_id, request.cseq());
        other && used.nc >= count && used.nc > 0 && used.at.is_some_and(|at| at < now)
    })?;
    let misfit = Misfit::new("nc", Confidence::Likely, "nc does not grow");
    let args = Args::new()
        .text("nc", nc)
        .duration("ago", now - earlier.at.unwrap_or(now));
    Some(misfit.says("why-count", "fix-count").with(args))
}

// Ports and parameters may be written or not; another user or host is another URI.
fn target(request: &Stored, own: &Credentials) -> Option<Misfit> {
    let uri = own.uri.as_deref()?;
    let asked = request.message().slice(request.message().request_uri()?);
    let parts = |text: &str| {
        let uri = Uri::parse(text.as_bytes())?;
        let (host, _) = host_port(uri.host);
        Some((uri.number(), lossy(host).to_ascii_lowercase()))
    };
    let differ = request.head.vias <= 1 && parts(uri)? != parts(&asked)?;
    differ.then(|| {
        let misfit = Misfit::new("uri", Confidence::Possible, "uri is not the Request-URI");
        let args = Args::new().text("uri", uri).text("target", asked.clone());
        misfit.says("why-uri", "fix-uri").with(args)
    })
}
