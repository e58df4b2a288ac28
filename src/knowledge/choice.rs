//! What sets one response code apart from another.

use super::file;
use serde::Deserialize;
use std::sync::LazyLock;

/// Phrases about a code; each completes a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// "607 says that ..."; empty where only the class is known.
    pub says: String,
    /// Who decides.
    pub by: String,
    /// May another fork, or a later try, still succeed?
    pub after: String,
    /// What the caller does; begins with a verb.
    pub caller: String,
    /// "Send 607 when ..."
    pub send: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfClass {
    class: u16,
    by: String,
    after: String,
    caller: String,
    send: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfCode {
    code: u16,
    #[serde(default)]
    says: String,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    caller: Option<String>,
    #[serde(default)]
    send: Option<String>,
}

#[derive(Deserialize)]
struct File {
    class: Vec<OfClass>,
    choice: Vec<OfCode>,
}

// A test reads the file; a broken one leaves every phrase empty.
const TEXT: &str = include_str!("choices.toml");
static FILE: LazyLock<File> = LazyLock::new(|| {
    let none = File {
        class: Vec::new(),
        choice: Vec::new(),
    };
    toml::from_str(TEXT).unwrap_or(none)
});

/// The phrases about a code, those of its class where it has none of its own. Each comes with the
/// section of the overlays that translates it.
pub fn choice(code: u16) -> (Choice, [String; 5]) {
    let own: Option<OfCode> = file::read(TEXT, "choice", &format!("code = {code}"));
    let class: Option<OfClass> = file::read(TEXT, "class", &format!("class = {}", code / 100));
    let (own, class) = (own.as_ref(), class.as_ref());
    let of_code = format!("choice.{code}");
    let of_class = format!("choice.class{}", code / 100);
    let pick = |own: Option<&String>, class: Option<&String>| {
        let section = if own.is_some() { &of_code } else { &of_class };
        (own.or(class).cloned().unwrap_or_default(), section.clone())
    };
    let (by, by_in) = pick(own.and_then(|c| c.by.as_ref()), class.map(|c| &c.by));
    let (after, after_in) = pick(own.and_then(|c| c.after.as_ref()), class.map(|c| &c.after));
    let (caller, caller_in) = pick(
        own.and_then(|c| c.caller.as_ref()),
        class.map(|c| &c.caller),
    );
    let (send, send_in) = pick(own.and_then(|c| c.send.as_ref()), class.map(|c| &c.send));
    let says = own.map(|c| c.says.clone()).unwrap_or_default();
    let sections = [of_code.clone(), by_in, after_in, caller_in, send_in];
    (
        Choice {
            says,
            by,
            after,
            caller,
            send,
        },
        sections,
    )
}

/// Every section of the overlays about choices, with its keys and English texts.
pub fn texts() -> Vec<(String, &'static str, String)> {
    let mut all = Vec::new();
    for class in &FILE.class {
        let texts = [
            ("by", &class.by),
            ("after", &class.after),
            ("caller", &class.caller),
            ("send", &class.send),
        ];
        all.extend(
            texts.map(|(key, text)| (format!("choice.class{}", class.class), key, text.clone())),
        );
    }
    for choice in &FILE.choice {
        let section = format!("choice.{}", choice.code);
        all.push((section.clone(), "says", choice.says.clone()));
        let texts = [
            ("by", &choice.by),
            ("after", &choice.after),
            ("caller", &choice.caller),
            ("send", &choice.send),
        ];
        all.extend(
            texts
                .into_iter()
                .filter_map(|(key, text)| Some((section.clone(), key, text.clone()?))),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_code_has_phrases_of_its_own() {
        toml::from_str::<File>(include_str!("choices.toml")).unwrap();
        for code in crate::knowledge::codes()
            .iter()
            .filter(|code| code.registered)
        {
            let (choice, _) = choice(code.code);
            for phrase in [
                &choice.says,
                &choice.by,
                &choice.after,
                &choice.caller,
                &choice.send,
            ] {
                assert!(
                    !phrase.is_empty() && !phrase.ends_with('.'),
                    "{}: {phrase:?}",
                    code.code
                );
            }
        }
        assert_eq!(
            choice(677).0.by,
            "somebody who speaks for every place where the user could be"
        );
    }
}
