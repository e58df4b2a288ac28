//! Known words of providers in an answer, and where they stand in it.

use super::finding::{Args, Evidence, Finding, Note, Part};
use crate::knowledge::phrases::{self, Phrase};
use crate::message::params::value_after;
use crate::message::{Header, Span, StartLine};
use crate::session::Stored;

/// Known words, and the bytes that say them.
#[derive(Clone, Debug)]
pub struct Told {
    /// What they mean.
    pub phrase: &'static Phrase,
    /// What the answer says, as received.
    pub said: String,
    line: Span,
    mark: Span,
    part: Part,
}

impl Told {
    /// A whole reason phrase.
    pub fn of_phrase(phrase: &'static Phrase, answer: &Stored, mark: Span) -> Told {
        Told {
            phrase,
            said: String::from_utf8_lossy(mark.of(&answer.raw)).into_owned(),
            line: answer.message().start_line(),
            mark,
            part: Part::StartLine,
        }
    }

    /// Proves a finding: the answer, and the words in it; gives the finding their arguments `said`
    /// and `means`.
    pub fn prove(
        &self,
        finding: &mut Finding,
        (message, answer): (usize, &Stored),
        (is_answer, says): (Note, Note),
    ) {
        if self.part != Part::StartLine {
            finding.proof(Evidence::start_line(message, answer, is_answer));
        }
        finding.proof(Evidence::Excerpt {
            message,
            line: self.line,
            mark: self.mark,
            part: self.part,
            note: says,
        });
        finding.args(
            Args::new()
                .text("said", self.said.clone())
                .said("means", &self.phrase.means),
        );
    }
}

/// Headers that hold a number of the provider before anything else.
const NUMBERED: [&str; 1] = ["X-Twilio-Error"];
/// Headers whose text is read like a reason phrase.
const SPOKEN: [&str; 2] = ["Reason", "Warning"];
/// Lines of one such header that are read.
const MOST: usize = 8;

/// What a message says in known words: an answer in its phrase first, then in its headers.
pub fn told(stored: &Stored) -> Option<Told> {
    let raw = stored.raw.as_slice();
    let code = match stored.head.start {
        StartLine::Response { code, reason } => {
            let text = String::from_utf8_lossy(reason.of(raw));
            let word = text.split_whitespace().last().unwrap_or_default();
            let of_text = || phrases::of_text(code, &text).map(|(phrase, _)| phrase);
            if let Some(phrase) = phrases::of_word(code, word).or_else(of_text) {
                return Some(Told::of_phrase(phrase, stored, reason));
            }
            code
        }
        StartLine::Request { .. } => 0,
    };
    let message = stored.message();
    let in_header = |header: Header, numbered: bool| {
        let value = header.value.of(raw);
        let text = String::from_utf8_lossy(value);
        let word = text.split([' ', ',', ';']).next().unwrap_or_default();
        let phrase = match numbered {
            true => phrases::of_word(code, word)?,
            false => phrases::of_text(code, &text)?.0,
        };
        let quoted = value_after(value, 0, "text");
        let mark = quoted.map_or(header.value, |span| {
            span.shifted(header.value.start as usize)
        });
        let line = Span {
            start: header.name.start,
            end: header.value.end,
        };
        Some(Told {
            phrase,
            said: String::from_utf8_lossy(mark.of(raw)).into_owned(),
            line,
            mark,
            part: Part::Header(header),
        })
    };
    let named = |name: &'static str, numbered: bool| {
        let mut all = message.all(name).take(MOST);
        all.find_map(|header| in_header(header, numbered))
    };
    NUMBERED
        .iter()
        .find_map(|name| named(name, true))
        .or_else(|| SPOKEN.iter().find_map(|name| named(name, false)))
}
