//! Answers of name servers, remembered for the calls that follow them (RFC 3263).

use super::aside::{Aside, What};
use super::{Call, Stored};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet, VecDeque};

/// Answers remembered; the oldest go first.
const MOST_ANSWERS: usize = 4096;
/// Answers that lead to one host: NAPTR, SRV for each transport, addresses of each target.
const MOST_FOLLOWED: usize = 12;

/// The latest answers, by name and type.
#[derive(Debug, Default)]
pub(super) struct Names {
    answers: HashMap<(String, &'static str), (u64, Aside), RandomState>,
    order: VecDeque<(u64, (String, &'static str))>,
    count: u64,
}

impl Names {
    /// Remembers an answer; a later one to the same question takes its place.
    pub(super) fn add(&mut self, aside: Aside) {
        let What::Dns(answer) = &aside.what else {
            return;
        };
        let key = (answer.name.clone(), answer.kind);
        self.count += 1;
        self.order.push_back((self.count, key.clone()));
        self.answers.insert(key, (self.count, aside));
        while self.order.len() > MOST_ANSWERS {
            let Some((number, key)) = self.order.pop_front() else {
                return;
            };
            if self.answers.get(&key).is_some_and(|(n, _)| *n == number) {
                self.answers.remove(&key);
            }
        }
    }

    /// Was nothing looked up?
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The answers that lead from the hosts of a call to addresses, in the order in which they came.
    pub(super) fn about(&self, call: &Call) -> Vec<Aside> {
        let until = call.messages.iter().filter_map(Stored::time).max();
        let (mut wanted, mut seen) = (VecDeque::new(), HashSet::new());
        for host in &call.hosts() {
            let services = ["_sip._udp", "_sip._tcp", "_sips._tcp", "_sip._sctp"];
            wanted.push_back(host.clone());
            wanted.extend(services.iter().map(|service| format!("{service}.{host}")));
        }
        let mut found: Vec<&(u64, Aside)> = Vec::new();
        while let Some(name) = wanted.pop_front() {
            if found.len() >= MOST_FOLLOWED || !seen.insert(name.clone()) {
                continue;
            }
            for kind in ["NAPTR", "SRV", "A", "AAAA"] {
                let Some(known) = self.answers.get(&(name.clone(), kind)) else {
                    continue;
                };
                let early =
                    matches!((known.1.time, until), (Some(at), Some(until)) if at.0 > until);
                if let (What::Dns(answer), false) = (&known.1.what, early) {
                    let leads = answer.records.iter();
                    wanted.extend(leads.map(|record| record.target.clone()));
                    found.push(known);
                }
            }
        }
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, aside)| aside.clone()).collect()
    }
}
