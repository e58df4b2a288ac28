//! Calls to findings, counts and reports.

use super::Judged;
use super::reader::Held;
use crate::diagnose::{self, Context, Depth, Ledger};
use crate::error::Error;
use crate::policy::{Policy, Verdict};
use crate::report::totals::Totals;
use crate::report::{Read, Report, Run};
use crate::select::Selection;
use crate::session::{Aside, Call, Limits, News, View};
use std::io;

/// Where released calls are diagnosed, counted and reported.
pub(super) struct Judge<'a> {
    selection: &'a Selection,
    report: &'a mut dyn Report,
    verdict: Verdict<'a>,
    view: View,
    totals: Totals,
    ledger: Ledger,
    /// Connections that were never made.
    attempts: Vec<Aside>,
    entries: u64,
    judged: Judged,
    failure: Option<io::Error>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        selection: &'a Selection,
        policy: &'a Policy,
        report: &'a mut dyn Report,
    ) -> Judge<'a> {
        Judge {
            selection,
            report,
            verdict: Verdict::new(policy),
            view: View::default(),
            totals: Totals::default(),
            ledger: Ledger::default(),
            attempts: Vec::new(),
            entries: 0,
            judged: Judged::default(),
            failure: None,
        }
    }

    /// Takes what is new; the calls stay, for their memory is used again.
    pub(super) fn take(&mut self, news: &mut News) {
        self.attempts.append(&mut news.attempts);
        let mut known = 0;
        for (call, seen) in news.over.iter().zip(news.seen.drain(..)) {
            for sighting in news.sightings.get_mut(known..seen).unwrap_or_default() {
                self.view.saw(sighting);
            }
            known = known.max(seen);
            self.call(call);
            self.view.learn(call);
        }
        for sighting in news.sightings.get_mut(known..).unwrap_or_default() {
            self.view.saw(sighting);
        }
        news.sightings.clear();
    }

    /// Ends a batch: what was reported is to be seen now, where it is `live`.
    ///
    /// # Errors
    /// If the report could not be written.
    pub(super) fn batch(&mut self, live: bool) -> Result<(), Error> {
        if live {
            self.report.flush()?;
        }
        let failure = self.failure.take();
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    pub(super) fn finish(
        mut self,
        held: Held,
        limits: Limits,
        filters: &[String],
    ) -> Result<Judged, Error> {
        let named = held.hits.named().into_iter().chain(limits.named());
        let limits: Vec<_> = named.filter(|(_, count)| *count > 0).collect();
        self.judged.skipped = held.inputs.skipped().cloned().collect();
        let mut accounts = held.accounts.into_iter();
        let mut tls = held.tls.into_iter();
        let inputs: Vec<Read> = held
            .inputs
            .summaries()
            .into_iter()
            .map(|summary| Read {
                summary,
                account: accounts.next().unwrap_or_default(),
                tls: tls.next().unwrap_or_default(),
            })
            .collect();
        let errors = inputs.iter().filter_map(|read| read.summary.error.as_ref());
        // Of a selection it is not known which connections the other calls needed.
        if filters.is_empty() {
            self.ledger.add_attempts(self.attempts);
            for (input, read) in (0..).zip(&inputs) {
                self.ledger.add_account(input, &read.account);
            }
        }
        let findings = diagnose::across::judge(&self.ledger, self.verdict.left_out());
        let mut judged = self.judged;
        for found in &findings {
            self.verdict.add_finding(&found.finding);
        }
        judged.sip_messages = inputs.iter().map(|read| read.account.sip_messages).sum();
        judged.unread = errors.map(ToString::to_string).collect();
        let damaged = inputs.iter().filter_map(|read| {
            let (path, first) = (&read.summary.path, read.summary.damage.first()?);
            let (reason, at) = (first.reason, first.offset);
            Some(format!("{path}: damaged at byte {at}: {reason}"))
        });
        judged.damaged = damaged.collect();
        let is_empty = |read: &&Read| {
            read.account.sip_messages == 0
                && read.summary.error.is_none()
                && !read.summary.in_folder
                && judged.sip_messages > 0
        };
        judged.empty = inputs.iter().filter(is_empty).map(instead).collect();
        judged.instead = inputs
            .iter()
            .filter(|read| read.summary.error.is_none())
            .map(instead)
            .collect();
        let run = Run {
            inputs: &inputs,
            totals: &self.totals,
            findings: &findings,
            entries: self.entries,
            limits: &limits,
            filters,
        };
        self.report.finish(&run)?;
        judged.short = self.verdict.told(filters.is_empty());
        judged.suppressed = self.verdict.suppressions();
        Ok(judged)
    }

    fn call(&mut self, call: &Call) {
        self.entries += 1;
        if self.failure.is_some() || !self.selection.takes(call) {
            return;
        }
        let view = &self.view;
        let verdict = &self.verdict;
        let diagnose = |depth| {
            let context = Context::without(view, verdict.left_out());
            let mut diagnosis = diagnose::diagnose(call, &context, depth);
            let held = verdict.suppress(call, &mut diagnosis);
            (diagnosis, held)
        };
        let (diagnosis, held) = diagnose(self.report.depth());
        self.judged.selected += 1;
        self.totals.add(call);
        self.ledger.add(call, &diagnosis, &self.view);
        let prove = || diagnose(Depth::Proof).0;
        self.failure = self.report.call(call, &diagnosis, &prove).err();
        self.verdict.add(call, &diagnosis, &held);
    }
}

// What an input without SIP held: the most frequent first.
fn instead(read: &Read) -> String {
    let path = &read.summary.path;
    let mut held: Vec<(String, u64)> = read
        .account
        .other
        .iter()
        .map(|(name, frames)| ((*name).to_owned(), *frames))
        .collect();
    held.extend(
        read.account
            .not_decoded
            .iter()
            .map(|n| (format!("not decoded ({})", n.reason), n.frames)),
    );
    held.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let held: Vec<String> = held
        .into_iter()
        .map(|(name, frames)| format!("{frames} {name}"))
        .collect();
    match (read.summary.format.starts_with("log:"), held.is_empty()) {
        (true, _) => format!("{path}: {} lines of text", read.summary.lines),
        (false, true) => format!("{path}: no frames"),
        (false, false) => format!(
            "{path}, frames: {}: {}",
            read.summary.frames,
            held.join(", ")
        ),
    }
}
