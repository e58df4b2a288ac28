//! `--format json` and `ndjson`: the contract of design.md, frozen in [`shape`].

/// Calls and findings to those objects.
mod build;
/// The objects as they are written.
mod shape;

use super::{Options, Output, Report, Run};
use crate::diagnose::Diagnosis;
use crate::knowledge;
use crate::session::Call;
use foldhash::fast::RandomState;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufWriter, Write};

pub use shape::SCHEMA;

type Sink = BufWriter<Output<Box<dyn Write>>>;

fn buffered(sink: Box<dyn Write>) -> Sink {
    BufWriter::with_capacity(256 * 1024, Output::new(sink))
}

fn put(out: &mut Sink, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(out, value).map_err(io::Error::from)
}

/// Begins one document.
pub fn begin_document(sink: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    Box::new(Document {
        out: buffered(sink),
        options,
        any: false,
        explained: BTreeMap::new(),
    })
}

/// Begins a stream of objects, one a line.
pub fn begin_lines(sink: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    Box::new(Lines {
        out: buffered(sink),
        options,
        begun: false,
        explained: HashSet::default(),
    })
}

struct Document {
    out: Sink,
    options: Options,
    any: bool,
    explained: BTreeMap<String, shape::Explanation>,
}

impl Report for Document {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis) -> io::Result<()> {
        let built = build::call(call, diagnosis, self.options.lang);
        for (answer, shaped) in call.finals.iter().zip(&built.final_responses) {
            if !self.explained.contains_key(shaped.explanation.as_ref()) {
                let explained = knowledge::explain(
                    answer.code,
                    shaped.method.as_deref().unwrap_or_default(),
                    &shaped.reason,
                );
                self.explained.insert(
                    explained.key.clone(),
                    build::explanation(explained, self.options.lang),
                );
            }
        }
        let before = if self.any {
            ",\n"
        } else {
            "{\"schema\":\"sipexplain/1\",\n\"calls\":[\n"
        };
        self.any = true;
        self.out.write_all(before.as_bytes())?;
        put(&mut self.out, &built)
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        if !self.any {
            self.out
                .write_all(b"{\"schema\":\"sipexplain/1\",\n\"calls\":[")?;
        }
        self.out
            .write_all(b"],\n\"findings\":[],\n\"explanations\":")?;
        put(&mut self.out, &self.explained)?;
        self.out.write_all(b",\n\"inputs\":")?;
        put(&mut self.out, &build::inputs(run))?;
        self.out.write_all(b",\n\"totals\":")?;
        put(&mut self.out, &build::totals(run.totals))?;
        self.out.write_all(b"}\n")?;
        self.out.flush()
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
        put(&mut self.out, &Kind { kind, object })?;
        self.out.write_all(b"\n")
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
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis) -> io::Result<()> {
        self.begin()?;
        let built = build::call(call, diagnosis, self.options.lang);
        for (answer, shaped) in call.finals.iter().zip(&built.final_responses) {
            if !self.explained.contains(shaped.explanation.as_ref()) {
                let explained = knowledge::explain(
                    answer.code,
                    shaped.method.as_deref().unwrap_or_default(),
                    &shaped.reason,
                );
                self.explained.insert(explained.key.clone());
                let key = explained.key.clone();
                let object = shape::KeyedExplanation {
                    key,
                    explanation: build::explanation(explained, self.options.lang),
                };
                self.line("explanation", &object)?;
            }
        }
        // Flattening would copy every field; a call is written thousands of times.
        self.out.write_all(b"{\"kind\":\"call\",")?;
        let mut rest = Skip {
            out: &mut self.out,
            skipped: false,
        };
        serde_json::to_writer(&mut rest, &built).map_err(io::Error::from)?;
        self.out.write_all(b"\n")
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.begin()?;
        for input in build::inputs(run) {
            self.line("input", &input)?;
        }
        self.line("totals", &build::totals(run.totals))?;
        self.out.flush()
    }
}

/// Leaves out the opening brace of an object, which was written already.
struct Skip<'a> {
    out: &'a mut Sink,
    skipped: bool,
}

impl Write for Skip<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match bytes {
            [b'{', rest @ ..] if !self.skipped => {
                self.skipped = true;
                self.out.write_all(rest)?;
            }
            _ => self.out.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
