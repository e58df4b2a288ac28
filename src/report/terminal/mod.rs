//! The terminal report: groups of equal failures, what went well in a line each, then the counts.

/// A finding across calls.
mod across;
/// A call in full.
mod block;
/// Text from the wire made safe.
pub mod escape;
/// Hops, media and times of a call.
mod facts;
/// Messages by hop.
mod ladder;
/// Colour.
pub mod palette;
/// Evidence.
mod proof;
/// The counts below the calls, and the statement on coverage above them.
mod summary;
/// What things are called.
mod words;

use super::{Options, Output, Prove, Report, Run};
use crate::diagnose::across::CaptureFinding;
use crate::diagnose::{Acts, Confidence, Depth, Diagnosis, Finding, Severity};
use crate::message::typed;
use crate::session::{Call, Outcome};
use block::Block;
use escape::clean;
use foldhash::fast::RandomState;
use palette::Palette;
use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, SocketAddr};
use summary::Peers;
pub(super) use words::{elsewhere, noun, parties, result, what};

/// Groups drawn with an example; further ones are counted.
const MOST_GROUPS: usize = 1000;
/// Calls that went well shown in a line each; further ones are counted.
const MOST_GOOD: usize = 20;

/// What such a sender tries, and what it is answered, makes no difference.
const SCANNER: &str = "scanner-traffic";

/// Begins a terminal report.
pub fn begin(sink: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    let palette = Palette::new(options.colour);
    Box::new(Terminal {
        out: BufWriter::with_capacity(64 * 1024, Output::new(sink)),
        block: Block { options, palette },
        groups: HashMap::default(),
        more_groups: 0,
        good: Vec::new(),
        more_good: 0,
        causes: HashMap::default(),
        peers: Peers::default(),
    })
}

/// A call in full, as lines without colour: what other formats quote.
pub(super) fn quoted(call: &Call, diagnosis: &Diagnosis, options: &Options) -> Vec<String> {
    plain(options).draw(call, diagnosis, options.ladder)
}

/// A finding about a peer or the capture, likewise.
pub(super) fn quoted_across(found: &CaptureFinding, options: &Options) -> Vec<String> {
    plain(options).across(found)
}

/// What was read, likewise.
pub(super) fn quoted_head(run: &Run<'_>, options: &Options) -> Vec<String> {
    summary::head(run, &plain(options))
}

fn plain(options: &Options) -> Block {
    let options = Options {
        colour: false,
        width: options.width.min(100),
        ..options.clone()
    };
    Block {
        options,
        palette: Palette::new(false),
    }
}

struct Terminal {
    out: BufWriter<Output<Box<dyn Write>>>,
    block: Block,
    groups: HashMap<Key, Group, RandomState>,
    more_groups: u64,
    good: Vec<String>,
    more_good: u64,
    causes: HashMap<(u16, &'static str), u64, RandomState>,
    peers: Peers,
}

/// What makes two failures equal: the cause and what is said of it, the answer and who gave it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    cause: &'static str,
    verdict: Option<(Severity, Confidence, Acts)>,
    code: Option<u16>,
    said: Said,
    outcome: Outcome,
    peer: Option<SocketAddr>,
}

struct Group {
    severity: Severity,
    count: u64,
    first: u64,
    times: Option<(i64, i64)>,
    /// From where all of them came, and where they went; `None` where they differ.
    ends: [Option<IpAddr>; 2],
    failed: Option<u16>,
    /// Are they alike in their sender, whatever they were answered?
    by_sender: bool,
    example: Vec<String>,
}

