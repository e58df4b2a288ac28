//! A call in full: what failed, the proof, the fix.

use super::escape::clean;
use super::ladder;
use super::palette::Palette;
use super::words::{
    acts, changes_a_call, decided, inside, is_untaken, leaves_the_other, noun, parties,
    refused_inside, result,
};
use crate::diagnose::{Diagnosis, Finding, Role, Severity, details};
use crate::knowledge::own::Entry;
use crate::lang::Lang;
use crate::report::{Options, own_entry, wrap};
use crate::session::{Call, Outcome, Stored};

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
        let (severity, tag) = match (diagnosis.cause(), call.told()) {
            (Some(finding), _) => (finding.severity, finding.rule.id.to_owned()),
            (None, outcome) if outcome.is_negative() => (Severity::Error, decided(call)),
            (None, Outcome::Succeeded) if shown.is_none() => (Severity::Info, decided(call)),
            (None, _) => match shown {
                Some(finding) => (finding.severity, finding.rule.id.to_owned()),
                None => (Severity::Info, call.told().word().to_owned()),
            },
        };
        let failed = diagnosis.cause().is_none() && tag == decided(call);
        let refused = call.code().is_some_and(|code| code >= 300);
        let word = self.options.lang.word(match (failed, call.told()) {
            // A ping that is refused is answered.
            (true, Outcome::Succeeded) if refused => "answered",
            (true, outcome) => outcome.word(),
            (false, _) => severity.word(),
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

    fn explain(
        &self,
        lines: &mut Vec<String>,
        call: &Call,
        diagnosis: &Diagnosis,
        shown: Option<&Finding>,
    ) {
        let lang: &Lang = self.options.lang;
        let answer = call.deciding();
        let mut own = None;
        let explained = answer.zip(call.code()).map(|(answer, code)| {
            let reason = answer
                .message()
                .reason()
                .map(|span| answer.message().slice(span))
                .unwrap_or_default();
            let method = answer.message().method_name();
            own = own_entry(answer, code, &method, &reason);
            let explained = lang.explain(code, &method, &reason);
            match own {
                Some(entry) => entry.over(explained),
                None => explained,
            }
        });
        let label = |word: &'static str, text: fn(&Entry) -> &Option<String>| match own
            .filter(|entry| text(entry).is_some())
        {
            Some(entry) => lang.say(
                "{label} (from {place})",
                &[
                    ("label", lang.word(word).into_owned()),
                    ("place", entry.place()),
                ],
            ),
            None => lang.word(word).into_owned(),
        };
        if let Some(explained) = &explained {
            let label = label("meaning", |entry| &entry.meaning);
            self.item(lines, &label, &explained.meaning);
        }
        // The user's own words stand before what the rules advise.
        let untold = diagnosis.undetermined.is_none();
        for (word, text) in [
            (
                "seen when",
                (|entry| &entry.when) as fn(&Entry) -> &Option<String>,
            ),
            ("fix", |entry| &entry.fix),
        ] {
            if let Some(said) = own
                .and_then(|entry| text(entry).as_ref())
                .filter(|_| untold)
            {
                self.item(lines, &label(word, text), said);
            }
        }
        if let Some(finding) = shown {
            let sure = lang.word(finding.confidence.word());
            let label = match finding.role {
                Role::Cause => format!("{} ({sure})", lang.word("cause")),
                _ => format!("{} ({sure})", lang.word("note")),
            };
            let mut said = clean(&lang.rule(finding.rule, finding.why, &finding.args));
            // What may be the cause, and is shown for that, is no other cause.
            if may_be(diagnosis, finding) {
                said += &self.confirm(finding);
            }
            self.item(lines, &label, &said);
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
        self.blame(lines, diagnosis, shown);
        if let Some(reason) = &diagnosis.accepted {
            self.item(lines, &lang.word("known already"), &clean(reason));
        }
        if let Some(undetermined) = &diagnosis.undetermined {
            let why = clean(&lang.undetermined(&undetermined.why));
            let why = format!("{}{}{why}", lang.word("undetermined"), lang.word(": "));
            self.item(lines, &lang.word("cause"), &why);
            if let Some(explained) = explained.as_ref().filter(|_| !undetermined.is_damaged()) {
                let when = label("seen when", |entry| &entry.when);
                self.item(lines, &when, &explained.when);
                let fix = label("fix", |entry| &entry.fix);
                self.item(lines, &fix, &explained.fix);
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
            let means = detail
                .means
                .map_or_else(String::new, |means| format!(" ({})", lang.written(&means)));
            self.item(
                lines,
                detail.header,
                &clean(&format!("{}{means}", lang.written(&detail.said))),
            );
        }
        let mut others: Vec<&Finding> = diagnosis
            .findings
            .iter()
            .filter(|f| shown.is_none_or(|shown| !std::ptr::eq(*f, shown)))
            .filter(|f| f.role != Role::Symptom && !may_be(diagnosis, f))
            .collect();
        others.sort_by_key(|finding| finding.severity);
        for finding in others {
            let title = clean(&lang.rule(finding.rule, "title", &finding.args));
            let (severity, id) = (lang.word(finding.severity.word()), finding.rule.id);
            let said = format!("{severity}[{id}]{}{title}", lang.word(": "));
            self.item(lines, &lang.word("also"), &said);
        }
        for (index, stored) in refused_inside(call) {
            // Where a finding speaks of it, what the code means in general would contradict it.
            let told = diagnosis.findings.iter().any(|finding| {
                let mut shown = finding.evidence.iter();
                finding.leg == 0 && shown.any(|e| e.message() == Some(index))
            });
            let general = !told && !changes_a_call(call, stored) && !is_untaken(call, stored);
            let mut said = inside(stored, general, lang);
            if leaves_the_other(call, stored) {
                said += &lang.word("; the other side is still in the call");
            }
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
            let mut said = more.join(", ");
            if !cited.is_empty() {
                said += &format!(" · {}", cited.join(", "));
            }
            self.item(lines, &lang.word("more"), &said);
        }
    }

    // Who made the answer, and what else may be the cause.
    fn blame(&self, lines: &mut Vec<String>, diagnosis: &Diagnosis, shown: Option<&Finding>) {
        let lang = self.options.lang;
        if let Some(blame) = diagnosis.blame.as_ref().filter(|of| !of.is_outweighed) {
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
            .filter(|of| shown.is_none_or(|shown| !std::ptr::eq(*of, shown)))
        {
            let title = clean(&lang.rule(finding.rule, "title", &finding.args));
            let sure = lang.word(finding.confidence.word());
            let (severity, id) = (lang.word(finding.severity.word()), finding.rule.id);
            let colon = lang.word(": ");
            let confirm = self.confirm(finding);
            let said = format!("{severity}[{id}] ({sure}){colon}{title}{confirm}");
            self.item(lines, &lang.word("or else"), &said);
        }
    }

    // What would show that it is the cause.
    fn confirm(&self, finding: &Finding) -> String {
        let lang = self.options.lang;
        match clean(&lang.rule(finding.rule, "confirm", &finding.args)) {
            confirm if confirm.is_empty() => String::new(),
            confirm => lang.say("; it would be shown by {confirm}", &[("confirm", confirm)]),
        }
    }

    pub(super) fn item(&self, lines: &mut Vec<String>, label: &str, text: &str) {
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

    pub(super) fn room(&self) -> usize {
        self.options.width.saturating_sub(5).max(40)
    }

    /// `12:00:01.000 to 12:00:02.000`
    pub(super) fn span(&self, from: i64, until: i64) -> String {
        let args = [("from", self.clock(from)), ("until", self.clock(until))];
        self.options.lang.say("{from} to {until}", &args)
    }

    pub(super) fn span_of(&self, stored: &Stored, from: i64, until: i64) -> String {
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

pub(super) fn time_of_day(nanoseconds: i64, zone: jiff::tz::TimeZone) -> String {
    let at = jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or_default();
    at.to_zoned(zone).strftime("%H:%M:%S.%3f").to_string()
}

// Is it told as what may be the cause?
fn may_be(diagnosis: &Diagnosis, finding: &Finding) -> bool {
    let mut all = diagnosis.alternatives.iter();
    all.any(|at| {
        let other = diagnosis.findings.get(*at);
        other.is_some_and(|other| std::ptr::eq(other, finding))
    })
}
