//! Challenges, credentials and attestation. Values that differ in every run are compared by what
//! they have to fit.

use crate::check::diff::fact::{Fact, Topic};
use crate::diagnose::passport;
use crate::lang::words::Words;
use crate::message::header::unfold;
use crate::message::typed;
use crate::message::uri::{Uri, addr_spec};
use crate::session::Stored;

/// Challenges or credentials of one message that are looked at.
const MOST: usize = 8;
/// RFC 8224 §4.1: how old a PASSporT may be, seconds.
const FRESH: i64 = 60;

pub(super) fn facts(stored: &Stored, facts: &mut Vec<Fact>) {
    challenges(stored, facts);
    credentials(stored, facts);
    attestation(stored, facts);
}

fn challenges(stored: &Stored, facts: &mut Vec<Fact>) {
    let message = stored.message();
    for challenge in typed::challenges(message).into_iter().take(MOST) {
        let name = if challenge.proxy {
            "Proxy-Authenticate"
        } else {
            "WWW-Authenticate"
        };
        let mut say = |item: Words, value: Words| {
            let what = Words::label("{item} in {header}").with("item", item);
            let fact = Fact::new(Topic::Auth, what.with("header", name), value);
            facts.push(super::in_header(fact, message, name));
        };
        say(Words::label("challenge"), Words::label("there"));
        say("realm".into(), challenge.realm.into());
        say(
            "algorithm".into(),
            challenge.algorithm.to_ascii_uppercase().into(),
        );
        say("qop".into(), or_none(challenge.qop));
        let stale = if challenge.stale { "true" } else { "false" };
        say("stale".into(), stale.into());
    }
}

fn credentials(stored: &Stored, facts: &mut Vec<Fact>) {
    let message = stored.message();
    let uri = message.request_uri().map(|uri| message.slice(uri));
    for given in typed::credentials(message).into_iter().take(MOST) {
        let name = if given.proxy {
            "Proxy-Authorization"
        } else {
            "Authorization"
        };
        let mut say = |item: Words, value: Words| {
            let what = Words::label("{item} in {header}").with("item", item);
            let fact = Fact::new(Topic::Auth, what.with("header", name), value);
            facts.push(super::in_header(fact, message, name));
        };
        let fits = given.uri.is_none() || given.uri == uri;
        say(Words::label("credentials"), Words::label("there"));
        say("username".into(), given.username.into());
        say("realm".into(), given.realm.into());
        say(
            "algorithm".into(),
            given.algorithm.to_ascii_uppercase().into(),
        );
        say("qop".into(), or_none(given.qop));
        say("nc".into(), is_there(given.nc.is_some()));
        say("cnonce".into(), is_there(given.cnonce));
        say("opaque".into(), is_there(given.opaque.is_some()));
        let uri = match fits {
            true => Words::label("that of the request"),
            false => Words::label("not that of the request"),
        };
        say("uri".into(), uri);
        let (length, hex) = given.response;
        let response = match hex {
            true => Words::label("{length} hexadecimal digits"),
            false => Words::label("{length} characters, not all hexadecimal"),
        };
        say(
            "response".into(),
            response.with("length", length.to_string()),
        );
    }
}

fn or_none(value: Option<String>) -> Words {
    value.map_or_else(|| Words::label("none"), Words::Plain)
}

fn is_there(it_is: bool) -> Words {
    Words::label(if it_is { "there" } else { "missing" })
}

fn attestation(stored: &Stored, facts: &mut Vec<Fact>) {
    let message = stored.message();
    for header in message.all("Identity").take(MOST) {
        let value = unfold(header.value.of(message.raw));
        let line = super::line_of(message, header);
        let mut say = |what: Words, value: Words| {
            facts.push(Fact::new(Topic::Attestation, what, value).stands("Identity", line));
        };
        say("Identity".into(), Words::label("there"));
        let Some(token) = passport::decode(&value) else {
            say("PASSporT".into(), Words::label("not readable"));
            continue;
        };
        say(Words::label("attestation"), or_none(token.attest));
        let kind = token
            .ppt
            .map_or_else(|| Words::label("plain"), Words::Plain);
        say(Words::label("kind of PASSporT"), kind);
        let number = |name: &'static str| {
            let header = message.header(name)?;
            let value = unfold(header.value.of(message.raw)).into_owned();
            Uri::parse(addr_spec(&value)).map(|uri| digits(&uri.number()))
        };
        let against = |claim: &'static str, name: &'static str| {
            let what = Words::label("{claim} against {header}").with("claim", claim);
            what.with("header", name)
        };
        let same = |claim: &str, name| match number(name) == Some(digits(claim)) {
            true => Words::label("as in the header"),
            false => Words::label("another than in the header"),
        };
        if let Some(orig) = &token.orig {
            say(against("orig", "From"), same(orig, "From"));
        }
        if let Some(dest) = token.dest.first() {
            say(against("dest", "To"), same(dest, "To"));
        }
        let now = stored.stamp.time().map(|time| time.0 / 1_000_000_000);
        if let (Some(signed), Some(now)) = (token.iat, now) {
            let fresh = signed.saturating_sub(now).saturating_abs() <= FRESH;
            let age = match fresh {
                true => Words::label("fresh"),
                false => Words::label("too old or in the future"),
            };
            say(Words::label("time of signing"), age);
        }
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}
