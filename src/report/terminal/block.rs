//! A call in full: what failed, the proof, the fix.

use super::escape::{clean, show};
use super::ladder;
use super::palette::Palette;
use crate::diagnose::across::CaptureFinding;
use crate::diagnose::{Acts, Diagnosis, Evidence, Finding, Severity, Template, asides, details};
use crate::knowledge;
use crate::lang::{Lang, duration};
use crate::message::Method;
use crate::message::uri::Uri;
use crate::report::Options;
use crate::report::mask::mask;
use crate::report::totals::method_name;
use crate::session::media::RtpStream;
use crate::session::{Aside, Call, Outcome, Stored};

/// Draws calls.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// What was asked for.
    pub options: Options,
    /// Colour.
    pub palette: Palette,
}

impl Block {
    /// The call in full; `ladder` says whether its messages are drawn too.
    pub(super) fn draw(&self, call: &Call, diagnosis: &Diagnosis, ladder: bool) -> Vec<String> {
        let shown = diagnosis.cause().or_else(|| diagnosis.findings.first());
        let mut lines = vec![self.heading(call, diagnosis, shown)];
        match shown.filter(|finding| !finding.evidence.is_empty()) {
            Some(finding) => finding
                .evidence
                .iter()
                .for_each(|e| self.evidence(&mut lines, call.leg(finding.leg), finding, e)),
            None => self.bare_proof(&mut lines, call),
        }
        self.explain(&mut lines, call, diagnosis, shown);
        self.facts(&mut lines, call);
        if ladder {
            lines.push(self.palette.faint("  |"));
            let drawn = ladder::draw(call, self.palette, self.options.width.saturating_sub(4));
            lines.extend(
                drawn
                    .into_iter()
                    .map(|line| format!("{} {line}", self.palette.faint("  |"))),
            );
        }
        lines
    }

    // `error[auth-wrong-credentials] call 3: bob -> alice, 403 Forbidden`
    fn heading(&self, call: &Call, diagnosis: &Diagnosis, shown: Option<&Finding>) -> String {
        let (severity, tag) = match (diagnosis.cause(), call.outcome) {
            (Some(finding), _) => (finding.severity, finding.rule.id.to_owned()),
            (None, outcome) if outcome.is_failure() || outcome == Outcome::Refused => {
                (Severity::Error, decided(call))
            }
            (None, Outcome::Succeeded) if shown.is_none() => (Severity::Info, decided(call)),
            (None, _) => match shown {
                Some(finding) => (finding.severity, finding.rule.id.to_owned()),
                None => (Severity::Info, call.outcome.word().to_owned()),
            },
        };
        let failed = diagnosis.cause().is_none() && tag == decided(call);
        let word = match failed {
            true => call.outcome.word(),
            false => severity.word(),
        };
        let head = self.palette.severity(severity, &format!("{word}[{tag}]"));
        let title = format!(
            "{} {}: {}, {}",
            noun(call),
            call.id,
            parties(call),
            result(call)
        );
        format!("{head} {}", self.palette.strong(&clean(&title)))
    }

    fn evidence(
        &self,
        lines: &mut Vec<String>,
        call: &Call,
        finding: &Finding,
        evidence: &Evidence,
    ) {
        let Some(stored) = call.messages.get(evidence.message()) else {
            return;
        };
        let mut args = finding.args.clone();
        let note = match evidence {
            Evidence::Excerpt { note, .. }
            | Evidence::Absence { note, .. }
            | Evidence::Decoded { note, .. } => note,
        };
        args.0.extend(note.args.0.iter().cloned());
        let note = clean(&self.options.lang.rule(finding.rule, note.id, &args));
        match evidence {
            Evidence::Excerpt { line, mark, .. } => {
                let from = mark.start.saturating_sub(line.start) as usize;
                let until = mark.end.saturating_sub(line.start) as usize;
                self.message_line(lines, stored);
                self.marked(lines, &mask(line.of(&stored.raw)), from, until, &note);
            }
            Evidence::Absence { from, until, .. } => {
                let span = format!("{} to {}", self.clock(*from), self.clock(*until));
                self.bar(lines, &format!("({span}: {note})"));
            }
            Evidence::Decoded { header, .. } => {
                self.message_line(lines, stored);
                let line = header.name.start as usize..header.value.end as usize;
                let raw = stored.raw.get(line).unwrap_or_default();
                let from = (header.value.start - header.name.start) as usize;
                self.marked(lines, &mask(raw), from, raw.len(), &note);
            }
        }
    }

