//! A finding about a peer or the capture as a whole.

use super::block::Block;
use super::escape::{clean, show};
use super::words::{acts, begun_by};
use crate::diagnose::across::CaptureFinding;
use crate::message::Method;
use crate::report::mask::mask;

impl Block {
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
                let entry = begun_by(exhibit.of, lang);
                let call = format!("{place}  {time}  {entry} {}", exhibit.call);
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
        let shown = found.exhibits.first();
        let begun = shown.map_or(Method::Invite, |(exhibit, _)| exhibit.of);
        let acts = lang.word(acts(finding.acts, begun));
        self.item(&mut lines, &lang.word("acts"), &acts);
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
}
