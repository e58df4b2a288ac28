//! A call in full: what failed, the proof, the fix.

use super::escape::{clean, show};
use super::ladder;
use super::palette::Palette;
use crate::diagnose::across::CaptureFinding;
use crate::diagnose::{
    Acts, Diagnosis, Evidence, Finding, Role, Severity, Template, asides, details,
};
use crate::lang::Lang;
use crate::message::Method;
use crate::message::uri::Uri;
use crate::report::Options;
use crate::report::mask::mask;
use crate::report::totals::method_name;
use crate::report::wrap;
use crate::session::legs::Join;
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
        let shown = diagnosis.foremost(call);
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
            let drawn = ladder::draw(
                call,
                self.palette,
                self.options.width.saturating_sub(4),
                self.options.lang,
            );
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
        let word = self.options.lang.word(match failed {
            true => call.outcome.word(),
            false => severity.word(),
        });
        let head = self.palette.severity(severity, &format!("{word}[{tag}]"));
        let lang = self.options.lang;
        let title = format!(
            "{} {}{}{}, {}",
            noun(call, lang),
            call.id,
            lang.word(": "),
            parties(call, lang),
            result(call, lang)
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
        let note = evidence.note();
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
                let span = self.span_of(stored, *from, *until);
                let colon = self.options.lang.word(": ");
                self.bar(lines, &format!("({span}{colon}{note})"));
            }
            Evidence::Decoded { header, .. } => {
                self.message_line(lines, stored);
                let line = header.name.start as usize..header.value.end as usize;
                let raw = stored.raw.get(line).unwrap_or_default();
                let from = (header.value.start - header.name.start) as usize;
                self.marked(lines, &mask(raw), from, raw.len(), &note);
            }
            Evidence::Beside { aside, .. } => {
                if let Some(aside) = call.asides.get(*aside) {
                    self.beside(lines, call, aside, &note);
                }
            }
        }
    }

    // `#4  09:00:00.001  ICMP`, what it says, and the remark.
    fn beside(&self, lines: &mut Vec<String>, call: &Call, aside: &Aside, note: &str) {
        let time = aside.time.map(|time| self.clock(time.0));
        let place = ladder::numbered("#", aside.origin);
        let parts = [place, time.unwrap_or_default(), aside.protocol().to_owned()];
        let line = format!("  |  {}", parts.join("  "));
        lines.push(self.palette.faint(&line));
        let said = self.options.lang.aside(&asides::aside(call, aside));
        self.prose(lines, &format!("{} ({note})", clean(&said)));
    }

    fn prose(&self, lines: &mut Vec<String>, text: &str) {
        let options = wrap::options(self.room());
        for part in textwrap::wrap(text, options) {
            self.bar(lines, &part);
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
        let place = ladder::place(stored, self.options.lang);
        let time = stored
            .time()
            .map(|time| self.clock_of(stored, time))
            .unwrap_or_default();
        let what = match stored.head.is_request() {
            true => format!(
                "{}, CSeq {}",
                clean(&stored.message().method_name()),
                stored.cseq()
            ),
            false => String::new(),
        };
        let parts = [place, time, ladder::hop(stored, self.options.lang), what];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let line = self.palette.faint(&format!("  |  {}", parts.join("  ")));
        let of_log = format!("  |  {} ", self.options.lang.word("line"));
        let places = |line: &&String| line.contains("  |  #") || line.contains(&of_log);
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
        let options = wrap::options(self.room().saturating_sub(indent).max(20));
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
            lang.explain(code, &answer.message().method_name(), &reason)
        });
        if let Some(explained) = &explained {
            self.item(lines, &lang.word("meaning"), &explained.meaning);
        }
        if let Some(finding) = shown {
            let sure = lang.word(finding.confidence.word());
            let label = match finding.role {
                Role::Cause => format!("{} ({sure})", lang.word("cause")),
                _ => format!("{} ({sure})", lang.word("note")),
            };
            self.item(
                lines,
                &label,
                &clean(&lang.rule(finding.rule, finding.why, &finding.args)),
            );
            self.item(
                lines,
                &lang.word("acts"),
                &lang.word(acts(finding.acts, call.method)),
            );
            self.item(lines, &lang.word("fix"), &clean(&lang.fix(finding)));
        } else if let Some(blame) = &diagnosis.blame {
            self.item(
                lines,
                &lang.word("acts"),
                &lang.word(acts(blame.acts, call.method)),
            );
        }
        self.blame(lines, diagnosis);
        if let Some(undetermined) = &diagnosis.undetermined {
            let why = clean(&lang.undetermined(&undetermined.why));
            let why = format!("{}{}{why}", lang.word("undetermined"), lang.word(": "));
            self.item(lines, &lang.word("cause"), &why);
            if let Some(explained) = &explained {
                self.item(lines, &lang.word("seen when"), &explained.when);
                self.item(lines, &lang.word("fix"), &explained.fix);
            }
            let help = clean(&lang.undetermined(&undetermined.would_help));
            self.item(lines, &lang.word("would help"), &help);
            if !undetermined.missing.is_empty() {
                let missing = undetermined
                    .missing
                    .iter()
                    .map(|need| lang.word(need.word()));
                let missing = missing.collect::<Vec<_>>().join(", ");
                self.item(lines, &lang.word("not shown"), &missing);
            }
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
            if finding.role != Role::Symptom {
                let title = clean(&lang.rule(finding.rule, "title", &finding.args));
                let (severity, id) = (lang.word(finding.severity.word()), finding.rule.id);
                let said = format!("{severity}[{id}]{}{title}", lang.word(": "));
                self.item(lines, &lang.word("also"), &said);
            }
        }
        for (index, stored) in refused_inside(call) {
            // Where a finding speaks of it, what the code means in general would contradict it.
            let told = diagnosis.findings.iter().any(|finding| {
                let mut shown = finding.evidence.iter();
                finding.leg == 0 && shown.any(|e| e.message() == index)
            });
            let general = !told && !changes_a_call(call, stored);
            let said = inside(stored, general, lang);
            self.item(lines, &lang.word("also refused"), &clean(&said));
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
            let said = format!("{} · {}", more.join(", "), cited.join(", "));
            self.item(lines, &lang.word("more"), &said);
        }
    }

    // Who made the answer, and what else may be the cause.
    fn blame(&self, lines: &mut Vec<String>, diagnosis: &Diagnosis) {
        let lang = self.options.lang;
        if let Some(blame) = &diagnosis.blame {
            let who = match (&blame.element, blame.or_beyond) {
                (Some(element), true) => {
                    lang.say("at or beyond {element}", &[("element", element.clone())])
                }
                (Some(element), false) => element.clone(),
                (None, _) => lang.word("not known").into_owned(),
            };
            let sure = lang.word(blame.confidence.word());
            let grounds = lang.grounds(&blame.grounds);
            let mut said = format!("{who} ({sure}){}{grounds}", lang.word(": "));
            if !blame.relays.is_empty() {
                let relays = blame.relays.join(", ");
                said += &lang.say(
                    "; passed on to the caller by {relays}",
                    &[("relays", relays)],
                );
            }
            self.item(lines, &lang.word("decided"), &clean(&said));
        }
        for finding in diagnosis
            .alternatives
            .iter()
            .filter_map(|at| diagnosis.findings.get(*at))
        {
            let sentence = |id: &str| clean(&lang.rule(finding.rule, id, &finding.args));
            let confirm = Some(sentence("confirm")).filter(|confirm| !confirm.is_empty());
            let confirm = confirm.map_or_else(String::new, |confirm| {
                lang.say("; it would be shown by {confirm}", &[("confirm", confirm)])
            });
            let sure = lang.word(finding.confidence.word());
            let said = format!("({sure}) {}{confirm}", sentence("title"));
            self.item(lines, &lang.word("or else"), &said);
        }
    }

    /// A finding about a peer or the capture as a whole.
    pub(super) fn across(&self, found: &CaptureFinding) -> Vec<String> {
        let (finding, lang) = (&found.finding, self.options.lang);
        let sentence = |id: &str| clean(&lang.rule(finding.rule, id, &finding.args));
        let severity = finding.severity;
        let head = format!("{}[{}]", lang.word(severity.word()), finding.rule.id);
        let head = self.palette.severity(severity, &head);
        let mut lines = vec![format!(
            "{head} {}",
            self.palette.strong(&sentence("title"))
        )];
        for (exhibit, note) in &found.exhibits {
            let mut args = finding.args.clone();
            args.0.extend(note.args.0.iter().cloned());
            let place = match (exhibit.of_log, exhibit.origin.input) {
                (true, _) => format!("{} {}", lang.word("line"), exhibit.origin.place),
                (false, 0) => format!("#{}", exhibit.origin.place),
                (false, input) => format!("#{}[{}]", exhibit.origin.place, input + 1),
            };
            let time = exhibit
                .time
                .map(|time| self.clock(time))
                .unwrap_or_default();
            if let Some(said) = &exhibit.beside {
                self.bar(&mut lines, &format!("{place}  {time}"));
                self.prose(&mut lines, &clean(&lang.aside(said)));
            } else {
                let shown = show(&mask(&exhibit.text), 0, 0, self.room());
                let call = format!("{place}  {time}  {} {}", lang.word("call"), exhibit.call);
                self.bar(&mut lines, &call);
                self.bar(&mut lines, &shown.text);
            }
            self.bar(
                &mut lines,
                &clean(&format!("({})", lang.rule(finding.rule, note.id, &args))),
            );
        }
        let label = format!(
            "{} ({})",
            lang.word("why"),
            lang.word(finding.confidence.word())
        );
        self.item(&mut lines, &label, &sentence(finding.why));
        self.item(
            &mut lines,
            &lang.word("acts"),
            &lang.word(acts(finding.acts, Method::Invite)),
        );
        self.item(&mut lines, &lang.word("fix"), &clean(&lang.fix(finding)));
        if let Some((first, last)) = found.times {
            let args = [
                ("count", found.count.to_string()),
                ("span", self.span(first, last)),
            ];
            self.item(
                &mut lines,
                &lang.word("seen"),
                &match found.count {
                    1 => lang.say("once, {at}", &[("at", self.clock(first))]),
                    _ => lang.say("{count} times, {span}", &args),
                },
            );
        }
        let more = format!("sipexplain rule {}", finding.rule.id);
        self.item(&mut lines, &lang.word("more"), &more);
        lines
    }

    /// The line that leads from a group of calls to what explains them all.
    pub(super) fn belongs(&self, lines: &mut Vec<String>, found: &CaptureFinding) {
        let (finding, lang) = (&found.finding, self.options.lang);
        let title = clean(&lang.rule(finding.rule, "title", &finding.args));
        let (severity, id) = (lang.word(finding.severity.word()), finding.rule.id);
        let colon = lang.word(": ");
        let below = lang.word("what is said of it below goes before the advice above");
        let said = format!("{severity}[{id}]{colon}{title}; {below}");
        self.item(lines, &lang.word("belongs to"), &said);
    }

    fn facts(&self, lines: &mut Vec<String>, call: &Call) {
        let lang = self.options.lang;
        if let Some(uri) = call.request_uri() {
            self.item(lines, &lang.word("dialled"), &clean(&uri));
        }
        let hops: Vec<String> = call.all_legs().flat_map(hops).collect();
        if !hops.is_empty() {
            self.item(lines, &lang.word("hops"), &clean(&hops.join(", ")));
        }
        self.asides(lines, call);
        for (leg, join) in call.legs.iter().zip(&call.joins) {
            let id = leg.call_id().unwrap_or_default();
            let args = [
                ("id", id),
                ("result", result(leg, lang)),
                ("by", joined_by(join, lang)),
                ("sure", lang.word(join.sure.word()).into_owned()),
            ];
            let said = lang.say("{id}, {result}: joined by {by} ({sure})", &args);
            self.item(lines, &lang.word("leg"), &clean(&said));
        }
        if !call.related.is_empty() {
            let numbers: Vec<String> = call.related.iter().map(u64::to_string).collect();
            let said = lang.say("perhaps call {numbers}", &[("numbers", numbers.join(", "))]);
            self.item(lines, &lang.word("related"), &said);
        }
        for (leg, stream) in call
            .all_legs()
            .flat_map(|leg| leg.media.iter().map(move |s| (leg, s)))
        {
            self.item(
                lines,
                &lang.word("media"),
                &clean(&media(leg, stream, lang)),
            );
        }
        let times = times(call, lang);
        if !times.is_empty() {
            self.item(lines, &lang.word("times"), &times.join(", "));
        }
        let in_capture = call.first().is_some_and(|m| m.stamp.lines == 0);
        let filters = call.all_legs().filter_map(Call::call_id).map(|call_id| {
            let quoted = call_id.replace('\\', "\\\\").replace('"', "\\\"");
            format!("sip.Call-ID == \"{}\"", clean(&quoted))
        });
        let filters: Vec<String> = filters.filter(|_| in_capture).collect();
        if !filters.is_empty() {
            self.item(lines, &lang.word("in Wireshark"), &filters.join(" || "));
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
                _ => self
                    .options
                    .lang
                    .say("; {count} such reports", &[("count", count.to_string())]),
            };
            let place = ladder::numbered("#", aside.origin);
            let line = format!("{place}{}{text}{more}", self.options.lang.word(": "));
            self.item(lines, aside.protocol(), &clean(&line));
        }
    }

    fn item(&self, lines: &mut Vec<String>, label: &str, text: &str) {
        let lead = format!("  = {label}{}", self.options.lang.word(": "));
        let indent = "    ";
        let options = wrap::options(self.options.width.max(40))
            .initial_indent(&lead)
            .subsequent_indent(indent)
            .break_words(false);
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

    /// `12:00:01.000 to 12:00:02.000`
    pub(super) fn span(&self, from: i64, until: i64) -> String {
        let args = [("from", self.clock(from)), ("until", self.clock(until))];
        self.options.lang.say("{from} to {until}", &args)
    }

    fn span_of(&self, stored: &Stored, from: i64, until: i64) -> String {
        let clock = |at: i64| self.clock_of(stored, at);
        let args = [("from", clock(from)), ("until", clock(until))];
        self.options.lang.say("{from} to {until}", &args)
    }

    /// Time of day with milliseconds in the zone asked for.
    pub(super) fn clock(&self, nanoseconds: i64) -> String {
        time_of_day(nanoseconds, self.options.zone.clone())
    }

    /// The same of a time near that of a message: a log without dates has its own zone.
    pub(super) fn clock_of(&self, stored: &Stored, nanoseconds: i64) -> String {
        match stored.stamp.time() {
            Some(_) => self.clock(nanoseconds),
            None => time_of_day(nanoseconds, jiff::tz::TimeZone::UTC),
        }
    }
}

