//! What every rule says of the fixtures, before it becomes text.

use crate::harness::{fixtures, flows, root};
use crate::placeholders;
use sipexplain::diagnose::{Args, Depth, Diagnosis, Finding, Value};
use sipexplain::input::{Inputs, Named};
use sipexplain::report::{Prove, Report, Run};
use sipexplain::select::Selection;
use sipexplain::session::Call;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// The findings of one rule on all fixtures.
#[derive(Default)]
pub(crate) struct Fired {
    /// Names of the arguments that it gave.
    pub(crate) given: BTreeSet<&'static str>,
    /// Texts that it gave, with the name of the argument; phrases of the program are not among them.
    pub(crate) texts: BTreeSet<(&'static str, String)>,
    /// Sentences that it used and that do not exist, or lack an argument.
    pub(crate) wrong: BTreeSet<String>,
}

#[derive(Default)]
struct Collector {
    rules: BTreeMap<&'static str, Fired>,
}

impl Report for Collector {
    fn depth(&self) -> Depth {
        Depth::Proof
    }

    fn call(&mut self, _: &Call, diagnosis: &Diagnosis, _: Prove<'_>) -> io::Result<()> {
        for finding in &diagnosis.findings {
            self.finding(finding);
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        for found in run.findings {
            self.finding(&found.finding);
            let fired = self.rules.entry(found.finding.rule.id).or_default();
            let own: Vec<&str> = found.finding.args.0.iter().map(|(name, _)| *name).collect();
            for (_, note) in &found.exhibits {
                let mut all: Vec<&'static str> =
                    note.args.0.iter().map(|(name, _)| *name).collect();
                fired.given.extend(&all);
                fired.texts(&note.args);
                all.extend(&own);
                fired.sentence(&found.finding, note.id, &all);
            }
        }
        Ok(())
    }
}

impl Collector {
    fn finding(&mut self, finding: &Finding) {
        let fired = self.rules.entry(finding.rule.id).or_default();
        let names = |args: &Args| args.0.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let own = names(&finding.args);
        fired.given.extend(&own);
        fired.texts(&finding.args);
        let product = finding.product.map(|product| product.id());
        for id in ["title", finding.why, finding.fix, "confirm"]
            .into_iter()
            .chain(product)
        {
            fired.sentence(finding, id, &own);
        }
        for evidence in &finding.evidence {
            let note = evidence.note();
            let mut all = names(&note.args);
            fired.given.extend(&all);
            fired.texts(&note.args);
            all.extend(&own);
            fired.sentence(finding, note.id, &all);
        }
    }
}

impl Fired {
    fn texts(&mut self, args: &Args) {
        let texts = args.0.iter().filter_map(|(name, value)| match value {
            Value::Text(text) => Some((*name, text.clone())),
            _ => None,
        });
        self.texts.extend(texts);
    }

    fn sentence(&mut self, finding: &Finding, id: &str, given: &[&str]) {
        let rule = finding.rule;
        let Some(template) = rule.template(id) else {
            self.wrong
                .insert(format!("{}: there is no sentence {id}", rule.id));
            return;
        };
        for name in placeholders(template) {
            if !given.contains(&name) {
                self.wrong
                    .insert(format!("{}: {id} was used without {{{name}}}", rule.id));
            }
        }
    }
}

/// What every rule that fires says, by rule.
pub(crate) fn fired() -> BTreeMap<&'static str, Fired> {
    let mut collector = Collector::default();
    for fixture in fixtures().iter().chain(flows()) {
        let named = [Named::from(&root().join(&fixture.trace).into_os_string())];
        sipexplain::analyze(
            Inputs::open(&named),
            sipexplain::layers::Keys::new(),
            &Selection::default(),
            &sipexplain::policy::Policy::default(),
            &[],
            &mut collector,
        )
        .unwrap();
    }
    collector.rules
}
