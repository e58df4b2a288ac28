//! The dialog of a call: who is on which side, where requests inside it have to go (RFC 3261 §12).

use super::call::Call;
use super::entry::Stored;
use crate::message::field::Field;
use crate::message::uri::addr_spec;
use crate::message::{Method, Span, header};

/// One of the two ends of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who sent the request that began it.
    Caller,
    /// Who was asked.
    Callee,
}

impl Side {
    /// The other end.
    pub fn other(self) -> Side {
        match self {
            Side::Caller => Side::Callee,
            Side::Callee => Side::Caller,
        }
    }
}

// Nearest its author a request has the fewest Vias, a response the most.
fn distance(stored: &Stored) -> u16 {
    match stored.head.is_request() {
        true => stored.head.vias,
        false => u16::MAX - stored.head.vias,
    }
}

/// A URI that a message gives, with the bytes that say so.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Index of the message.
    pub message: usize,
    /// The header.
    pub header: header::Header,
    /// The URI, in bytes of the message.
    pub span: Span,
    /// The same as bytes.
    pub uri: &'a [u8],
}

impl Call {
    /// The end that wrote a message, proxies on the way aside; `None` where the tags do not tell.
    pub fn side(&self, stored: &Stored) -> Option<Side> {
        let caller = self.caller_tags();
        let by_caller = |tag: u64| tag != 0 && caller.contains(&tag);
        let of_request = if by_caller(stored.keys.from_tag) {
            Some(Side::Caller)
        } else if by_caller(stored.keys.to_tag) {
            Some(Side::Callee)
        } else {
            None
        };
        match stored.head.is_request() {
            true => of_request,
            false => of_request.map(Side::other),
        }
    }

    /// The tags under which the caller began: another one after a challenge, with some stacks.
    pub fn caller_tags(&self) -> [u64; 2] {
        let mut begun = self
            .messages
            .iter()
            .filter(|m| m.is_initial())
            .map(|m| m.keys.from_tag);
        let first = begun.next().or_else(|| {
            let first = self.first()?;
            Some(first.keys.from_tag)
        });
        let first = first.unwrap_or(0);
        [first, begun.find(|tag| *tag != first).unwrap_or(first)]
    }

    /// The Contact that an end gave last before the message with this index, in a message that
    /// sets or refreshes a remote target (RFC 3261 §12.1, §12.2), on the hop nearest that end.
    pub fn contact_of(&self, side: Side, before: usize) -> Option<Target<'_>> {
        self.contact_given(side, before, |_| true)
    }

    /// The same as the sender of a request inside the dialog got it: an element between the two may
    /// have put in its own.
    pub fn contact_known_to(&self, request: usize, side: Side) -> Option<Target<'_>> {
        let reader = self.messages.get(request)?.stamp.sender();
        let got = |m: &Stored| m.stamp.receiver().is(reader);
        let known = self.contact_given(side, request, got);
        known.or_else(|| self.contact_of(side, request))
    }

    fn contact_given(
        &self,
        side: Side,
        before: usize,
        counts: impl Fn(&Stored) -> bool,
    ) -> Option<Target<'_>> {
        let refreshes = |m: &Stored| {
            let method = matches!(
                m.head.method,
                Method::Invite
                    | Method::Update
                    | Method::Subscribe
                    | Method::Refer
                    | Method::Notify
            );
            method && m.head.code().is_none_or(|code| (101..300).contains(&code))
        };
        let given = self.originals().take_while(|(index, _)| *index < before);
        let mut newest: Option<(usize, &Stored)> = None;
        let by_side = |m: &Stored| refreshes(m) && self.side(m) == Some(side) && counts(m);
        for (index, m) in given.filter(|(_, m)| by_side(m)) {
            let relays = |known: &Stored| {
                (known.head.code(), known.head.method, known.cseq())
                    == (m.head.code(), m.head.method, m.cseq())
                    && distance(known) < distance(m)
            };
            let is_relay = newest.is_some_and(|(_, known)| relays(known));
            if !is_relay && self.fields(index).has(Field::Contact) {
                newest = Some((index, m));
            }
        }
        let (index, _) = newest?;
        self.target(index, Field::Contact)
    }

    /// The first URI in a header of a message.
    pub fn target(&self, index: usize, field: Field) -> Option<Target<'_>> {
        let header = self.fields(index).first(field)?;
        let raw = &self.messages.get(index)?.raw;
        let value = header.value.of(raw);
        let first = header::elements(value).next().unwrap_or(value);
        let uri = addr_spec(first);
        let span = crate::message::span::span_in(raw, uri);
        Some(Target {
            message: index,
            header,
            span,
            uri,
        })
    }

    /// The URIs that Record-Route gave for the dialog, in the order in which the caller uses them
    /// (RFC 3261 §12.1.2), as the 2xx (else the last 18x) brought them to the caller.
    pub fn route_set(&self) -> Vec<Vec<u8>> {
        let of_beginning = |m: &Stored| {
            self.is_of_beginning(m) && m.head.code().is_some_and(|code| (101..300).contains(&code))
        };
        let answers = self.originals().filter(|(_, m)| of_beginning(m));
        let nearest = answers.min_by_key(|(_, m)| (m.head.code() < Some(200), m.head.vias));
        let Some((index, stored)) = nearest else {
            return Vec::new();
        };
        let mut routes: Vec<Vec<u8>> = Vec::new();
        for header in self.fields(index).all(Field::RecordRoute) {
            let value = header.value.of(&stored.raw);
            let uris = header::elements(value).map(|uri| addr_spec(uri).to_vec());
            routes.extend(uris);
        }
        routes.reverse();
        routes
    }
}