fn time_of_day(nanoseconds: i64, zone: jiff::tz::TimeZone) -> String {
    let at = jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or_default();
    at.to_zoned(zone).strftime("%H:%M:%S.%3f").to_string()
}

/// Failures inside the call that decide nothing: of a re-INVITE, a BYE, a CANCEL, ...
pub(super) fn refused_inside(call: &Call) -> impl Iterator<Item = (usize, &Stored)> {
    let left =
        call.finals.iter().enumerate().filter(|(index, f)| {
            f.code >= 300 && f.step.is_none() && call.decided_by != Some(*index)
        });
    left.filter_map(|(_, f)| Some((f.message, call.messages.get(f.message)?)))
}

// What is known of answers to INVITE is about the first one of a call.
fn changes_a_call(call: &Call, answer: &Stored) -> bool {
    let asked = call.asked(answer);
    answer.head.method == Method::Invite && asked.is_some_and(|(_, m)| !m.is_initial())
}

fn inside(stored: &Stored, general: bool, lang: &Lang) -> String {
    let message = stored.message();
    let (code, method) = (stored.head.code().unwrap_or(0), message.method_name());
    let reason = message
        .reason()
        .map(|span| message.slice(span))
        .unwrap_or_default();
    let place = ladder::place(stored, lang);
    let said = format!(
        "{place}: {method} (CSeq {}), {code} {reason}",
        stored.cseq()
    );
    match general {
        true => format!("{said}: {}", lang.explain(code, &method, &reason).meaning),
        false => said,
    }
}

