//! What makes a run fall short, which rules are asked, and which findings are known already.

/// `sipexplain.toml`.
pub mod file;

use crate::diagnose::rules;
use crate::diagnose::{Diagnosis, Finding, Severity};
use crate::select::Selection;
use crate::session::Call;
use std::collections::BTreeMap;
use std::fmt;

/// What makes the exit status 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailOn {
    /// A call that failed, timed out or was redirected to nowhere.
    Failed,
    /// A finding of this severity or a worse one.
    Severity(Severity),
    /// A finding of this rule.
    Rule(&'static str),
    /// A call that this code decided; `4xx` for a class.
    Code(String),
}

impl FailOn {
    /// Reads `failed`, `error`, `warning`, the id of a rule, a code or a class of codes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<FailOn, String> {
        match text {
            "failed" => return Ok(FailOn::Failed),
            "error" => return Ok(FailOn::Severity(Severity::Error)),
            "warning" => return Ok(FailOn::Severity(Severity::Warning)),
            _ => {}
        }
        let code = text.len() == 3
            && text.starts_with(|c| ('2'..='6').contains(&c))
            && text
                .get(1..)
                .is_some_and(|rest| rest == "xx" || rest.bytes().all(|byte| byte.is_ascii_digit()));
        match code {
            true => Ok(FailOn::Code(text.to_owned())),
            false => rule(text).map(FailOn::Rule).map_err(|why| {
                format!(
                    "{why} (failed, error, warning and codes such as 486 or 4xx are understood too)"
                )
            }),
        }
    }

    /// Is it true of a call?
    pub fn fits(&self, call: &Call, diagnosis: &Diagnosis) -> bool {
        let any = |fits: &dyn Fn(&Finding) -> bool| diagnosis.findings.iter().any(fits);
        match self {
            // A failure whose cause is known already is known as well.
            FailOn::Failed | FailOn::Code(_) if diagnosis.accepted.is_some() => false,
            FailOn::Failed => call.told().is_failure(),
            FailOn::Severity(worst) => any(&|finding| finding.severity <= *worst),
            FailOn::Rule(id) => any(&|finding| finding.rule.id == *id),
            FailOn::Code(code) => call
                .code()
                .is_some_and(|own| crate::select::fits_code(code, own)),
        }
    }

    /// Is it true of a finding, whatever that is about?
    pub fn fits_finding(&self, finding: &Finding) -> bool {
        match self {
            FailOn::Severity(worst) => finding.severity <= *worst,
            FailOn::Rule(id) => finding.rule.id == *id,
            FailOn::Failed | FailOn::Code(_) => false,
        }
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailOn::Failed => "failed",
            FailOn::Severity(severity) => severity.word(),
            FailOn::Rule(id) => id,
            FailOn::Code(code) => code,
        })
    }
}

/// The id of a rule.
///
/// # Errors
/// That there is none, and which is near.
pub fn rule(id: &str) -> Result<&'static str, String> {
    if let Some(rule) = rules::rule(id) {
        return Ok(rule.id);
    }
    Err(match rules::nearest(id) {
        (..=3, near) => format!("there is no rule {id:?}; did you mean {near}?"),
        _ => format!("there is no rule {id:?}: `sipexplain rules` lists them"),
    })
}

/// A finding that is known already.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// Its rule.
    pub rule: &'static str,
    /// Why it may be there.
    pub reason: std::sync::Arc<str>,
    /// The last day on which it may.
    pub until: Option<jiff::civil::Date>,
    /// In which calls.
    pub calls: Selection,
    /// File and line, to name it by.
    pub place: String,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What makes a run fall short.
    pub fail_on: Vec<FailOn>,
    /// Only these rules are asked; empty: all.
    pub select: Vec<&'static str>,
    /// These are not.
    pub ignore: Vec<&'static str>,
    /// What is known already.
    pub suppressions: Vec<Suppression>,
    /// Is only a part of the recordings read, that the suppressions are for?
    pub is_part: bool,
}

impl Policy {
    /// The rules that are not asked.
    pub fn left_out(&self) -> Vec<&'static str> {
        let ids = rules::RULES.iter().map(|rule| rule.id);
        let asked = |id: &&str| {
            (self.select.is_empty() || self.select.contains(id)) && !self.ignore.contains(id)
        };
        ids.filter(|id| !asked(id)).collect()
    }

    /// A rule that is to make the run fall short and is never asked.
    pub fn never_short(&self) -> Option<&'static str> {
        let left_out = self.left_out();
        self.fail_on.iter().find_map(|asked| match asked {
            FailOn::Rule(id) if left_out.contains(id) => Some(*id),
            _ => None,
        })
    }
}

