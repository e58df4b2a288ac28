//! Sentences in the reader's language: overlays on knowledge, rules and labels.
//!
//! English stands beside the thing it explains; an overlay file per language replaces it by id,
//! and what an overlay lacks stays English. English is the only language so far.

use crate::diagnose::asides::aside_sentence;
use crate::diagnose::{Args, Finding, Rule, Template, Value, blame, undetermined};

/// A language.
#[derive(Debug)]
pub struct Lang {
    /// BCP 47 tag.
    pub tag: &'static str,
}

/// The languages that can be asked for.
pub static LANGS: &[Lang] = &[Lang { tag: "en" }];

impl Lang {
    /// English.
    pub fn english() -> &'static Lang {
        &LANGS[0]
    }

    /// The language that a tag such as `en`, `en-GB` or `en_US.UTF-8` asks for.
    pub fn find(tag: &str) -> Option<&'static Lang> {
        let primary = tag.split(['-', '_', '.']).next().unwrap_or_default();
        LANGS
            .iter()
            .find(|lang| lang.tag.eq_ignore_ascii_case(primary))
    }

    /// A sentence of a rule, written out.
    pub fn rule(&self, rule: &Rule, id: &str, args: &Args) -> String {
        fill(rule.template(id).unwrap_or_default(), args)
    }

    /// What a finding says to do, with the settings of the product where they are known.
    pub fn fix(&self, finding: &Finding) -> String {
        let fix = self.rule(finding.rule, finding.fix, &finding.args);
        match finding.product {
            Some(product) => format!(
                "{fix} {}",
                self.rule(finding.rule, product.id(), &finding.args)
            ),
            None => fix,
        }
    }

    /// A sentence on who made an answer, written out.
    pub fn grounds(&self, template: &Template) -> String {
        let text = blame::grounds_sentence(template.id);
        fill(text.unwrap_or_default(), &template.args)
    }

    /// A sentence about something seen beside SIP, written out.
    pub fn aside(&self, template: &Template) -> String {
        fill(
            aside_sentence(template.id).unwrap_or_default(),
            &template.args,
        )
    }

    /// A sentence about a call without root cause, written out.
    pub fn undetermined(&self, template: &Template) -> String {
        fill(
            undetermined::sentence(template.id).unwrap_or_default(),
            &template.args,
        )
    }
}

/// Replaces each `{name}` by its argument; one without argument stays as it is.
fn fill(template: &str, args: &Args) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match args.0.iter().rev().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(&written(value)),
            None => {
                out.push('{');
                out.push_str(name);
                out.push('}');
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Count(count) => count.to_string(),
        Value::Code(code) => code.to_string(),
        Value::Duration(nanoseconds) => duration(*nanoseconds),
    }
}

/// A duration for people: `120 ms`, `4.2 s`, `3 min 20 s`.
pub fn duration(nanoseconds: i64) -> String {
    let milliseconds = nanoseconds / 1_000_000;
    match milliseconds {
        ..1_000 => format!("{milliseconds} ms"),
        1_000..120_000 => format!("{}.{} s", milliseconds / 1000, milliseconds / 100 % 10),
        120_000..7_200_000 => format!(
            "{} min {} s",
            milliseconds / 60_000,
            milliseconds / 1000 % 60
        ),
        _ => format!(
            "{} h {} min",
            milliseconds / 3_600_000,
            milliseconds / 60_000 % 60
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_unknown_ones_stay() {
        let args = Args::new()
            .text("who", "bob {x}")
            .count("n", 3)
            .duration("t", 4_250_000_000);
        assert_eq!(
            fill("{who} tried {n} times over {t}, {other} {", &args),
            "bob {x} tried 3 times over 4.2 s, {other} {"
        );
    }
}
