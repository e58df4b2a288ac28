//! How a message is named: `INVITE`, `200`, `18x`, `2xx BYE`, `> BYE`.

use crate::knowledge::{self, distance};
use crate::message::Method;
use crate::session::Stored;
use std::fmt;

/// A code or a class: `486`, `48x`, `4xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    least: u16,
    most: u16,
}

impl Code {
    /// Three digits, the last or the last two of which may be `x`.
    pub(super) fn parse(text: &str) -> Option<Code> {
        let wide = text.len() - text.trim_end_matches('x').len();
        let digits = text.get(..text.len() - wide)?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        if text.len() != 3 || digits.is_empty() || !plain {
            return None;
        }
        let scale = 10_u16.pow(u32::try_from(wide).ok()?);
        let least = digits.parse::<u16>().ok()? * scale;
        let most = least + scale - 1;
        (100..700).contains(&least).then_some(Code { least, most })
    }

    /// Is it a final response?
    pub(super) fn is_final(self) -> bool {
        self.least >= 200
    }

    /// Is it this one, or one of the class?
    pub(super) fn holds(self, code: u16) -> bool {
        (self.least..=self.most).contains(&code)
    }
}

impl Code {
    // Is it a word of the phrase of one of these codes?
    fn says(self, word: &str) -> bool {
        (self.least..=self.most).any(|code| {
            let title = knowledge::code(code).map_or("", |entry| entry.title.as_str());
            let mut words = title.split([' ', '/', '-']);
            words.any(|own| own.eq_ignore_ascii_case(word))
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.most - self.least {
            0 => write!(out, "{}", self.least),
            9 => write!(out, "{}x", self.least / 10),
            _ => write!(out, "{}xx", self.least / 100),
        }
    }
}

/// Which side sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The one that began the call, or the first one of a hop.
    First,
    /// The other one.
    Second,
}

/// A name of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    side: Option<Side>,
    code: Option<Code>,
    /// Of the request; of an answer what it answers, where that is said.
    method: Option<(Method, String)>,
}

impl Name {
    /// A method, a code or class, or a code and the method that it answers; `>` before it: from
    /// the caller, `<`: to the caller.
    ///
    /// # Errors
    /// What it had to be.
    pub(super) fn parse(text: &str) -> Result<Name, String> {
        let trimmed = text.trim();
        let (side, rest) = match trimmed.split_at_checked(1) {
            Some((">", rest)) => (Some(Side::First), rest),
            Some(("<", rest)) => (Some(Side::Second), rest),
            _ => (None, trimmed),
        };
        let mut words = rest.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let code = Code::parse(first);
        let method = match code {
            None => Some(first),
            Some(_) => second,
        };
        let token = |text: &str| {
            let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-_.".contains(&b);
            text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(fits)
        };
        let unread = code.is_none() && second.is_some();
        if unread || words.next().is_some() || !method.is_none_or(token) {
            return Err(format!(
                "{text:?} names no message; a message is named as INVITE, 180, 2xx, 200 BYE, > BYE or < BYE"
            ));
        }
        if let (Some(word), Some(why)) = (method, method.and_then(Name::slip)) {
            return Err(match code {
                Some(_) => format!("{text:?}: {why}; {word} has to be the method that is answered"),
                None => format!("{text:?}: {why}"),
            });
        }
        if let (Some(code), Some(word)) = (code, method)
            && code.says(word)
        {
            return Err(format!(
                "{text:?}: behind a code stands the method that is answered, not its phrase; write {code} or \"{code} INVITE\""
            ));
        }
        let method = method.map(|m| (Method::of(m.as_bytes()), m.to_owned()));
        Ok(Name { side, code, method })
    }

    /// What is wrong with a method that is nearly a known one. Others may be somebody's own.
    pub(super) fn slip(name: &str) -> Option<String> {
        let known = Method::of(name.as_bytes()).name().is_some();
        let near = |known: &&str| match distance(name, known) {
            1 => true,
            2 => known.len() >= 6,
            _ => false,
        };
        let near = Method::names().find(near).filter(|_| !known)?;
        Some(format!("{name} is no method; did you mean {near}?"))
    }

    /// Is it a message of this name, sent by this side?
    pub(super) fn fits_from(&self, side: Side, stored: &Stored) -> bool {
        let head = &stored.head;
        let kind = match (self.code, head.code()) {
            (None, None) => true,
            (Some(wanted), Some(code)) => wanted.holds(code),
            _ => false,
        };
        kind && self.side.is_none_or(|wanted| wanted == side)
            && self.method.as_ref().is_none_or(|(method, name)| {
                *method == head.method
                    && (method.name().is_some() || stored.message().method_name() == *name)
            })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.side {
            Some(Side::First) => out.write_str("> ")?,
            Some(Side::Second) => out.write_str("< ")?,
            None => {}
        }
        match (self.code, &self.method) {
            (Some(code), Some((_, method))) => write!(out, "{code} {method}"),
            (Some(code), None) => write!(out, "{code}"),
            (None, Some((_, method))) => out.write_str(method),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for name in [
            "INVITE",
            "180",
            "18x",
            "2xx BYE",
            "> BYE",
            "< 200 INVITE",
            "FOO",
        ] {
            assert_eq!(Name::parse(name).unwrap().to_string(), name);
        }
        for wrong in [
            "",
            ">",
            "invite",
            "99",
            "700",
            "2x",
            "x",
            "INVITE 200",
            "200 BYE x",
            "1xxx",
        ] {
            Name::parse(wrong).unwrap_err();
        }
        let class = Code::parse("48x").unwrap();
        assert!(class.holds(480) && class.holds(489) && !class.holds(490));
    }
}