/// What a run has come to by its policy.
#[derive(Debug)]
pub struct Verdict<'a> {
    policy: &'a Policy,
    left_out: Vec<&'static str>,
    /// Which suppressions have had their day.
    over: Vec<bool>,
    /// How often each suppression held.
    held: Vec<u64>,
    /// How many calls, and findings on no single call, fell short of what.
    short: BTreeMap<FailOn, u64>,
}

impl<'a> Verdict<'a> {
    /// Of a run that begins now.
    pub fn new(policy: &'a Policy) -> Verdict<'a> {
        // Only where a day is given is it asked which one it is.
        let is_over = |until| until < jiff::Zoned::now().date();
        let known = policy.suppressions.iter();
        Verdict {
            policy,
            left_out: policy.left_out(),
            over: known
                .map(|known| known.until.is_some_and(is_over))
                .collect(),
            held: vec![0; policy.suppressions.len()],
            short: BTreeMap::new(),
        }
    }

    /// The rules that are not asked.
    pub fn left_out(&self) -> &[&'static str] {
        &self.left_out
    }

    // The suppressions that hold for a finding.
    fn suppressed(&self, call: &Call, finding: &Finding) -> impl Iterator<Item = usize> {
        let all = self.policy.suppressions.iter().zip(&self.over).enumerate();
        let held = all.filter(|(_, (known, over))| {
            !**over && known.rule == finding.rule.id && known.calls.takes(call)
        });
        held.map(|(index, _)| index)
    }

    /// Takes what is known already out of a diagnosis; gives the suppressions that held, by index, for
    /// each finding.
    pub fn suppress(&self, call: &Call, diagnosis: &mut Diagnosis) -> Vec<usize> {
        if self.policy.suppressions.is_empty() {
            return Vec::new();
        }
        let (mut held, mut places) = (Vec::new(), Vec::new());
        for (index, finding) in diagnosis.findings.iter().enumerate() {
            let by: Vec<usize> = self.suppressed(call, finding).collect();
            let first = by.first().and_then(|by| self.policy.suppressions.get(*by));
            places.push(first.is_none());
            if let Some(known) = first.filter(|_| diagnosis.root == Some(index)) {
                diagnosis.accepted = Some(known.reason.clone());
            }
            held.extend(by);
        }
        diagnosis.keep(&places);
        held
    }

    /// Counts a call that was judged; `held` are the suppressions that held for it.
    pub fn add(&mut self, call: &Call, diagnosis: &Diagnosis, held: &[usize]) {
        for index in held {
            if let Some(count) = self.held.get_mut(*index) {
                *count += 1;
            }
        }
        for asked in &self.policy.fail_on {
            if asked.fits(call, diagnosis) {
                *self.short.entry(asked.clone()).or_default() += 1;
            }
        }
    }

    /// Counts a finding on no single call.
    pub fn add_finding(&mut self, finding: &Finding) {
        for asked in &self.policy.fail_on {
            if asked.fits_finding(finding) {
                *self.short.entry(asked.clone()).or_default() += 1;
            }
        }
    }

    /// What fell short, one line each; empty: nothing. `all`: were all calls looked at?
    pub fn told(&self, all: bool) -> Vec<String> {
        let short = self.short.iter();
        let mut lines: Vec<String> = short
            .map(|(what, count)| format!("--fail-on {what}: {count}"))
            .collect();
        let known = self.policy.suppressions.iter();
        for ((known, over), held) in known.zip(&self.over).zip(&self.held) {
            let Suppression { rule, place, .. } = known;
            match known.until {
                Some(until) if *over => lines.push(format!(
                    "{place}: the suppression of {rule} ended on {until}"
                )),
                _ if *held == 0 && all && !self.policy.is_part => {
                    let why = match self.left_out.contains(rule) {
                        true => "this rule is not asked",
                        false => "nothing was found that it holds for",
                    };
                    lines.push(format!(
                        "{place}: the suppression of {rule} is needless: {why}"
                    ));
                }
                _ => {}
            }
        }
        lines
    }

    /// What is suppressed, one line each, to be said.
    pub fn suppressions(&self) -> Vec<String> {
        let held = self.policy.suppressions.iter().zip(&self.held);
        let said = held.filter(|(_, held)| **held > 0).map(|(known, held)| {
            let Suppression {
                rule,
                place,
                reason,
                ..
            } = known;
            let times = if *held == 1 {
                "once".to_owned()
            } else {
                format!("{held} times")
            };
            format!("suppressed {rule} {times}: {reason} ({place})")
        });
        said.collect()
    }
}
