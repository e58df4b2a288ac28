//! What providers and products say beside the status code: `phrases.toml`.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde::Deserialize;
use std::sync::LazyLock;

/// What such words are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The account, or something set up in it, is off, unpaid or not allowed to do this.
    Account,
    /// A filter rejects the caller.
    Blocked,
    /// The caller number is not accepted.
    CallerId,
    /// Too many calls at once.
    Channels,
    /// The destination may not be called.
    Destination,
    /// The called person wants no calls.
    DoNotDisturb,
    /// The call may not leave the country.
    Domestic,
    /// A call that was up was ended by something other than a person.
    Ended,
    /// The media offered was not accepted.
    Media,
    /// Nothing rang in time.
    NoProgress,
    /// There is no way to the destination.
    NoRoute,
    /// The dialled number is none.
    Number,
    /// Too many new calls in a second.
    Rate,
    /// Neither address nor credentials belong to a customer.
    UnknownCaller,
    /// Nobody is registered for the called number.
    Unregistered,
}

/// Words that are known to mean one thing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    /// Who says so; empty where many do.
    pub provider: String,
    /// Status codes with which it is seen; empty: any.
    #[serde(default)]
    pub codes: Vec<u16>,
    /// The last word of the reason phrase, or the first one of a header of the provider.
    #[serde(default)]
    pub word: String,
    /// Part of a text, in small letters.
    #[serde(default)]
    pub says: String,
    /// What it is about.
    pub kind: Kind,
    /// What it says in plain words.
    pub means: String,
}

#[derive(Deserialize)]
struct Phrases {
    phrase: Vec<Phrase>,
}

static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    toml::from_str::<Phrases>(include_str!("phrases.toml"))
        .map(|table| table.phrase)
        .unwrap_or_default()
});

/// Those that are part of a text, in the order of the file.
static SPOKEN: LazyLock<Vec<&'static Phrase>> = LazyLock::new(|| {
    let spoken = PHRASES.iter();
    spoken.filter(|phrase| !phrase.says.is_empty()).collect()
});

/// What finds them all in one walk over a text; `None` if that could not be made.
static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(SPOKEN.iter().map(|phrase| &phrase.says))
        .ok()
});

/// All phrases, in the order of the file.
pub fn phrases() -> &'static [Phrase] {
    &PHRASES
}

/// The phrase of which a text with this status code holds `says`, and where it stands in the text.
pub fn of_text(code: u16, text: &str) -> Option<(&'static Phrase, usize)> {
    let found = SEARCH.as_ref()?.find_overlapping_iter(text);
    let fitting = found.filter_map(|said| {
        let phrase = *SPOKEN.get(said.pattern().as_usize())?;
        fits(phrase, code).then_some((said.pattern(), said.start(), phrase))
    });
    let (_, start, phrase) = fitting.min_by_key(|(pattern, start, _)| (*pattern, *start))?;
    Some((phrase, start))
}

/// The phrase with this word.
pub fn of_word(code: u16, word: &str) -> Option<&'static Phrase> {
    let same = |phrase: &&Phrase| {
        !word.is_empty() && phrase.word.eq_ignore_ascii_case(word) && fits(phrase, code)
    };
    PHRASES.iter().find(same)
}

fn fits(phrase: &Phrase, code: u16) -> bool {
    phrase.codes.is_empty() || phrase.codes.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_parses_and_every_phrase_can_be_found() {
        toml::from_str::<Phrases>(include_str!("phrases.toml")).unwrap();
        for phrase in phrases() {
            assert!(
                phrase.word.is_empty() != phrase.says.is_empty(),
                "{phrase:?}"
            );
            assert_eq!(phrase.says, phrase.says.to_ascii_lowercase());
            assert!(!phrase.means.ends_with('.') && !phrase.means.is_empty());
            let code = phrase.codes.first().copied().unwrap_or(403);
            let found = match phrase.word.as_str() {
                "" => of_text(code, &phrase.says.to_uppercase()).map(|(found, _)| found),
                word => of_word(code, word),
            };
            assert_eq!(found.map(|f| f.kind), Some(phrase.kind), "{phrase:?}");
        }
        assert!(of_word(404, "D35").is_none() && of_word(403, "").is_none());
        assert!(of_text(403, "Forbidden").is_none());
    }
}
