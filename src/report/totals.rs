//! What every format counts, over the calls that were selected.

use crate::input::Time;
use crate::session::clock::widen;
use crate::session::{Call, CopyKind, Outcome};
use std::collections::BTreeMap;

/// Methods counted by name; further ones are counted together.
const MOST_METHODS: usize = 256;

/// The counts.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Messages; retransmissions count, duplicate records do not.
    pub messages: u64,
    /// Messages that were recorded again.
    pub duplicates: u64,
    /// Requests among the messages.
    pub requests: u64,
    /// Responses among them.
    pub responses: u64,
    /// Entries begun by INVITE.
    pub calls: u64,
    /// All entries.
    pub entries: u64,
    /// Final responses by code, repeats left out.
    pub final_responses: BTreeMap<u16, u64>,
    /// Final responses that decided an entry, by code.
    pub deciding: BTreeMap<u16, u64>,
    /// Entries by method and outcome.
    pub outcomes: BTreeMap<String, BTreeMap<Outcome, u64>>,
    /// Earliest and latest time of a message, in nanoseconds.
    pub times: Option<(i64, i64)>,
}

impl Totals {
    /// Counts a call.
    pub fn add(&mut self, call: &Call) {
        for message in call.all_legs().flat_map(|leg| &leg.messages) {
            if message
                .copy
                .is_some_and(|copy| copy.kind == CopyKind::Duplicate)
            {
                self.duplicates += 1;
                continue;
            }
            self.messages += 1;
            if message.head.is_request() {
                self.requests += 1;
            } else {
                self.responses += 1;
            }
            if let Some(Time(time)) = message.stamp.time() {
                widen(&mut self.times, time);
            }
        }
        self.entries += 1;
        self.calls += u64::from(call.method == crate::message::Method::Invite);
        for answer in call.all_legs().flat_map(|leg| &leg.finals) {
            *self.final_responses.entry(answer.code).or_default() += 1;
        }
        if let Some(code) = call.code().filter(|_| call.told_by().is_some()) {
            *self.deciding.entry(code).or_default() += 1;
        }
        self.add_outcome(call);
    }

    fn add_outcome(&mut self, call: &Call) {
        let known = call
            .method
            .name()
            .and_then(|name| self.outcomes.get_mut(name));
        if let Some(by_outcome) = known {
            *by_outcome.entry(call.told()).or_default() += 1;
            return;
        }
        let mut name = method_name(call);
        if self.outcomes.len() >= MOST_METHODS && !self.outcomes.contains_key(&name) {
            name = "other methods".to_owned();
        }
        *self
            .outcomes
            .entry(name)
            .or_default()
            .entry(call.told())
            .or_default() += 1;
    }
}

/// The method that began a call, as text.
pub fn method_name(call: &Call) -> String {
    match (call.method.name(), call.first()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(first)) => first.message().method_name().chars().take(64).collect(),
        (None, None) => String::new(),
    }
}
