//! What a text has to be like.

use crate::lang::words::Words;
use regex::bytes::{Regex, RegexBuilder};
use std::borrow::Cow;

/// Characters of a pattern.
const LONGEST_PATTERN: usize = 1000;
/// Bytes of a text that is compared; what is behind them is not looked at.
const LONGEST_TEXT: usize = 64 * 1024;
/// Bytes that a compiled expression and its cache may take.
const LARGEST_REGEX: usize = 1 << 20;

/// A text to compare with, as the file has it: `"sip:bob@*"`, `"/^sip:b/"`, `{ equals = "*8" }`.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    shown: String,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Equal(Box<str>),
    /// Between the stars; the first part begins the text, the last one ends it.
    Glob(Box<[Box<str>]>),
    Matches(Box<Regex>),
}

/// What is wanted of something that may be there.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// It has to be there.
    Present,
    /// It must not be there.
    Absent,
    /// It has to be there and like this.
    Like(Pattern),
}

impl Pattern {
    /// A regular expression between slashes, else a text in which `*` stands for anything.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(text: &str) -> Result<Pattern, String> {
        if let Some((inner, flags)) = text.strip_prefix('/').and_then(|t| t.rsplit_once('/'))
            && matches!(flags, "i" | "m" | "s" | "x" | "u" | "g")
            && !inner.is_empty()
        {
            let right = format!("/(?{flags}){inner}/");
            return Err(format!(
                "{text:?} is a text, for it does not end with a slash; write {right:?}"
            ));
        }
        let inner = text.strip_prefix('/').and_then(|t| t.strip_suffix('/'));
        match inner {
            Some(inner) if !inner.is_empty() => Pattern::matches(inner),
            _ if !text.contains('*') => Pattern::equals(text),
            _ => {
                short(text)?;
                let parts = text.split('*').map(Box::from).collect();
                Ok(Pattern {
                    shown: format!("{text:?}"),
                    how: How::Glob(parts),
                })
            }
        }
    }

    /// Exactly this text.
    ///
    /// # Errors
    /// If it is too long.
    pub(super) fn equals(text: &str) -> Result<Pattern, String> {
        short(text)?;
        Ok(Pattern {
            shown: format!("{text:?}"),
            how: How::Equal(text.into()),
        })
    }

    /// A text in which the expression is found.
    ///
    /// # Errors
    /// Why it is none, or too large.
    pub(super) fn matches(expression: &str) -> Result<Pattern, String> {
        short(expression)?;
        let built = RegexBuilder::new(expression)
            .unicode(false)
            .size_limit(LARGEST_REGEX)
            .dfa_size_limit(LARGEST_REGEX)
            .nest_limit(50)
            .build();
        let regex = built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "this expression is too large".to_owned(),
            error => {
                let error = error.to_string();
                let why = error.lines().last().unwrap_or_default();
                let why = why.trim_start_matches("error: ");
                format!("/{expression}/ is no regular expression: {why}")
            }
        })?;
        Ok(Pattern {
            shown: format!("/{expression}/"),
            how: How::Matches(Box::new(regex)),
        })
    }

    /// Is the text like this?
    pub(super) fn fits(&self, text: &[u8]) -> bool {
        let text = text.get(..LONGEST_TEXT).unwrap_or(text);
        match &self.how {
            How::Equal(wanted) => wanted.as_bytes() == text,
            How::Glob(parts) => glob(parts, text),
            How::Matches(regex) => regex.is_match(text),
        }
    }

    /// As it is shown to people.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}

impl Wanted {
    /// Is one of these texts as wanted?
    pub(super) fn fits<'a>(&self, mut texts: impl Iterator<Item = Cow<'a, [u8]>>) -> bool {
        match self {
            Wanted::Present => texts.next().is_some(),
            Wanted::Absent => texts.next().is_none(),
            Wanted::Like(pattern) => texts.any(|text| pattern.fits(&text)),
        }
    }

    /// As it is shown to people.
    pub(super) fn shown(&self) -> Words {
        match self {
            Wanted::Present => Words::label("present"),
            Wanted::Absent => Words::label("absent"),
            Wanted::Like(pattern) => pattern.shown().into(),
        }
    }
}

fn short(text: &str) -> Result<(), String> {
    match text.chars().count() {
        ..=LONGEST_PATTERN => Ok(()),
        _ => Err(format!("longer than {LONGEST_PATTERN} characters")),
    }
}

// The first place that fits is as good as any later one.
fn glob(parts: &[Box<str>], text: &[u8]) -> bool {
    let [first, middle @ .., last] = parts else {
        return false;
    };
    let Some(mut rest) = text.strip_prefix(first.as_bytes()) else {
        return false;
    };
    for part in middle {
        let Some(at) = memchr::memmem::find(rest, part.as_bytes()) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap().fits(text.as_bytes())
    }

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_is_special() {
        for (pattern, text, expected) in [
            ("sip:bob@example.net", "sip:bob@example.net", true),
            ("sip:bob@example.net", "sip:bob@example.net.", false),
            ("sip:bob@*", "sip:bob@[2001:db8::1]:5060", true),
            ("sip:bob@*", "sip:bobby@x", false),
            ("*@example.net", "sip:a@example.net", true),
            ("*@example.net", "sip:a@example.net:5080", false),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("", "", true),
            ("sip:a?b=[c]", "sip:a?b=[c]", true),
            ("/^sip:[0-9]{3}@/", "sip:123@x", true),
            ("/^sip:[0-9]{3}@/", "sip:1234@x", false),
            ("/(?i)EXAMPLE/", "sip:a@example.net", true),
            ("/", "/", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        assert!(Pattern::equals("*8").unwrap().fits(b"*8"));
        assert!(!Pattern::equals("*8").unwrap().fits(b"28"));
        assert!(Pattern::new("/x.y/").unwrap().fits(b"\xffx\xffy"));
    }

    #[test]
    fn a_hostile_expression_is_refused_or_costs_no_more_than_its_text() {
        for refused in ["/(/", "/a{1000}{1000}/", "/\\w{999999}/"] {
            Pattern::new(refused).unwrap_err();
        }
        let deep = format!("/{}{}/", "(".repeat(100), ")".repeat(100));
        Pattern::new(&deep).unwrap_err();
        Pattern::new(&"x".repeat(LONGEST_PATTERN + 1)).unwrap_err();
        let text = "a".repeat(10 * LONGEST_TEXT);
        assert!(!fits("/^(a+)+$b/", &text));
        assert!(!fits(&"*a".repeat(400), &"a".repeat(399)));
    }
}
