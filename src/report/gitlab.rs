//! `--format gitlab`: a code quality report, which GitLab shows in a merge request. Every issue needs
//! a file and a line there; of a capture that is line 1, and the frame stands in the description.

use super::issue::{self, Issue};
use super::{Options, Prove, Report, Run, Sink, sink};
use crate::diagnose::{Diagnosis, Severity};
use crate::session::Call;
use serde_json::json;
use std::io::{self, Write};

/// Begins a report.
pub fn begin(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    Box::new(GitLab {
        out: sink(to),
        options,
        any: false,
    })
}

struct GitLab {
    out: Sink,
    options: Options,
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
        let end = if self.any { "\n]\n" } else { "[]\n" };
        self.out.write_all(end.as_bytes())?;
        self.out.flush()
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
        let path = place.path.strip_prefix("./").unwrap_or(&place.path);
        let (first, last) = place.lines.unwrap_or((1, 1));
        let object = json!({
            "description": about.join(" · "),
            "check_name": issue.id(),
            "fingerprint": issue.fingerprint,
            "severity": severity(issue.severity),
            "location": { "path": path, "lines": { "begin": first, "end": last } },
        });
        self.out.write_all(if self.any { b",\n" } else { b"[\n" })?;
        self.any = true;
        serde_json::to_writer(&mut self.out, &object).map_err(io::Error::from)
    }
}

fn severity(of: Severity) -> &'static str {
    match of {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Info => "info",
    }
}
