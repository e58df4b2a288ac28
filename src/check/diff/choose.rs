//! Which calls are compared: the one that failed, and the one most like it that succeeded. Of each
//! input only the best call so far is kept.

use super::sketch::{Sketch, sketch};
use crate::check::expect;
use crate::diagnose::{Diagnosis, Severity};
use crate::lang::Lang;
use crate::message::Method;
use crate::report::totals::method_name;
use crate::report::{Prove, Report, Run};
use crate::session::{Call, Outcome};
use std::io;

/// What is looked for.
#[derive(Debug)]
pub enum Wanted {
    /// The call with this number.
    Number(u64),
    /// The call that went most wrong.
    Failed,
    /// A call that succeeded, most like this one; not the call with that number.
    Like(Box<Sketch>, Option<u64>),
}

/// Takes one call of a run.
#[derive(Debug)]
pub struct Chooser {
    wanted: Wanted,
    lang: &'static Lang,
    best: Option<(u32, Sketch)>,
    /// Calls that were as good a choice as the one taken, itself included.
    fits: u64,
    /// Names of the inputs.
    inputs: Vec<String>,
}

/// The call that was taken.
#[derive(Debug)]
pub struct Chosen {
    /// The call.
    pub sketch: Sketch,
    /// Others that could have been taken: that failed, or that succeeded with the same method.
    pub others: u64,
    /// The inputs, as they were named.
    pub inputs: Vec<String>,
}

impl Chooser {
    /// Looks for this; what is kept of its diagnosis is in this language.
    pub fn new(wanted: Wanted, lang: &'static Lang) -> Chooser {
        Chooser {
            wanted,
            lang,
            best: None,
            fits: 0,
            inputs: Vec::new(),
        }
    }

    /// What was found.
    pub fn chosen(self) -> Option<Chosen> {
        let (_, sketch) = self.best?;
        Some(Chosen {
            sketch,
            others: self.fits.saturating_sub(1),
            inputs: self.inputs,
        })
    }

    // How well a call fits, more is better; 0: not at all.
    fn worth(&self, call: &Call, diagnosis: &Diagnosis) -> u32 {
        match &self.wanted {
            Wanted::Number(number) => u32::from(call.all_legs().any(|leg| leg.id == *number)),
            Wanted::Failed => wrong(call, diagnosis),
            Wanted::Like(_, Some(not)) if call.all_legs().any(|leg| leg.id == *not) => 0,
            Wanted::Like(bad, _) => like(call, diagnosis, bad),
        }
    }
}

// How wrong a call went; a call that somebody wanted to make counts more than a registration or ping.
fn wrong(call: &Call, diagnosis: &Diagnosis) -> u32 {
    let worst = |severity| diagnosis.findings.iter().any(|f| f.severity == severity);
    let wrong = match call.told() {
        outcome if outcome.is_failure() => 6,
        Outcome::Refused => 5,
        _ if diagnosis.cause().is_some() || worst(Severity::Error) => 4,
        Outcome::Unfinished | Outcome::Cancelled => 3,
        _ if worst(Severity::Warning) => 2,
        _ if expect::rtp(call).is_some_and(|way| way != "both-ways") => 2,
        _ => 0,
    };
    match (wrong, call.method) {
        (0, _) => 0,
        (wrong, Method::Invite) => 2 * wrong + 1,
        (wrong, _) => 2 * wrong,
    }
}

fn like(call: &Call, diagnosis: &Diagnosis, bad: &Sketch) -> u32 {
    if call.told() != Outcome::Succeeded || method_name(call) != bad.method {
        return 0;
    }
    let [from, to] = &bad.parties;
    let same = |a: Option<String>, b: &str| a.as_deref() == Some(b);
    let user = |uri: &str| uri.split('@').next().unwrap_or_default().to_owned();
    let same_user = |a: Option<String>, b: &str| a.is_some_and(|a| user(&a) == user(b));
    let severe = |f: &crate::diagnose::Finding| f.severity == Severity::Error;
    let points = [
        (
            8,
            diagnosis.cause().is_none() && !diagnosis.findings.iter().any(severe),
        ),
        (4, same_user(call.to(), to)),
        (2, same_user(call.from(), from)),
        (1, same(call.to(), to)),
        (1, same(call.from(), from)),
    ];
    1 + points
        .iter()
        .map(|(points, holds)| if *holds { *points } else { 0 })
        .sum::<u32>()
}

impl Report for Chooser {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        let worth = self.worth(call, diagnosis);
        self.fits += u64::from(worth > 0);
        let best = self.best.as_ref().map_or(0, |(worth, _)| *worth);
        // Calls come as they end; of equals the first to begin is taken.
        let first = |(_, taken): &(u32, Sketch)| call.id < taken.id;
        if worth > best || (worth > 0 && worth == best && self.best.as_ref().is_some_and(first)) {
            self.best = Some((worth, sketch(call, &prove(), self.lang)));
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.inputs = run
            .inputs
            .iter()
            .map(|read| read.summary.path.clone())
            .collect();
        Ok(())
    }
}
