//! `--format gitlab`: a code quality report, which GitLab shows in a merge request. Every issue needs
//! a file and a line there; of a capture that is line 1, and the frame stands in the description.

use super::case::{Case, Verdict, WriteCases};
use super::issue::{self, Issue};
use super::{Options, Prove, Report, Run, Sink, sink};
use crate::diagnose::{Diagnosis, Severity};
use crate::lang::Lang;
use crate::session::Call;
use serde_json::json;
use std::io::{self, Write};

/// Begins a report.
pub fn begin(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    let out = List {
        out: sink(to),
        any: false,
    };
    Box::new(GitLab { out, options })
}

/// Begins a report of cases.
pub(super) fn begin_cases(to: Box<dyn Write>, _: &'static Lang) -> Box<dyn WriteCases> {
    Box::new(List {
        out: sink(to),
        any: false,
    })
}

struct GitLab {
    out: List,
    options: Options,
}

/// What makes up the report.
struct List {
    out: Sink,
    any: bool,
}

impl Report for GitLab {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        let issues = issue::of_judged(call, diagnosis, prove, &self.options);
        issues.iter().try_for_each(|issue| self.issue(issue))
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        for issue in issue::at_the_end(run, &self.options) {
            self.issue(&issue)?;
        }
        self.out.end()
    }
}

impl GitLab {
    fn issue(&mut self, issue: &Issue) -> io::Result<()> {
        let Some(place) = issue.places.first() else {
            return Ok(());
        };
        let spot = place.spot(&self.options);
        let about = [&issue.title, &issue.about, &spot];
        let about: Vec<&str> = about.iter().map(|part| part.as_str()).collect();
        let about: Vec<&str> = about.into_iter().filter(|part| !part.is_empty()).collect();
        self.out.add(&One {
            description: &about.join(" · "),
            check: issue.id(),
            fingerprint: &issue.fingerprint,
            severity: severity(issue.severity),
            path: &place.path,
            lines: place.lines.unwrap_or((1, 1)),
        })
    }
}

impl WriteCases for List {
    // In the line that asks for it.
    fn add(&mut self, case: &Case) -> io::Result<()> {
        let (Verdict::Failed(fault) | Verdict::Unjudged(fault)) = &case.verdict else {
            return Ok(());
        };
        let asked = case.asked.as_ref();
        let (path, line) = asked.map_or((&case.suite, 1), |(file, line)| (file, *line));
        let identity = format!("{}\0{}\0{}", fault.kind, case.suite, case.name);
        let parts = [
            Some(case.name.clone()),
            Some(fault.message.clone()),
            fault.spot(),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        List::add(
            self,
            &One {
                description: &parts.join(" · "),
                check: &fault.kind,
                fingerprint: &issue::fingerprint(&identity),
                severity: severity(Severity::Error),
                path,
                lines: (line, line),
            },
        )
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end()
    }
}

/// An entry of the report.
struct One<'a> {
    description: &'a str,
    check: &'a str,
    fingerprint: &'a str,
    severity: &'static str,
    path: &'a str,
    lines: (u64, u64),
}

impl List {
    fn add(&mut self, one: &One<'_>) -> io::Result<()> {
        let path = one.path.strip_prefix("./").unwrap_or(one.path);
        let (first, last) = one.lines;
        let object = json!({
            "description": one.description,
            "check_name": one.check,
            "fingerprint": one.fingerprint,
            "severity": one.severity,
            "location": { "path": path, "lines": { "begin": first, "end": last } },
        });
        self.out.write_all(if self.any { b",\n" } else { b"[\n" })?;
        self.any = true;
        serde_json::to_writer(&mut self.out, &object).map_err(io::Error::from)
    }

    fn end(&mut self) -> io::Result<()> {
        let end = if self.any { "\n]\n" } else { "[]\n" };
        self.out.write_all(end.as_bytes())?;
        self.out.flush()
    }
}

fn severity(of: Severity) -> &'static str {
    match of {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Info => "info",
    }
}