impl Report for Terminal {
    fn depth(&self) -> Depth {
        match self.block.options.all {
            true => Depth::Proof,
            false => Depth::Verdict,
        }
    }

    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        self.peers.add(call);
        let cause = diagnosis.cause().map(|finding| finding.rule.id);
        if let (Some(code), Some(cause)) = (call.code(), cause) {
            *self.causes.entry((code, cause)).or_default() += 1;
        }
        if self.block.options.list {
            let line = self.line(call, diagnosis);
            return writeln!(self.out, "{line}");
        }
        if self.block.options.all {
            return self.write_block(&self.block.draw(call, diagnosis, true));
        }
        match is_fine(call, diagnosis) {
            true if self.good.len() < MOST_GOOD => {
                let line = self.line(call, diagnosis);
                self.good.push(line);
            }
            true => self.more_good += 1,
            false => self.add_to_group(call, diagnosis, prove),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        if self.block.options.list {
            return self.out.flush();
        }
        for line in summary::head(run, &self.block) {
            writeln!(self.out, "{line}")?;
        }
        let mut groups: Vec<Group> = std::mem::take(&mut self.groups).into_values().collect();
        groups.sort_by_key(|group| (group.severity, std::cmp::Reverse(group.count), group.first));
        let mut across = run.findings.iter().peekable();
        for group in groups {
            let worse = |found: &&CaptureFinding| found.finding.severity < group.severity;
            while let Some(found) = across.next_if(worse) {
                self.write_block(&self.block.across(found))?;
            }
            self.write_group(&group, run.findings)?;
        }
        if self.more_groups > 0 {
            let more = [("count", self.more_groups.to_string())];
            let said = self.block.options.lang.say(
                "{count} more calls failed in further ways; --list shows each",
                &more,
            );
            writeln!(self.out, "\n{said}")?;
        }
        for found in across {
            self.write_block(&self.block.across(found))?;
        }
        self.write_good()?;
        for line in summary::tail(run, &self.block, &self.causes, &self.peers) {
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()
    }
}

impl Terminal {
    fn add_to_group(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) {
        let key = key(call, diagnosis);
        let time = call.start().filter(|_| call.is_dated());
        let stamp = call.request().map(|request| request.stamp);
        let ends = stamp.map_or([None, None], |s| {
            [s.source, s.destination].map(|a| Some(a?.ip()))
        });
        if let Some(group) = self.groups.get_mut(&key) {
            group.count += 1;
            for (known, own) in group.ends.iter_mut().zip(ends) {
                *known = known.filter(|_| *known == own);
            }
            if let (Some((first, last)), Some(time)) = (group.times, time) {
                group.times = Some((first.min(time), last.max(time)));
            }
            return;
        }
        if self.groups.len() >= MOST_GROUPS {
            self.more_groups += 1;
            return;
        }
        let failed = call.told().is_negative();
        let example = self
            .block
            .draw(call, &prove(), self.block.options.ladder || failed);
        let severity = severity(call, diagnosis);
        let by_sender = key.cause == SCANNER;
        self.groups.insert(
            key,
            Group {
                severity,
                count: 1,
                first: call.id,
                times: time.map(|t| (t, t)),
                ends,
                failed: failed.then(|| call.code().unwrap_or(0)),
                by_sender,
                example,
            },
        );
    }

    fn write_group(&mut self, group: &Group, across: &[CaptureFinding]) -> io::Result<()> {
        self.write_block(&group.example)?;
        for line in self.belongs(group, across) {
            writeln!(self.out, "{line}")?;
        }
        if group.count > 1 {
            let span = group.times.map_or_else(String::new, |(first, last)| {
                format!(", {}", self.block.span(first, last))
            });
            let args = [("count", group.count.to_string()), ("span", span)];
            let alike = match group.by_sender {
                true => {
                    "{count} alike in rule and sender{span}; this is the first, --all shows each"
                }
                false => {
                    "{count} alike in rule, answer and peer{span}; this is the first, --all shows each"
                }
            };
            let line = self.block.options.lang.say(alike, &args);
            writeln!(
                self.out,
                "  {} {}",
                self.block.palette.faint("="),
                self.block.palette.strong(&line)
            )?;
        }
        Ok(())
    }

    // What all calls together show of a group says more than each of them.
    fn belongs(&self, group: &Group, across: &[CaptureFinding]) -> Vec<String> {
        let mut lines = Vec::new();
        let [source, destination] = group.ends;
        let holds = |found: &&CaptureFinding| {
            let members = found.members.zip(group.failed);
            members.is_some_and(|(members, code)| members.hold(source, destination, code))
        };
        if let Some(found) = across.iter().find(holds) {
            self.block.belongs(&mut lines, found);
        }
        lines
    }

