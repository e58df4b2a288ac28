//! Pages of the reference: a code, a cause, a rule.

use super::palette::Palette;
use crate::diagnose::Rule;
use crate::knowledge::{self, Code};
use crate::lang::Lang;

/// Writes pages in a width, with or without colour.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Language of the sentences.
    pub lang: &'static Lang,
    /// Colour of the headings.
    pub palette: Palette,
    /// Columns.
    pub width: usize,
}

impl Page {
    fn section(self, out: &mut Vec<String>, heading: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        out.push(String::new());
        out.push(self.palette.strong(heading));
        let options = textwrap::Options::new(self.width.clamp(40, 100))
            .initial_indent("  ")
            .subsequent_indent("  ");
        out.extend(
            textwrap::wrap(
                text,
                options
                    .break_words(false)
                    .word_splitter(textwrap::WordSplitter::NoHyphenation),
            )
            .into_iter()
            .map(|line| line.into_owned()),
        );
    }

    /// A response code; for one method where `method` is given. `None` for numbers that are no code.
    pub fn code(self, number: u16, method: Option<&str>) -> Option<Vec<String>> {
        if !(100..700).contains(&number) {
            return None;
        }
        let explained = knowledge::explain(number, method.unwrap_or_default(), "");
        let (class, _) = knowledge::class(number);
        let mut out = vec![format!(
            "{} · {class}",
            self.palette
                .strong(&format!("SIP {number} {}", explained.title))
        )];
        let known = knowledge::code(number);
        out.push(known.map_or_else(|| "not registered".to_owned(), source));
        self.section(&mut out, &self.lang.word("Description"), &explained.meaning);
        self.section(
            &mut out,
            &self.lang.word("When You See It"),
            &explained.when,
        );
        self.section(&mut out, &self.lang.word("How to Fix"), &explained.fix);
        if let Some(code) = known {
            self.section(
                &mut out,
                &self.lang.word("May it be retried"),
                &code.retry_note,
            );
            self.section(
                &mut out,
                &self.lang.word("Headers that must or should come along"),
                &code.headers.join(", "),
            );
            self.section(
                &mut out,
                &self.lang.word("Headers to read"),
                &code.look_at.join(", "),
            );
            self.section(
                &mut out,
                &self.lang.word("Met with"),
                &code.methods.join(", "),
            );
            if method.is_none() {
                self.variants(&mut out, code);
            }
        }
        Some(out)
    }

    fn variants(self, out: &mut Vec<String>, code: &Code) {
        for by_method in &code.by_method {
            let texts = [&by_method.meaning, &by_method.when, &by_method.fix];
            self.section(out, &format!("To a {}", by_method.method), &joined(texts));
        }
        for variant in &code.variant {
            let texts = [&variant.meaning, &variant.when, &variant.fix];
            let heading = format!("With the phrase \"{}\"", variant.phrase);
            self.section(out, &heading, &joined(texts));
        }
    }

    /// A cause of a Reason header or a code of a Warning header.
    pub fn cause(self, protocol: &str, number: u32) -> Option<Vec<String>> {
        let cause = knowledge::cause(protocol, number)?;
        let head = format!("{} {} {}", cause.protocol, cause.code, cause.name);
        let mut out = vec![self.palette.strong(&head)];
        self.section(&mut out, &self.lang.word("Points to"), &cause.hint);
        if let Some(sip) = cause.sip {
            let title = knowledge::code(sip)
                .map(|code| code.title.clone())
                .unwrap_or_default();
            self.section(
                &mut out,
                &self.lang.word("Gateways send it as (RFC 3398)"),
                &format!("{sip} {title}"),
            );
        }
        Some(out)
    }

    /// A rule.
    pub fn rule(self, rule: &Rule) -> Vec<String> {
        let id = self.palette.severity(
            rule.severity,
            &format!("{}[{}]", rule.severity.word(), rule.id),
        );
        let mut out = vec![format!(
            "{id} {}",
            self.palette.strong(&placeholders(rule.title))
        )];
        self.section(&mut out, &self.lang.word("Why"), &placeholders(rule.why));
        self.section(
            &mut out,
            &self.lang.word("How to Fix"),
            &placeholders(rule.fix),
        );
        for (id, text) in rule.sentences {
            match id.split_once('-').map_or(*id, |(kind, _)| kind) {
                "why" => self.section(&mut out, &self.lang.word("Or"), &placeholders(text)),
                "fix" => self.section(&mut out, &self.lang.word("Then"), &placeholders(text)),
                _ => {}
            }
        }
        let needs: Vec<_> = rule.needs.iter().map(|need| need.word()).collect();
        self.section(&mut out, &self.lang.word("Needs"), &needs.join(", "));
        let cited: Vec<_> = rule
            .documents()
            .map(|rfc| format!("RFC {} §{}", rfc.number, rfc.section))
            .collect();
        self.section(&mut out, &self.lang.word("See"), &cited.join(", "));
        out
    }

    /// All rules, a line each.
    pub fn rules(self, rules: &[&Rule]) -> Vec<String> {
        let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
        let line = |rule: &&Rule| {
            let severity = self
                .palette
                .severity(rule.severity, &format!("{:7}", rule.severity.word()));
            format!(
                "{:width$}  {severity}  {:6}  {}",
                rule.id,
                rule.frequency.word(),
                placeholders(rule.title)
            )
        };
        rules.iter().map(line).collect()
    }
}

fn joined(texts: [&Option<String>; 3]) -> String {
    let given: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
    given.join(" ")
}

fn source(code: &Code) -> String {
    match (code.registered, code.rfc) {
        (true, Some(rfc)) => format!("RFC {rfc} §{}", code.section),
        (false, Some(rfc)) => format!("not registered ({}), RFC {rfc}", code.status),
        _ => format!("not registered ({}): {}", code.status, code.origin),
    }
}

// In a page about the rule itself the arguments are named.
fn placeholders(template: &str) -> String {
    template.replace('{', "<").replace('}', ">")
}
