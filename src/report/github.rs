//! `--format github`: workflow commands that GitHub shows as annotations of a run, and the Markdown
//! report as summary of the step where `GITHUB_STEP_SUMMARY` names a file for it.

use super::case::{Case, Verdict, WriteCases};
use super::issue::{self, Issue};
use super::{Options, Prove, Report, Run, Sink, markdown, sink};
use crate::diagnose::{Diagnosis, Severity};
use crate::lang::Lang;
use crate::session::{Call, Outcome};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};

/// Annotations of one level that GitHub shows of a step.
const MOST: u64 = 10;

/// Begins a report.
pub fn begin(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    let (file, failure) = summary();
    let summary = file.map(|file| markdown::begin(Box::new(file), options.clone()));
    Box::new(GitHub {
        out: Commands::new(to, options.lang),
        options,
        summary,
        failure,
    })
}

/// Begins a report of cases.
pub(super) fn begin_cases(to: Box<dyn Write>, lang: &'static Lang) -> Box<dyn WriteCases> {
    let (file, failure) = summary();
    Box::new(Cases {
        out: Commands::new(to, lang),
        summary: file.map(|file| markdown::begin_cases(Box::new(file), lang)),
        failure,
    })
}

// The summary of the step, where there is one, or why it cannot be written.
fn summary() -> (Option<File>, Option<io::Error>) {
    let path = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let file = path.map(|path| OpenOptions::new().append(true).create(true).open(path));
    match file {
        Some(Ok(file)) => (Some(file), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    }
}

struct GitHub {
    out: Commands,
    options: Options,
    summary: Option<Box<dyn Report>>,
    /// Why the summary cannot be written.
    failure: Option<io::Error>,
}

struct Cases {
    out: Commands,
    summary: Option<Box<dyn WriteCases>>,
    failure: Option<io::Error>,
}

/// Workflow commands, as many as are shown.
struct Commands {
    out: Sink,
    lang: &'static Lang,
    /// Annotations by severity.
    counts: [u64; 3],
}

impl Report for GitHub {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        if let Some(summary) = &mut self.summary {
            summary.call(call, diagnosis, prove)?;
        }
        let told = diagnosis
            .findings
            .iter()
            .any(|f| f.severity < Severity::Info);
        let went_well = matches!(call.told(), Outcome::Succeeded | Outcome::Unfinished);
        if went_well && !told {
            return Ok(());
        }
        // Remarks beside a failure are no annotations of their own.
        for issue in issue::of_call(call, &prove(), &self.options) {
            let cause = issue.sure.is_some_and(|(_, role)| role == "cause");
            if issue.severity < Severity::Info || cause {
                self.annotate(&issue)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.out.flush()
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        for issue in issue::at_the_end(run, &self.options) {
            if issue.severity < Severity::Info {
                self.annotate(&issue)?;
            }
        }
        for read in run.inputs {
            if let Some(error) = &read.summary.error {
                self.out.unread(&read.summary.path, &error.to_string())?;
            }
        }
        self.out.finish()?;
        if let Some(summary) = &mut self.summary {
            summary.finish(run)?;
        }
        self.failure.take().map_or(Ok(()), Err)
    }
}

impl GitHub {
    fn annotate(&mut self, issue: &Issue) -> io::Result<()> {
        let Some(place) = issue.places.first() else {
            return Ok(());
        };
        let spot = place.spot(&self.options);
        let shown = match spot.is_empty() {
            true => place.note.clone(),
            false => format!("{spot}{}{}", self.options.lang.word(": "), place.note),
        };
        let parts = [&issue.about, &shown, &issue.why, &issue.fix];
        let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let title = format!("{}: {}", issue.id(), issue.title);
        let at = (&*place.path, place.lines);
        self.out
            .annotate(issue.severity, at, &title, &parts.join("\n"))
    }
}

impl WriteCases for Cases {
    // On the line that asks for it: that is what a merge request shows.
    fn add(&mut self, case: &Case) -> io::Result<()> {
        if let Some(summary) = &mut self.summary {
            summary.add(case)?;
        }
        match &case.verdict {
            Verdict::Passed | Verdict::Skipped(_) => Ok(()),
            Verdict::Unjudged(fault) => self.out.unread(&case.suite, &fault.message),
            Verdict::Failed(fault) => {
                let asked = case.asked.as_ref();
                let at = asked.map_or((case.suite.as_str(), None), |(file, line)| {
                    (file.as_str(), Some((*line, *line)))
                });
                let spot = fault.spot();
                let text = std::iter::once(&fault.message).chain(&spot);
                let text = text.chain(&fault.lines).map(|line| line.trim_end());
                let text: Vec<&str> = text.collect();
                self.out
                    .annotate(Severity::Error, at, &case.name, &text.join("\n"))
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.finish()?;
        if let Some(summary) = &mut self.summary {
            summary.finish()?;
        }
        self.failure.take().map_or(Ok(()), Err)
    }
}

impl Commands {
    fn new(to: Box<dyn Write>, lang: &'static Lang) -> Commands {
        Commands {
            out: sink(to),
            lang,
            counts: [0; 3],
        }
    }

    // GitHub drops what is beyond its limit without a word.
    fn annotate(
        &mut self,
        severity: Severity,
        (path, lines): (&str, Option<(u64, u64)>),
        title: &str,
        text: &str,
    ) -> io::Result<()> {
        let (level, count) = match severity {
            Severity::Error => ("error", &mut self.counts[0]),
            Severity::Warning => ("warning", &mut self.counts[1]),
            Severity::Info => ("notice", &mut self.counts[2]),
        };
        *count += 1;
        if *count > MOST {
            return Ok(());
        }
        let path = path.strip_prefix("./").unwrap_or(path);
        let mut at = format!("file={}", property(path));
        if let Some((first, last)) = lines {
            at += &format!(",line={first},endLine={last}");
        }
        let (title, text) = (property(title), data(text));
        writeln!(self.out, "::{level} {at},title={title}::{text}")
    }

    fn unread(&mut self, path: &str, why: &str) -> io::Result<()> {
        writeln!(self.out, "::error file={}::{}", property(path), data(why))
    }

    fn finish(&mut self) -> io::Result<()> {
        let beyond = |count: &u64| count.saturating_sub(MOST);
        let more: u64 = self.counts.iter().map(beyond).sum();
        if more > 0 {
            let args = [("count", more.to_string())];
            let said = self.lang.say("{count} more findings are not shown", &args);
            writeln!(self.out, "::notice title=sipexplain::{}", data(&said))?;
        }
        self.out.flush()
    }
}

/// Safe as the message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Safe as a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_command_or_begins_one() {
        assert_eq!(data("a%0A\n::error::b\r"), "a%250A%0A::error::b%0D");
        assert_eq!(property("a,line=1::x"), "a%2Cline=1%3A%3Ax");
    }
}
