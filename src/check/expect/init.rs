//! A first file of expectations, made from a good capture, for a person to go on with.

use super::facts::{Facts, side};
use super::media::{Rtp, agreed, ways};
use super::name::Side;
use super::pattern::Pattern;
use super::sequence::Item;
use crate::diagnose::{Diagnosis, Severity, passport, rules};
use crate::message::Method;
use crate::message::header::unfold;
use crate::report::totals::method_name;
use crate::report::{Prove, Report, Run};
use crate::session::{Call, Outcome, Stored};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;

/// Calls beyond these are not what somebody wants to write expectations for.
const MOST_CALLS: usize = 10_000;
/// Entries of a file.
const MOST_ENTRIES: usize = 1000;
/// A longer sequence is left out.
const LONGEST_SEQUENCE: usize = 60;
/// Longer names are not written down.
const LONGEST_URI: usize = 500;

/// The calls of a run, in the making.
#[derive(Debug, Default)]
pub struct Draft {
    samples: Vec<Sample>,
    /// Calls that found no room, or that cannot be named.
    left_out: u64,
    inputs: Vec<String>,
}

/// Method, From and To.
type Key = (String, Option<String>, Option<String>);

#[derive(Debug)]
struct Sample {
    id: u64,
    key: Key,
    code: Option<u16>,
    outcome: Outcome,
    cause: Option<&'static str>,
    findings: BTreeSet<&'static str>,
    codec: Option<String>,
    attestation: Option<String>,
    rtp: Rtp,
    sequence: Vec<String>,
}

impl Draft {
    /// The file.
    pub fn text(&mut self) -> String {
        self.samples.sort_by_key(|sample| sample.id);
        let mut out = String::from(
            "# What the calls in these captures have to be: made by sipexplain check --init from\n",
        );
        for input in &self.inputs {
            let _ = writeln!(out, "#   {}", quoted(input).trim_matches('"'));
        }
        out.push_str("# Look through it, loosen what may differ, and run: sipexplain check THIS-FILE CAPTURE\n");
        let groups = self.groups();
        if self.left_out == 0 && groups.len() <= MOST_ENTRIES {
            out.push_str("\n# Calls that no entry is about.\nothers = 0\n");
        }
        for (key, samples) in groups.iter().take(MOST_ENTRIES) {
            write_entry(&mut out, key, samples);
        }
        let more = groups.len().saturating_sub(MOST_ENTRIES);
        if more > 0 {
            let _ = writeln!(out, "\n# {more} more kinds of calls are not in this file");
        }
        if self.left_out > 0 {
            let _ = writeln!(out, "\n# {} more calls are not in this file", self.left_out);
        }
        out
    }

    // Calls of the same parties belong together, in the order in which they began. Addresses may
    // be other ones in the next run, unless a wider name would mean other calls as well.
    fn groups(&self) -> Vec<(Key, Vec<&Sample>)> {
        let wide = |sample: &Sample| {
            let (method, from, to) = &sample.key;
            let widened = |uri: &Option<String>| uri.as_deref().map(widened);
            (method.clone(), widened(from), widened(to))
        };
        let mut by_wide: BTreeMap<Key, Vec<&Sample>> = BTreeMap::new();
        for sample in &self.samples {
            by_wide.entry(wide(sample)).or_default().push(sample);
        }
        let plain: BTreeSet<&Key> = self.samples.iter().map(|sample| &sample.key).collect();
        let mut groups: BTreeMap<Key, Vec<&Sample>> = BTreeMap::new();
        for (key, samples) in by_wide {
            let own: BTreeSet<&Key> = samples.iter().map(|sample| &sample.key).collect();
            let fits = fitting(&key, &plain);
            match fits == own.len() {
                true => drop(groups.insert(key, samples)),
                false => {
                    for sample in samples {
                        let key = sample.key.clone();
                        groups.entry(key).or_default().push(sample);
                    }
                }
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, samples)| samples.first().map(|first| first.id));
        groups
    }
}

// How many of the parties this name means.
fn fitting((method, from, to): &Key, plain: &BTreeSet<&Key>) -> usize {
    let is_wide = |uri: &Option<String>| uri.as_ref().is_some_and(|uri| uri.ends_with("@*"));
    if !is_wide(from) && !is_wide(to) {
        return 1;
    }
    let like = |wanted: &Option<String>, uri: &Option<String>| match (wanted, uri) {
        (Some(wanted), Some(uri)) => match Pattern::new(wanted) {
            Ok(pattern) if wanted.ends_with("@*") => pattern.fits(uri.as_bytes()),
            _ => wanted == uri,
        },
        (None, None) => true,
        _ => false,
    };
    let fits = |key: &&&Key| key.0 == *method && like(from, &key.1) && like(to, &key.2);
    plain.iter().filter(fits).count()
}

