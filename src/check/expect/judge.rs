//! Each kind of expectation against a call: nothing if it holds, else what was found.

use super::facts::{Facts, start_line};
use super::limit::{Limit, shown};
use super::media::Rtp;
use super::messages::MessageCheck;
use super::name::{Code, Side};
use super::pattern::Pattern;
use super::sequence::Sequence;
use super::times::Span;
use super::{Failure, Proof};
use crate::diagnose::{Severity, passport};
use crate::lang::words::Words;
use crate::message::header::unfold;
use crate::session::{Call, Outcome, Stored};
use std::net::SocketAddr;

/// Messages shown before the one at which a sequence parts.
const SHOWN_BEFORE: usize = 2;

/// Pairs of systems that are named where those that were asked for have no messages.
const MOST_PAIRS: usize = 4;

/// What has to hold for a call; where several values stand, one of them.
#[derive(Debug)]
pub(super) enum Check {
    /// The final response that decided it; `None`: there is none.
    Final(Vec<Option<Code>>),
    Outcome(Vec<Outcome>),
    /// The rule of the root cause; `None`: there is none.
    Cause(Vec<Option<&'static str>>),
    /// The rules that may have found something of severity warning or error.
    Findings(Vec<&'static str>),
    /// The audio codec that both sides can use; `None`: there is none.
    Codec(Vec<Option<String>>),
    /// The attestation of the caller's number; `None`: there is none.
    Attestation(Vec<Option<String>>),
    Rtp(Vec<Rtp>),
    /// From the 2xx to the BYE.
    Talk(Limit),
    Span(Span),
    Sequence(Sequence),
    Hop(Hop),
    Message(MessageCheck),
}

/// The messages between two systems.
#[derive(Debug)]
pub(super) struct Hop {
    /// The address, with or without its port.
    pub(super) between: [Pattern; 2],
    pub(super) sequence: Sequence,
}

impl Check {
    /// What does not hold, each with something to look at.
    pub(super) fn judge(&self, facts: &Facts<'_>) -> Vec<Failure> {
        let mut failures = self.look(facts);
        for failure in failures.iter_mut().filter(|f| f.proof.is_empty()) {
            failure.proof = facts.deciding();
        }
        failures
    }

    /// Does it hold? For calls of which no more is told.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Check::Sequence(sequence) => sequence.holds(facts.end_to_end()),
            other => other.look(facts).is_empty(),
        }
    }

    fn look(&self, facts: &Facts<'_>) -> Vec<Failure> {
        let one = |failure: Option<Failure>| failure.into_iter().collect();
        match self {
            Check::Final(wanted) => one(final_code(wanted, facts)),
            Check::Outcome(wanted) => one(outcome(wanted, facts)),
            Check::Cause(wanted) => one(cause(wanted, facts)),
            Check::Findings(allowed) => findings(allowed, facts),
            Check::Codec(wanted) => one(codec(wanted, facts)),
            Check::Attestation(wanted) => one(attestation(wanted, facts)),
            Check::Rtp(wanted) => one(rtp(wanted, facts)),
            Check::Talk(limit) => one(talk(*limit, facts)),
            Check::Span(span) => one(span.judge(facts)),
            Check::Sequence(sequence) => one(order(sequence, facts)),
            Check::Hop(hop) => one(hop.judge(facts)),
            Check::Message(check) => check.judge(facts),
        }
    }
}

pub(super) fn failure(
    key: &'static str,
    expected: impl Into<Words>,
    found: impl Into<Words>,
    proof: Vec<Proof>,
) -> Option<Failure> {
    let (expected, found) = (expected.into(), found.into());
    Some(Failure {
        key,
        expected,
        found,
        proof,
    })
}

/// `a`, `a or b`
pub(super) fn any_of<T>(wanted: &[T], shown: impl Fn(&T) -> String) -> Words {
    Words::any_of(wanted.iter().map(|one| shown(one).into()))
}

fn or_none<T: ToString>(wanted: &Option<T>) -> String {
    wanted
        .as_ref()
        .map_or("none".to_owned(), ToString::to_string)
}

/// `486 Busy Here`, `INVITE`
pub(super) fn told(stored: &Stored) -> String {
    let message = stored.message();
    match stored.head.code() {
        None => message.method_name(),
        Some(code) => {
            let reason = message
                .reason()
                .map(|span| message.slice(span))
                .unwrap_or_default();
            format!("{code} {reason}").trim_end().to_owned()
        }
    }
}

