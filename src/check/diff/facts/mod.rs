//! One message to facts.

mod auth;
mod body;
mod headers;
mod routing;

use super::fact::Fact;
use super::places::Places;
use crate::message::{Header, Message};
use crate::session::Stored;

/// Facts kept of one message.
const MOST: usize = 256;

/// What can be said of a message.
pub(super) fn of(stored: &Stored, ends: [usize; 2], places: &Places) -> Vec<Fact> {
    let message = stored.message();
    let mut facts = Vec::new();
    body::facts(message, places, &mut facts);
    auth::facts(stored, &mut facts);
    routing::facts(stored, ends, places, &mut facts);
    headers::facts(stored, places, &mut facts);
    facts.truncate(MOST);
    facts
}

/// The whole line of a header.
fn line_of(message: Message<'_>, header: Header) -> &[u8] {
    let (start, end) = (header.name.start as usize, header.value.end as usize);
    message.raw.get(start..end).unwrap_or_default()
}

/// The fact stands in the first header with this name.
fn in_header(fact: Fact, message: Message<'_>, name: &'static str) -> Fact {
    match message.header(name) {
        Some(header) => fact.stands(name, line_of(message, header)),
        None => fact.stands(name, b""),
    }
}