    // Without a finding the beginning and the deciding answer speak for themselves.
    fn bare_proof(&self, lines: &mut Vec<String>, call: &Call) {
        for stored in call.request().into_iter().chain(call.deciding()) {
            self.message_line(lines, stored);
            let line = stored.message().start_line();
            let shown = show(line.of(&stored.raw), 0, 0, self.room());
            self.bar(lines, &shown.text);
        }
    }

    // Said once where several proofs stand in the same message.
    fn message_line(&self, lines: &mut Vec<String>, stored: &Stored) {
        let place = ladder::place(stored);
        let time = stored
            .time()
            .map(|time| self.clock(time))
            .unwrap_or_default();
        let what = match stored.head.is_request() {
            true => format!(
                "{}, CSeq {}",
                clean(&stored.message().method_name()),
                stored.cseq()
            ),
            false => String::new(),
        };
        let parts = [place, time, ladder::hop(stored), what];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let line = self.palette.faint(&format!("  |  {}", parts.join("  ")));
        let places = |line: &&String| line.contains("  |  #") || line.contains("  |  line ");
        if lines.iter().rev().find(places) != Some(&line) {
            lines.push(line);
        }
    }

    fn marked(&self, lines: &mut Vec<String>, line: &[u8], from: usize, until: usize, note: &str) {
        let shown = show(line, from, until, self.room());
        self.bar(lines, &shown.text);
        // Beside the mark where there is room, else on lines of its own below it.
        let room = self.room().saturating_sub(shown.column + shown.columns + 1);
        let mark = "^".repeat(shown.columns);
        let gap = " ".repeat(shown.column);
        let bar = self.palette.faint("  |");
        if unicode_width::UnicodeWidthStr::width(note) <= room {
            lines.push(format!(
                "{bar}  {gap}{} {}",
                self.palette.mark(&mark),
                self.palette.mark(note)
            ));
            return;
        }
        lines.push(format!("{bar}  {gap}{}", self.palette.mark(&mark)));
        let indent = shown.column.min(self.room() / 3);
        let options = textwrap::Options::new(self.room().saturating_sub(indent).max(20))
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        for part in textwrap::wrap(note, options) {
            lines.push(format!(
                "{bar}  {}{}",
                " ".repeat(indent),
                self.palette.mark(&part)
            ));
        }
    }

    fn bar(&self, lines: &mut Vec<String>, text: &str) {
        lines.push(format!("{}  {text}", self.palette.faint("  |")));
    }