// `PCMU/8000 192.0.2.10:40000 -> 198.51.100.20:30000, 500 packets in 10.0 s, none lost`
fn media(call: &Call, stream: &RtpStream, lang: &Lang) -> String {
    let kind = stream.payload_type;
    let codec = call
        .codec_of(kind)
        .unwrap_or_else(|| lang.say("payload type {kind}", &[("kind", kind.to_string())]));
    let span = stream.first.zip(stream.last);
    let span = span.map_or(0, |(first, last)| last.0 - first.0);
    let lost = match stream.lost() {
        0 => lang.word("none lost").into_owned(),
        lost => lang.say(
            "{lost} lost before the capture",
            &[("lost", lost.to_string())],
        ),
    };
    let (from, to) = (stream.flow.source, stream.flow.destination);
    let args = [
        ("packets", stream.packets.to_string()),
        ("span", lang.duration(span)),
    ];
    let packets = lang.say("{packets} packets in {span}", &args);
    format!("{codec} {from} -> {to}, {packets}, {lost}")
}

fn decided(call: &Call) -> String {
    call.code()
        .map_or_else(|| "no answer".to_owned(), |code| code.to_string())
}

/// What an entry is called.
pub(in crate::report) fn noun(call: &Call, lang: &Lang) -> String {
    match call.method {
        Method::Invite => lang.word("call").into_owned(),
        Method::Register => lang.word("registration").into_owned(),
        _ => match clean(&method_name(call)) {
            name if name.is_empty() => lang.word("answers without request").into_owned(),
            name => name,
        },
    }
}

