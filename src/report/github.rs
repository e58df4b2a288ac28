//! `--format github`: workflow commands that GitHub shows as annotations of a run, and the Markdown
//! report as summary of the step where `GITHUB_STEP_SUMMARY` names a file for it.

use super::issue::{self, Issue};
use super::{Options, Prove, Report, Run, Sink, markdown, sink};
use crate::diagnose::{Diagnosis, Severity};
use crate::session::{Call, Outcome};
use std::io::{self, Write};

/// Annotations of one level that GitHub shows of a step.
const MOST: u64 = 10;

/// Begins a report.
pub fn begin(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let file = summary.map(|path| {
        let mut how = std::fs::OpenOptions::new();
        how.append(true).create(true).open(path)
    });
    let (file, failure) = match file {
        Some(Ok(file)) => (Some(file), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let summary = file.map(|file| markdown::begin(Box::new(file), options.clone()));
    Box::new(GitHub {
        out: sink(to),
        options,
        summary,
        failure,
        counts: [0; 3],
    })
}

struct GitHub {
    out: Sink,
    options: Options,
    summary: Option<Box<dyn Report>>,
    /// Why the summary cannot be written.
    failure: Option<io::Error>,
    /// Issues by severity.
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
        self.out.flush()
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        for issue in issue::at_the_end(run, &self.options) {
            if issue.severity < Severity::Info {
                self.annotate(&issue)?;
            }
        }
        for read in run.inputs {
            if let Some(error) = &read.summary.error {
                let file = property(&read.summary.path);
                writeln!(
                    self.out,
                    "::error file={file}::{}",
                    data(&error.to_string())
                )?;
            }
        }
        let more: u64 = self
            .counts
            .iter()
            .map(|count| count.saturating_sub(MOST))
            .sum();
        if more > 0 {
            let lang = self.options.lang;
            let said = lang.say(
                "{count} more findings are not shown",
                &[("count", more.to_string())],
            );
            writeln!(self.out, "::notice title=sipexplain::{}", data(&said))?;
        }
        self.out.flush()?;
        if let Some(summary) = &mut self.summary {
            summary.finish(run)?;
        }
        self.failure.take().map_or(Ok(()), Err)
    }
}

impl GitHub {
    // GitHub drops what is beyond its limit without a word.
    fn annotate(&mut self, issue: &Issue) -> io::Result<()> {
        let count = match issue.severity {
            Severity::Error => &mut self.counts[0],
            Severity::Warning => &mut self.counts[1],
            Severity::Info => &mut self.counts[2],
        };
        *count += 1;
        if *count > MOST {
            return Ok(());
        }
        let Some(place) = issue.places.first() else {
            return Ok(());
        };
        let level = match issue.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let path = place.path.strip_prefix("./").unwrap_or(&place.path);
        let mut at = format!("file={}", property(path));
        if let Some((first, last)) = place.lines {
            at += &format!(",line={first},endLine={last}");
        }
        let title = property(&format!("{}: {}", issue.id(), issue.title));
        let spot = place.spot(&self.options);
        let shown = match spot.is_empty() {
            true => place.note.clone(),
            false => format!("{spot}{}{}", self.options.lang.word(": "), place.note),
        };
        let parts = [&issue.about, &shown, &issue.why, &issue.fix];
        let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let said = data(&parts.join("\n"));
        writeln!(self.out, "::{level} {at},title={title}::{said}")
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