    fn explain(
        &self,
        lines: &mut Vec<String>,
        call: &Call,
        diagnosis: &Diagnosis,
        shown: Option<&Finding>,
    ) {
        let lang: &Lang = self.options.lang;
        let answer = call.deciding();
        let explained = answer.zip(call.code()).map(|(answer, code)| {
            let reason = answer
                .message()
                .reason()
                .map(|span| answer.message().slice(span))
                .unwrap_or_default();
            knowledge::explain(code, &answer.message().method_name(), &reason)
        });
        if let Some(explained) = &explained {
            self.item(lines, "meaning", &explained.meaning);
        }
        if let Some(finding) = shown {
            let label = match finding.role {
                crate::diagnose::Role::Cause => format!("cause ({})", finding.confidence.word()),
                _ => format!("note ({})", finding.confidence.word()),
            };
            self.item(
                lines,
                &label,
                &clean(&lang.rule(finding.rule, finding.why, &finding.args)),
            );
            self.item(lines, "acts", acts(finding.acts));
            self.item(lines, "fix", &clean(&lang.fix(finding)));
        }
        self.blame(lines, diagnosis);
        if let Some(undetermined) = &diagnosis.undetermined {
            self.item(
                lines,
                "cause",
                &format!(
                    "undetermined: {}",
                    clean(&lang.undetermined(&undetermined.why))
                ),
            );
            if let Some(explained) = &explained {
                self.item(lines, "seen when", &explained.when);
                self.item(lines, "fix", &explained.fix);
            }
            self.item(
                lines,
                "would help",
                &clean(&lang.undetermined(&undetermined.would_help)),
            );
        }
        for detail in answer.map(details::of).unwrap_or_default() {
            let means = if detail.means.is_empty() {
                String::new()
            } else {
                format!(" ({})", detail.means)
            };
            self.item(
                lines,
                detail.header,
                &clean(&format!("{}{means}", detail.said)),
            );
        }
        for finding in diagnosis
            .findings
            .iter()
            .filter(|f| shown.is_none_or(|shown| !std::ptr::eq(*f, shown)))
        {
            if finding.role != crate::diagnose::Role::Symptom {
                let title = clean(&lang.rule(finding.rule, "title", &finding.args));
                let (severity, id) = (finding.severity.word(), finding.rule.id);
                self.item(lines, "also", &format!("{severity}[{id}]: {title}"));
            }
        }
        for stored in refused_inside(call) {
            self.item(lines, "also refused", &clean(&inside(stored)));
        }
        let mut more: Vec<String> = shown
            .map(|f| format!("sipexplain rule {}", f.rule.id))
            .into_iter()
            .collect();
        more.extend(call.code().map(|code| format!("sipexplain code {code}")));
        let mut cited: Vec<String> = Vec::new();
        let of_rule = shown.into_iter().flat_map(|f| f.rule.documents());
        for rfc in of_rule.chain(explained.into_iter().flat_map(|explained| explained.rfc)) {
            let text = format!("RFC {} §{}", rfc.number, rfc.section);
            if !cited.contains(&text) {
                cited.push(text);
            }
        }
        if !more.is_empty() {
            self.item(
                lines,
                "more",
                &format!("{} · {}", more.join(", "), cited.join(", ")),
            );
        }
    }

    // Who made the answer, and what else may be the cause.
    fn blame(&self, lines: &mut Vec<String>, diagnosis: &Diagnosis) {
        let lang = self.options.lang;
        if let Some(blame) = &diagnosis.blame {
            let who = match (&blame.element, blame.or_beyond) {
                (Some(element), true) => format!("at or beyond {element}"),
                (Some(element), false) => element.clone(),
                (None, _) => "not known".to_owned(),
            };
            let mut said = format!(
                "{who} ({}): {}",
                blame.confidence.word(),
                lang.grounds(&blame.grounds)
            );
            if !blame.relays.is_empty() {
                said += &format!("; passed on to the caller by {}", blame.relays.join(", "));
            }
            self.item(lines, "decided", &clean(&said));
        }
        for finding in diagnosis
            .alternatives
            .iter()
            .filter_map(|at| diagnosis.findings.get(*at))
        {
            let sentence = |id: &str| clean(&lang.rule(finding.rule, id, &finding.args));
            let confirm = Some(sentence("confirm")).filter(|confirm| !confirm.is_empty());
            let confirm = confirm.map_or_else(String::new, |confirm| {
                format!("; it would be shown by {confirm}")
            });
            let said = format!(
                "({}) {}{confirm}",
                finding.confidence.word(),
                sentence("title")
            );
            self.item(lines, "or else", &said);
        }
    }