/// `bob -> alice`, with what a person would call each.
pub(in crate::report) fn parties(call: &Call, lang: &Lang) -> String {
    let name = |uri: Option<String>| {
        let uri = uri?;
        let user = Uri::parse(uri.as_bytes())
            .map(|parsed| parsed.number())
            .filter(|user| !user.is_empty());
        Some(user.unwrap_or(uri))
    };
    let (from, to) = (name(call.from()), name(call.to()));
    let known = |name: Option<String>| name.unwrap_or_else(|| lang.word("unknown").into_owned());
    match call.method {
        Method::Register => known(to),
        _ => format!("{} -> {}", known(from), known(to)),
    }
}

/// What came of it, in a few words.
pub(in crate::report) fn result(call: &Call, lang: &Lang) -> String {
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
        (Outcome::Unfinished, _) => lang.word("not finished in this capture").into_owned(),
        (Outcome::Cancelled, Some(phrase)) => format!("{}, {phrase}", lang.word("cancelled")),
        (Outcome::Cancelled, None) => lang.word("cancelled").into_owned(),
        (Outcome::TimedOut, _) => lang.word("no final answer").into_owned(),
        (Outcome::Failed, Some(phrase)) if call.code().is_some_and(|code| code < 300) => {
            format!("{phrase}, {}", lang.word("never acknowledged"))
        }
        (_, Some(phrase)) => phrase,
        (outcome, None) => lang.word(outcome.word()).into_owned(),
    };
    let tries = call.cseqs.len();
    if tries > 1 {
        lang.say(
            "{result} after {tries} tries",
            &[("result", result), ("tries", tries.to_string())],
        )
    } else {
        result
    }
}