// `sip:alice@192.0.2.1:5061` to `sip:alice@*`.
fn widened(uri: &str) -> String {
    let Some((user, host)) = uri.rsplit_once('@') else {
        return uri.to_owned();
    };
    let bare = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, _)) => inner,
        None => host.split(':').next().unwrap_or(host),
    };
    match bare.parse::<IpAddr>().is_ok() && !user.contains('*') {
        true => format!("{user}@*"),
        false => uri.to_owned(),
    }
}

fn write_entry(out: &mut String, (method, from, to): &Key, samples: &[&Sample]) {
    let Some(first) = samples.first() else {
        return;
    };
    let user = |uri: &Option<String>| {
        let uri = uri.as_deref().unwrap_or("?");
        let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
        rest.split('@').next().unwrap_or(rest).to_owned()
    };
    let mut say = |key: &str, value: String| {
        let _ = writeln!(out, "{key} = {value}");
    };
    let codes: BTreeSet<Option<u16>> = samples.iter().map(|s| s.code).collect();
    let codes: Vec<String> = codes
        .iter()
        .map(|code| code.map_or("\"none\"".to_owned(), |code| code.to_string()))
        .collect();
    let name = format!(
        "{method} {} -> {}: {}",
        user(from),
        user(to),
        codes.join(" or ")
    );
    say("\n[[call]]\nname", quoted(&name.replace('"', "")));
    say("method", quoted(method));
    for (key, uri) in [("from", from), ("to", to)] {
        say(key, uri.as_deref().map_or("false".to_owned(), pattern));
    }
    say(
        "count",
        match is_repeated(method) {
            // How often depends on how long was recorded.
            true => "\"1..\"".to_owned(),
            false => samples.len().to_string(),
        },
    );
    if codes.len() > 1 {
        out.push_str(
            "# WARNING: these calls end in different ways, and each may end in any of them. Tell them apart by more than\n\
             # who calls whom (request-uri, headers, call-id), or record them one by one.\n",
        );
    }
    let mut say = |key: &str, value: String| {
        let _ = writeln!(out, "{key} = {value}");
    };
    say("\n[call.expect]\nfinal", one_or_list(&codes));
    let outcomes: BTreeSet<&str> = samples.iter().map(|s| s.outcome.word()).collect();
    let outcomes: Vec<String> = outcomes.into_iter().map(quoted).collect();
    say("outcome", one_or_list(&outcomes));
    let causes: BTreeSet<&str> = samples.iter().map(|s| s.cause.unwrap_or("none")).collect();
    if samples.iter().any(|s| s.cause.is_some()) {
        let causes: Vec<String> = causes.into_iter().map(quoted).collect();
        say("cause", one_or_list(&causes));
    }
    let findings: BTreeSet<&str> = samples
        .iter()
        .flat_map(|s| s.findings.iter().copied())
        .collect();
    let severe = |id: &&&str| rules::rule(id).is_some_and(|r| r.severity == Severity::Error);
    let errors: Vec<&str> = findings.iter().filter(severe).copied().collect();
    let findings: Vec<String> = findings.into_iter().map(quoted).collect();
    if !errors.is_empty() {
        let _ = writeln!(out, "# An error is allowed here: {}", errors.join(", "));
    }
    let mut say = |key: &str, value: String| {
        let _ = writeln!(out, "{key} = {value}");
    };
    say("findings", format!("[{}]", findings.join(", ")));
    if let Some(codec) = &first.codec
        && samples.iter().all(|s| s.codec == first.codec)
    {
        say("codec", quoted(codec));
    }
    if let Some(attestation) = &first.attestation
        && samples.iter().all(|s| s.attestation == first.attestation)
    {
        say("attestation", quoted(attestation));
    }
    if samples.iter().all(|s| s.rtp == Rtp::BothWays) {
        say("rtp", quoted(Rtp::BothWays.word()));
    }
    let same = samples.iter().all(|s| s.sequence == first.sequence);
    match (same, first.sequence.is_empty()) {
        (true, false) => say("sequence", format!("[{}]", in_lines(&first.sequence))),
        (true, true) => out.push_str("# sequence: longer than a file like this should hold\n"),
        (false, _) => out.push_str("# sequence: the calls differ in their messages\n"),
    }
}

// Pings and what is refreshed.
fn is_repeated(method: &str) -> bool {
    ["OPTIONS", "REGISTER", "SUBSCRIBE", "PUBLISH", "NOTIFY"].contains(&method)
}

fn one_or_list(values: &[String]) -> String {
    match values {
        [one] => one.clone(),
        some => format!("[{}]", some.join(", ")),
    }
}

