//! `--format junit`: the XML that build servers read, after the schema of Jenkins' xUnit plugin
//! (junit-10.xsd). A suite says first how many cases it has, so its cases are held back; where they
//! grow large they are written as a part, and the next part is a suite of its own.

use super::case::{Case, Cases, Fault, Verdict, WriteCases};
use super::{Options, Report, sink};
use std::collections::HashMap;
use std::io::{self, Write};

/// Bytes of cases held back before a part is written.
const MOST_HELD: usize = 8 * 1024 * 1024;

/// Begins a report.
pub fn begin(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    let writer = Writer::new(sink(to));
    Box::new(Cases { writer, options })
}

/// Writes cases in suites.
pub struct Writer<W: Write> {
    out: W,
    begun: bool,
    /// The suites in the order of their first case.
    suites: Vec<Suite>,
    /// Where in `suites` each name stands.
    known: HashMap<String, usize, foldhash::fast::RandomState>,
    held: usize,
    most_held: usize,
}

#[derive(Default)]
struct Suite {
    name: String,
    /// Parts written so far.
    parts: u64,
    cases: String,
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl<W: Write> WriteCases for Writer<W> {
    fn add(&mut self, case: &Case) -> io::Result<()> {
        let index = match self.known.get(&case.suite) {
            Some(index) => *index,
            None => {
                self.suites.push(Suite {
                    name: case.suite.clone(),
                    ..Suite::default()
                });
                self.known.insert(case.suite.clone(), self.suites.len() - 1);
                self.suites.len() - 1
            }
        };
        if let Some(suite) = self.suites.get_mut(index) {
            let before = suite.cases.len();
            suite.add(case);
            self.held += suite.cases.len() - before;
        }
        match self.held > self.most_held {
            true => self.write_suites(),
            false => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_suites()?;
        self.begin()?;
        writeln!(self.out, "</testsuites>")?;
        self.out.flush()
    }
}

impl<W: Write> Writer<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Writer<W> {
        Writer {
            out,
            begun: false,
            suites: Vec::new(),
            known: HashMap::default(),
            held: 0,
            most_held: MOST_HELD,
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        self.out.write_all(
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sipexplain\">\n",
        )
    }

    fn write_suites(&mut self) -> io::Result<()> {
        self.begin()?;
        self.held = 0;
        for suite in self.suites.iter_mut().filter(|suite| suite.tests > 0) {
            let mut name = escaped(&suite.name);
            suite.parts += 1;
            if suite.parts > 1 {
                name += &format!(" ({})", suite.parts);
            }
            let (tests, failures) = (suite.tests, suite.failures);
            let (errors, skipped) = (suite.errors, suite.skipped);
            writeln!(
                self.out,
                "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">"
            )?;
            self.out.write_all(suite.cases.as_bytes())?;
            writeln!(self.out, "  </testsuite>")?;
            *suite = Suite {
                name: std::mem::take(&mut suite.name),
                parts: suite.parts,
                ..Suite::default()
            };
        }
        Ok(())
    }
}

impl Suite {
    fn add(&mut self, case: &Case) {
        self.tests += 1;
        let (class, name) = (escaped(&case.suite), escaped(&case.name));
        self.cases += &format!("    <testcase classname=\"{class}\" name=\"{name}\"");
        if let Some(seconds) = case.seconds {
            self.cases += &format!(" time=\"{seconds:.3}\"");
        }
        if case.verdict == Verdict::Passed && case.remarks.is_empty() {
            self.cases += "/>\n";
            return;
        }
        self.cases += ">\n";
        match &case.verdict {
            Verdict::Passed => {}
            Verdict::Skipped(why) => {
                self.skipped += 1;
                self.cases += &format!("      <skipped message=\"{}\"/>\n", escaped(why));
            }
            Verdict::Failed(fault) => {
                self.failures += 1;
                self.fault("failure", fault);
            }
            Verdict::Unjudged(fault) => {
                self.errors += 1;
                self.fault("error", fault);
            }
        }
        if !case.remarks.is_empty() {
            let remarks = escaped_text(&case.remarks.join("\n"));
            self.cases += &format!("      <system-out>{remarks}\n</system-out>\n");
        }
        self.cases += "    </testcase>\n";
    }

    fn fault(&mut self, element: &str, fault: &Fault) {
        let (kind, message) = (escaped(&fault.kind), escaped(&fault.message));
        let mut text = fault.spot().map_or(String::new(), |spot| spot + "\n");
        fault.lines.iter().for_each(|line| {
            text += line.trim_end();
            text.push('\n');
        });
        let text = escaped_text(&text);
        self.cases +=
            &format!("      <{element} type=\"{kind}\" message=\"{message}\">{text}</{element}>\n");
    }
}

/// Safe in an attribute: on one line, and of what XML 1.0 allows.
fn escaped(text: &str) -> String {
    escape(text, true)
}

/// Safe between tags, line ends kept.
fn escaped_text(text: &str) -> String {
    escape(text, false)
}

fn escape(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // Also in `]]>`, which XML forbids outside CDATA.
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' if attribute => out.push_str(&format!("&#{};", u32::from(c))),
            '\t' | '\n' => out.push(c),
            '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'.. => out.push(c),
            // XML 1.0 has no way to write it.
            _ => out.push_str(&format!("\\x{:02X}", u32::from(c))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(suite: &str, number: usize) -> Case {
        Case {
            suite: suite.to_owned(),
            name: format!("case {number}"),
            seconds: Some(1.5),
            verdict: Verdict::Passed,
            remarks: Vec::new(),
            asked: None,
        }
    }

    #[test]
    fn a_large_suite_is_written_in_parts_that_count_right() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.most_held = 500;
        for number in 0..40 {
            writer.add(&case(["a", "b"][number % 2], number)).unwrap();
            assert!(writer.held <= 600);
        }
        writer.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        let suites: Vec<&str> = text.split("<testsuite ").skip(1).collect();
        assert!(suites.len() > 4, "{text}");
        assert!(text.contains("name=\"a\" ") && text.contains("name=\"a (2)\" "));
        for suite in suites {
            let held = suite.matches("<testcase ").count();
            assert!(suite.contains(&format!(" tests=\"{held}\" ")), "{suite}");
        }
        assert_eq!(text.matches("<testcase ").count(), 40);
    }

    #[test]
    fn nothing_leaves_its_attribute_or_element() {
        assert_eq!(
            escaped("a\"<b>&\n\u{1b}\u{fffe}]]>"),
            "a&quot;&lt;b&gt;&amp;&#10;\\x1B\\xFFFE]]&gt;"
        );
        assert_eq!(escaped_text("a\nb]]>\0"), "a\nb]]&gt;\\x00");
    }

    #[test]
    fn a_report_without_cases_is_whole() {
        let mut out = Vec::new();
        Writer::new(&mut out).finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("<testsuites name=\"sipexplain\">\n</testsuites>\n"));
    }
}
