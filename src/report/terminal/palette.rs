//! Colour, decided once and passed on.

use crate::diagnose::Severity;
use colored::{Color, ColoredString, Colorize};

/// Paints or leaves plain.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    colour: bool,
}

impl Palette {
    /// With or without colour. `colored` decides for the whole process by looking at standard
    /// output; the decision made for this report is the one that counts.
    pub fn new(colour: bool) -> Palette {
        colored::control::set_override(colour);
        Palette { colour }
    }

    fn paint(self, text: &str, style: impl FnOnce(&str) -> ColoredString) -> String {
        if self.colour {
            style(text).to_string()
        } else {
            text.to_owned()
        }
    }

    /// `error`, `warning`, `info`.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        let colour = match severity {
            Severity::Error => Color::Red,
            Severity::Warning => Color::Yellow,
            Severity::Info => Color::Cyan,
        };
        self.paint(text, |text| text.color(colour).bold())
    }

    /// Headings and what must be seen first.
    pub fn strong(self, text: &str) -> String {
        self.paint(text, |text| text.bold())
    }

    /// The frame around what matters.
    pub fn faint(self, text: &str) -> String {
        self.paint(text, |text| text.blue())
    }

    /// What went well.
    pub fn good(self, text: &str) -> String {
        self.paint(text, |text| text.green())
    }

    /// What fell short.
    pub fn bad(self, text: &str) -> String {
        self.paint(text, |text| text.red())
    }

    /// The mark under a proof.
    pub fn mark(self, text: &str) -> String {
        self.paint(text, |text| text.yellow().bold())
    }
}
