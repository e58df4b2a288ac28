//! `--format tap`: the Test Anything Protocol, version 13, which `prove` and most readers know. The
//! plan stands at the end, so cases are written as they become known.

use super::case::{Case, Cases, Fault, Verdict, WriteCases};
use super::{Options, Report, sink};
use std::io::{self, Write};

/// Begins a report.
pub fn begin(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    let writer = Writer::new(sink(to));
    Box::new(Cases { writer, options })
}

/// Writes cases, one after the other.
pub struct Writer<W: Write> {
    out: W,
    count: u64,
}

impl<W: Write> WriteCases for Writer<W> {
    fn add(&mut self, case: &Case) -> io::Result<()> {
        self.begin()?;
        self.count += 1;
        let (number, suite, name) = (self.count, escaped(&case.suite), escaped(&case.name));
        let line = |word: &str| format!("{word} {number} - {suite}: {name}");
        match &case.verdict {
            Verdict::Passed => writeln!(self.out, "{}", line("ok"))?,
            Verdict::Skipped(why) => {
                writeln!(self.out, "{} # SKIP {}", line("ok"), escaped(why))?;
            }
            Verdict::Failed(fault) | Verdict::Unjudged(fault) => {
                writeln!(self.out, "{}", line("not ok"))?;
                self.diagnostics(fault)?;
            }
        }
        for remark in &case.remarks {
            writeln!(self.out, "# {}", one_line(remark))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.begin()?;
        match self.count {
            0 => writeln!(self.out, "1..0 # SKIP nothing to judge")?,
            count => writeln!(self.out, "1..{count}")?,
        }
        self.out.flush()
    }
}

impl<W: Write> Writer<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Writer<W> {
        Writer { out, count: 0 }
    }

    fn begin(&mut self) -> io::Result<()> {
        match self.count {
            0 => writeln!(self.out, "TAP version 13"),
            _ => Ok(()),
        }
    }

    // A block of YAML: a JSON string is one of YAML too.
    fn diagnostics(&mut self, fault: &Fault) -> io::Result<()> {
        writeln!(self.out, "  ---")?;
        let string = |text: &str| serde_json::Value::from(one_line(text)).to_string();
        writeln!(self.out, "  message: {}", string(&fault.message))?;
        writeln!(self.out, "  severity: fail")?;
        writeln!(self.out, "  rule: {}", string(&fault.kind))?;
        if let Some((file, unit, number)) = &fault.place {
            writeln!(self.out, "  at:")?;
            writeln!(self.out, "    file: {}", string(file))?;
            writeln!(self.out, "    {unit}: {number}")?;
        }
        writeln!(self.out, "  report:")?;
        for line in &fault.lines {
            writeln!(self.out, "    - {}", string(line.trim_end()))?;
        }
        writeln!(self.out, "  ...")
    }
}

/// Safe in the description of a case: `#` would begin a directive.
fn escaped(text: &str) -> String {
    let text = one_line(text);
    text.replace('\\', "\\\\").replace('#', "\\#")
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cases: &[Case]) -> String {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        cases.iter().for_each(|case| writer.add(case).unwrap());
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_name_is_no_directive_and_no_second_line() {
        let case = Case {
            suite: "a # TODO b".to_owned(),
            name: "x\nnot ok 2\\ # SKIP".to_owned(),
            seconds: None,
            verdict: Verdict::Passed,
            remarks: vec!["so\nBail out!".to_owned()],
            asked: None,
        };
        assert_eq!(
            written(&[case]),
            "TAP version 13\nok 1 - a \\# TODO b: x not ok 2\\\\ \\# SKIP\n# so Bail out!\n1..1\n"
        );
    }

    #[test]
    fn without_cases_all_is_skipped() {
        assert_eq!(
            written(&[]),
            "TAP version 13\n1..0 # SKIP nothing to judge\n"
        );
    }
}