fn final_code(wanted: &[Option<Code>], facts: &Facts<'_>) -> Option<Failure> {
    let code = facts.call.code();
    let fits = |wanted: &Option<Code>| match (wanted, code) {
        (Some(wanted), Some(code)) => wanted.holds(code),
        (None, None) => true,
        _ => false,
    };
    if wanted.iter().any(fits) {
        return None;
    }
    let found = facts.call.deciding().map_or("none".to_owned(), told);
    failure("final", any_of(wanted, or_none), found, facts.deciding())
}

fn outcome(wanted: &[Outcome], facts: &Facts<'_>) -> Option<Failure> {
    let outcome = facts.call.told();
    if wanted.contains(&outcome) {
        return None;
    }
    let expected = any_of(wanted, |outcome| outcome.word().to_owned());
    failure("outcome", expected, outcome.word(), facts.deciding())
}

fn cause(wanted: &[Option<&'static str>], facts: &Facts<'_>) -> Option<Failure> {
    let cause = facts.diagnosis.cause();
    let rule = cause.map(|finding| finding.rule.id);
    if wanted.contains(&rule) {
        return None;
    }
    let proof = cause.map_or_else(|| facts.deciding(), |finding| facts.shown_by(finding));
    failure("cause", any_of(wanted, or_none), or_none(&rule), proof)
}

fn findings(allowed: &[&'static str], facts: &Facts<'_>) -> Vec<Failure> {
    let expected = match allowed {
        [] => Words::label("no warning and no error"),
        some => {
            let rules = some.join(", ");
            Words::label("no warning and no error but {rules}").with("rules", rules)
        }
    };
    let mut told: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    for finding in &facts.diagnosis.findings {
        let rule = finding.rule.id;
        let known = allowed.contains(&rule) || told.contains(&rule);
        if finding.severity == Severity::Info || known {
            continue;
        }
        told.push(rule);
        // A title with places to fill in says less than the name of the rule.
        let severity = Words::label(finding.severity.word());
        let id = Words::List(vec![severity, format!("[{rule}]").into()], "");
        let found = Words::List(vec![id, Words::Title(rule)], " ");
        all.extend(failure(
            "findings",
            expected.clone(),
            found,
            facts.shown_by(finding),
        ));
    }
    all
}

fn codec(wanted: &[Option<String>], facts: &Facts<'_>) -> Option<Failure> {
    let (codec, proof) = facts.agreed();
    let fits = |wanted: &Option<String>| match (wanted, codec) {
        (Some(wanted), Some(codec)) => super::media::is_codec(codec, wanted),
        (None, None) => true,
        _ => false,
    };
    if wanted.iter().any(fits) {
        return None;
    }
    let (expected, found) = (any_of(wanted, or_none), or_none(codec));
    failure("codec", expected, found, proof.clone())
}

fn attestation(wanted: &[Option<String>], facts: &Facts<'_>) -> Option<Failure> {
    let (found, proof) = facts.attested();
    if wanted.contains(found) {
        return None;
    }
    let (expected, found) = (any_of(wanted, or_none), or_none(found));
    failure("attestation", expected, found, proof.clone())
}

/// The attestation that the first Identity header with one claims, and the line that proves it.
pub(super) fn attested(call: &Call) -> (Option<String>, Vec<Proof>) {
    let request = call.request();
    let headers = request.into_iter().flat_map(|stored| {
        let headers = stored.message().all("Identity");
        headers.map(move |header| (stored, header))
    });
    let mut read = headers.filter_map(|(stored, header)| {
        let attest = passport::decode(&unfold(header.value.of(&stored.raw)))?.attest?;
        let end = header.value.end;
        let line = stored.raw.get(header.name.start as usize..end as usize);
        Some((
            attest,
            super::facts::proof(stored, line.unwrap_or_default()),
        ))
    });
    let (found, proof) = read.next().unzip();
    let proof = proof.or_else(|| request.map(start_line));
    (found, proof.into_iter().collect())
}

fn rtp(wanted: &[Rtp], facts: &Facts<'_>) -> Option<Failure> {
    let (rtp, told) = facts.ways();
    if wanted.contains(rtp) {
        return None;
    }
    let answer = facts.call.answer().or_else(|| facts.call.first());
    failure(
        "rtp",
        any_of(wanted, |rtp| rtp.word().to_owned()),
        Words::List(vec![rtp.word().into(), told.clone()], " "),
        answer.map(start_line).into_iter().collect(),
    )
}

fn talk(limit: Limit, facts: &Facts<'_>) -> Option<Failure> {
    let (answer, bye) = (facts.call.answer(), facts.call.bye());
    let proof: Vec<Proof> = [answer, bye]
        .into_iter()
        .flatten()
        .map(start_line)
        .collect();
    let times = answer
        .and_then(Stored::time)
        .zip(bye.and_then(Stored::time));
    let found = match (answer, bye, times) {
        (_, _, Some((from, until))) if limit.holds(until - from) => return None,
        (_, _, Some((from, until))) => shown(until - from).into(),
        (None, ..) => Words::label("the call was not answered"),
        (_, None, _) => Words::label("no BYE"),
        _ => Words::label("the times are not known"),
    };
    failure("talk", limit.told(), found, proof)
}

fn order(sequence: &Sequence, facts: &Facts<'_>) -> Option<Failure> {
    parted("sequence", None, sequence, facts.end_to_end())
}

impl Hop {
    fn judge(&self, facts: &Facts<'_>) -> Option<Failure> {
        let messages = match between(&self.between, "hop", facts) {
            Ok(messages) => messages,
            Err(failure) => return *failure,
        };
        let ends = self.between.each_ref().map(Pattern::shown);
        parted("hop", Some(ends), &self.sequence, &messages)
    }
}

/// The messages between two systems, by which of them sent it.
///
/// # Errors
/// Where there are none: which pairs there are instead.
pub(super) fn between<'a>(
    ends: &[Pattern; 2],
    key: &'static str,
    facts: &Facts<'a>,
) -> Result<Vec<(Side, &'a Stored)>, Box<Option<Failure>>> {
    let [first, second] = ends;
    let is = |pattern: &Pattern, address: Option<SocketAddr>| {
        address.is_some_and(|address| {
            let (ip, all) = (address.ip().to_string(), address.to_string());
            pattern.fits(ip.as_bytes()) || pattern.fits(all.as_bytes())
        })
    };
    let (mut messages, mut pairs, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (_, stored) in facts.on_every_hop() {
        let (from, to) = (stored.stamp.source, stored.stamp.destination);
        if is(first, from) && is(second, to) {
            messages.push((Side::First, stored));
        } else if is(second, from) && is(first, to) {
            messages.push((Side::Second, stored));
        } else if let (Some(from), Some(to)) = (from, to)
            && pairs.len() < MOST_PAIRS
            && !pairs.contains(&[from.min(to), from.max(to)])
        {
            pairs.push([from.min(to), from.max(to)]);
            shown.push(stored);
        }
    }
    if !messages.is_empty() {
        return Ok(messages);
    }
    let pair = |a: String, b: String| Words::label("{a} and {b}").with("a", a).with("b", b);
    let asked = pair(first.shown().to_owned(), second.shown().to_owned());
    let expected = Words::label("messages between {pair}").with("pair", asked);
    let pairs: Vec<Words> = pairs
        .iter()
        .map(|[a, b]| pair(a.to_string(), b.to_string()))
        .collect();
    let found = match pairs.is_empty() {
        true => Words::label("none"),
        false => Words::label("none; there are some between {pairs}")
            .with("pairs", Words::List(pairs, ", ")),
    };
    let proof = shown.into_iter().map(start_line).collect();
    Err(Box::new(failure(key, expected, found, proof)))
}

fn parted(
    key: &'static str,
    ends: Option<[&str; 2]>,
    sequence: &Sequence,
    messages: &[(Side, &Stored)],
) -> Option<Failure> {
    let parting = sequence.part_from(messages)?;
    let from = parting.at.saturating_sub(SHOWN_BEFORE);
    let seen = messages.iter().skip(from).take(parting.at - from + 1);
    let proof = seen.map(|(_, stored)| start_line(stored)).collect();
    let last = parting.at.checked_sub(1).and_then(|at| messages.get(at));
    let mut expected = parting.expected;
    if let Some((_, stored)) = last {
        let after = Words::label("{a} after {b}").with("a", expected);
        expected = after.with("b", named(stored));
    }
    if let Some([first, second]) = ends {
        let between = Words::label("{a}, between {first} and {second}").with("a", expected);
        expected = between.with("first", first).with("second", second);
    }
    let found = messages.get(parting.at);
    let found = found.map_or_else(
        || Words::label("nothing more"),
        |(_, stored)| named(stored).into(),
    );
    failure(key, expected, found, proof)
}

/// `486 Busy Here (INVITE)`
pub(super) fn named(stored: &Stored) -> String {
    match stored.head.code() {
        None => told(stored),
        Some(_) => format!("{} ({})", told(stored), stored.message().method_name()),
    }
}
