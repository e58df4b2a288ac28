//! Challenges, credentials and attestation. Values that differ in every run are compared by what
//! they have to fit.

use crate::check::diff::fact::{Fact, Topic};
use crate::diagnose::passport;
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
        let mut say = |what: &str, value: String| {
            let fact = Fact::new(Topic::Auth, &format!("{what} in {name}"), value);
            facts.push(super::in_header(fact, message, name));
        };
        say("challenge", "there".to_owned());
        say("realm", challenge.realm);
        say("algorithm", challenge.algorithm.to_ascii_uppercase());
        say("qop", challenge.qop.unwrap_or_else(|| "none".to_owned()));
        say(
            "stale",
            if challenge.stale { "true" } else { "false" }.to_owned(),
        );
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
        let mut say = |what: &str, value: String| {
            let fact = Fact::new(Topic::Auth, &format!("{what} in {name}"), value);
            facts.push(super::in_header(fact, message, name));
        };
        let fits = given.uri.is_none() || given.uri == uri;
        say("credentials", "there".to_owned());
        say("username", given.username);
        say("realm", given.realm);
        say("algorithm", given.algorithm.to_ascii_uppercase());
        say("qop", given.qop.unwrap_or_else(|| "none".to_owned()));
        say(
            "nc",
            if given.nc.is_some() {
                "there"
            } else {
                "missing"
            }
            .to_owned(),
        );
        say(
            "cnonce",
            if given.cnonce { "there" } else { "missing" }.to_owned(),
        );
        say(
            "opaque",
            if given.opaque.is_some() {
                "there"
            } else {
                "missing"
            }
            .to_owned(),
        );
        say(
            "uri",
            if fits {
                "that of the request"
            } else {
                "not that of the request"
            }
            .to_owned(),
        );
        let (length, hex) = given.response;
        let digits = if hex {
            "hexadecimal digits"
        } else {
            "characters, not all hexadecimal"
        };
        say("response", format!("{length} {digits}"));
    }
}

fn attestation(stored: &Stored, facts: &mut Vec<Fact>) {
    let message = stored.message();
    for header in message.all("Identity").take(MOST) {
        let value = unfold(header.value.of(message.raw));
        let line = super::line_of(message, header);
        let mut say = |what: &str, value: &str| {
            facts.push(Fact::new(Topic::Attestation, what, value).stands("Identity", line));
        };
        say("Identity", "there");
        let Some(token) = passport::decode(&value) else {
            say("PASSporT", "not readable");
            continue;
        };
        say("attestation", token.attest.as_deref().unwrap_or("none"));
        say("kind of PASSporT", token.ppt.as_deref().unwrap_or("plain"));
        let number = |name: &'static str| {
            let header = message.header(name)?;
            let value = unfold(header.value.of(message.raw)).into_owned();
            Uri::parse(addr_spec(&value)).map(|uri| digits(&uri.number()))
        };
        let same = |claim: &str, name| match number(name) == Some(digits(claim)) {
            true => "as in the header",
            false => "another than in the header",
        };
        if let Some(orig) = &token.orig {
            say("orig against From", same(orig, "From"));
        }
        if let Some(dest) = token.dest.first() {
            say("dest against To", same(dest, "To"));
        }
        let now = stored.stamp.time().map(|time| time.0 / 1_000_000_000);
        if let (Some(signed), Some(now)) = (token.iat, now) {
            let fresh = signed.saturating_sub(now).saturating_abs() <= FRESH;
            say(
                "time of signing",
                if fresh {
                    "fresh"
                } else {
                    "too old or in the future"
                },
            );
        }
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}
