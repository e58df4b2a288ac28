//! Passwords that scanners try for one account, over all their requests: each may have a Call-ID of
//! its own.

use super::across::MOST_NAMES;
use super::exhibit::Exhibit;
use super::{Diagnosis, Finding};
use crate::message::typed;
use crate::session::clock::widen;
use crate::session::{Call, Stored};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::IpAddr;

/// What one sender tried for one account of one server.
#[derive(Debug)]
pub struct Guesses {
    /// The sender.
    pub source: IpAddr,
    /// The server.
    pub server: IpAddr,
    /// The account.
    pub user: String,
    /// Requests with credentials that were refused.
    pub refused: u64,
    /// The first and the last of them.
    pub shown: [Option<Exhibit>; 2],
    /// The answer to one that was not.
    pub accepted: Option<Exhibit>,
    /// When the first and the last were sent, nanoseconds.
    pub times: Option<(i64, i64)>,
}

/// What scanners tried, by sender, server and account; capped.
#[derive(Debug, Default)]
pub struct AllGuesses(HashMap<u64, Guesses, RandomState>);

impl AllGuesses {
    /// Adds a call that was judged.
    pub(super) fn add(&mut self, call: &Call, diagnosis: &Diagnosis) {
        let by_scanner = |f: &Finding| matches!(f.rule.id, "scanner-traffic" | "scanner-succeeded");
        if !diagnosis.findings.iter().any(by_scanner) {
            return;
        }
        for transaction in call.transactions() {
            let request = transaction.request().and_then(|at| call.messages.get(at));
            let answer = transaction
                .finals
                .first()
                .and_then(|at| call.messages.get(*at));
            if let (Some(request), Some(answer)) = (request, answer) {
                self.add_try(call, request, answer);
            }
        }
    }

    fn add_try(&mut self, call: &Call, request: &Stored, answer: &Stored) {
        let refused = match answer.head.code() {
            Some(401 | 403 | 407) => true,
            Some(200..300) => false,
            _ => return,
        };
        let given = typed::credentials(request.message()).into_iter().next();
        let ends = request.stamp.observed();
        let (Some(given), Some((source, server))) = (given, ends) else {
            return;
        };
        let (source, server) = (source.ip(), server.ip());
        let user: String = given.username.chars().take(80).collect();
        let key = self.0.hasher().hash_one((source, server, &user));
        if self.0.len() >= MOST_NAMES && !self.0.contains_key(&key) {
            return;
        }
        let of = self.0.entry(key).or_insert_with(|| Guesses {
            source,
            server,
            user,
            refused: 0,
            shown: [None, None],
            accepted: None,
            times: None,
        });
        if refused {
            of.refused += 1;
            let [first, last] = &mut of.shown;
            Exhibit::note(first, last, call, request);
        } else if of.accepted.is_none() {
            of.accepted = Some(Exhibit::of(call, answer));
        }
        if let Some(at) = request.stamp.time().map(|time| time.0) {
            widen(&mut of.times, at);
        }
    }

    /// Those of which one was taken, by server and account.
    pub fn successful(&self) -> Vec<&Guesses> {
        let mut all: Vec<_> = self.0.values().filter(|of| of.accepted.is_some()).collect();
        all.sort_by(|a, b| (a.server, &a.user, a.source).cmp(&(b.server, &b.user, b.source)));
        all
    }
}
