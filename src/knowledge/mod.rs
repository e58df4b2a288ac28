//! What a response code, cause or warning means, when it is seen and what fixes it.
//!
//! The texts are data: `codes.toml`, `causes.toml`, `cause_pages.toml` and `phrases.toml`. Looking up never fails: an
//! unregistered code is explained by its class (RFC 3261 §8.1.3.2).

/// Words of providers and products.
pub mod phrases;

/// Causes of Reason headers and codes of Warning headers.
mod cause;
/// What sets one code apart from another.
pub mod choice;
/// Tables in files.
pub(crate) mod file;
/// What the user knows beyond the tables.
pub mod own;
/// Methods, headers, option tags, timers, Reason protocols.
pub mod term;

pub use cause::{Cause, all_causes, cause, cause_of, causes, group_texts};
use serde::Deserialize;
use std::sync::{LazyLock, OnceLock};

/// Everything known of a response code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The status code.
    pub code: u16,
    /// The registered phrase.
    pub title: String,
    /// Is it in the IANA registry?
    pub registered: bool,
    /// The defining RFC.
    #[serde(default)]
    pub rfc: Option<u32>,
    /// The section there.
    #[serde(default)]
    pub section: String,
    /// Where an unregistered code comes from.
    #[serde(default)]
    pub origin: String,
    /// `obsolete`, `vendor`, `draft`, `local` for unregistered ones.
    #[serde(default)]
    pub status: String,
    /// What the answer says.
    pub meaning: String,
    /// When it is seen.
    pub when: String,
    /// What to do.
    pub fix: String,
    /// What may be retried, in one word.
    #[serde(default)]
    pub retry: String,
    /// What may be retried, by whom and where.
    #[serde(default)]
    pub retry_note: String,
    /// Methods it is met with; empty: all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Headers that must or should come along.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Headers of the response worth reading.
    #[serde(default)]
    pub look_at: Vec<String>,
    /// Effect on an existing dialog (RFC 5057).
    #[serde(default)]
    pub dialog: String,
    /// Other reason phrases that are met with it.
    #[serde(default)]
    pub also: Vec<String>,
    /// Texts that differ by method.
    #[serde(default)]
    pub by_method: Vec<ByMethod>,
    /// Texts that differ by reason phrase.
    #[serde(default)]
    pub variant: Vec<Variant>,
}

/// What differs for one method.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByMethod {
    /// The method.
    pub method: String,
    /// Replaces the meaning.
    pub meaning: Option<String>,
    /// Replaces when it is seen.
    pub when: Option<String>,
    /// Replaces the fix.
    pub fix: Option<String>,
}

/// What differs for one reason phrase.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The phrase, in any case.
    pub phrase: String,
    /// Replaces the meaning.
    pub meaning: Option<String>,
    /// Replaces when it is seen.
    pub when: Option<String>,
    /// Replaces the fix.
    pub fix: Option<String>,
}

#[derive(Deserialize)]
struct Codes {
    code: Vec<Code>,
}

// The files are part of the program and a test reads them; a broken one leaves the tables empty
// and every code is then explained by its class.
const CODES_FILE: &str = include_str!("codes.toml");
static CODES: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let mut codes = toml::from_str::<Codes>(CODES_FILE)
        .map(|t| t.code)
        .unwrap_or_default();
    codes.sort_by_key(|code| code.code);
    codes
});

/// All codes, by number.
pub fn codes() -> &'static [Code] {
    &CODES
}

/// The code with this number.
pub fn code(number: u16) -> Option<&'static Code> {
    static ONE_BY_ONE: [OnceLock<Option<Code>>; 1000] = [const { OnceLock::new() }; 1000];
    let place = ONE_BY_ONE.get(usize::from(number))?;
    place
        .get_or_init(|| file::read(CODES_FILE, "code", &format!("code = {number}")))
        .as_ref()
}

/// The class of a code: name, and what a receiver does with a code of it that it does not know.
pub fn class(number: u16) -> (&'static str, &'static str) {
    match number {
        100..200 => (
            "provisional",
            "the request is being worked on; an unknown one is treated as 183",
        ),
        200..300 => (
            "success",
            "the request was accepted; an unknown one is treated as 200",
        ),
        300..400 => (
            "redirection",
            "the request must be sent elsewhere; an unknown one is treated as 300",
        ),
        400..500 => (
            "client failure",
            "this server refuses this request as it is; an unknown one is treated as 400",
        ),
        500..600 => (
            "server failure",
            "this server failed on a request that may be valid; an unknown one is treated as 500",
        ),
        600..700 => (
            "global failure",
            "no other server will accept the request either; an unknown one is treated as 600",
        ),
        _ => ("no SIP class", "status codes run from 100 to 699"),
    }
}

