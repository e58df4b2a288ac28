//! Test cases, for formats that know nothing but those: a call passed, fell short, or was not seen whole.

use super::terminal::escape::clean;
use super::terminal::{self, noun, parties, result};
use super::{Options, Prove, Read, Report, Run, github, gitlab, junit, markdown, sink, tap};
use crate::diagnose::across::CaptureFinding;
use crate::diagnose::{Diagnosis, Finding, Severity};
use crate::lang::Lang;
use crate::session::{Call, Outcome};
use std::io::{self, Write};

/// One case of a suite; every text is safe for a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The suite that it belongs to: the input, or the file of expectations.
    pub suite: String,
    /// What it is called, in its suite only once.
    pub name: String,
    /// How long it took, where that is known.
    pub seconds: Option<f64>,
    /// What became of it.
    pub verdict: Verdict,
    /// What is worth knowing where it did not fall short.
    pub remarks: Vec<String>,
    /// File and line in which it is asked for, where it is.
    pub asked: Option<(String, u64)>,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Nothing asked for fell short.
    Passed,
    /// It could not be told, and why.
    Skipped(String),
    /// It fell short.
    Failed(Fault),
    /// It could not be judged.
    Unjudged(Fault),
}

/// Why a case fell short.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The rule, or another id.
    pub kind: String,
    /// One line.
    pub message: String,
    /// All that there is to say and to show, line by line.
    pub lines: Vec<String>,
    /// File, and frame or line in it, of the proof.
    pub place: Option<(String, &'static str, u64)>,
}

/// Writes cases in a format of its own.
pub trait WriteCases {
    /// Adds a case.
    ///
    /// # Errors
    /// Whatever writing gives.
    fn add(&mut self, case: &Case) -> io::Result<()>;

    /// Lets go of what need not be held back.
    ///
    /// # Errors
    /// Whatever writing gives.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Writes the end.
    ///
    /// # Errors
    /// Whatever writing gives.
    fn finish(&mut self) -> io::Result<()>;
}

/// A format that can be written of cases alone.
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// Begins a report that is written to the sink.
    pub begin: fn(Box<dyn Write>, &'static Lang) -> Box<dyn WriteCases>,
}

/// Those formats.
pub static FORMATS: [Format; 5] = [
    Format {
        name: "junit",
        begin: |to, _| Box::new(junit::Writer::new(sink(to))),
    },
    Format {
        name: "tap",
        begin: |to, _| Box::new(tap::Writer::new(sink(to))),
    },
    Format {
        name: "github",
        begin: github::begin_cases,
    },
    Format {
        name: "gitlab",
        begin: gitlab::begin_cases,
    },
    Format {
        name: "markdown",
        begin: markdown::begin_cases,
    },
];

/// A report whose cases are the calls.
pub(super) struct Cases<W: WriteCases> {
    pub(super) writer: W,
    pub(super) options: Options,
}

impl<W: WriteCases> Report for Cases<W> {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        self.writer
            .add(&of_call(call, diagnosis, prove, &self.options))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        for case in at_the_end(run, &self.options) {
            self.writer.add(&case)?;
        }
        self.writer.finish()
    }
}

/// The case of a call.
pub fn of_call(call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>, options: &Options) -> Case {
    let input = call.first().map_or(0, |first| first.stamp.origin.input);
    let (start, end) = (call.start(), call.end());
    let lasted = start.zip(end).map(|(start, end)| end.saturating_sub(start));
    let mut case = Case {
        suite: clean(&options.paths.of(input)),
        name: name(call, options),
        seconds: lasted.map(|lasted| lasted.max(0) as f64 / 1e9),
        verdict: Verdict::Passed,
        remarks: Vec::new(),
        asked: None,
    };
    if options.falls_short(call, diagnosis) {
        case.verdict = Verdict::Failed(fault(call, &prove(), options));
        return case;
    }
    let told = |finding: &Finding| finding.severity < Severity::Info;
    if diagnosis.findings.iter().any(told) {
        let proof = prove();
        let all = proof.findings.iter().filter(|finding| told(finding));
        case.remarks = all.map(|finding| remark(finding, options)).collect();
    }
    if let Some(reason) = &diagnosis.accepted {
        case.verdict = Verdict::Skipped(accepted(reason, options));
    } else if call.told() == Outcome::Unfinished {
        case.verdict = Verdict::Skipped(result(call, options.lang));
    }
    case
}

/// `known already: ticket 17`
pub(super) fn accepted(reason: &str, options: &Options) -> String {
    let lang = options.lang;
    let (known, colon) = (lang.word("known already"), lang.word(": "));
    clean(&format!("{known}{colon}{reason}"))
}

/// `call 3: bob -> alice`
pub(super) fn name(call: &Call, options: &Options) -> String {
    let lang = options.lang;
    let colon = lang.word(": ");
    let (noun, parties) = (noun(call, lang), parties(call, lang));
    clean(&format!("{noun} {}{colon}{parties}", call.id))
}

// `warning[late-ack]: what it is`
fn remark(finding: &Finding, options: &Options) -> String {
    let severity = options.lang.word(finding.severity.word());
    let (id, title) = (finding.rule.id, title(finding, options));
    let colon = options.lang.word(": ");
    format!("{severity}[{id}]{colon}{title}")
}

pub(super) fn title(finding: &Finding, options: &Options) -> String {
    let text = options.lang.rule(finding.rule, "title", &finding.args);
    clean(&text)
}

