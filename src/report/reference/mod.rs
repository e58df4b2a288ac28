//! The reference: a page about a code, a cause, a term or a rule, and two of them side by side.
//! A page is built once and written as text, Markdown or JSON.

/// Every page there is.
mod all;
/// Pages about causes and warnings.
mod cause;
/// Pages about classes of response codes.
mod class;
/// Pages about response codes.
mod code;
/// Two codes or causes side by side.
mod compare;
/// The user's own entries.
mod own;
/// What was asked for.
pub mod query;
/// Pages about rules.
pub(super) mod rule;
/// Pages about methods, headers, option tags, timers and protocols of the Reason header.
mod term;
/// How a page is written.
mod write;

pub(in crate::report) use all::{Kind, Unregistered, all, unregistered};
pub use compare::compare;
pub(in crate::report) use compare::{Plan, plan};
pub use rule::{rule, rules};
pub use write::{Style, list, write};

use crate::diagnose::Rule;
use crate::lang::Lang;
use serde::Serialize;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// What it is about, in a form that can be asked for: `607`, `q850:34`, `method:REFER`.
    pub key: String,
    /// `SIP 607 Unwanted`
    pub title: String,
    /// A line below the title: class, where it is defined.
    pub note: String,
    /// The sections in order.
    pub sections: Vec<Section>,
    /// Language of the text.
    pub lang: &'static str,
}

/// A section of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The same in every language: `description`, `fix`, ...
    pub id: &'static str,
    /// Its heading.
    pub heading: String,
    /// Its paragraphs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// Its rows: what a comparison sets side by side, or names and what they mean.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Adds a section of one paragraph, unless it is empty.
    fn section(&mut self, id: &'static str, heading: impl Into<String>, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            let heading = heading.into();
            self.sections.push(Section {
                id,
                heading,
                text: vec![text],
                rows: Vec::new(),
            });
        }
    }

    /// Adds a section of rows, unless there are none.
    fn table(&mut self, id: &'static str, heading: impl Into<String>, rows: Vec<Vec<String>>) {
        if !rows.is_empty() {
            let heading = heading.into();
            self.sections.push(Section {
                id,
                heading,
                text: Vec::new(),
                rows,
            });
        }
    }
}

/// `RFC 3398 §7.2.4.1, RFC 6432 §3`
fn cited(places: &[(u32, String)]) -> String {
    let cited = places
        .iter()
        .map(|(number, section)| match section.is_empty() {
            true => format!("RFC {number}"),
            false => format!("RFC {number} §{section}"),
        });
    cited.collect::<Vec<_>>().join(", ")
}

/// Id and title of a rule, its arguments named.
fn rule_row(rule: &Rule, lang: &'static Lang) -> Vec<String> {
    let title = lang.rule_text(rule, "title");
    vec![
        rule.id.to_owned(),
        title.replace('{', "<").replace('}', ">"),
    ]
}