/// Known codes that a number may have been meant for: one digit off, or neighbours.
pub fn near(number: u16) -> Vec<&'static Code> {
    let digits = |n: u16| [n / 100, n / 10 % 10, n % 10];
    let wanted = digits(number);
    let distance = |code: &&Code| {
        let other = digits(code.code);
        let differing = wanted.iter().zip(other).filter(|(a, b)| **a != *b).count();
        (differing, code.code.abs_diff(number))
    };
    let mut near: Vec<&Code> = CODES
        .iter()
        .filter(|c| c.registered && distance(c).0 <= 1 && c.code != number)
        .collect();
    near.sort_by_key(distance);
    near.truncate(3);
    near
}

/// An RFC and a section of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rfc {
    /// Number.
    pub number: u32,
    /// Section, empty for the whole document.
    pub section: std::borrow::Cow<'static, str>,
}

/// A code explained for one method and reason phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// `607`, or `404/REGISTER` where the method matters, or `603/Network Blocked`.
    pub key: String,
    /// Title.
    pub title: String,
    /// What it says.
    pub meaning: String,
    /// When it is seen.
    pub when: String,
    /// What to do.
    pub fix: String,
    /// Where it is defined.
    pub rfc: Vec<Rfc>,
}

/// The key under which a final response is explained; cheap, no text is made.
pub fn explanation_key(number: u16, method: &str, phrase: &str) -> std::borrow::Cow<'static, str> {
    let known = code(number);
    let variant = known.and_then(|code| {
        code.variant
            .iter()
            .find(|v| v.phrase.eq_ignore_ascii_case(phrase))
    });
    let by_method = known.and_then(|code| code.by_method.iter().find(|m| m.method == method));
    match (variant, by_method) {
        (Some(variant), _) => format!("{number}/{}", variant.phrase).into(),
        (None, Some(by_method)) => format!("{number}/{}", by_method.method).into(),
        (None, None) => number.to_string().into(),
    }
}

/// Explains a final response, unless its code is not known; `translate` gets where a text stands in
/// the overlays, below `code.N`, and the English text.
pub fn explain_in(
    number: u16,
    method: &str,
    phrase: &str,
    translate: &dyn Fn(&[&str], &str) -> String,
) -> Option<Explanation> {
    let key = explanation_key(number, method, phrase).into_owned();
    let code = code(number)?;
    let same = |v: &&Variant| v.phrase.eq_ignore_ascii_case(phrase);
    let variant = code.variant.iter().find(same);
    let by_method = code.by_method.iter().find(|m| m.method == method);
    let by_method = by_method.filter(|_| variant.is_none());
    let pick = |name: &str,
                variant_text: Option<&String>,
                method_text: Option<&String>,
                plain: &String| {
        match (variant.zip(variant_text), by_method.zip(method_text)) {
            (Some((v, text)), _) => translate(&["phrase", &v.phrase, name], text),
            (None, Some((m, text))) => translate(&["method", &m.method, name], text),
            (None, None) => translate(&[name], plain),
        }
    };
    let meaning = (
        variant.and_then(|v| v.meaning.as_ref()),
        by_method.and_then(|m| m.meaning.as_ref()),
    );
    let when = (
        variant.and_then(|v| v.when.as_ref()),
        by_method.and_then(|m| m.when.as_ref()),
    );
    let fix = (
        variant.and_then(|v| v.fix.as_ref()),
        by_method.and_then(|m| m.fix.as_ref()),
    );
    let document = |number| Rfc {
        number,
        section: code.section.clone().into(),
    };
    Some(Explanation {
        key,
        title: variant.map_or_else(|| code.title.clone(), |v| v.phrase.clone()),
        meaning: pick("meaning", meaning.0, meaning.1, &code.meaning),
        when: pick("when", when.0, when.1, &code.when),
        fix: pick("fix", fix.0, fix.1, &code.fix),
        rfc: code.rfc.map(document).into_iter().collect(),
    })
}

/// Levenshtein distance, on words that are short.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let substitute = row[j] + usize::from(from != *to);
            next.push(substitute.min(row[j + 1] + 1).min(next[j] + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_parse() {
        for code in codes() {
            assert_eq!(super::code(code.code), Some(code), "{}", code.code);
        }
        toml::from_str::<Codes>(include_str!("codes.toml")).unwrap();
        assert_eq!(codes().iter().filter(|code| code.registered).count(), 75);
    }

    fn explain(number: u16, method: &str, phrase: &str) -> Explanation {
        explain_in(number, method, phrase, &|_, english| english.to_owned()).unwrap()
    }

    #[test]
    fn the_method_and_the_phrase_choose_the_text() {
        assert_eq!(explanation_key(607, "INVITE", "Unwanted"), "607");
        assert_eq!(
            explanation_key(404, "REGISTER", "Not Found"),
            "404/REGISTER"
        );
        assert_ne!(
            explain(404, "REGISTER", "").fix,
            explain(404, "INVITE", "").fix
        );
        assert_eq!(
            explain(603, "INVITE", "network blocked").key,
            "603/Network Blocked"
        );
    }
}