    fn write_block(&mut self, lines: &[String]) -> io::Result<()> {
        writeln!(self.out)?;
        for line in lines {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn write_good(&mut self) -> io::Result<()> {
        if self.good.is_empty() {
            return Ok(());
        }
        let lang = self.block.options.lang;
        writeln!(
            self.out,
            "\n{}",
            self.block.palette.strong(&lang.word("Succeeded"))
        )?;
        for line in std::mem::take(&mut self.good) {
            writeln!(self.out, "  {line}")?;
        }
        if self.more_good > 0 {
            let more = [("count", self.more_good.to_string())];
            writeln!(
                self.out,
                "  {}",
                lang.say("and {count} more; --list shows each", &more)
            )?;
        }
        Ok(())
    }

    // A line a call: number, time, parties, result, cause, times.
    fn line(&self, call: &Call, diagnosis: &Diagnosis) -> String {
        let (palette, lang) = (self.block.palette, self.block.options.lang);
        let time = call
            .first()
            .and_then(|first| Some(self.block.clock_of(first, first.time()?)))
            .unwrap_or_default();
        let result = clean(&words::result(call, lang));
        let painted = match call.told() {
            Outcome::Succeeded => palette.good(&result),
            _ => palette.severity(severity(call, diagnosis), &result),
        };
        let cause = match diagnosis.cause() {
            Some(finding) => format!("  [{}]", finding.rule.id),
            None if diagnosis.accepted.is_some() => format!("  [{}]", lang.word("known already")),
            None if call.told().is_failure() => format!("  [{}]", lang.word("undetermined")),
            None => remarks(diagnosis),
        };
        let times = facts::times(call, lang).join(", ");
        let times = if times.is_empty() {
            times
        } else {
            format!("  {times}")
        };
        format!(
            "{:>5}  {time}  {} {}: {painted}{cause}{times}",
            call.id,
            words::noun(call, lang),
            clean(&words::parties(call, lang))
        )
    }
}

/// Did the call go well, with nothing wrong in it?
pub(super) fn is_fine(call: &Call, diagnosis: &Diagnosis) -> bool {
    call.told() == Outcome::Succeeded
        && diagnosis.findings.iter().all(is_remark)
        && words::refused_inside(call).next().is_none()
}

// Worth knowing, and nothing is broken.
fn is_remark(finding: &Finding) -> bool {
    finding.severity == Severity::Info
}

// `  [nat-detected, private-sdp]`, each once.
fn remarks(diagnosis: &Diagnosis) -> String {
    let mut ids: Vec<&str> = Vec::new();
    for finding in diagnosis.findings.iter().filter(|f| is_remark(f)) {
        if !ids.contains(&finding.rule.id) {
            ids.push(finding.rule.id);
        }
    }
    match ids.is_empty() {
        true => String::new(),
        false => format!("  [{}]", ids.join(", ")),
    }
}

pub(super) fn key(call: &Call, diagnosis: &Diagnosis) -> Key {
    let finding = diagnosis.foremost(call);
    if let Some(finding) = finding.filter(|finding| finding.rule.id == SCANNER) {
        return Key {
            cause: SCANNER,
            verdict: Some((finding.severity, finding.confidence, finding.acts)),
            code: None,
            said: Said::default(),
            outcome: Outcome::Unfinished,
            peer: call.request().and_then(|request| request.stamp.source),
        };
    }
    let peer = call.deciding().and_then(|answer| answer.stamp.source);
    let peer = peer.or_else(|| call.request().and_then(|request| request.stamp.destination));
    Key {
        cause: finding.map_or("", |finding| finding.rule.id),
        verdict: finding.map(|f| (f.severity, f.confidence, f.acts)),
        code: call.code().or(call.finals.last().map(|f| f.code)),
        said: said(call),
        outcome: call.told(),
        peer,
    }
}

/// The reason phrase without its numbers, and the causes that the answer gives.
type Said = (Vec<u8>, Vec<Option<u32>>);

// A phrase may name a call, a time or a customer: such numbers make no other cause.
fn said(call: &Call) -> Said {
    const LONGEST: usize = 80;
    let Some(answer) = call.deciding() else {
        return Said::default();
    };
    let message = answer.message();
    let phrase = message.reason().map(|span| span.of(&answer.raw));
    let letters = phrase.unwrap_or_default().iter().take(LONGEST);
    let letters = letters.filter(|byte| !byte.is_ascii_digit());
    let causes = typed::reasons(message).into_iter().take(4);
    (
        letters.copied().collect(),
        causes.map(|r| r.cause).collect(),
    )
}

pub(super) fn severity(call: &Call, diagnosis: &Diagnosis) -> Severity {
    match diagnosis.cause() {
        Some(finding) => finding.severity,
        None if call.told().is_negative() => Severity::Error,
        None => diagnosis
            .foremost(call)
            .map_or(Severity::Info, |finding| finding.severity),
    }
}