    /// A finding about a peer or the capture as a whole.
    pub(super) fn across(&self, found: &CaptureFinding) -> Vec<String> {
        let (finding, lang) = (&found.finding, self.options.lang);
        let sentence = |id: &str| clean(&lang.rule(finding.rule, id, &finding.args));
        let severity = finding.severity;
        let head = format!("{}[{}]", severity.word(), finding.rule.id);
        let head = self.palette.severity(severity, &head);
        let mut lines = vec![format!(
            "{head} {}",
            self.palette.strong(&sentence("title"))
        )];
        for (exhibit, note) in &found.exhibits {
            let mut args = finding.args.clone();
            args.0.extend(note.args.0.iter().cloned());
            let place = match (exhibit.of_log, exhibit.origin.input) {
                (true, _) => format!("line {}", exhibit.origin.place),
                (false, 0) => format!("#{}", exhibit.origin.place),
                (false, input) => format!("#{}[{}]", exhibit.origin.place, input + 1),
            };
            let time = exhibit
                .time
                .map(|time| self.clock(time))
                .unwrap_or_default();
            let shown = show(&mask(&exhibit.text), 0, 0, self.room());
            self.bar(
                &mut lines,
                &format!("{place}  {time}  call {}", exhibit.call),
            );
            self.bar(&mut lines, &shown.text);
            self.bar(
                &mut lines,
                &clean(&format!("({})", lang.rule(finding.rule, note.id, &args))),
            );
        }
        let label = format!("why ({})", finding.confidence.word());
        self.item(&mut lines, &label, &sentence(finding.why));
        self.item(&mut lines, "acts", acts(finding.acts));
        self.item(&mut lines, "fix", &clean(&lang.fix(finding)));
        if let Some((first, last)) = found.times {
            let span = format!(
                "{} from {} to {}",
                found.count,
                self.clock(first),
                self.clock(last)
            );
            self.item(&mut lines, "seen", &span);
        }
        self.item(
            &mut lines,
            "more",
            &format!("sipexplain rule {}", finding.rule.id),
        );
        lines
    }

    fn facts(&self, lines: &mut Vec<String>, call: &Call) {
        if let Some(uri) = call.request_uri() {
            self.item(lines, "dialled", &clean(&uri));
        }
        let hops: Vec<String> = call.all_legs().flat_map(hops).collect();
        if !hops.is_empty() {
            self.item(lines, "hops", &clean(&hops.join(", ")));
        }
        self.asides(lines, call);
        for (leg, join) in call.legs.iter().zip(&call.joins) {
            let id = leg.call_id().unwrap_or_default();
            let said = format!(
                "{id}, {}: joined by {} ({})",
                result(leg),
                join.by,
                join.sure.word()
            );
            self.item(lines, "leg", &clean(&said));
        }
        if !call.related.is_empty() {
            let numbers: Vec<String> = call.related.iter().map(u64::to_string).collect();
            self.item(
                lines,
                "related",
                &format!("perhaps call {}", numbers.join(", ")),
            );
        }
        for (leg, stream) in call
            .all_legs()
            .flat_map(|leg| leg.media.iter().map(move |s| (leg, s)))
        {
            self.item(lines, "media", &clean(&media(leg, stream)));
        }
        let times = times(call);
        if !times.is_empty() {
            self.item(lines, "times", &times.join(", "));
        }
        let in_capture = call.first().is_some_and(|m| m.stamp.lines == 0);
        let filters = call.all_legs().filter_map(Call::call_id).map(|call_id| {
            let quoted = call_id.replace('\\', "\\\\").replace('"', "\\\"");
            format!("sip.Call-ID == \"{}\"", clean(&quoted))
        });
        let filters: Vec<String> = filters.filter(|_| in_capture).collect();
        if !filters.is_empty() {
            self.item(lines, "in Wireshark", &filters.join(" || "));
        }
    }

    // The same report about several messages is said once.
    fn asides(&self, lines: &mut Vec<String>, call: &Call) {
        let mut said: Vec<(&Aside, Template, usize)> = Vec::new();
        for aside in &call.asides {
            let sentence = asides::aside(call, aside);
            let same = said
                .iter_mut()
                .find(|(_, known, _)| known.says_as(&sentence, "about"));
            match same {
                Some((.., count)) => *count += 1,
                None => said.push((aside, sentence, 1)),
            }
        }
        for (aside, sentence, count) in said {
            let text = self.options.lang.aside(&sentence);
            let more = match count {
                1 => String::new(),
                _ => format!("; {count} such reports"),
            };
            let place = ladder::numbered("#", aside.origin);
            let line = format!("{place}: {text}{more}");
            self.item(lines, aside.protocol(), &clean(&line));
        }
    }

    fn item(&self, lines: &mut Vec<String>, label: &str, text: &str) {
        let lead = format!("  = {label}: ");
        let indent = "    ";
        let options = textwrap::Options::new(self.options.width.max(40))
            .initial_indent(&lead)
            .subsequent_indent(indent)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        for (index, line) in textwrap::wrap(text, options).into_iter().enumerate() {
            match (index, line.strip_prefix("  = ")) {
                (0, Some(rest)) => lines.push(format!("{}{rest}", self.palette.faint("  = "))),
                _ => lines.push(line.into_owned()),
            }
        }
    }

