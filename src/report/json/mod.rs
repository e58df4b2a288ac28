//! `--format json` and `ndjson`: the contract of design.md, frozen in [`shape`].

/// Calls and findings to those objects.
mod build;
/// The objects as they are written.
mod shape;

use super::{Options, Output, Prove, Report, Run};
use crate::diagnose::{Depth, Diagnosis};
use crate::lang::Lang;
use crate::session::Call;
use foldhash::fast::RandomState;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

pub use shape::SCHEMA;

/// Collects what is written in memory and passes it on in large pieces: serde_json writes a few
/// bytes at a time.
struct Sink {
    buffer: Vec<u8>,
    out: Output<Box<dyn Write>>,
}

impl Sink {
    const ENOUGH: usize = 256 * 1024;

    fn new(sink: Box<dyn Write>) -> Sink {
        Sink {
            buffer: Vec::with_capacity(2 * Sink::ENOUGH),
            out: Output::new(sink),
        }
    }

    fn text(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn object(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, value).map_err(io::Error::from)
    }

    fn pass_on(&mut self, least: usize) -> io::Result<()> {
        if self.buffer.len() >= least {
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// Begins one document.
pub fn begin_document(sink: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    Box::new(Document {
        out: Sink::new(sink),
        options,
        any: false,
        explained: BTreeMap::new(),
    })
}

/// Begins a stream of objects, one a line.
pub fn begin_lines(sink: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    Box::new(Lines {
        out: Sink::new(sink),
        options,
        begun: false,
        explained: HashSet::default(),
    })
}

/// What explains the final responses of a call, where it is not known yet. An explanation comes
/// before its first use, once.
fn unexplained(
    call: &shape::Call<'_>,
    known: impl Fn(&str) -> bool,
    lang: &Lang,
) -> Vec<(String, shape::Explanation)> {
    let mut new: Vec<(String, shape::Explanation)> = Vec::new();
    for answer in &call.final_responses {
        let key = answer.explanation.as_ref();
        if !known(key) && !new.iter().any(|(other, _)| other == key) {
            let method = answer.method.as_deref().unwrap_or_default();
            let mut explained = lang.explain(answer.code, method, &answer.reason);
            if let Some(entry) = answer.own {
                explained = entry.over(explained);
            }
            let key = explained.key.clone();
            new.push((key, build::explanation(explained, answer.own, lang)));
        }
    }
    new
}

struct Document {
    out: Sink,
    options: Options,
    any: bool,
    explained: BTreeMap<String, shape::Explanation>,
}

impl Report for Document {
    fn depth(&self) -> Depth {
        Depth::Proof
    }

    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, _: Prove<'_>) -> io::Result<()> {
        let built = build::call(call, diagnosis, self.options.lang);
        let known = |key: &str| self.explained.contains_key(key);
        for (key, explanation) in unexplained(&built, known, self.options.lang) {
            self.explained.insert(key, explanation);
        }
        let before = if self.any {
            ",\n"
        } else {
            "{\"schema\":\"sipexplain/1\",\n\"calls\":[\n"
        };
        self.any = true;
        self.out.text(before);
        self.out.object(&built)?;
        self.out.pass_on(Sink::ENOUGH)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.pass_on(0)?;
        self.out.out.flush()
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        if !self.any {
            self.out.text("{\"schema\":\"sipexplain/1\",\n\"calls\":[");
        }
        let lang = self.options.lang;
        let found: Vec<_> = run
            .findings
            .iter()
            .map(|f| build::across(f, lang))
            .collect();
        self.out.text("],\n\"findings\":");
        self.out.object(&found)?;
        self.out.text(",\n\"explanations\":");
        self.out.object(&self.explained)?;
        self.out.text(",\n\"inputs\":");
        self.out.object(&build::inputs(run))?;
        self.out.text(",\n\"totals\":");
        self.out.object(&build::totals(run))?;
        self.out.text("}\n");
        self.out.pass_on(0)?;
        self.out.out.flush()
    }
}

struct Lines {
    out: Sink,
    options: Options,
    begun: bool,
    explained: HashSet<String, RandomState>,
}

#[derive(Serialize)]
struct Kind<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    object: &'a T,
}

impl Lines {
    fn line(&mut self, kind: &'static str, object: &impl Serialize) -> io::Result<()> {
        self.out.object(&Kind { kind, object })?;
        self.out.text("\n");
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        self.line("run", &shape::Head { schema: SCHEMA })
    }
}

impl Report for Lines {
    fn depth(&self) -> Depth {
        Depth::Proof
    }

    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, _: Prove<'_>) -> io::Result<()> {
        self.begin()?;
        let built = build::call(call, diagnosis, self.options.lang);
        let known = |key: &str| self.explained.contains(key);
        for (key, explanation) in unexplained(&built, known, self.options.lang) {
            self.explained.insert(key.clone());
            let object = shape::KeyedExplanation { key, explanation };
            self.line("explanation", &object)?;
        }
        // Flattening would cost as much again; the first brace of the object makes room instead.
        let from = self.out.buffer.len();
        self.out.object(&built)?;
        self.out.buffer.splice(from..=from, *b"{\"kind\":\"call\",");
        self.out.text("\n");
        self.out.pass_on(Sink::ENOUGH)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.pass_on(0)?;
        self.out.out.flush()
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.begin()?;
        for input in build::inputs(run) {
            self.line("input", &input)?;
        }
        for found in run.findings {
            self.line("finding", &build::across(found, self.options.lang))?;
        }
        self.line("totals", &build::totals(run))?;
        self.out.pass_on(0)?;
        self.out.out.flush()
    }
}