fn in_lines(items: &[String]) -> String {
    const WIDTH: usize = 90;
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    let line = items.join(", ");
    if line.len() <= WIDTH {
        return line;
    }
    let lines = items.iter().map(|item| format!("\n    {item},"));
    format!("{}\n", lines.collect::<String>())
}

fn pattern(uri: &str) -> String {
    let wide = uri.ends_with("@*") && uri.matches('*').count() == 1;
    let plain = uri.contains(':') && !uri.contains(['<', '>', ';']);
    match uri.starts_with('/') || !plain || uri.contains('*') && !wide {
        true => format!("{{ equals = {} }}", quoted(uri)),
        false => quoted(uri),
    }
}

/// A text of TOML on one line.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if crate::hidden::is_hidden(c) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Sample {
    fn of(facts: &Facts<'_>) -> Option<Sample> {
        let call = facts.call;
        let method = method_name(call);
        let named = Method::of(method.as_bytes()).name().is_some();
        let own = |uri: Option<&str>| uri.map(str::to_owned);
        let key = (method, own(facts.from()), own(facts.to()));
        let short = |uri: &Option<String>| uri.as_ref().is_none_or(|uri| uri.len() <= LONGEST_URI);
        if !named || !short(&key.1) || !short(&key.2) {
            return None;
        }
        let found = facts.diagnosis.findings.iter();
        let identity = call.request().and_then(|request| {
            let header = request.message().header("Identity")?;
            passport::decode(&unfold(header.value.of(&request.raw)))?.attest
        });
        let is_known = |attest: &String| ["A", "B", "C"].contains(&attest.as_str());
        Some(Sample {
            id: call.id,
            key,
            code: call.code(),
            outcome: call.told(),
            cause: facts.diagnosis.cause().map(|finding| finding.rule.id),
            findings: found
                .filter(|finding| finding.severity != Severity::Info)
                .map(|finding| finding.rule.id)
                .collect(),
            codec: agreed(call).0.filter(|codec| codec.is_ascii()),
            attestation: identity.filter(is_known),
            rtp: ways(call).0,
            sequence: sequence(facts).unwrap_or_default(),
        })
    }
}

// The messages by their names, those that repeat themselves once; `None` where they are too many,
// or have no name that can be written down.
fn sequence(facts: &Facts<'_>) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for (_, stored) in facts.end_to_end() {
        let name = name(facts.call, stored);
        let plain = name.trim_end_matches('?');
        match names.last_mut() {
            Some(last) if last.trim_end_matches(['?', '+', '*']) == plain => {
                *last = match last.ends_with(['?', '*']) {
                    true => format!("{plain}*"),
                    false => format!("{plain}+"),
                };
            }
            _ => names.push(name),
        }
    }
    let written = names.iter().all(|name| Item::parse(name).is_ok());
    (names.len() <= LONGEST_SEQUENCE && written).then_some(names)
}

fn name(call: &Call, stored: &Stored) -> String {
    let method = stored.message().method_name();
    match (stored.head.code(), side(call, stored)) {
        // Whether it is sent is up to the server (RFC 3261 §17.2.1).
        (Some(100), _) => format!("100 {method}?"),
        (Some(code), _) => format!("{code} {method}"),
        (None, Side::First) => method,
        (None, Side::Second) => format!("< {method}"),
    }
}

impl Report for Draft {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        let room = self.samples.len() < MOST_CALLS;
        let sample = room.then(|| Sample::of(&Facts::new(call, diagnosis, prove)));
        match sample.flatten() {
            Some(sample) => self.samples.push(sample),
            None => self.left_out += 1,
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        let path = |read: &crate::report::Read| read.summary.path.clone();
        self.inputs = run.inputs.iter().map(path).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_are_widened() {
        for (uri, expected) in [
            ("sip:alice@192.0.2.1", "sip:alice@*"),
            ("sip:alice@192.0.2.1:5061", "sip:alice@*"),
            ("sip:alice@[2001:db8::1]:5061", "sip:alice@*"),
            ("sip:alice@example.org", "sip:alice@example.org"),
            ("sip:*98@192.0.2.1", "sip:*98@192.0.2.1"),
            ("sip:192.0.2.1", "sip:192.0.2.1"),
            ("tel:+12125550100", "tel:+12125550100"),
        ] {
            assert_eq!(widened(uri), expected);
        }
        assert_eq!(pattern("sip:*98@x"), "{ equals = \"sip:*98@x\" }");
        assert_eq!(pattern("sip:a@*"), "\"sip:a@*\"");
        assert_eq!(
            quoted("a\"\\\n\u{202e}"),
            "\"a\\\"\\\\\\U0000000A\\U0000202E\""
        );
    }
}
