//! Known words of providers in an answer, and where they stand in it.

use super::Confidence;
use super::finding::{Args, Evidence, Finding, Note, Part};
use crate::knowledge;
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
    /// Does only a code say so, and nothing names the provider whose code it is?
    by_code: bool,
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
            by_code: false,
        }
    }

    /// How sure it is that the words mean this here.
    pub fn sure(&self) -> Confidence {
        match self.by_code {
            true => Confidence::Likely,
            false => Confidence::Certain,
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
        let means = Args::new().said("means", &self.phrase.means);
        let provider = self.phrase.provider.clone();
        let said = Args::new().text("said", self.said.clone());
        finding.args(match self.by_code {
            true => said.with("means", (OF_PROVIDER, means.text("provider", provider))),
            false => said.said("means", &self.phrase.means),
        });
    }
}

/// What a code means, where it could be the code of somebody else.
const OF_PROVIDER: &str = "{means} (that is at {provider}, which the trace does not name)";
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
            if let Some(phrase) = phrases::of_word(code, word) {
                let rest = text.trim_end().strip_suffix(word).unwrap_or_default();
                let by_code = says_nothing(code, rest) && !names(raw, &phrase.provider);
                let told = Told::of_phrase(phrase, stored, reason);
                return Some(Told { by_code, ..told });
            }
            if let Some((phrase, _)) = phrases::of_text(code, &text) {
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
            by_code: false,
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

// Do the words beside a code say no more than that the call did not come about? They are those of the status
// code or of a telephone network.
fn says_nothing(code: u16, words: &str) -> bool {
    let words = words.trim();
    let title = knowledge::code(code).map(|known| known.title.as_str());
    let mut names = knowledge::causes("Q.850").map(|cause| cause.name.as_str());
    let is = |known: &str| known.eq_ignore_ascii_case(words);
    words.is_empty() || title.is_some_and(is) || names.any(is)
}

// Is the provider named anywhere in the answer: Server, a domain?
fn names(raw: &[u8], provider: &str) -> bool {
    let name = provider.as_bytes();
    !name.is_empty()
        && raw
            .windows(name.len())
            .any(|part| part.eq_ignore_ascii_case(name))
}
