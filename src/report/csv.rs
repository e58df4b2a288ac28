//! `--format csv` and `csv-finals`: a row a call, or a row a final response (RFC 4180, with a header).

use super::terminal::escape::clean;
use super::totals::method_name;
use super::{Options, Prove, Report, Run, Sink, sink};
use crate::diagnose::Diagnosis;
use crate::input::Time;
use crate::session::{Call, Final, Stored};
use std::io::{self, Write};
use std::net::SocketAddr;

const CALLS: [&str; 21] = [
    "id",
    "start",
    "end",
    "method",
    "from",
    "to",
    "request_uri",
    "call_id",
    "outcome",
    "code",
    "reason",
    "root_cause",
    "severity",
    "confidence",
    "acts",
    "input",
    "frame",
    "line",
    "messages",
    "final_responses",
    "rules",
];
const FINALS: [&str; 19] = [
    "call",
    "code",
    "reason",
    "method",
    "cseq",
    "call_id",
    "input",
    "frame",
    "part",
    "line",
    "last_line",
    "time",
    "source",
    "destination",
    "transport",
    "repeats",
    "step",
    "step_of",
    "decides",
];

/// Begins a table of calls.
pub fn begin_calls(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    begin(to, options, &CALLS, of_call)
}

/// Begins a table of final responses.
pub fn begin_finals(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    begin(to, options, &FINALS, finals)
}

/// The rows of a call.
type Rows = fn(&Call, &Diagnosis, &Options) -> Vec<Vec<String>>;

fn begin(
    to: Box<dyn Write>,
    options: Options,
    names: &'static [&'static str],
    rows: Rows,
) -> Box<dyn Report> {
    Box::new(Csv {
        out: sink(to),
        options,
        names,
        begun: false,
        rows,
    })
}

struct Csv {
    out: Sink,
    options: Options,
    names: &'static [&'static str],
    begun: bool,
    rows: Rows,
}

impl Csv {
    fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        write!(self.out, "{}\r\n", self.names.join(","))
    }
}

impl Report for Csv {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, _: Prove<'_>) -> io::Result<()> {
        self.begin()?;
        for row in (self.rows)(call, diagnosis, &self.options) {
            let cells: Vec<String> = row.iter().map(|cell| field(cell)).collect();
            write!(self.out, "{}\r\n", cells.join(","))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, _: &Run<'_>) -> io::Result<()> {
        self.begin()?;
        self.out.flush()
    }
}

fn of_call(call: &Call, diagnosis: &Diagnosis, options: &Options) -> Vec<Vec<String>> {
    let time = |time: Option<i64>| {
        let dated = time.filter(|_| call.is_dated());
        dated.map(|time| Time(time).to_string()).unwrap_or_default()
    };
    let cause = diagnosis.cause();
    let word = |of: Option<&str>| of.unwrap_or_default().to_owned();
    let mut rules: Vec<&str> = diagnosis.findings.iter().map(|f| f.rule.id).collect();
    rules.dedup();
    let [input, frame, _, line, _] = call.first().map(|m| place(m, options)).unwrap_or_default();
    vec![vec![
        call.id.to_string(),
        time(call.start()),
        time(call.end()),
        method_name(call),
        call.from().unwrap_or_default(),
        call.to().unwrap_or_default(),
        call.request_uri().unwrap_or_default(),
        call.call_id().unwrap_or_default(),
        call.told().word().to_owned(),
        number(call.code()),
        call.deciding().map(reason).unwrap_or_default(),
        word(cause.map(|finding| finding.rule.id)),
        word(cause.map(|finding| finding.severity.word())),
        word(cause.map(|finding| finding.confidence.word())),
        word(cause.map(|finding| finding.acts.word())),
        input,
        frame,
        line,
        call.all_legs()
            .map(|leg| leg.messages.len())
            .sum::<usize>()
            .to_string(),
        call.all_legs()
            .map(|leg| leg.finals.len())
            .sum::<usize>()
            .to_string(),
        rules.join(" "),
    ]]
}

// As in JSON: those of further legs follow, and `step_of` counts on.
fn finals(call: &Call, _: &Diagnosis, options: &Options) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (leg_number, leg) in call.all_legs().enumerate() {
        let offset = rows.len();
        for (index, answer) in leg.finals.iter().enumerate() {
            let Some(stored) = leg.messages.get(answer.message) else {
                continue;
            };
            let decides = leg_number == 0 && call.told_by() == Some(index);
            let mut row = vec![call.id.to_string(), answer.code.to_string()];
            row.extend(final_response(answer, stored, options));
            row.push(number(answer.step_of.map(|of| of + offset)));
            row.push(if decides { "yes" } else { "no" }.to_owned());
            rows.push(row);
        }
    }
    rows
}

// From `reason` to `step`.
fn final_response(answer: &Final, stored: &Stored, options: &Options) -> Vec<String> {
    let (head, stamp) = (&stored.head, &stored.stamp);
    let address = |end: Option<SocketAddr>| end.map(|end| end.to_string()).unwrap_or_default();
    let mut cells = vec![
        reason(stored),
        stored.message().method_name(),
        number(head.cseq),
        String::from_utf8_lossy(head.call_id.of(&stored.raw)).into_owned(),
    ];
    cells.extend(place(stored, options));
    cells.extend([
        stamp
            .time()
            .map(|time| time.to_string())
            .unwrap_or_default(),
        address(stamp.source),
        address(stamp.destination),
        stamp
            .transport
            .map_or("", |transport| transport.name())
            .to_owned(),
        answer.repeats.len().to_string(),
        answer.step.map_or("", |step| step.word()).to_owned(),
    ]);
    cells
}

fn reason(stored: &Stored) -> String {
    let message = stored.message();
    let span = message.reason();
    span.map(|span| message.slice(span)).unwrap_or_default()
}

// Input; frame and part of a capture; first and last line of a log.
fn place(stored: &Stored, options: &Options) -> [String; 5] {
    let (stamp, at) = (&stored.stamp, stored.stamp.origin);
    let path = options.paths.of(at.input).to_string();
    let place = at.place.to_string();
    match stamp.last_line() {
        None => [
            path,
            place,
            stamp.part.to_string(),
            String::new(),
            String::new(),
        ],
        Some(last) => [path, String::new(), String::new(), place, last.to_string()],
    }
}

fn number(of: Option<impl ToString>) -> String {
    of.map(|number| number.to_string()).unwrap_or_default()
}

/// A field as it is written. What a spreadsheet would take for a formula gets an apostrophe before it;
/// control characters are made visible, so a row is one line.
fn field(text: &str) -> String {
    let shown = clean(text);
    // Spreadsheets pass over blanks before a formula.
    let formula = shown.trim_start().starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    let shown = if formula { format!("'{shown}") } else { shown };
    let plain = |c: char| !matches!(c, ',' | '"' | '\'' | ';' | ' ');
    match shown.chars().all(plain) {
        true => shown,
        false => format!("\"{}\"", shown.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula_or_a_second_row() {
        for (text, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("+12125550100", "\"'+12125550100\""),
            ("\t-1", "\"' -1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("a\r\nb", "a\\x0D\\x0Ab"),
            ("", ""),
        ] {
            assert_eq!(field(text), written);
        }
    }
}