fn fault(call: &Call, proof: &Diagnosis, options: &Options) -> Fault {
    let lang = options.lang;
    let asked = || {
        proof
            .findings
            .iter()
            .find(|finding| options.is_short(finding))
    };
    let shown = proof
        .cause()
        .or_else(asked)
        .or_else(|| proof.foremost(call));
    let said = match (shown, &proof.undetermined) {
        (Some(finding), _) => title(finding, options),
        (None, Some(undetermined)) => clean(&lang.undetermined(&undetermined.why)),
        (None, None) => lang.word(call.told().word()).into_owned(),
    };
    let result = clean(&result(call, lang));
    let proves = shown
        .and_then(|finding| Some((finding.leg, finding.evidence.first()?.message()?)))
        .and_then(|(leg, message)| call.leg(leg).messages.get(message));
    let message = proves.or(call.deciding()).or(call.first());
    Fault {
        kind: shown
            .map_or("undetermined", |finding| finding.rule.id)
            .into(),
        message: format!("{result}{}{said}", lang.word(": ")),
        lines: terminal::quoted(call, proof, options),
        place: message.map(|message| {
            let (stamp, at) = (&message.stamp, message.stamp.origin);
            let unit = if stamp.lines > 0 { "line" } else { "frame" };
            (clean(&options.paths.of(at.input)), unit, at.place)
        }),
    }
}

impl Case {
    /// Nothing but what became of it; texts are made safe.
    pub fn new(suite: &str, name: String, verdict: Verdict) -> Case {
        Case {
            suite: clean(suite),
            name: clean(&name),
            seconds: None,
            verdict,
            remarks: Vec::new(),
            asked: None,
        }
    }
}

// The inputs that could not be read.
fn unread(run: &Run<'_>) -> Vec<Case> {
    let error = |read: &Read| {
        let error = read.summary.error.as_ref()?;
        let lines = vec![clean(&error.to_string())];
        let why = Verdict::Unjudged(Fault::of("unread", &error.reason, lines));
        Some(Case::new(&read.summary.path, "read".to_owned(), why))
    };
    run.inputs.iter().filter_map(error).collect()
}

/// Why nothing of a run could be judged: inputs that could not be read, and no SIP in any. Empty: it could.
pub fn unjudged(run: &Run<'_>) -> Vec<Case> {
    let mut all = unread(run);
    let messages = run.inputs.iter().map(|read| read.account.sip_messages);
    if all.is_empty() && messages.sum::<u64>() == 0 {
        let paths = run.inputs.iter().map(|read| read.summary.path.as_str());
        let paths: Vec<&str> = paths.collect();
        let paths = if paths.is_empty() { vec!["-"] } else { paths };
        all.extend(paths.into_iter().map(|path| {
            let why = Fault::of("no-sip", "no SIP found", Vec::new());
            Case::new(path, "read".to_owned(), Verdict::Unjudged(why))
        }));
    }
    all
}

/// Inputs that were named and hold no SIP, while others do: whoever names a recording wants its calls.
pub fn empty(run: &Run<'_>) -> Vec<Case> {
    let has_sip = |read: &Read| read.account.sip_messages > 0;
    if !run.inputs.iter().any(has_sip) {
        return Vec::new();
    }
    let named = run
        .inputs
        .iter()
        .filter(|read| !has_sip(read) && read.summary.error.is_none() && !read.summary.in_folder);
    let case = |read: &Read| {
        let why = Fault::of("no-sip", "no SIP found", Vec::new());
        Case::new(&read.summary.path, "read".to_owned(), Verdict::Failed(why))
    };
    named.map(case).collect()
}

impl Fault {
    /// Without a place; the message is made safe.
    pub fn of(kind: &str, message: &str, lines: Vec<String>) -> Fault {
        Fault {
            kind: kind.to_owned(),
            message: clean(message),
            lines,
            place: None,
        }
    }

    /// `capture.pcap, frame 5`
    pub(super) fn spot(&self) -> Option<String> {
        let (file, unit, number) = self.place.as_ref()?;
        Some(format!("{file}, {unit} {number}"))
    }
}

/// The cases that only the end shows: inputs that could not be read, and findings about peers and
/// captures as a whole.
pub fn at_the_end(run: &Run<'_>, options: &Options) -> Vec<Case> {
    let mut all = unjudged(run);
    for mut case in empty(run) {
        if options.fail_on.is_empty() {
            case.verdict = Verdict::Skipped("no SIP found".to_owned());
        }
        all.push(case);
    }
    for (number, found) in (1..).zip(run.findings) {
        let shown = found.exhibits.first().map(|(exhibit, _)| exhibit);
        let input = shown.map_or(0, |exhibit| exhibit.origin.input);
        let suite = options.paths.of(input);
        let name = format!("finding {number}: {}", found.finding.rule.id);
        let mut case = Case::new(&suite, name, Verdict::Passed);
        match options.is_short(&found.finding) {
            true => {
                case.verdict = Verdict::Failed(fault_across(found, options));
            }
            false => case.remarks = vec![remark(&found.finding, options)],
        }
        all.push(case);
    }
    all
}

fn fault_across(found: &CaptureFinding, options: &Options) -> Fault {
    let shown = found.exhibits.first().map(|(exhibit, _)| exhibit);
    Fault {
        kind: found.finding.rule.id.to_owned(),
        message: title(&found.finding, options),
        lines: terminal::quoted_across(found, options),
        place: shown.map(|exhibit| {
            let unit = if exhibit.of_log { "line" } else { "frame" };
            let at = exhibit.origin;
            (clean(&options.paths.of(at.input)), unit, at.place)
        }),
    }
}