// Nobody calls in a registration, a subscription or a ping.
fn acts(acts: Acts, method: Method) -> &'static str {
    match acts {
        Acts::Caller if method != Method::Invite => "client: whoever runs the side that asks",
        Acts::Callee if method != Method::Invite => "server: whoever runs the side that was asked",
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
pub(super) fn times(call: &Call, lang: &Lang) -> Vec<String> {
    let start = call.start().filter(|_| call.has_beginning());
    let ringing = call.ringing();
    let after = |text, after: String| lang.say(text, &[("after", after)]);
    let lasted = |whole: bool, text, at_least, span: i64| {
        lang.say(
            if whole { text } else { at_least },
            &[("span", lang.duration(span))],
        )
    };
    let mut all = Vec::new();
    if let Some(ringing) = ringing {
        let code = ringing.head.code().unwrap_or(180);
        let since = ladder::since(start, Some(ringing), lang);
        all.extend(since.map(|since| format!("{code} {}", after("after {after}", since))));
    }
    let last = call.answer().or_else(|| call.deciding());
    all.extend(ladder::since(start, last, lang).map(|since| after("final after {after}", since)));
    if call.method != Method::Invite {
        return all;
    }
    let cancelled = call.requests(Method::Cancel).next().map(|(_, m)| m);
    let end = last.or(cancelled);
    if let Some(from) = ringing.and_then(Stored::time)
        && let Some(until) = end.and_then(Stored::time).or(call.seen_until)
    {
        let whole = end.is_some() && call.has_beginning();
        all.push(lasted(
            whole,
            "rang {span}",
            "rang at least {span}",
            until - from,
        ));
    }
    let talked = |whole, span| lasted(whole, "talked {span}", "talked at least {span}", span);
    if let Some(answered) = call.answer().and_then(Stored::time) {
        match call.bye().and_then(Stored::time) {
            Some(bye) => all.push(talked(call.has_beginning(), bye - answered)),
            // No dialog is held longer than this without a message; the clock may have jumped.
            None => {
                let last = call.messages.iter().filter_map(Stored::time).max();
                let let_go = last.map(|last| last + LONGEST_SILENCE);
                let until = call.seen_until.filter(|until| Some(*until) < let_go);
                let span = until
                    .map(|until| until - answered)
                    .filter(|span| *span >= 1_000_000);
                all.extend(span.map(|span| talked(false, span)));
            }
        }
    }
    all
}

// A header keeps its name in every language.
fn joined_by(join: &Join, lang: &Lang) -> String {
    match join.by.contains(' ') {
        true => lang.word(join.by).into_owned(),
        false => join.by.to_owned(),
    }
}