    fn room(&self) -> usize {
        self.options.width.saturating_sub(5).max(40)
    }

    /// Time of day with milliseconds in the zone asked for.
    pub(super) fn clock(&self, nanoseconds: i64) -> String {
        let at = jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or_default();
        at.to_zoned(self.options.zone.clone())
            .strftime("%H:%M:%S.%3f")
            .to_string()
    }
}

/// Failures inside the call that decide nothing: of a re-INVITE, a BYE, a CANCEL, ...
pub(super) fn refused_inside(call: &Call) -> impl Iterator<Item = &Stored> {
    let left =
        call.finals.iter().enumerate().filter(|(index, f)| {
            f.code >= 300 && f.step.is_none() && call.decided_by != Some(*index)
        });
    left.filter_map(|(_, f)| call.messages.get(f.message))
}

fn inside(stored: &Stored) -> String {
    let message = stored.message();
    let (code, method) = (stored.head.code().unwrap_or(0), message.method_name());
    let reason = message
        .reason()
        .map(|span| message.slice(span))
        .unwrap_or_default();
    let place = ladder::place(stored);
    let meaning = knowledge::explain(code, &method, &reason).meaning;
    format!(
        "{place}: {method} (CSeq {}), {code} {reason}: {meaning}",
        stored.cseq()
    )
}

// `PCMU/8000 192.0.2.10:40000 -> 198.51.100.20:30000, 500 packets in 10.0 s, none lost`
fn media(call: &Call, stream: &RtpStream) -> String {
    let kind = stream.payload_type;
    let codec = call
        .codec_of(kind)
        .unwrap_or_else(|| format!("payload type {kind}"));
    let span = stream.first.zip(stream.last);
    let span = span.map_or(0, |(first, last)| last.0 - first.0);
    let lost = match stream.lost() {
        0 => "none lost".to_owned(),
        lost => format!("{lost} lost before the capture"),
    };
    let (from, to) = (stream.flow.source, stream.flow.destination);
    let (packets, span) = (stream.packets, duration(span));
    format!("{codec} {from} -> {to}, {packets} packets in {span}, {lost}")
}

fn decided(call: &Call) -> String {
    call.code()
        .map_or_else(|| "no answer".to_owned(), |code| code.to_string())
}

/// What an entry is called.
pub(super) fn noun(call: &Call) -> String {
    match call.method {
        Method::Invite => "call".to_owned(),
        Method::Register => "registration".to_owned(),
        _ => clean(&method_name(call)),
    }
}

/// `bob -> alice`, with what a person would call each.
pub(super) fn parties(call: &Call) -> String {
    let name = |uri: Option<String>| {
        let uri = uri?;
        let user = Uri::parse(uri.as_bytes())
            .map(|parsed| parsed.number())
            .filter(|user| !user.is_empty());
        Some(user.unwrap_or(uri))
    };
    let (from, to) = (name(call.from()), name(call.to()));
    let known = |name: Option<String>| name.unwrap_or_else(|| "unknown".to_owned());
    match call.method {
        Method::Register => known(to),
        _ => format!("{} -> {}", known(from), known(to)),
    }
}

/// What came of it, in a few words.
pub(super) fn result(call: &Call) -> String {
    let phrase = call.deciding().map(|answer| {
        let reason = answer
            .message()
            .reason()
            .map(|span| answer.message().slice(span))
            .unwrap_or_default();
        format!("{} {}", call.code().unwrap_or(0), reason)
            .trim_end()
            .to_owned()
    });
    let result = match (call.outcome, phrase) {
        (Outcome::Unfinished, _) => "not finished in this capture".to_owned(),
        (Outcome::Cancelled, Some(phrase)) => format!("cancelled, {phrase}"),
        (Outcome::Cancelled, None) => "cancelled".to_owned(),
        (Outcome::TimedOut, _) => "no final answer".to_owned(),
        (Outcome::Failed, Some(phrase)) if call.code().is_some_and(|code| code < 300) => {
            format!("{phrase}, never acknowledged")
        }
        (_, Some(phrase)) => phrase,
        (outcome, None) => outcome.word().to_owned(),
    };
    let tries = call.cseqs.len();
    if tries > 1 {
        format!("{result} after {tries} tries")
    } else {
        result
    }
}

