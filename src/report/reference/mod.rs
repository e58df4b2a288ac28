//! The reference: a page about a code, a cause, a term or a rule, and two of them side by side.
//! A page is built once and written as text, Markdown or JSON.

/// Every page there is.
mod all;
/// Pages about response codes.
mod code;
/// Two codes or causes side by side.
mod compare;
/// Pages about causes, warnings, methods, headers, option tags, timers and rules.
mod other;
/// What was asked for.
pub mod query;
/// How a page is written.
mod write;

pub(in crate::report) use all::{Kind, Unregistered, all, unregistered};
pub use compare::compare;
pub(in crate::report) use compare::{Plan, plan};
pub use other::{rule, rules};
pub use write::{Style, list, write};

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
