//! Addresses that could not be watched and that took a call later, so that they do exist.

use super::across::MOST_NAMES;
use super::exhibit::Exhibit;
use super::finding::sender;
use super::{Diagnosis, Finding};
use crate::message::field::Field;
use crate::message::uri::Uri;
use crate::message::{Method, lossy};
use crate::session::{Call, Outcome, Stored};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::IpAddr;

/// A subscription that was refused because the server knew nothing to watch.
#[derive(Debug)]
pub struct Unwatched {
    /// The refusal.
    pub answer: Exhibit,
    /// Its code.
    pub code: u16,
    /// Who asked, and who answered.
    pub ends: [String; 2],
    /// What was to be watched.
    pub target: String,
    /// The kind of event.
    pub package: String,
    /// A call to the same address that the same server answered.
    pub taken: Option<Exhibit>,
}

/// The first of each address and server; capped.
#[derive(Debug, Default)]
pub struct AllUnwatched(HashMap<u64, Unwatched, RandomState>);

impl AllUnwatched {
    /// Adds a call that was judged.
    pub(super) fn add(&mut self, call: &Call, diagnosis: &Diagnosis) {
        match (call.method, call.outcome) {
            (Method::Subscribe, Outcome::Failed) => self.add_refusal(call, diagnosis),
            (Method::Invite, Outcome::Succeeded) if !self.0.is_empty() => self.add_call(call),
            _ => {}
        }
    }

    fn add_refusal(&mut self, call: &Call, diagnosis: &Diagnosis) {
        let cause = diagnosis.cause();
        let nobody = matches!(call.code(), Some(404 | 410 | 604));
        let unknown = |f: &Finding| f.rule.id == "subscribe-rejected" && f.why == "why-nobody";
        if !(nobody && cause.is_some_and(unknown)) {
            return;
        }
        let Some(answer) = call.deciding() else {
            return;
        };
        let Some((at, request)) = call.asked(answer) else {
            return;
        };
        let key = self.key(call, answer);
        let Some(key) = key.filter(|_| self.0.len() < MOST_NAMES) else {
            return;
        };
        let event = call.fields(at).text(Field::Event).unwrap_or_default();
        self.0.entry(key).or_insert_with(|| Unwatched {
            answer: Exhibit::of(call, answer),
            code: call.code().unwrap_or(0),
            ends: [sender(request), sender(answer)],
            target: call.request_uri().unwrap_or_default(),
            package: event
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            taken: None,
        });
    }

    fn add_call(&mut self, call: &Call) {
        let Some(answer) = call.deciding() else {
            return;
        };
        let key = self.key(call, answer);
        if let Some(known) = key.and_then(|key| self.0.get_mut(&key))
            && known.taken.is_none()
        {
            known.taken = Some(Exhibit::of(call, answer));
        }
    }

    // The user who was asked for, and who answered.
    fn key(&self, call: &Call, answer: &Stored) -> Option<u64> {
        let server: IpAddr = answer.stamp.source?.ip();
        let uri = call.request_uri()?;
        let user = lossy(Uri::parse(uri.as_bytes())?.user);
        (!user.is_empty()).then(|| self.0.hasher().hash_one((user, server)))
    }

    /// Those that do exist, in the order of the refusals.
    pub fn known_later(&self) -> Vec<(&Unwatched, &Exhibit)> {
        let all = self.0.values();
        let mut known: Vec<_> = all
            .filter_map(|of| Some((of, of.taken.as_ref()?)))
            .collect();
        known.sort_by_key(|(of, _)| of.answer.call);
        known
    }
}
