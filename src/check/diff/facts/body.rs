//! Session descriptions: what is offered and taken.

use crate::check::diff::fact::{Fact, Topic};
use crate::check::diff::places::Places;
use crate::lang::words::Words;
use crate::message::sdp::{self, Media};
use crate::message::{Message, Span};
use std::collections::BTreeSet;

/// Media lines that are looked at.
const MOST_MEDIA: usize = 8;
/// Lines whose names are looked at.
const MOST_LINES: usize = 512;

pub(super) fn facts(message: Message<'_>, places: &Places, facts: &mut Vec<Fact>) {
    let body = message.body();
    let kind = message.text("Content-Type").unwrap_or_default();
    if body.is_empty() {
        return;
    }
    if !kind.is_empty() {
        let fact = Fact::new(
            Topic::Header,
            Words::label("type of body"),
            kind.to_ascii_lowercase(),
        );
        facts.push(super::in_header(fact, message, "Content-Type"));
    }
    let all = sdp::media(body);
    if all.is_empty() {
        return;
    }
    let kinds: Vec<&str> = all
        .iter()
        .take(MOST_MEDIA)
        .map(|m| m.kind.as_str())
        .collect();
    let line = |span: Span| span.of(body);
    let first = all.first().map(|m| m.line).unwrap_or_default();
    facts.push(
        Fact::new(Topic::Codec, Words::label("media"), kinds.join(", ")).stands("m=", line(first)),
    );
    for media in all.iter().take(MOST_MEDIA) {
        of_media(media, body, places, facts);
    }
    attributes(body, facts);
}

fn of_media(media: &Media, body: &[u8], places: &Places, facts: &mut Vec<Fact>) {
    let kind = &media.kind;
    let m = media.line.of(body);
    let (other, codecs): (Vec<_>, Vec<_>) = media.codecs.iter().partition(|c| c.is_auxiliary());
    let names = |list: &[&sdp::Codec]| list.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    let mut set = names(&codecs);
    let listed = set.join(", ");
    set.sort();
    let of_kind = |what: &'static str| Words::label(what).with("kind", kind.as_str());
    let say = |topic, what: &'static str, value: Words| {
        Fact::new(topic, of_kind(what), value).stands("m=", m)
    };
    facts.push(say(Topic::Codec, "{kind} codecs", set.join(", ").into()).shown(listed.clone()));
    // The order only matters where the set is the same.
    let order = say(Topic::Codec, "order of the {kind} codecs", listed.into());
    facts.push(order.weighs(-42));
    let mut other = names(&other);
    other.sort();
    facts.push(
        say(
            Topic::Codec,
            "{kind} tones and noise",
            other.join(", ").into(),
        )
        .weighs(-30),
    );
    facts.push(say(
        Topic::Profile,
        "{kind} profile",
        media.profile.as_str().into(),
    ));
    let port = match media.port {
        0 => Words::label("0: refused or off"),
        _ => Words::label("given"),
    };
    facts.push(say(Topic::Codec, "{kind} port", port));
    let way = match media.is_zeroed() {
        true => Words::label("hold by an address of zeros"),
        false => media.direction.name().into(),
    };
    let way = Fact::new(Topic::Direction, of_kind("{kind} direction"), way);
    facts.push(way.stands("a=direction", media.says_direction().of(body)));
    if let Some(address) = &media.address {
        let (value, shown) = places.host(address.as_bytes());
        let fact = Fact::new(Topic::Media, of_kind("{kind} address"), value).shown(shown);
        facts.push(fact.stands("c=", media.connection.of(body)));
    }
}

// Which attributes there are; what they say differs in every run.
fn attributes(body: &[u8], facts: &mut Vec<Fact>) {
    let lines = body
        .split(|b| *b == b'\n')
        .map(<[u8]>::trim_ascii)
        .take(MOST_LINES);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for line in lines {
        let Some(attribute) = line.strip_prefix(b"a=") else {
            continue;
        };
        let end = attribute
            .iter()
            .position(|b| *b == b':')
            .unwrap_or(attribute.len());
        let name = crate::message::lossy(attribute.get(..end).unwrap_or_default());
        let known = ["sendrecv", "sendonly", "recvonly", "inactive", "rtpmap"];
        if known.contains(&name.as_str()) || name.len() > 64 || !seen.insert(name.clone()) {
            continue;
        }
        // Keys go with the profile.
        let more = if matches!(name.as_str(), "crypto" | "fingerprint") {
            34
        } else {
            0
        };
        let what = Words::label("line {line}").with("line", format!("a={name}"));
        let fact = Fact::new(Topic::Attribute, what, Words::label("there"));
        facts.push(fact.stands("a=", line).weighs(more));
    }
}
