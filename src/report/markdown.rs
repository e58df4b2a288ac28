//! `--format markdown`: for a merge request or a ticket. Everything from the wire stands in code, where
//! no renderer looks for links, mentions, HTML or images.

use super::case::{Case, Fault, Verdict, WriteCases};
use super::terminal::{self, escape::clean};
use super::{CaptureFinding, Options, Prove, Report, Run, Sink, sink};
use crate::diagnose::{Diagnosis, Severity};
use crate::lang::Lang;
use crate::session::Call;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::io::{self, Write};

/// Groups of equal failures kept; further ones are counted.
const MOST_GROUPS: usize = 200;
/// Groups shown with an example.
const MOST_SHOWN: usize = 20;
/// Lines of an example.
const MOST_LINES: usize = 150;

/// Begins a report.
pub fn begin(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    Box::new(Markdown {
        out: sink(to),
        options,
        groups: HashMap::default(),
        more: 0,
        short: 0,
    })
}

struct Markdown {
    out: Sink,
    options: Options,
    groups: HashMap<terminal::Key, Group, RandomState>,
    /// Calls of groups beyond those kept.
    more: u64,
    /// Calls that fell short.
    short: u64,
}

struct Group {
    severity: Severity,
    count: u64,
    first: u64,
    lines: Vec<String>,
}

impl Report for Markdown {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        self.short += u64::from(self.options.falls_short(call, diagnosis));
        if terminal::is_fine(call, diagnosis) {
            return Ok(());
        }
        let key = terminal::key(call, diagnosis);
        if let Some(group) = self.groups.get_mut(&key) {
            group.count += 1;
        } else if self.groups.len() < MOST_GROUPS {
            let group = Group {
                severity: terminal::severity(call, diagnosis),
                count: 1,
                first: call.id,
                lines: terminal::quoted(call, &prove(), &self.options),
            };
            self.groups.insert(key, group);
        } else {
            self.more += 1;
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.head(run)?;
        let mut groups: Vec<Group> = std::mem::take(&mut self.groups).into_values().collect();
        groups.sort_by_key(|group| (group.severity, std::cmp::Reverse(group.count), group.first));
        self.table(&groups)?;
        let mut across = run.findings.iter().peekable();
        for group in groups.iter().take(MOST_SHOWN) {
            let worse = |found: &&CaptureFinding| found.finding.severity < group.severity;
            while let Some(found) = across.next_if(worse) {
                let lines = terminal::quoted_across(found, &self.options);
                block(&mut self.out, &lines)?;
            }
            block(&mut self.out, &group.lines)?;
        }
        for found in across {
            let lines = terminal::quoted_across(found, &self.options);
            block(&mut self.out, &lines)?;
        }
        self.out.flush()
    }
}

impl Markdown {
    fn head(&mut self, run: &Run<'_>) -> io::Result<()> {
        let lang = self.options.lang;
        let args = [
            ("short", self.short.to_string()),
            ("all", run.totals.entries.to_string()),
        ];
        let said = lang.say("{short} of {all} entries fell short", &args);
        writeln!(self.out, "## sipexplain: {said}\n")?;
        fence(&mut self.out, &terminal::quoted_head(run, &self.options))?;
        writeln!(self.out)
    }

    fn table(&mut self, groups: &[Group]) -> io::Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let lang = self.options.lang;
        let (entries, first) = (lang.word("entries"), lang.word("the first of them"));
        writeln!(self.out, "| {entries} | {first} |\n| ---: | --- |")?;
        for group in groups {
            let first = group.lines.first().map_or("", String::as_str);
            writeln!(self.out, "| {} | {} |", group.count, cell(first))?;
        }
        if self.more > 0 {
            let more = [("count", self.more.to_string())];
            let said = lang.say(
                "{count} more calls failed in further ways; --list shows each",
                &more,
            );
            writeln!(self.out, "\n{said}")?;
        }
        writeln!(self.out)
    }
}

/// Begins a report of cases.
pub(super) fn begin_cases(to: Box<dyn Write>, lang: &'static Lang) -> Box<dyn WriteCases> {
    Box::new(Cases {
        out: sink(to),
        lang,
        failed: Vec::new(),
        short: 0,
        all: 0,
    })
}

struct Cases {
    out: Sink,
    lang: &'static Lang,
    /// Suite, name and fault of those that are shown.
    failed: Vec<(String, Fault)>,
    short: u64,
    all: u64,
}

impl WriteCases for Cases {
    fn add(&mut self, case: &Case) -> io::Result<()> {
        self.all += 1;
        if let Verdict::Failed(fault) | Verdict::Unjudged(fault) = &case.verdict {
            self.short += 1;
            if self.failed.len() < MOST_GROUPS {
                let colon = self.lang.word(": ");
                let name = format!("{}{colon}{}", case.suite, case.name);
                self.failed.push((name, fault.clone()));
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let args = [
            ("short", self.short.to_string()),
            ("all", self.all.to_string()),
        ];
        let said = self.lang.say("{short} of {all} entries fell short", &args);
        writeln!(self.out, "## sipexplain check: {said}\n")?;
        for (name, fault) in &self.failed {
            writeln!(self.out, "- {}: {}", code(name), code(&fault.message))?;
        }
        let more = self.short.saturating_sub(self.failed.len() as u64);
        if more > 0 {
            let args = [("count", more.to_string())];
            let said = self.lang.say("{count} more findings are not shown", &args);
            writeln!(self.out, "- {said}")?;
        }
        for (name, fault) in self.failed.iter().take(MOST_SHOWN) {
            writeln!(self.out, "\n### {}\n", code(name))?;
            fence(&mut self.out, &fault.lines)?;
        }
        self.out.flush()
    }
}

fn block(out: &mut Sink, lines: &[String]) -> io::Result<()> {
    let Some((heading, rest)) = lines.split_first() else {
        return Ok(());
    };
    writeln!(out, "### {}\n", code(heading))?;
    fence(out, rest)?;
    writeln!(out)
}

fn fence(out: &mut Sink, lines: &[String]) -> io::Result<()> {
    let longest = lines.iter().map(|line| longest_run(line)).max();
    let fence = "`".repeat((longest.unwrap_or(0) + 1).max(3));
    writeln!(out, "{fence}text")?;
    for line in lines.iter().take(MOST_LINES) {
        writeln!(out, "{}", clean(line).trim_end())?;
    }
    if lines.len() > MOST_LINES {
        writeln!(out, "...")?;
    }
    writeln!(out, "{fence}")
}

/// Backticks in a row.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`');
    runs.map(str::len).max().unwrap_or(0)
}

/// A code span (CommonMark §6.1) that no backtick in it ends.
fn code(text: &str) -> String {
    let text = clean(text);
    let around = "`".repeat(longest_run(&text) + 1);
    match text.trim().is_empty() {
        true => String::new(),
        false => format!("{around} {} {around}", text.trim()),
    }
}

/// The same in a cell of a table, which a bar would end even in code.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_code() {
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(cell("a|b\n<img>"), "` a\\|b\\x0A<img> `");
        assert_eq!(code(" "), "");
    }
}
