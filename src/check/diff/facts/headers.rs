//! Which headers there are, and what stands in those that no other fact is made of.

use crate::check::diff::fact::{Fact, Topic};
use crate::check::diff::places::Places;
use crate::check::normal::Names;
use crate::lang::words::Words;
use crate::message::header::{canonical, elements, unfold};
use crate::message::{Message, lossy};
use crate::session::Stored;
use std::collections::BTreeSet;

/// Headers of one message that are looked at.
const MOST: usize = 128;
/// Bytes of a value that are looked at.
const LONGEST: usize = 1024;

/// Headers of which other facts are made, or whose values follow from the run alone.
const ELSEWHERE: [&str; 23] = [
    "Via",
    "From",
    "To",
    "Contact",
    "Route",
    "Record-Route",
    "Path",
    "Service-Route",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Identity",
    "Content-Type",
    "Content-Length",
    "Call-ID",
    "CSeq",
    "Date",
    "Timestamp",
    "RSeq",
    "RAck",
    "Max-Forwards",
    "P-Asserted-Identity",
];
/// Headers that are told with those above: no word on whether they are there.
const TOLD: [&str; 12] = [
    "Route",
    "Record-Route",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Identity",
    "Path",
    "Service-Route",
    "Require",
    "Proxy-Require",
    "Unsupported",
];
/// Headers that inform and steer nothing.
const INFORMING: [&str; 21] = [
    "Date",
    "Timestamp",
    "Organization",
    "Subject",
    "Allow-Events",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Allow",
    "Call-Info",
    "Alert-Info",
    "Server",
    "User-Agent",
    "Content-Length",
    "Content-Language",
    "Priority",
    "In-Reply-To",
    "Session-ID",
    "Supported",
    "P-Charging-Vector",
    "Content-Disposition",
];

pub(super) fn facts(stored: &Stored, places: &Places, facts: &mut Vec<Fact>) {
    let message = stored.message();
    let mut names = Names::default();
    for address in places.addresses() {
        names.party(Some(address));
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for header in message.headers().take(MOST) {
        let name = canonical(header.name.of(message.raw));
        if name.len() > 64 || !seen.insert(name.clone()) {
            continue;
        }
        let line = super::line_of(message, header);
        if !TOLD.contains(&name.as_str()) {
            facts.push(presence(&name).stands(&name, line));
        }
        let value = header.value.of(message.raw);
        let value = lossy(&unfold(
            value.get(..value.len().min(LONGEST)).unwrap_or_default(),
        ));
        if let Some(fact) = tags(message, &name).or_else(|| of_value(&name, &value, &mut names)) {
            facts.push(fact.stands(&name, line));
        }
    }
}

fn presence(name: &str) -> Fact {
    let informs = INFORMING.contains(&name) || name.starts_with("X-");
    let topic = if informs {
        Topic::Information
    } else {
        Topic::Header
    };
    // RFC 3261 §8.1.1, §12.1: nothing works without these.
    let must = [
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Max-Forwards",
        "Contact",
    ]
    .contains(&name);
    let more = if must { 20 } else { 0 };
    let what = Words::label("header {name}").with("name", name);
    Fact::new(topic, what, Words::label("there")).weighs(more)
}

fn tag_topic(name: &str) -> Option<Topic> {
    match name {
        "Require" | "Proxy-Require" | "Unsupported" => Some(Topic::Require),
        "Supported" | "Allow" => Some(Topic::Supported),
        _ => None,
    }
}

fn tags(message: Message<'_>, name: &str) -> Option<Fact> {
    let topic = tag_topic(name)?;
    let mut tags: BTreeSet<String> = BTreeSet::new();
    for header in message.all(name).take(8) {
        let value = unfold(header.value.of(message.raw));
        let listed = elements(&value).map(|tag| lossy(tag.trim_ascii()).to_ascii_lowercase());
        tags.extend(listed.filter(|tag| !tag.is_empty()).take(32));
    }
    let tags: Vec<String> = tags.into_iter().collect();
    Some(Fact::new(topic, name, tags.join(", ")))
}

fn of_value(name: &str, value: &str, names: &mut Names) -> Option<Fact> {
    if name == "Max-Forwards" {
        let low = value.trim().parse::<u32>().is_ok_and(|left| left < 10);
        let kind = if low { "few" } else { "enough" };
        return Some(
            Fact::new(Topic::Forwards, name, kind)
                .shown(value)
                .weighs(if low { 30 } else { 0 }),
        );
    }
    if ELSEWHERE.contains(&name) {
        return None;
    }
    let topic = match name {
        "User-Agent" | "Server" => Topic::Agent,
        "Session-Expires" | "Min-SE" | "Expires" | "Min-Expires" => Topic::Session,
        _ => Topic::Value,
    };
    Some(Fact::new(topic, name, names.value(name, value)).shown(value))
}