fn acts(acts: Acts) -> &'static str {
    match acts {
        Acts::Caller => "caller: whoever runs the calling side",
        Acts::Callee => "callee: whoever runs the called side",
        Acts::Proxy => "proxy: whoever runs it",
        Acts::Registrar => "registrar: whoever runs it",
        Acts::Carrier => "carrier: whoever the call was handed to",
        Acts::Network => "network: whoever runs the path between the two addresses",
        Acts::Capture => "capture: whoever records",
        Acts::Operator => "operator: whoever runs this system",
        Acts::Nobody => "nobody: nothing is broken",
    }
}

// Each hop of the beginning once, with the product on either end where a header names it.
fn hops(call: &Call) -> Vec<String> {
    const MOST: usize = 6;
    let agent = |address: std::net::SocketAddr| {
        let sent = call
            .messages
            .iter()
            .filter(|m| m.stamp.source == Some(address));
        let named = sent
            .filter(|m| m.head.vias <= 1 || !m.head.is_request())
            .find_map(|m| {
                let name = if m.head.is_request() {
                    "User-Agent"
                } else {
                    "Server"
                };
                m.message()
                    .text(name)
                    .or_else(|| m.message().text("User-Agent"))
            });
        match named {
            Some(name) => format!("{address} ({})", name.chars().take(60).collect::<String>()),
            None => address.to_string(),
        }
    };
    let mut seen = Vec::new();
    for message in call.messages.iter().filter(|m| call.is_of_beginning(m)) {
        let (Some(source), Some(destination)) = (message.stamp.source, message.stamp.destination)
        else {
            continue;
        };
        let hop = if message.head.is_request() {
            (source, destination)
        } else {
            (destination, source)
        };
        if !seen.contains(&hop) && seen.len() < MOST {
            seen.push(hop);
        }
    }
    seen.into_iter()
        .map(|(from, to)| format!("{} -> {}", agent(from), agent(to)))
        .collect()
}

/// A dialog without SIP is let go after 2 hours.
const LONGEST_SILENCE: i64 = 2 * 3600 * 1_000_000_000;

/// Delay to ringing and to the final answer, ring and talk time; a provisional 100 is no delay.
pub(super) fn times(call: &Call) -> Vec<String> {
    let start = call.start().filter(|_| call.has_beginning());
    let ringing = call.ringing();
    let mut all = Vec::new();
    if let Some(ringing) = ringing {
        let code = ringing.head.code().unwrap_or(180);
        all.extend(
            ladder::since(start, Some(ringing)).map(|after| format!("{code} after {after}")),
        );
    }
    let last = call.answer().or_else(|| call.deciding());
    all.extend(ladder::since(start, last).map(|after| format!("final after {after}")));
    if call.method != Method::Invite {
        return all;
    }
    let cancelled = call.requests(Method::Cancel).next().map(|(_, m)| m);
    let end = last.or(cancelled);
    if let Some(from) = ringing.and_then(Stored::time)
        && let Some(until) = end.and_then(Stored::time).or(call.seen_until)
    {
        let whole = end.is_some() && call.has_beginning();
        let least = if whole { "" } else { "at least " };
        all.push(format!("rang {least}{}", duration(until - from)));
    }
    if let Some(answered) = call.answer().and_then(Stored::time) {
        match call.bye().and_then(Stored::time) {
            Some(bye) => {
                let least = if call.has_beginning() {
                    ""
                } else {
                    "at least "
                };
                all.push(format!("talked {least}{}", duration(bye - answered)));
            }
            // No dialog is held longer than this without a message; the clock may have jumped.
            None => {
                let last = call.messages.iter().filter_map(Stored::time).max();
                let let_go = last.map(|last| last + LONGEST_SILENCE);
                let until = call.seen_until.filter(|until| Some(*until) < let_go);
                let talked = until.map(|until| until - answered);
                all.extend(
                    talked
                        .filter(|talked| *talked >= 1_000_000)
                        .map(|talked| format!("talked at least {}", duration(talked))),
                )
            }
        }
    }
    all
}
